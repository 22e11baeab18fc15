"""Why a door did not open for an employee at a time: what the terminals recorded, what is known, the likely cause.

Terminals are not asked. The causes are a list of rules, the most certain first: the first one that applies to any of
the terminals is the answer. Each has the one step that helps.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from hikflask.codes.badges import CAPTURE_AGAIN, FACE_REFUSED, NO_PHOTO_THERE, OLD_FACE_THERE, PERSON_ONLY, TAKEN_THERE
from hikflask.codes.refusals import FACE, FULL, type_of
from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Event, EventCoverage, Terminal
from hikflask.models.enrolment import CONFIRMED, PRESENT, REFUSED, WAITING
from hikflask.models.event import (
    EXPIRED,
    LIVENESS,
    NO_PERMISSION,
    NOT_READ,
    OFF,
    OUTSIDE_HOURS,
    PASSED,
    TOO_MANY,
    UNKNOWN_PERSON,
)
from hikflask.services.core.dates import local, start_of, zone
from hikflask.services.passages import coverage, schedules
from hikflask.services.passages.queries import DENIED
from hikflask.services.passages.retention import kept_since
from hikflask.services.passages.schedules import Rights
from hikflask.services.state.badges import badge_of, detail_of
from hikflask.services.terminals import clock, connection, reachability, registry
from hikflask.services.terminals.reachability import ReachabilityPeriod

# People remember a time about so well.
AROUND = timedelta(minutes=15)
# Somebody whom a terminal does not know may be the employee if it was so near.
NEAR = timedelta(minutes=2)
MAX_EVENTS = 50
# A moment far outside the calendar is no moment of a passage.
FIRST_YEAR, LAST_YEAR = 1970, 2100
LOST_PLUS = re.compile(r"(?<=:\d\d) (?=\d\d:?\d\d\Z)")

# What helps: the name of the button in templates/passages/_step.html.
ACTIVATE, VALIDITY, CLOCK, SCHEDULES, SEND, RETRY = "activate", "validity", "clock", "schedules", "send", "retry"
PHOTO, CHECK, PEOPLE, EMPLOYEE, PASSAGES, TERMINALS = "photo", "check", "people", "employee", "passages", "terminals"
CORRECT_LOGIN, REMOVAL = "password", "removal"
# The terminal must answer for them.
ASKS_TERMINAL = {CLOCK, SCHEDULES, RETRY, REMOVAL}


@dataclass(frozen=True)
class Gap:
    """Why something may be missing of what a terminal recorded (GAPS), and between which times, where that is known."""

    reason: str
    from_at: datetime | None = None
    to_at: datetime | None = None


@dataclass(frozen=True)
class AccessFacts:
    """What is known of an employee at a terminal around a moment; without a terminal where none is meant.

    `events` are of the employee there, the nearest first, and `strangers` those of people whom it did not recognise.
    `gap` is why its record of the moment may not be whole, `silence` that in which it did not answer.
    """

    employee: Employee
    at: datetime
    terminal: Terminal | None = None
    enrolment: Enrolment | None = None
    events: Sequence[Event] = ()
    strangers: Sequence[Event] = ()
    gap: Gap | None = None
    silence: ReachabilityPeriod | None = None

    @property
    def refusal(self) -> Event | None:
        """The nearest event in which the terminal turned the employee away."""
        return next((event for event in self.events if event.kind in DENIED), None)

    @property
    def passage(self) -> Event | None:
        """The nearest passage."""
        return next((event for event in self.events if event.kind == PASSED), None)

    @property
    def opened_then(self) -> bool:
        """True when the employee passed at the time or later; who passed before that may have stood there again."""
        return self.passage is not None and self.passage.occurred_at >= self.at - NEAR

    @property
    def has_passed(self) -> bool:
        """True when the employee passed and was not turned away."""
        return self.passage is not None and self.refusal is None

    def is_refused(self, *kinds: str) -> bool:
        """True when the nearest refusal is of one of these kinds."""
        return self.refusal is not None and self.refusal.kind in kinds

    def stranger(self, kind: str) -> Event | None:
        """The nearest event of this kind without a person."""
        return next((event for event in self.strangers if event.kind == kind), None)

    @property
    def is_inactive(self) -> bool:
        """True when the employee was deactivated by then."""
        left_at = self.employee.left_at
        return not self.employee.is_active and (left_at is None or left_at <= self.at + AROUND)

    @property
    def is_before_validity(self) -> bool:
        """True when the first day of access came later."""
        return self.employee.valid_from is not None and local(self.at).date() < self.employee.valid_from

    @property
    def is_after_validity(self) -> bool:
        """True when the last day of access was over."""
        return self.employee.valid_to is not None and local(self.at).date() > self.employee.valid_to

    @property
    def seconds_fast(self) -> int:
        """By how many seconds the terminal's clock was fast when it turned the employee away."""
        return round((self.refusal.device_at - self.refusal.occurred_at).total_seconds()) if self.refusal else 0

    @property
    def is_clock_wrong(self) -> bool:
        """True when the clock was wrong then, or it or the zone was when the terminal was last checked."""
        was_wrong = abs(self.seconds_fast) >= clock.WRONG_SECONDS
        return was_wrong or (self.terminal is not None and clock.is_wrong(self.terminal))

    @property
    def is_deleted(self) -> bool:
        """True when passages of that time are not kept any more."""
        return self.at < kept_since()

    @property
    def is_wanted(self) -> bool:
        """True when the employee is to be on the terminal."""
        return self.enrolment is not None and self.enrolment.desired == PRESENT

    @property
    def is_leaving(self) -> bool:
        """True when the employee is to be off the terminal, which has not confirmed it yet."""
        return self.enrolment is not None and self.enrolment.is_leaving

    @property
    def detail(self) -> str:
        """The state of the enrolment there, or a detail of it (services/state/badges.py); empty without one."""
        return detail_of(self.enrolment) if self.enrolment and self.is_wanted else ""

    @property
    def badge(self) -> str:
        """The same, or why a face is missing there."""
        return badge_of(self.enrolment, self.detail) if self.enrolment and self.is_wanted else ""

    @property
    def cause(self) -> str:
        """What kind of thing the terminal refused the employee for (codes/refusals.py); empty without an enrolment."""
        return type_of(self.enrolment.refusal_code).cause if self.enrolment else ""

    @property
    def came_later(self) -> bool:
        """True when the employee is on the terminal now, and was to be there only later."""
        row = self.enrolment
        is_there = row is not None and row.state == CONFIRMED
        return bool(row and is_there and row.desired_since and row.desired_since > self.at + NEAR)

    @property
    def rights(self) -> Rights | None:
        """What the terminal said of the employee's schedules when it was asked last."""
        return schedules.rights_of(self.enrolment) if self.enrolment else None

    @property
    def has_right(self) -> bool:
        """False when the terminal said that the employee has no right to any door."""
        return self.rights is None or self.rights.schedules is None or bool(self.rights.schedules)


@dataclass(frozen=True)
class Rule:
    """A cause, when it applies, and what helps."""

    cause: str
    step: str
    applies: Callable[[AccessFacts], bool]


NO_FACE = {PERSON_ONLY, CAPTURE_AGAIN, NO_PHOTO_THERE}
# The most certain first: what the terminal itself said, what we know that explains it, what may be, nothing.
RULES = (
    Rule("inactive_still_there", REMOVAL, lambda it: it.is_inactive and it.is_leaving and not it.has_passed),
    Rule("inactive", ACTIVATE, lambda it: it.is_inactive and not it.has_passed),
    Rule("validity_over", VALIDITY, lambda it: it.is_after_validity and not it.has_passed),
    Rule("validity_not_begun", VALIDITY, lambda it: it.is_before_validity and not it.has_passed),
    Rule("clock", CLOCK, lambda it: it.is_refused(OUTSIDE_HOURS, EXPIRED) and it.is_clock_wrong),
    Rule("outside_hours", SCHEDULES, lambda it: it.is_refused(OUTSIDE_HOURS)),
    Rule("expired_there", RETRY, lambda it: it.is_refused(EXPIRED)),
    Rule("no_right_told", EMPLOYEE, lambda it: it.is_refused(NO_PERMISSION) and not it.has_right),
    Rule("no_right", SCHEDULES, lambda it: it.is_refused(NO_PERMISSION) and it.is_wanted),
    Rule("not_wanted_there", SEND, lambda it: it.is_refused(NO_PERMISSION)),
    Rule("liveness_of_employee", PASSAGES, lambda it: it.is_refused(LIVENESS)),
    Rule("refused", PASSAGES, lambda it: it.refusal is not None),
    Rule("opened", PASSAGES, lambda it: it.opened_then),
    Rule("no_terminal", TERMINALS, lambda it: it.terminal is None and not registry.count_active()),
    Rule("nowhere", EMPLOYEE, lambda it: it.terminal is None),
    Rule("leaving", REMOVAL, lambda it: it.is_leaving and it.passage is None),
    Rule("not_there", SEND, lambda it: not it.is_wanted and it.passage is None),
    Rule("came_later", EMPLOYEE, lambda it: it.came_later),
    Rule("id_taken", EMPLOYEE, lambda it: it.detail == TAKEN_THERE),
    Rule("full", PEOPLE, lambda it: it.cause == FULL),
    Rule("face_refused", PHOTO, lambda it: it.badge in {FACE_REFUSED, OLD_FACE_THERE}),
    Rule("no_face", PHOTO, lambda it: it.badge in NO_FACE),
    Rule("not_sent", RETRY, lambda it: it.enrolment is not None and it.enrolment.state == WAITING),
    Rule("face_stays", EMPLOYEE, lambda it: it.cause == FACE),
    Rule("not_taken", RETRY, lambda it: it.enrolment is not None and it.enrolment.state == REFUSED),
    Rule("not_recognised", PHOTO, lambda it: it.stranger(UNKNOWN_PERSON) is not None),
    Rule("liveness", PASSAGES, lambda it: it.stranger(LIVENESS) is not None),
    Rule("silent", CHECK, lambda it: it.silence is not None),
    Rule("deleted", EMPLOYEE, lambda it: it.is_deleted),
    Rule("not_read", CHECK, lambda it: it.gap is not None),
    Rule("opened_before", PASSAGES, lambda it: it.passage is not None),
    Rule("clock_wrong", CLOCK, lambda it: it.is_clock_wrong),
    Rule("nobody", PASSAGES, lambda it: it.passage is None),
)


@dataclass(frozen=True)
class Answer:
    """The likely cause, what helps, and the facts of all terminals that it was found in."""

    cause: str
    step: str
    facts: AccessFacts
    every: Sequence[AccessFacts] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        """What the terminals recorded of the employee and of people whom they did not recognise, in its order."""
        events = [event for facts in self.every for event in (*facts.events, *facts.strangers)]
        return sorted(events, key=lambda event: (event.occurred_at, event.id))


def moment_of(text: str) -> datetime | None:
    """Return the moment of an ISO text, in the zone of this installation where it has none; None for anything else."""
    try:
        # The plus of an offset is a space where an address was written by hand.
        moment = datetime.fromisoformat(LOST_PLUS.sub("+", text.strip()))
    except ValueError:
        return None
    if not FIRST_YEAR < moment.year < LAST_YEAR:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone()).astimezone(UTC)).astimezone(UTC)


def why(employee: Employee, at: datetime, terminal: Terminal | None = None, now: datetime | None = None) -> Answer:
    """Return why a door did not open: of the terminal that is meant, or wherever the employee is wanted or was seen."""
    every = _facts(employee, at, terminal, now or datetime.now(UTC))
    for rule in RULES:
        for facts in every:
            if rule.applies(facts):
                return Answer(rule.cause, _step(rule, facts), facts, every)
    raise AssertionError("the last rule applies to all")


def _step(rule: Rule, facts: AccessFacts) -> str:
    """Return what helps; of a terminal that cannot be asked, what is to be done before."""
    if rule.step not in ASKS_TERMINAL or facts.terminal is None or not connection.is_out_of_reach(facts.terminal):
        return rule.step
    if facts.terminal.refused_since:
        return CORRECT_LOGIN
    # A removal is what matters, also at a terminal that is off: the try says what came of it.
    return REMOVAL if rule.step == REMOVAL else CHECK


def _facts(employee: Employee, at: datetime, terminal: Terminal | None, now: datetime) -> list[AccessFacts]:
    """Return the facts of each terminal that may be meant; one without a terminal when there is none.

    Where somebody who left may still open a door is said whichever terminal is meant.
    """
    wanted_at = select(Enrolment).where(Enrolment.employee_id == employee.id).options(joinedload(Enrolment.terminal))
    rows = db.session.execute(wanted_at, execution_options={"populate_existing": True}).scalars()
    enrolments = {row.terminal_id: row for row in rows}
    # By the employee and not by the number, which somebody else may have had then.
    around = (Event.employee_id == employee.id, Event.occurred_at.between(at - AROUND, at + AROUND))
    own = _nearest(select(Event).where(*around, Event.kind.in_((PASSED, *DENIED))), at)
    left = [] if employee.is_active else [row.terminal for row in enrolments.values() if row.is_leaving]
    if terminal is not None:
        terminals = [terminal, *(row for row in left if row.id != terminal.id)]
    else:
        seen = {event.terminal_id for event in own} | {row.id for row in left}
        wanted = {terminal_id for terminal_id, row in enrolments.items() if row.desired == PRESENT}
        terminals = [row for row in registry.list_all() if row.id in seen or (row.id in wanted and row.is_active)]
    near = (Event.terminal_id.in_([row.id for row in terminals]), Event.occurred_at.between(at - NEAR, at + NEAR))
    unknown = (Event.kind.in_((UNKNOWN_PERSON, LIVENESS)), Event.number == "")
    strangers = _nearest(select(Event).where(*near, *unknown), at)
    gaps = _gaps(terminals, at)
    days = reachability.last_day(terminals, min(now, at + AROUND))
    return [
        AccessFacts(
            employee,
            at,
            row,
            enrolments.get(row.id),
            [event for event in own if event.terminal_id == row.id],
            [event for event in strangers if event.terminal_id == row.id],
            gaps.get(row.id),
            next((one for one in days[row.id] if one.begins <= at <= one.ends and one.answered is False), None),
        )
        for row in terminals
    ] or [AccessFacts(employee, at)]


def _gaps(terminals: Sequence[Terminal], at: datetime) -> dict[int, Gap]:
    """Return for each terminal of whose record of the moment something may be missing, by its id, why."""
    ids = [terminal.id for terminal in terminals]
    # What was recorded within the last minutes may still be on its way.
    holds = (EventCoverage.from_at <= at, EventCoverage.to_at >= at - NEAR)
    rows = select(EventCoverage).where(EventCoverage.terminal_id.in_(ids), *holds).order_by(EventCoverage.id)
    spans = list(db.session.execute(rows).scalars())
    whole = {span.terminal_id for span in spans if span.is_complete}
    halted = {terminal.id for terminal, day in coverage.halted() if start_of(day) <= at}
    silent = {row.id: Gap(_why_not_read(row, halted)) for row in terminals if row.id not in whole}
    lost = {span.terminal_id: Gap(span.reason, span.from_at, span.to_at) for span in spans if not span.is_complete}
    return silent | lost


def _why_not_read(terminal: Terminal, halted: Collection[int]) -> str:
    if terminal.id in halted:
        return TOO_MANY
    return OFF if terminal.reachable is False else NOT_READ


def _nearest(rows: Select[Event], at: datetime) -> list[Event]:
    events = db.session.execute(rows.order_by(Event.occurred_at, Event.id).limit(MAX_EVENTS)).scalars()
    return sorted(events, key=lambda event: abs(event.occurred_at - at))
