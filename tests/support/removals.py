"""Removals that are open, and what is agreed to where a test takes access from many people and is not about that."""

from hikflask.models import Enrolment
from hikflask.services.core.keyset import PagePosition
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.mass_removals import Confirmation


class AnyNumber(int):
    """The number of people that is asked for, whichever it is."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = int.__hash__


# An administrator confirmed it; somebody else asks for it.
AGREED = Confirmation(AnyNumber(), by_admin=True)
BY_OPERATOR = Confirmation(None, by_admin=False)


def open_removals() -> list[Enrolment]:
    """The unconfirmed removals as their page lists them, the oldest first."""
    return queries.page_of_removals(100, PagePosition()).rows
