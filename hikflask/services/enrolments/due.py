"""The due enrolments: every service that changes the desired state returns them in the same form."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from hikflask.services.enrolments import queries

Row = TypeVar("Row")


@dataclass(frozen=True)
class Changed(Generic[Row]):
    """The row that a service changed, and the ids of the enrolments that should be reconciled at once."""

    row: Row
    due: tuple[int, ...]


def due_of(number: str) -> tuple[int, ...]:
    """Return the ids of a number's enrolments that still have an attempt to come."""
    return tuple(enrolment.id for enrolment in queries.of_number(number) if enrolment.next_attempt_at is not None)
