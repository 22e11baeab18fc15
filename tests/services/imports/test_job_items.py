"""The items of an import: each row that changes something has one, in the order of the file, or backwards."""

import pytest

from hikflask.extensions import db
from hikflask.models import ImportRow, JobItem
from hikflask.services.core.errors import ServiceError
from hikflask.services.imports import job_items
from hikflask.services.imports import jobs as import_jobs
from tests.support.imports import apply, checked, rows, started
from tests.support.jobs import add_people, items, job

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


class Reports:
    """Progress that is only kept."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def report(self, done: int, total: int) -> None:
        self.told.append((done, total))


def test_rows_that_change_something_have_items_in_their_order_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_items, "BATCH", 2)
    add_people("3")
    found = checked("5;Иван;", "3;Пётр;", "4;;", "1;Иван;", "2;Иван;")
    job_id, reports = started(import_jobs.start_import, found).job_id, Reports()

    job_items.add(job(job_id), reports)
    job_items.add(job(job_id), reports)

    assert items(job_id) == [(number, "waiting", "") for number in ("5", "3", "1", "2")]
    assert set(reports.told) == {(0, 4)}


def test_undo_has_them_backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_items, "BATCH", 2)
    found = checked("5;Иван;", "3;Пётр;", "1;Иван;")
    apply(found)
    job_id = started(import_jobs.start_undo, found).job_id

    job_items.add(job(job_id), Reports(), undo=True)

    assert [number for number, *_ in items(job_id)] == ["1", "3", "5"]


def test_row_is_found_by_the_number_of_its_item_unless_it_is_erased() -> None:
    found = checked("1;Иван;")
    (row,) = rows(found)

    assert job_items.row_of(JobItem(number="1"), found).id == row.id
    db.session.execute(db.delete(ImportRow))
    with pytest.raises(ServiceError, match=r"^import_row_gone$"):
        job_items.row_of(JobItem(number="1"), found)
