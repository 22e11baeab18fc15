"""What the page of a terminal says of its comparison, and of what was noticed there since."""

from collections.abc import Mapping
from dataclasses import dataclass

from hikflask.models import Terminal
from hikflask.models.comparison import ONLY_THERE, READING, Comparison, Drift
from hikflask.services.comparisons import queries
from hikflask.services.jobs.plans import choices
from hikflask.services.terminals import drift


@dataclass(frozen=True)
class Compared:
    """The last finished comparison of a terminal with its counts by kind, and what was noticed since.

    `is_carried_out`: a plan of it was started, so the list is older than that. `is_reading`: one is being read now.
    """

    finished: Comparison | None
    counts: Mapping[str, int]
    is_carried_out: bool
    is_reading: bool
    drift: list[Drift]

    @property
    def differences(self) -> int:
        """How many differences there are."""
        return sum(self.counts.values())

    @property
    def offers_people(self) -> bool:
        """True when people can be taken over, or nobody knows yet whether there are such people."""
        return self.finished is None or self.is_carried_out or self.counts[ONLY_THERE] > 0


def of(terminal: Terminal) -> Compared:
    """Return what is known of a terminal as a whole."""
    latest, finished = queries.latest(terminal.id), queries.finished(terminal.id)
    return Compared(
        finished=finished,
        counts=queries.counts(finished) if finished else {},
        is_carried_out=finished is not None and choices.applied(finished) is not None,
        is_reading=latest is not None and latest.state == READING,
        drift=drift.of_terminal(terminal.id),
    )
