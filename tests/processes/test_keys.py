"""The key of the passwords, in served processes: changed while they run, and refused when it does not fit."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet, InvalidToken

from hikflask.simulator import SimulatorServer
from tests.processes.conftest import PASSWORD, add_terminal
from tests.processes.processes import Served
from tests.support.migrated import migrate

SERVE = ("gunicorn", "--config", "deploy/gunicorn.conf.py", "wsgi:app")


def stored(folder: Path) -> bytes:
    with closing(sqlite3.connect(folder / "hikflask.sqlite3")) as database:
        token: str = database.execute("SELECT password_encrypted FROM terminal").fetchone()[0]
        return token.encode()


def test_rotation_needs_no_restart(served: Served, simulator: SimulatorServer, tmp_path: Path) -> None:
    device = add_terminal(served, simulator, "Вход")

    served.flask("secrets", "rotate")

    new, old = (Fernet(line) for line in (tmp_path / "password_key").read_bytes().split())
    assert new.decrypt(stored(tmp_path)).decode() == PASSWORD
    status = served.http.get(f"{served.url}/api/devices/{device}/status", timeout=20).json()
    assert (status["reachable"], status["login"]) == (True, True)
    simulator.terminal.login.password = "Other123"
    served.http.put(f"{served.url}/api/devices/{device}", json={"password": "Other123"}, timeout=20)
    assert new.decrypt(stored(tmp_path)) == b"Other123"
    with pytest.raises(InvalidToken):
        old.decrypt(stored(tmp_path))
    assert served.http.get(f"{served.url}/api/devices/{device}/status", timeout=20).json()["login"] is True


def test_key_that_does_not_fit_ends_the_whole_server(tmp_path: Path) -> None:
    app, external = Served(tmp_path), Served(tmp_path, WORKER="external")
    migrate(tmp_path)
    app.flask("terminal", "add", "Door", "http://127.0.0.1:9", "admin", "--password-stdin", stdin=f"{PASSWORD}\n")
    (tmp_path / "password_key").write_bytes(Fernet.generate_key())

    ended = [app.refused(*SERVE), external.refused(*SERVE), app.refused("flask", "run"), app.refused("flask", "worker")]

    assert [process.returncode for process in ended] == [3, 3, 3, 1]
    for process in ended:
        assert f"does not open what is stored for “Door”: restore {tmp_path}/password_key" in process.stderr
        assert "Traceback" not in process.stderr
    app.flask("db", "upgrade")


def test_setting_that_cannot_be_used_is_refused_in_one_sentence(tmp_path: Path) -> None:
    app = Served(tmp_path, SECRET_KEY="dev")

    serving, command = app.refused(*SERVE), app.refused("flask", "db", "upgrade")

    assert (serving.returncode, command.returncode) == (3, 3)
    assert command.stderr.startswith("HIKFLASK_SECRET_KEY is too short")
    assert "Traceback" not in serving.stderr + command.stderr


def test_nobody_else_on_the_machine_may_read_what_is_kept(tmp_path: Path) -> None:
    served = Served(tmp_path)
    served.flask("db", "upgrade")
    served.serve()
    served.http.post(
        f"{served.url}/api/users/", json={"hikvision_id": "100222", "full_name": "Иван Иванов"}, timeout=20
    )

    kept = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.iterdir()}

    assert {"hikflask.sqlite3", "queue.sqlite3", "password_key", "uploads"} <= kept.keys()
    assert set(kept.values()) == {0}
    served.stop()
