"""The second step of an import: what was recognised, what was chosen by hand, and the start of the dry run."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import ImportBatch, Job, Terminal
from hikflask.models.job import WAITING
from hikflask.models.operator import VIEWER
from tests.support.desk import ENGLISH
from tests.support.filled_forms import form_to
from tests.support.groups import ENTRANCE, add_terminals, make_group, wishes
from tests.support.import_batches import LAYOUT, add_import, table, upload
from tests.support.signed_in import client_of

COLUMNS = "/imports/1/columns"
RunJobs = Callable[[], int]
TWICE = {"en": "This column is chosen for another field already.", "ru": "Этот столбец уже выбран для другого поля."}


@pytest.fixture
def batch(client: FlaskClient) -> None:
    """An uploaded table of two."""
    assert upload(client, table("1;Иван Иванов;Охрана;", "2;Анна Иванова;;")).status_code == 303


def jobs(app: Flask) -> list[Job]:
    with app.app_context():
        return list(db.session.execute(db.select(Job)).scalars())


def batch_of(app: Flask) -> ImportBatch:
    with app.app_context():
        return db.session.execute(db.select(ImportBatch)).scalar_one()


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
    assert "Телефон (Column 3)" in page


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


@pytest.mark.usefixtures("batch")
def test_page_is_for_those_who_enrol(app: Flask) -> None:
    assert client_of(app, VIEWER).get(COLUMNS).status_code == 403


def test_import_without_a_dry_run_leads_to_its_columns(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        add_import()

    assert client.get("/imports/1").location == COLUMNS
    assert client.get("/imports/1/state").status_code == 404
    assert client.get("/imports/1/undo").location == "/imports/1"


def test_unknown_import_is_no_page(client: FlaskClient) -> None:
    for address in ("/imports/9", "/imports/9/columns", "/imports/9/state", "/imports/9/wrong", "/imports/9/undo"):
        assert client.get(address).status_code == 404, address
