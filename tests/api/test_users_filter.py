"""The list of users, narrowed and sorted: each argument, alone and together, and what is refused."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from hikflask.extensions import db
from hikflask.forms.employees import EmployeeFilterForm
from hikflask.models import Employee
from hikflask.services.employees.filters import CONSENTS, SORTS, STATES
from tests.support.api_calls import OLGA, add

NOT_LISTED = {
    "state": "“State” must be one of the list.",
    "terminal": "“Terminal” must be one of the list.",
    "consent": "“Consent” must be one of the list.",
    "sort": "“Sorting” must be one of the list.",
}


def numbers(client: FlaskClient, **query: Any) -> list[str]:
    """Return the numbers on the only page; all of them are counted."""
    answer = client.get("/api/users/", query_string=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["X-Total-Count"] == str(len(answer.get_json()))
    return [found["hikvision_id"] for found in answer.get_json()]


def test_users_are_found_by_department_state_and_consent_together(client: FlaskClient) -> None:
    ivan, olga = add(client), add(client, **{**OLGA, "department": "Склад"})
    client.put(f"/api/users/{olga['id']}", json={"is_active": False})

    assert numbers(client, department="Склад") == [olga["hikvision_id"]]
    assert numbers(client, state="left", department="Склад", consent="missing", q="ольга") == [olga["hikvision_id"]]
    assert numbers(client, state="no_face") == [ivan["hikvision_id"]]
    assert numbers(client, consent="given") == numbers(client, state="waiting") == []


def test_users_are_sorted_as_asked(client: FlaskClient) -> None:
    add(client, hikvision_id="1", full_name="Жанна", department="Склад")
    add(client, hikvision_id="3", full_name="ёлкин", department="Охрана")
    add(client, hikvision_id="2", full_name="Яков", department="Архив")
    for sort, sorted_numbers in [
        ("", ["3", "1", "2"]),
        ("name", ["3", "1", "2"]),
        ("-name", ["2", "1", "3"]),
        ("number", ["1", "2", "3"]),
        ("department", ["2", "3", "1"]),
        ("created_at", ["1", "3", "2"]),
        ("-created_at", ["2", "3", "1"]),
    ]:
        assert numbers(client, sort=sort) == sorted_numbers


def test_empty_value_filters_nothing(client: FlaskClient) -> None:
    add(client)

    assert len(numbers(client, q="", state="", department=" ", terminal="", consent="", sort="")) == 1


@pytest.mark.parametrize("query", [{"department": "Нигде"}, {"terminal": "99"}, {"terminal": "9" * 30}])
def test_what_nobody_has_finds_nobody(client: FlaskClient, query: dict[str, str]) -> None:
    add(client)

    assert numbers(client, **query) == []


def test_unknown_value_is_refused_by_its_field(client: FlaskClient) -> None:
    for field, sentence in NOT_LISTED.items():
        for value in ["nonsense", "Left", "-1", "1.5", "١"]:
            answer = client.get("/api/users/", query_string={field: value})

            assert (answer.status_code, answer.get_json()["error"]) == (422, "invalid_input")
            assert answer.get_json()["fields"] == {field: sentence}


def test_all_wrong_values_are_named_at_once(client: FlaskClient) -> None:
    answer = client.get("/api/users/", query_string=dict.fromkeys(NOT_LISTED, "nonsense"))

    assert answer.get_json()["fields"] == NOT_LISTED


def test_form_offers_what_the_filters_know(app: Flask) -> None:
    with app.test_request_context():
        form = EmployeeFilterForm(None)

    assert [one.value for one in form.state.choices] == list(STATES)
    assert [one.value for one in form.consent.choices] == list(CONSENTS)
    assert [one.value for one in form.sort.choices] == list(SORTS)


@pytest.mark.both_databases
def test_search_that_finds_very_many_counts_them_only_when_that_is_asked(app: Flask, client: FlaskClient) -> None:
    people = [
        {"number": f"M{one}", "name": "Яна", "search": f"яна m{one} {'склад' * (one % 2)}", "department": "Склад"}
        for one in range(1002)
    ]
    with app.app_context():
        db.session.execute(insert(Employee), people)
        db.session.commit()

    def count(**query: Any) -> tuple[str, str | None, int]:
        answer = client.get("/api/users/", query_string=query)
        return answer.headers["X-Total-Count"], answer.headers.get("X-Total-Count-Exact"), len(answer.get_json())

    assert count(q="яна") == count(q="яна", department="Склад", sort="-created_at") == ("501", "false", 100)
    assert count(q="склад") == ("501", "false", 100)
    assert count(q="яна", count="exact") == count(q="яна", offset=0) == count(department="Склад") == ("1002", None, 100)
    assert count(q="яна", offset=1000) == ("1002", None, 2)
    assert count(q="яна", limit=0) == ("1002", None, 0)
    assert count(q="m100") == ("3", None, 3)


def test_count_that_is_asked_otherwise_is_refused(client: FlaskClient) -> None:
    answer = client.get("/api/users/?count=all")

    assert (answer.status_code, answer.get_json()["fields"]) == (422, {"count": "“exact” is expected."})
