"""Ids larger than any row can have are answered like unknown ones, on every address and on both databases."""

import itertools
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.save import save_employee
from tests.http.permissions_table import API, BOTH, PAGES

pytestmark = pytest.mark.long
BOTH_DATABASES = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
NOWHERE = "999999"
TOO_LARGE = [str(2**31), str(2**63), str(2**64), "9" * 100, "0" * 40 + "9" * 25]
WITH_ID = sorted(entry for entry in {*PAGES, *BOTH, *API} if "<int:" in entry)


@BOTH_DATABASES
def test_address_with_an_id_beyond_all_is_as_one_of_nobody(client: FlaskClient) -> None:
    def status(entry: str, row_id: str) -> int:
        method, _, rule = entry.partition(" ")
        return client.open(re.sub(r"<int:[^>]+>", row_id, rule), method=method).status_code

    # How a number in an address is read does not depend on what lies there: each gets one of them, in turn.
    others = itertools.cycle([*TOO_LARGE, "9" * 5000, "١"])
    wrong = []
    for entry in WITH_ID:
        expected = status(entry, NOWHERE)
        row_id = next(others)
        if status(entry, row_id) != expected:
            wrong.append((entry, row_id))

    assert len(WITH_ID) > 40
    assert wrong == []


@BOTH_DATABASES
@pytest.mark.usefixtures("terminal")
def test_field_with_an_id_beyond_all_is_as_one_of_nobody(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        employee_id = save_employee(Draft("100222", "Иван Иванов")).row.id
    page = f"/employees/{employee_id}"

    def answers(number: str) -> list[tuple[int, str]]:
        field = {"terminal_id": number, "capture_id": number, "employee_id": number, "full_name": "Иван"}
        found = [
            client.get(f"/employees/new?capture={number}"),
            client.get(f"{page}/edit?capture={number}"),
            client.post(f"{page}/terminals", data=field),
            client.post("/terminals/fingerprint", data=field),
            client.post("/captures/draft", data=field),
            client.post(f"/api{page.replace('employees', 'users')}/sync-to-device", json={"device_id": int(number)}),
        ]
        return [(answer.status_code, answer.location or "") for answer in found]

    expected = answers(NOWHERE)
    assert {status for status, _ in expected} <= {200, 204, 303, 404, 409, 422}
    for row_id in TOO_LARGE:
        assert answers(row_id) == expected, row_id
