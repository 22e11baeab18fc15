"""The decisions to leave differences as they are, with the names of their people, as a page shows them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Employee, LeftAlone
from hikflask.models.comparison import Comparison, PersonThere
from hikflask.services.comparisons import queries


@dataclass(frozen=True)
class Left:
    """A difference that is left as it is, with the name of its person here, else on the terminal, else the number."""

    id: int
    number: str
    kind: str
    name: str
    employee_id: int | None
    decided_by: str
    decided_at: datetime
    reason: str


def left(comparison: Comparison, decisions: Collection[LeftAlone]) -> list[Left]:
    """Return decisions with the names of their people."""
    numbers = [decision.number for decision in decisions]
    there = {one.number: one for one in queries.people(comparison.id, numbers)}
    here = {
        one.number: one for one in db.session.execute(select(Employee).where(Employee.number.in_(numbers))).scalars()
    }
    return [_left(one, here.get(one.number), there.get(one.number)) for one in decisions]


def _left(decision: LeftAlone, employee: Employee | None, person: PersonThere | None) -> Left:
    name = employee.name if employee else person.name if person else ""
    return Left(
        id=decision.id,
        number=decision.number,
        kind=decision.kind,
        name=name or decision.number,
        employee_id=employee.id if employee else None,
        decided_by=decision.decided_by,
        decided_at=decision.decided_at,
        reason=decision.reason,
    )
