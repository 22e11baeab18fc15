"""The command line: people in from a table, and back; what came of it as text and as one object."""

import io
import json
import signal
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import event

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, ImportBatch, ImportRow, Job, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.import_files import stored_files
from hikflask.services.imports import effects
from hikflask.services.imports.table import mappings
from hikflask.services.imports.table.options import Options
from hikflask.simulator import Terminal as Simulated
from tests.cli.test_operators import run
from tests.spreadsheets.workbooks import packed, parts, pictures, row, sheet, text
from tests.support.captures import FACE, OTHER_FACE
from tests.support.enrolments import enrol
from tests.support.groups import ENTRANCE, add_terminals
from tests.support.imports import apply, checked
from tests.support.jobs import add_people
from tests.support.trail import entries

TABLE = "Табельный номер;ФИО;Подразделение\r\n1;Иванов Иван;Цех 1\r\n2;;Цех 1\r\n3;Пётр;\r\n"

READ_AS = {
    "columns": {"number": "Табельный номер", "name": "ФИО", "department": "Подразделение"},
    "sheet": "",
    "hidden_rows": 0,
    "pictures": 0,
}
NOTHING_SPECIAL = {"effects": dict.fromkeys(effects.KINDS, 0), "unconfirmed": 0, "withheld": 0, "absent": 0}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "люди.csv"
    path.write_bytes(TABLE.encode("cp1251"))
    return path


def imported(app: Flask, *arguments: object) -> Result:
    return run(app, "employees", "import", *map(str, arguments))


def last_line(result: Result) -> dict[str, object]:
    found: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return found


def people(app: Flask) -> dict[str, tuple[str, str, bool]]:
    with app.app_context():
        rows = db.session.execute(db.select(Employee).order_by(Employee.number)).scalars()
        return {row.number: (row.name, row.department, row.is_active) for row in rows}


def test_id_that_is_meant_and_whose_photo_replaces_one_are_named(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        add_people("00012")
        apply(checked("1;Иванов Иван;", "2;Ким Юрий;", pictures={"1.jpg": FACE, "2.jpg": OTHER_FACE}))
    path, photos = tmp_path / "люди.csv", tmp_path / "photos.zip"
    path.write_text("ID;ФИО\n12;Иван Иванов\n1;Иванов Иван\n2;Ким\n7;Гость 7\n", encoding="utf-8")
    with ZipFile(photos, "w") as archive:
        archive.writestr("1.jpg", OTHER_FACE)

    result = imported(app, path, "--photos", photos, "--dry-run")

    told = (
        "Row 2: nobody here has this ID: “00012”?\nRow 3: another photo than here: that of 2\n"
        "Row 4: the name loses words, here it is “Ким Юрий”\n"
        "Digits in names: 1.\nActive here and not in the file: 1 (00012).\n"
    )
    assert (result.exit_code, result.stderr) == (0, told)


def test_zeros_that_a_spreadsheet_lost_are_put_back_as_the_command_says(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        add_people("00012", "00345")
    path = tmp_path / "люди.csv"
    path.write_text("ID;ФИО\n12;Иван Иванов 00012\n345;Иван Иванов 00345\n", encoding="utf-8")

    offered = imported(app, path, "--dry-run", "--json")
    done = imported(app, path, "--pad-to", last_line(offered)["pad_to"], "--json")

    assert "IDs are here with zeros in front, which the file lost: --pad-to 5 puts them back.\n" in offered.stderr
    assert (done.exit_code, last_line(done)["new"], last_line(done)["unchanged"]) == (0, 0, 2)
    assert "pad_to" not in last_line(done)


@pytest.mark.both_databases
def test_people_come_in_and_wrong_rows_are_told(app: Flask, table: Path) -> None:
    result = imported(app, table)

    assert (result.exit_code, result.stderr) == (0, "Row 3: name: This must not be empty.\n")
    assert result.stdout == (
        "Columns: number “Табельный номер”, name “ФИО”, department “Подразделение”.\n"
        "New: 2, changed: 0, unchanged: 0, wrong: 1. This is import 1; undo it by `employees undo 1`.\n"
    )
    assert people(app) == {"1": ("Иванов Иван", "Цех 1", True), "3": ("Пётр", "", True)}
    with app.app_context():
        assert [(entry.actor, entry.subject) for entry in entries("job.started")] == [
            ("command line", "job 1"),
            ("command line", "job 2"),
        ]


def test_with_json_the_last_line_is_one_object(app: Flask, table: Path) -> None:
    with app.app_context():
        add_people("3")

    counts = {"new": 1, "changed": 1, "unchanged": 0, "wrong": 1}
    assert last_line(imported(app, table, "--json")) == {"batch": 1, **counts, **NOTHING_SPECIAL, "table": READ_AS}
    counts = {"new": 0, "changed": 0, "unchanged": 2, "wrong": 1}
    assert last_line(imported(app, table, "--json")) == {"batch": 2, **counts, **NOTHING_SPECIAL, "table": READ_AS}


@pytest.mark.both_databases
def test_dry_run_leaves_nothing_behind(app: Flask, table: Path) -> None:
    result = imported(app, table, "--dry-run", "--json")

    counts = {"new": 2, "changed": 0, "unchanged": 0, "wrong": 1}
    assert last_line(result) == {"batch": None, **counts, **NOTHING_SPECIAL, "table": READ_AS}
    assert people(app) == {}
    with app.app_context():
        assert [db.session.execute(db.select(kind)).all() for kind in (ImportBatch, ImportRow, Job)] == [[], [], []]
        assert list(stored_files.folder().iterdir()) == []
    assert imported(app, table, "--dry-run").stdout == (
        "Columns: number “Табельный номер”, name “ФИО”, department “Подразделение”.\n"
        "New: 2, changed: 0, unchanged: 0, wrong: 1. This was a dry run: nothing is changed.\n"
    )


def test_sheet_is_asked_for_where_several_have_people_and_what_was_read_is_said(app: Flask, tmp_path: Path) -> None:
    rows = row(1, text("A1", "Таб. №"), text("B1", "ФИО")) + row(2, text("A2", "7"), text("B2", "Пётр"))
    path = tmp_path / "people.xlsx"
    sheets = {"Ноябрь": sheet(rows.replace('r="2"', 'r="2" hidden="1"')), "Уволенные": sheet(rows)}
    path.write_bytes(packed({**parts(sheets), **pictures(2)}))

    asked = imported(app, path)
    done = imported(app, path, "--sheet", "Ноябрь")

    assert (asked.exit_code, asked.stderr) == (
        1,
        "Error: Several sheets have people: “Ноябрь”, “Уволенные”. Name the one to read, or * for all with the same "
        "columns.\n",
    )
    assert done.stdout.startswith(
        "Columns: number “Таб. №”, name “ФИО”. Sheet: “Ноябрь”. Hidden rows, read too: 1. Pictures in the table, not "
        "taken: 2.\n"
    )
    assert people(app) == {"7": ("Пётр", "", True)}


def test_columns_and_rows_that_are_not_read_are_said(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    left_out = ";;переведён\n" * 6
    path.write_text(f"ID;ФИО;Движение;Связь\n1;Иван Иванов;;а\n2;Пётр Петров;переведён;б\n{left_out}", encoding="utf-8")

    said, told = imported(app, path, "--dry-run").stdout, last_line(imported(app, path, "--dry-run", "--json"))

    assert said.startswith(
        "Columns: number “ID”, name “ФИО”. Not used: “Движение” (переведён), “Связь”. Rows left out, with nothing in "
        "these columns: 6 (4, 5, 6, 7, 8).\n"
    )
    unused = {"unused": {"Движение": ["переведён"], "Связь": []}}
    lines = {"rows_left_out": 6, "lines_left_out": ["4", "5", "6", "7", "8"]}
    assert told["table"] == {**READ_AS, "columns": {"number": "ID", "name": "ФИО"}, **unused, **lines}


@pytest.mark.both_databases
def test_import_is_undone(app: Flask, table: Path) -> None:
    imported(app, table)

    undone = run(app, "employees", "undo", "1")

    assert (undone.exit_code, undone.stdout) == (0, "Undone: 2, not undone: 0.\n")
    assert people(app) == {}
    again = run(app, "employees", "undo", "1")
    assert again.exit_code == 1
    assert "Nothing of this import can be undone: nothing was done, or all is undone already." in again.stderr


def test_whose_face_does_not_come_back_is_told(app: Flask, simulator: Simulated, terminal: Terminal) -> None:
    with app.app_context():
        enrol(simulator, terminal, Draft("1", "Анна Ким"))
        apply(checked("1;да", header="ID;Уволен"))

    undone = run(app, "employees", "undo", "1")

    assert (undone.exit_code, undone.stdout) == (0, "Undone: 1, not undone: 0.\n")
    assert undone.stderr == "To be captured again on “Вход”: 1 (1).\n"


def test_what_cannot_be_undone_is_told(app: Flask, table: Path) -> None:
    imported(app, table)
    with app.app_context():
        db.session.execute(db.update(Employee).where(Employee.number == "3").values(name="Павел"))
        db.session.commit()

    undone = run(app, "employees", "undo", "1")

    assert (undone.exit_code, undone.stdout) == (1, "Undone: 1, not undone: 1.\n")
    assert undone.stderr == "3: The employee was changed meanwhile, so nothing was done.\n"
    assert list(people(app)) == ["3"]


def test_unknown_import_is_not_undone(app: Flask) -> None:
    result = run(app, "employees", "undo", "7")

    assert (result.exit_code, result.stderr) == (1, "Error: This import is not there any more.\n")


def test_columns_are_named(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("Пропуск,Кто,Статус\n1,Иванов,уволен\n2,Пётр,?\n", encoding="utf-8")

    refused = imported(app, path)
    assert refused.exit_code == 1
    assert refused.stderr == (
        "Error: No column is known as number. Name it by --column number=HEADER; "
        "the table has “Пропуск”, “Кто”, “Статус”.\n"
    )
    with app.app_context():
        assert db.session.execute(db.select(ImportBatch)).all() == []
    result = imported(app, path, "--column", "number=пропуск", "--column", "name=Кто", "--column", "left=", "--json")
    assert (result.exit_code, last_line(result)["new"]) == (0, 2)


def test_first_row_of_a_table_without_heads_is_said(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "люди.csv"
    path.write_text("100222;Иванов Иван;Цех 1\n100223;Ким Юрий;\n", encoding="utf-8")

    refused = imported(app, path, "--dry-run")
    read = imported(app, path, "--dry-run", "--column", "number=1", "--column", "name=2", "--json")

    assert (refused.exit_code, refused.stderr) == (
        1,
        "Error: No column is known as number. The columns have no names. Name them by places, such as "
        "--column number=1; the first row is 1 “100222”, 2 “Иванов Иван”, 3 “Цех 1”.\n",
    )
    assert (read.exit_code, last_line(read)["new"]) == (0, 2)


def test_column_of_days_is_named_or_said_to_be_unused(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "люди.csv"
    path.write_text("ID;ФИО;Пускать до\n1;Иванов Иван;31.12.2036\n")

    refused = imported(app, path, "--json")

    assert (refused.exit_code, refused.stderr) == (
        1,
        "Error: No validity is known in “Пускать до”. Name it by --column valid_to=HEADER, --column "
        "valid_from=HEADER or --column left=HEADER, or say that it is not needed by --unused HEADER.\n",
    )
    assert last_line(imported(app, path, "--json", "--unused", "пускать до"))["new"] == 1
    assert last_line(imported(app, path, "--json", "--column", "valid_to=Пускать до"))["changed"] == 1


def test_column_that_is_not_clear_is_named_or_said_to_be_unused(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "люди.csv"
    path.write_text("ID;ФИО;Сотрудник;Прим.;Пускать до\n1;Иванов И.;Иванов Иван;уволен;31.12.2036\n")

    refused = imported(app, path, "--json")

    assert (refused.exit_code, refused.stderr) == (
        1,
        "Error: It is not clear: “Сотрудник” may be name, “Прим.” may be left. Name it by --column FIELD=HEADER, or "
        "say that it is not needed by --unused HEADER.\n"
        "No validity is known in “Пускать до”. Name it by --column valid_to=HEADER, --column valid_from=HEADER or "
        "--column left=HEADER, or say that it is not needed by --unused HEADER.\n",
    )
    chosen = ("--column", "name=Сотрудник", "--unused", "Прим.", "--column", "valid_to=Пускать до")
    assert last_line(imported(app, path, "--json", *chosen))["new"] == 1


def test_department_is_the_last_part_of_a_path_or_all_of_it(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "люди.csv"
    path.write_text("ID;ФИО;Отдел\n1;Пётр;All Departments/Цех/Смена\n")

    for option, department in (("last", "Смена"), ("whole", "All Departments/Цех/Смена")):
        assert imported(app, path, "--path", option).exit_code == 0
        assert people(app) == {"1": ("Пётр", department, True)}


def test_recognised_days_that_are_left_out_are_not_asked_about(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "люди.csv"
    path.write_text("ID;ФИО;Действует до\n1;Иванов Иван;31.12.2036\n")

    assert last_line(imported(app, path, "--json", "--column", "valid_to="))["new"] == 1


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (
            "who=ФИО",
            "FIELD is one of number, name, last_name, first_name, middle_name, department, left, active, valid_from, "
            "valid_to.",
        ),
        ("name=Кто", "the table has no column “Кто”, but “Табельный номер”, “ФИО”, “Подразделение”."),
    ],
)
def test_column_that_is_not_there_is_refused(app: Flask, table: Path, choice: str, said: str) -> None:
    result = imported(app, table, "--column", choice)

    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert people(app) == {}


def test_file_that_cannot_be_read_is_refused(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "table.xlsx"
    path.write_bytes(FACE)

    result = imported(app, path, "--json")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "Error: This is no CSV, XLSX, XLS or ODS file. Save the table as one of these and choose that file.\n"
    )
    assert imported(app, tmp_path / "missing.csv").exit_code == 2


def archive(path: Path, *names: str, picture: bytes = FACE) -> Path:
    out = io.BytesIO()
    with ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, picture)
    path.write_bytes(out.getvalue())
    return path


def test_photos_come_with_a_table_or_alone(app: Flask, table: Path, tmp_path: Path) -> None:
    photos = archive(tmp_path / "photos.zip", "1.jpg", "нет.jpg")

    with_table = imported(app, table, "--photos", photos, "--json")
    counts = {"new": 2, "changed": 0, "unchanged": 0, "wrong": 2}
    assert last_line(with_table) == {"batch": 1, **counts, **NOTHING_SPECIAL, "table": READ_AS}
    assert with_table.stderr == (
        "Row 3: name: This must not be empty.\n"
        "нет.jpg: photo: A photo must be a .jpg, .jpeg, .png or .webp file that is named by employee ID, such as "
        "100222.jpg, or by the full name of somebody in the table or here.\n"
    )
    alone = imported(app, archive(tmp_path / "alone.ZIP", "3.jpg", "1.jpg"), "--json")
    counts = {"new": 0, "changed": 1, "unchanged": 1, "wrong": 0}
    assert last_line(alone) == {"batch": 2, **counts, **NOTHING_SPECIAL}
    twice = imported(app, photos, "--photos", photos)
    assert (twice.exit_code, "FILE is an archive of photos already" in twice.stderr) == (2, True)


def test_refused_photo_is_told_by_its_file_and_its_person_comes_in(app: Flask, table: Path, tmp_path: Path) -> None:
    photos = archive(tmp_path / "photos.zip", "1.jpg", picture=b"none")

    result = imported(app, table, "--photos", photos, "--json")

    counts = {"new": 2, "changed": 0, "unchanged": 0, "wrong": 1}
    assert last_line(result) == {"batch": 1, **counts, **NOTHING_SPECIAL, "table": READ_AS}
    assert result.stderr == (
        "Row 2: photo 1.jpg: The photo must be a JPEG, PNG or WebP picture.\nRow 3: name: This must not be empty.\n"
    )


def test_everybody_is_sent_to_a_terminal_that_is_named_and_to_no_other(
    app: Flask, table: Path, terminal: Terminal
) -> None:
    assert imported(app, table).exit_code == 0
    with app.app_context():
        assert db.session.execute(db.select(Enrolment)).all() == []

    result = imported(app, table, "--terminal", terminal.id, "--json")

    assert last_line(result)["changed"] == 2
    with app.app_context():
        found = db.session.execute(db.select(Enrolment.number, Enrolment.next_attempt_at)).all()
        assert sorted(number for number, _ in found) == ["1", "3"]
        assert all(due for _, due in found)
    missing = imported(app, table, "--terminal", 99)
    assert (missing.exit_code, missing.stdout) == (1, "")


def test_many_wrong_rows_are_counted_after_the_first(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("ID;ФИО\n" + "".join(f"{at};\n" for at in range(1, 51)), encoding="utf-8")

    result = imported(app, path, "--json")

    assert (result.exit_code, last_line(result)["batch"], last_line(result)["wrong"]) == (1, None, 50)
    lines = result.stderr.splitlines()
    assert len(lines) == 22
    assert lines[-2:] == ["… and 30 more.", "Error: No row of the file can be imported."]


@pytest.mark.usefixtures("one_is_many")
def test_many_lose_access_only_when_their_number_is_given(app: Flask, table: Path, tmp_path: Path) -> None:
    with app.app_context():
        ids = add_terminals(ENTRANCE)
    imported(app, table, "--terminal", ids[ENTRANCE])
    leavers = tmp_path / "leavers.csv"
    leavers.write_text("ID,Уволен\n1,да\n3,да\n", encoding="utf-8")

    dry_run = imported(app, leavers, "--dry-run")
    refused = imported(app, leavers)
    done = imported(app, leavers, "--confirm", "2")

    rows = "Row 2: leaves; loses Вход\nRow 3: leaves; loses Вход\n"
    lost = "Lose access to “Вход”: 2 of 2.\n"
    assert (dry_run.exit_code, dry_run.stderr) == (0, f"{rows}Deactivated: 2.\n{lost}")
    assert (refused.exit_code, refused.stderr) == (
        3,
        f"{rows}Left out, as many would lose access, until --confirm is 2: 2.\n{lost}",
    )
    assert (done.exit_code, done.stderr) == (0, f"{rows}Deactivated: 2.\n{lost}")
    assert [active for _, _, active in people(app).values()] == [False, False]


def enrolled(app: Flask, count: int) -> list[str]:
    """Add people who are at a terminal, and return their numbers."""
    numbers = [f"{number}" for number in range(1, count + 1)]
    with app.app_context():
        (terminal_id,) = add_terminals(ENTRANCE).values()
        for employee_id in add_people(*numbers):
            send_to_terminal(employee_id, terminal_id)
        db.session.commit()
    return numbers


@pytest.mark.both_databases
def test_what_takes_no_access_goes_on_while_leavers_are_held(app: Flask, tmp_path: Path) -> None:
    numbers = enrolled(app, 24)
    path = tmp_path / "table.csv"
    leavers = "".join(f"{number};Иван Иванов {number};да\n" for number in numbers[:4])
    path.write_text(f"ID;ФИО;Уволен\n{leavers}5;Иванов Иван;\n25;Ольга Цой;\n")

    held = imported(app, path, "--json")
    after = people(app)
    confirmed = imported(app, path, "--json", "--confirm", "4")

    assert held.exit_code == 3
    assert "Left out, as many would lose access, until --confirm is 4: 4.\n" in held.stderr
    assert "Lose access to “Вход”: 4 of 24.\n" in held.stderr
    assert "Deactivated" not in held.stderr
    counts = {name: last_line(held)[name] for name in ("new", "changed", "wrong", "withheld", "absent")}
    assert counts == {"new": 1, "changed": 1, "wrong": 0, "withheld": 4, "absent": 19}
    assert after["1"] == ("Иван Иванов 1", "", True)
    assert (after["5"][0], after["25"][0]) == ("Иванов Иван", "Ольга Цой")
    assert (confirmed.exit_code, last_line(confirmed)["changed"], last_line(confirmed)["withheld"]) == (0, 4, 0)
    assert [number for number, (_, _, is_active) in people(app).items() if not is_active] == numbers[:4]


def test_row_that_waits_for_a_confirmed_name_is_told_by_the_exit_status(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("ID;ФИО\n1;Иванов Иван\n2;Ольга Цой\n")
    imported(app, path, "--photos", archive(tmp_path / "photos.zip", "1.jpg"))
    path.write_text("ID;ФИО\n1;Юрий Ким\n2;Ольга Цой\n")

    waits = imported(app, path, "--json")

    assert (waits.exit_code, last_line(waits)["unconfirmed"]) == (3, 1)
    assert last_line(waits)["effects"] == {**dict.fromkeys(effects.KINDS, 0), "other_person": 1}
    assert imported(app, path, "--confirm-name", "1").exit_code == 0


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (("--min-rows", "4"), "Rows in the file: 3. These are too few by --min-rows."),
        (("--min-rows", "90%"), "Of 5 active here 2 are in the file: too few by --min-rows."),
        (("--max-wrong", "0"), "Wrong rows: 1 of 3. These are too many by --max-wrong."),
        (("--max-wrong", "33%"), "Wrong rows: 1 of 3. These are too many by --max-wrong."),
    ],
)
def test_file_that_went_wrong_is_refused_by_its_limits(
    app: Flask, table: Path, limit: tuple[str, str], said: str
) -> None:
    with app.app_context():
        add_people("1", "3", "10", "11", "12")

    result = imported(app, table, *limit)

    told = "Row 3: name: This must not be empty.\nActive here and not in the file: 3 (10, 11, 12).\n"
    assert (result.exit_code, result.stderr) == (1, f"{told}Error: {said}\n")
    assert result.stdout.endswith("New: 0, changed: 2, unchanged: 0, wrong: 1. Nothing is changed.\n")
    assert len(people(app)) == 5
    with app.app_context():
        assert db.session.execute(db.select(ImportBatch)).all() == []
    assert imported(app, table, "--min-rows", "3", "--max-wrong", "1").exit_code == 0


def test_limit_that_is_no_number_is_refused(app: Flask, table: Path) -> None:
    result = imported(app, table, "--min-rows", "many")

    assert (result.exit_code, "“many” is no number and no percentage." in result.stderr) == (2, True)


def test_table_is_read_as_the_options_say(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("Пропуск;Кто;Действует по\nТ-12;Иван Иванов;\nА13;Анна Иванова;\n", encoding="utf-8")
    with app.app_context():
        mappings.save("Кадры", ["Пропуск", "Кто"], {"number": 0, "name": 1}, Options(strip_prefix="Т-"))
    chosen = ("--mapping", "Кадры", "--pad-to", "5", "--letters", "replace", "--department", "Цех", "--mode", "new")

    result = imported(app, path, *chosen, "--valid-to", "2030-05-31", "--json")

    assert (result.exit_code, last_line(result)["new"]) == (0, 2)
    with app.app_context():
        found = db.session.execute(db.select(Employee).order_by(Employee.number)).scalars()
        assert [(one.number, one.department, one.valid_to) for one in found] == [
            ("00012", "Цех", date(2030, 5, 31)), ("A13", "Цех", date(2030, 5, 31)),
        ]  # fmt: skip
    unknown = imported(app, path, "--mapping", "Нет")
    assert (unknown.exit_code, unknown.stderr) == (1, "Error: There are no saved columns with this name.\n")
    sheet = imported(app, path, "--sheet", "Лист7")
    assert (sheet.exit_code, sheet.stderr) == (1, "Error: The file has no such sheet. Choose another one.\n")


@pytest.mark.both_databases
def test_interrupt_while_something_is_written_stops_the_import(app: Flask, tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("ID;Name\n" + "".join(f"{number};Employee {number}\n" for number in range(1000)))

    interrupts = iter([signal.SIGINT])

    def interrupt_once(*given: Any) -> None:
        if given[2].startswith("INSERT INTO employee "):
            for interrupt in interrupts:
                signal.raise_signal(interrupt)

    with app.app_context():
        event.listen(db.engine, "after_cursor_execute", interrupt_once)
        result = imported(app, table)

    done = len(people(app))
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: Stopped after {done} of 1000. What is done stays; undo it by `employees undo 1`.\n",
    )
    with app.app_context():
        assert [(entry.actor, entry.subject) for entry in entries("job.stopped")] == [("command line", "job 2")]
