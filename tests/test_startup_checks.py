"""A process that serves or works refuses to start when the key does not open what is stored; commands still run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from flask import Flask

from hikflask import config, create_app, startup_checks
from hikflask.config import SHIPPED, ConfigError
from hikflask.extensions import db, vault
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.startup_checks import prepare
from tests.processes.processes import free_port
from tests.support.apps import close


@pytest.fixture
def lost(app: Flask, tmp_path: Path) -> Callable[..., Flask]:
    """Make terminals of these names, lose the key, and return the app as it starts after that."""

    def lose(*names: str, **given: str) -> Flask:
        with app.app_context():
            for name in names:
                registry.add(Access(name, "http://a.test", "admin", "Abc12345"))
        for name in ("password_key", "secret_key"):
            (tmp_path / name).unlink()
        return create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True, **given})

    return lose


def refusal(app: Flask) -> str:
    with pytest.raises(ConfigError) as refused:
        prepare(app)
    close(app)
    return str(refused.value)


def test_key_that_fits_starts(app: Flask) -> None:
    with app.app_context():
        registry.add(Access("Вход", "http://a.test", "admin", "Abc12345"))

    prepare(app)


def test_any_key_starts_where_nothing_is_stored(lost: Callable[..., Flask]) -> None:
    app = lost()

    prepare(app)

    close(app)


def test_lost_key_file_is_refused_with_the_cure(lost: Callable[..., Flask], tmp_path: Path) -> None:
    sentence = refusal(lost("Вход"))

    assert sentence == (
        f"The password key does not open what is stored for “Вход”: restore {tmp_path}/password_key, or set "
        "HIKFLASK_PASSWORD_KEY to the key that they were encrypted with, or type the passwords again with "
        "`flask --app wsgi terminal add --replace`, take second factors off with "
        "`flask --app wsgi operator second-factor NAME --remove`, and delete webhooks with "
        "`flask --app wsgi webhook delete ID`."
    )


def test_installation_is_told_its_own_command(lost: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.COMMAND == "flask --app wsgi"
    monkeypatch.setattr(config, "COMMAND", "hikflask")

    assert refusal(lost("Вход")).endswith(
        "or type the passwords again with `hikflask terminal add --replace`, take second factors off with "
        "`hikflask operator second-factor NAME --remove`, and delete webhooks with `hikflask webhook delete ID`."
    )


def test_wrong_key_of_the_environment_is_refused_with_the_cure(lost: Callable[..., Flask]) -> None:
    key = Fernet.generate_key().decode()

    sentence = refusal(lost("Вход", PASSWORD_KEY=key))

    assert "stored for “Вход”: set HIKFLASK_PASSWORD_KEY to the key" in sentence
    assert key not in sentence


def test_refusal_names_a_few_and_counts_the_rest(lost: Callable[..., Flask]) -> None:
    sentence = refusal(lost(*"ABCDE"))

    assert "“A”, “B”, “C” and 2 more:" in sentence


def test_typing_the_password_again_repairs(lost: Callable[..., Flask]) -> None:
    app = lost("Вход")
    arguments = ["terminal", "add", "Вход", "http://127.0.0.1:9", "admin", "--password-stdin", "--replace"]

    result = app.test_cli_runner().invoke(args=arguments, input="Other123\n")

    assert result.exit_code == 0, result.output
    prepare(app)
    with app.app_context():
        assert vault.decrypt(registry.list_all()[0].password_encrypted) == "Other123"
    close(app)


def test_rotation_with_a_lost_key_is_refused_with_the_cure(lost: Callable[..., Flask], tmp_path: Path) -> None:
    app = lost("Вход")

    result = app.test_cli_runner().invoke(args=["secrets", "rotate"])

    assert result.exit_code == 1
    assert f"restore {tmp_path}/password_key" in result.stderr
    close(app)


def test_needed_version_is_the_last_one_however_a_migration_quotes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = startup_checks.needed_version()
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    for file in (SHIPPED / "migrations" / "versions").glob("*.py"):
        (versions / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (versions / "next.py").write_text(f'revision = "next"\ndown_revision = "{newest}"\n')
    monkeypatch.setattr(startup_checks, "SHIPPED", tmp_path)

    assert startup_checks.needed_version() == "next"


def test_database_without_tables_is_refused_with_the_cure(tmp_path: Path) -> None:
    sentence = refusal(create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True}))

    assert sentence.startswith(
        f"sqlite:///{tmp_path}/hikflask.sqlite3 does not have the tables that are needed (version none"
    )
    assert "Run `flask --app wsgi db upgrade` first" in sentence


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("0001", " does not have the tables that are needed (version 0001 instead of 00"),
        ("9999", " has tables of version 9999, which this program does not know: its own are of version 00"),
    ],
)
def test_database_of_another_version_is_refused(app: Flask, version: str, reason: str) -> None:
    with app.app_context():
        db.session.execute(db.text("UPDATE alembic_version SET version_num = :version"), {"version": version})
        db.session.commit()

    assert reason in refusal(app)


def test_database_that_is_away_is_refused_without_its_password(tmp_path: Path) -> None:
    away = f"postgresql://hikflask:geheim@127.0.0.1:{free_port()}/hikflask"

    sentence = refusal(create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True, "DATABASE_URL": away}))

    assert "does not answer: " in sentence
    assert "geheim" not in sentence


def test_worker_of_its_own_refuses_in_one_line(lost: Callable[..., Flask]) -> None:
    app = lost("Вход")

    result = app.test_cli_runner().invoke(args=["worker"])

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: The password key does not open")
    assert result.stderr.count("\n") == 1
    close(app)
