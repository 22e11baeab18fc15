"""A service that cannot work ends as a whole, in one sentence."""

from pathlib import Path

from cryptography.fernet import Fernet

from tests.processes.processes import Served
from tests.processes.silent import add_unchecked
from tests.support.migrated import migrate


def test_key_that_does_not_fit_ends_the_whole_server(tmp_path: Path) -> None:
    app = Served(tmp_path)
    migrate(tmp_path)
    add_unchecked(tmp_path, ["http://127.0.0.1:9"])
    (tmp_path / "password_key").write_bytes(Fernet.generate_key())

    ended = [
        app.refused("gunicorn", "--config", "deploy/gunicorn.conf.py", "wsgi:app"),
        app.refused("flask", "run"),
    ]

    assert [process.returncode for process in ended] == [3, 3]
    for process in ended:
        assert f"does not open what is stored for “door http://127.0.0.1:9”: restore {tmp_path}/password_key" in (
            process.stderr
        )
        assert "Traceback" not in process.stderr


def test_setting_that_cannot_be_used_is_refused_in_one_sentence(tmp_path: Path) -> None:
    command = Served(tmp_path, SECRET_KEY="dev").refused("flask", "db", "upgrade")

    assert command.returncode == 3
    assert command.stderr.startswith("HIKFLASK_SECRET_KEY is too short")
    assert "Traceback" not in command.stderr


def test_so_is_a_setting_that_gunicorn_alone_reads(tmp_path: Path) -> None:
    migrate(tmp_path)

    command = Served(tmp_path, THREADS="many").refused("hikflask", "serve")

    assert command.stderr == "HIKFLASK_THREADS cannot be used: set it to a whole number between 1 and 256.\n"
