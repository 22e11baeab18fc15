"""Reads enrolments as the database has them now."""

from sqlalchemy import ScalarResult, Select, func, or_, select

from hikflask.extensions import db
from hikflask.models import Enrolment
from hikflask.models.enrolment import PRESENT
from hikflask.services.core.errors import EnrolmentUnknown
from hikflask.services.state.enrolment import IS_LEAVING


def get(enrolment_id: int) -> Enrolment | None:
    """Return the enrolment, or None."""
    return db.session.get(Enrolment, enrolment_id, populate_existing=True)


def row(enrolment_id: int) -> Enrolment:
    """Return the enrolment, without leaving a transaction open.

    :raises EnrolmentUnknown: when it ended, as a removal does that the terminal confirmed.
    """
    enrolment = get(enrolment_id)
    db.session.commit()
    if enrolment is None:
        raise EnrolmentUnknown
    return enrolment


def find(terminal_id: int, number: str, *, lock: bool = False) -> Enrolment | None:
    """Return the enrolment of a number on a terminal, or None.

    :param lock: keep conversations from writing to it until the caller's transaction ends.
    """
    statement = select(Enrolment).where(Enrolment.terminal_id == terminal_id, Enrolment.number == number)
    return _fresh(statement, lock).one_or_none()


def of_number(number: str, *, lock: bool = False) -> list[Enrolment]:
    """Return the enrolments of a number; `lock` as for find()."""
    statement = select(Enrolment).where(Enrolment.number == number).order_by(Enrolment.terminal_id)
    return list(_fresh(statement, lock))


def of_person(number: str, employee_id: int | None, *, lock: bool = False) -> list[Enrolment]:
    """Return those of a number, and of the numbers that the employee had before; `lock` as for find()."""
    mine = or_(Enrolment.number == number, Enrolment.employee_id == employee_id)
    if employee_id is None:
        mine = Enrolment.number == number
    return list(_fresh(select(Enrolment).where(mine).order_by(Enrolment.terminal_id, Enrolment.id), lock))


def desired_of(number: str) -> list[Enrolment]:
    """Return the enrolments of a number where it is to be."""
    return [enrolment for enrolment in of_number(number) if enrolment.desired == PRESENT]


def open_removals() -> list[Enrolment]:
    """Return the removals that no terminal confirmed yet, the oldest first: these numbers may still open doors."""
    since = func.coalesce(Enrolment.desired_since, Enrolment.created_at)
    return list(_fresh(select(Enrolment).where(IS_LEAVING).order_by(since, Enrolment.id)))


def count_open_removals() -> int:
    """Return how many removals no terminal confirmed yet."""
    return db.session.execute(select(func.count(Enrolment.id)).where(IS_LEAVING)).scalar_one()


def _fresh(statement: Select[Enrolment], lock: bool = False) -> ScalarResult[Enrolment]:
    statement = statement.with_for_update() if lock else statement
    return db.session.execute(statement, execution_options={"populate_existing": True}).scalars()
