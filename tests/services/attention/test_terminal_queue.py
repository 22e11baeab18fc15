"""The queue of a terminal is read in the order in which it is done, page by page, and never all of it."""

import pytest

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, PRESENT
from hikflask.services.attention import terminal_queue
from hikflask.services.attention.terminal_queue import MANY, REMOVALS, SINGLE, Queue, QueuePosition, place_of, queue_of
from hikflask.services.enrolments import schedule
from hikflask.services.terminals import leases
from tests.support.jobs import add_people
from tests.support.refusals import refusal

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


def add(terminal: Terminal, number: str, seconds: float = -60.0, **columns: object) -> Enrolment:
    """Desire a new employee on the terminal, with the next attempt in so many seconds."""
    (person,) = add_people(number)
    row = Enrolment(terminal_id=terminal.id, number=number, employee_id=person, **columns)
    row.next_attempt_at = database_now(seconds)
    db.session.add(row)
    db.session.commit()
    return row


def numbers(queue: Queue) -> list[str]:
    return [line.enrolment.number for line in queue.lines]


def test_removals_come_before_single_people_and_those_before_many(terminal: Terminal) -> None:
    add(terminal, "1", -90.0, in_bulk=True)
    add(terminal, "2", -80.0)
    add(terminal, "3", -70.0, desired=ABSENT, in_bulk=True)
    add(terminal, "4", -60.0, desired=ABSENT)
    add(terminal, "5", 300.0, refusal=refusal("unreachable"))
    add(terminal, "6", -95.0)

    queue = queue_of(terminal, 10)

    assert numbers(queue) == ["4", "3", "6", "2", "5", "1"]
    assert [line.part for line in queue.lines] == [REMOVALS, REMOVALS, SINGLE, SINGLE, SINGLE, MANY]
    assert (queue.now, queue.in_use, queue.following, queue.is_empty) == ([], False, None, False)
    assert queue.counts == {REMOVALS: 2, SINGLE: 3, MANY: 1}
    (turn,) = schedule.claim_turns()
    rows = {row.id: row.number for row in db.session.execute(db.select(Enrolment)).scalars()}
    assert [rows[one] for one in turn] == ["4", "3", "6", "2", "1"]


def test_who_is_in_the_present_turn_stands_apart(terminal: Terminal) -> None:
    for number in ("1", "2", "3"):
        add(terminal, number)
    (turn,) = schedule.claim_turns(2)
    db.session.execute(db.update(Enrolment).where(Enrolment.id == turn[1]).values(step="face"))
    db.session.commit()

    queue = queue_of(terminal, 10)

    assert ([row.number for row in queue.now], numbers(queue)) == (["2", "1"], ["3"])
    assert queue.counts[SINGLE] == 3


def test_pages_follow_each_other_though_the_queue_moves_on(terminal: Terminal) -> None:
    for number in range(10, 17):
        add(terminal, str(number), -100.0 + number, in_bulk=number >= 14)

    first = queue_of(terminal, 3)
    assert numbers(first) == ["10", "11", "12"]
    db.session.execute(db.update(Enrolment).where(Enrolment.number == "12").values(next_attempt_at=None))
    db.session.commit()
    second = queue_of(terminal, 3, place_of(str(first.following)))
    third = queue_of(terminal, 3, place_of(str(second.following)))

    assert numbers(second) == ["13", "14", "15"]
    assert (numbers(third), third.following) == (["16"], None)


def test_other_terminals_and_what_is_finished_are_not_in_it(terminal: Terminal) -> None:
    other = Terminal(name="Склад", url="http://x.test", username="admin", password_encrypted="")
    db.session.add(other)
    db.session.commit()
    add(other, "1")
    done = add(terminal, "2")
    done.next_attempt_at = None
    db.session.commit()

    assert queue_of(terminal, 10).is_empty
    leases.acquire(terminal.id, "Анна", "capture", 60.0)
    queue = queue_of(terminal, 10)
    assert (queue.in_use, queue.is_empty) == (True, False)
    assert (queue.terminal.lease_holder, queue.terminal.lease_purpose) == ("Анна", "capture")


def test_counts_end_at_a_limit(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal_queue, "MAX_COUNTED", 2)
    for number in ("1", "2", "3"):
        add(terminal, number, desired=ABSENT, in_bulk=number == "3")
    add(terminal, "4", desired=PRESENT)

    assert queue_of(terminal, 1).counts == {REMOVALS: 2, SINGLE: 1, MANY: 0}


def test_what_is_no_place_begins_at_the_beginning() -> None:
    for text in ["", "x", "1", "1-2", "9-1-1", "-1-1-1", f"1-{2**60}-1", "1-1-x", "²-1-1"]:
        assert place_of(text) is None


def test_place_survives_its_text(terminal: Terminal) -> None:
    row = add(terminal, "1")
    db.session.refresh(row)
    assert row.next_attempt_at is not None
    place = QueuePosition(2, row.next_attempt_at, row.id)

    assert place_of(str(place)) == place


def test_reads_follow_the_index(terminal: Terminal) -> None:
    for number in range(10, 40):
        add(terminal, str(number))
    on_sqlite = db.engine.dialect.name == "sqlite"
    if not on_sqlite:
        # It would read so small a table as a whole.
        db.session.execute(db.text("SET LOCAL enable_seqscan = off"))
    waits = terminal_queue.waits(terminal.id, PRESENT, in_bulk=False)
    statement = db.select(Enrolment.id).where(waits).order_by(Enrolment.next_attempt_at, Enrolment.id).limit(5)
    text = str(statement.compile(db.engine, compile_kwargs={"literal_binds": True}))

    explained = db.session.execute(db.text(f"EXPLAIN {'QUERY PLAN ' if on_sqlite else ''}{text}"))
    plan = [row[-1] for row in explained]

    assert any("ix_enrolment_due" in line for line in plan), plan
    assert not any("TEMP B-TREE" in line or "Sort" in line for line in plan), plan
