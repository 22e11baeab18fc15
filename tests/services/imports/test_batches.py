"""An import from its files to the choice of columns; nothing stays of what is refused."""

import io

import pytest
from flask import Flask

from hikflask.models import ImportBatch, Terminal
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import BadArchive, ServiceError
from hikflask.services.import_files import stored_files
from hikflask.services.imports import batches
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports.batches import ColumnsUnclear, DaysUnknown, Upload
from hikflask.services.imports.table.options import Options
from hikflask.services.privacy import import_traces
from hikflask.services.privacy.import_traces import ErasedPerson
from hikflask.services.spreadsheets import reader_process
from tests.spreadsheets import workbooks as xlsx
from tests.support.between import Between
from tests.support.captures import FACE
from tests.support.imports import apply, batch, check, checked, counts, made, photos, rows, started, table
from tests.support.removals import AGREED

pytestmark = pytest.mark.usefixtures("context")

PARTS_HEADER = "Табельный номер;ФИО;Фамилия;Имя;Отдел"


def stored() -> int:
    return len(list(stored_files.folder().iterdir()))


def test_columns_are_recognised_and_the_names_of_files_kept() -> None:
    made_batch = batches.make(table("1;Иван Иванов;Склад"), photos({"1.jpg": FACE}))

    found = batch(made_batch.id)
    assert found.fields == {"number": 0, "name": 1, "department": 2}
    assert (found.table_name, found.photos_name) == ("люди.csv", "фото.zip")
    assert found.layout["columns"] == ["Табельный номер", "ФИО", "Подразделение"]
    assert stored() == 2


def test_title_of_a_sheet_is_kept_no_longer_than_the_table() -> None:
    found = batches.make(table("1;Иван Иванов;"), None)
    named = {"sheet": "Зарубин Пётр", "sheets": [{"name": "Зарубин Пётр", "rows": 1, "people": True, "hidden": False}]}
    with transaction():
        found.layout = {**found.layout, **named}

    batches.remove_table(found.id)

    assert batch(found.id).layout == {**found.layout, "sheet": "", "sheets": [], "sample": []}


def test_whole_name_comes_before_its_parts() -> None:
    assert batches.make(table("1;Иван Иванов;Иванов;Иван;", header=PARTS_HEADER), None).fields == {
        "number": 0,
        "name": 1,
        "department": 4,
    }


@pytest.mark.parametrize(
    ("header", "row", "names"),
    [
        ("Таб. №;ФИО (лат);ФИО (рус)", "1;Ivanov Ivan;Иванов Иван", {"name": 2}),
        ("Таб. №;ФИО (рус);ФИО (лат)", "1;Иванов Иван;Ivanov Ivan", {"name": 1}),
        ("Таб. №;Full name;Сотрудник", "1;Ivanov Ivan;Иванов Иван", {"name": 2}),
        ("Таб. №;Фамилия (лат);Имя (лат);Фамилия;Имя", "1;Ivanov;Ivan;Иванов;Иван", {"last_name": 3, "first_name": 4}),
        ("Таб. №;ФИО (лат);Фамилия;Имя", "1;Ivanov Ivan;Иванов;Иван", {"last_name": 2, "first_name": 3}),
        ("Таб. №;ФИО (лат);Фамилия", "1;Ivanov Ivan;Иванов", {"name": 1}),
        ("Таб. №;ФИО;Сотрудник", "1;Ivanov Ivan;Ivanov", {"name": 1}),
        ("Таб. №;Full name;Отдел", "1;Ivanov Ivan;Цех", {"name": 1, "department": 2}),
    ],
)
def test_names_in_cyrillic_come_before_those_in_latin_letters(header: str, row: str, names: dict[str, int]) -> None:
    assert batches.make(table(row, header=header), None).fields == {"number": 0, **names}


def test_photos_are_looked_at_in_turn_with_tables(app: Flask) -> None:
    app.config["UPLOAD_WAIT"] = 0.1

    with reader_process.wait_for_turn(), pytest.raises(ServiceError, match=r"^tables_waiting$"):
        batches.make(None, photos({"1.jpg": FACE}))

    assert stored() == 0


def test_nothing_stays_of_what_is_refused(app: Flask) -> None:
    app.config["IMPORT_FILE_LIMIT"] = app.config["IMPORT_PHOTOS_LIMIT"] = 0
    refused: list[tuple[str, Upload | None, Upload | None]] = [
        ("nothing_uploaded", None, None),
        ("table_too_large", table("1;Иван;"), None),
        ("photos_file_too_large", None, photos({"1.jpg": FACE})),
    ]
    for code, people, pictures in refused:
        with pytest.raises(ServiceError, match=f"^{code}$"):
            batches.make(people, pictures)
    app.config["IMPORT_FILE_LIMIT"] = app.config["IMPORT_PHOTOS_LIMIT"] = 1
    with pytest.raises(BadArchive):
        batches.make(table("1;Иван;"), Upload("x.zip", io.BytesIO(b"no archive")))

    assert stored() == 0
    assert batches.get(1) is None


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"name": 1}, "column_missing", "number"),
        ({"number": 0}, "column_missing", "name"),
        ({"number": 0, "first_name": 1}, "column_missing", "last_name"),
        ({"number": 0, "name": 0}, "column_twice", "name"),
        ({"number": 0, "name": 1, "last_name": 2}, "column_twice", "last_name"),
        ({"number": 0, "name": 5}, "column_unknown", "name"),
        ({"number": 0, "shoes": 1}, "column_unknown", "shoes"),
    ],
)
def test_columns_that_cannot_be_are_refused(fields: dict[str, int], code: str, field: str) -> None:
    batch_id = made("1;Иван;Склад")

    with pytest.raises(ServiceError, match=f"^{code}$") as refused:
        batches.choose(batch_id, fields, None)

    assert refused.value.fields == (field,)
    assert batch(batch_id).fields == {"number": 0, "name": 1, "department": 2}


def test_two_people_in_a_row_are_not_taken_for_one() -> None:
    fields = {"number": 0, "name": 1}
    header = "Таб. №;ФИО;;Таб.№;ФИО"

    for people in (["1;Иван;;2;Пётр"], ["1;Иван;;;", "3;Анна;;2;Пётр"]):
        batch_id = batches.make(table(*people, header=header), None).id
        with pytest.raises(ServiceError, match=r"^table_side_by_side$") as refused:
            batches.choose(batch_id, fields, None)
        assert refused.value.params == {"column": "Таб. №"}
        with pytest.raises(ColumnsUnclear, match=r"^column_unclear$") as unclear:
            batches.choose(batch_id, fields, None, options=Options(unused_days=(4,)))
        assert unclear.value.params == {"columns": "“Таб.№”"}
        batches.choose(batch_id, fields, None, options=Options(unused_days=(3, 4)))
    # A table that was put together from two, and one where a card is called like the ID.
    for person, other in (("1;Иван;;1;Иван", header), ("1;Иван;;7;Склад", "ID;ФИО;;ID;Отдел")):
        batches.choose(batches.make(table(person, header=other), None).id, fields, None)


def test_question_from_a_row_further_down_says_the_words_of_leaving_and_no_others() -> None:
    cells = ["1", "Иван", "уволен 01.10.2026", "Иван Ким"]

    asked = ColumnsUnclear(["ID", "ФИО", "Прим.", "Сотрудник"], {2: "left", 3: "name"}, cells)

    assert asked.params == {"columns": "“Прим.” (“уволен 01.10.2026”), “Сотрудник”"}


def test_column_of_days_is_chosen_or_said_to_be_unused() -> None:
    batch_id = batches.make(table("1;Иван;31.12.2027", header="ID;ФИО;Куда пускать и до какого числа"), None).id
    fields = {"number": 0, "name": 1}

    with pytest.raises(DaysUnknown, match=r"^days_column_unknown$") as refused:
        batches.choose(batch_id, fields, None)

    assert (refused.value.indexes, refused.value.params) == ((2,), {"columns": "“Куда пускать и до какого числа”"})
    batches.choose(batch_id, fields, None, options=Options(unused_days=(2,)))
    assert Options.from_json(batch(batch_id).options).unused_days == (2,)
    batches.choose(batch_id, {**fields, "valid_to": 2}, None)
    assert (batch(batch_id).fields, batch(batch_id).options["unused_days"]) == ({**fields, "valid_to": 2}, [])


def test_terminal_must_be_in_use_and_nothing_is_chosen_after_the_check(terminal: Terminal) -> None:
    batch_id = made("1;Иван;Склад")
    with pytest.raises(ServiceError, match=r"^terminal_unknown$"):
        batches.choose(batch_id, {"number": 0, "name": 1}, terminal.id + 1)
    batches.choose(batch_id, {"number": 0, "name": 1}, terminal.id)
    assert batch(batch_id).terminal_id == terminal.id

    started(import_jobs.start_check, batch_id)

    with pytest.raises(ServiceError, match=r"^import_checked$"):
        batches.choose(batch_id, {"number": 0, "name": 2}, None)
    with pytest.raises(ServiceError, match=r"^import_unknown$"):
        batches.choose(99, {"number": 0, "name": 2}, None)


@pytest.mark.both_databases
def test_import_is_found_by_its_jobs() -> None:
    batch_id = checked("1;Иван;")
    job = apply(batch_id)

    found = batches.batch_of_job(job.id)
    assert isinstance(found, ImportBatch)
    assert (found.id, found.import_job_id) == (batch_id, job.id)
    assert found.check_job_id is not None
    assert batches.batch_of_job(found.check_job_id) == found
    assert batches.batch_of_job(99) is None


def test_discarded_import_is_gone_with_its_files_and_a_started_one_stays() -> None:
    unstarted, done = checked("1;Иван;", pictures={"1.jpg": FACE}), checked("2;Иван;")
    apply(done)

    assert batches.discard(unstarted)
    assert not batches.discard(unstarted)
    assert not batches.discard(done)

    assert (batches.get(unstarted), rows(unstarted), stored()) == (None, [], 0)
    assert len(rows(done)) == 1


@pytest.mark.both_databases
def test_another_sheet_is_read_until_the_dry_run_begins() -> None:
    head = xlsx.row(1, xlsx.text("A1", "ID") + xlsx.text("B1", "ФИО"))
    sheets = {
        name: xlsx.sheet(head + xlsx.row(2, xlsx.text("A2", number) + xlsx.text("B2", "Иван")))
        for name, number in (("А", "1"), ("Б", "2"))
    }
    batch_id = batches.make(Upload("люди.xlsx", io.BytesIO(xlsx.packed(xlsx.parts(sheets)))), None).id
    batches.choose(batch_id, {"number": 0, "name": 1}, None, options=Options(pad_to=5))

    batches.choose_sheet(batch_id, "Б")

    read = batch(batch_id)
    assert (read.layout["sheet"], read.layout["sample"], read.options) == ("Б", [["2", "Иван"]], {})
    check(batch_id)
    with pytest.raises(ServiceError, match=r"^import_checked$"):
        batches.choose_sheet(batch_id, "А")
    stored_files.remove(batch(batch_id).table_file)
    with pytest.raises(ServiceError, match=r"^import_file_gone$"):
        batches.choose_sheet(batch_id, "А")


@pytest.mark.both_databases
def test_dry_run_is_taken_back_so_that_other_columns_can_be_chosen() -> None:
    batch_id = checked("1;Иван;Склад", "2;Пётр;Склад")

    batches.reopen(batch_id)

    reopened = batch(batch_id)
    assert (reopened.checked_at, reopened.check_job_id, reopened.new) == (None, None, 0)
    assert (reopened.fields, stored()) == ({"number": 0, "name": 1, "department": 2}, 1)
    batches.choose(batch_id, {"number": 0, "name": 1}, None, options=Options(fixed={"department": "Цех"}))
    check(batch_id)
    assert [row.values["department"] for row in rows(batch_id)] == ["Цех", "Цех"]


def test_import_that_began_or_is_being_checked_and_one_without_its_table_are_not_taken_back() -> None:
    begun, erased, running = checked("1;Иван;"), checked("3;Иван;"), made("2;Иван;")
    apply(begun)
    import_traces.forget_files(ErasedPerson(["77"]))
    started(import_jobs.start_check, running)

    for batch_id, code in ((begun, "import_started"), (running, "import_started"), (erased, "import_file_gone")):
        with pytest.raises(ServiceError, match=rf"^{code}$"):
            batches.reopen(batch_id)
    assert counts(erased) == (1, 0, 0, 0)


@pytest.mark.both_databases
def test_import_that_is_discarded_at_that_moment_is_not_started(between: Between) -> None:
    batch_id = checked("1;Иван;")
    other = between(batches, "delete_rows", lambda: import_jobs.start_import(batch_id, AGREED))

    assert batches.discard(batch_id)
    other.finish()

    assert str(other.error) == "import_not_checked"


@pytest.mark.both_databases
def test_import_that_is_started_at_that_moment_starts_nothing_once_it_is_discarded(between: Between) -> None:
    batch_id = checked("1;Иван;")
    between(batches, "get_one", lambda: batches.discard(batch_id))

    with pytest.raises(ServiceError, match=r"^import_unknown$"):
        import_jobs.start_import(batch_id, AGREED)
