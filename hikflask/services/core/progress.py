"""How far a long piece of work is: what it is given to report that."""

from typing import Protocol


class ClaimLost(Exception):
    """Work is not to go on: somebody stopped it, or another worker does it now."""


class Progress(Protocol):
    """Reports from long work that is done as a whole, such as the reading of a file."""

    def report(self, done: int, total: int) -> None:
        """Record how far the work is, in the transaction of what was done since the last report, if there is one.

        :raises ClaimLost: when it is not to go on, so that transaction is rolled back.
        """
