"""Deletes all passages, as a job that goes on for as long as some are left."""

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Job, Terminal
from hikflask.services.changes.kinds import NEWEST
from hikflask.services.core.db import transaction, write_first
from hikflask.services.core.progress import Progress
from hikflask.services.passages import coverage, journal, retention, switch
from hikflask.services.settings import stored as stored_settings


def delete_all(job: Job, progress: Progress) -> bool:
    """Delete some of all passages. What came since it was asked for goes, too, unless it is recorded again."""
    total = job.total or retention.count()[0]
    with transaction():
        write_first()
        stored_settings.read_within()
        gone = retention.delete_some(job.params[NEWEST] if switch.is_on() else None)
        if not gone and not switch.is_on():
            gone = _delete_last()
        progress.report(job.done + gone, total)
    return gone > 0


def _delete_last() -> int:
    """Delete what readings wrote while the others were deleted, and then what is known of them all."""
    # Whoever writes what a log has holds the terminal's row until it is here. The next one sees that it is off.
    db.session.execute(select(Terminal.id).order_by(Terminal.id).with_for_update(key_share=True)).all()
    gone = retention.delete_some(None)
    if not gone:
        coverage.forget_all()
        journal.forget_all()
    return gone
