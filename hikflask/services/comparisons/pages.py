"""Checks that a page follows the one before, so that a list that changed in between is never taken for complete."""

from dataclasses import dataclass

from hikflask.isapi.paging import Page, ends
from hikflask.services.core.errors import ServiceError

MAX_NUMBER_LENGTH = 32
# No terminal holds more people or faces, whatever it states.
MAX_ROWS = 100_000


# Failures of the list itself; any other comparison failed by what its terminal answered.
LIST_FAILURES = {"list_changing", "list_incomplete", "list_too_long", "another_device", "comparison_replaced"}


class ComparisonFailed(ServiceError):
    """The list of the terminal could not be read to its end for certain, so nothing is concluded from it."""

    code = "comparison_failed"


class ListChanged(Exception):
    """The list is not the one that was begun. `failure` is the code of the refusal when it is read again in vain."""

    def __init__(self, failure: str) -> None:
        super().__init__(failure)
        self.failure = failure


@dataclass(frozen=True)
class ListProgress:
    """How far a list is read: so many rows, from the number `first` to `last`, of `total` (None: not told for certain).

    `capacity` is how many rows the terminal can have, as it states (None: not told). `numbers` are those that the last
    page added, and `is_last`: by the page no more follow. The next page begins at `position`, and its first `overlap`
    rows are known already.
    """

    read: int
    first: str
    last: str
    total: int | None
    capacity: int | None = None
    numbers: tuple[str, ...] = ()
    is_last: bool = False

    @property
    def overlap(self) -> int:
        """1 once something is read, since a page begins with the last row of the page before; 0 at first."""
        return min(self.read, 1)

    @property
    def position(self) -> int:
        """The position of the next page."""
        return self.read - self.overlap


def follow(place: ListProgress, page: Page) -> ListProgress:
    """Return how far a list is read with a page.

    :raises ListChanged: when the page does not continue the list. :raises list_incomplete: when the list stops before
        its end, or has a number that no terminal may have. :raises list_too_long: when it has too many rows.
    :raises Nonsense: when the page does not say whether it is the last one.
    """
    if place.read and page.numbers[:1] != (place.last,):
        # The same page again, whatever the position: nothing changed, but nothing more is told either.
        raise ListChanged("list_incomplete" if page.numbers[:1] == (place.first,) else "list_changing")
    total = page.list_length or place.total
    if place.total not in {None, total}:
        raise ListChanged("list_changing")
    new = page.numbers[place.overlap :]
    if any(len(number) > MAX_NUMBER_LENGTH for number in new):
        raise ComparisonFailed("list_incomplete")
    if len(set(new)) < len(new):
        raise ListChanged("list_incomplete")
    read, is_last = place.read + len(new), ends(page, place.position + len(page.numbers))
    if max(read, page.total or 0) > min(place.capacity or MAX_ROWS, MAX_ROWS):
        raise ComparisonFailed("list_too_long")
    if not is_last and not new:
        raise ComparisonFailed("list_incomplete")
    if is_last and total not in {None, read}:
        raise ListChanged("list_incomplete")
    first, last = (place.first or new[0], new[-1]) if new else (place.first, place.last)
    return ListProgress(read, first, last, total, place.capacity, new, is_last)
