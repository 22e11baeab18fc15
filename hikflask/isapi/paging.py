"""Reading a list that comes in pages of at most 30 (ISAPI guide, "Search"; more are cut in silence or refused).

Who is not on a list is taken to be nowhere, so a list counts only when it surely was read to its end.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hikflask.isapi.answer import Answer
from hikflask.isapi.codec import Json, counted, number_in, rows
from hikflask.isapi.errors import Nonsense

PAGE = 30
# Who is looked for by number is on the first page; firmware that ignores the number lists everybody: 12,000 people.
# One that always has more must not hold us.
MOST_PAGES = 400
OK, MORE = "OK", "MORE"
NO_MATCH = {"NO MATCH", "NO MATCHES"}  # also with an underscore (three clients)


@dataclass(frozen=True)
class Page:
    """One page: its rows by number, how many the whole list has (None where not told), the terminal's word for it."""

    rows: list[tuple[str, Json]]
    total: int | None
    word: str
    path: str

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers of its rows."""
        return tuple(number for number, _ in self.rows)


def page(answer: Answer, words: Json, rows_name: str, number_name: str) -> Page:
    """Read one page; words is the object that holds totalMatches, responseStatusStrg and the list of this name.

    Raises: Nonsense when the list is none, or a row has no number.
    """
    listed = words.get(rows_name)
    found = rows(listed)
    if len(found) != _length(listed):
        raise Nonsense(message=f"{rows_name} is no list", path=answer.path)
    numbered = [(number_in(row, number_name), row) for row in found]
    if not all(number for number, _ in numbered):
        raise Nonsense(message=f"a row without {number_name}", path=answer.path)
    word = str(words.get("responseStatusStrg") or "").strip().upper().replace("_", " ")
    return Page(numbered, counted(words.get("totalMatches")), word, answer.path)


def _length(listed: object) -> int:
    """How many rows there should be: none where nothing is told, one where it is no list."""
    if listed is None:
        return 0
    return len(listed) if isinstance(listed, list) else 1


def every_row(ask: Callable[[int], Page]) -> Iterator[tuple[str, Json]]:
    """Yield all rows with their numbers; ask gets the position to start from.

    The position advances by what was received and the end is where totalMatches says: who read one page as the whole
    list lost most of it.
    Raises: Nonsense when the list does not surely end, for "not on it" would then be a lie.
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
        if _is_last(found, position):
            return
        if not found.rows:
            raise Nonsense(message="the list stops before its end", path=found.path)
    raise Nonsense(message="the list has no end")


def _is_last(found: Page, position: int) -> bool:
    """True at the end. Raises: Nonsense for a page that says neither that it is the end nor that there is more."""
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
