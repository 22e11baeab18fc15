"""What was deleted is overwritten in the database's files, and nobody has to wait long for that."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine

from hikflask.extensions import BUSY_MILLISECONDS, db
from hikflask.models import Erasure
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.employees.save import save_employee
from hikflask.services.privacy import certificates, secure_delete
from tests.support.database_readers import somebody_reads
from tests.support.local_time import set_local_hour
from tests.support.retention import forget

pytestmark = pytest.mark.usefixtures("context")

IVAN = Draft("100222", "Иван Иванов")
on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture
def careless(app: Flask, tmp_path: Path) -> Iterator[sqlite3.Connection]:  # noqa: ARG001
    """Another program's connection, as most builds of SQLite open it: what is deleted is only marked as free.

    While it is open, the log does not go just because the app closes its connections.
    """
    with closing(sqlite3.connect(tmp_path / "hikflask.sqlite3", isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete=OFF")
        connection.execute("SELECT * FROM employee").fetchall()
        yield connection


def files_with(folder: Path, words: str) -> set[str]:
    return {path.name for path in folder.glob("hikflask.sqlite3*") if words.encode() in path.read_bytes()}


def log_of(folder: Path) -> int:
    """The log's size in bytes."""
    return (folder / "hikflask.sqlite3-wal").stat().st_size


def test_what_is_deleted_is_overwritten_in_every_build_of_sqlite() -> None:
    def careless() -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:")
        connection.execute("PRAGMA secure_delete=OFF")
        return connection

    engine = create_engine("sqlite://", creator=careless)

    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar_one() == 1
    engine.dispose()


def test_what_was_left_between_the_rows_is_overwritten(tmp_path: Path, careless: sqlite3.Connection) -> None:
    save_employee(IVAN)
    careless.execute("DELETE FROM employee")
    careless.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert files_with(tmp_path, "иван иванов") == {"hikflask.sqlite3"}

    assert secure_delete.overwrite_deleted()

    assert files_with(tmp_path, "иван иванов") == set()


@pytest.mark.usefixtures("careless")
def test_what_was_deleted_leaves_the_log(tmp_path: Path) -> None:
    delete_employee(save_employee(IVAN).row.id)
    assert files_with(tmp_path, "иван иванов") == {"hikflask.sqlite3-wal"}

    assert secure_delete.overwrite_deleted()

    assert log_of(tmp_path) == 0
    assert files_with(tmp_path, "иван иванов") == set()


@pytest.mark.usefixtures("careless")
def test_log_is_emptied_after_whatever_was_forgotten(tmp_path: Path) -> None:
    delete_employee(save_employee(IVAN).row.id)

    forget()

    assert log_of(tmp_path) == 0


def test_while_somebody_reads_it_is_not_done_and_the_log_does_not_grow(tmp_path: Path) -> None:
    with somebody_reads():
        save_employee(IVAN)
        before = log_of(tmp_path)
        assert not secure_delete.overwrite_deleted()
        assert log_of(tmp_path) == before
        secure_delete.empty_log()

    assert secure_delete.overwrite_deleted()


def test_page_that_is_read_just_now_is_waited_for(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "hikflask.sqlite3", check_same_thread=False)) as page:
        page.execute("BEGIN")
        page.execute("SELECT * FROM employee").fetchall()
        save_employee(IVAN)
        soon = threading.Timer(secure_delete.LOCK_MILLISECONDS / 4000, page.rollback)
        soon.start()

        assert secure_delete.overwrite_deleted()

        soon.join()


def test_whoever_writes_is_not_waited_for_long(careless: sqlite3.Connection) -> None:
    careless.execute("BEGIN IMMEDIATE")
    began = time.monotonic()

    assert not secure_delete.overwrite_deleted()

    assert time.monotonic() - began < BUSY_MILLISECONDS / 2000
    careless.execute("ROLLBACK")
    assert secure_delete.overwrite_deleted()


def test_everybody_else_waits_for_a_writer_as_before() -> None:
    secure_delete.overwrite_deleted()

    assert db.session.execute(db.text("PRAGMA busy_timeout")).scalar_one() == BUSY_MILLISECONDS


@pytest.mark.both_databases
def test_large_database_waits_for_the_worker_at_night(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secure_delete, "LARGE_BYTES", 1000)
    erasure = erase_employee(save_employee(Draft("1", "Иван Иванов")).row.id).row
    for hour, by_worker, is_complete in ((12, True, False), (2, False, False), (5, True, False), (4, True, True)):
        set_local_hour(app, hour)
        certificates.complete_all(by_worker=by_worker)
        assert bool(db.session.get_one(Erasure, erasure.id, populate_existing=True).completed_at) == is_complete


def test_cause_is_logged_once_until_it_is_done(caplog: pytest.LogCaptureFixture) -> None:
    for number in ("1", "2"):
        with somebody_reads():
            save_employee(Draft(number, "Иван Иванов"))
            assert not secure_delete.overwrite_deleted()
            assert not secure_delete.overwrite_deleted()
        assert secure_delete.overwrite_deleted()

    why = "what was deleted is not overwritten in the database's files yet (somebody uses it)"
    assert [record.getMessage() for record in caplog.records] == [why, why]


def test_every_table_that_names_people_by_their_id_is_written_anew_on_postgresql() -> None:
    # Answers of the API that are kept for a repeated call have them inside.
    names = {"number", "draft_number", "employee_id", "answer"}
    naming = {table.name for table in db.metadata.sorted_tables if names & {*table.columns.keys()}}

    # The trail is sealed, and a group has of a person the number of a row alone.
    left = naming - {table.__tablename__ for table in secure_delete.TABLES}
    assert left == {"audit", "terminal_group_employee"}


@on_postgresql
def test_nobody_is_waited_for_on_postgresql(caplog: pytest.LogCaptureFixture) -> None:
    with db.engine.connect() as another:
        another.exec_driver_sql("LOCK TABLE photo IN ACCESS SHARE MODE")
        assert not secure_delete.overwrite_deleted()
        assert "(canceling statement due to lock timeout)" in caplog.text
        another.rollback()

    assert secure_delete.overwrite_deleted()
    assert db.session.execute(db.text("SHOW lock_timeout")).scalar_one() == "0"


@on_postgresql
def test_what_an_earlier_transaction_still_sees_is_not_overwritten_yet_on_postgresql() -> None:
    with somebody_reads():
        delete_employee(save_employee(IVAN).row.id)
        assert not secure_delete.overwrite_deleted()

    assert secure_delete.overwrite_deleted()
