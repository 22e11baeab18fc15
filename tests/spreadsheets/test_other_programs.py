"""Files as other programs write them are imported cell by cell, and nobody has to name a column."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.services.imports.table.columns import recognised
from hikflask.services.spreadsheets.reader_process import Layout, inspect
from hikflask.text_rules import written_day
from tests.spreadsheets.other_programs import Person, files, people_of
from tests.support.filled_forms import form_to
from tests.support.import_batches import upload

FILES = files()
# One of each way to say who left, until when, in which department, and where the table is.
BY_THE_PAGE = (
    "1С, список сотрудников.csv",
    "1С, отчёт с группами.xlsx",
    "Excel 97-2003.xls",
    "Google Sheets.xlsx",
    "HikCentral, шаблон.xlsx",
    "BioStar 2.csv",
)
COLUMNS, PAGE = "/imports/1/columns", "/imports/1"


def people(app: Flask) -> set[Person]:
    with app.app_context():
        return {
            Person(
                row.number,
                row.name,
                row.department,
                written_day(row.valid_from),
                written_day(row.valid_to),
                row.is_active,
            )
            for row in db.session.execute(db.select(Employee)).scalars()
        }


@pytest.fixture
def expected(name: str, app: Flask) -> set[Person]:
    """The people after the import; those who have left by then are here before."""
    with app.app_context():
        leavers = [person for person in people_of(name) if not person.works_here]
        db.session.add_all(Employee(number=person.number, name=person.name) for person in leavers)
        db.session.commit()
    return set(people_of(name))


@pytest.mark.usefixtures("worker_alive")
@pytest.mark.parametrize("name", BY_THE_PAGE)
def test_file_of_another_program_is_imported_by_the_page_as_it_is(
    name: str, expected: set[Person], app: Flask, client: FlaskClient, run_jobs: Callable[[], int]
) -> None:
    assert upload(client, FILES[name]).location.endswith(COLUMNS)
    form_to(client.get(COLUMNS).text, COLUMNS).send(client)
    run_jobs()
    begin = "start" if all(person.works_here for person in expected) else "deactivate"
    form_to(client.get(PAGE).text, f"{PAGE}/{begin}").send(client)
    run_jobs()

    assert people(app) == expected


@pytest.mark.parametrize("name", FILES)
def test_file_of_another_program_is_imported_by_the_api_as_it_is(
    name: str, expected: set[Person], app: Flask, client: FlaskClient
) -> None:
    sent = {"file": (io.BytesIO(FILES[name]), name)}

    answer = client.post("/api/users/import", data=sent, content_type="multipart/form-data").json

    leavers = sum(not person.works_here for person in expected)
    assert answer is not None
    counts = (answer["new"], answer["changed"], answer["unchanged"], answer["wrong"])
    assert counts == (len(expected) - leavers, leavers, 0, 0)
    assert people(app) == expected


@pytest.mark.usefixtures("context")
def test_how_a_table_is_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_bytes(FILES["Excel, русский.xlsx"])

    layout = inspect(path, recognised)

    assert (layout.format, layout.header_line) == ("xlsx", 1)
    assert layout.columns == ["Табельный номер", "ФИО", "Подразделение", "Дата увольнения"]
    assert layout.sample[2] == ["100224", 'Ёлкин Пётр "Младший"', "", "2026-03-01"]
    assert Layout(**vars(layout)) == layout
