"""The last day of a terminal as a strip: what is read aloud of it, its bars, and the hours below them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import ceil

from flask_babel import gettext as _
from flask_babel import ngettext

from hikflask.labels.dates import time_of_day
from hikflask.services.core.dates import local
from hikflask.services.terminals.reachability import ReachabilityPeriod

# Each bar is ten minutes, so that the shortest silence is seen, and a terminal that comes and goes draws no thousands.
BARS = 144
# Of more silences than that the strip's words tell how many there were, and the last one.
MAX_NAMED = 3
HOURS_APART = 6
TONES = {True: "good", False: "bad", None: "none"}


@dataclass(frozen=True)
class Bar:
    """A part of the strip: its tone (good, bad, none), and where it begins and how wide it is, in percent."""

    tone: str
    begins: float
    width: float


def words(stretches: Sequence[ReachabilityPeriod]) -> str:
    """Return what the strip shows, as a sentence."""
    answered, silent, unknown = ([one for one in stretches if one.answered is state] for state in (True, False, None))
    if len(stretches) == 1:
        if answered:
            return str(_("Answered all of the last 24 hours."))
        return str(_("No answer in the last 24 hours.") if silent else _("Nothing is known of the last 24 hours."))
    parts = []
    if answered:
        parts.append(_("answered for %(time)s of the last 24 hours", time=_length(answered)))
    if 0 < len(silent) <= MAX_NAMED:
        parts.append(_("did not answer %(times)s", times=_times(silent, stretches)))
    elif silent:
        last = _times(silent[-1:], stretches)
        parts.append(
            ngettext(
                "did not answer %(num)s time, last %(last)s",
                "did not answer %(num)s times, last %(last)s",
                len(silent),
                last=last,
            )
        )
    if unknown:
        times = _times(unknown, stretches) if len(unknown) <= MAX_NAMED else _length(unknown)
        parts.append(_("not known %(times)s", times=times))
    sentence = "; ".join(map(str, parts))
    return f"{sentence[0].upper()}{sentence[1:]}."


def bars(stretches: Sequence[ReachabilityPeriod]) -> list[Bar]:
    """Return the bars of the strip. A silence is shown at its full width, however short it was."""
    begins, length = stretches[0].begins, (stretches[-1].ends - stretches[0].begins) / BARS
    states: list[bool | None] = [None] * BARS
    for is_silence in (False, True):
        for one in stretches:
            if (one.answered is False) == is_silence:
                first, end = (one.begins - begins) / length, (one.ends - begins) / length
                taken = slice(int(first), ceil(end)) if is_silence else slice(round(first), round(end))
                states[taken] = [one.answered] * len(states[taken])
    found, at = [], 0
    for state, group in groupby(states):
        width = len(list(group))
        found.append(Bar(TONES[state], round(at * 100 / BARS, 2), round(width * 100 / BARS, 2)))
        at += width
    return found


def hours(stretches: Sequence[ReachabilityPeriod]) -> list[tuple[float, str]]:
    """Return the full hours below the strip, each with its place in percent; none that would stand over an edge."""
    begins, ends = stretches[0].begins, stretches[-1].ends
    hour = begins.replace(minute=0, second=0, microsecond=0)
    marks = []
    while (hour := hour + timedelta(hours=1)) < ends:
        place = (hour - begins) / (ends - begins) * 100
        if local(hour).hour % HOURS_APART == 0 and 4 < place < 96:
            marks.append((round(place, 2), time_of_day(hour)))
    return marks


def _length(stretches: Sequence[ReachabilityPeriod]) -> str:
    minutes = round(sum((one.ends - one.begins for one in stretches), timedelta()) / timedelta(minutes=1))
    whole, rest = divmod(minutes, 60)
    if not whole:
        return str(_("%(m)s min", m=max(1, rest)))
    return str(_("%(h)s h %(m)s min", h=whole, m=rest) if rest else _("%(h)s h", h=whole))


def _times(some: Sequence[ReachabilityPeriod], stretches: Sequence[ReachabilityPeriod]) -> str:
    return ", ".join(_time(one, stretches[0].begins, stretches[-1].ends) for one in some)


def _time(one: ReachabilityPeriod, day_begins: datetime, day_ends: datetime) -> str:
    begins, ends = time_of_day(one.begins), time_of_day(one.ends)
    if one.begins == day_begins:
        return str(_("until %(ends)s", ends=ends))
    if one.ends == day_ends:
        return str(_("since %(begins)s", begins=begins))
    return str(_("from %(begins)s to %(ends)s", begins=begins, ends=ends))
