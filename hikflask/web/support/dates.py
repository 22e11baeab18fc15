"""Days and moments as a page says them: in its language, and in the zone of TIMEZONE or else the machine's own.

The clock of a terminal stands beside ours.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

from babel.dates import format_date, format_datetime
from flask_babel import format_timedelta, get_locale
from flask_babel import gettext as _

from hikflask.messages import N_
from hikflask.models import Terminal
from hikflask.services.core.dates import local, today, zone
from hikflask.services.terminals import clock

ONE_DAY = timedelta(days=1)

# Babel's patterns for a moment of today, of this year, of another year.
AT = (N_("'at' HH:mm"), N_("'on' d MMMM 'at' HH:mm"), N_("'on' d MMMM y 'at' HH:mm"))
SINCE = ("HH:mm", N_("HH:mm 'on' d MMMM"), N_("HH:mm 'on' d MMMM y"))
TO_THE_SECOND = N_("'on' d MMMM y 'at' HH:mm:ss")


def start_of(day: date) -> datetime:
    """Return the moment when a local day begins, in UTC."""
    # Without a zone Python takes the machine's own.
    return datetime.combine(day, time.min, zone()).astimezone(UTC)


def end_of(day: date) -> datetime:
    """Return the moment when a local day is over, in UTC."""
    return start_of(day + ONE_DAY)


def time_at(moment: datetime, now: datetime | None = None) -> str:
    """Return a moment with its preposition: “at 11:25” today, else “on 25 November at 11:25”.

    :param now: the present moment, if it is not the clock's.
    """
    return _formatted(moment, AT[_distance(moment, now)])


def time_since(moment: datetime, now: datetime | None = None) -> str:
    """Return a moment as it follows “since” and “until”: “11:25” today, else “11:25 on 25 November”; `now` as above."""
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
    last = local(ends).date() - ONE_DAY
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


# --- a terminal ---


def counted_when(terminal: Terminal) -> str:
    """Return when the people and faces of a terminal were counted, and until when our own changes are in the counts.

    An empty text when they were not counted.
    """
    if terminal.checked_at is None:
        return ""
    counted = time_since(terminal.checked_at)
    changed = time_since(max(terminal.last_sync or terminal.checked_at, terminal.checked_at))
    if changed == counted:
        return str(_("as of %(time)s", time=counted))
    return str(_("as of %(time)s, with this program's changes until %(last)s", time=counted, last=changed))


# --- the clock of a terminal ---


@dataclass(frozen=True)
class Clocks:
    """The terminal's time and ours when it was asked, with their zones; `warning` says what is wrong, if anything."""

    there: str
    here: str
    asked_at: datetime
    by_ntp: bool
    warning: str


def clocks_of(terminal: Terminal) -> Clocks | None:
    """Return what to show, or None when the terminal's time is not known."""
    shown, asked = clock.time_there(terminal), terminal.clock_checked_at
    if shown is None or asked is None:
        return None
    there, here = clock.offset_there(terminal), clock.offset_here(terminal)
    ours = local(asked).replace(tzinfo=None)
    by_ntp = terminal.clock_mode.upper() == "NTP"
    return Clocks(_with_zone(shown, there), _with_zone(ours, here), asked, by_ntp, clock_warning(terminal))


def clock_warning(terminal: Terminal) -> str:
    """Return what is wrong with the clock and the zone, or an empty text."""
    said = []
    if clock.is_off(terminal):
        seconds = terminal.clock_offset or 0
        # Babel has the case that follows «на» only behind a preposition of its own: «через 1 минуту», “in 1 minute”.
        time = format_timedelta(timedelta(seconds=abs(seconds)), threshold=1.5, add_direction=True).partition(" ")[2]
        fast, slow = _("The terminal's clock is %(time)s fast."), _("The terminal's clock is %(time)s slow.")
        said.append((fast if seconds > 0 else slow) % {"time": time})
    if clock.is_elsewhere(terminal):
        there, here = clock.written(clock.offset_there(terminal)), clock.written(clock.offset_here(terminal))
        said.append(_("Its time zone is %(there)s, and here it is %(here)s.", there=there, here=here))
    return " ".join(map(str, said))


def _with_zone(moment: datetime, offset: timedelta | None) -> str:
    shown = format_datetime(moment, "d MMM y, HH:mm:ss", locale=str(get_locale()))
    return f"{shown} {clock.written(offset)}".strip()
