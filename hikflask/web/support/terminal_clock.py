"""What pages say about the clock of a terminal, beside ours."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from babel.dates import format_datetime
from flask_babel import format_timedelta, get_locale
from flask_babel import gettext as _

from hikflask.models import Terminal
from hikflask.services.core.dates import local
from hikflask.services.terminals import clock


@dataclass(frozen=True)
class Clocks:
    """The terminal's time and ours when it was asked, with their zones; `warning` says what is wrong, if anything."""

    there: str
    here: str
    asked_at: datetime
    by_ntp: bool
    warning: str


def of(terminal: Terminal) -> Clocks | None:
    """Return what to show, or None when the terminal's time is not known."""
    shown, asked = clock.time_there(terminal), terminal.clock_checked_at
    if shown is None or asked is None:
        return None
    there, here = clock.offset_there(terminal), clock.offset_here(terminal)
    ours = local(asked).replace(tzinfo=None)
    by_ntp = terminal.clock_mode.upper() == "NTP"
    return Clocks(_time(shown, there), _time(ours, here), asked, by_ntp, warning(terminal))


def warning(terminal: Terminal) -> str:
    """Return what is wrong with the clock and the zone, or an empty text."""
    said = []
    if clock.is_off(terminal):
        seconds = terminal.clock_offset or 0
        time = format_timedelta(timedelta(seconds=abs(seconds)), threshold=1.5)
        fast, slow = _("Its clock is %(time)s fast.", time=time), _("Its clock is %(time)s slow.", time=time)
        said.append(fast if seconds > 0 else slow)
    if clock.is_elsewhere(terminal):
        there, here = _zone(clock.offset_there(terminal)), _zone(clock.offset_here(terminal))
        said.append(_("Its time zone is %(there)s, and here it is %(here)s.", there=there, here=here))
    return " ".join(map(str, said))


def _time(moment: datetime, offset: timedelta | None) -> str:
    shown = format_datetime(moment, "d MMM y, HH:mm:ss", locale=str(get_locale()))
    return f"{shown} {_zone(offset)}".strip()


def _zone(offset: timedelta | None) -> str:
    """Return an offset from UTC as UTC+5 or UTC-3:30; an empty text when it is not known."""
    if offset is None:
        return ""
    sign = "-" if offset < timedelta() else "+"
    hours, minutes = divmod(int(abs(offset).total_seconds()) // 60, 60)
    return f"UTC{sign}{hours}:{minutes:02}" if minutes else f"UTC{sign}{hours}"
