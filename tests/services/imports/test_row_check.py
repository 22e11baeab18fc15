"""Rows are checked without a file: what is stored of each."""

import pytest

from hikflask.services.imports import row_check
from hikflask.services.imports.classify import Picture
from hikflask.services.imports.table import values
from hikflask.services.imports.table.options import DEFAULT
from hikflask.services.spreadsheets.reader_process import Row
from tests.support.imports import batch, made

pytestmark = pytest.mark.usefixtures("context")


def test_row_is_stored_with_its_place_and_keeps_its_cells_only_when_it_is_wrong() -> None:
    found = batch(made("1;Иван Иванов;"))
    read = []
    for row in (Row(4, ["1", "Иван Иванов", "Цех"], sheet="Май"), Row(9, ["2", "", ""], sheet="Июнь")):
        entry = values.read(row, found.fields, DEFAULT)
        assert entry is not None
        read.append((row, entry))

    good, wrong = row_check.check_rows(found, read, {"1": Picture("1.jpg", "ab")}, row_check.Known())

    assert (good["sheet"], good["line"], good["number"], good["verdict"]) == ("Май", 4, "1", "new")
    assert good["values"] == {"number": "1", "name": "Иван Иванов", "department": "Цех", "photo": "ab"}
    assert (good["photo"], good["cells"]) == ("1.jpg", None)
    assert (wrong["sheet"], wrong["line"], wrong["verdict"]) == ("Июнь", 9, "wrong")
    assert wrong["cells"] == ["2", "", ""]


def test_text_beside_empty_cells_of_who_left_is_a_reason_and_beside_yes_or_no_it_is_none() -> None:
    for other, leaves in (("", True), ("да", None)):
        found = batch(made(f"1;Иван;{other}", "2;Пётр;", header="ID;ФИО;Увольнение"))

        entry = row_check.row_reader(found)(Row(9, ["3", "Анна", "по собственному желанию"]))

        assert entry is not None
        assert (entry.leaves, bool(entry.errors)) == (leaves, leaves is None)


@pytest.mark.parametrize(("other", "name"), [("Benn, Aro", "Smith Jones Ann"), ("Benn Aro", "Smith Jones, Ann")])
def test_comma_behind_a_surname_of_two_words_is_left_out_where_all_names_have_one(other: str, name: str) -> None:
    found = batch(made(f'1;"{other}"', '2;"De La Cruz, Ana"', header="ID;ФИО"))

    entry = row_check.row_reader(found)(Row(9, ["3", "Smith Jones, Ann"]))

    assert entry is not None
    assert entry.texts["name"] == name
