"""Enrolments for programs: each in one state, in the order of their changes, read along an index."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from hikflask.extensions import db
from hikflask.forms import employees as form
from hikflask.models import Enrolment, Terminal
from hikflask.models.enrolment import STATES
from hikflask.services.core.errors import CursorUnknown
from hikflask.services.core.keyset import PagePosition
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.enrolments import listing
from hikflask.services.enrolments.listing import EnrolmentFilter
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.crowds import desire_crowd
from tests.support.enrolments import employee_of, enrol

ALL = EnrolmentFilter()
pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("context")]


def numbers(wanted: EnrolmentFilter = ALL, limit: int = 2) -> Iterator[str]:
    """Read all pages."""
    place = PagePosition()
    while True:
        page = listing.page(wanted, limit, place)
        yield from (one.number for one in page.rows)
        if not page.after:
            return
        place = PagePosition(after=page.after)


def write(number: str, **columns: object) -> None:
    db.session.execute(db.update(Enrolment).where(Enrolment.number == number).values(**columns))
    db.session.commit()


def test_each_enrolment_is_in_the_one_state_that_its_row_tells(terminal: Terminal) -> None:
    desire_crowd(40, lambda _: [terminal.id])
    rows = db.session.execute(db.select(Enrolment)).scalars().all()
    kinds = [
        (desired, person, face, due)
        for desired in ("present", "absent")
        for person in ("pending", "confirmed", "refused")
        for face in ("pending", "refused")
        for due in (True, False)
    ]
    for row, (desired, person, face, due) in zip(rows, kinds, strict=False):
        when = row.next_attempt_at if due else None
        write(row.number, desired=desired, person=person, face=face, next_attempt_at=when)
    db.session.expire_all()
    told = {one.number: one.state for one in db.session.execute(db.select(Enrolment)).scalars()}

    found = {number: state for state in STATES for number in numbers(EnrolmentFilter(state), 7)}

    assert found == told
    assert set(told.values()) == set(STATES) - {"confirmed"}
    assert tuple(STATES) == form.STATES
    assert list(numbers(limit=7)) == [row.number for row in rows]


def test_change_puts_an_enrolment_at_the_end(simulator: Simulated, terminal: Terminal) -> None:
    desire_crowd(3, lambda _: [terminal.id])
    first = enrol(simulator, terminal)
    assert list(numbers()) == ["5001", "5002", "5003", "100222"]
    assert list(numbers(EnrolmentFilter("confirmed", terminal.id))) == ["100222"]
    write("5001", changed_at=first.changed_at + timedelta(seconds=5))
    assert list(numbers(EnrolmentFilter(since=first.changed_at))) == ["100222", "5001"]
    assert list(numbers(EnrolmentFilter(terminal_id=terminal.id + 1))) == []

    set_active(employee_of(first), active=False)

    assert list(numbers(EnrolmentFilter("leaving"))) == ["100222"]
    reconcile(first.id, "Анна")
    assert list(numbers(EnrolmentFilter("removed", since=first.changed_at))) == ["100222"]
    with pytest.raises(CursorUnknown):
        listing.page(ALL, 1, PagePosition(after="x"))


@pytest.mark.parametrize("terminal_id", [None, 1])
def test_page_follows_the_index_of_its_state_and_sorts_nothing(terminal: Terminal, terminal_id: int | None) -> None:
    desire_crowd(300, lambda _: [terminal.id])
    write("5001", next_attempt_at=None)
    if db.engine.dialect.name == "postgresql":
        # An index that is larger than the others, for what tests before this one have left in it, costs more.
        db.session.execute(text("REINDEX TABLE enrolment"))
        db.session.execute(text("ANALYZE enrolment"))
        db.session.execute(text("SET enable_seqscan = off"))
    asked: list[tuple[str, object]] = []
    event.listen(
        db.engine, "before_cursor_execute", lambda _, __, statement, given, *___: asked.append((statement, given))
    )
    for state in ("waiting", "refused"):
        asked.clear()
        wanted = EnrolmentFilter(state, terminal_id)
        page = listing.page(wanted, 1)
        assert len(page.rows) == 1

        explain = "EXPLAIN QUERY PLAN " if db.engine.dialect.name == "sqlite" else "EXPLAIN "
        statement, given = asked[0]
        rows = db.session.connection().exec_driver_sql(explain + statement, given)  # type: ignore[arg-type]
        plan = "\n".join(str(row[-1]) for row in rows)

        assert f"ix_enrolment_listed{'_at' if terminal_id else ''} " in plan, plan
        assert "SCAN enrolment\n" not in plan, plan
