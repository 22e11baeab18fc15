"""What came of an import is counted by what was done, and wrong rows come with their reasons, wherever they failed.

All of it can be read by pages.
"""

import io

import pytest

from hikflask.extensions import db
from hikflask.models import Employee, Job
from hikflask.services.core.errors import CursorUnknown
from hikflask.services.imports import batches, effects
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports import report as import_report
from hikflask.services.imports.batches import Upload
from hikflask.services.imports.report import ListedRow, Page, Report
from tests.support.jobs import add_people, run
from tests.support.refusals import refusal
from tests.support.removals import AGREED

pytestmark = pytest.mark.usefixtures("context")

NO_EFFECTS = dict.fromkeys(effects.KINDS, 0)
TABLE = "ID;ФИО\n1;Иванов\n2;Пётр\n3;Анна\n4;\nы;Ольга\n"
WRONG = [
    ListedRow(5, "4", "", {"name": refusal("text_empty")}),
    ListedRow(6, "ы", "", {"number": refusal("number_invalid")}),
]


def checked() -> int:
    batch = batches.make(Upload("table.csv", io.BytesIO(TABLE.encode())), None)
    batches.choose(batch.id, batch.fields, None)
    run(import_jobs.start_check(batch.id))
    return batch.id


def report(batch_id: int, most: int = 10) -> Report:
    return import_report.of_batch(batches.get_one(batch_id), most)


def test_dry_run_is_counted_by_its_verdicts() -> None:
    add_people("2")

    batch_id = checked()

    assert report(batch_id) == Report(
        batch_id, new=2, changed=1, unchanged=0, wrong=2, without_photo=0, rows=WRONG, effects=NO_EFFECTS, listed=2
    )
    assert report(batch_id, most=1).rows == WRONG[:1]


def test_row_that_could_not_be_imported_after_all_counts_as_wrong() -> None:
    add_people("2")
    batch_id = checked()
    db.session.execute(db.update(Employee).where(Employee.number == "2").values(name="Павел"))
    db.session.commit()

    run(import_jobs.start_import(batch_id, AGREED))

    wrong = [*WRONG, ListedRow(3, "2", "", {"number": refusal("changed_since")})]
    assert report(batch_id) == Report(
        batch_id, new=2, changed=0, unchanged=0, wrong=3, without_photo=0, rows=wrong, effects=NO_EFFECTS, listed=3
    )


@pytest.mark.both_databases
def test_report_of_a_job_is_read_by_pages() -> None:
    add_people("2")
    batch_id = checked()
    checking = db.session.get_one(Job, batches.get_one(batch_id).check_job_id)
    db.session.execute(db.update(Employee).where(Employee.number == "2").values(name="Павел"))
    db.session.commit()

    importing = run(import_jobs.start_import(batch_id, AGREED))

    assert [page.imported.rows for page in pages(checking) if page.imported] == [WRONG[:1], WRONG[1:]]
    assert [page.failed for page in pages(importing)] == [[("2", "changed_since")], [], []]
    failed = ListedRow(3, "2", "", {"number": refusal("changed_since")})
    assert [page.imported.rows for page in pages(importing) if page.imported] == [[failed], WRONG[:1], WRONG[1:]]
    whole = import_report.page(importing, 10)
    assert (whole.imported, whole.after) == (report(batch_id), "")
    assert import_report.page(importing, 0).after == ""
    with pytest.raises(CursorUnknown):
        import_report.page(importing, 10, "cursor")


def pages(job: Job) -> list[Page]:
    """The pages of a job's report, of one line each."""
    found = [import_report.page(job, 1)]
    while found[-1].after:
        found.append(import_report.page(job, 1, found[-1].after))
    return found


def test_rows_that_were_undone_were_imported() -> None:
    batch_id = checked()
    run(import_jobs.start_import(batch_id, AGREED))
    run(import_jobs.start_undo(batch_id, AGREED))

    assert report(batch_id) == Report(
        batch_id, new=3, changed=0, unchanged=0, wrong=2, without_photo=0, rows=WRONG, effects=NO_EFFECTS, listed=2
    )
