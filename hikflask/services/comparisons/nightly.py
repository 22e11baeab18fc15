"""Compares each terminal once a night: which ones are due, claimed by compare-and-set, so that one worker does it."""

from datetime import UTC, date, datetime, time, timedelta

from flask import current_app
from sqlalchemy import Update, or_, select, update

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.services.core.dates import local
from hikflask.services.core.db import changed_rows, transaction

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
    ids = list(db.session.execute(select(Terminal.id).where(*due).order_by(Terminal.id)).scalars())
    return [
        terminal_id for terminal_id in ids if _claim(update(Terminal).where(Terminal.id == terminal_id, *due), night)
    ]


def _claim(mine: Update, night: date) -> bool:
    with transaction():
        return changed_rows(mine.values(compared_on=night)) == 1
