"""Days and moments as a page says them: in its language, and in the zone of TIMEZONE or else the machine's own.

A moment is a <time> with its short text and, as its title, the day and the time to the second.
"""

from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

from babel.dates import format_date, format_timedelta
from flask_babel import get_locale
from flask_babel import gettext as _
from markupsafe import Markup

from hikflask.services.core.dates import end_of, local, today
from hikflask.text_rules import N_

# Babel's patterns for a moment: by how many days it is from today, of another day of this year, of another year.
NEAR = {-1: N_("'yesterday at' HH:mm"), 0: N_("'at' HH:mm"), 1: N_("'tomorrow at' HH:mm")}
AT = (N_("'on' d MMMM 'at' HH:mm"), N_("'on' d MMMM y 'at' HH:mm"))
SINCE = (N_("HH:mm 'on' d MMMM"), N_("HH:mm 'on' d MMMM y"))
TO_THE_SECOND = N_("d MMMM y, HH:mm:ss")
ON_PAPER = N_("'on' d MMMM y 'at' HH:mm:ss")
MINUTES = 60


def time_ago(moment: datetime, now: datetime | None = None) -> Markup:
    """Return when something was: “just now”, “5 minutes ago”, after an hour as time_at() has it.

    static/times.js lets the minutes grow while the page is open.

    :param now: the current moment, if it is not the clock's.
    """
    elapsed = ((now or datetime.now(UTC)) - moment).total_seconds() / 60
    at = _formatted(moment, _pattern_at(moment, now))
    if not -1 < elapsed < MINUTES:
        return _element(moment, at)
    minutes = max(0, int(elapsed))
    said = format_timedelta(
        timedelta(minutes=-minutes), granularity="minute", threshold=2, add_direction=True, locale=str(get_locale())
    )
    growing = Markup(' data-minutes="{}" data-at="{}"').format(minutes, at)
    return _element(moment, said if minutes else str(_("just now")), growing)


def time_at(moment: datetime, now: datetime | None = None) -> Markup:
    """Return a moment with its preposition: “at 11:25”, “tomorrow at 11:25”, “on 25 November at 11:25”.

    :param now: the current moment, if it is not the clock's.
    """
    return _element(moment, _formatted(moment, _pattern_at(moment, now)))


def time_since(moment: datetime, now: datetime | None = None) -> Markup:
    """Return a moment as it follows “since” and “until”: “11:25” today, else “11:25 on 25 November”.

    :param now: the current moment, if it is not the clock's.
    """
    day, current = local(moment).date(), today(now)
    return _element(moment, _formatted(moment, "HH:mm" if day == current else SINCE[day.year != current.year]))


def time_of_day(moment: datetime) -> str:
    """Return the hour and minute of a moment: “11:25”."""
    return _formatted(moment, "HH:mm")


def full_time(moment: datetime) -> str:
    """Return the day and the time to the second, for a table, a mail and the title of any other moment."""
    return _formatted(moment, TO_THE_SECOND)


def time_of(moment: datetime, first: datetime) -> str:
    """Return a moment as a table shows it below a first one: without the day when that is the same."""
    if local(moment).date() != local(first).date():
        return full_time(moment)
    return f"{local(moment):%H:%M:%S}"


def paper_time(moment: datetime) -> str:
    """Return a moment as a printed paper shows it: day, year, time and the zone as UTC+03:00."""
    offset = local(moment).utcoffset() or timedelta()
    return f"{_formatted(moment, ON_PAPER)} {timezone(offset)}"


def local_day(day: date) -> str:
    """Return a day with its year; for a moment, the local day that it belongs to."""
    shown = local(day).date() if isinstance(day, datetime) else day
    return _day(shown, str(get_locale()))


@lru_cache(maxsize=2048)
def _day(day: date, locale: str) -> str:
    return str(format_date(day, "d MMMM y", locale=locale))


def valid_until(ends: datetime) -> str:
    """Return the end of a validity: the last whole day where it ends at midnight, else the moment."""
    last = local(ends).date() - timedelta(days=1)
    if ends == end_of(last):
        return str(_("%(day)s inclusive", day=local_day(last)))
    return _formatted(ends, SINCE[-1])


def _pattern_at(moment: datetime, now: datetime | None) -> str:
    day, current = local(moment).date(), today(now)
    return NEAR.get((day - current).days) or AT[day.year != current.year]


def _formatted(moment: datetime, pattern: str) -> str:
    there = local(moment)
    return _format_of(there.date(), _(pattern), str(get_locale())).format(there)


@lru_cache(maxsize=2048)
def _format_of(day: date, pattern: str, locale: str) -> str:
    """Return the format of a day's moments. Babel takes longer than all else that a row of a list needs."""
    clock = pattern.replace("HH", "'{0:%H}'").replace("mm", "'{0:%M}'").replace("ss", "'{0:%S}'")
    return str(format_date(day, clock, locale=locale))


def _element(moment: datetime, text: str, more: str = "") -> Markup:
    iso = local(moment).isoformat(timespec="seconds")
    return Markup('<time datetime="{}" title="{}"{}>{}</time>').format(iso, full_time(moment), more, text)
