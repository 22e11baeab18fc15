"""Notices that a terminal changed without reading its whole list: how many people, and a few of them by number.

What is noticed is written to the table of drift, and ends with the next comparison.
"""

from hikflask.models import Terminal
from hikflask.models.comparison import Drift
from hikflask.services.terminals.connection import Conversation

# So many numbers are asked for in one search, the longest page that terminals give.
MOST_NUMBERS = 30


def look(talk: Conversation) -> None:
    """Count the people and look at a few confirmed ones, within a conversation.

    :raises TerminalError: when it fails. :raises LeaseLost: when another holder took the lease; nothing is written.
    """
    raise NotImplementedError


def of_terminal(terminal_id: int) -> list[Drift]:
    """Return what was noticed at a terminal since its last comparison, the count first."""
    raise NotImplementedError


def noticed(limit: int | None = None) -> list[tuple[Terminal, int]]:
    """Return the terminals in use at which something was noticed, by name, with how many findings."""
    raise NotImplementedError
