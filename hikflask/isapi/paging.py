"""Reads a list in pages of at most 30 rows (ISAPI guide, "Search"; larger pages are silently cut or refused).

A person who is missing in a list counts as absent, so a list is used only when it was read to its end for certain.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hikflask.isapi.answer import Answer
from hikflask.isapi.codec import Json, counted, number_in, rows
from hikflask.isapi.errors import Nonsense

PAGE = 30
# A search by number has one page. Firmware that ignores the number lists everybody, up to 12,000 people. A list that
# never ends must not hold a worker.
MAX_PAGES = 400
OK, MORE = "OK", "MORE"
NO_MATCH = {"NO MATCH", "NO MATCHES"}  # also with an underscore (three clients)


@dataclass(frozen=True)
class Page:
    """One page: rows with their numbers, the length of the whole list (None when not sent), and responseStatusStrg.

    `is_cut`: the terminal sent more rows than requested. Those are left out, so more follows whatever it says.
    """

    rows: list[tuple[str, Json]]
    total: int | None
    word: str
    path: str
    is_cut: bool = False

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers of the rows."""
        return tuple(number for number, _ in self.rows)

    @property
    def list_length(self) -> int | None:
        """The length of the whole list; None when it is not sent, or may be that of the page alone (two firmwares)."""
        return None if self.total == len(self.rows) else self.total

    @property
    def is_past_the_end(self) -> bool:
        """True when the terminal says that there is nothing at this position."""
        return not self.rows and not self.is_cut and self.word in {OK, *NO_MATCH}


def page(answer: Answer, words: Json, rows_name: str, number_name: str) -> Page:
    """Read one page of at most PAGE rows.

    Args: words is the object with totalMatches, responseStatusStrg and the list; rows_name is the list's name, and
    number_name the name of the number in a row.
    :raises Nonsense: when it is not a list, or a row has no number.
    """
    value = words.get(rows_name)
    listed = rows(value)
    # Without a value there should be no row; a value that is not a list should be one.
    if len(listed) != (len(value) if isinstance(value, list) else int(value is not None)):
        raise Nonsense(message=f"{rows_name} is no list", path=answer.path)
    numbered = [(number_in(row, number_name), row) for row in listed[:PAGE]]
    if not all(number for number, _ in numbered):
        raise Nonsense(message=f"a row without {number_name}", path=answer.path)
    word = str(words.get("responseStatusStrg") or "").strip().upper().replace("_", " ")
    return Page(numbered, counted(words.get("totalMatches")), word, answer.path, is_cut=len(listed) > PAGE)


def every_row(ask: Callable[[int], Page]) -> Iterator[tuple[str, Json]]:
    """Yield all rows with their numbers.

    The position advances by the rows received. The list ends where its length says so, or with a page that is shorter
    than was asked for and an empty one after it.

    Args: ask returns the page that starts at a position.
    :raises Nonsense: when the list may be incomplete, because "not in the list" would then prove nothing.
    """
    position, total, last = 0, None, 0
    seen: set[tuple[str, ...]] = set()
    for _ in range(MAX_PAGES):
        current = ask(position)
        if current.rows and current.numbers in seen:
            raise Nonsense(message="the list repeats itself", path=current.path)
        seen.add(current.numbers)
        yield from current.rows
        position += len(current.rows)
        if total is not None and current.rows and current.list_length not in {None, total}:
            raise Nonsense(message="the list changed while it was read", path=current.path)
        total = current.list_length if total is None else total
        if _is_whole(current, position, total, last):
            return
        if not current.rows:
            raise Nonsense(message="the list stops before its end", path=current.path)
        last = len(current.rows)
    raise Nonsense(message="the list has no end")


def _is_whole(current: Page, position: int, total: int | None, last: int) -> bool:
    """True when a list ends for certain with this page, which comes after one of `last` rows.

    :raises Nonsense: when the page says neither that the list ends nor that more follows.
    """
    says_so = (position > 0 and current.is_past_the_end) or ends(current, position)
    if not position or position == total:
        return says_so
    return says_so and total is None and not current.rows and last < PAGE


def ends(current: Page, position: int) -> bool:
    """True when a terminal says that this is the last page of its list. That alone proves nothing.

    Args: position is where the next page would begin.
    :raises Nonsense: when the page says neither that the list ends nor that more follows.
    """
    if current.is_cut:
        return False
    whole_list = current.total is not None and position >= current.total
    if current.word == MORE:
        return whole_list and position > 0
    if current.word == OK:
        return whole_list or (current.total is None and bool(current.rows))
    if current.word in NO_MATCH and not current.rows:
        return whole_list or current.total is None
    if not current.word and not current.rows and current.total == 0:
        return True
    raise Nonsense(message="the list does not say whether it is whole", path=current.path)
