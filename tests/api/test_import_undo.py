"""GET and POST /api/users/import/{batch}/undo: what an undo does not bring back is told before, then a job undoes."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Employee, Terminal
from hikflask.models.accounts import ADMIN, OPERATOR
from hikflask.services.captures.drafts import Draft
from hikflask.simulator import Terminal as Simulated
from tests.support.enrolments import enrol
from tests.support.imports import apply, checked
from tests.support.jobs import add_people
from tests.support.signed_in import client_of

CALL = "/api/users/import/1/undo"


@pytest.mark.both_databases
def test_undo_is_previewed_and_done(
    app: Flask, simulator: Simulated, terminal: Terminal, run_jobs: Callable[[], int]
) -> None:
    client = client_of(app, OPERATOR)
    with app.app_context():
        enrol(simulator, terminal, Draft("1", "Анна Ким"))
        add_people("2")
        apply(checked("1;да", "2;да", header="ID;Уволен"))
        db.session.execute(db.update(Employee).where(Employee.number == "2").values(is_active=True))
        db.session.commit()

    assert client.get(CALL).json == {
        "rows": 1,
        "changed": 1,
        "lost_faces": [{"device_id": terminal.id, "name": "Вход", "people": 1, "leaving": 1, "first": ["1"]}],
    }

    begun = client.post(CALL)
    run_jobs()

    assert begun.status_code == 202
    assert client.get(f"/api/jobs/{begun.get_json()['job']}").get_json() == {
        "state": "done",
        "done": 2,
        "total": 2,
        "failed": [{"number": "2", "error": "changed_since"}],
    }
    assert client.post(CALL).status_code == 409


@pytest.mark.usefixtures("one_is_many")
def test_where_many_lose_access_an_administrator_confirms_how_many(app: Flask, terminal: Terminal) -> None:
    with app.app_context():
        apply(checked("1;Анна Ким;", "2;Олег Юн;", terminal_id=terminal.id))
    lose = {"people": 2, "devices": [{"device_id": terminal.id, "name": "Вход", "lose": 2, "people": 2}]}

    operator, admin = client_of(app, OPERATOR), client_of(app, ADMIN)

    assert operator.get(CALL).json == {"rows": 2, "changed": 0, "lose_access": lose}
    assert operator.post(CALL, json={"confirm": 2}).get_json()["error"] == "administrator_needed"
    refused = admin.post(CALL)
    assert (refused.status_code, refused.get_json()["error"], refused.get_json()["count"]) == (409, "unsafe_plan", 2)
    assert admin.post(CALL, json={"confirm": 2}).status_code == 202


def test_unknown_import_and_a_number_in_words_are_refused(client: FlaskClient, app: Flask) -> None:
    assert client.get(CALL).status_code == 404
    assert client.post(CALL).status_code == 404
    with app.app_context():
        apply(checked("1;Анна Ким;"))
    assert client.post(CALL, json={"confirm": True}).status_code == 422
