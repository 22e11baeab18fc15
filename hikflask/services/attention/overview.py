"""What a person must do, as the start page shows it and the header counts it.

Every page calls `count()`, so it is a few counts and one read of the terminals. `overview()` adds the first rows of
each group to the same counts, so that the number and the page cannot differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, union_all

from hikflask.disk_space import Disk
from hikflask.extensions import db
from hikflask.models import Backup, Capture, Employee, Enrolment, Job, Terminal
from hikflask.models.capture import CAPTURED
from hikflask.models.enrolment import REFUSED, WAITING
from hikflask.models.job import FAILED
from hikflask.services.attention import left_there, terminal_problems
from hikflask.services.attention.left_there import LeftThere
from hikflask.services.attention.terminal_problems import Problem
from hikflask.services.backups import records
from hikflask.services.core import heartbeat, no_space
from hikflask.services.core.db import MAX_COUNTED, along_indexes, count_rows_up_to, counting
from hikflask.services.employees import filters, search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.enrolments import queries
from hikflask.services.privacy import consents
from hikflask.services.terminals import people_changes, registry

Row = TypeVar("Row", Employee, Enrolment, Job)
# So many rows of a group are shown; its heading leads to all of them.
MAX_SHOWN = 5
WITHOUT_CONSENT = EmployeeFilter(consent=filters.MISSING)
# Made once, as each page asks it: to make a statement costs more than to run it.
COUNTED = select(
    counting(queries.OPEN_REMOVALS).scalar_subquery().label("removals"),
    filters.counted(EmployeeFilter(state=filters.NO_FACE)).scalar_subquery().label("no_face"),
    select(func.count(Capture.id)).where(Capture.state == CAPTURED).scalar_subquery().label("unsaved"),
    select(func.count(Job.id)).where(Job.state == FAILED).scalar_subquery().label("failed_jobs"),
)


@dataclass(frozen=True)
class Counts:
    """How much there is to do, by group. `consents` is 0 unless a consent is required to take a face. `drift`: the
    terminals with people changed there, with how many findings each. `left_there`: who left and is on a terminal
    though nobody removes them there. `backup_overdue`: the last one is too old. `low_disks`: those with little space
    left.

    A number above MAX_COUNTED may be given as MAX_COUNTED + 1.
    """

    removals: int
    left_there: Sequence[LeftThere]
    refused: int
    no_face: int
    problems: Sequence[Problem]
    drift: Sequence[tuple[Terminal, int]]
    consents: int
    unsaved: int
    failed_jobs: int
    worker_runs: bool
    backup_overdue: bool
    low_disks: Sequence[Disk]

    @property
    def total(self) -> int:
        """The number in the header."""
        people = self.removals + len(self.left_there) + self.refused + self.no_face + self.consents
        places = len(self.problems) + len(self.drift)
        of_server = (not self.worker_runs) + self.backup_overdue + len(self.low_disks)
        return min(people + places + self.unsaved + self.failed_jobs + of_server, MAX_COUNTED + 1)


@dataclass(frozen=True)
class Waiting:
    """The employees who wait for one terminal, since the first of them does."""

    terminal: Terminal
    employees: int
    since: datetime | None
    next_attempt_at: datetime | None


@dataclass(frozen=True)
class Unsaved:
    """A picture that is not saved, and the employee whose number was typed, if there is one."""

    capture: Capture
    employee_id: int | None


@dataclass(frozen=True)
class Overview:
    """The counts with the first rows of each group, the oldest first.

    A waiting enrolment is tried again by itself, and a missing consent that is not required may be no mistake: these
    two are not in `counts.total`. `affected`: how many employees wait until a terminal is corrected, by its id.
    `all_have_employees` is False when a number that has to leave has no employee any more.
    """

    counts: Counts
    removals: Sequence[Enrolment]
    all_have_employees: bool
    refused: Sequence[Enrolment]
    no_face: Sequence[Employee]
    waiting_count: int
    waiting: Sequence[Waiting]
    affected: dict[int, int]
    without_consent_count: int
    without_consent: Sequence[Employee]
    unsaved: Sequence[Unsaved]
    failed_jobs: Sequence[Job]
    has_terminals: bool
    last_backup: Backup | None

    @property
    def all_is_well(self) -> bool:
        """True when there is nothing to do, and nobody waits."""
        return self.counts.total == 0 and self.waiting_count == 0


def count() -> Counts:
    """Return how much there is to do."""
    problems = terminal_problems.find()
    if blocked := _blocked(problems):
        refused = count_rows_up_to(select(Employee.id).where(_refused(blocked)))
    else:
        refused = search.count_up_to(EmployeeFilter(state=REFUSED))
    return Counts(
        **db.session.execute(COUNTED).mappings().one(),
        left_there=left_there.find(),
        refused=refused,
        problems=problems,
        drift=people_changes.terminals_with_changes(),
        consents=search.count(WITHOUT_CONSENT) if consents.is_required() else 0,
        # On a full disk a worker can give no sign of life.
        worker_runs=heartbeat.alive() or no_space.full_disk() is not None,
        backup_overdue=records.is_overdue(),
        low_disks=[disk for disk in no_space.disks() if disk.is_low],
    )


def overview(counts: Counts, caller: str) -> Overview:
    """Return what there is to do, with the first rows of each group.

    :param counts: what count() returned.
    :param caller: the operator whose unsaved pictures come first.
    """
    blocked, no_consent = _blocked(counts.problems), counts.consents or search.count(WITHOUT_CONSENT)
    waiting = search.count_up_to(EmployeeFilter(state=WAITING))
    # Jobs that nobody has tried again since, or dismissed.
    failed = select(Job).where(Job.state == FAILED).order_by(Job.id.desc()).limit(MAX_SHOWN)
    return Overview(
        counts=counts,
        removals=queries.open_removals(MAX_SHOWN),
        all_have_employees=not queries.has_removals_without_employee(),
        refused=_stopped(blocked, many=counts.refused > MAX_COUNTED),
        no_face=_first(filters.in_state(filters.NO_FACE)) if counts.no_face else [],
        waiting_count=waiting,
        waiting=_waiting(many=waiting > MAX_COUNTED) if waiting else [],
        affected=_affected(counts.problems[:MAX_SHOWN]),
        without_consent_count=no_consent,
        without_consent=_first(*filters.conditions(WITHOUT_CONSENT)) if no_consent else [],
        unsaved=_unsaved(caller),
        failed_jobs=_rows(failed) if counts.failed_jobs else [],
        has_terminals=bool(registry.list_all()),
        last_backup=records.newest(),
    )


def _blocked(problems: Sequence[Problem]) -> list[int]:
    """Return the ids of the terminals where nobody can be enrolled, so their employees need no decision each."""
    return [problem.terminal.id for problem in problems if problem.blocks]


def _refused(blocked: list[int], *, many: bool = False) -> ColumnElement[bool]:
    """Return the condition on Employee: refused, and not only because a terminal is blocked.

    :param many: look each employee up. Where few are refused, the database begins with them instead.
    """
    refused = filters.in_state(REFUSED, each=many)
    if not blocked:
        return refused
    stopped = select(Enrolment.id).where(Enrolment.employee_id == Employee.id, _is_stopped(blocked))
    return and_(refused, stopped.exists())


def _is_stopped(blocked: list[int]) -> ColumnElement[bool]:
    """Return the condition on Enrolment: nothing is tried any more, at a terminal that is not blocked."""
    return and_(or_(*(and_(*facts) for facts in filters.STOPPED)), Enrolment.terminal_id.not_in(blocked))


def _first(*where: ColumnElement[bool]) -> list[Employee]:
    return _rows(select(Employee).where(*where).order_by(Employee.id).limit(MAX_SHOWN))


def _rows(statement: Select[Row]) -> list[Row]:
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())


def _stopped(blocked: list[int], *, many: bool) -> list[Enrolment]:
    """Return one enrolment of each refused employee, the first that a person must look at."""
    ids = [employee.id for employee in _first(_refused(blocked, many=many))]
    stopped = (Enrolment.employee_id.in_(ids), _is_stopped(blocked))
    first = select(func.min(Enrolment.id)).where(*stopped).group_by(Enrolment.employee_id)
    return _rows(select(Enrolment).where(Enrolment.id.in_(first)).order_by(Enrolment.employee_id))


def _waiting(*, many: bool) -> list[Waiting]:
    """Return one line for each terminal that active employees wait for.

    :param many: count no further than MAX_COUNTED + 1 at each terminal, beginning with the next attempts.
    """
    since = func.coalesce(Enrolment.desired_since, Enrolment.created_at).label("since")
    is_active = select(Employee.is_active).where(Employee.id == Enrolment.employee_id).scalar_subquery()
    of_active = select(Enrolment.terminal_id, since, Enrolment.next_attempt_at).where(is_active)
    if many:
        waits = or_(*(and_(*facts) for facts in filters.WAITS))
        due = (waits, filters.WANTED, Enrolment.next_attempt_at.is_not(None))
        at_terminals = (of_active.where(Enrolment.terminal_id == row.id, *due) for row in registry.list_all())
        parts = [select(part.limit(MAX_COUNTED + 1).subquery()) for part in at_terminals]
    else:
        parts = [of_active.where(*facts) for facts in filters.WAITS]
    waiting = union_all(*parts).subquery()
    counts = (func.count(), func.min(waiting.c.since), func.min(waiting.c.next_attempt_at))
    statement = select(Terminal, *counts).join(waiting, waiting.c.terminal_id == Terminal.id)
    with along_indexes():
        return [Waiting(*row) for row in db.session.execute(statement.group_by(Terminal.id).order_by(Terminal.name))]


def _affected(problems: Sequence[Problem]) -> dict[int, int]:
    """Return how many are refused only until a terminal is corrected, as its line's list counts them."""
    counted = (
        (terminal_id, search.count_up_to(EmployeeFilter(state=REFUSED, terminal=terminal_id)))
        for terminal_id in _blocked(problems)
    )
    return {terminal_id: employees for terminal_id, employees in counted if employees}


def _unsaved(caller: str) -> list[Unsaved]:
    """Return the first unsaved pictures, those of the caller before all others."""
    of_others = case((Capture.requested_by == caller, 0), else_=1)
    statement = (
        select(Capture, Employee.id)
        .outerjoin(Employee, Employee.number == Capture.draft_number)
        .where(Capture.state == CAPTURED)
        .order_by(of_others, Capture.id)
        .limit(MAX_SHOWN)
    )
    rows = db.session.execute(statement, execution_options={"populate_existing": True})
    return [Unsaved(capture, employee_id) for capture, employee_id in rows]
