"""`hikflask init`, `serve` and `worker`: a start that is refused is one line, however often systemd tries it again."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import text

from hikflask import create_app
from hikflask.extensions import db
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.startup_checks import needed_version
from tests.support.apps import close

COMMANDS = ("init", "serve", "worker")


@pytest.fixture(autouse=True)
def _nothing_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test become gunicorn."""
    monkeypatch.setattr(os, "execv", lambda *_: None)


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """What each command says to a start on this folder, in one line alone."""

    def start(*commands: str, **settings: str) -> dict[str, str]:
        app = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True, "WORKER": "external", **settings})
        results = {command: app.test_cli_runner().invoke(args=[command]) for command in commands}
        close(app)
        assert {command: (done.exit_code, done.stdout) for command, done in results.items()} == {
            command: (1, "") for command in commands
        }
        assert all(done.stderr.startswith("Error: ") for done in results.values())
        assert [done.stderr.count("\n") for done in results.values()] == [1] * len(commands)
        return {command: done.stderr.removeprefix("Error: ")[:-1] for command, done in results.items()}

    return start


def tables_of(app: Flask, version: str) -> None:
    with app.app_context():
        db.session.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})
        db.session.commit()


def test_database_that_is_away(refused: Callable[..., dict[str, str]]) -> None:
    said = refused(*COMMANDS, DATABASE_URL="postgresql://h:s3cret@127.0.0.1:1/h")

    connecting = 'connection failed: connection to server at "127.0.0.1", port 1 failed: Connection refused'
    for command in COMMANDS:
        assert said[command].startswith(f"postgresql+psycopg://h:***@127.0.0.1:1/h does not answer: {connecting}")


def test_database_that_cannot_be_read(refused: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    file = tmp_path / "hikflask.sqlite3"
    file.write_bytes(b"no database, but long enough for the header of one" * 100)

    assert refused(*COMMANDS) == dict.fromkeys(COMMANDS, f"sqlite:///{file} cannot be used: file is not a database")


def test_tables_of_a_newer_version(app: Flask, refused: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    tables_of(app, "9999")

    sentence = (
        f"sqlite:///{tmp_path}/hikflask.sqlite3 has tables of version 9999, which this program does not know: its own "
        f"are of version {needed_version()}. Install the newer program again that made them, or restore the backup of "
        "before it."
    )
    assert refused(*COMMANDS) == dict.fromkeys(COMMANDS, sentence)


def test_tables_that_are_missing(refused: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    said = refused("serve", "worker")

    start = f"sqlite:///{tmp_path}/hikflask.sqlite3 does not have the tables that are needed (version none instead of "
    assert said["serve"].startswith(start)
    assert said["worker"] == said["serve"]


def test_key_that_does_not_fit(app: Flask, refused: Callable[..., dict[str, str]], tmp_path: Path) -> None:
    with app.app_context():
        registry.add(Access("Вход", "http://a.test", "admin", "Abc12345"))
    (tmp_path / "password_key").write_bytes(Fernet.generate_key())

    said = refused("serve", "worker")

    cure = f"The password key does not open what is stored for “Вход”: restore {tmp_path}/password_key, or set "
    assert said["serve"].startswith(cure)
    assert said["worker"] == said["serve"]
