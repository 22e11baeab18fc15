"""What a person must do, as the start page shows it and the header counts it.

What is counted is the rows of the page: one for each cause at each terminal, however many people are in it. Every page
calls `count()`, so it is a few statements that read no more than MAX_COUNTED rows of a state at each terminal.
`overview()` adds the first people of each row, so that the number and the page cannot differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TypeVar

from sqlalchemy import Select, and_, case, func, or_, select, union_all
from sqlalchemy.orm import joinedload

from hikflask.disk_space import Disk
from hikflask.extensions import db
from hikflask.models import (
    Backup,
    Capture,
    CardThere,
    Employee,
    Enrolment,
    EventLog,
    Job,
    JournalAlarm,
    Terminal,
    TerminalPrivacy,
)
from hikflask.models.capture import CAPTURED
from hikflask.models.enrolment import REFUSED, WAITING
from hikflask.models.job import FAILED
from hikflask.services.attention import people_problems, terminal_problems
from hikflask.services.attention.people_problems import MAX_FACES, PeopleProblem, ProblemWithPeople
from hikflask.services.attention.terminal_problems import Problem
from hikflask.services.backups import records
from hikflask.services.core import heartbeat, no_space
from hikflask.services.core.db import MAX_COUNTED, along_indexes, counting
from hikflask.services.employees import filters, search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.enrolments.causes import LEAVING
from hikflask.services.passages import coverage, journal, terminal_privacy
from hikflask.services.privacy import consents
from hikflask.services.terminals import door, people_changes, registry

Row = TypeVar("Row", Employee, Job)
# So many rows of a part of the page are shown before somebody asks for all of them.
MAX_SHOWN = 10
# So many of those who were added last.
MAX_NEWEST = 12
WITHOUT_CONSENT = EmployeeFilter(consent=filters.MISSING)
# Made once, as each page asks it: to make a statement costs more than to run it.
COUNTED = select(
    counting(people_problems.NOWHERE).scalar_subquery().label("nowhere"),
    select(func.count(Capture.id)).where(Capture.state == CAPTURED).scalar_subquery().label("unsaved"),
    select(func.count(CardThere.id)).where(CardThere.is_lost).scalar_subquery().label("lost_cards"),
    select(func.count(Job.id)).where(Job.state == FAILED).scalar_subquery().label("failed_jobs"),
    select(func.count()).where(TerminalPrivacy.foreign_hosts > 0).scalar_subquery().label("foreign"),
    select(func.count(EventLog.terminal_id)).where(coverage.IS_HALTED).scalar_subquery().label("halted"),
)


@dataclass(frozen=True)
class Counts:
    """What there is to do. `terminals`: all of them, by name. `people`: the rows of people at terminals.

    `nowhere`: how many have no photo, and are desired on no terminal. `consents`: how many have none, or 0 unless one
    is required to take a face.
    `lost_cards`: how many of them terminals may still have.
    `doors`: the terminals whose doors stand open, or let nobody in.
    `foreign`: the terminals that send events to somebody else, with what was read of them.
    `drift`: the terminals with people changed there, with how many findings each.
    `halted`: the terminals that recorded too many events, with the day.
    `journal`: what terminals recorded in their journals, and nobody has seen yet.
    `backup_overdue`: the last one is too old. `low_disks`: those with little space left.

    A number above MAX_COUNTED may be given as MAX_COUNTED + 1.
    """

    terminals: Sequence[Terminal]
    problems: Sequence[Problem]
    doors: Sequence[Terminal]
    foreign: Sequence[tuple[Terminal, TerminalPrivacy]]
    drift: Sequence[tuple[Terminal, int]]
    halted: Sequence[tuple[Terminal, date]]
    journal: Sequence[JournalAlarm]
    people: Sequence[PeopleProblem]
    nowhere: int
    consents: int
    unsaved: int
    lost_cards: int
    failed_jobs: int
    worker_runs: bool
    backup_overdue: bool
    low_disks: Sequence[Disk]

    @property
    def total(self) -> int:
        """The number in the header: of the rows of the page."""
        of_people = len(self.people) + bool(self.nowhere) + bool(self.consents) + self.unsaved
        of_terminals = len(self.problem_rows) + len(self.foreign) + len(self.drift) + len(self.journal_rows)
        of_terminals += len(self.halted) + len(self.doors)
        of_server = (not self.worker_runs) + self.backup_overdue + len(self.low_disks)
        return of_people + of_terminals + of_server + self.failed_jobs

    @cached_property
    def problem_rows(self) -> Sequence[Sequence[Problem]]:
        """The problems as the page shows them: terminals that became silent at once are one row."""
        return terminal_problems.at_once(self.problems)

    @cached_property
    def journal_rows(self) -> Sequence[Sequence[JournalAlarm]]:
        """The alarms as the page shows them: the same at several terminals at once is one row."""
        return journal.at_once(self.journal)

    @property
    def removals(self) -> int:
        """How many removals no terminal has confirmed."""
        of_terminals = (problem.count for problem in self.people if problem.cause == LEAVING)
        return min(sum(of_terminals), MAX_COUNTED + 1)

    @property
    def open_doors(self) -> int:
        """How many people and lost cards may still open doors."""
        return self.removals + self.lost_cards

    @property
    def bad_people(self) -> int:
        """In how many rows of people somebody may still open a door who must not."""
        return sum(problem.is_bad for problem in self.people)

    @property
    def is_saving(self) -> bool:
        """True when something can be sent to a terminal, and saved here."""
        return self.worker_runs and not any(disk.is_full for disk in self.low_disks)


@dataclass(frozen=True)
class Waiting:
    """The employees who wait for one terminal, since the first of them does; `failed`: whose last attempt failed."""

    terminal: Terminal
    employees: int
    failed: int
    since: datetime | None
    next_attempt_at: datetime | None


@dataclass(frozen=True)
class Unsaved:
    """A picture that is not saved, and the employee whose number was typed, if there is one."""

    capture: Capture
    employee_id: int | None


@dataclass(frozen=True)
class Front:
    """What the start page shows when there is nothing to do: how many work here, how many of them the terminals
    confirmed, and those with a photo who were added last.
    """

    active: int
    confirmed: int
    newest: Sequence[Employee]


@dataclass(frozen=True)
class Overview:
    """The counts with the first rows of each part.

    A waiting enrolment is tried again by itself, and a missing consent that is not required may be no mistake: these
    two are not in `counts.total`. `affected`: how many employees are refused until a terminal is corrected, by its id.
    `waiting`: who waits for each terminal, by its id. `front`: None while there is something to do.
    """

    counts: Counts
    people: Sequence[ProblemWithPeople]
    nowhere: Sequence[Employee]
    waiting_count: int
    waiting: dict[int, Waiting]
    affected: dict[int, int]
    without_consent_count: int
    without_consent: Sequence[Employee]
    unsaved: Sequence[Unsaved]
    failed_jobs: Sequence[Job]
    last_backup: Backup | None
    front: Front | None

    @property
    def all_is_well(self) -> bool:
        """True when there is nothing to do, and nobody waits."""
        return self.counts.total == 0 and self.waiting_count == 0


def count() -> Counts:
    """Return how much there is to do."""
    terminals = registry.list_all()
    in_use = [terminal for terminal in terminals if terminal.is_active]
    problems = terminal_problems.find(in_use)
    working = {terminal.id for terminal in in_use} - {problem.terminal.id for problem in problems if problem.stops}
    counted = dict(db.session.execute(COUNTED).mappings().one())
    has_foreign, has_halted = counted.pop("foreign"), counted.pop("halted")
    return Counts(
        **counted,
        terminals=terminals,
        problems=problems,
        doors=[terminal for terminal in in_use if door.needs_attention(terminal)],
        foreign=terminal_privacy.foreign() if has_foreign else [],
        drift=people_changes.terminals_with_changes(),
        halted=coverage.halted() if has_halted else [],
        journal=journal.unseen(),
        people=people_problems.find(terminals, working),
        consents=search.count(WITHOUT_CONSENT) if consents.is_required() else 0,
        # On a full disk a worker can give no sign of life.
        worker_runs=heartbeat.alive() or no_space.full_disk() is not None,
        backup_overdue=records.is_overdue(),
        low_disks=[disk for disk in no_space.disks() if disk.is_low],
    )


def overview(counts: Counts, caller: str, most: int = MAX_SHOWN) -> Overview:
    """Return what there is to do, with the first people of each row.

    :param counts: what count() returned. :param caller: the operator whose unsaved pictures come first.
    :param most: how many rows of each part.
    """
    no_consent = counts.consents or search.count(WITHOUT_CONSENT)
    waiting = search.count_up_to(EmployeeFilter(state=WAITING))
    # Jobs that nobody has tried again since, or dismissed.
    failed = select(Job).where(Job.state == FAILED).order_by(Job.id.desc()).limit(most)
    without_consent = select(Employee).where(*filters.conditions(WITHOUT_CONSENT)).order_by(Employee.id)
    return Overview(
        counts=counts,
        people=people_problems.shown(counts.people[:most]),
        nowhere=people_problems.without_terminal(MAX_FACES) if counts.nowhere else [],
        waiting_count=waiting,
        waiting=_waiting(many=waiting > MAX_COUNTED) if waiting else {},
        affected=_affected(counts.problems[:most]),
        without_consent_count=no_consent,
        without_consent=_first(without_consent.limit(MAX_FACES)) if counts.consents else [],
        unsaved=_unsaved(caller, most) if counts.unsaved else [],
        failed_jobs=_rows(failed) if counts.failed_jobs else [],
        last_backup=records.newest(),
        front=_front() if counts.terminals and not counts.total else None,
    )


def _front() -> Front:
    newest = select(Employee).where(Employee.is_active, Employee.has_face).limit(MAX_NEWEST)
    everybody, left, there = (EmployeeFilter(state=state) for state in ("", filters.LEFT, filters.ON_TERMINALS))
    return Front(
        active=search.count(everybody) - search.count(left),
        confirmed=search.count_up_to(there),
        newest=_first(newest.order_by(Employee.created_at.desc(), Employee.id.desc())),
    )


def _first(statement: Select[Employee]) -> list[Employee]:
    return _rows(statement.options(joinedload(Employee.photo)))


def _rows(statement: Select[Row]) -> list[Row]:
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())


def _waiting(*, many: bool) -> dict[int, Waiting]:
    """Return who waits for each terminal that active employees wait for, by its id.

    :param many: count no further than MAX_COUNTED + 1 at each terminal, beginning with the next attempts.
    """
    since = func.coalesce(Enrolment.desired_since, Enrolment.created_at).label("since")
    is_active = select(Employee.is_active).where(Employee.id == Enrolment.employee_id).scalar_subquery()
    refused = Enrolment.refusal_code.label("refusal_code")
    of_active = select(Enrolment.terminal_id, refused, since, Enrolment.next_attempt_at).where(is_active)
    if many:
        waits = or_(*(and_(*facts) for facts in filters.WAITS))
        due = (waits, filters.WANTED, Enrolment.next_attempt_at.is_not(None))
        at_terminals = (of_active.where(Enrolment.terminal_id == row.id, *due) for row in registry.list_all())
        parts = [select(part.limit(MAX_COUNTED + 1).subquery()) for part in at_terminals]
    else:
        parts = [of_active.where(*facts) for facts in filters.WAITS]
    waiting = union_all(*parts).subquery()
    failed = func.count(func.nullif(waiting.c.refusal_code, ""))
    counts = (func.count(), failed, func.min(waiting.c.since), func.min(waiting.c.next_attempt_at))
    statement = select(Terminal, *counts).join(waiting, waiting.c.terminal_id == Terminal.id)
    with along_indexes():
        return {row[0].id: Waiting(*row) for row in db.session.execute(statement.group_by(Terminal.id))}


def _affected(problems: Sequence[Problem]) -> dict[int, int]:
    """Return how many are refused at terminals where nothing can be done now, as the list of employees counts them."""
    stopped = [problem.terminal.id for problem in problems if problem.stops]
    counts = {one: search.count_up_to(EmployeeFilter(state=REFUSED, terminal=one)) for one in stopped}
    return {terminal_id: employees for terminal_id, employees in counts.items() if employees}


def _unsaved(caller: str, most: int) -> list[Unsaved]:
    """Return the first unsaved pictures, those of the caller before all others."""
    of_others = case((Capture.requested_by == caller, 0), else_=1)
    statement = (
        select(Capture, Employee.id)
        .outerjoin(Employee, Employee.number == Capture.draft_number)
        .where(Capture.state == CAPTURED)
        .order_by(of_others, Capture.id)
        .limit(most)
    )
    rows = db.session.execute(statement, execution_options={"populate_existing": True})
    return [Unsaved(capture, employee_id) for capture, employee_id in rows]
