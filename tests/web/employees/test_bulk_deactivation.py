"""Deactivating many employees at once: a preview first, then the deactivation."""

from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.models import Employee
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.employees.save import save_employee
from tests.support.desk import ENGLISH, Desk, typed
from tests.support.filled_forms import form_to, words
from tests.support.rows import all_of


def english(client: FlaskClient, address: str) -> str:
    return unescape(client.get(address, headers=ENGLISH).text)


def test_preview_tells_active_inactive_and_unknown_apart_and_changes_nothing(desk: Desk, app: Flask) -> None:
    desk.save()
    with app.app_context():
        set_active(save_employee(Draft("100444", "Пётр Петров")).row.id, active=False)

    answer = desk.client.post("/removals/bulk", data={"numbers": "100222\r\n100444, 100999\n100222"}, headers=ENGLISH)

    assert answer.status_code == 200
    assert "No employee has these IDs: 100999." in answer.text
    assert "Deactivated already: 100444." in answer.text
    assert 'action="/jobs/1/deactivate"' in answer.text
    assert "100222" in desk.simulator.people


def test_those_shown_are_deactivated_and_leave_the_terminals(desk: Desk, app: Flask) -> None:
    desk.save()
    desk.client.post("/employees/", data=typed(hikvision_id="100333", full_name="Ольга Ёлкина", without_face="1"))

    shown = desk.client.post("/removals/bulk", data={"numbers": "100222 100999"}, headers=ENGLISH)
    assert "Вход lose access: 1 of 1" in words(shown).replace(" :", "")
    answer = form_to(shown.text, "/jobs/1/deactivate").send(desk.client, ENGLISH, confirm="1")
    desk.run_jobs()

    assert (answer.status_code, answer.location) == (303, "/jobs/1")
    assert "1 of 1" in english(desk.client, "/jobs/1")
    assert desk.simulator.people == {}
    assert {one.number: one.is_active for one in all_of(app, Employee)} == {
        "100222": False,
        "100333": True,
    }


@pytest.mark.parametrize("numbers", ["", " \n ", " ".join(str(n) for n in range(1001))])
def test_no_number_and_too_many_are_refused_beside_the_field(client: FlaskClient, numbers: str) -> None:
    answer = client.post("/removals/bulk", data={"numbers": numbers})

    assert answer.status_code == 422
    assert 'id="numbers-error"' in answer.text


def test_form_stays_as_pasted(client: FlaskClient) -> None:
    page = client.post("/removals/bulk", data=typed(numbers="100999\n<b>")).text

    assert "100999\n&lt;b&gt;</textarea>" in page
