"""Rows as XLSX, read back as a spreadsheet reads them."""

import zipfile
from pathlib import Path

import pytest
from openpyxl import load_workbook

from hikflask.services.spreadsheets import xlsx_writer

HOSTILE = [
    "=1+1", "+7 900", "-1", "@SUM(A1)", "＝1+1", "＋1", "－1", "＠x", "\t=1", "\n=1", "  =1", "\u00a0=1", "'=1", '"=1"',
    '=HYPERLINK("http://x";"y")', "=cmd|' /C calc'!A0", "#N/A", "{=1}", "007", "1e5", "2026-11-26", "TRUE", "12:30",
    "<b>&amp;</b>", "]]>", "Иван\nИванов", "\u202eсправа", "😀",
]  # fmt: skip


def write(folder: Path, *rows: list[str]) -> Path:
    file = folder / "people.xlsx"
    xlsx_writer.write(str(file), "Сотрудники", iter(rows))
    return file


def test_every_hostile_text_is_a_text_as_it_was(tmp_path: Path) -> None:
    file = write(tmp_path, HOSTILE, HOSTILE)

    (page,) = load_workbook(file).worksheets

    for row in page.iter_rows():
        assert [cell.value for cell in row] == HOSTILE
        assert {(cell.data_type, cell.number_format) for cell in row} == {("s", "@")}
    # As openpyxl says nothing of what it leaves out, the file itself is read, too.
    xml = zipfile.ZipFile(file).read("xl/worksheets/sheet1.xml")
    assert b"<f" not in xml.replace(b"<formatCode", b"")


def test_head_stays_in_sight_in_bold_and_columns_are_as_wide_as_their_texts(tmp_path: Path) -> None:
    file = write(tmp_path, ["ID", "ФИО", "Отдел"], ["1", "Иван Иванович Иванов", "ж" * 100], ["2", "Пётр", ""])

    book = load_workbook(file)
    page = book["Сотрудники"]

    assert book.sheetnames == ["Сотрудники"]
    assert page.freeze_panes == "A2"
    assert [[cell.font.b for cell in row] for row in page.iter_rows(max_row=2)] == [[True] * 3, [False] * 3]
    assert [page.column_dimensions[name].width for name in "ABC"] == [10, 22, 60]
    assert page["C3"].value is None


@pytest.mark.parametrize("letter", ["\0", "\x0b", "\x1f", "\ud800", "\uffff"])
def test_character_that_xml_cannot_hold_is_replaced(tmp_path: Path, letter: str) -> None:
    file = write(tmp_path, ["ID"], [f"=Иван{letter}"])

    cell = load_workbook(file).worksheets[0]["A2"]

    assert (cell.value, cell.data_type) == ("=Иван\ufffd", "s")


def test_rows_beyond_those_that_are_measured_are_written_too(tmp_path: Path) -> None:
    many = xlsx_writer.MEASURED + 2
    file = write(tmp_path, ["ID"], *([str(number)] for number in range(many)))

    book = load_workbook(file, read_only=True)
    written = [row[0] for row in book.worksheets[0].values]
    book.close()

    assert written == ["ID", *map(str, range(many))]
