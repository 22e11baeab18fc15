"""The hours in which people may pass: a person's right has the number of a template, and that of a plan of a week.

What the vendor allows: GET on /ISAPI/AccessControl/UserRightPlanTemplate/<number> and UserRightWeekPlanCfg/<number>
(ISAPI guide, "Access permission schedules"). Template 1 stands for all hours. Plans belong to all who use the terminal,
so they are only read.
"""

import re
from dataclasses import dataclass

from hikflask.isapi.answer import Requester
from hikflask.isapi.codec import checked, counted, member, rows, usable_text

TEMPLATE = "/ISAPI/AccessControl/UserRightPlanTemplate"
WEEK = "/ISAPI/AccessControl/UserRightWeekPlanCfg"
MAX_NUMBER, NAME_LENGTH = 255, 32
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# 24:00:00 ends a day.
CLOCK = re.compile(r"(?:([01]\d|2[0-3]):([0-5]\d)|24:00)(?::\d\d)?\Z", re.ASCII)
# Seven days of eight periods.
MAX_PERIODS = 56


@dataclass(frozen=True, order=True)
class Period:
    """Hours of one day of the week, 0 is Monday: "09:30" to "18:00", to "24:00" at the latest, by the terminal."""

    weekday: int
    begins: str
    ends: str


@dataclass(frozen=True)
class Template:
    """A template: its name (empty when it has none), whether it is in force, and the number of its week's plan."""

    number: int
    name: str
    is_enabled: bool
    week_plan: int | None


def template(client: Requester, number: int) -> Template:
    """Return a template. :raises NotSupported: when the terminal has none. :raises ValueError: for a bad number."""
    words = _read(client, TEMPLATE, number, "UserRightPlanTemplate")
    name, week_plan = words.get("templateName"), counted(words.get("weekPlanNo")) or 0
    return Template(
        number=number,
        name=usable_text(name).strip()[:NAME_LENGTH] if isinstance(name, str) else "",
        is_enabled=_is_true(words.get("enable")),
        week_plan=week_plan if 0 < week_plan <= MAX_NUMBER else None,
    )


def week(client: Requester, number: int) -> tuple[Period, ...]:
    """Return the hours of a week's plan, in order; none when it is not in force. It raises as template() does."""
    words = _read(client, WEEK, number, "UserRightWeekPlanCfg")
    if not _is_true(words.get("enable")):
        return ()
    periods = []
    for row in rows(words.get("WeekPlanCfg"))[:MAX_PERIODS]:
        segment = row.get("TimeSegment")
        day = row.get("week")
        if not _is_true(row.get("enable")) or not isinstance(segment, dict) or not isinstance(day, str):
            continue
        begins, ends = _clock(segment.get("beginTime")), _clock(segment.get("endTime"))
        if day.lower() in DAYS and begins < ends:
            periods.append(Period(DAYS.index(day.lower()), begins, ends))
    return tuple(sorted(periods))


def _read(client: Requester, path: str, number: int, name: str) -> dict[str, object]:
    if not 0 < number <= MAX_NUMBER:
        raise ValueError("numbers of plans are 1 to 255")
    return member(checked(client.request("GET", f"{path}/{number}?format=json")), name)


def _is_true(value: object) -> bool:
    return value is True or value == "true"


def _clock(value: object) -> str:
    """Return hours and minutes, or an empty text."""
    return value[:5] if isinstance(value, str) and CLOCK.match(value) else ""
