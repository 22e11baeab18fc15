"""Deletes old jobs with their reports, and drafts that nobody started."""

from flask import current_app
from sqlalchemy import and_, delete, exists, or_, select

from hikflask.models import Job, JobItem
from hikflask.models.columns import database_now
from hikflask.models.job import DRAFT
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.core.db import CLEANUP_BATCH, changed_rows, transactional

DRAFT_SECONDS = SECONDS_PER_DAY
# Items are small rows, and a job may have tens of thousands.
ITEM_BATCH = 10 * CLEANUP_BATCH


@transactional
def forget_jobs() -> int:
    """Delete the jobs that ended longer ago than HIKFLASK_JOB_RETENTION, and old drafts; return how many.

    The items go first, a few at a time, so that a job for very many holds nobody up.
    """
    kept_since = database_now(-SECONDS_PER_DAY * current_app.config["JOB_RETENTION"])
    abandoned = and_(Job.state == DRAFT, Job.created_at < database_now(-DRAFT_SECONDS))
    old = select(Job.id).where(or_(Job.ended_at < kept_since, abandoned)).order_by(Job.id).limit(CLEANUP_BATCH)
    items = select(JobItem.id).where(JobItem.job_id.in_(old)).limit(ITEM_BATCH)
    changed_rows(delete(JobItem).where(JobItem.id.in_(items)))
    empty = ~exists().where(JobItem.job_id == Job.id)
    return changed_rows(delete(Job).where(Job.id.in_(old), empty))
