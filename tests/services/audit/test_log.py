"""The audit trail itself: nobody changes it, each entry is one line, and the same look is noted once."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hikflask.extensions import db
from hikflask.models import AuditEntry, ImportRow, PersonKey, Photo
from hikflask.services import audit
from hikflask.services.audit import Actor, Entry, details_text, sealing
from hikflask.services.audit.log import MAX_REFUSALS, MAX_TEXT_LENGTH, SAME_SECONDS
from hikflask.services.audit.search import AuditFilter, list_entries
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import transaction
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.employees.save import save_employee
from tests.support.between import Between
from tests.support.statements import counted_statements
from tests.support.trail import entries

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]

ANNA = Actor("Анна", "10.0.0.7", "abc123")
OLD = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def entry(context: None) -> Entry:  # noqa: ARG001
    """One entry of this moment."""
    return noted("employee.created")


def noted(action: str, **about: object) -> Entry:
    with audit.acting(ANNA):
        audit.record_alone(action, **about)
    return everything()[0]


def everything() -> list[Entry]:
    return list_entries(AuditFilter(), 100)[0]


def actions() -> list[str]:
    return [one.action for one in everything()]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'somebody else'",
        "UPDATE audit SET at = '2020-01-01 00:00:00'",
        "DELETE FROM audit",
    ],
)
def test_database_refuses_to_change_or_delete_an_entry(entry: Entry, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text(statement))
    db.session.rollback()

    assert [one.id for one in everything()] == [entry.id]
    assert everything()[0].actor == "Анна"


def test_database_refuses_to_empty_the_trail(entry: Entry) -> None:
    # SQLite has no TRUNCATE; its DELETE without WHERE, which takes a shorter way, fires the trigger all the same.
    postgresql = db.engine.dialect.name == "postgresql"
    for statement in ("TRUNCATE audit", "TRUNCATE audit CASCADE") if postgresql else ("DELETE FROM audit",):
        with pytest.raises(DBAPIError, match="append-only"):
            db.session.execute(text(statement))
        db.session.rollback()

    assert [one.id for one in everything()] == [entry.id]


def test_database_refuses_to_put_another_entry_in_its_place(entry: Entry) -> None:
    columns = "(id, at, actor, address, request_id, action, employee, terminal, subject, before, after)"
    values = f"VALUES ({entry.id}, '2020-01-01 00:00:00', 'somebody else', '', '', 'sign_in', '', '', '', NULL, NULL)"
    on_sqlite = db.engine.dialect.name == "sqlite"
    instead = "" if on_sqlite else " ON CONFLICT (id) DO UPDATE SET actor = EXCLUDED.actor"

    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text(f"INSERT {'OR REPLACE ' if on_sqlite else ''}INTO audit {columns} {values}{instead}"))
    db.session.rollback()

    assert everything()[0].actor == "Анна"


def test_objects_cannot_change_or_delete_an_entry_either(entry: Entry) -> None:
    db.session.get_one(AuditEntry, entry.id).actor = "somebody else"
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.commit()
    db.session.rollback()
    db.session.delete(db.session.get_one(AuditEntry, entry.id))
    with pytest.raises(DBAPIError, match="append-only"):
        db.session.commit()
    db.session.rollback()

    assert everything()[0].actor == "Анна"


def test_entries_of_long_ago_may_be_deleted_and_not_changed(entry: Entry) -> None:
    db.session.add(AuditEntry(at=OLD, actor="worker", action="sign_in"))
    db.session.commit()

    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(db.update(AuditEntry).where(AuditEntry.at == OLD).values(actor="somebody else"))
    db.session.rollback()
    db.session.execute(db.delete(AuditEntry).where(AuditEntry.at < datetime.now(UTC) - timedelta(days=31)))
    db.session.commit()

    assert [one.id for one in everything()] == [entry.id]


def test_entry_says_who_from_where_and_by_which_request(entry: Entry) -> None:
    assert (entry.actor, entry.address, entry.request_id) == ("Анна", "10.0.0.7", "abc123")
    assert abs(datetime.now(UTC) - entry.at) < timedelta(seconds=5)


def test_entry_goes_with_the_transaction_that_it_belongs_to() -> None:
    audit.record("employee.created", number="1")
    db.session.rollback()

    assert everything() == []


def test_entries_of_a_transaction_are_written_together_in_their_order() -> None:
    with counted_statements() as statements, transaction():
        for action in ("first", "second", "third"):
            audit.record(action, terminal="Вход")

    entries, _ = list_entries(AuditFilter(terminal="Вход"), 10)
    assert [entry.action for entry in entries] == ["third", "second", "first"]
    assert sum(statement.startswith("INSERT INTO audit") for statement in statements) == 1


def test_only_what_differs_is_kept() -> None:
    before, after = {"name": "Иван", "department": "Охрана"}, {"name": "Пётр", "department": "Охрана"}

    entry = noted("employee.changed", before=before, after=after)

    assert (entry.before, entry.after) == ({"name": "Иван"}, {"name": "Пётр"})


def test_entry_is_one_line_whatever_was_typed() -> None:
    typed = "a\r\nb\u2028c\u202ed\x1b[2J\x00e"

    entry = noted("employee.changed", number=typed, terminal=typed, subject=typed, after={"name": typed})

    escaped = r"a\r\nb\u2028c\u202ed\u001b[2J\u0000e"
    assert (entry.employee, entry.terminal, entry.subject) == (escaped[:32], escaped, escaped)
    assert entry.after == {"name": typed}
    assert details_text(entry.after) == f'{{"name": "{escaped}"}}'


def test_values_that_are_too_long_are_cut() -> None:
    entry = noted("employee.changed", number="1" * 99, subject="x" * 999, after={"name": "я" * 9999})

    assert isinstance(entry.after, str)
    assert (len(entry.employee), len(entry.subject), len(entry.after)) == (32, 128, MAX_TEXT_LENGTH)
    assert details_text(entry.after) == entry.after == '{"name": "' + "я" * (MAX_TEXT_LENGTH - 10)


def test_entry_without_details_has_no_text() -> None:
    entry = noted("employee.changed", before={"name": "Иван"}, after={"name": "Иван"})

    assert (entry.before, entry.after) == (None, None)
    assert details_text(entry.after) == ""


def test_details_are_read_in_the_order_in_which_they_were_told() -> None:
    entry = noted("terminal.added", after={"url": "http://a.test", "name": "Вход", "at": OLD, "on": True, "people": 7})

    text = '{"url": "http://a.test", "name": "Вход", "at": "2020-01-01 00:00:00+00:00", "on": true, "people": 7}'
    assert details_text(entry.after) == text


def add_photos(*files: str) -> None:
    db.session.add_all([Photo(file=file, sha256="", source="upload") for file in files])
    db.session.commit()


def test_looks_at_a_photo_are_noted_once_in_ten_minutes_for_each_actor_and_photo() -> None:
    add_photos("1_a.jpg", "1_b.jpg")
    with audit.acting(Actor("API HR\u200b")):
        audit.record_photo_view(None, "1_a.jpg")
        audit.record_photo_view(None, "1_a.jpg")
        audit.record_photo_view(None, "1_b.jpg")
    with audit.acting(ANNA):
        audit.record_photo_view(None, "1_a.jpg")

    looks = [(one.actor, one.subject) for one in reversed(everything())]
    assert looks == [(r"API HR\u200b", "1_a.jpg"), (r"API HR\u200b", "1_b.jpg"), ("Анна", "1_a.jpg")]


def test_look_at_a_photo_that_is_somebody_s_by_now_is_another_look() -> None:
    add_photos("1_a.jpg")
    ivan = save_employee(Draft("100222", "Иван Иванов")).row
    with audit.acting(ANNA):
        for _ in range(2):
            audit.record_photo_view(None, "1_a.jpg")
        for _ in range(2):
            audit.record_photo_view(None, "1_a.jpg", "100222\u200b" + "2" * 40)
        for _ in range(2):
            audit.record_photo_view(ivan.id, "1_a.jpg", "100999")

    looks = [(one.employee, one.employee_id) for one in reversed(everything()) if one.action == "photo.viewed"]
    assert looks == [("", None), ((r"100222\u200b" + "2" * 40)[:32], None), ("100222", ivan.id)]


def test_refused_access_is_noted_once_in_ten_minutes_for_each_actor_address_and_deed() -> None:
    for actor in (ANNA, ANNA, Actor("Анна", "192.0.2.7"), Actor("Борис", "192.0.2.1")):
        with audit.acting(actor):
            audit.record_refused_access("POST /a\u200b")
            audit.record_refused_access("POST /b" + "b" * 200)

    assert len(actions()) == 6
    assert {one.subject for one in everything()} == {r"POST /a\u200b", "POST /" + "b" * 122}


def test_refused_access_after_ten_minutes_is_noted_again() -> None:
    before = datetime.now(UTC) - timedelta(seconds=SAME_SECONDS + 5)
    entry = {"at": before, "actor": "Анна", "action": "access.refused", "subject": "POST /a", "address": ANNA.address}
    db.session.add_all([AuditEntry(**entry) for _ in range(MAX_REFUSALS)])
    db.session.commit()

    with audit.acting(ANNA):
        audit.record_refused_access("POST /a")

    assert len(actions()) == MAX_REFUSALS + 1


def test_look_after_ten_minutes_is_another_look() -> None:
    before = datetime.now(UTC) - timedelta(seconds=SAME_SECONDS + 5)
    db.session.add(AuditEntry(at=before, actor="Анна", action="photo.viewed", subject="1_a.jpg"))
    add_photos("1_a.jpg")

    with audit.acting(ANNA):
        audit.record_photo_view(None, "1_a.jpg")

    assert actions() == ["photo.viewed", "photo.viewed"]


def test_look_at_a_photo_of_somebody_who_is_erased_at_that_moment_names_nobody(between: Between) -> None:
    ivan = save_employee(Draft("100222", "Иван Иванов")).row
    db.session.add(Photo(file="100222_a.jpg", sha256="", source="upload", employee_id=ivan.id))
    db.session.commit()
    eraser = between(sealing, "pseudonyms", lambda: erase_employee(ivan.id))

    audit.record_photo_view(ivan.id, "100222_a.jpg")
    eraser.finish()

    look = next(one for one in everything() if one.action == "photo.viewed")
    assert (look.employee_id, look.employee, look.subject, eraser.error) == (ivan.id, "", "", None)
    assert db.session.query(PersonKey).count() == 0


def test_look_at_a_face_in_what_an_erasure_has_deleted_names_nobody() -> None:
    audit.record_photo_view(None, "import 1", "100222", db.select(ImportRow.id))

    (look,) = everything()
    assert (look.employee, look.subject, db.session.query(PersonKey).count()) == ("", "", 0)


def test_passages_that_leave_are_recorded_once_an_hour_for_each_who_asks_and_each_kind() -> None:
    before = {"actor": "API 1C", "action": "passages.exported", "after": {"for": "api"}}
    db.session.add(AuditEntry(at=datetime.now(UTC) - timedelta(seconds=3610), **before))
    db.session.commit()

    for _ in range(2):
        with audit.acting(audit.Actor("API 1C")):
            audit.record_passages_left("api")
            audit.record_passages_left("raw", format="csv")
        with audit.acting(audit.Actor("API SIEM")):
            audit.record_passages_left("api")

    assert [(entry.actor, entry.after) for entry in entries("passages.exported")] == [
        ("API 1C", {"for": "api"}),
        ("API 1C", {"for": "api"}),
        ("API 1C", {"for": "raw", "format": "csv"}),
        ("API SIEM", {"for": "api"}),
    ]
