"""An employee who is deleted between a request's first look and its deed is missing, and nothing fails."""

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.employees.save import save_employee
from tests.support.desk import ENGLISH, Desk, typed

LOCK = "UPDATE employee SET is_active=employee.is_active"
GONE = "This employee is not there any more."


@pytest.fixture
def three(app: Flask) -> list[int]:
    """The ids of employees 1, 2 and 3."""
    with app.app_context():
        return [save_employee(Draft(number, f"Имя {number}")).row.id for number in ("1", "2", "3")]


@pytest.fixture
def second_is_deleted(app: Flask, three: list[int]) -> Iterator[None]:
    """Somebody deletes the second one in the moment before the row would be locked."""

    def delete(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:  # noqa: ARG001
        if statement.startswith(LOCK) and three[1] in tuple(parameters):
            cursor.execute(f"DELETE FROM employee WHERE id = {three[1]}")

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", delete)
    yield
    event.remove(engine, "before_cursor_execute", delete)


@pytest.mark.usefixtures("second_is_deleted")
def test_others_of_a_job_are_deactivated_all_the_same(desk: Desk, app: Flask) -> None:
    desk.client.post("/removals/bulk", data={"numbers": "1 2 3"})
    answer = desk.client.post("/jobs/1/deactivate", headers=ENGLISH)
    desk.run_jobs()

    assert answer.status_code == 303
    shown = desk.client.get("/jobs/1", headers=ENGLISH).text
    assert "Failed: 1 employee" in shown
    assert GONE in shown
    with app.app_context():
        active = db.session.execute(db.select(Employee.number).where(Employee.is_active)).scalars()
        assert set(active) <= {"2"}


@pytest.mark.usefixtures("second_is_deleted")
@pytest.mark.parametrize("path", ["delete", "erase", "consent"])
def test_page_says_that_the_employee_is_gone(desk: Desk, three: list[int], path: str) -> None:
    form = {"given_on": "2026-01-15", "basis": "consent"}
    answer = desk.client.post(f"/employees/{three[1]}/{path}", data=form, headers=ENGLISH)

    assert answer.status_code == 404
    assert path == "erase" or GONE in answer.text


@pytest.mark.usefixtures("second_is_deleted")
def test_activation_says_that_the_employee_is_gone(desk: Desk, three: list[int]) -> None:
    answer = desk.client.post(f"/employees/{three[1]}/active", data={"active": "0"}, headers=ENGLISH)

    assert answer.status_code == 303
    assert GONE in desk.client.get("/employees/", headers=ENGLISH).text


@pytest.mark.usefixtures("second_is_deleted")
def test_form_is_shown_as_typed_with_what_happened(desk: Desk, three: list[int]) -> None:
    data = typed(hikvision_id="2", full_name="Новое Имя")
    answer = desk.client.post(f"/employees/{three[1]}", data=data, headers=ENGLISH)

    assert answer.status_code == 404
    assert GONE in answer.text
    assert "Новое Имя" in answer.text


@pytest.mark.usefixtures("second_is_deleted")
def test_api_says_that_the_user_is_gone(desk: Desk, three: list[int]) -> None:
    address = f"/api/users/{three[1]}"

    answers = [
        desk.client.delete(address),
        desk.client.put(address, json={"full_name": "Новое Имя"}),
    ]
    synced = desk.client.post(f"{address}/sync-to-device", json={})

    for answer in answers:
        assert answer.status_code == 404
        assert answer.json is not None
        assert answer.json["error"] == "employee_unknown"
        assert answer.json["message"].startswith(GONE)
    # It locks the row at once, so whoever was deleted a moment ago is as somebody who never was.
    assert (synced.status_code, synced.json) == (404, {"error": "not_found", "message": "There is no such user."})


def test_export_says_that_the_employee_is_gone(app: Flask, desk: Desk, three: list[int]) -> None:
    def delete() -> None:
        with app.app_context():
            delete_employee(three[1])

    def delete_elsewhere(*_: object) -> None:
        elsewhere = Thread(target=delete)
        elsewhere.start()
        elsewhere.join()

    event.listen(Employee, "load", delete_elsewhere, once=True)

    answer = desk.client.post(f"/employees/{three[1]}/export", headers=ENGLISH)

    assert answer.status_code == 404
    assert GONE in answer.text
