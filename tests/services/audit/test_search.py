"""Entries of the audit trail are found again by what is asked for, page by page."""

from datetime import UTC, datetime, timedelta

import pytest

from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.audit.search import BATCH, AuditFilter, batches, begin_export, list_entries

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]

OLD = datetime(2020, 1, 1, tzinfo=UTC)
EVERYTHING = AuditFilter()


def actions(chosen: AuditFilter = EVERYTHING) -> list[str]:
    return [one.action for one in list_entries(chosen, 100)[0]]


def test_each_filter_narrows_the_list() -> None:
    with audit.acting(Actor("Анна")):
        audit.record_alone("employee.created", number="1")
        audit.record_alone("capture.started", number="2", terminal="Вход")
    audit.record_alone("sign_out", subject="Анна")
    db.session.add(AuditEntry(at=OLD, actor="Анна", action="sign_in"))
    db.session.commit()

    assert actions() == ["sign_in", "sign_out", "capture.started", "employee.created"]
    assert actions(AuditFilter(actor="Анна")) == ["sign_in", "capture.started", "employee.created"]
    assert actions(AuditFilter(action="sign_out")) == ["sign_out"]
    assert actions(AuditFilter(employee="1")) == ["employee.created"]
    assert actions(AuditFilter(terminal="Вход")) == ["capture.started"]
    assert actions(AuditFilter(since=OLD + timedelta(days=1))) == ["sign_out", "capture.started", "employee.created"]
    assert actions(AuditFilter(until=OLD + timedelta(seconds=1))) == ["sign_in"]
    assert actions(AuditFilter(until=OLD)) == []
    assert actions(AuditFilter(actor="Анна", terminal="Вход")) == ["capture.started"]


def test_page_of_the_list_comes_with_the_whole_number() -> None:
    for number in range(5):
        audit.record("employee.created", number=str(number))
    db.session.commit()

    page, total = list_entries(AuditFilter(), 2, 2)

    assert ([one.employee for one in page], total) == (["2", "1"], 5)


def test_what_is_done_during_an_export_is_not_in_it() -> None:
    audit.record_alone("sign_in")
    newest_id = begin_export(AuditFilter())
    audit.record_alone("sign_out")

    found = [entry.action for batch in batches(AuditFilter(), newest_id) for entry in batch]

    assert found == ["sign_in"]


def test_no_batch_is_longer_than_the_limit_and_none_is_lost() -> None:
    db.session.add_all([AuditEntry(actor="Анна", action="sign_in", subject=str(n)) for n in range(BATCH + 1)])
    db.session.commit()

    found = list(batches(AuditFilter(), begin_export(AuditFilter())))

    assert [len(batch) for batch in found] == [BATCH, 1]
    assert [entry.subject for batch in found for entry in batch] == [str(n) for n in reversed(range(BATCH + 1))]


def test_empty_filter_fields_are_not_told() -> None:
    begin_export(AuditFilter(actor="Анна"))

    (told,) = db.session.execute(db.select(AuditEntry.after).where(AuditEntry.action == "audit.exported")).scalars()
    assert told == {"entries": 0, "actor": "Анна"}
