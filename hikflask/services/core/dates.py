"""The time zone of this installation, and today's date in it."""

from datetime import UTC, date, datetime, tzinfo

from babel.dates import get_timezone
from flask import current_app

SECONDS_PER_DAY = 86400.0


def timezone() -> tzinfo:
    """Return the zone that days begin and times are shown in: HIKFLASK_TIMEZONE, or the machine's own."""
    return get_timezone(current_app.config["TIMEZONE"] or None)


def today(now: datetime | None = None) -> date:
    """Return today's date in this zone.

    :param now: the present moment, when it is not the clock's.
    """
    return (now or datetime.now(UTC)).astimezone(timezone()).date()
