"""Passages as pictures: those of a terminal by hour, and the last ones of an employee by day and time of the day.

Each has a sentence that says the same. Widths are in percent, heights in pixels.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from babel.dates import format_date
from flask_babel import format_decimal, get_locale
from flask_babel import gettext as _

from hikflask.labels.dates import local_day, time_of_day
from hikflask.labels.days import REASONS
from hikflask.labels.passages import summary
from hikflask.models import Event
from hikflask.models.event import PASSED
from hikflask.services.core.dates import local
from hikflask.services.passages.queries import DENIED

HOURS = 24
HOURS_APART = 6
HEIGHT = 64
# A bar that stands for somebody is at least so high.
MIN_BAR = 3.0
# A few days do not fill the width, and the names of two are so far apart on a phone.
MIN_DAYS, DAYS_APART = 10, 15.0
DOTS_HEIGHT = 96


@dataclass(frozen=True)
class Bar:
    """An hour: its place and width, how high it is, and how much of that, from above, was not let in; and its words."""

    x: float
    width: float
    height: float
    denied: float
    words: str


@dataclass(frozen=True)
class Dot:
    """A passage of an employee: its day from left to right, its time of the day from above, whether it succeeded."""

    x: float
    y: float
    kind: str
    words: str


def hours_begin(now: datetime | None = None) -> datetime:
    """Return when the first hour of the plot begins: the last one is the current hour.

    :param now: the current moment, if it is not the clock's.
    """
    hour = local(now or datetime.now(UTC)).replace(minute=0, second=0, microsecond=0)
    return hour.astimezone(UTC) - timedelta(hours=HOURS - 1)


def hour_bars(entries: Iterable[tuple[datetime, bool]], now: datetime | None = None) -> list[Bar]:
    """Return a bar for each hour in which somebody came.

    :param entries: when somebody passed, True, or was not let in, False.
    """
    begins = hours_begin(now)
    counts = _by_hour(entries, begins)
    most, width = max(map(sum, counts), default=0) or 1, 100 / HOURS
    bars = []
    for number, (denied, passed) in enumerate(counts):
        if denied or passed:
            height = max(MIN_BAR, HEIGHT * (denied + passed) / most)
            part = min(height, max(MIN_BAR, HEIGHT * denied / most)) if denied else 0.0
            said = _("%(times)s: %(counts)s", times=_hour(begins, number), counts=summary(passed, denied))
            bars.append(Bar(round(number * width, 2), round(width * 0.8, 2), round(height, 1), round(part, 1), said))
    return bars


def hour_words(entries: Iterable[tuple[datetime, bool]], unknown: str = "", now: datetime | None = None) -> str:
    """Return what the plot shows, as a sentence.

    :param unknown: why passages of that time may be missing (GAPS).
    """
    begins = hours_begin(now)
    counts = _by_hour(entries, begins)
    denied, passed = (sum(column) for column in zip(*counts, strict=True))
    if not denied and not passed:
        if unknown:
            reason = REASONS[unknown]
            return str(
                _("No passage of the last 24 hours is known, and some may be missing: %(reason)s.", reason=reason)
            )
        return str(_("Nobody came in the last 24 hours."))
    busiest = max(range(HOURS), key=lambda number: sum(counts[number]))
    return str(
        _(
            "In the last 24 hours %(counts)s; most at %(times)s (%(n)s).",
            counts=summary(passed, denied),
            times=_hour(begins, busiest),
            n=format_decimal(sum(counts[busiest])),
        )
    )


def hour_marks(now: datetime | None = None) -> list[tuple[float, str]]:
    """Return the hours below the plot, each with its place."""
    begins = hours_begin(now)
    hours = ((number, begins + timedelta(hours=number)) for number in range(1, HOURS))
    return [
        (round(number * 100 / HOURS, 2), time_of_day(hour))
        for number, hour in hours
        if not local(hour).hour % HOURS_APART
    ]


def dots(events: Sequence[Event]) -> list[Dot]:
    """Return a dot for each event of an employee. Days without one have no place.

    :param events: the newest first.
    """
    days = _days(events)
    return [
        Dot(
            _place(days, event),
            round(DOTS_HEIGHT * _part_of_day(event.occurred_at), 1),
            "passed" if event.kind == PASSED else "denied" if event.kind in DENIED else "other",
            f"{local_day(event.occurred_at)}, {time_of_day(event.occurred_at)}",
        )
        for event in events
    ]


def dot_days(events: Sequence[Event]) -> list[tuple[float, str]]:
    """Return the days below the dots, each with its place; of many days some."""
    marks: list[tuple[float, str]] = []
    for day, place in _days(events).items():
        if not marks or marks[-1][0] - place >= DAYS_APART:
            marks.append((place, str(format_date(day, _("d MMM"), locale=str(get_locale())))))
    return marks


def dot_words(events: Sequence[Event]) -> str:
    """Return what the dots show, as a sentence."""
    passed = sum(event.kind == PASSED for event in events)
    denied = sum(event.kind in DENIED for event in events)
    first, last = local_day(events[-1].occurred_at), local_day(events[0].occurred_at)
    days = last if first == last else _("%(first)s to %(last)s", first=first, last=last)
    return f"{days}: {summary(passed, denied)}."


def _by_hour(entries: Iterable[tuple[datetime, bool]], begins: datetime) -> list[list[int]]:
    counts = [[0, 0] for _hour_of_day in range(HOURS)]
    for at, passed in entries:
        number = int((at - begins) / timedelta(hours=1))
        # A corrected time may lie a little ahead of ours.
        counts[min(number, HOURS - 1)][passed] += 1
    return counts


def _hour(begins: datetime, number: int) -> str:
    hour = begins + timedelta(hours=number)
    return f"{time_of_day(hour)}–{time_of_day(hour + timedelta(hours=1))}"


def _part_of_day(moment: datetime) -> float:
    there = local(moment)
    return (there.hour * 60 + there.minute) / (24 * 60)


def _days(events: Sequence[Event]) -> dict[date, float]:
    """Return the place of each day, the newest at the right."""
    days = sorted({local(event.occurred_at).date() for event in events}, reverse=True)
    width = 100 / max(MIN_DAYS, len(days))
    return {day: round(100 - (number + 0.5) * width, 2) for number, day in enumerate(days)}


def _place(days: dict[date, float], event: Event) -> float:
    return days[local(event.occurred_at).date()]
