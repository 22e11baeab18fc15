"""What a service that changes the desired state returns: the row, and the enrolments to reconcile at once."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from hikflask.services.enrolments import queries

Row = TypeVar("Row")


@dataclass(frozen=True)
class ChangedRow(Generic[Row]):
    """A row that a service changed, with the ids of the enrolments that should be reconciled at once."""

    row: Row
    due: tuple[int, ...]


def due_of(number: str) -> tuple[int, ...]:
    """Return the ids of a number's enrolments that still have an attempt to come."""
    return tuple(enrolment.id for enrolment in queries.of_number(number) if enrolment.next_attempt_at is not None)
