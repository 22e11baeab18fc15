"""What a service answers that changes what is desired of terminals."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True)
class Changed(Generic[Row]):
    """The row that it was about, and the ids of the enrolments that are now due, to be reconciled at once."""

    row: Row
    due: tuple[int, ...]
