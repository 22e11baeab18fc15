"""The command line: people out to a table."""

import csv
import io
import stat
from pathlib import Path

import pytest
from flask import Flask
from openpyxl import load_workbook

from tests.cli.test_operators import run
from tests.support.jobs import add_people
from tests.support.trail import entries

HEAD = ["Employee ID", "Full name", "Department", "Active", "Added", "Valid from", "Valid to"]


@pytest.fixture(autouse=True)
def people(app: Flask) -> None:
    with app.app_context():
        add_people("007", "2", department="=1+1")
        add_people("3", is_active=False)


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text), delimiter=";"))


def without_time(rows: list[list[str]]) -> list[list[str]]:
    return [row[:4] for row in rows]


def test_everybody_goes_to_standard_output_as_csv_for_programs(app: Flask) -> None:
    result = run(app, "employees", "export")

    assert (result.exit_code, result.stderr) == (0, "")
    head, *rows = table(result.stdout_bytes.decode())
    assert head == HEAD
    assert without_time(rows) == [
        ["007", "Иван Иванов 007", "'=1+1", "yes"],
        ["2", "Иван Иванов 2", "'=1+1", "yes"],
        ["3", "Иван Иванов 3", "", "no"],
    ]
    with app.app_context():
        (entry,) = entries("employees.exported")
        assert (entry.actor, entry.after) == ("command line", {"people": 3, "format": "csv"})


def test_list_is_narrowed_as_on_the_page(app: Flask) -> None:
    for options, numbers in [
        (["--state", "left"], ["3"]),
        (["--department", "=1+1"], ["007", "2"]),
        (["--q", "иванов 2"], ["2"]),
        (["--terminal", "1"], []),
    ]:
        result = run(app, "employees", "export", *options)

        assert [row[0] for row in table(result.stdout)[1:]] == numbers


def test_file_is_for_its_owner_alone_and_replaces_an_earlier_one(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "out" / "people.CSV"
    file.parent.mkdir()
    file.write_text("earlier")
    file.chmod(0o644)

    result = run(app, "employees", "export", str(file), "--language", "ru")

    assert (result.exit_code, result.stdout) == (0, f"Employees written to {file}: 3\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]
    head, *rows = table(file.read_bytes().decode("utf-8-sig"))
    assert head == ["ID сотрудника", "ФИО", "Отдел", "Активен", "Добавлен", "Действует с", "Действует по"]
    assert rows[-1][:4] == ["3", "Иван Иванов 3", "", "нет"]


def test_file_of_excel_has_texts_alone(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "people.xlsx"

    result = run(app, "employees", "export", str(file))

    assert result.exit_code == 0, result.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    head, *rows = load_workbook(file)["Employees"].iter_rows()
    assert [cell.value for cell in head] == HEAD
    assert [[cell.value for cell in row[:4]] for row in rows] == [
        ["007", "Иван Иванов 007", "=1+1", "yes"],
        ["2", "Иван Иванов 2", "=1+1", "yes"],
        ["3", "Иван Иванов 3", None, "no"],
    ]
    assert {cell.data_type for row in rows for cell in row if cell.value} == {"s"}


@pytest.mark.parametrize(("file", "sentence"), [
    ("people.ods", "Invalid value for FILE: the name must end in .csv or .xlsx."),
    ("people", "Invalid value for FILE: the name must end in .csv or .xlsx."),
    ("nowhere/people.csv", "Invalid value for FILE: there is no folder nowhere."),
])  # fmt: skip
def test_wrong_file_is_refused_before_anything_is_noted(app: Flask, file: str, sentence: str) -> None:
    result = run(app, "employees", "export", file)

    assert (result.exit_code, result.stdout) == (2, "")
    assert sentence in result.stderr
    with app.app_context():
        assert entries("employees.exported") == []


def test_file_that_cannot_be_written_is_said(app: Flask, tmp_path: Path) -> None:
    result = run(app, "employees", "export", str(tmp_path / f"{'x' * 300}.csv"))

    assert (result.exit_code, result.stdout) == (1, "")
    sentence = "The file could not be written. Perhaps the server's disk is full; the server's log says why."
    assert f"Error: {sentence}\n" in result.stderr
