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


def test_unknown_import_is_no_page(client: FlaskClient) -> None:
    for address in ("/imports/9", "/imports/9/columns", "/imports/9/state", "/imports/9/wrong", "/imports/9/undo"):
        assert client.get(address).status_code == 404, address
