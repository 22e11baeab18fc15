"""Reading a list that comes in pages of at most 30 (ISAPI guide, "Search"; more are cut in silence or refused)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hikflask.isapi.answer import Answer
from hikflask.isapi.codec import Json, rows, whole
from hikflask.isapi.errors import Nonsense

PAGE = 30
MOST_PAGES = 5000  # a terminal whose total grows with every page must not hold us
# Who is looked for by number is on the first page; firmware that ignores the number lists everybody: 12,000 people.
MOST_PAGES_BY_NUMBER = 400


@dataclass(frozen=True)
class Page:
    """One page: its rows and how many the whole list has."""

    rows: list[Json]
    total: int | None
    more: bool
    path: str


def page(answer: Answer, words: Json, rows_name: str) -> Page:
    """Read one page; words is the object that holds totalMatches and the list of this name."""
    found = rows(words.get(rows_name))
    return Page(found, whole(words.get("totalMatches")), words.get("responseStatusStrg") == "MORE", answer.path)


def every_row(ask: Callable[[int], Page], most: int = MOST_PAGES) -> Iterator[Json]:
    """Yield all rows; ask gets the position to start from; `most` is how many pages are read.

    The position advances by what was received and the end is where totalMatches says: who read one page as the whole
    list lost most of it.
    Raises: Nonsense when the list stops before its end, for "not on it" would then be a lie.
    """
    position = 0
    for _ in range(most):
        found = ask(position)
        yield from found.rows
        position += len(found.rows)
        if _is_last(found, position):
            return
        if not found.rows:
            raise Nonsense(message="the list stops before its end", path=found.path)
    raise Nonsense(message="the list has no end")


def _is_last(found: Page, position: int) -> bool:
    return not found.more if found.total is None else position >= found.total
