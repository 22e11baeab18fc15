"""What the worlds have in common in which logs are read: their own time, a worker that dies, and what came of it."""

from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Event
from hikflask.services.passages import coverage, intake, log_clock, log_row, retention
from hikflask.services.terminals import clock

BEGAN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


class Now:
    """The current moment of a world, which passes only by what happens in it."""

    moment = BEGAN

    def advance(self, seconds: float) -> datetime:
        """Let the seconds pass."""
        self.moment += timedelta(seconds=seconds)
        return self.moment


NOW = Now()


class Datetime(datetime):
    """Stands where a module reads the time."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        """Return the moment, a little later each time."""
        return NOW.advance(0.003).astimezone(tz)


def live_in_own_time(patch: pytest.MonkeyPatch) -> None:
    """Let the modules that read the time of logs read the one of the world."""
    for module in (log_clock, log_row, coverage, intake, retention, clock):
        patch.setattr(module, "datetime", Datetime)


class Killed(BaseException):
    """The worker died here: kill -9, seen from inside."""


def stored_events() -> list[Event]:
    """The events as the database has them now."""
    rows = select(Event).order_by(Event.id)
    return list(db.session.execute(rows, execution_options={"populate_existing": True}).scalars())
