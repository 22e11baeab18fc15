"""The words for a terminal: how many people it has, and how its clock goes beside ours."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from babel.dates import format_datetime
from flask_babel import format_timedelta, get_locale
from flask_babel import gettext as _

from hikflask.labels.dates import time_since
from hikflask.models import Terminal
from hikflask.services.core.dates import local
from hikflask.services.terminals import clock


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
