"""The rule for many people who lose access to a terminal at once: an administrator confirms their number first.

Every service that may take a terminal from several people asks for `Confirmation`, and requires it for what it counted.
So this is the same rule behind every page, call and command. A single employee is saved or deleted without it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.enrolment import PRESENT
from hikflask.services import audit
from hikflask.services.accounts import rate_limit
from hikflask.services.core.dates import today
from hikflask.services.core.errors import AdministratorNeeded, UnsafePlan

# More people than this, or than this part of those on a terminal; fewer than three are never many.
MAX_UNCONFIRMED = 20
MAX_SHARE, MIN_MANY = 0.1, 3
# What somebody took without a confirmation counts for so long, in seconds: many in ten pieces are many.
TAKEN_WINDOW = 86400.0
# So many terminals are named in a refusal.
MAX_NAMED = 5
# An employee and a terminal, by their ids.
Pair = tuple[int, int]
# The first and the last day; None is no limit.
Days = tuple[date | None, date | None]
_LOST: ContextVar[list[Pair] | None] = ContextVar("lost", default=None)


@dataclass(frozen=True)
class Confirmation:
    """The number of people who lose access, as somebody typed or sent it, and whether an administrator did.

    On a page an administrator counts as one once the password was given again.
    """

    confirm: int | None
    by_admin: bool

    @property
    def as_json(self) -> dict[str, Any]:
        """The values as a job keeps them among its params."""
        return asdict(self)


@dataclass(frozen=True)
class Loss:
    """How many people lose access to a terminal, and how many have it."""

    terminal_id: int
    terminal: str
    loses: int
    people: int


@dataclass(frozen=True)
class Losses:
    """How many people lose access at each terminal, in the order of the names, and in all."""

    terminals: tuple[Loss, ...] = ()
    people: int = 0

    def __bool__(self) -> bool:
        """True when somebody loses access."""
        return bool(self.terminals)

    @property
    def as_json(self) -> dict[str, Any]:
        """The values as a job keeps them among its params."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Losses":
        """Return what as_json() made."""
        return cls(tuple(Loss(**loss) for loss in kept["terminals"]), kept["people"])

    @property
    def exceeds_limit(self) -> bool:
        """True when an administrator must confirm their number; what the actor took within a day is added."""
        return bool(self) and self._exceeds_limit_with(rate_limit.counted(self._counts.keys(), TAKEN_WINDOW))

    @property
    def taken_before(self) -> int:
        """From how many people the actor took access within a day, without a confirmation."""
        return rate_limit.counted([_taken_key()], TAKEN_WINDOW).get(_taken_key(), 0)

    @property
    def _counts(self) -> dict[str, int]:
        """What is counted of these losses, by the keys of its counts."""
        return {_taken_key(): self.people, **{_taken_key(loss.terminal_id): loss.loses for loss in self.terminals}}

    def _exceeds_limit_with(self, before: Mapping[str, int]) -> bool:
        if self.people + before.get(_taken_key(), 0) > MAX_UNCONFIRMED:
            return True
        counts = [(loss, before.get(_taken_key(loss.terminal_id), 0)) for loss in self.terminals]
        return any(exceeds_limit(loss.loses + taken, loss.people + taken) for loss, taken in counts)

    def __add__(self, other: "Losses") -> "Losses":
        """Return both; a terminal is among them twice."""
        return Losses((*self.terminals, *other.terminals), self.people + other.people)

    def are_exceeded_by(self, taken: Mapping[int, int], people: int) -> bool:
        """True when, of so many people, or of these by terminal, many lose access of whom this does not know."""
        if people > max(self.people, MAX_UNCONFIRMED):
            return True
        agreed = Counter[int]()
        for loss in self.terminals:
            agreed[loss.terminal_id] += loss.loses
        more = {terminal_id: count for terminal_id, count in taken.items() if count > agreed[terminal_id]}
        # Of what nobody agreed to one person may be too many.
        return any(_exceed(count, count + count_present(terminal_id)) for terminal_id, count in more.items())

    def require(self, agreed: Confirmation) -> None:
        """Refuse to take access from many, unless an administrator confirmed their number; of few, count them.

        It is called in the transaction in which they lose it.

        :raises AdministratorNeeded: :raises UnsafePlan: with that number.
        """
        if not self or (agreed.by_admin and agreed.confirm == self.people):
            return
        # Added before it is decided: of two calls in the same moment the second waits for the first.
        with_these = {key: rate_limit.add(key, count, TAKEN_WINDOW) for key, count in self._counts.items()}
        if not self._exceeds_limit_with({key: count - self._counts[key] for key, count in with_these.items()}):
            return
        if not agreed.by_admin:
            raise self.refusal
        raise UnsafePlan(self.people)

    @property
    def refusal(self) -> AdministratorNeeded:
        """What to raise where somebody else than an administrator asks for it."""
        names = [loss.terminal for loss in self.terminals]
        more = ["…"] if len(names) > MAX_NAMED else []
        return AdministratorNeeded(self.people, ", ".join([*names[:MAX_NAMED], *more]))


def exceeds_limit(removals: int, people: int) -> bool:
    """True when a terminal with this many people would lose so many that a person must confirm it."""
    return removals >= MIN_MANY and _exceed(removals, people)


def _exceed(removals: int, people: int) -> bool:
    return removals > MAX_UNCONFIRMED or removals > MAX_SHARE * people


def take_access(before: Days, after: Days) -> bool:
    """True when other days take access: a later first day, still to come, or an earlier last day."""
    (first_before, last_before), (first, last) = before, after
    is_later = first is not None and first > today() and (first_before is None or first > first_before)
    is_earlier = last is not None and (last_before is None or last < last_before)
    return is_later or is_earlier


def _taken_key(terminal_id: int | None = None) -> str:
    """Return the key of what the actor took: from how many people, or from how many of them this terminal."""
    return f"taken:{'' if terminal_id is None else terminal_id}:{audit.current_actor().name}"


@contextmanager
def collected_losses() -> Iterator[list[Pair]]:
    """Collect, while the block runs, from whom groups, or other days, take which terminals."""
    lost: list[Pair] = []
    token = _LOST.set(lost)
    try:
        yield lost
    finally:
        _LOST.reset(token)


def add_loss(employee_id: int, terminal_id: int) -> None:
    """Add a terminal that a group, or other days, take from a person to the losses that are collected, if any are."""
    lost = _LOST.get()
    if lost is not None:
        lost.append((employee_id, terminal_id))


def losses_of_people(people: Select[Any]) -> Losses:
    """Return how many lose access, by terminal, when the employees with the ids of a statement leave all terminals."""
    return losses_of(pairs_of(people))


def pairs_of(people: Select[Any], *where: ColumnElement[bool]) -> set[Pair]:
    """Return these employees with each terminal on which they are desired, of those enrolments that are so."""
    rows = select(Enrolment.employee_id, Enrolment.terminal_id).where(
        Enrolment.desired == PRESENT, Enrolment.employee_id.in_(people), *where
    )
    return {(employee_id, terminal_id) for employee_id, terminal_id in db.session.execute(rows) if employee_id}


def count_present(terminal_id: int) -> int:
    """Return how many are desired on a terminal."""
    there = (Enrolment.terminal_id == terminal_id, Enrolment.desired == PRESENT)
    return db.session.execute(select(func.count(Enrolment.id)).where(*there)).scalar_one()


def losses_of(pairs: Iterable[Pair]) -> Losses:
    """Return how many lose access, by terminal, when each of these employees leaves that terminal."""
    lost = {*pairs}
    loses = Counter(terminal_id for _, terminal_id in lost)
    people = (
        select(Terminal.id, Terminal.name, func.count(Enrolment.id))
        .join(Enrolment, Enrolment.terminal_id == Terminal.id)
        .where(Terminal.id.in_(loses), Enrolment.desired == PRESENT)
        .group_by(Terminal.id, Terminal.name)
        .order_by(Terminal.name)
    )
    rows = db.session.execute(people)
    terminals = tuple(Loss(terminal_id, name, loses[terminal_id], count) for terminal_id, name, count in rows)
    return Losses(terminals, len({employee_id for employee_id, _ in lost}))
