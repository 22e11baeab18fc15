"""`hikflask doctor` says what is wrong also when nothing works, and never ends in a traceback."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import text

from hikflask import create_app
from hikflask.__main__ import main
from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST
from tests.support.apps import close
from tests.support.backups import run

NO_SERVICE = (
    "The service does not answer at unix:/nowhere ([Errno 2] No such file or directory): `journalctl -u hikflask` says "
    "why, `systemctl start hikflask` starts it."
)
NO_WORKER = (
    "No worker is running, so nobody is enrolled or removed: `systemctl start hikflask-worker` "
    "(or `hikflask`, where the worker is embedded)."
)
DAMAGED = "): stop the service and restore the last backup."


@pytest.fixture(autouse=True)
def _nothing_around(monkeypatch: pytest.MonkeyPatch) -> None:
    """No service, and no systemd that knows of the clock."""
    monkeypatch.setenv("HIKFLASK_BIND", "unix:/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")


def wrong(app: Flask) -> list[str]:
    """What the command says is wrong."""
    done = run(app, "doctor", "--without-nginx")
    told = done.stdout.splitlines()
    found = [line.removeprefix("WRONG  ") for line in told if line.startswith("WRONG  ")]
    assert (done.exit_code, done.stderr) == (1, f"Error: {len(found)} of {len(told)} things are wrong.\n")
    return found


def of_the_present(app: Flask) -> list[str]:
    """What is wrong apart from the folder, whose files a test makes."""
    return [line for line in wrong(app) if not line.startswith("Others can read")]


def test_database_that_is_away_or_has_no_tables_or_older_ones_is_said(app: Flask, tmp_path: Path) -> None:
    given = {"INSTANCE_PATH": str(tmp_path / "new"), "TESTING": True, "WORKER": "external"}
    away = create_app({**given, "DATABASE_URL": "postgresql://h@127.0.0.1:1/h"})
    empty = create_app(given)
    (tmp_path / "new/hikflask.sqlite3").touch()
    with app.app_context():
        db.session.execute(text("UPDATE alembic_version SET version_num = '0021'"))
        db.session.execute(text("ALTER TABLE terminal DROP COLUMN restored_from"))
        db.session.commit()

    sentences = {"away": of_the_present(away), "empty": of_the_present(empty), "older": of_the_present(app)}
    close(away)
    close(empty)

    for told in sentences.values():
        assert told[1:] == [NO_SERVICE]
    assert sentences["away"][0].startswith(
        'postgresql+psycopg://h@127.0.0.1:1/h does not answer: connection failed: connection to server at "127.0.0.1"'
    )
    for name, what in (("empty", "version none instead of "), ("older", "version 0021 instead of ")):
        assert f" does not have the tables that are needed ({what}" in sentences[name][0]
        assert "Run `flask --app wsgi db upgrade` first" in sentences[name][0]


def test_file_that_is_damaged_anywhere_is_said(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        db.session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    close(app)
    file = tmp_path / "hikflask.sqlite3"
    whole = file.read_bytes()
    half = bytearray(whole)
    for page in range(2, len(whole) // 4096):
        half[page * 4096 : page * 4096 + 2000] = bytes(2000)

    for content in (bytes(half), b"no database at all" * 1000):
        file.write_bytes(content)
        first, *others = of_the_present(app)
        close(app)
        assert first.startswith("The database file is damaged (")
        assert first.endswith(DAMAGED)
        assert set(others) <= {NO_SERVICE, NO_WORKER}
        assert NO_SERVICE in others


def test_terminals_are_asked_save_those_whose_password_no_key_opens(
    app: Flask,
    terminal: Terminal,  # noqa: ARG001
    simulator: Simulated,
    tmp_path: Path,
) -> None:
    with app.app_context():
        registry.add(Access("Выход", "http://other.test", "admin", "Abc12345"))
        db.session.execute(text("UPDATE terminal SET password_encrypted = 'gAAAAA' WHERE name = 'Выход'"))
        db.session.commit()

    told = of_the_present(app)

    cure = f"restore {tmp_path}/password_key, or set HIKFLASK_PASSWORD_KEY to the key that they were encrypted with"
    assert told[0].startswith(f"The password key does not open what is stored for “Выход”: {cure}, or type the ")
    assert told[1:] == [
        NO_WORKER,
        NO_SERVICE,
        f"Terminal “Выход” (http://other.test) was not asked, since no key here opens its password: {cure}.",
    ]
    assert simulator.log
    good = run(app, "doctor", "--without-nginx").stdout
    assert "\n?      Whether this machine's clock follows a time server cannot be known here, " in good
    assert f"ok     Terminal “Вход” (http://{HOST}) answers, and its login works.\n" in good


def test_database_that_nobody_can_write_is_said(app: Flask, terminal: Terminal) -> None:  # noqa: ARG001
    with app.app_context(), closing(sqlite3.connect(db.engine.url.database or "")) as opened, opened:
        opened.execute("CREATE TRIGGER full BEFORE UPDATE ON terminal BEGIN SELECT RAISE(ABORT, 'disk is full'); END")

    assert of_the_present(app)[-1] == (
        "The terminals were not all asked, since the database does not take what they answer: disk is full"
    )


def test_postgresql_that_is_down_is_not_said_to_have_no_tables(tmp_path: Path) -> None:
    given = {"INSTANCE_PATH": str(tmp_path), "TESTING": True, "DATABASE_URL": "postgresql://h@127.0.0.1:1/h"}
    away = create_app(given)

    for command in (("operator", "list"), ("backup", tmp_path / "all.tar"), ("init",), ("doctor", "--without-nginx")):
        done = run(away, *command)
        assert done.exit_code == 1
        assert "postgresql+psycopg://h@127.0.0.1:1/h does not answer: connection failed: " in done.output
        assert "tables" not in done.output
    close(away)


class TestWithoutAnApp:
    """By the program's own name it is run where no app can be made, and makes nothing itself."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv("HIKFLASK_INSTANCE_PATH", str(tmp_path / "instance"))
        mask = os.umask(0o077)
        yield
        os.umask(mask)

    def wrong(self) -> list[str]:
        done = CliRunner().invoke(main, ["doctor", "--without-nginx"], catch_exceptions=False)
        told = done.stdout.splitlines()
        assert done.exit_code == 1
        return [line.removeprefix("WRONG  ") for line in told if line.startswith("WRONG  ")]

    def test_folder_that_is_gone_is_said_and_none_is_made(self, tmp_path: Path) -> None:
        assert self.wrong() == [
            f"There is no folder {tmp_path}/instance: mount the disk that it is on, or set HIKFLASK_INSTANCE_PATH to "
            "where it is."
        ]
        assert list(tmp_path.iterdir()) == []

    def test_setting_with_which_there_is_no_app_is_said_beside_what_else_is_wrong(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "instance").mkdir(mode=0o700)
        monkeypatch.setenv("HIKFLASK_WORKER", "none")
        monkeypatch.setenv("HIKFLASK_MAIL_SERVR", "mail.example")

        assert self.wrong() == [
            "HIKFLASK_MAIL_SERVR is no setting, so it changes nothing: did you mean HIKFLASK_MAIL_SERVER?",
            "HIKFLASK_WORKER cannot be used: set it to embedded or external.",
        ]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
    def test_key_of_another_owner_is_said_with_the_owner(self, tmp_path: Path) -> None:
        folder = tmp_path / "instance"
        folder.mkdir(mode=0o700)
        (folder / "secret_key").touch()
        (folder / "password_key").write_text(Fernet.generate_key().decode())
        (folder / "password_key").chmod(0o600)
        (folder / "secret_key").chmod(0o644)
        shutil.chown(folder / "secret_key", 12345)

        assert self.wrong() == [
            f"{folder}/secret_key belongs to 12345, and not to root, who runs this: run `chown -R root: {folder}` as "
            "root.",
            f"Others can read {folder}/secret_key: run `chmod 600 {folder}/secret_key`.",
        ]
