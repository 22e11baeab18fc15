"""What came of an import is counted by what was done, and wrong rows come with their reasons, wherever they failed."""

import io

import pytest

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.services.imports import batches
from hikflask.services.imports.batches import Upload
from hikflask.services.jobs import import_report, imports
from hikflask.services.jobs.import_report import Report, WrongRow
from tests.support.jobs import add_people, run

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]

TABLE = "ID;ФИО\n1;Иванов\n2;Пётр\n3;Анна\n4;\nы;Ольга\n"
WRONG = [
    WrongRow(5, "4", "", {"name": ["text_empty", {"most": 128}]}),
    WrongRow(6, "ы", "", {"number": ["number_invalid", {}]}),
]


def checked() -> int:
    batch = batches.make(Upload("table.csv", io.BytesIO(TABLE.encode())), None)
    batches.choose(batch.id, batch.fields, None)
    run(imports.start_check(batch.id))
    return batch.id


def report(batch_id: int, most: int = 10) -> Report:
    return import_report.of_batch(batches.row(batch_id), most)


def test_dry_run_is_counted_by_its_verdicts() -> None:
    add_people("2")

    batch_id = checked()

    assert report(batch_id) == Report(batch_id, new=2, changed=1, unchanged=0, wrong=2, without_photo=0, rows=WRONG)
    assert report(batch_id, most=1).rows == WRONG[:1]


def test_row_that_could_not_be_imported_after_all_counts_as_wrong() -> None:
    add_people("2")
    batch_id = checked()
    db.session.execute(db.update(Employee).where(Employee.number == "2").values(name="Павел"))
    db.session.commit()

    run(imports.start_import(batch_id))

    wrong = [*WRONG, WrongRow(3, "2", "", {"number": ["changed_since", {}]})]
    assert report(batch_id) == Report(batch_id, new=2, changed=0, unchanged=0, wrong=3, without_photo=0, rows=wrong)


def test_rows_that_were_undone_were_imported() -> None:
    batch_id = checked()
    run(imports.start_import(batch_id))
    run(imports.start_undo(batch_id))

    assert report(batch_id) == Report(batch_id, new=3, changed=0, unchanged=0, wrong=2, without_photo=0, rows=WRONG)
