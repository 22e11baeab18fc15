"""At which terminals passages of some days may be missing, so that nobody takes a table for more than is known."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from sqlalchemy import exists, not_, or_, select

from hikflask.extensions import db
from hikflask.models import EventCoverage, Terminal
from hikflask.services.passages import coverage, days
from hikflask.services.passages.coverage import Span as Covered
from hikflask.services.passages.days import ONE_DAY, Span
from hikflask.services.passages.queries import late_after


@dataclass(frozen=True)
class UncertainPassages:
    """A terminal, and the spans of time of which its passages may be missing, the earliest first."""

    terminal: Terminal
    gaps: list[Covered]


def find(span: Span, now: datetime | None = None) -> list[UncertainPassages]:
    """Return what may be missing of these days until now, by the names of the terminals in use.
    What is not read yet, since it happened a moment ago, is no doubt; nor is the time before a terminal was added here.
    """
    now = now or datetime.now(UTC)
    until = min(span.ends, now - late_after())
    uncertain = []
    terminals = _not_wholly_read(span.begins, until)
    spans = coverage.spans_of_each(terminals, now)
    for terminal in terminals:
        since = max(span.begins, terminal.created_at)
        gaps = [
            replace(gap, from_at=max(gap.from_at, since), to_at=min(gap.to_at, until))
            for gap in spans[terminal.id]
            if not gap.is_complete and gap.from_at < until and gap.to_at > since
        ]
        if gaps:
            uncertain.append(UncertainPassages(terminal, gaps))
    return uncertain


def days_in(uncertain: list[UncertainPassages]) -> set[date]:
    """Return the days of work that some of it belongs to."""
    found: set[date] = set()
    for gap in (gap for doubt in uncertain for gap in doubt.gaps):
        day, last = days.day_of(gap.from_at), days.day_of(gap.to_at)
        while day <= last:
            found.add(day)
            day += ONE_DAY
    return found


def _not_wholly_read(begins: datetime, until: datetime) -> list[Terminal]:
    """Return the terminals in use that no complete span alone covers, which are few as a rule."""
    of_terminal = EventCoverage.terminal_id == Terminal.id
    whole = exists().where(
        of_terminal, EventCoverage.is_complete, EventCoverage.from_at <= begins, EventCoverage.to_at >= until
    )
    gap = exists().where(
        of_terminal, not_(EventCoverage.is_complete), EventCoverage.from_at < until, EventCoverage.to_at > begins
    )
    in_use = (Terminal.is_active, Terminal.created_at < until)
    statement = select(Terminal).where(*in_use, or_(not_(whole), gap)).order_by(Terminal.name)
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())
