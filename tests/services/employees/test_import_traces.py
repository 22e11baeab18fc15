"""What imports hold of one person goes with the person, and what they hold of others stays."""

from zipfile import ZipFile

import pytest

from hikflask.services.core import import_files
from hikflask.services.employees import import_traces
from hikflask.services.employees.erasure import erase_by_number, erase_employee
from tests.support.captures import FACE, OTHER_FACE
from tests.support.erasures import every_text
from tests.support.imports import apply, batch, checked, errors, made, rows
from tests.support.jobs import add_people, items

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


def test_rows_and_photos_of_the_person_are_erased_and_those_of_others_stay() -> None:
    (ivan,) = add_people("1")
    found = checked(
        "1;Пётр Петров;", "2;Ольга Ёлкина;", "№1;Иван  ИВАНОВ 1;".replace("  ", " "), "№3;Анна;",
        pictures={"1.jpg": FACE, "2.jpg": OTHER_FACE},
    )  # fmt: skip

    erase_employee(ivan)

    assert [row.number for row in rows(found)] == ["2", "№3"]
    with ZipFile(import_files.path_of(batch(found).photos_file)) as archive:
        assert archive.namelist() == ["2.jpg"]
    assert items(apply(found).id) == [("2", "done", "")]
    assert "Пётр" not in every_text()
    assert "Иван" not in every_text()


def test_row_that_is_erased_before_its_turn_is_said() -> None:
    found = checked("1;Пётр Петров;", "2;Ольга Ёлкина;")
    erase_by_number("1")

    assert import_traces.of_number("1") == []
    assert apply(found).failed == 0
    assert [row.number for row in rows(found)] == ["2"]


def test_table_that_was_not_read_yet_is_removed() -> None:
    (ivan,) = add_people("1")
    found = made("1;Пётр Петров;")

    erase_employee(ivan)

    assert list(import_files.folder().iterdir()) == []
    assert errors(found) == {}
    assert batch(found).table_file == ""


def test_rows_of_one_employee_are_found_with_their_imports() -> None:
    (ivan,) = add_people("1")
    found = checked("1;Пётр Петров;", "2;Ольга Ёлкина;")

    assert [(one.id, row.number) for one, row in import_traces.of_employee(ivan)] == [(found, "1")]
