"""What the page of a terminal says of its comparison, and of what was noticed there since."""

from collections.abc import Mapping
from dataclasses import dataclass

from hikflask.models import Terminal
from hikflask.models.comparison import ONLY_THERE, READING, Comparison, Drift
from hikflask.services.comparisons import queries
from hikflask.services.jobs import plan_choices
from hikflask.services.terminals import people_changes


@dataclass(frozen=True)
class Compared:
    """The last finished comparison of a terminal with its counts by kind, and what was noticed since.

    `may_be_outdated`: a plan of it was started, or it is old. `is_reading`: one is being read now.
    """

    finished: Comparison | None
    counts: Mapping[str, int]
    may_be_outdated: bool
    is_reading: bool
    drift: list[Drift]

    @property
    def differences(self) -> int:
        """How many differences there are."""
        return sum(self.counts.values())

    @property
    def offers_people(self) -> bool:
        """True when people can be taken over, or nobody knows yet whether there are such people."""
        return self.finished is None or self.may_be_outdated or self.counts[ONLY_THERE] > 0


def of(terminal: Terminal) -> Compared:
    """Return what is known of a terminal as a whole."""
    latest, finished = queries.latest(terminal.id), queries.finished(terminal.id)
    return Compared(
        finished=finished,
        counts=queries.counts(finished) if finished else {},
        may_be_outdated=finished is not None and plan_choices.may_be_outdated(finished),
        is_reading=latest is not None and latest.state == READING,
        drift=people_changes.changes_at(terminal.id),
    )
