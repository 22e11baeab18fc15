"""Whose face an undo does not bring back: people whom the import removed from a terminal that takes no photo files.

Such a terminal has a face only where it was captured, or taken over with its person, and a removal removes it, too.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from operator import attrgetter

from sqlalchemy import or_, select

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Enrolment, ImportRow, Photo, Terminal
from hikflask.models.enrolment import ABSENT, LEAVING
from hikflask.models.people import TAKEN_OVER
from hikflask.models.terminal import BY_URL
from hikflask.services.imports.apply import FORMER_ENROLMENTS

# So many people of a terminal are named.
MAX_NAMED = 5


@dataclass(frozen=True)
class LostFaces:
    """The people of one terminal who must be photographed there again once an import is undone.

    `leaving`: how many of them the terminal has not removed yet, so their faces may stay. `names` and `numbers` are
    those of the first.
    """

    terminal_id: int
    terminal: str
    people: int
    leaving: int
    names: tuple[str, ...]
    numbers: tuple[str, ...]

    @property
    def unnamed(self) -> int:
        """How many more there are."""
        return self.people - len(self.names)


class LostFacesCount:
    """Counts lost faces by terminal, portion by portion of the rows that can be undone."""

    def __init__(self) -> None:
        """Begin with none."""
        by_url = select(Terminal.id, Terminal.name).where(Terminal.face_mode == BY_URL, Terminal.retired_at.is_(None))
        self._terminals = {terminal_id: name for terminal_id, name in db.session.execute(by_url)}
        self._lost: dict[int, list[tuple[str, str, bool]]] = defaultdict(list)

    def add(self, rows: Iterable[tuple[ImportRow, Employee]]) -> None:
        """Count the faces of one portion of rows with their employees; it asks the database.

        :param rows: of people who are here, once each, with what the import wrote.
        """
        former = [
            (terminal_id, row.number, employee.name, photo_id)
            for row, employee in rows
            for terminal_id, photo_id, *_ in (row.written or {})[FORMER_ENROLMENTS]
            if photo_id and terminal_id in self._terminals
        ]
        if not former:
            return
        removed = _removed({number for _, number, *_ in former})
        enrolled_at = _enrolled_at({photo_id for *_, photo_id in former})
        for terminal_id, number, name, photo_id in former:
            at_terminal = (terminal_id, number)
            if at_terminal in removed and enrolled_at.get(photo_id, 0) in {None, terminal_id}:
                self._lost[terminal_id].append((name, number, removed[at_terminal] == LEAVING))

    @property
    def by_terminal(self) -> tuple[LostFaces, ...]:
        """The lost faces of each terminal, in the order of the names."""
        counted = (
            LostFaces(
                terminal_id=terminal_id,
                terminal=self._terminals[terminal_id],
                people=len(people),
                leaving=sum(is_leaving for *_, is_leaving in people),
                names=tuple(name for name, *_ in sorted(people)[:MAX_NAMED]),
                numbers=tuple(number for _, number, _ in sorted(people)[:MAX_NAMED]),
            )
            for terminal_id, people in self._lost.items()
        )
        return tuple(sorted(counted, key=attrgetter("terminal")))


def _removed(numbers: Collection[str]) -> dict[tuple[int, str], str]:
    """Return the states of the enrolments that are not desired any more, by terminal and number."""
    absent = (Enrolment.number.in_(numbers), Enrolment.desired == ABSENT)
    states = select(Enrolment.terminal_id, Enrolment.number, Enrolment.state).where(*absent)
    return {(terminal_id, number): state for terminal_id, number, state in db.session.execute(states)}


def _enrolled_at(photo_ids: Collection[int]) -> dict[int, int | None]:
    """Return at which terminal each of these faces was captured; None: it was taken over from a terminal."""
    at_a_terminal = (or_(Capture.face_url.is_not(None), Photo.source == TAKEN_OVER), Photo.forgotten_at.is_(None))
    statement = select(Photo.id, Capture.terminal_id).outerjoin(Capture, Capture.photo_id == Photo.id)
    found = db.session.execute(statement.where(Photo.id.in_(photo_ids), *at_a_terminal))
    return {photo_id: terminal_id for photo_id, terminal_id in found}
