"""The words and pictures of days of work: times, hours, a bar from arrival to departure, a strip of a month.

Widths are in percent. Whatever a picture shows stands beside it in words.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from babel.dates import format_date
from flask_babel import get_locale, gettext
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from hikflask.labels.dates import full_time, time_of_day, time_since
from hikflask.models.event import CLOCK, NEW_LOG, NOT_READ, NOT_TOLD, OFF, OTHER_DEVICE, OVERWRITTEN, TOO_MANY
from hikflask.services.core.dates import local
from hikflask.services.passages import days
from hikflask.services.passages.coverage import Span as Covered
from hikflask.services.passages.days import ONE_DAY, Day
from hikflask.services.passages.exports import FOR_1C, FRAPPE
from hikflask.text_rules import filled

HOURS_APART = 6
# A strip is so high, in pixels, and reaches its height at so many hours.
HEIGHT, FULL_MINUTES = 20, 10 * 60
# What is there is at least so high, or so wide.
MIN_HEIGHT, MIN_WIDTH = 5.0, 0.8
SATURDAY = 5
REASONS = {
    OVERWRITTEN: _l("the terminal has overwritten them"),
    OFF: _l("the terminal does not answer"),
    OTHER_DEVICE: _l("another device was there"),
    NEW_LOG: _l("its log began anew"),
    CLOCK: _l("its clock jumped"),
    NOT_READ: _l("not read yet"),
    NOT_TOLD: _l("the terminal does not send all of them"),
    TOO_MANY: _l("it recorded more than is read in a day"),
}
FILE_KINDS = {FOR_1C: _l("For 1C"), FRAPPE: _l("For frappe/hrms")}


@dataclass(frozen=True)
class Bar:
    """From arrival to departure on the axis of a day; `is_open` when only one of them is known."""

    x: float
    width: float
    is_open: bool


@dataclass(frozen=True)
class Cell:
    """A day of a strip: its place and width, and how high it is; `is_open` when its hours are not known."""

    x: float
    width: float
    height: float
    is_open: bool


def day_label(day: date) -> str:
    """Return a day with its weekday: “Monday, 30 November 2026”."""
    return str(format_date(day, "EEEE, d MMMM y", locale=str(get_locale())))


def short_day(day: date) -> str:
    """Return a day of a month with its weekday: “Mon, 30”."""
    return str(format_date(day, "EEE, d", locale=str(get_locale())))


def month_label(day: date) -> str:
    """Return the month of a day with its year."""
    return str(format_date(day, "LLLL y", locale=str(get_locale())))


def is_weekend(day: date) -> bool:
    """Return True on Saturday and Sunday, which help to read a month."""
    return day.weekday() >= SATURDAY


def time_on(moment: datetime, day: date) -> Markup:
    """Return a time as a day of work shows it, with “+1” where it is past midnight."""
    there = local(moment)
    later = Markup(' <span class="day-later">+1</span>') if there.date() > day else ""
    iso = there.isoformat(timespec="seconds")
    return Markup('<time datetime="{}" title="{}">{}</time>{}').format(
        iso, full_time(moment), time_of_day(moment), later
    )


def hours(minutes: int | None) -> str:
    """Return minutes as hours: “9:05”; “–” where they are not known."""
    return "–" if minutes is None else f"{minutes // 60}:{minutes % 60:02}"


def bar(day: date, times: Day | None) -> Bar | None:
    """Return the bar of a day; None for nobody."""
    known = [moment for moment in (times.arrival, times.departure) if moment] if times else []
    if not known:
        return None
    begins, length = days.start_of(day), days.start_of(day + ONE_DAY) - days.start_of(day)
    first, last = min(known), max(known)
    width = max((last - first) / length * 100, MIN_WIDTH)
    return Bar(round((first - begins) / length * 100, 2), round(width, 2), len(known) == 1)


def hour_marks(day: date) -> list[tuple[float, str]]:
    """Return the hours below the bars of a day, each with its place; none at an edge."""
    begins, ends = days.start_of(day), days.start_of(day + ONE_DAY)
    moments = [begins + timedelta(hours=hour) for hour in range(1, 25)]
    return [
        (round((moment - begins) / (ends - begins) * 100, 2), time_of_day(moment))
        for moment in moments
        if local(moment).hour % HOURS_APART == 0 and local(moment).minute == 0 and moment < ends - timedelta(hours=1)
    ]


def gap_label(gap: Covered) -> str:
    """Return from when to when passages of a terminal may be missing, and why."""
    times = {"begins": time_since(gap.from_at), "ends": time_since(gap.to_at)}
    return filled(gettext("from %(begins)s to %(ends)s"), times) + f" ({REASONS[gap.reason]})"


def strip(shown: Sequence[date], found: Mapping[date, Day]) -> list[Cell]:
    """Return the days of a strip on which somebody passed, as high as the hours are many."""
    width = 100 / len(shown)
    cells = []
    for number, day in enumerate(shown):
        if times := found.get(day):
            share = min((times.minutes or 0) / FULL_MINUTES, 1.0)
            height = max(share * HEIGHT, MIN_HEIGHT)
            place = (round((number + 0.1) * width, 2), round(width * 0.8, 2), round(height, 1))
            cells.append(Cell(*place, is_open=times.minutes is None))
    return cells


def weekends(shown: Sequence[date]) -> list[tuple[float, float]]:
    """Return place and width of each Saturday and Sunday of a strip."""
    width = 100 / len(shown)
    return [(round(number * width, 2), round(width, 2)) for number, day in enumerate(shown) if is_weekend(day)]


def doubtful(shown: Sequence[date], days_in_doubt: Collection[date]) -> list[tuple[float, float]]:
    """Return place and width of each day of which passages may be missing."""
    width = 100 / len(shown)
    return [(round(n * width, 2), round(width, 2)) for n, day in enumerate(shown) if day in days_in_doubt]


def day_marks(shown: Sequence[date]) -> list[tuple[float, int]]:
    """Return the days of a month below its strips, each with its place."""
    width = 100 / len(shown)
    return [
        (round((number + 0.5) * width, 2), day.day)
        for number, day in enumerate(shown)
        if day.day == 1 or (day.day % 5 == 0 and day.day != 30) or day == shown[-1]
    ]


def total(found: Iterable[Day]) -> int:
    """Return the minutes of days together, of those whose hours are known."""
    return sum(day.minutes or 0 for day in found)


def without_hours(found: Mapping[date, Day], current: date) -> int:
    """Return on how many days somebody passed, and the hours are not known; of the current one they are not yet."""
    return sum(times.minutes is None and day != current for day, times in found.items())


def doubts(times: Day) -> list[str]:
    """Return what is wrong with the passages of a day, in words."""
    said = (
        (_l("no exit after %(clock)s"), times.entered_at),
        (_l("exit at %(clock)s without an entrance"), times.left_at),
    )
    return [filled(str(text), {"clock": f"{local(moment):%H:%M}"}) for text, moment in said if moment]


def file_label(kind: str, form: str) -> str:
    """Return what a file is offered as: who reads it, and its format."""
    return f"{FILE_KINDS[kind]}, {form.upper()}"
