"""The time zone of this installation, and today's date in it."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from flask import current_app

SECONDS_PER_DAY = 86400.0
# A moment in a table, as spreadsheets read it.
TABLE_TIME = "%Y-%m-%d %H:%M:%S"


def zone() -> ZoneInfo | None:
    """Return the zone of HIKFLASK_TIMEZONE; None is the machine's own to Python."""
    name = current_app.config["TIMEZONE"]
    return ZoneInfo(name) if name else None


def local(moment: datetime) -> datetime:
    """Return a moment in the zone that days begin and times are shown in."""
    return moment.astimezone(zone())


def today(now: datetime | None = None) -> date:
    """Return today's date in this zone.

    :param now: the present moment, when it is not the clock's.
    """
    return local(now or datetime.now(UTC)).date()
