"""The result of a service that changes the desired state of terminals."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True)
class Changed(Generic[Row]):
    """The changed row, and the ids of the enrolments that are now due and should be reconciled at once."""

    row: Row
    due: tuple[int, ...]
