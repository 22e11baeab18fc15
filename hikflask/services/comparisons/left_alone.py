"""Differences that people decided to leave as they are: with who, why, and what was there then.

A decision holds while the same is there. When something else is there, the difference is shown again.
"""

from hikflask.models import LeftAlone
from hikflask.models.comparison import Comparison


def leave(comparison_id: int, kind: str, number: str, reason: str = "") -> bool:
    """Leave a difference of a finished comparison as it is, for as long as the same is there. The actor is who decided.

    An enrolment that is not as desired because of it is not tried again, and is not shown in green.

    :return: False when the comparison has no such difference any more.
    :raises ComparisonUnknown: when there is no such comparison.
    """
    raise NotImplementedError


def leave_kind(comparison_id: int, kind: str, reason: str = "") -> int:
    """Leave all differences of a kind that are not left alone yet; return how many they are.

    :raises ComparisonUnknown: when there is no such comparison.
    """
    raise NotImplementedError


def take_back(terminal_id: int, kind: str, number: str) -> bool:
    """Take a decision back: the difference is shown again, and its enrolment tried again. False when there is none."""
    raise NotImplementedError


def decisions(comparison: Comparison, after: int = 0, limit: int = 50) -> list[LeftAlone]:
    """Return the decisions that hide a difference of this comparison, by id; `after` is the last id already shown."""
    raise NotImplementedError
