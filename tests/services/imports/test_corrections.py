"""Wrong rows are corrected in place, with all that follows from another ID."""

import io
from typing import Any

import pytest
from openpyxl import Workbook

from hikflask.services.core.errors import ServiceError
from hikflask.services.employees.erasure import erase_by_number
from hikflask.services.imports import batches, corrections
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports.batches import Upload
from tests.spreadsheets.workbooks import row, text, workbook
from tests.support.captures import FACE
from tests.support.imports import apply, batch, check, checked, counts, errors, made, rows, started, table
from tests.support.jobs import add_people, items, run
from tests.support.refusals import refusal

pytestmark = pytest.mark.usefixtures("context")


def correct(batch_id: int, *cells: str, place: int = 0) -> int:
    """Correct the wrong row at this place among them."""
    wrong = [row for row in rows(batch_id) if row.verdict == "wrong" and row.cells is not None]
    return corrections.correct(batch_id, {wrong[place].id: cells})


def numbers(batch_id: int) -> list[tuple[int | None, str, str]]:
    return [(row.line, row.number, row.verdict) for row in rows(batch_id)]


@pytest.mark.both_databases
def test_corrected_row_is_checked_as_in_the_dry_run_and_imported() -> None:
    add_people("00012")
    found = checked("12;;", "2;Пётр Петров;")
    assert counts(found) == (1, 0, 0, 1)

    assert correct(found, "00012", "Ольга Ёлкина", "") == 0

    assert numbers(found) == [(2, "00012", "changed"), (3, "2", "new")]
    assert (counts(found), errors(found)) == ((1, 1, 0, 0), {})
    assert items(apply(found).id) == [("00012", "done", ""), ("2", "done", "")]


def test_row_that_is_still_wrong_keeps_what_was_typed_and_says_why() -> None:
    found = checked("2!;Пётр Петров;")

    assert correct(found, "3!", "Пётр", "Склад") == 1

    (row,) = rows(found)
    assert (row.cells, row.errors) == (["3!", "Пётр", "Склад"], {"number": refusal("number_invalid")})


@pytest.mark.both_databases
def test_of_two_rows_with_one_id_the_other_is_right_once_one_has_another() -> None:
    found = checked("1;Пётр Петров;", "1;Ольга Ёлкина;")
    assert counts(found) == (0, 0, 0, 2)

    assert correct(found, "3", "Ольга Ёлкина", "", place=1) == 0

    assert numbers(found) == [(2, "1", "new"), (3, "3", "new")]


@pytest.mark.both_databases
def test_id_of_another_row_makes_both_wrong_with_their_cells() -> None:
    found = checked("1;Пётр Петров;Склад", "2!;Ольга Ёлкина;")

    assert correct(found, "1", "Ольга Ёлкина", "") == 2

    first, second = rows(found)
    assert first.errors == {"number": refusal("number_twice", lines="3")}
    assert second.errors == {"number": refusal("number_twice", lines="2")}
    assert first.cells == ["1", "Пётр Петров", "Склад"]


def test_photos_follow_the_ids() -> None:
    found = checked("1!;Пётр Петров;", "2;;", pictures={"1.jpg": FACE, "2.jpg": FACE})
    assert numbers(found) == [(2, "1!", "wrong"), (3, "2", "wrong"), (None, "1", "wrong")]

    corrections.correct(found, {row.id: cells for row, cells in zip(rows(found), NAMED, strict=False)})

    assert numbers(found) == [(2, "1", "new"), (3, "3", "new"), (None, "2", "wrong")]
    first, _, alone = rows(found)
    assert (first.photo, alone.errors) == ("1.jpg", {"photo": refusal("photo_nobody")})


NAMED = [["1", "Пётр Петров", ""], ["3", "Ольга Ёлкина", ""]]


def test_photos_that_are_named_by_full_name_follow_the_names() -> None:
    pictures = {"Анна Ёлкина.jpg": FACE, "Яна Чехова.jpg": FACE}
    found = checked("1!;Анна Ёлкина;", "2;Яна Чехова;", "3;;", pictures=pictures)
    assert [(row.number, row.photo) for row in rows(found)][1:] == [
        ("2", "Яна Чехова.jpg"), ("3", ""), ("", "Анна Ёлкина.jpg"),
    ]  # fmt: skip

    assert correct(found, "1", "Анна Елкина", "") == 1
    assert [(row.number, row.photo) for row in rows(found)] == [
        ("1", "Анна Ёлкина.jpg"), ("2", "Яна Чехова.jpg"), ("3", ""),
    ]  # fmt: skip

    assert correct(found, "2", "Яна Чехова", "") == 2  # Wrong now: the ID of another row.
    assert correct(found, "3", "Яна Чехова", "", place=1) == 1
    *_, unnamed = rows(found)
    assert (unnamed.photo, unnamed.errors) == ("Яна Чехова.jpg", {"photo": refusal("photo_of_namesakes", n="3")})


def test_emptied_row_is_left_out() -> None:
    found = checked("2!;Пётр Петров;", "3;Ольга Ёлкина;")

    assert correct(found, "", " ", "") == 0

    assert numbers(found) == [(3, "3", "new")]


def test_row_that_is_right_or_of_another_import_is_not_touched() -> None:
    other, found = checked("7!;Анна;"), checked("1;Пётр Петров;", "2!;Ольга Ёлкина;")
    right, foreign = rows(found)[0], rows(other)[0]

    assert corrections.correct(found, {row.id: ["9", "Иван", ""] for row in (right, foreign)}) == 1

    assert numbers(found) == [(2, "1", "new"), (3, "2!", "wrong")]
    assert numbers(other) == [(2, "7!", "wrong")]


def test_import_that_is_not_checked_or_has_begun_is_refused() -> None:
    with pytest.raises(ServiceError, match=r"^import_not_checked$"):
        corrections.correct(made("2!;Анна;"), {})
    found = checked("2!;Анна;", "3;Пётр;")
    started(import_jobs.start_import, found)
    with pytest.raises(ServiceError, match=r"^import_started$"):
        correct(found, "2", "Анна", "")


@pytest.mark.both_databases
@pytest.mark.parametrize("meanwhile", ["corrected", "started", "erased"])
def test_what_changed_meanwhile_is_not_overwritten(meanwhile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = checked("2!;Пётр Петров;", "3;Ольга Ёлкина;")
    check = corrections._check

    def late(*arguments: Any) -> list[dict[str, object]]:
        monkeypatch.setattr(corrections, "_check", check)
        if meanwhile == "corrected":
            correct(found, "4", "Анна Юрьева", "")
        elif meanwhile == "started":
            started(import_jobs.start_import, found)
        else:
            erase_by_number("2!")
        return check(*arguments)

    monkeypatch.setattr(corrections, "_check", late)
    with pytest.raises(ServiceError, match=r"^plan_changed$"):
        correct(found, "5", "Пётр Петров", "")

    assert "5" not in [row.number for row in rows(found)]


@pytest.mark.both_databases
def test_leavers_with_lost_zeros_get_the_ids_that_are_meant() -> None:
    add_people("00012", "00013", "077")
    found = checked("12;да", "13;да", "99;да", "077;да", header="Табельный номер;Уволен")
    assert counts(found) == (0, 1, 1, 2)

    assert len(corrections.take_similar_ids(found)) == 2

    assert [row.number for row in rows(found)] == ["00012", "00013", "99", "077"]
    assert (counts(found), errors(found)) == ((0, 3, 1, 0), {})
    effects = batch(found).effects
    assert (effects["leaving"], effects["unknown_ids"]) == (3, 1)
    assert not corrections.take_similar_ids(found)


@pytest.mark.both_databases
def test_correction_stays_when_the_table_is_checked_again() -> None:
    found = checked("2!;Пётр Петров;Oтдел", "3!;Ольга Ёлкина;", "4;Анна Юрьева;")
    correct(found, "2", "Пётр Петров", "Oтдел")
    assert [(row.number, row.verdict) for row in rows(found)] == [("2", "new"), ("3!", "wrong"), ("4", "new")]

    for _ in range(2):
        started_again(found)
        assert sorted((row.line, row.number, row.verdict) for row in rows(found)) == [
            (2, "2", "new"),
            (3, "3!", "wrong"),
            (4, "4", "new"),
        ]
    assert (counts(found), batch(found).effects["look_alikes"]) == ((2, 0, 0, 1), 0)

    batches.reopen(found)
    check(found)
    assert counts(found) == (2, 0, 0, 1)
    erase_by_number("2")
    assert [row.number for row in rows(found)] == ["3!", "4"]


def started_again(batch_id: int) -> None:
    """Have letters mended, which checks the table again."""
    run(started(lambda its_id, _: import_jobs.start_fixing(its_id), batch_id))


def test_correction_stays_after_a_dry_run_that_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = checked("2!;Пётр Петров;", "3;Ольга Ёлкина;")
    correct(found, "2", "Пётр Петров", "")
    batches.reopen(found)
    with monkeypatch.context() as patch:
        patch.setattr("hikflask.services.imports.dry_run.MAX_BUDGET", 0)
        check(found)
    assert [(row.number, row.corrected) for row in rows(found)] == [("2", True)]

    batches.reopen(found)
    check(found)

    assert counts(found) == (2, 0, 0, 0)


def test_row_that_nobody_corrected_stays_wrong() -> None:
    """All wrong rows of a page are sent together."""
    found = checked("1;#N/A;", f"2;Пётр;{';' * 300}x", "3!;Ольга Ёлкина;", "4;Ким;Анна;Склад")
    assert counts(found) == (0, 0, 0, 4)

    corrected = {
        row.id: ["3", *(row.cells or ())[1:]] if row.number == "3!" else row.cells or () for row in rows(found)
    }
    assert corrections.correct(found, corrected) == 3

    assert numbers(found) == [(2, "1", "wrong"), (3, "2", "wrong"), (4, "3", "new"), (5, "4", "wrong")]
    assert errors(found) == {
        "1": {"name": refusal("formula")},
        "2": {"number": refusal("row_too_long")},
        "4": {"number": refusal("row_shifted")},
    }
    assert [row.corrected for row in rows(found)] == [False, False, True, False]
    started_again(found)
    assert counts(found) == (1, 0, 0, 3)


def test_file_comes_back_with_sheets_and_headers_that_begin_like_a_formula() -> None:
    table = Upload("люди.xlsx", io.BytesIO(book({"-1 этаж": ["1!", "Пётр"], "2 этаж": ["2!", "Анна"]})))
    batch_id = batches.make(table, None, "*").id
    batches.choose(batch_id, batch(batch_id).fields, None)
    check(batch_id)
    # As csv_writer marks what a spreadsheet would take for a formula.
    lines = ["Табельный номер;ФИО;'+ Телефон;Строка;Причина ошибки", "1;Пётр;;'-1 этаж!2;", "2;Анна;;2 этаж!2;"]

    corrected = corrections.correct_from_file(batch_id, Upload("wrong.csv", io.BytesIO("\n".join(lines).encode())))

    assert (corrected.checked, corrected.wrong, corrected.unknown) == (2, 0, ())


def cells_of(line: int, *cells: str) -> str:
    """The XML of a row of texts."""
    return row(line, *(text(f"{chr(65 + at)}{line}", cell) for at, cell in enumerate(cells)))


def test_text_of_a_workbook_that_begins_like_a_formula_comes_back_equal() -> None:
    people = [("1!", "=Иван"), ("2!", "'=Анна"), ("3!", "-Яна"), ("4!", "Пётр"), ("5!", "Олег")]
    lines = [cells_of(1, "ID", "ФИО"), *(cells_of(line, *cells) for line, cells in enumerate(people, 2))]
    found = batches.make(Upload("люди.xlsx", io.BytesIO(workbook("".join(lines)))), None).id
    batches.choose(found, batch(found).fields, None)
    check(found)
    # On the page, and in the file as a spreadsheet saves it that opened ours; a text, and a formula without a value.
    corrections.correct(found, {rows(found)[0].id: ["1", "=Иван"]})
    saved = [("2", "''=Анна", "3"), ("3", "'-Яна", "4"), ("4", "=Пётр", "5")]
    lines = [cells_of(1, "ID", "ФИО", "Строка"), *(cells_of(line, *cells) for line, cells in enumerate(saved, 2))]
    lines.append(row(5, text("A5", "5"), '<c r="B5"><f>1+2</f></c>', text("C5", "6")))

    corrected = corrections.correct_from_file(found, Upload("wrong.xlsx", io.BytesIO(workbook("".join(lines)))))

    assert (corrected.checked, corrected.wrong) == (4, 1)
    names = ["=Иван", "'=Анна", "-Яна", "=Пётр"]
    assert [row.values["name"] for row in rows(found)[:4]] == names
    assert errors(found) == {"5": {"name": refusal("formula")}}
    started_again(found)
    assert [row.values["name"] for row in rows(found)[:4]] == names
    assert errors(found) == {"5": {"name": refusal("formula")}}


def test_zeros_that_excel_takes_from_ids_stay_when_the_file_comes_back() -> None:
    found = checked("00402;;Склад", "00403;;Склад", "0;;Склад")
    head = ";".join([*batch(found).layout["columns"], "Строка", "Причина ошибки"])
    lines = [head, "402;Пётр;Склад;2;", "77;Анна;Склад;3;", "0;Яна;Склад;4;"]

    corrected = corrections.correct_from_file(found, Upload("wrong.csv", io.BytesIO("\n".join(lines).encode())))

    assert (corrected.checked, corrected.wrong) == (3, 0)
    assert [number for _, number, _ in numbers(found)] == ["00402", "77", "0"]


def book(people: dict[str, list[str]]) -> bytes:
    """A workbook with a sheet for each person, by its name."""
    made_book, file = Workbook(write_only=True), io.BytesIO()
    for name, cells in people.items():
        sheet = made_book.create_sheet(name)
        sheet.append(["Табельный номер", "ФИО", "+ Телефон"])
        sheet.append([*cells, ""])
    made_book.save(file)
    return file.getvalue()


def test_corrected_row_gets_the_department_above_it_once_that_is_read() -> None:
    found = batches.make(table("Склад;;", "1!;Пётр Петров;Сварщик", "2;Ольга Ёлкина;", header="А;Б;В"), None).id
    batches.choose(found, {"number": 0, "name": 1, "department": 2}, None)
    check(found)
    correct(found, "1", "Пётр Петров", "Сварщик", place=1)
    batches.reopen(found)

    batches.choose(found, {"number": 0, "name": 1}, None)
    check(found)

    assert [row.values for row in rows(found)] == [
        {"number": "1", "name": "Пётр Петров", "department": "Склад"},
        {"number": "2", "name": "Ольга Ёлкина", "department": "Склад"},
    ]


def test_rows_for_which_there_is_no_time_stay_wrong_for_the_next_press(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corrections, "PORTION", 1)
    monkeypatch.setattr(corrections, "MAX_SECONDS", 0.0)
    add_people("00012", "00013")
    found = checked("12;да", "13;да", header="Табельный номер;Уволен")

    assert len(corrections.take_similar_ids(found)) == 1
    assert [row.number for row in rows(found)] == ["00012", "13"]
    assert len(corrections.take_similar_ids(found)) == 1
    assert [row.number for row in rows(found)] == ["00012", "00013"]
