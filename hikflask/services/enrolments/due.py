"""What is to be done now: the one shape in which services answer a change of what is desired."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from hikflask.extensions import db
from hikflask.services.enrolments import queries

Row = TypeVar("Row")


@dataclass(frozen=True)
class Changed(Generic[Row]):
    """The row that a service changed, and the ids of the enrolments that are to be reconciled at once."""

    row: Row
    due: tuple[int, ...]


def due_of(number: str) -> tuple[int, ...]:
    """Return the ids of a number's enrolments of which something is left to do."""
    due = tuple(enrolment.id for enrolment in queries.of_number(number) if enrolment.next_attempt_at is not None)
    # Asked after a service's commit: no transaction stays open while a terminal is waited for.
    db.session.commit()
    return due
