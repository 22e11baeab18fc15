"""When so many people would be removed from a terminal at once that their number must be typed first."""

from collections.abc import Iterable

from hikflask.services.core.errors import UnsafePlan

# More removals than this, or than this part of a terminal's people.
MOST_REMOVALS = 20
MOST_PART = 0.1


def are_many(removals: int, people: int) -> bool:
    """True when a terminal with this many people would lose too many of them to do so unasked."""
    return removals > MOST_REMOVALS or removals > MOST_PART * people


def require_confirmed(terminals: Iterable[tuple[int, int]], count: int, confirm: int | None) -> None:
    """Refuse to remove many, unless their number is confirmed.

    :param terminals: of each terminal the removals, and how many people it has.
    :param count: the number to confirm.
    :raises UnsafePlan: with that number.
    """
    if confirm != count and any(are_many(removals, people) for removals, people in terminals):
        raise UnsafePlan(count)
