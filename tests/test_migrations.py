"""A migrated empty database equals the models, and the way back works."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import count, product
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import event, inspect, text
from sqlalchemy.exc import DBAPIError

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import (
    Capture,
    Comparison,
    Employee,
    Enrolment,
    Erasure,
    Event,
    ImportBatch,
    ImportRow,
    Job,
    JobItem,
    Operator,
    Photo,
    ReachabilityChange,
    Terminal,
)
from hikflask.services import audit
from hikflask.services.audit import details_text
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import transaction
from hikflask.services.employees import search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.employees.save import save_employee
from tests.support.apps import close
from tests.support.enrolment_state import FACTS, state_by
from tests.support.postgresql import Cluster
from tests.support.refusals import refusal
from tests.support.trail import entries


@pytest.fixture
def empty(tmp_path: Path) -> Flask:
    """An app on a database without tables."""
    return create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True})


def differences() -> list[object]:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": lambda name, kind, _: is_of_models(name, kind)}
        )
        return list(compare_metadata(context, db.metadata))


def is_of_models(name: str | None, kind: str) -> bool:
    """True for neither the queue's tables nor the index of names, which are not made from the models."""
    if kind == "index":
        return name != "ix_employee_words"
    return kind != "table" or not (name or "").startswith(("huey_", "employee_words", "employee_terms"))


@pytest.mark.usefixtures("context")
def test_migrated_database_equals_the_models() -> None:
    assert differences() == []
    assert {"employee", "photo", "terminal", "capture", "enrolment"} <= set(inspect(db.engine).get_table_names())


@pytest.mark.usefixtures("context")
def test_migrated_database_has_the_constraints_of_the_models() -> None:
    inspector = inspect(db.engine)
    for table in db.metadata.tables.values():
        wanted = {str(check.name) for check in table.constraints if type(check).__name__ == "CheckConstraint"}
        assert {str(check["name"]) for check in inspector.get_check_constraints(table.name)} == wanted
    assert "uq_capture_running" in {index["name"] for index in inspector.get_indexes("capture")}
    assert inspector.get_foreign_keys("employee")[0]["referred_table"] == "photo"


def test_migration_that_is_killed_leaves_the_database_as_it_was_or_as_it_was_to_be(
    empty: Flask, tmp_path: Path
) -> None:
    """What a kill leaves on the disk is what lies there before each statement."""
    left: list[Path] = []
    statements = count()

    def look(*_: object) -> None:
        # Each fifth is enough to meet every version, and takes a fifth of the time.
        if (number := next(statements)) % 5:
            return
        left.append(tmp_path / f"killed-{number}")
        left[-1].mkdir()
        for file in tmp_path.glob("hikflask.sqlite3*"):
            shutil.copy(file, left[-1])

    with empty.app_context():
        upgrade(revision="0001")
        rows_of_the_first_version()
        event.listen(db.engine, "before_cursor_execute", look)
        upgrade()
        event.remove(db.engine, "before_cursor_execute", look)
    close(empty)
    found = {schema_of(folder / "hikflask.sqlite3") for folder in left}

    assert len(left) > 80
    assert found == {left_first := schema_of(left[0] / "hikflask.sqlite3")}
    assert "0001" in left_first[0]
    assert left_first != schema_of(tmp_path / "hikflask.sqlite3")


def schema_of(database: Path) -> tuple[str, ...]:
    """The version of a SQLite database and everything that is in its schema."""
    with closing(sqlite3.connect(database)) as opened:
        (version,) = opened.execute("SELECT version_num FROM alembic_version").fetchone()
        return (version, *(sql for (sql,) in opened.execute("SELECT sql FROM sqlite_master ORDER BY name") if sql))


@contextmanager
def new_app(request: pytest.FixtureRequest, folder: Path, *, is_migrated: bool) -> Iterator[Flask]:
    """Yield an app on a new database of the kind that the fixture's parameter names."""
    settings = {"INSTANCE_PATH": str(folder), "TESTING": True}
    server: Cluster | None = request.getfixturevalue("cluster") if request.param == "postgresql" else None
    if server:
        settings["DATABASE_URL"] = server.create("new", template="migrated" if is_migrated else "template1")
    elif is_migrated:
        shutil.copy(request.getfixturevalue("migrated"), folder / "hikflask.sqlite3")
    app = create_app(settings)
    yield app
    close(app)
    if server:
        server.drop("new")


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An app on a database without tables, of each kind."""
    with new_app(request, tmp_path, is_migrated=False) as app:
        yield app


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An app on a migrated database of each kind."""
    with new_app(request, tmp_path, is_migrated=True) as app:
        yield app


def test_way_back_leaves_no_table_and_back_and_forth_the_trail_is_append_only(migrated_app: Flask) -> None:
    with migrated_app.app_context():
        downgrade(revision="base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
        upgrade()
        assert differences() == []
        audit.record_alone("sign_out")
        for statement in ("UPDATE audit SET actor = ''", "DELETE FROM audit"):
            with pytest.raises(DBAPIError, match="append-only"):
                db.session.execute(text(statement))
            db.session.rollback()


def test_postgresql_keeps_no_statistics_of_people(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.create("counted", template="migrated")
    app = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True, "DATABASE_URL": url})
    with app.app_context():
        save_employee(Draft("100222", "Иван Иванов", "Охрана"))
        db.session.execute(text("ANALYZE employee"))
        quoted = db.session.execute(text("SELECT attname FROM pg_stats WHERE tablename = 'employee'")).scalars().all()
    assert "created_at" in quoted
    assert not {"number", "name", "department", "search"} & set(quoted)
    close(app)
    cluster.drop("counted")


def test_name_on_the_old_device_comes_along_both_ways(either: Flask) -> None:
    written = "SELECT written_name FROM enrolment WHERE number = '1'"
    with either.app_context():
        upgrade(revision="0001")
        insert("terminal", name="Вход", url="http://x", username="a", password_encrypted="p", is_active=True, version=1,
               model="", serial="", firmware="", can_cancel=False, face_by_picture=False, trouble="", refused_code="",
               tried_version=0, lease_number=0, lease_holder="", lease_purpose="")  # fmt: skip
        insert("enrolment", terminal_id=1, number="1", wanted="absent", wish=1, replace_first=False, person="pending",
               face="pending", written_name="Иван", sent_name="", doubt=False, on_old_device=True, step="", refusal="",
               refusal_text="", attempts=0)  # fmt: skip
        db.session.commit()

        upgrade()

        (row,) = db.session.execute(db.select(Enrolment)).scalars()
        assert (row.waits_for_hand, row.last_name, row.written_name) == (True, "Иван", "")
        assert row.desired_since == row.created_at
        db.session.remove()
        downgrade(revision="0001")
        assert db.session.execute(text(written)).scalar_one() == "Иван"
        db.session.remove()


def insert(table: str, **values: object) -> None:
    put(table, **{**values, "created_at": "2026-01-02 03:04:05"})


def put(table: str, **values: object) -> None:
    names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
    db.session.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


def test_removals_and_files_of_erasures_come_along_both_ways(either: Flask) -> None:
    known = "SELECT terminals, files FROM erasure ORDER BY id"
    removals = [
        {"enrolment": 4, "terminal": "Вход", "number": "100222", "at": "2026-01-02T03:04:05.678000+00:00",
         "by_hand": True, "said_by": "Анна", "note": "украден"},
        {"enrolment": 5, "terminal": "Выход", "number": "100222", "at": "",
         "by_hand": False, "said_by": "", "note": ""},
    ]  # fmt: skip
    rows = [(json.dumps(removals, ensure_ascii=False), '["100222_b.jpg", "100222_a.jpg"]'), ("[]", "[]")]
    with either.app_context():
        upgrade(revision="0006")
        for terminals, files in rows:
            statement = text(
                "INSERT INTO erasure (number, name, terminals, photos, files, requested_by, requested_at)"
                " VALUES ('100222', 'Иван', :terminals, 2, :files, 'Анна', '2026-01-02')"
            )
            db.session.execute(statement, {"terminals": terminals, "files": files})
        db.session.commit()

        upgrade()

        first, second = db.session.execute(db.select(Erasure).order_by(Erasure.id)).scalars()
        assert [one.file for one in first.files] == ["100222_b.jpg", "100222_a.jpg"]
        assert [(one.enrolment_id, one.terminal, one.confirmed_by) for one in first.removals] == [
            (4, "Вход", "Анна"),
            (5, "Выход", ""),
        ]
        gone = [one.gone_at for one in first.removals]
        assert gone == [datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC), None]
        assert (second.removals, second.files, second.version) == ([], [], 0)
        db.session.remove()
        downgrade(revision="0006")
        assert [tuple(row) for row in db.session.execute(text(known))] == rows
        db.session.remove()


def test_who_has_a_face_is_known_of_those_who_were_there_before(migrated_app: Flask) -> None:
    has_face = "SELECT number FROM employee WHERE has_face ORDER BY number"
    with migrated_app.app_context():
        access = {"url": "http://x", "username": "a", "password_encrypted": "p"}
        db.session.execute(db.insert(Terminal).values(id=1, name="Вход", **access))
        db.session.execute(db.insert(Photo).values(id=1, file="1.jpg", sha256="0" * 64, source="upload"))
        for number, desired, photo_id in ((1, "present", 1), (2, "present", None), (3, "absent", 1), (4, "", None)):
            db.session.execute(db.insert(Employee).values(id=number, number=str(number), name="Иван"))
            if desired:
                enrolment = {"terminal_id": 1, "employee_id": number, "number": str(number), "photo_id": photo_id}
                db.session.execute(db.insert(Enrolment).values(desired=desired, **enrolment))
        db.session.commit()
        kept = db.session.execute(text(has_face)).scalars().all()
        db.session.remove()
        downgrade(revision="0012")
        upgrade()

        assert kept == db.session.execute(text(has_face)).scalars().all() == ["1"]
        db.session.execute(text("UPDATE enrolment SET desired = 'present' WHERE number = '3'"))
        db.session.execute(text("DELETE FROM enrolment WHERE number = '1'"))
        db.session.commit()
        assert db.session.execute(text(has_face)).scalars().all() == ["3"]
        db.session.remove()


def test_state_follows_from_the_facts_that_were_there_before_and_the_way_back_keeps_them(migrated_app: Flask) -> None:
    words, now = ("pending", "confirmed", "refused"), datetime.now(UTC)
    facts = list(product(("present", "absent"), words, words, (None, now), ("", "face")))
    rows = "SELECT desired, person, face, next_attempt_at IS NULL, step FROM enrolment ORDER BY id"
    with migrated_app.app_context():
        access = {"url": "http://x", "username": "a", "password_encrypted": "p"}
        db.session.execute(db.insert(Terminal).values(id=1, name="Вход", **access))
        db.session.execute(db.insert(Photo).values(id=1, file="1.jpg", sha256="0" * 64, source="upload"))
        for number, (desired, person, face, due, step) in enumerate(facts):
            row = {"desired": desired, "person": person, "face": face, "next_attempt_at": due, "step": step}
            shown = {"photo_id": 1, "confirmed_photo_id": 1, "confirmed_at": now} if face == "confirmed" else {}
            if desired == "present" or not shown:
                db.session.execute(db.insert(Enrolment).values(terminal_id=1, number=str(number), **row, **shown))
        db.session.commit()
        before = db.session.execute(text(rows)).all()
        db.session.remove()
        downgrade(revision="0032")
        assert db.session.execute(text(rows)).all() == before
        db.session.remove()
        upgrade()

        assert db.session.execute(text(rows)).all() == before
        for enrolment in db.session.execute(db.select(Enrolment)).scalars():
            assert enrolment.state == state_by({name: getattr(enrolment, name) for name in FACTS})
        states = set(db.session.execute(text("SELECT state FROM enrolment")).scalars())
        assert states == {"confirmed", "waiting", "refused", "leaving", "removed"}
        db.session.remove()


def test_refusals_of_enrolments_and_captures_are_kept_both_ways(migrated_app: Flask) -> None:
    told = {
        ("", ""): None,
        ("employeeNoAlreadyExist", "Ольга"): ("employeenoalreadyexist", {"n": "2", "name": "Ольга"}),
        ("name_not_verified", ""): ("name_not_verified", {"name": ""}),
        ("left_alone", "her twin"): ("left_alone", {"reason": "her twin"}),
        ("deviceUserFull", "Room 100%"): ("deviceuserfull", {"text": "Room 100%"}),
        ("terminal:SomeWord", "no"): ("terminal:someword", {"text": "no", "word": "SomeWord"}),
        ("no_photo", ""): ("no_photo", {"text": ""}),
    }
    ended = {
        ("", ""): None,
        ("captureTimeout", "27"): ("capturetimeout", {"after": 27}),
        ("captureTimeout", "nobody"): ("capturetimeout", {"text": "nobody"}),
        ("poorFaceQuality", "dark"): ("poorfacequality", {"text": "dark"}),
    }
    items = {
        ("employeeNoAlreadyExist", '{"t": "Gate", "text": "Olga"}'): {"t": "Gate", "n": "5", "name": "Olga"},
        ("deviceBusy", '{"t": "Gate", "text": "wait"}'): {"t": "Gate", "text": "wait"},
    }
    columns = {
        "enrolment": "refusal_code, refusal_text, state",
        "capture": "reason, reason_text",
        "job_item": "error, error_params ->> 't', error_params ->> 'text'",
        "job": "params ->> 'error', pause ->> 'error'",
    }
    read = [text(f"SELECT {names} FROM {table} ORDER BY id") for table, names in columns.items()]
    with migrated_app.app_context():
        access = {"url": "http://x", "username": "a", "password_encrypted": "p"}
        db.session.execute(db.insert(Terminal).values(id=1, name="Gate", **access))
        for number in range(1, len(told) + 1):
            db.session.execute(db.insert(Enrolment).values(id=number, terminal_id=1, number=str(number)))
        for number in range(1, len(ended) + 1):
            deadline = datetime(2026, 1, 2, tzinfo=UTC)
            capture = {"terminal_id": 1, "requested_by": "Anna", "deadline": deadline, "state": "failed"}
            db.session.execute(db.insert(Capture).values(id=number, **capture))
        db.session.commit()
        db.session.remove()
        downgrade(revision="0034")
        for table, code, said, rows in (
            ("enrolment", "refusal_code", "refusal_text", told),
            ("capture", "reason", "reason_text", ended),
        ):
            for number, (its_code, its_text) in enumerate(rows, 1):
                write = text(f"UPDATE {table} SET {code} = :code, {said} = :text WHERE id = {number}")
                db.session.execute(write, {"code": its_code, "text": its_text})
        waits = {"params": '{"error": "deviceBusy"}', "pause": '{"error": "terminal:Odd"}'}
        insert("job", id=1, kind="send", state="failed", requested_by="", total=2, done=2, failed=2, **waits,
               claim_number=0, attempts=0)  # fmt: skip
        for number, (error, params) in enumerate(items, 5):
            row = {"number": str(number), "state": "failed", "error": error, "error_params": params}
            put("job_item", id=number, job_id=1, **row)
        db.session.commit()
        before = [db.session.execute(statement).all() for statement in read]
        db.session.remove()
        upgrade(revision="0035")

        for model, rows in ((Enrolment, told), (Capture, ended)):
            refusals = db.session.execute(db.select(model.refusal).order_by(model.id)).scalars().all()
            assert refusals == [why and {"code": why[0], "params": why[1]} for why in rows.values()]
        found = db.session.execute(text("SELECT error, error_params FROM job_item ORDER BY id")).all()
        stored = [told if isinstance(told, dict) else json.loads(told) for _, told in found]
        assert [error for error, _ in found] == ["employeenoalreadyexist", "devicebusy"]
        assert stored == list(items.values())
        assert db.session.execute(read[3]).one() == ("devicebusy", "terminal:Odd")
        db.session.remove()
        downgrade(revision="0034")
        assert [db.session.execute(statement).all() for statement in read] == before
        db.session.remove()


@pytest.mark.usefixtures("context")
def test_sqlite_is_in_wal_mode_with_foreign_keys() -> None:
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() >= 5000


def test_postgresql_starts_no_workers_for_a_page(cluster: Cluster, tmp_path: Path) -> None:
    app = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True, "DATABASE_URL": cluster.address("test")})
    with app.app_context():
        db.session.rollback()
        assert db.session.execute(text("SHOW max_parallel_workers_per_gather")).scalar_one() == "0"
        db.session.remove()
    close(app)


def rows_of_the_first_version() -> None:
    """Write a terminal, an employee with a photo, and one who left into tables of version 0001."""
    for statement in (
        "INSERT INTO terminal (id, name, url, username, password_encrypted, is_active, version, created_at, model,"
        " serial, firmware, can_cancel, face_by_picture, trouble, refused_code, tried_version, lease_number,"
        " lease_holder, lease_purpose)"
        " VALUES (3, 'Вход', 'http://a.test', 'admin', 'x', true, 1, '2026-01-01', '',"
        " '', '', false, false, '', '', 0, 0, '', '')",
        "INSERT INTO employee (id, number, name, department, search, is_active, created_at)"
        " VALUES (7, '100', 'Анна Иванова', '', 'анна', true, '2026-01-01'),"
        " (8, '101', 'Ольга Иванова', '', 'ольга', false, '2026-01-01')",
        "INSERT INTO photo (id, file, sha256, source, employee_id, created_at)"
        " VALUES (5, '100_a.jpg', 'aa', 'upload', 7, '2026-01-01')",
        "UPDATE employee SET photo_id = 5 WHERE id = 7",
    ):
        db.session.execute(text(statement))
    db.session.commit()


def test_rows_of_the_first_version_are_kept(either: Flask) -> None:
    with either.app_context():
        upgrade(revision="0001")
        rows_of_the_first_version()
        upgrade(revision="0039")
        db.session.execute(text("UPDATE terminal SET reachable = false, offline_since = '2026-02-01 10:00:00.000000'"))
        db.session.commit()
        upgrade()

        kept = db.session.execute(text("SELECT id, number, photo_id, left_at IS NULL FROM employee ORDER BY id")).all()
        assert [tuple(row) for row in kept] == [(7, "100", 5, True), (8, "101", None, False)]
        left_at = db.session.get_one(Employee, 8).left_at
        assert left_at is not None
        assert abs((datetime.now(UTC) - left_at).total_seconds()) < 600
        assert db.session.execute(text("SELECT employee_id, file FROM photo")).one() == (7, "100_a.jpg")
        assert db.session.execute(text("SELECT id, name FROM terminal")).one() == (3, "Вход")
        silent = db.session.execute(db.select(ReachabilityChange)).scalars().one()
        assert (silent.terminal_id, silent.is_reachable, silent.at.isoformat()) == (
            3,
            False,
            "2026-02-01T10:00:00+00:00",
        )
        db.session.commit()
        assert differences() == []
        if db.engine.dialect.name == "sqlite":
            assert db.session.execute(text("PRAGMA foreign_key_check")).all() == []


TABLES = [
    "card",
    "card_there",
    "employee",
    "photo",
    "terminal",
    "capture",
    "enrolment",
    "operator",
    "operator_session",
    "api_token",
    "erasure",
    "erasure_removal",
    "erasure_file",
    "job",
    "job_item",
    "department",
    "terminal_group",
    "comparison",
    "person_key",
    "person_there",
    "difference",
    "left_alone",
    "door_opening",
    "drift",
    "idempotency_key",
    "webhook",
    "webhook_delivery",
    "import_batch",
    "import_mapping",
    "import_row",
    "backup",
    "reachability_change",
    "event",
    "event_coverage",
]


def test_no_table_of_sqlite_gives_an_id_twice(empty: Flask, tmp_path: Path, migrated: Path) -> None:
    with empty.app_context():
        db.create_all()
    close(empty)
    for database in (migrated, tmp_path / "hikflask.sqlite3"):
        with closing(sqlite3.connect(database)) as opened:
            names = opened.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'"
            ).fetchall()
        assert sorted(name for (name,) in names) == sorted(TABLES)


def test_id_of_who_was_deleted_is_nobodys(migrated_app: Flask) -> None:
    with migrated_app.app_context():
        gone = save_employee(Draft("901", "Анна Иванова")).row.id
        delete_employee(gone)

        assert save_employee(Draft("902", "Ольга Иванова")).row.id != gone
        assert search.get(gone) is None


OLD_DETAILS = [
    "",
    '{"number": "100222", "full_name": "Иван Иванов", "is_active": true, "note": null, "people": 7}',
    '{"b": "a\\u202ea\\u2028\\u001b \\\\ \\" я", "a": "the first letter is not the first name"}',
    '{"name": "' + "я" * 1990,
]


def test_details_of_audit_entries_are_the_same_text_before_and_after(either: Flask) -> None:
    read = "SELECT before, after FROM audit WHERE at < '2026-02-01' ORDER BY id"
    with either.app_context():
        upgrade(revision="0006")
        add = text(
            "INSERT INTO audit (at, actor, address, request_id, action, employee, terminal, subject, before, after)"
            " VALUES ('2026-01-02 03:04:05', 'Анна', '', '', 'employee.changed', '1', '', '', :before, :after)"
        )
        db.session.execute(add, [{"before": one, "after": other} for one in OLD_DETAILS for other in OLD_DETAILS])
        db.session.commit()
        old = [tuple(row) for row in db.session.execute(text(read))]
        db.session.commit()

        upgrade()

        found = entries()
        assert [(details_text(entry.before), details_text(entry.after)) for entry in found] == old
        assert [type(entry.after) for entry in found[:4]] == [type(None), dict, dict, str]
        assert found[5].after == {
            "number": "100222",
            "full_name": "Иван Иванов",
            "is_active": True,
            "note": None,
            "people": 7,
        }
        audit.record_alone("sign_out", after={"name": "Ёж\u202e"})
        with pytest.raises(DBAPIError, match="append-only"), transaction():
            db.session.execute(text("UPDATE audit SET actor = ''"))
        db.session.remove()
        downgrade(revision="0006")
        assert [tuple(row) for row in db.session.execute(text(read))] == old
        newest = db.session.execute(text("SELECT before, after FROM audit ORDER BY id DESC LIMIT 1")).one()
        assert tuple(newest) == ("", '{"name": "Ёж\\u202e"}')
        with pytest.raises(DBAPIError, match="append-only"), transaction():
            db.session.execute(text("UPDATE audit SET actor = ''"))
        db.session.remove()


def test_titles_of_sheets_are_forgotten_and_all_else_of_a_layout_stays(either: Flask) -> None:
    layouts = [{}, {"format": "xlsx", "columns": ["ID", "Ёж"], "sample": [["1", "\U0001f600"]], "rows": 1}]
    counts = dict.fromkeys(("new", "changed", "unchanged", "wrong"), 0)
    with either.app_context():
        upgrade(revision="0033")
        for layout in layouts:
            old = json.dumps({**layout, "sheet": "Зарубин Пётр", "sheets": 2} if layout else layout)
            texts = dict.fromkeys(("requested_by", "table_name", "table_file", "photos_name", "photos_file"), "")
            insert("import_batch", **texts, **counts, layout=old, fields="{}", new_departments="[]")
        db.session.commit()

        upgrade()

        assert db.session.execute(db.select(ImportBatch.layout).order_by(ImportBatch.id)).scalars().all() == layouts
        db.session.remove()


def test_what_terminals_told_by_themselves_is_deleted_unless_their_logs_have_it(either: Flask) -> None:
    records = [{"dateTime": "x", "AccessControllerEvent": {}}, {"major": 5, "name": '"AccessControllerEvent"'}]
    with either.app_context():
        upgrade(revision="0043")
        at = "2026-11-30 00:00:00"
        about = {"device_serial": "D", "device_at": at, "device_time": "x", "occurred_at": at, "received_at": at}
        for serial_no, record in enumerate(records):
            columns = {"serial_no": serial_no, "major": 5, "minor": 75, "kind": "passed", "record": json.dumps(record)}
            put("event", **about, **columns)
        db.session.commit()

        upgrade()

        assert db.session.execute(text("SELECT serial_no FROM event")).scalars().all() == [1]
        db.session.remove()


def test_of_a_record_only_what_is_read_stays_and_tells_of_duress(either: Flask) -> None:
    record = {"major": 5, "minor": 1, "time": "x", "serialNo": 7, "name": "Ив", "employeeNo": 7, "cardType": "duress"}
    more = {"cardNo": "1", "netUser": "Ив", "FaceRect": {"x": 0.5}, "mask": None}
    with either.app_context():
        upgrade(revision="0045")
        at = "2026-11-30 00:00:00"
        about = {"device_serial": "D", "device_at": at, "device_time": "x", "occurred_at": at, "received_at": at}
        for serial_no, stored in enumerate([record | more, more, {}, {"cardType": 5}, {"cardType": 1}]):
            columns = {"serial_no": serial_no, "major": 5, "minor": 1, "kind": "passed", "record": json.dumps(stored)}
            put("event", **about, **columns)
        db.session.commit()

        upgrade()

        read = db.session.execute(db.select(Event.record, Event.is_duress).order_by(Event.serial_no)).all()
        duress, none = ({"cardType": 5}, True), ({"cardType": 1}, False)
        assert [tuple(row) for row in read] == [(record, True), ({}, False), ({}, False), duress, none]
        db.session.remove()


def test_what_was_confirmed_of_a_step_comes_along_both_ways(either: Flask) -> None:
    faces, ours = ["a" * 64, "b" * 64], {"comparison": 1, "plan": "c", "terminal": "Вход"}
    lists = {"same_person": ["1"], "names_kept": ["1"], "replaced": ["2"], "shut_out": ["3"], "inactive": ["3"]}
    days = {"1": ["", "2030-12-31"]}
    here = {"faces": {"1": faces}, "days_here": days, "names_here": {"1": "e" * 64}}
    first = {"keeps_name": True, "faces": faces, "days_here": ["", "2030-12-31"], "name_here": "e" * 64}
    third = {"may_take_days": True, "comes_in_inactive": True, "days_here": ["", ""]}
    draft = {"comparison": 1, "kinds": {"name": "send"}}
    items = [("1", "take_over"), ("2", "send"), ("3", "take_over"), ("4", "remove"), ("", "take_over")]
    with either.app_context():
        upgrade(revision="0053")
        counts = dict.fromkeys(("total", "done", "failed", "claim_number", "attempts"), 0)
        for params in ({**ours, **lists, **here}, {**ours, "same_person": []}, draft):
            insert("job", kind="apply", params=json.dumps(params), state="waiting", requested_by="Анна", **counts)
        for job_id, (number, action) in product((1, 2, 3), items):
            put("job_item", job_id=job_id, number=number, action=action, state="waiting")
        db.session.commit()

        upgrade(revision="0054")

        assert db.session.scalars(db.select(Job.params).order_by(Job.id)).all() == [ours, ours, draft]
        confirmed = db.session.scalars(db.select(JobItem.confirmed).order_by(JobItem.id)).all()
        # A plan of an earlier version may take over anybody as inactive, and knows no days of before.
        earlier = [{"comes_in_inactive": True}, None, {"comes_in_inactive": True}, None, None]
        now = [{"same_person": True, **first}, {"replaces": True}, third, None, None]
        assert confirmed == [*now, *earlier, *[None] * 5]
        db.session.remove()
        downgrade(revision="0053")
        days["3"] = ["", ""]
        old = db.session.scalars(db.select(Job.params).order_by(Job.id)).all()
        assert (old[0], old[2]) == ({**ours, **lists, **here}, draft)
        db.session.remove()


def test_apostrophes_in_searches_and_departments_come_along_both_ways(either: Flask) -> None:
    names = ["Oʻktamov", "O’Brien Ёж", "Иванов", "G`ani"]
    former = [f"{name.lower().replace('ё', 'е')} {at} bo‘lim" for at, name in enumerate(names)]
    read, read_departments = text("SELECT search FROM employee ORDER BY id"), text("SELECT folded FROM department")
    with either.app_context():
        upgrade(revision="0048")
        for at, (name, search_text) in enumerate(zip(names, former, strict=True)):
            insert("employee", number=str(at), name=name, department="Bo‘lim", search=search_text, is_active=True)
        put("department", name="Bo‘lim", folded="bo‘lim")
        db.session.commit()

        upgrade()

        assert db.session.scalars(read).all() == [
            "o'ktamov 0 bo'lim",
            "o'brien еж 1 bo'lim",
            "иванов 2 bo'lim",
            "g'ani 3 bo'lim",
        ]
        assert db.session.scalars(read_departments).all() == ["bo'lim"]
        assert [row.number for row in search.search(EmployeeFilter(q="Oʻkt"), 9, 0)[0]] == ["0"]
        db.session.remove()
        downgrade(revision="0048")
        assert (db.session.scalars(read).all(), db.session.scalars(read_departments).all()) == (former, ["bo‘lim"])
        db.session.remove()


def test_refusals_of_jobs_imports_and_comparisons_come_along_both_ways(migrated_app: Flask) -> None:
    locked, lost = refusal("locked", n=5, t="Вход"), refusal("file_gone")
    errors = {"name": refusal("text_empty", most=128), "photo": refusal("photo_twice", others="Ёж.jpg")}
    columns = (JobItem.refusal, ImportRow.errors, Comparison.refusal)
    facts = [db.select(column).order_by(column.class_.id) for column in columns]
    old = {
        "SELECT error FROM job_item": ["locked", "file_gone", ""],
        "SELECT error_params FROM job_item": [locked["params"], {}, None],
        "SELECT errors FROM import_row": [
            {"name": ["text_empty", {"most": 128}], "photo": ["photo_twice", {"others": "Ёж.jpg"}]}, None
        ],
        "SELECT error FROM comparison": ["file_gone", ""],
        "SELECT params FROM job": [{"a": "ж", "error": "locked", "error_params": locked["params"]}, {}, {"b": 1}],
        "SELECT pause FROM job": [None, {"tries": 2, "error": "file_gone", "error_params": {}}, {"after": 7}],
    }  # fmt: skip
    with migrated_app.app_context():
        db.session.add(Terminal(name="Вход", url="http://a.test", username="admin", password_encrypted="x"))
        db.session.add(ImportBatch())
        for params, pause in (({"a": "ж", "refusal": locked}, None), ({}, {"tries": 2, "refusal": lost}),
                              ({"b": 1}, {"after": 7})):  # fmt: skip
            db.session.add(Job(kind="send", params=params, pause=pause))
        db.session.flush()
        db.session.add_all(JobItem(job_id=1, number="1", refusal=refusal) for refusal in (locked, lost, None))
        db.session.add_all(ImportRow(batch_id=1, number="1", verdict="new", errors=told) for told in (errors, None))
        db.session.add_all(Comparison(terminal_id=1, state="done", refusal=refusal) for refusal in (lost, None))
        db.session.commit()
        new = [db.session.execute(fact).scalars().all() for fact in facts]
        texts = db.session.execute(text("SELECT CAST(params AS TEXT) FROM job ORDER BY id")).scalars().all()
        db.session.remove()
        downgrade(revision="0035")
        for statement, values in old.items():
            read = db.session.execute(text(f"{statement} ORDER BY id")).scalars().all()
            loaded = [json.loads(one) if isinstance(one, str) and one.startswith("{") else one for one in read]
            assert loaded == values
        db.session.execute(text("UPDATE job_item SET error_params = NULL WHERE error = 'file_gone'"))
        db.session.commit()
        db.session.remove()

        upgrade()

        assert [db.session.execute(fact).scalars().all() for fact in facts] == new
        assert db.session.execute(text("SELECT CAST(params AS TEXT) FROM job ORDER BY id")).scalars().all() == texts
        assert db.session.execute(db.select(Job.pause).order_by(Job.id)).scalars().all() == [
            None, {"tries": 2, "refusal": lost}, {"after": 7}
        ]  # fmt: skip
        db.session.remove()


def test_code_that_was_used_before_is_known_as_used(empty: Flask) -> None:
    with empty.app_context():
        upgrade(revision="0024")
        for name, step in (("анна", 60_000_000), ("борис", None)):
            known = {"name": name, "login": name, "password_hash": "", "role": "viewer", "totp_step": step}
            insert("operator", **known, is_active=True, must_change_password=False)
        db.session.commit()

        upgrade()

        used = db.session.execute(db.select(Operator.totp_used).order_by(Operator.id)).scalars().all()
        assert used == ["60000000", ""]
        db.session.remove()


def test_trail_is_sealed_and_opened_again_and_only_its_people_become_unreadable(either: Flask) -> None:
    read = (
        "SELECT id, at, actor, action, employee_id, employee, terminal, subject, before, after FROM audit ORDER BY id"
    )
    with either.app_context():
        upgrade(revision="0030")
        insert("employee", id=7, number="100333", name="Ольга", search="ольга", department="", is_active=True)
        erased = {"employee_id": 5, "number": "100222", "name": "Иван", "photos": 0, "requested_by": "Анна"}
        put("erasure", id=1, **erased, requested_at="2026-01-02", completed_at="2026-01-03")
        common = {"at": "2026-01-02 03:04:05.000000", "actor": "Анна", "address": "", "request_id": "", "terminal": ""}
        plain = {"employee_id": None, "employee": "", "subject": "", "before": None, "after": None}
        told: list[dict[str, object]] = [
            {"action": "sign_in", "subject": "Анна"},
            {"action": "employee.created", "employee_id": 5, "employee": "100222", "after": '{"full_name": "Иван"}'},
            {"action": "employee.created", "employee_id": 7, "employee": "100333", "after": '{"full_name": "Ольга"}'},
            {"action": "capture.started", "employee": "100333"},
            {"action": "capture.forgotten", "subject": f"100444_{'a' * 22}.jpg"},
            {"action": "audit.exported", "after": '{"entries": 1, "employee": "100444"}'},
            {"action": "erasure.completed", "employee": "100222", "subject": "erasure 1"},
        ]
        for one in told:
            put("audit", **common, **{**plain, **one})
        db.session.commit()
        former = [tuple(row) for row in db.session.execute(text(read))]
        db.session.commit()

        upgrade()

        found = entries()
        assert [(one.action, one.employee, one.subject, one.after, one.is_readable) for one in found] == [
            ("sign_in", "", "Анна", None, True),
            ("employee.created", "", "", None, False),
            ("employee.created", "100333", "", {"full_name": "Ольга"}, True),
            ("capture.started", "100333", "", None, True),
            ("capture.forgotten", "100444", f"100444_{'a' * 22}.jpg", None, True),
            ("audit.exported", "100444", "", {"entries": 1}, True),
            ("erasure.completed", "", "erasure 1", None, True),
        ]
        assert [(one.id, one.actor, one.employee_id, one.terminal) for one in found] == [
            (row[0], row[2], row[4], row[6]) for row in former
        ]
        raw = str(db.session.execute(text("SELECT * FROM audit")).all())
        assert not [name for name in ("100222", "100333", "100444", "Иван", "Ольга") if name in raw]
        audit.record_alone("sign_out")
        with pytest.raises(DBAPIError, match="append-only"), transaction():
            db.session.execute(text("UPDATE audit SET actor = ''"))
        db.session.remove()
        downgrade(revision="0030")
        again = [tuple(row) for row in db.session.execute(text(read))]
        assert [row[:5] for row in again[:-1]] == [row[:5] for row in former]
        assert again[2][:9] == former[2][:9]
        assert again[2][9] in ({"full_name": "Ольга"}, json.dumps({"full_name": "Ольга"}))
        db.session.remove()


def test_names_of_operators_are_compared_whatever_their_width_and_nobody_gets_anothers(either: Flask) -> None:
    with either.app_context():
        upgrade(revision="0029")
        names = ["анна", "Ｉｖａｎ", "иван №1", "ａnna", "anna"]
        for name in names:
            known = {"name": name, "login": name.casefold(), "password_hash": "", "role": "viewer"}
            insert("operator", **known, is_active=True, must_change_password=False)
        db.session.commit()

        upgrade()

        read = text("SELECT login FROM operator ORDER BY id")
        logins = db.session.execute(read).scalars().all()
        assert logins == ["анна", "ivan", "иван no1", "ａnna", "anna"]
        db.session.remove()
        downgrade(revision="0029")
        assert db.session.execute(read).scalars().all() == ["анна", "ｉｖａｎ", "иван №1", "ａnna", "anna"]
        db.session.remove()
