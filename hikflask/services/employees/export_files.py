"""The files of exported lists, in the folder exports/ of the instance: each is named after its job.

A file is kept for a day, and no longer than its job. It is removed at once when an employee in it is erased. The rows
of the jobs decide which files are removed, so nothing stays behind when a process is killed.
"""

import logging
import re
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from flask import current_app
from sqlalchemy import and_, exists, or_, select

from hikflask.extensions import db
from hikflask.models import Job, JobItem
from hikflask.models.columns import database_now
from hikflask.models.job import DONE, OPEN
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.spreadsheets.table_file import HALF_WRITTEN

log = logging.getLogger(__name__)

FOLDER = "exports"
KEPT_SECONDS = SECONDS_PER_DAY
# A complete file, or the hidden folder that it is written in.
NAME = re.compile(rf"(?P<hidden>\.)?(?P<job>\d{{1,18}})\.\w+(?(hidden)\..+{re.escape(HALF_WRITTEN)})\Z", re.ASCII)
_HAS_ERASED = exists().where(JobItem.job_id == Job.id, JobItem.number == "")
_IS_KEPT = and_(Job.state == DONE, Job.ended_at > database_now(-KEPT_SECONDS), ~_HAS_ERASED)


def folder() -> Path:
    """Return the folder, made if it is not there, which nobody else may look into."""
    path = Path(current_app.config["INSTANCE_PATH"], FOLDER)
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def path_of(job: Job) -> Path:
    """Return the path of a job's file, whether it is there or not."""
    return folder() / f"{job.id}.{job.params['format']}"


def find(job: Job) -> Path | None:
    """Return the complete file of an export while it is kept and there, else None."""
    is_kept = db.session.execute(select(Job.id).where(Job.id == job.id, _IS_KEPT)).first() is not None
    path = path_of(job) if is_kept and "format" in job.params else None
    return path if path and path.is_file() else None


def kept_until(ended_at: datetime) -> datetime:
    """Return when the file of an export that ended at this time is deleted."""
    return ended_at + timedelta(seconds=KEPT_SECONDS)


def remove(job_id: int) -> None:
    """Remove the file of a job, and what earlier attempts left."""
    for path in (*folder().glob(f"{job_id}.*"), *folder().glob(f".{job_id}.*{HALF_WRITTEN}")):
        _remove(path)


def remove_old() -> int:
    """Remove the files that are not kept any more, and what killed processes left; return how many.

    A file that cannot be removed is tried again with the next clean-up.
    """
    # The folder is read before the rows: a file that is added meanwhile waits for the next time.
    files = [(path, match) for path in folder().iterdir() if (match := NAME.match(path.name))]
    job_ids = {int(match["job"]) for _, match in files}
    jobs = select(Job.id, Job.state).where(Job.id.in_(job_ids), or_(Job.state.in_(OPEN), _IS_KEPT))
    states = {row.id: row.state for row in db.session.execute(jobs)} if files else {}
    count = 0
    for path, match in files:
        state = states.get(int(match["job"]))
        is_kept = state in OPEN if match["hidden"] else state is not None
        count += not is_kept and _remove(path)
    return count


def _remove(path: Path) -> bool:
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        log.error("the exported file %s cannot be removed (%s)", path.name, error.strerror)
        return False
    return True
