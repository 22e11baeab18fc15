"""POST /api/users/import: a short table is imported before the answer, a long one by a job that can be asked for."""

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hikflask.api import imports
from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, ImportBatch, ImportRow, Job, Terminal
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes import lifecycle
from hikflask.services.employees.save import save_employee
from hikflask.services.import_files import stored_files
from hikflask.services.imports import effects
from hikflask.services.imports.table import mappings
from hikflask.services.imports.table.options import Options
from tests.cli.test_imports import TABLE, archive
from tests.spreadsheets.workbooks import packed, parts, pictures, row, sheet, text
from tests.support import drawn_faces
from tests.support.captures import FACE
from tests.support.jobs import add_people
from tests.support.signed_in import client_of

NO_EFFECTS = dict.fromkeys(effects.KINDS, 0)
READ_AS = {
    "columns": {"hikvision_id": "Табельный номер", "full_name": "ФИО", "department": "Подразделение"},
    "sheet": None,
    "hidden_rows": 0,
    "pictures": 0,
}
READ_LONG = {"columns": {"hikvision_id": "ID", "full_name": "ФИО"}, "sheet": None, "hidden_rows": 0, "pictures": 0}
CONTROL_COUNTS = {"new": 2, "changed": 0, "unchanged": 0, "wrong": 1, "effects": NO_EFFECTS, "table": READ_AS}


def wrong(row: int | None, number: str, **fields: str) -> dict[str, Any]:
    """A row without effects, as the API names it."""
    return {"row": row, "hikvision_id": number, "effects": {}, "fields": fields}


WRONG = [wrong(3, "2", full_name="This must not be empty.")]


def call(client: FlaskClient, content: str | bytes | None = TABLE, address: str = "", **fields: Any) -> TestResponse:
    body = content.encode() if isinstance(content, str) else content
    data = fields if body is None else {"file": (io.BytesIO(body), "люди.csv"), **fields}
    return client.post(f"/api/users/import{address}", data=data, content_type="multipart/form-data")


def numbers(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.execute(db.select(Employee.number).order_by(Employee.number)).scalars())


def long_table(rows: int) -> str:
    return "ID,ФИО\n" + "".join(f"{at},Иванов {at}\n" for at in range(1, rows + 1)) + "x x,Пётр\n"


@pytest.mark.both_databases
def test_short_table_is_imported_before_the_answer(app: Flask) -> None:
    client = client_of(app, OPERATOR)

    answer = call(client)

    assert (answer.status_code, answer.json) == (200, {"batch": 1, **CONTROL_COUNTS, "rows": WRONG})
    assert numbers(app) == ["1", "3"]
    again = call(client, address="/")
    assert again.json == {
        "batch": 2,
        "new": 0,
        "changed": 0,
        "unchanged": 2,
        "wrong": 1,
        "effects": NO_EFFECTS,
        "rows": WRONG,
        "table": READ_AS,
    }


def test_workbook_is_imported(app: Flask, client: FlaskClient) -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for cells in (["Employee ID", "Full name"], [100222, "Иванов"]):
        book.active.append(cells)  # type: ignore[union-attr]
    book.save(out)

    assert call(client, out.getvalue()).json == {
        "batch": 1, "new": 1, "changed": 0, "unchanged": 0, "wrong": 0, "effects": NO_EFFECTS, "rows": [],
        "table": {
            "columns": {"hikvision_id": "Employee ID", "full_name": "Full name"}, "sheet": "Sheet", "hidden_rows": 0,
            "pictures": 0,
        },
    }  # fmt: skip
    assert numbers(app) == ["100222"]


def test_answer_says_which_of_two_columns_of_names_was_read(client: FlaskClient) -> None:
    answer = call(client, "ID;ФИО (лат);ФИО (рус)\n1;Ivanov Ivan;Иванов Иван\n", dry_run="true")

    assert answer.get_json()["table"]["columns"] == {"hikvision_id": "ID", "full_name": "ФИО (рус)"}


def test_who_is_active_here_and_not_in_the_table_is_told(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        add_people("1", *(f"{number}" for number in range(10, 32)))

    answer = call(client, dry_run="true").json

    assert answer is not None
    assert answer["absent"] == {"people": 22, "first": [f"{number}" for number in range(10, 30)]}


@pytest.mark.parametrize("flag", ["true", "1", "True"])
def test_dry_run_changes_nothing_and_leaves_nothing(app: Flask, client: FlaskClient, flag: str) -> None:
    assert call(client, dry_run=flag).json == {"batch": None, **CONTROL_COUNTS, "rows": WRONG}
    assert numbers(app) == []
    with app.app_context():
        assert [db.session.execute(db.select(kind)).all() for kind in (ImportBatch, ImportRow, Job)] == [[], [], []]


def test_fields_of_wrong_rows_have_the_names_of_the_api(client: FlaskClient) -> None:
    table = "ID;ФИО;Отдел;Уволен\nы;;=1;?\n1;Пётр;;\n1;Анна;;\n"

    answer = call(client, table).json

    assert answer is not None
    assert answer["rows"] == [
        wrong(
            2,
            "ы",
            hikvision_id="Enter an ID: Latin letters and digits, up to 32.",
            full_name="This must not be empty.",
            department="This is a formula. Put its value there.",
            left="Write yes, no, or the day on which the employee left.",
        ),
        wrong(3, "1", hikvision_id="The same ID is in other rows, too: 4."),
        wrong(4, "1", hikvision_id="The same ID is in other rows, too: 3."),
    ]


def test_photos_come_with_a_table_or_alone(client: FlaskClient, tmp_path: Path) -> None:
    photos = archive(tmp_path / "photos.zip", "1.jpg", "4.jpg").read_bytes()

    answer = call(client, photos=(io.BytesIO(photos), "photos.zip"))

    assert answer.json is not None
    assert answer.json["wrong"] == 2
    assert answer.json["rows"][1] == {
        **wrong(None, "4", photo="Nobody has the ID that this photo is named by."),
        "effects": {"unknown_ids": ""},
        "photo": "4.jpg",
    }
    alone = call(client, None, photos=(io.BytesIO(photos), "photos.zip")).json
    counts = {"new": 0, "changed": 0, "unchanged": 1, "wrong": 1, "effects": {**NO_EFFECTS, "unknown_ids": 1}}
    assert alone == {"batch": 2, **counts, "rows": answer.json["rows"][1:]}


def test_refused_photo_is_told_by_its_file_beside_its_row_and_the_user_comes_in(
    client: FlaskClient, tmp_path: Path
) -> None:
    photos = archive(tmp_path / "photos.zip", "1.jpg", picture=b"none").read_bytes()

    answer = call(client, "ID;ФИО\n1;Пётр\n", photos=(io.BytesIO(photos), "photos.zip")).json

    assert answer is not None
    assert (answer["new"], answer["wrong"]) == (1, 0)
    refused = {**wrong(2, "1", photo="The photo must be a JPEG, PNG or WebP picture."), "photo": "1.jpg"}
    assert answer["rows"] == [refused]


def test_dark_photo_comes_in_and_is_warned_of_beside_its_row(client: FlaskClient, tmp_path: Path) -> None:
    dark = drawn_faces.jpeg(drawn_faces.lit(drawn_faces.portrait((450, 600)), 0.15))
    photos = archive(tmp_path / "photos.zip", "1.jpg", picture=dark).read_bytes()

    answer = call(client, "ID;ФИО\n1;Пётр\n", photos=(io.BytesIO(photos), "photos.zip")).json

    assert answer is not None
    assert (answer["new"], answer["wrong"]) == (1, 0)
    warnings = {"photo": "The photo is too dark. The face needs more light."}
    row = {"row": 2, "hikvision_id": "1", "effects": {}, "fields": {}, "photo": "1.jpg", "warnings": warnings}
    assert answer["rows"] == [row]


@pytest.mark.parametrize("name", ["device_id", "terminal_id"])
def test_everybody_is_sent_to_the_device_that_is_named(
    app: Flask, client: FlaskClient, terminal: Terminal, name: str
) -> None:
    call(client, **{name: str(terminal.id)})

    with app.app_context():
        assert sorted(db.session.execute(db.select(Enrolment.number)).scalars()) == ["1", "3"]


def test_nobody_is_sent_to_a_device_that_was_not_named(app: Flask, client: FlaskClient, terminal: Terminal) -> None:
    call(client)

    with app.app_context():
        assert db.session.execute(db.select(Enrolment)).all() == []
    refused = call(client, device_id=str(terminal.id + 1))
    assert (refused.status_code, refused.json) == (
        422,
        {
            "error": "terminal_unknown",
            "message": "There is no such terminal, or it is switched off here. Choose another terminal.",
            "fields": {"device_id": "There is no such terminal, or it is switched off here. Choose another terminal."},
        },
    )
    with app.app_context():
        assert len(db.session.execute(db.select(ImportBatch)).all()) == 1


def test_long_table_is_imported_by_a_job(app: Flask, client: FlaskClient, run_jobs: Callable[[], int]) -> None:
    with app.app_context():
        add_people("7")

    answer = call(client, long_table(imports.MAX_ROWS))

    assert (answer.status_code, answer.json) == (202, {"job": 1, "table": READ_LONG})
    waiting = client.get("/api/jobs/1").json
    assert waiting == {"state": "waiting", "done": 0, "total": imports.MAX_ROWS + 1, "failed": []}
    with app.app_context():
        lifecycle.stop_job(1)
    run_jobs()
    assert client.get("/api/jobs/1").json == {**waiting, "state": "stopped"}


@pytest.mark.both_databases
def test_dry_run_of_a_long_table_is_told_by_its_job(
    app: Flask, client: FlaskClient, run_jobs: Callable[[], int]
) -> None:
    assert call(client, long_table(imports.MAX_ROWS), dry_run="true").json == {"job": 1, "table": READ_LONG}

    run_jobs()

    answer = client.get("/api/jobs/1").json
    assert answer is not None
    assert answer["state"] == "done"
    assert answer["import"] == {
        "batch": None,
        "new": imports.MAX_ROWS,
        "changed": 0,
        "unchanged": 0,
        "wrong": 1,
        # Not each of their rows.
        "effects": {**NO_EFFECTS, "digits_in_names": imports.MAX_ROWS},
        "rows": [
            wrong(imports.MAX_ROWS + 2, "x x", hikvision_id="Enter an ID: Latin letters and digits, up to 32."),
        ],
        "table": READ_LONG,
    }
    assert numbers(app) == []


def test_imported_job_tells_what_came_of_it(
    app: Flask, client: FlaskClient, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "MAX_ROWS", 2)
    assert call(client).status_code == 202

    run_jobs()

    assert client.get("/api/jobs/1").json == {
        "state": "done",
        "done": 3,
        "total": 3,
        "failed": [],
        "import": {"batch": 1, **CONTROL_COUNTS, "rows": WRONG},
    }
    assert client_of(app, VIEWER).get("/api/jobs/1").json == {"state": "done", "done": 3, "total": 3, "failed": []}
    assert numbers(app) == ["1", "3"]


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (b"", "table_empty", "The file is empty. Choose the file with the employees."),
        (FACE, "table_unreadable",
         "This is no CSV, XLSX, XLS or ODS file. Save the table as one of these and choose that file."),
        ("Пропуск;ФИО\n1;Пётр\n", "column_missing",
         "file: No column is known as hikvision_id. The table has “Пропуск”, “ФИО”."),
        ("100222;Иванов Иван\n100223;Петров Пётр\n", "column_missing",
         "file: No column is known as hikvision_id. The columns have no names. Choose by places, such as "
         "hikvision_id=1 in “columns”; the first row is 1 “100222”, 2 “Иванов Иван”."),
        ("Пропуск;ФИО;Прим.;Пускать до\n1;Пётр;уволен;31.12.2027\n", "column_missing",
         "file: No column is known as hikvision_id. The table has “Пропуск”, “ФИО”, “Прим.”, “Пускать до”. It is not "
         "clear: “Прим.” may be left. Choose it, such as left=Прим. in “columns”, or name it in “unused_columns”. No "
         "validity is known in “Пускать до”. Call it “Valid from”, “Valid to” or “Left”, or name it in "
         "“unused_columns”."),
        ("Таб. №;Кого пускать;Отдел\n1;Пётр Ким;Цех\n", "column_missing",
         "Nobody here has these IDs (1), and no column has names. Choose the column of the full name."),
    ],
)  # fmt: skip
def test_file_that_cannot_be_imported_is_refused(
    app: Flask, client: FlaskClient, content: str | bytes, code: str, message: str
) -> None:
    answer = call(client, content)

    sentence = message.removeprefix("file: ")
    assert answer.status_code == 422
    assert answer.json == {"error": code, "message": message, "fields": {"file": sentence}}
    with app.app_context():
        assert db.session.execute(db.select(ImportBatch)).all() == []


def test_columns_without_names_are_named_by_their_places(app: Flask, client: FlaskClient) -> None:
    sent = {"file": (io.BytesIO("100222|Иван\n100223|Пётр\n".encode()), "x.csv")}

    named = {"columns": ["hikvision_id=1", "full_name=2"]}
    answer = client.post("/api/users/import", data=sent | named, content_type="multipart/form-data").json

    assert answer is not None
    assert (answer["new"], answer["table"]["columns"]) == (2, {"hikvision_id": "1", "full_name": "2"})
    assert numbers(app) == ["100222", "100223"]


def test_column_of_days_that_is_not_known_is_refused_until_it_is_named_as_unused(
    app: Flask, client: FlaskClient
) -> None:
    content = "ID;ФИО;Пускать до;Смена, с\n1;Пётр;31.12.2027;01.03.2026\n"

    refused = call(client, content)

    why = (
        "No validity is known in “Пускать до”, “Смена, с”. Call it “Valid from”, “Valid to” or “Left”, or name it in "
        "“unused_columns”."
    )
    assert (refused.status_code, refused.json) == (
        422,
        {"error": "days_column_unknown", "message": f"file: {why}", "fields": {"file": why}},
    )
    one_named = call(client, content, unused_columns="Пускать до, ")
    assert "“Смена, с”" in one_named.get_json()["message"]
    unknown = call(client, content, unused_columns="Пускать до, ещё")
    assert unknown.get_json()["fields"] == {"unused_columns": "The table has no column “ещё”."}
    with app.app_context():
        assert db.session.execute(db.select(ImportBatch)).all() == []
    assert call(client, content, unused_columns=["пускать  до", "Смена, с"]).get_json()["new"] == 1


def test_only_column_of_a_field_that_is_not_clear_is_asked_about_and_not_called_missing(client: FlaskClient) -> None:
    refused = call(client, "Табельный номер (мастера);ФИО\n1;Иван Иванов\n")

    assert refused.get_json()["message"] == (
        "file: It is not clear: “Табельный номер (мастера)” may be hikvision_id. Choose it, such as "
        "hikvision_id=Табельный номер (мастера) in “columns”, or name it in “unused_columns”."
    )


def test_column_that_is_called_like_another_one_is_named_by_its_place(client: FlaskClient) -> None:
    content = "Сотрудник;Таб. №;Мастер;Таб. №\nИван Иванов;0012;Анна Петрова;0013\n"

    refused = call(client, content)

    assert refused.get_json()["message"] == (
        "file: It is not clear: “Таб. № (4)” may be hikvision_id. Choose it, such as hikvision_id=Таб. № (4) in "
        "“columns”, or name it in “unused_columns”."
    )
    for answer in ({"unused_columns": "Таб. № (4)"}, {"columns": "hikvision_id=2", "unused_columns": "4"}):
        assert call(client, content, dry_run="true", **answer).get_json()["new"] == 1


def test_column_that_is_not_clear_is_refused_until_it_is_chosen_or_named_as_unused(
    app: Flask, client: FlaskClient
) -> None:
    content = "ID;ФИО;Сотрудник;Прим.\n1;Пётр И.;Пётр Иванов;уволен\n"

    refused = call(client, content)

    why = (
        "It is not clear: “Сотрудник” may be full_name, “Прим.” may be left. Choose it, such as full_name=Сотрудник in "
        "“columns”, or name it in “unused_columns”."
    )
    told = {"error": "column_unclear", "message": f"file: {why}", "fields": {"file": why}}
    assert (refused.status_code, refused.json) == (422, told)
    with app.app_context():
        assert db.session.execute(db.select(ImportBatch)).all() == []
    answer = call(client, content, columns="full_name=Сотрудник", unused_columns="Прим.").get_json()
    assert (answer["new"], answer["table"]["columns"]) == (1, {"hikvision_id": "ID", "full_name": "Сотрудник"})


def test_department_is_the_last_part_of_a_path_or_all_of_it(app: Flask, client: FlaskClient) -> None:
    content = "ID;ФИО;Отдел\n1;Пётр;All Departments/Цех/Смена\n"

    refused = call(client, content, department_path="first")
    assert refused.get_json()["fields"] == {"department_path": "One of last, whole is expected."}
    for sent, department in (({}, "Смена"), ({"department_path": "whole"}, "All Departments/Цех/Смена")):
        assert call(client, content, **sent).status_code == 200
        with app.app_context():
            assert db.session.execute(db.select(Employee.department)).scalar_one() == department


def test_part_that_is_missing_or_no_flag_is_refused(client: FlaskClient) -> None:
    for fields, field, said in (
        ({}, "file", "A CSV, XLSX, XLS or ODS file is expected in the part “file”."),
        ({"dry_run": "perhaps"}, "dry_run", "true or false is expected."),
        ({"device_id": "x"}, "device_id", "A whole number is expected."),
    ):
        answer = call(client, TABLE if fields else None, **fields)
        assert (answer.status_code, answer.json) == (
            422,
            {"error": "invalid_input", "message": f"{field}: {said}", "fields": {field: said}},
        )


def test_only_so_many_imports_keep_a_thread(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "WAIT", 0)
    held = [imports._TURNS.acquire(blocking=False) for _ in range(imports.AT_ONCE)]
    try:
        answer = call(client)
    finally:
        for _ in held:
            imports._TURNS.release()

    assert (answer.status_code, answer.get_json()["error"]) == (503, "tables_waiting")
    assert numbers(app) == []


def test_effects_are_counted_and_rows_named_and_names_confirmed_by_id(client: FlaskClient, tmp_path: Path) -> None:
    photos = archive(tmp_path / "photos.zip", "1.jpg", "00002.jpg").read_bytes()
    call(client, "ID;ФИО\n1;Иванов Иван\n00002;Петров Пётр\n", photos=(io.BytesIO(photos), "photos.zip"))
    content = "ID;ФИО;Oтдел;Уволен\n1;Ким Юрий;Oтдел;\n00002;Цой Олег;;\n2;Петров Пётр;;да\n9;Петров Пётр;;\n".replace(
        "ФИО;O", "ФИО;О"
    )

    dry_run = call(client, content, dry_run="1").json
    confirmed = call(client, content, dry_run="1", confirm_names="1").json
    done = call(client, content, confirm_names="00002, 77").json

    assert confirmed is not None
    assert confirmed["unconfirmed"] == 1
    assert dry_run is not None
    assert done is not None
    assert dry_run["effects"] == {
        **NO_EFFECTS,
        "other_person": 2,
        "unknown_ids": 1,
        "look_alikes": 1,
        "known_elsewhere": 1,
    }
    first = {"other_person": "Иванов Иван", "look_alikes": {"department": "Отдел"}}
    assert dry_run["rows"] == [
        {**wrong(2, "1"), "effects": first},
        {**wrong(3, "00002"), "effects": {"other_person": "Петров Пётр"}},
        {**wrong(4, "2", hikvision_id="No such ID here. Perhaps 00002."), "effects": {"unknown_ids": "00002"}},
        {**wrong(5, "9"), "effects": {"known_elsewhere": "00002"}},
    ]
    assert (dry_run["unconfirmed"], done["unconfirmed"], done["changed"]) == (2, 1, 1)
    assert done["effects"] == dry_run["effects"]
    refused = call(client, content, confirm_names="№1")
    assert refused.get_json()["fields"] == {"confirm_names": "IDs are expected, separated by commas."}


def test_digits_that_put_lost_zeros_back_are_offered(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        add_people("00012")
    content = "ID;ФИО\n12;Иван Иванов 00012\n"

    offered = call(client, content, dry_run="1").json
    padded = call(client, content, dry_run="1", pad_to=str((offered or {})["pad_to"])).json

    assert offered is not None
    assert (offered["pad_to"], offered["new"]) == (5, 1)
    assert padded is not None
    assert (padded["unchanged"], "pad_to" in padded) == (1, False)


@pytest.mark.both_databases
def test_job_confirms_names_by_id(
    client: FlaskClient, tmp_path: Path, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = archive(tmp_path / "photos.zip", "1.jpg").read_bytes()
    call(client, "ID;ФИО\n1;Иванов Иван\n", photos=(io.BytesIO(photos), "photos.zip"))
    monkeypatch.setattr(imports, "MAX_ROWS", 0)

    job_id = call(client, "ID;ФИО\n1;Ким Юрий\n", confirm_names="1").get_json()["job"]
    run_jobs()

    report = client.get(f"/api/jobs/{job_id}").get_json()["import"]
    assert (report["changed"], report["effects"]["other_person"], "unconfirmed" in report) == (1, 1, False)


def test_table_is_read_as_the_parts_of_the_call_say(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        save_employee(Draft("00012", "Иван Иванов", "Охрана"))
    content = "Пропуск;Кто;Отдел;Действует по\nТ-12;Иван Иванов;;31.12.2036\nТ-13;Анна Иванова;Склад;31.12.2036\n"
    parts: dict[str, Any] = {
        "columns": ["hikvision_id=пропуск", "full_name=Кто"], "strip_prefix": "Т-", "pad_to": "5", "mode": "changes",
        "clear": "valid_to, department", "valid_to": "2030-05-31",
    }  # fmt: skip

    answer = call(client, content, **parts)

    assert (answer.status_code, answer.get_json()["changed"], answer.get_json()["unchanged"]) == (200, 1, 1)
    with app.app_context():
        (ivan,) = db.session.execute(db.select(Employee)).scalars()
        assert (ivan.number, ivan.department, ivan.valid_to) == ("00012", "", date(2030, 5, 31))


def test_kept_columns_apply_by_their_name_unless_a_part_says_otherwise(app: Flask, client: FlaskClient) -> None:
    heads, content = ["Пропуск", "Кто", "Где"], "Где;Пропуск;Кто\nСклад;12;Иван Иванов\n"
    with app.app_context():
        mappings.save("Кадры", heads, {"number": 0, "name": 1, "department": 2}, Options(pad_to=5, strip_prefix="T-"))

    answers = [
        call(client, content, mapping="Кадры", pad_to="3", columns="department="),
        call(client, content, mapping="Нет"),
    ]
    unfit = call(client, "ID;Кто;Где\n1;Иван;Склад\n", mapping="Кадры")

    assert [answer.status_code for answer in answers] == [200, 422]
    assert answers[1].get_json()["fields"] == {"mapping": "There are no saved columns with this name."}
    missing = "The table does not have all of these columns. Missing: “Пропуск”."
    assert (unfit.get_json()["error"], unfit.get_json()["fields"]) == ("mapping_unfit", {"mapping": missing})
    with app.app_context():
        (ivan,) = db.session.execute(db.select(Employee)).scalars()
        assert (ivan.number, ivan.department) == ("012", "")


def test_sheet_is_named_and_all_that_are_alike_are_departments(app: Flask, client: FlaskClient) -> None:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, cells in {"Цех": ["1", "Иван Иванов"], "Склад": ["2", "Анна Иванова"]}.items():
        one = book.create_sheet(name)
        for line in (["ID", "ФИО"], cells):
            one.append(line)
    file = io.BytesIO()
    book.save(file)

    unknown = call(client, file.getvalue(), sheet="Нет")
    everybody = call(client, file.getvalue(), sheet="*", sheet_is_department="true")

    assert (unknown.status_code, unknown.get_json()["fields"]) == (
        422, {"sheet": "The file has no such sheet. Choose another one."},
    )  # fmt: skip
    assert everybody.get_json()["new"] == 2
    with app.app_context():
        people = db.session.execute(db.select(Employee).order_by(Employee.number)).scalars()
        assert [(person.number, person.department) for person in people] == [("1", "Цех"), ("2", "Склад")]


def test_sheet_is_asked_for_where_several_have_people_and_the_answer_says_how_the_table_was_read(
    app: Flask, client: FlaskClient
) -> None:
    left = row(1, text("A1", "Табельный номер"), text("B1", "ФИО")) + row(2, text("A2", "9"), text("B2", "Илья"))
    here = row(1, text("A1", "Код"), text("B1", "Сотрудник"), text("C1", "Таб. №"))
    here += row(2, text("A2", "x"), text("B2", "Пётр"), text("C2", "7"), more=' hidden="1"')
    several = {"Сотрудники": sheet(here), "Уволенные": sheet(left), "Скрытые": sheet(left)}
    book = packed({**parts(several, hidden=("Скрытые",)), **pictures(3)})

    asked = call(client, book)
    answer = call(client, book, sheet="Сотрудники")
    one = call(client, packed(parts({"Новые": sheet(left), "Пусто": sheet("")})))

    assert (asked.status_code, asked.get_json()["error"], asked.get_json()["fields"]) == (
        422,
        "table_sheet_unnamed",
        {"sheet": "Several sheets have people: “Сотрудники”, “Уволенные”. Name the one to read, or * for all with the "
                  "same columns."},
    )  # fmt: skip
    assert answer.get_json()["table"] == {
        "columns": {"hikvision_id": "Таб. №", "full_name": "Сотрудник"},
        "sheet": "Сотрудники",
        "hidden_rows": 1,
        "pictures": 3,
        "unused": {"Код": []},
    }
    assert (numbers(app), one.status_code) == (["7", "9"], 200)
    with app.app_context():
        assert list(stored_files.folder().iterdir()) == []


def test_columns_and_rows_that_are_not_read_are_in_the_answer(client: FlaskClient) -> None:
    answer = call(client, "ID;ФИО;Движение\n1;Иван Иванов;переведён\n2;Пётр Петров;\n;;переведён\n")

    told = {"unused": {"Движение": ["переведён"]}, "left_out": {"rows": 1, "first": ["4"]}}
    assert answer.get_json()["table"] == {**READ_LONG, **told}


@pytest.mark.parametrize(
    ("part", "value", "sentence"),
    [
        ("mode", "all", "One of new, changes, both is expected."),
        ("letters", "", "One of refuse, replace is expected."),
        ("clear", "full_name", "“Empty cells” must be one of the list."),
        ("pad_to", "33", "“Digits of an ID” must be from 1 to 32."),
        ("valid_to", "31.12.2036", "“One last day for all” must be a day such as 2030-12-31."),
        ("sheet_is_department", "yes", "true or false is expected."),
        ("columns", "name=Кто", "FIELD=HEADER is expected: the table has no column “Кто”, but “ID”, “ФИО”."),
    ],
)
def test_part_that_cannot_be_read_is_named_and_nothing_is_done(
    app: Flask, client: FlaskClient, part: str, value: str, sentence: str
) -> None:
    answer = call(client, "ID;ФИО\n1;Иван Иванов\n", **{part: value})

    assert (answer.status_code, answer.get_json()["fields"]) == (422, {part: sentence})
    with app.app_context():
        assert db.session.execute(db.select(ImportBatch)).all() == []
