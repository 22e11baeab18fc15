"""Who is inside, from the terminals that are marked as an entrance or an exit, and what that does not tell.

Somebody is inside when the last passage there was at an entrance. Where a terminal has no direction, the button that
was pressed there counts as one. Terminals are not asked: what was read of them last counts, also while they are off.
Passages of the last LOOK_BACK are looked at, so that a night shift is inside across the border of the day
(HIKFLASK_PASSAGES_DAY_START); who came in before that border is told apart: some only never passed at an exit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Select, and_, func, literal_column, not_, or_, select
from sqlalchemy.orm import joinedload

from hikflask.extensions import db
from hikflask.models import Employee, Event, EventCoverage, Terminal
from hikflask.models.event import PASSED
from hikflask.models.terminal import WAY_IN, WAY_OUT
from hikflask.services.passages import days, queries
from hikflask.services.terminals.clock import WRONG_SECONDS
from hikflask.text_rules import folded

LOOK_BACK = timedelta(hours=24)
# Clocks are not compared to the second, so what happened just now may seem to be ahead. What is more is a wrong clock.
AHEAD = timedelta(seconds=WRONG_SECONDS)
WAYS = (WAY_IN, WAY_OUT)
# The terminals where a button was pressed; written as the index on these rows has it.
PRESSED_AT = select(Event.terminal_id).where(Event.attendance != literal_column("''"))


@dataclass(frozen=True)
class PersonInside:
    """Somebody who is inside: the last passage, and the employee where there is one.

    `name` is the employee's, or, of a number that is nobody's here, the one that the terminal showed.
    """

    number: str
    name: str
    department: str
    employee_id: int | None
    terminal_id: int
    terminal: str
    passed_at: datetime


@dataclass(frozen=True)
class Unread:
    """An entrance or exit of which some passages may be missing here.

    `read_to` is the moment up to which they are all here, None when its log was never read, or was not read whole.
    `gap` is a stretch that is missing, and stays so. `off_since` is since when the terminal does not answer.
    """

    terminal: Terminal
    read_to: datetime | None = None
    gap: tuple[datetime, datetime] | None = None

    @property
    def off_since(self) -> datetime | None:
        """Since when the terminal does not answer, None while it does."""
        return self.terminal.offline_since


@dataclass(frozen=True)
class Presence:
    """Who is inside at a moment, by department and name, and what may be wrong with that.

    `day_began` is the border of the day. `out_without_in`: so many people passed at an exit today, and never at an
    entrance before. `terminals` are the entrances and exits, and where buttons are pressed; `unread` those of which
    passages may be missing.
    """

    now: datetime
    day_began: datetime
    people: Sequence[PersonInside]
    out_without_in: int
    terminals: Sequence[Terminal]
    unread: Sequence[Unread]

    @cached_property
    def today(self) -> list[PersonInside]:
        """Those who came in since the border of the day."""
        return [person for person in self.people if person.passed_at >= self.day_began]

    @cached_property
    def earlier(self) -> list[PersonInside]:
        """Those who came in before it: a night shift, or people who did not pass at an exit."""
        return [person for person in self.people if person.passed_at < self.day_began]

    @property
    def has(self) -> set[str]:
        """Which directions there are: "in", "out", both or none. Buttons tell both."""
        return {way for terminal in self.terminals for way in ([terminal.direction] if terminal.direction else WAYS)}


def presence(now: datetime | None = None) -> Presence:
    """Return who is inside now, or was at another moment."""
    now = now or datetime.now(UTC)
    began, terminals = days.start_of(days.day_of(now)), directed()
    people, out_without_in = _insiders(terminals, began, now)
    return Presence(now, began, people, out_without_in, terminals, _unread(terminals, now))


def directed() -> list[Terminal]:
    """Return the terminals in use that are an entrance or an exit, or where buttons tell the way, by name."""
    tells = or_(Terminal.direction != "", Terminal.id.in_(PRESSED_AT))
    statement = select(Terminal).where(tells, Terminal.is_active).order_by(Terminal.name)
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())


def found(people: Iterable[PersonInside], words: str = "", department: str | None = None) -> list[PersonInside]:
    """Return those who have all these words in name, number or department, and are of a department, if one is given."""
    wanted = folded(words).split()
    return [
        person
        for person in people
        if department in (None, person.department)
        and all(word in folded(f"{person.name} {person.number} {person.department}") for word in wanted)
    ]


def by_department(people: Iterable[PersonInside]) -> dict[str, list[PersonInside]]:
    """Return people by their department, in the order in which they come."""
    departments: dict[str, list[PersonInside]] = {}
    for person in people:
        departments.setdefault(person.department, []).append(person)
    return departments


def employees(people: Iterable[PersonInside]) -> dict[int, Employee]:
    """Return the employees with their photos, by id."""
    ids = [person.employee_id for person in people if person.employee_id is not None]
    statement = select(Employee).where(Employee.id.in_(ids)).options(joinedload(Employee.photo))
    return {employee.id: employee for employee in db.session.execute(statement).scalars()}


def _insiders(terminals: Sequence[Terminal], began: datetime, now: datetime) -> tuple[list[PersonInside], int]:
    """Return those whose last passage was at an entrance, and how many went out today who had not come in."""
    if not terminals:
        return [], 0
    of_id = {terminal.id: terminal for terminal in terminals}
    people, out_without_in = [], 0
    for row in db.session.execute(last_passages(terminals, began, now)):
        terminal = of_id[row.terminal_id]
        if row.way == WAY_OUT:
            out_without_in += 1
            continue
        name, department = row.name or row.name_there or row.number, row.department or ""
        about = (row.employee_id, terminal.id, terminal.name, row.occurred_at)
        people.append(PersonInside(row.number, name, department, *about))
    people.sort(key=lambda one: (not one.department, folded(one.department), folded(one.name), one.number))
    return people, out_without_in


def last_passages(terminals: Sequence[Terminal], began: datetime, now: datetime) -> Select[Any]:
    """Return the statement for the last passages at entrances, and for the first ones of today at exits.

    It follows an index to the passages of LOOK_BACK, however many events there are.
    """
    # The employee's current ID: somebody may have got another one since, and somebody else theirs.
    number = func.coalesce(Employee.number, Event.number)
    each: Any = {"partition_by": number, "order_by": (Event.occurred_at, Event.id)}
    passages = (
        select(
            number.label("number"),
            Event.name.label("name_there"),
            Employee.name,
            Employee.department,
            Event.employee_id,
            Event.terminal_id,
            Event.occurred_at,
            days.DIRECTION.label("way"),
            func.lag(Event.id).over(**each).label("before"),
            func.lead(Event.id).over(**each).label("after"),
        )
        .join(Terminal, Terminal.id == Event.terminal_id)
        .outerjoin(Employee, Employee.id == Event.employee_id)
        .where(Event.kind == PASSED, Event.occurred_at.between(now - LOOK_BACK, now + AHEAD), Event.number != "")
        .where(days.DIRECTION != "")
        .where(Event.terminal_id.in_([terminal.id for terminal in terminals]))
        .subquery()
    )
    went_out = passages.c.way == WAY_OUT
    is_first_out = and_(went_out, passages.c.before.is_(None), passages.c.occurred_at >= began)
    is_last_in = and_(not_(went_out), passages.c.after.is_(None))
    return select(passages).where(or_(is_first_out, is_last_in))


def _unread(terminals: Sequence[Terminal], now: datetime) -> list[Unread]:
    """Return the terminals of which passages of LOOK_BACK may be missing: what was not read yet, and what is lost."""
    late = {missing.terminal.id: missing.since for missing in queries.missing_since(now)}
    lost = select(EventCoverage).where(EventCoverage.is_complete.is_(False))
    lost = lost.where(EventCoverage.terminal_id.in_([terminal.id for terminal in terminals]))
    lost = lost.where(EventCoverage.to_at > now - LOOK_BACK, EventCoverage.from_at < now).order_by(EventCoverage.to_at)
    gaps = {gap.terminal_id: (gap.from_at, gap.to_at) for gap in db.session.execute(lost).scalars()}
    return [
        Unread(terminal, late.get(terminal.id), None if terminal.id in late else gaps[terminal.id])
        for terminal in terminals
        if terminal.id in late or terminal.id in gaps
    ]
