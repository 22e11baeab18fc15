"""Days and moments as a page says them: in its language, and in the zone of TIMEZONE or else the machine's own."""

from datetime import date, datetime, timedelta, timezone
from functools import lru_cache

from babel.dates import format_date, format_datetime
from flask_babel import get_locale
from flask_babel import gettext as _

from hikflask.messages import N_
from hikflask.services.core.dates import end_of, local, today

# Babel's patterns for a moment of today, of this year, of another year.
AT = (N_("'at' HH:mm"), N_("'on' d MMMM 'at' HH:mm"), N_("'on' d MMMM y 'at' HH:mm"))
SINCE = ("HH:mm", N_("HH:mm 'on' d MMMM"), N_("HH:mm 'on' d MMMM y"))
TO_THE_SECOND = N_("'on' d MMMM y 'at' HH:mm:ss")


def time_at(moment: datetime, now: datetime | None = None) -> str:
    """Return a moment with its preposition: “at 11:25” today, else “on 25 November at 11:25”.

    :param now: the present moment, if it is not the clock's.
    """
    return _formatted(moment, AT[_distance(moment, now)])


def time_since(moment: datetime, now: datetime | None = None) -> str:
    """Return a moment as it follows “since” and “until”: “11:25” today, else “11:25 on 25 November”.

    :param now: the present moment, if it is not the clock's.
    """
    return _formatted(moment, SINCE[_distance(moment, now)])


def exact_time(moment: datetime) -> str:
    """Return a moment with its preposition, year and second."""
    return _formatted(moment, TO_THE_SECOND)


def full_time(moment: datetime) -> str:
    """Return a moment as a table shows it, with its year and second."""
    return str(format_datetime(local(moment), "d MMM y, HH:mm:ss", locale=str(get_locale())))


def paper_time(moment: datetime) -> str:
    """Return a moment as a printed paper shows it: day, year, time and the zone as UTC+03:00."""
    offset = local(moment).utcoffset() or timedelta()
    return f"{exact_time(moment)} {timezone(offset)}"


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


def _distance(moment: datetime, now: datetime | None) -> int:
    """Return which of three patterns fits: 0 for today, 1 for this year, 2 for another year."""
    day, present = local(moment).date(), today(now)
    if day == present:
        return 0
    return 1 if day.year == present.year else 2


def _formatted(moment: datetime, pattern: str) -> str:
    return str(format_datetime(local(moment), _(pattern), locale=str(get_locale())))
