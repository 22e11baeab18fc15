"""The days of a validity in the API."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.services.core.dates import today
from tests.support.api_calls import a_user, add, user

SPRING = {"valid_from": "2036-03-01", "valid_to": "2036-06-30"}


def days(shown: dict[str, Any]) -> tuple[Any, Any]:
    return shown["valid_from"], shown["valid_to"]


def test_days_are_taken_and_shown(client: FlaskClient) -> None:
    assert days(add(client)) == (None, None)
    added = add(client, hikvision_id="2", **SPRING)
    assert days(added) == days(user(client, added["id"])) == ("2036-03-01", "2036-06-30")

    changed = client.put(f"/api/users/{added['id']}", json={"valid_from": None}).get_json()
    assert days(changed) == (None, "2036-06-30")
    assert days(client.put(f"/api/users/{added['id']}", json={"full_name": "Пётр"}).get_json()) == (None, "2036-06-30")


DAY = "A day as YYYY-MM-DD, or null, is expected."


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"valid_to": "30.06.2036"}, {"valid_to": DAY}),
        ({"valid_to": "2036-02-30"}, {"valid_to": DAY}),
        ({"valid_to": ""}, {"valid_to": DAY}),
        ({"valid_from": 20360301, "valid_to": True}, {"valid_from": DAY, "valid_to": DAY}),
        (
            {"valid_from": "1999-12-31", "valid_to": "2038-01-01"},
            {
                "valid_from": "“Valid from” must be from 2000 to 2037: terminals take no other years.",
                "valid_to": "“Valid to” must be from 2000 to 2037: terminals take no other years.",
            },
        ),
        (
            {"valid_from": "2036-07-01", "valid_to": "2036-06-30"},
            {"valid_to": "“Valid to” must not be before “Valid from”."},
        ),
        ({"valid_to": "2020-01-01"}, {"valid_to": "The validity is over. Enter a later last day, or none."}),
    ],
)
def test_wrong_days_are_named(client: FlaskClient, given: dict[str, object], fields: dict[str, str]) -> None:
    answer = client.post("/api/users/", json=a_user(**given))
    assert (answer.status_code, answer.get_json()["fields"]) == (422, fields)
    known = add(client)["id"]
    answer = client.put(f"/api/users/{known}", json=given)
    assert (answer.status_code, answer.get_json()["fields"]) == (422, fields)


def test_order_is_checked_against_what_is_saved(client: FlaskClient) -> None:
    known = add(client, **SPRING)["id"]
    answer = client.put(f"/api/users/{known}", json={"valid_from": "2036-07-01"})
    assert answer.get_json()["fields"] == {"valid_to": "“Valid to” must not be before “Valid from”."}


def test_whoever_is_over_is_activated_with_a_new_day_only(client: FlaskClient, app: Flask) -> None:
    known = add(client)["id"]
    with app.app_context():
        over = today() - timedelta(days=1)
        db.session.execute(db.update(Employee).values(valid_to=over, is_active=False))
        db.session.commit()

    refused = client.put(f"/api/users/{known}", json={"is_active": True})
    assert (refused.status_code, refused.get_json()["error"], list(refused.get_json()["fields"])) == (
        422,
        "validity_over",
        ["valid_to"],
    )
    assert client.put(f"/api/users/{known}", json={"is_active": True, "valid_to": None}).get_json()["is_active"] is True
