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
MOST_PAGES = 400
OK, MORE = "OK", "MORE"
NO_MATCH = {"NO MATCH", "NO MATCHES"}  # also with an underscore (three clients)


@dataclass(frozen=True)
class Page:
    """One page: rows with their numbers, the length of the whole list (None when not told), and responseStatusStrg.

    `is_cut`: the terminal sent more rows than were asked for. Those are left out, so more follows whatever it says.
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


def page(answer: Answer, words: Json, rows_name: str, number_name: str) -> Page:
    """Read one page of at most PAGE rows.

    Args: words is the object with totalMatches, responseStatusStrg and the list; rows_name is the list's name, and
    number_name the name of the number in a row.
    Raises: Nonsense when it is not a list, or a row has no number.
    """
    listed = words.get(rows_name)
    found = rows(listed)
    if len(found) != _length(listed):
        raise Nonsense(message=f"{rows_name} is no list", path=answer.path)
    numbered = [(number_in(row, number_name), row) for row in found[:PAGE]]
    if not all(number for number, _ in numbered):
        raise Nonsense(message=f"a row without {number_name}", path=answer.path)
    word = str(words.get("responseStatusStrg") or "").strip().upper().replace("_", " ")
    return Page(numbered, counted(words.get("totalMatches")), word, answer.path, is_cut=len(found) > PAGE)


def _length(listed: object) -> int:
    """Return how many rows there should be: none without a value, one for a value that is not a list."""
    if listed is None:
        return 0
    return len(listed) if isinstance(listed, list) else 1


def every_row(ask: Callable[[int], Page]) -> Iterator[tuple[str, Json]]:
    """Yield all rows with their numbers.

    The position advances by the rows received, and totalMatches says where the list ends.

    Args: ask returns the page that starts at a position.
    Raises: Nonsense when the list may be incomplete, because "not in the list" would then prove nothing.
    """
    position, total = 0, None
    seen: set[tuple[str, ...]] = set()
    for _ in range(MOST_PAGES):
        found = ask(position)
        if found.rows and found.numbers in seen:
            raise Nonsense(message="the list repeats itself", path=found.path)
        seen.add(found.numbers)
        yield from found.rows
        total = found.total if total is None else total
        position += len(found.rows)
        if found.total not in {None, total}:
            raise Nonsense(message="the list changed while it was read", path=found.path)
        if ends(found, position):
            return
        if not found.rows:
            raise Nonsense(message="the list stops before its end", path=found.path)
    raise Nonsense(message="the list has no end")


def ends(found: Page, position: int) -> bool:
    """True when this is the last page of a list.

    Args: position is where the next page would begin.
    Raises: Nonsense when the page tells neither the end nor that more follows.
    """
    if found.is_cut:
        return False
    whole_list = found.total is not None and position >= found.total
    if found.word == MORE:
        return whole_list and position > 0
    if found.word == OK:
        return whole_list or (found.total is None and bool(found.rows))
    if found.word in NO_MATCH and not found.rows:
        return whole_list or found.total is None
    if not found.word and not found.rows and found.total == 0:
        return True
    raise Nonsense(message="the list does not say whether it is whole", path=found.path)
