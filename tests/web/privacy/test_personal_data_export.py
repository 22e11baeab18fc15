"""The button that exports what is stored about an employee."""

import pytest
from flask import Flask

from hikflask.models.accounts import ADMIN, OPERATOR
from hikflask.services.audit import Entry
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.save import save_employee
from tests.support.desk import Desk
from tests.support.signed_in import client_of
from tests.support.trail import entries


def noted(app: Flask) -> list[Entry]:
    with app.app_context():
        return entries("employee.exported")


def test_answer_is_a_file_that_is_stored_nowhere(desk: Desk) -> None:
    answer = desk.client.post(f"{desk.save()}/export")

    assert answer.mimetype == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="employee-100222.zip"'
    assert "no-store" in answer.headers["Cache-Control"]


def test_export_is_in_the_trail(desk: Desk, app: Flask) -> None:
    assert desk.client.post(f"{desk.save()}/export").status_code == 200

    (entry,) = noted(app)
    assert (entry.actor, entry.employee) == ("Анна", "100222")


@pytest.mark.parametrize(("role", "confirmed"), [(OPERATOR, True), (ADMIN, False)])
def test_others_and_an_unconfirmed_administrator_get_nothing(app: Flask, role: str, confirmed: bool) -> None:
    with app.app_context():
        employee = save_employee(Draft("100222", "Иван Иванов")).row

    answer = client_of(app, role, confirmed=confirmed).post(f"/employees/{employee.id}/export")

    assert answer.status_code == 403
    assert noted(app) == []


def test_link_alone_exports_nothing(desk: Desk, app: Flask) -> None:
    assert desk.client.get(f"{desk.save()}/export").status_code == 405
    assert desk.client.post("/employees/9/export").status_code == 404
    assert noted(app) == []
