"""The people of a terminal, the worst state first, and how many wait or need a person at each terminal.

Every read follows an index for a few rows, so it costs the same however many people there are.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import joinedload

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.models.enrolment import CONFIRMED, LEAVING, REFUSED, WAITING
from hikflask.services.employees import search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.state.enrolment import is_in

WORST_FIRST = (LEAVING, REFUSED, WAITING, CONFIRMED)


@dataclass(frozen=True)
class Open:
    """How many employees wait for a terminal, and how many need a person there, as the list's filters count them."""

    waiting: int
    refused: int


def worst_first(terminal: Terminal, limit: int) -> list[Enrolment]:
    """Return some of the enrolments of a terminal with their employees: the worst state first, then the latest."""
    rows: list[Enrolment] = []
    for state in WORST_FIRST:
        some = select(Enrolment).where(
            Enrolment.terminal_id == terminal.id, is_in(state), Enrolment.employee_id.is_not(None)
        )
        some = some.options(joinedload(Enrolment.employee).joinedload(Employee.photo), joinedload(Enrolment.terminal))
        latest = some.order_by(Enrolment.changed_at.desc(), Enrolment.id.desc()).limit(limit - len(rows))
        rows += db.session.execute(latest, execution_options={"populate_existing": True}).scalars()
        if len(rows) == limit:
            break
    return rows


def open_at(terminals: Collection[Terminal]) -> dict[int, Open]:
    """Return those of these terminals for which somebody waits or needs a person, by their ids."""
    here = Enrolment.terminal_id == Terminal.id
    somebody = select(Terminal.id).where(exists().where(here, is_in(WAITING)) | exists().where(here, is_in(REFUSED)))
    ids = set(db.session.execute(somebody).scalars())
    # There somebody who is confirmed may wait for a check.
    ids |= {row.id for row in terminals if not row.is_checked}
    shown = [row.id for row in terminals if row.id in ids]
    counts = {terminal_id: Open(_count(terminal_id, WAITING), _count(terminal_id, REFUSED)) for terminal_id in shown}
    return {terminal_id: count for terminal_id, count in counts.items() if count != Open(0, 0)}


def _count(terminal_id: int, state: str) -> int:
    return search.count_up_to(EmployeeFilter(state=state, terminal=terminal_id))
