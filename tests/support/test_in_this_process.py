"""What tests read in their own process is what the child processes of the program read."""

import io
from pathlib import Path

import openpyxl
import pytest

from hikflask.services.core.errors import BadPhoto, ServiceError
from hikflask.services.imports.table.columns import recognised
from hikflask.services.photos import storage
from hikflask.services.photos.inspection import check_photo
from hikflask.services.photos.jpeg_process import baseline_jpeg
from hikflask.services.spreadsheets import reader_process, table_file
from tests.support.captures import FACE
from tests.support.in_this_process import without_children

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.child_processes]
ROWS = [["ID", "ФИО"], ["007", "Иван"], ["8", "=1"]]


def of_a_table(folder: Path) -> list[object]:
    table, broken = folder / "table.xlsx", folder / "table.csv"
    table_file.write(table, "Люди", [ROWS[:1], ROWS[1:]])
    broken.write_text('ID;ФИО\n1;Иван\n2;"Пётр\n', encoding="utf-8")
    layout = reader_process.inspect(table, recognised)
    with pytest.raises(ServiceError) as refused:
        reader_process.inspect(broken, recognised)
    return [layout, list(reader_process.read(table, layout)), refused.value.code, refused.value.params]


def of_a_photo() -> list[object]:
    with pytest.raises(BadPhoto) as refused:
        check_photo(io.BytesIO(b"no picture"))
    return [check_photo(io.BytesIO(FACE), turn=90), refused.value.code]


def baseline_jpeg_of(upload: bytes) -> object:
    return vars(storage)["baseline_jpeg"](io.BytesIO(upload))


def test_tables_and_photos_are_read_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not openpyxl.LXML
    by_children = [of_a_table(tmp_path), of_a_photo(), baseline_jpeg_of(FACE)]
    without_children(monkeypatch)

    assert [of_a_table(tmp_path), of_a_photo(), baseline_jpeg_of(FACE)] == by_children
    assert vars(storage)["baseline_jpeg"] is not baseline_jpeg
