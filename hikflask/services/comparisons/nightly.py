"""Compares each terminal once a night: which ones are due, claimed, so that one worker does it."""

from datetime import UTC, datetime, time, timedelta

from flask import current_app
from sqlalchemy import or_, select

from hikflask.models import Terminal
from hikflask.services.core.dates import local
from hikflask.services.core.db import claim_rows

# A server that was off then compares later the same night, but not by day.
WINDOW = timedelta(hours=3)


def claim_due(now: datetime | None = None) -> list[int]:
    """Claim the terminals in use whose comparison of this night is due, and return their ids.

    A terminal that was added since the time of the night waits for the next one.

    :param now: the present moment, when it is not the clock's.
    """
    at: time | None = current_app.config["COMPARE_AT"]
    if at is None:
        return []
    moment = local(now or datetime.now(UTC))
    began = moment.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    if began > moment:
        began -= timedelta(days=1)
    if moment - began >= WINDOW:
        return []
    night = began.date()
    due = (
        Terminal.is_active.is_(True),
        Terminal.retired_at.is_(None),
        Terminal.created_at < began.astimezone(UTC),
        or_(Terminal.compared_on.is_(None), Terminal.compared_on < night),
    )
    return [row.id for row in claim_rows(select(Terminal.id).where(*due), {"compared_on": night})]
