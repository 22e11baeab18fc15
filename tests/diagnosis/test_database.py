"""What is said of the database and the worker."""

import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from hikflask import create_app, startup_checks
from hikflask.diagnosis import database
from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.models.columns import database_now
from hikflask.services.backups import postgresql
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from tests.support.accounts import as_nobody
from tests.support.apps import close
from tests.support.backups import run
from tests.support.postgresql import Cluster

NO_WORKER = (
    "No worker is running, so nobody is enrolled or removed: `systemctl start hikflask-worker` "
    "(or `hikflask`, where the worker is embedded)."
)


def wrong(app: Flask) -> list[str]:
    with app.app_context():
        return [finding.sentence for finding in database.check() if not finding.is_good]


@pytest.mark.both_databases
@pytest.mark.usefixtures("worker_alive")
def test_database_with_a_worker_is_good(app: Flask) -> None:
    assert wrong(app) == []


def test_missing_worker_is_said(app: Flask) -> None:
    assert wrong(app) == [NO_WORKER]


def test_clock_that_differs_from_the_databases_is_said(cluster: Cluster, tmp_path: Path) -> None:
    app = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True, "DATABASE_URL": cluster.address("test")})

    def slow(*given: Any) -> tuple[str, Any]:
        return given[2].replace("clock_timestamp()", "(clock_timestamp() - interval '90 s')"), given[3]

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", slow, retval=True)
    told = wrong(app)
    close(app)

    assert told[0] == "This machine's clock and the database's differ by 90 s: let both follow a time server."


@pytest.mark.usefixtures("worker_alive")
def test_clock_that_was_ahead_is_said(app: Flask) -> None:
    with app.app_context():
        db.session.add(AuditEntry(actor="Анна", action="old", at=database_now(2 * 86400.0)))
        db.session.commit()

    (sentence,) = wrong(app)

    assert re.sub(r"1 day, 23:59:\d\d|2 days, 0:00:00", "2 days", sentence) == (
        "The newest entry of the audit trail is 2 days ahead of now: the clock was ahead, or is behind. Let it follow "
        "a time server. What waits for a time that is too far ahead is done within a minute; what was recorded "
        "meanwhile keeps its time."
    )


def test_pg_dump_that_is_missing_or_older_than_the_server_is_said(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True, "DATABASE_URL": cluster.address("test")})
    with app.app_context():
        major = int(db.session.execute(db.text("SHOW server_version_num")).scalar_one()) // 10000
    monkeypatch.setattr(postgresql, "DEBIAN", str(tmp_path / "{}"))
    monkeypatch.setenv("PATH", str(tmp_path))

    missing = wrong(app)
    (tmp_path / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
    (tmp_path / "pg_dump").chmod(0o755)
    older = wrong(app)
    close(app)

    cure = f"`apt-get install postgresql-client-{major}`."
    assert missing[0] == f"No backup can be made: pg_dump is not installed: {cure}"
    assert older[0] == f"No backup can be made: pg_dump is older than the server: {cure}"


def test_tables_of_another_version_are_said_and_nothing_else_is_looked_at(app: Flask, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "hikflask.sqlite3")) as opened, opened:
        opened.execute("UPDATE alembic_version SET version_num = '0001'")

    (sentence,) = wrong(app)

    assert sentence.startswith(
        f"sqlite:///{tmp_path}/hikflask.sqlite3 does not have the tables that are needed (version 0001 "
    )


def test_damaged_file_is_said(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        db.engine.dispose()
    with closing(sqlite3.connect(tmp_path / "hikflask.sqlite3")) as opened, opened:
        opened.execute("PRAGMA writable_schema=ON")
        root = opened.execute("SELECT rootpage FROM sqlite_master WHERE name = 'photo'").fetchone()[0]
        opened.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = 'consent'", (root,))

    sentences = " ".join(wrong(app))

    assert "The database file is damaged (" in sentences
    assert "): stop the service and restore the last backup." in sentences


def test_password_that_no_key_opens_is_said(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        registry.add(Access("Вход", "http://a.test", "admin", "Abc12345"))
        db.session.remove()
    with closing(sqlite3.connect(tmp_path / "hikflask.sqlite3")) as opened, opened:
        opened.execute("UPDATE terminal SET password_encrypted = 'gAAAAA'")

    assert wrong(app)[0].startswith("The password key does not open what is stored for “Вход”: ")


def test_database_that_is_gone_is_said_and_none_is_made(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "hikflask.sqlite3"
    with app.app_context():
        db.engine.dispose()
    for path in tmp_path.glob("hikflask.sqlite3*"):
        path.unlink()

    assert wrong(app) == [
        f"There is no database at {file}: stop the service and restore the last backup, or, where nothing has been "
        "stored yet, make it with `hikflask init`."
    ]
    assert not file.exists()


@pytest.mark.both_databases
def test_tables_of_a_newer_program_are_said_and_not_asked_to_be_upgraded(app: Flask) -> None:
    with app.app_context():
        db.session.execute(db.text("UPDATE alembic_version SET version_num = 'of_next_year'"))
        db.session.commit()
        needed, place = startup_checks.needed_version(), db.engine.url.set(query={}).render_as_string()

    told = wrong(app)
    initialised = run(app, "init")
    with app.app_context():
        db.session.execute(db.text(f"UPDATE alembic_version SET version_num = '{needed}'"))
        db.session.commit()

    assert told == [
        f"{place} has tables of version of_next_year, which this program does not know: its own are of version "
        f"{needed}. Install the newer program again that made them, or restore the backup of before it."
    ]
    assert (initialised.exit_code, initialised.stderr) == (1, f"Error: {told[0]}\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is somebody else")
def test_database_that_the_account_may_not_see_is_not_said_to_be_gone(tmp_path: Path, closed: Path) -> None:
    file = closed / "hikflask.sqlite3"
    app = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True, "DATABASE_URL": f"sqlite:///{file}"})

    with as_nobody():
        told = wrong(app)

    assert told == [
        f"nobody cannot see {file}, as {closed} belongs to root and is closed to others: run `chmod o+x {closed}` as "
        "root, or move what is in it."
    ]
