"""Files as other programs write them are read without a question, and have the same people."""

from pathlib import Path

import pytest

from hikflask.services.imports.columns import recognised
from hikflask.services.spreadsheets.reader_process import Layout, Row, inspect, read
from tests.spreadsheets.other_programs import PEOPLE, files

pytestmark = pytest.mark.usefixtures("context")

FILES = files()
OF_A_NAME = ("last_name", "first_name", "middle_name")


def person(row: Row, layout: Layout) -> tuple[str, str, str]:
    cells = {field: row.cells[index] for field, index in recognised(layout.columns).items()}
    name = cells.get("name") or " ".join(cells[part] for part in OF_A_NAME)
    return cells["number"], name, cells["department"]


@pytest.mark.parametrize("name", FILES)
def test_file_of_another_program_has_the_same_people(name: str, tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_bytes(FILES[name])

    layout = inspect(path, recognised)
    rows = list(read(path, layout))

    assert [person(row, layout) for row in rows] == PEOPLE
    assert layout.rows == len(rows) == 3
    assert [row.line for row in rows] == list(range(layout.header_line + 1, layout.header_line + 4))
    assert not any(row.formulas or row.too_long for row in rows)


def test_how_a_table_is_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_bytes(FILES["Excel, русский.xlsx"])

    layout = inspect(path, recognised)

    assert (layout.format, layout.header_line) == ("xlsx", 1)
    assert layout.columns == ["Табельный номер", "ФИО", "Подразделение", "Дата увольнения"]
    assert layout.sample[2] == ["100224", 'Ёлкин Пётр "Младший"', "", "2026-03-01"]
    assert Layout(**vars(layout)) == layout
