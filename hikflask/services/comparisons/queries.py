"""Reads comparisons and what they found, always fresh from the database."""

from collections.abc import Mapping
from dataclasses import dataclass

from hikflask.models import Employee, Enrolment
from hikflask.models.comparison import Comparison, PersonThere


@dataclass(frozen=True)
class Row:
    """One difference: the number with all its kinds, what is there, and what is desired here.

    `there` is None for a number that is only here, `enrolment` for one that is only there. `employee` is who has the
    number here, also when not desired on this terminal. `name_wanted` is the name that the terminal should show.
    """

    id: int
    number: str
    kinds: tuple[str, ...]
    there: PersonThere | None
    enrolment: Enrolment | None
    employee: Employee | None
    name_wanted: str


def get(comparison_id: int) -> Comparison | None:
    """Return the comparison, or None."""
    raise NotImplementedError


def row(comparison_id: int) -> Comparison:
    """Return the comparison.

    :raises ComparisonUnknown: when there is no such row.
    """
    raise NotImplementedError


def latest(terminal_id: int) -> Comparison | None:
    """Return the newest comparison of a terminal, whatever its state, or None."""
    raise NotImplementedError


def finished(terminal_id: int) -> Comparison | None:
    """Return the newest finished comparison of a terminal, or None. A plan is made from this one."""
    raise NotImplementedError


def counts(comparison: Comparison) -> Mapping[str, int]:
    """Return how many differences of each kind are shown, in the order of KINDS; those left alone are not counted."""
    raise NotImplementedError


def count_left_alone(comparison: Comparison) -> int:
    """Return how many differences are hidden because a person left them alone."""
    raise NotImplementedError


def rows(comparison: Comparison, kind: str, after: int = 0, limit: int = 50) -> list[Row]:
    """Return a page of the differences of one kind, those left alone excepted.

    :param after: the `id` of the last row that is already shown; 0 begins.
    """
    raise NotImplementedError


def numbers(comparison: Comparison) -> Mapping[str, list[str]]:
    """Return the sorted numbers of each kind, those left alone excepted."""
    raise NotImplementedError


def face_there(comparison_id: int, number: str) -> PersonThere | None:
    """Return who has the number on the terminal, as this comparison read it, or None."""
    raise NotImplementedError
