"""Compares each terminal once a night, and after a restore or a change of device: which are due, each claimed once."""

from datetime import UTC, date, datetime, time, timedelta

from flask import current_app
from sqlalchemy import ColumnElement, or_, select

from hikflask.models import Terminal
from hikflask.services.core.dates import local, today
from hikflask.services.core.db import claim_rows
from hikflask.services.terminals import leases

# A server that was off then compares later the same night, but not by day.
WINDOW = timedelta(hours=3)


def claim_due(now: datetime | None = None) -> list[int]:
    """Claim the terminals in use whose comparison of this night is due, and return their ids.

    A terminal that was added since the time of the night waits for the next one. One that was not compared since a
    restore from a backup, or since another device answered at its address, is due at once: who left may be on it.

    :param now: the current moment, when it is not the clock's.
    """
    changed = or_(Terminal.restored_from.is_not(None), Terminal.device_changed_at.is_not(None))
    uncompared = (changed, Terminal.compared_on.is_(None), leases.CAN_BE_TAKEN)
    ids = _claim(today(), *uncompared)
    at: time | None = current_app.config["COMPARE_AT"]
    if at is None:
        return ids
    moment = local(now or datetime.now(UTC))
    began = moment.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    if began > moment:
        began -= timedelta(days=1)
    if moment - began >= WINDOW:
        return ids
    night = began.date()
    not_yet = or_(Terminal.compared_on.is_(None), Terminal.compared_on < night)
    return [*ids, *_claim(night, Terminal.created_at < began.astimezone(UTC), not_yet)]


def _claim(day: date, *due: ColumnElement[bool]) -> list[int]:
    in_use = select(Terminal.id).where(Terminal.is_active, *due)
    return [row.id for row in claim_rows(in_use, {"compared_on": day})]
