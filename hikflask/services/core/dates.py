"""The time zone of this installation, and today's date in it."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask import current_app

from hikflask.config import WEEKDAYS, WORKING_HOURS

SECONDS_PER_DAY = 86400.0
# A moment in a table, as spreadsheets read it.
TABLE_TIME = "%Y-%m-%d %H:%M:%S"
# What happens at several terminals within this time of each other has one cause, such as a power cut.
AT_ONCE = timedelta(minutes=10)
Row = TypeVar("Row")


def zone() -> ZoneInfo | None:
    """Return the zone of HIKFLASK_TIMEZONE; None is the machine's own to Python."""
    name = current_app.config["TIMEZONE"]
    return ZoneInfo(name) if name else None


def local(moment: datetime) -> datetime:
    """Return a moment in the zone that days begin and times are shown in."""
    return moment.astimezone(zone())


def today(now: datetime | None = None) -> date:
    """Return today's date in this zone."""
    return local(now or datetime.now(UTC)).date()


def start_of(day: date) -> datetime:
    """Return the moment when a local day begins, in UTC."""
    # Without a zone Python takes the machine's own.
    return datetime.combine(day, time.min, zone()).astimezone(UTC)


def end_of(day: date) -> datetime:
    """Return the moment when a local day is over, in UTC."""
    return start_of(day + timedelta(days=1))


def is_working_time(now: datetime | None = None) -> bool:
    """Return True when it is within HIKFLASK_WORKING_HOURS, in this zone, or when none are set."""
    hours = WORKING_HOURS.fullmatch(current_app.config["WORKING_HOURS"])
    if hours is None:
        return True
    here = local(now or datetime.now(UTC))
    first, last = WEEKDAYS.index(hours["first"]), WEEKDAYS.index(hours["last"] or hours["first"])
    return first <= here.weekday() <= last and hours["begin"] <= f"{here:%H:%M}" < hours["end"]


def together(
    rows: Iterable[Row], kind: Callable[[Row], object], since: Callable[[Row], datetime | None]
) -> list[list[Row]]:
    """Return rows in groups, in their order: those of one kind that began at once; one without a moment is alone."""
    groups: list[list[Row]] = []
    for row in rows:
        began = since(row)
        same = (group for group in groups if kind(group[0]) == kind(row))
        moments = ((group, since(other)) for group in same for other in group)
        near = (group for group, at in moments if at and began and abs(began - at) <= AT_ONCE)
        if group := next(near, None):
            group.append(row)
        else:
            groups.append([row])
    return groups
