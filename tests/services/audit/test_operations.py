"""Entries of one request are one operation, which stands on one page alone and is counted, however many they are."""

import pytest

from hikflask import request_id
from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.services import audit
from hikflask.services.audit import Actor, operations
from hikflask.services.audit.operations import MAX_SHOWN, Operation, list_operations
from hikflask.services.audit.search import AuditFilter
from hikflask.services.core.db import transaction

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]

EVERYTHING = AuditFilter()


def record(request: str, *actions: str, actor: str = "Анна") -> None:
    """Record actions of a request, in this order."""
    with request_id.working_for(request), transaction(), audit.acting(Actor(actor)):
        for action in actions:
            audit.record(action)


def listed(limit: int = 100, chosen: AuditFilter = EVERYTHING) -> list[list[Operation]]:
    """The operations of all pages."""
    pages, before = [], None
    while True:
        page, before = list_operations(chosen, before, limit)
        pages.append(page)
        if before is None:
            return pages


def counts(operations: list[Operation]) -> list[dict[str, int]]:
    return [dict(operation.counts) for operation in operations]


def test_operation_is_named_after_what_was_done_to_employees_and_some_entries_are_read() -> None:
    record("bulk", "job.started")
    record("", "sign_in")
    record("bulk", *["enrolment.unwanted", "employee.deactivated"] * 15)
    record("bulk", "enrolment.removed", actor="worker")

    ((bulk, alone),) = listed()

    assert dict(bulk.counts) == {
        "job.started": 1,
        "enrolment.unwanted": 15,
        "employee.deactivated": 15,
        "enrolment.removed": 1,
    }
    assert [entry.action for entry in bulk.entries] == ["employee.deactivated"] * MAX_SHOWN
    assert (bulk.entry.actor, bulk.total, bulk.is_partly_counted) == ("Анна", 32, False)
    assert bulk.began_at <= bulk.entry.at <= bulk.ended_at
    assert (dict(alone.counts), alone.total) == ({"sign_in": 1}, 1)


def test_each_operation_stands_on_one_page_with_all_of_its_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "CHUNK", 3)
    for request in ("a", "b", "a", "", "c", "b", "", "a", "d", "c", "a"):
        record(request, "employee.changed", "enrolment.wanted")

    pages = listed(limit=2)

    # The newest first, each by its newest entry; without a request each entry is alone.
    assert [[operation.entry.request_id for operation in page] for page in pages] == [
        ["a", "c"],
        ["d", ""],
        ["", "b"],
        ["", ""],
    ]
    sums = [operation.total for page in pages for operation in page]
    assert sums == [8, 4, 2, 1, 1, 4, 1, 1]


def test_filter_leaves_what_it_does_not_want_out_of_operations() -> None:
    record("a", "employee.created", "enrolment.wanted", "enrolment.wanted")
    record("b", "enrolment.wanted")

    (found,) = listed(chosen=AuditFilter(action="enrolment.wanted"))

    assert counts(found) == [{"enrolment.wanted": 1}, {"enrolment.wanted": 2}]


def test_entries_that_are_far_apart_are_two_operations_and_a_count_that_may_be_too_low_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("MAX_GAP", 5), ("COUNTED", 10), ("CHUNK", 2)):
        monkeypatch.setattr(operations, name, value)
    record("far", "employee.created")
    record("long", *["employee.changed"] * 20)
    record("far", "enrolment.confirmed")

    pages = listed(limit=1)

    assert [(operation.entry.request_id, operation.total) for (operation,) in pages] == [
        ("far", 1),
        ("long", 10),
        ("far", 1),
    ]
    assert [operation.is_partly_counted for (operation,) in pages] == [False, True, False]


def test_only_the_newest_entries_of_a_very_long_operation_are_read_and_no_entry_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("MAX_GAP", 5), ("COUNTED", 10)):
        monkeypatch.setattr(operations, name, value)
    record("far", "employee.created")
    record("long", *["employee.changed"] * 20)
    record("far", "enrolment.confirmed")

    (page,) = listed()

    shown = [(operation.entry.request_id, operation.total, operation.is_partly_counted) for operation in page]
    assert shown == [("far", 1, False), ("long", 10, True), ("far", 1, False)]


def test_no_entries_are_no_operations() -> None:
    db.session.execute(db.select(AuditEntry.id)).all()

    assert list_operations(EVERYTHING, None, 10) == ([], None)
