"""The second step of an import: what was recognised, what was chosen by hand, and the start of the dry run."""

import io
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import Workbook
from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import ImportBatch, ImportRow, Job, Terminal
from hikflask.models.job import WAITING
from hikflask.services.imports.table import mappings
from hikflask.services.imports.table.options import Options
from tests.support.desk import ENGLISH
from tests.support.filled_forms import form_to
from tests.support.groups import ENTRANCE, add_terminals, make_group, wishes
from tests.support.import_batches import LAYOUT, add_import, table, upload
from tests.support.jobs import add_people

COLUMNS = "/imports/1/columns"
RunJobs = Callable[[], int]


@pytest.fixture
def batch(client: FlaskClient) -> None:
    """An uploaded table of two."""
    assert upload(client, table("1;Иван Иванов;Охрана;", "2;Анна Иванова;;")).status_code == 303


def jobs(app: Flask) -> list[Job]:
    with app.app_context():
        return list(db.session.execute(db.select(Job)).scalars())


def batch_of(app: Flask) -> ImportBatch:
    with app.app_context():
        return db.session.execute(select(ImportBatch)).scalar_one()


@pytest.mark.usefixtures("batch")
def test_recognised_columns_are_chosen_beside_the_first_rows(client: FlaskClient) -> None:
    page = client.get(COLUMNS, headers=ENGLISH).text

    fields = form_to(page, COLUMNS).fields
    assert [fields[name] for name in ("number", "name", "department", "left", "active")] == ["0", "1", "2", "3", ""]
    assert "The columns are recognised. Look whether they are right, then have the file checked." in page
    assert "<bdi>Анна Иванова</bdi>" in page


def test_terminals_of_groups_are_offered_where_there_are_groups(
    app: Flask, client: FlaskClient, run_jobs: RunJobs
) -> None:
    with app.app_context():
        ids = add_terminals(ENTRANCE)
    assert 'name="groups"' not in client.get("/imports/new").text
    with app.app_context():
        make_group("Офис", list(ids.values()), "Охрана")
    page = client.get("/imports/new", headers={"Accept-Language": "ru"}).text
    assert '<label class="form-check-label" for="groups">Записать на терминалы групп</label>' in page

    upload(client, table("1;Иван Иванов;Охрана;"), groups="y")
    page = client.get(f"{COLUMNS}?groups=y", headers=ENGLISH).text
    assert 'name="groups" type="checkbox" value="y" checked' in page
    client.post(COLUMNS, data={"number": "0", "name": "1", "department": "2", "groups": "y"})
    run_jobs()
    plan = client.get("/imports/1", headers=ENGLISH).text
    client.post("/imports/1/start")
    run_jobs()

    assert batch_of(app).groups
    assert "Everybody in the table who is active is also enrolled on the terminals of their groups." in plan
    with app.app_context():
        assert wishes("1") == {ENTRANCE: True}


def test_what_is_not_recognised_is_said_and_unused_columns_are_named(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        add_import(layout={**LAYOUT, "columns": ["Номер", "", "Телефон", "Телефон"], "sample": []}, fields={})

    page = client.get(COLUMNS, headers=ENGLISH).text

    assert "Not all columns are recognised. Choose where the employee's ID and the full name stand." in page
    assert "Column 2" in page
    assert "Телефон (3)" in page


@pytest.mark.usefixtures("batch")
def test_chosen_columns_and_terminal_are_kept_and_the_dry_run_starts_once(
    app: Flask, client: FlaskClient, terminal: Terminal
) -> None:
    form = form_to(client.get(f"{COLUMNS}?terminal={terminal.id}").text, COLUMNS)

    answers = [form.send(client, left="") for _ in range(2)]

    assert [(one.status_code, one.location) for one in answers] == [(303, "/imports/1")] * 2
    assert [job.state for job in jobs(app)] == [WAITING]
    assert batch_of(app).fields == {"number": 0, "name": 1, "department": 2}
    assert batch_of(app).terminal_id == terminal.id
    assert client.get(COLUMNS).location == "/imports/1"


@pytest.mark.usefixtures("batch")
def test_wrong_choice_is_named_at_its_field_and_nothing_starts(app: Flask, client: FlaskClient) -> None:
    cases = [
        ({"number": ""}, "number"),
        ({"department": "0"}, "department"),
        ({"left": "77"}, "left"),
        ({"terminal_id": "77"}, "terminal_id"),
    ]
    for changed, field in cases:
        answer = form_to(client.get(COLUMNS).text, COLUMNS).send(client, ENGLISH, **changed)

        assert answer.status_code == 422, field
        assert f'id="{field}-error"' in answer.text, field
        assert all(
            form_to(answer.text, COLUMNS).fields[name] == value for name, value in changed.items() if value != "77"
        )
    assert jobs(app) == []


OPTIONS = {
    "mode": "new", "clear": "department", "all_department": "Цех", "all_valid_to": "2036-12-31",
    "strip_prefix": "T-", "pad_to": "5", "letters": "replace",
}  # fmt: skip


@pytest.mark.usefixtures("batch")
def test_chosen_options_are_kept_and_shown_again_on_the_way_back(
    app: Flask, client: FlaskClient, run_jobs: RunJobs
) -> None:
    page = client.get(COLUMNS, headers=ENGLISH).text
    assert '<details class="import-rules">' in page
    form_to(page, COLUMNS).send(client, **OPTIONS)

    batch = batch_of(app)
    assert Options.from_json(batch.options) == Options(
        "new",
        ("department",),
        {"department": "Цех", "valid_to": "2036-12-31"},
        False,
        "T-",
        5,
        "replace",
        unused_days=(2,),
    )
    assert batch.fields == {"number": 0, "name": 1, "left": 3}
    run_jobs()
    checked = client.get("/imports/1", headers=ENGLISH).text
    assert "Only new employees are imported; the others stay as they are." in checked
    client.post("/imports/1/reopen")
    page = client.get(COLUMNS, headers=ENGLISH).text
    fields = form_to(page, COLUMNS).fields
    assert {name: fields[name] for name in OPTIONS} == OPTIONS
    assert '<details class="import-rules" open>' in page


@pytest.mark.usefixtures("batch")
def test_wrong_option_is_named_at_its_field_and_what_was_typed_stays(app: Flask, client: FlaskClient) -> None:
    sentence = "“Digits of an ID” must be from 1 to 32."
    for changed, name in (
        ({"pad_to": "33"}, "pad_to"),
        ({"all_valid_to": "31.12"}, "all_valid_to"),
        ({"clear": "name"}, "clear"),
        ({"mode": "none"}, "mode"),
    ):
        answer = form_to(client.get(COLUMNS).text, COLUMNS).send(client, ENGLISH, strip_prefix="Т-", **changed)

        assert (answer.status_code, sentence in answer.text) == (422, name == "pad_to"), name
        assert f'id="{name}-error"' in answer.text, name
        assert '<details class="import-rules" open>' in answer.text
        assert form_to(answer.text, COLUMNS).fields["strip_prefix"] == "Т-"
    assert jobs(app) == []


def test_ids_are_shown_as_they_will_be_read(app: Flask, client: FlaskClient) -> None:
    upload(client, table("Т-12;Иван Иванов;Охрана;", "00077;Анна Иванова;;"))
    page = client.get(COLUMNS).text

    answer = form_to(page, COLUMNS).send(client, show="1", letters="replace", strip_prefix="T-", pad_to="5")

    assert answer.status_code == 200
    assert "<del><bdi>Т-12</bdi></del> → <b><bdi>00012</bdi></b>" in answer.text
    assert "<td><bdi>00077</bdi></td>" in answer.text
    assert jobs(app) == []


def test_path_of_a_department_is_chosen_where_there_is_one(app: Flask, client: FlaskClient) -> None:
    upload(client, table("1;Иван Иванов;All Departments/Цех/Смена;"))
    page = client.get(COLUMNS).text
    assert "<del><bdi>All Departments/Цех/Смена</bdi></del> → <b><bdi>Смена</bdi></b>" in page
    form = form_to(page, COLUMNS)

    assert "<td><bdi>All Departments/Цех/Смена</bdi></td>" in form.send(client, path="whole", show="1").text
    form.send(client, path="whole")

    assert batch_of(app).options["path"] == "whole"
    upload(client, table("1;Иван Иванов;Цех;"))
    assert 'name="path"' not in client.get("/imports/2/columns").text
    with app.app_context():
        add_people("7", department="All Departments/Цех/Смена")
    upload(client, table("1;Иван Иванов;All Departments/Цех/Смена;"))
    assert "<td><bdi>All Departments/Цех/Смена</bdi></td>" in client.get("/imports/3/columns").text


def workbook(**sheets: list[list[str]]) -> bytes:
    """An XLSX file with these sheets by name."""
    book = Workbook(write_only=True)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for cells in rows:
            page.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_sheets_are_named_and_another_one_is_read(app: Flask, client: FlaskClient) -> None:
    head = ["ID", "ФИО"]
    content = workbook(
        Справка=[["Как", "заполнять"], ["так", "вот"]],
        Цех=[head, ["1", "Иван Иванов"]],
        Склад=[head, ["2", "Анна Иванова"]],
        **{"\u202eЯ": [["Как"], ["так"]]},
    )
    upload(client, content)
    page = client.get(COLUMNS, headers=ENGLISH).text
    assert "Sheets in the file: 4, with people: 2." in page
    assert ">\u2068Я\u2069 (1 row, no people)</option>" in page
    assert '<option value="Цех" selected>Цех (1 row)</option>' in page
    assert '<option value="Справка">Справка (1 row, no people)</option>' in page
    assert '<option value="*">All with the same columns: 2, 2 rows</option>' in page

    page = form_to(page, COLUMNS).send(client, ENGLISH, sheet="Склад", mode="new").text

    assert "<bdi>Анна Иванова</bdi>" in page
    assert form_to(page, COLUMNS).fields["mode"] == "new"
    other = form_to(page, COLUMNS).send(client, ENGLISH, sheet="Справка").text
    assert [form_to(other, COLUMNS).fields[name] for name in ("number", "name")] == ["", ""]
    page = form_to(other, COLUMNS).send(client, ENGLISH, sheet="Склад").text
    unknown = form_to(page, COLUMNS).send(client, ENGLISH, sheet="Нет")
    assert (unknown.status_code, "The file has no such sheet. Choose another one." in unknown.text) == (422, True)
    assert (jobs(app), batch_of(app).layout["sheet"]) == ([], "Склад")


def test_all_sheets_are_read_with_their_names_as_departments(
    app: Flask, client: FlaskClient, run_jobs: RunJobs
) -> None:
    head = ["ID", "ФИО"]
    upload(client, workbook(Цех=[head, ["1", "Иван Иванов"]], Склад=[head, ["2", "Анна Иванова"]]))
    page = form_to(client.get(COLUMNS).text, COLUMNS).send(client, sheet="*").text

    form_to(page, COLUMNS).send(client, sheet_is_department="y")
    run_jobs()

    with app.app_context():
        rows = db.session.execute(db.select(ImportRow).order_by(ImportRow.id)).scalars()
        assert [(row.sheet, row.values["department"]) for row in rows] == [("Цех", "Цех"), ("Склад", "Склад")]
    assert "<bdi>Склад</bdi> 2</td>" in client.get("/imports/1?rows=all").text


def test_hidden_rows_are_said_before_and_after_the_dry_run(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        add_import(layout={**LAYOUT, "hidden_rows": 3})
        add_import(layout={**LAYOUT, "hidden_rows": 3, "filtered": True}, checked=True)

    assert "Hidden rows: 3. They are read, too." in client.get(COLUMNS, headers=ENGLISH).text
    assert "Rows that a filter hides: 3. They are read, too." in client.get("/imports/2", headers=ENGLISH).text


def test_columns_and_rows_that_are_not_read_are_said_after_the_dry_run(app: Flask, client: FlaskClient) -> None:
    unused = {"Движение": ["переведён", "учится"], "Связь": []}
    with app.app_context():
        add_import(layout={**LAYOUT, "unused": unused, "rows_left_out": 7, "lines_left_out": ["6", "9"]}, checked=True)

    english, russian = client.get("/imports/1", headers=ENGLISH).text, client.get("/imports/1").text

    assert "Not used: Движение (переведён, учится), Связь." in english
    assert "Rows with nothing in the columns that are read: 7 (6, 9). They are left out." in english
    assert "Строк, в которых прочитанные столбцы пусты: 7 (6, 9). Они пропущены." in russian


def test_pictures_in_a_table_are_said_before_and_after_the_dry_run(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        add_import(layout={**LAYOUT, "pictures": 40})
        add_import(layout={**LAYOUT, "pictures": 40}, checked=True)

    for path in (COLUMNS, "/imports/2"):
        english = "Pictures in the table: 40. They are not taken: photos come in a ZIP."
        assert english in client.get(path, headers=ENGLISH).text
        assert "Картинок в таблице: 40. Они не берутся: фото загружают в ZIP." in client.get(path).text


def test_dry_run_says_that_one_of_several_sheets_with_people_is_read(app: Flask, client: FlaskClient) -> None:
    sheets = [
        {"name": name, "rows": 1, "people": name != "Справка", "hidden": False, "alike": True, "header_line": 1}
        for name in ("Цех", "Склад", "Справка")
    ]
    with app.app_context():
        add_import(layout={**LAYOUT, "sheet": "Цех", "sheets": sheets}, checked=True)
        add_import(layout={**LAYOUT, "sheet": "*", "sheets": sheets}, checked=True)
        add_import(layout={**LAYOUT, "sheet": "Цех", "sheets": [sheets[0], sheets[2]]}, checked=True)

    sentences = (
        "Only the sheet “Цех” is read. Sheets with people: 2.",
        "Прочитан только лист «Цех». Листов с сотрудниками: 2.",
    )
    for headers, sentence in zip((ENGLISH, {}), sentences, strict=True):
        pages = [client.get(f"/imports/{number}", headers=headers).text for number in (1, 2, 3)]
        assert [sentence in page for page in pages] == [True, False, False]


def test_column_of_days_is_asked_about_until_it_is_chosen_or_ticked(app: Flask, client: FlaskClient) -> None:
    upload(client, "ID;ФИО;Контроль\r\n1;Иван Иванов;31.12.2036\r\n".encode())
    page = client.get(COLUMNS, headers=ENGLISH).text
    assert "There are days in columns that are not chosen above" in page
    assert "“Контроль” is not needed" in page

    answer = form_to(page, COLUMNS).send(client, ENGLISH)

    sentence = "Choose each of them above, or tick it here."
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert re.findall(r'id="([^"]+)"[^>]* autofocus', answer.text) == ["unused_days-2"]
    assert "There are days" not in form_to(answer.text, COLUMNS).send(client, ENGLISH, show="1", valid_to="2").text
    assert form_to(answer.text, COLUMNS).send(client, unused_days="2").status_code == 303
    assert batch_of(app).options["unused_days"] == [2]


def test_column_that_is_not_clear_is_asked_about_until_it_is_chosen_or_ticked(app: Flask, client: FlaskClient) -> None:
    upload(client, "ID;ФИО;Сотрудник;Прим.\r\n1;Пётр И.;Пётр Иванов;уволен, 31.12.2036\r\n".encode())
    page, russian = (client.get(COLUMNS, headers=headers).text for headers in (ENGLISH, {}))
    for sentence in (
        "It is not clear what is in some columns",
        "Is it what stands in brackets? Then choose the column above. Otherwise tick it here.",
        "“Сотрудник” is not needed (perhaps: Full name)",
        "“Прим.” is not needed (perhaps: Has left)",
    ):
        assert sentence in page
    for sentence in (
        "Неясно, что в некоторых столбцах",
        "Там то, что указано в скобках? Тогда выберите столбец выше. Если нет, отметьте его здесь.",
        "«Сотрудник» не нужен (возможно: ФИО)",
        "«Прим.» не нужен (возможно: Уволен)",
    ):
        assert sentence in russian

    both = form_to(page, COLUMNS).send(client, ENGLISH, number="").text
    answer = form_to(page, COLUMNS).send(client, ENGLISH)

    for sentence in ("Choose the column for this.", "Choose each of them above, or tick it here."):
        assert sentence in both
    assert (answer.status_code, "Choose each of them above, or tick it here." in answer.text) == (422, True)
    assert re.findall(r'id="([^"]+)"[^>]* autofocus', answer.text) == ["unused_days-2"]
    assert form_to(answer.text, COLUMNS).send(client, name="2", unused_days="3").status_code == 303
    assert (batch_of(app).fields, batch_of(app).options["unused_days"]) == ({"number": 0, "name": 2}, [3, 1])


def test_days_that_the_dry_run_meets_further_down_are_asked_about_on_the_way_back(
    client: FlaskClient, run_jobs: RunJobs
) -> None:
    rows = [f"{number};Иван Иванов {number};{'31.12.2036' if number == 9 else ''}" for number in range(1, 10)]
    upload(client, "\r\n".join(["ID;ФИО;Контроль", *rows, ""]).encode())
    form_to(client.get(COLUMNS).text, COLUMNS).send(client)
    run_jobs()

    form_to(client.get("/imports/1").text, "/imports/1/reopen").send(client)
    page = client.get(COLUMNS, headers=ENGLISH).text

    assert "“Контроль” is not needed" in page
    assert form_to(page, COLUMNS).send(client, unused_days="2").location == "/imports/1"
    run_jobs()
    assert "9 new, no changes." in client.get("/imports/1", headers=ENGLISH).text


@pytest.mark.usefixtures("batch")
def test_kept_columns_are_applied_to_the_next_table_with_the_same_heads(client: FlaskClient) -> None:
    form_to(client.get(COLUMNS).text, COLUMNS).send(client, department="", pad_to="5", mapping_name="Кадры")
    upload(client, table("3;Пётр Петров;Охрана;"))
    second = "/imports/2/columns"

    page = client.get(f"{second}?groups=y", headers=ENGLISH).text

    fields = form_to(page, second).fields
    assert [fields[name] for name in ("number", "name", "department", "left", "pad_to")] == ["0", "1", "", "3", "5"]
    assert "The columns are chosen as in “Кадры”." in page
    link = f"{second}?mapping=0&amp;groups=y"
    assert f'<a href="{link}">Do not use it</a>' in page
    page = client.get(f"{second}?mapping=0", headers=ENGLISH).text
    assert form_to(page, second).fields["department"] == "2"
    assert "The columns are chosen as in" not in page
    assert f'Saved columns that fit this table: <a class="btn btn-quiet" href="{second}?mapping=1">' in page
    assert form_to(client.get(f"{second}?mapping=1").text, second).fields["department"] == ""


@pytest.mark.usefixtures("batch")
def test_nothing_is_kept_of_a_choice_that_is_refused(app: Flask, client: FlaskClient) -> None:
    answer = form_to(client.get(COLUMNS).text, COLUMNS).send(client, number="", mapping_name="Кадры")

    assert (answer.status_code, form_to(answer.text, COLUMNS).fields["mapping_name"]) == (422, "Кадры")
    with app.app_context():
        assert mappings.list_all() == []


def test_import_without_a_dry_run_leads_to_its_columns(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        add_import()

    assert client.get("/imports/1").location == COLUMNS
    assert client.get("/imports/1/state").status_code == 404
    assert client.get("/imports/1/undo").location == "/imports/1"
