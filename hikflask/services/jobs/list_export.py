"""The export of a job's people as a file, done as a whole: the file is there once everybody is in it."""

import time
from collections.abc import Iterator

from sqlalchemy import delete, update

from hikflask.models import Employee, Job, JobItem
from hikflask.models.job import DONE, WAITING
from hikflask.services.core.db import changed_rows, transaction
from hikflask.services.core.progress import Progress
from hikflask.services.employees import export_files, people_table
from hikflask.services.jobs import queries
from hikflask.services.spreadsheets import table_file


def write_file(job: Job, progress: Progress) -> None:
    """Write the file of an export, in the format and language of the job's params.

    When somebody in it is erased meanwhile, it is written once more, without that person.

    :raises table_not_written:
    """
    while True:
        export_files.remove(job.id)
        with transaction():
            _forget_erased(job.id)
            progress.report(0, job.total)
        written = _write(job, progress)
        with transaction():
            _mark_done(job.id)
            progress.report(written, written)
        if not queries.has_erased(job.id):
            return


def _write(job: Job, progress: Progress) -> int:
    """Write the file and return how many are in it: whoever was deleted meanwhile is not."""
    table = people_table.in_language(job.params["language"])
    count = _Counted(job, progress)
    table_file.write(export_files.path_of(job), table.sheet, table.parts(count.batches()))
    return count.written


class _Counted:
    """The people of a job in batches, each reported once it is in the file."""

    def __init__(self, job: Job, progress: Progress) -> None:
        self.written = 0
        self._job, self._progress = job, progress

    def batches(self) -> Iterator[list[Employee]]:
        """Yield the batches."""
        began = time.monotonic()
        for batch in people_table.batches(queries.employee_ids(self._job.id)):
            yield batch
            self.written += len(batch)
            self._progress.report(self.written, self._job.total)
            # The process may serve pages, too, which wait for its one interpreter.
            time.sleep(time.monotonic() - began)
            began = time.monotonic()


def _forget_erased(job_id: int) -> None:
    """Delete the items of those who were erased before: whoever is erased from now on is known by such an item."""
    changed_rows(delete(JobItem).where(JobItem.job_id == job_id, JobItem.number == ""))


def _mark_done(job_id: int) -> None:
    waiting = update(JobItem).where(JobItem.job_id == job_id, JobItem.state == WAITING)
    changed_rows(waiting.values(state=DONE))
