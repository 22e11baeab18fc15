"""People who left here and are on a terminal all the same, by its last comparison, though nobody removes them there.

So it is at a terminal that was taken into use with people on it, or where other software wrote somebody again. The ID
tells who it is, unless the terminal shows quite another name.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, func, or_, select

from hikflask.extensions import db
from hikflask.models import Comparison, Difference, Employee, Enrolment, Job, JobItem, PersonThere, Terminal
from hikflask.models.comparison import DONE, ONLY_THERE
from hikflask.models.enrolment import ABSENT
from hikflask.models.job import DONE as JOB_DONE
from hikflask.services.comparisons.plan import REMOVE
from hikflask.services.comparisons.queries import is_ignored
from hikflask.services.core.db import MAX_COUNTED
from hikflask.services.core.similar_names import are_similar
from hikflask.services.state.enrolment import IS_LEAVING_UNINDEXED


@dataclass(frozen=True)
class LingeringAccess:
    """An inactive employee on a terminal, as its last comparison found it."""

    employee_id: int
    number: str
    name: str
    terminal_id: int
    terminal: str
    left_at: datetime | None


# So many are looked at: those left there on purpose are among them.
MAX_LOOKED_AT = 5 * MAX_COUNTED
_IN_SERVICE = (Comparison.state == DONE, Terminal.retired_at.is_(None))
_NEWEST = select(func.max(Comparison.id)).join(Comparison.terminal).where(*_IN_SERVICE).group_by(Comparison.terminal_id)
_HERE = (Enrolment.terminal_id == Comparison.terminal_id, Enrolment.number == Difference.number)
# An open removal is a group of its own.
_IS_LEAVING = exists().where(*_HERE, IS_LEAVING_UNINDEXED)
# The enrolment of a removal that a plan chose is deleted at its end.
_IS_GONE = or_(
    exists().where(*_HERE, Enrolment.desired == ABSENT, Enrolment.confirmed_at > Comparison.ended_at),
    select(JobItem.id)
    .join(Job, Job.id == JobItem.job_id)
    .where(Job.terminal_id == Comparison.terminal_id, Job.created_at > Comparison.ended_at)
    .where(JobItem.number == Difference.number, JobItem.action == REMOVE, JobItem.state == JOB_DONE)
    .exists(),
)
# Of all who are only there, those who left here; only of these more is asked.
_LEFT = (
    select(Difference.id)
    .join(Employee, and_(Employee.number == Difference.number, ~Employee.is_active))
    .where(Difference.comparison_id.in_(_NEWEST), Difference.kind == ONLY_THERE)
    .limit(MAX_LOOKED_AT)
)
# Made once, as each page asks it: to make a statement costs more than to run it.
_FOUND = (
    select(
        Employee.id,
        Employee.number,
        Employee.name.label("name"),
        Terminal.id.label("terminal_id"),
        Terminal.name.label("terminal"),
        Employee.left_at,
        Employee.terminal_name.label("own_name"),
        PersonThere.name.label("name_there"),
    )
    .select_from(Difference)
    .join(Comparison, Comparison.id == Difference.comparison_id)
    .join(Comparison.terminal)
    .join(Employee, Employee.number == Difference.number)
    .join(PersonThere, and_(PersonThere.comparison_id == Comparison.id, PersonThere.number == Difference.number))
    .where(Difference.id.in_(_LEFT), ~is_ignored(), ~_IS_LEAVING, ~_IS_GONE)
    .order_by(Terminal.name, Employee.search)
    .limit(MAX_COUNTED + 1)
)


def find() -> list[LingeringAccess]:
    """Return them by terminal and name, no more than MAX_COUNTED + 1."""
    return [
        LingeringAccess(*row[:-2])
        for row in db.session.execute(_FOUND)
        if not row.name_there or any(are_similar(row.name_there, name) for name in (row.name, row.own_name))
    ]
