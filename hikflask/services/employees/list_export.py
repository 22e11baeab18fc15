"""The export of a job's people as a file, done as a whole: the file is there once everybody is in it."""

import time
from collections.abc import Iterator

from sqlalchemy import delete, update

from hikflask.models import Employee, Job, JobItem
from hikflask.models.job import DONE, WAITING
from hikflask.services.changes import queries
from hikflask.services.core.db import changed_rows, transaction
from hikflask.services.core.progress import Progress
from hikflask.services.employees import export_columns, export_files
from hikflask.services.spreadsheets import table_file


def write_file(job: Job, progress: Progress) -> None:
    """Write the file of an export, in the format and language of the job's params.

    When somebody in it is erased meanwhile, it is written once more, without that person.

    :raises table_not_written:
    """
    items = update(JobItem).where(JobItem.job_id == job.id, JobItem.state == WAITING)
    while True:
        export_files.remove(job.id)
        with transaction():
            # Items of employees who were erased before; an item that is blank later shows that somebody is erased now.
            changed_rows(delete(JobItem).where(JobItem.job_id == job.id, JobItem.number == ""))
            progress.report(0, job.total)
        written: list[int] = []
        table = export_columns.PeopleTable(job.params["language"])
        parts = table.parts(_reported(job, progress, written))
        table_file.write(export_files.path_of(job), table.sheet, parts)
        with transaction():
            changed_rows(items.values(state=DONE))
            # Without those who were deleted meanwhile.
            progress.report(sum(written), sum(written))
        if not queries.has_erased(job.id):
            return


def _reported(job: Job, progress: Progress, written: list[int]) -> Iterator[list[Employee]]:
    """Yield the people of a job in batches, and report each, with its length in `written`, once it is in the file."""
    began = time.monotonic()
    for batch in export_columns.batches(queries.employee_ids(job.id)):
        yield batch
        written.append(len(batch))
        progress.report(sum(written), job.total)
        # The process may serve pages, too, which wait for its one interpreter.
        time.sleep(time.monotonic() - began)
        began = time.monotonic()
