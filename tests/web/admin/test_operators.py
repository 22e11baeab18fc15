"""The pages of operators."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Operator, OperatorSession
from hikflask.models.accounts import ADMIN, OPERATOR, VIEWER
from hikflask.services.accounts import api_tokens, operators
from tests.support.desk import ENGLISH
from tests.support.signed_in import client_of


def shown(page: str) -> str:
    """The secret that a page shows."""
    found = re.search(r'id="secret">([^<]+)<', page)
    assert found
    return found[1]


def row(app: Flask, name: str) -> Operator:
    """The row of an operator."""
    with app.app_context():
        found = operators.by_name(name)
    assert found is not None
    return found


def test_operator_is_added_with_a_password_shown_once_that_must_be_changed(app: Flask, client: FlaskClient) -> None:
    answer = client.post("/operators/", data={"name": "Ольга", "role": OPERATOR})

    password = shown(answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    assert password not in client.get("/operators/").text
    browser = app.test_client()
    assert browser.post("/sign-in", data={"name": "ольга", "password": password}).status_code == 303
    assert browser.get("/employees/").location == "/account/password?next=/employees/"


def test_bad_input_is_said_at_its_field_and_kept(app: Flask, client: FlaskClient) -> None:
    for changed, sentence in [
        ({"name": ""}, "“Operator's name” must not be empty."),
        ({"name": "a\nb"}, "“Operator's name” must not contain control characters."),
        ({"name": "x" * 65}, "“Operator's name” is too long: at most 64 characters."),
        ({"name": "АННА"}, "Another operator has this name."),
        ({"role": "root"}, "“Role” must be one of the list."),
        ({"role": ""}, "“Role” must be one of the list."),
    ]:
        form = {"name": "Ольга", "role": VIEWER, **changed}

        answer = client.post("/operators/", data=form, headers=ENGLISH)

        assert answer.status_code == 422
        assert sentence in answer.text
        with app.app_context():
            assert [one.name for one in operators.list_all()] == ["Анна"]


def test_role_is_changed_and_somebody_kept_out(app: Flask, client: FlaskClient) -> None:
    olga = client_of(app, OPERATOR, "Ольга")
    address = f"/operators/{row(app, 'Ольга').id}"
    assert "selected>Operator</option>" in client.get(address, headers=ENGLISH).text

    client.post(address, data={"role": VIEWER, "is_active": "y"})
    assert olga.get("/employees/new").status_code == 403
    client.post(address, data={"role": VIEWER})

    assert olga.get("/employees/").status_code == 303
    assert row(app, "Ольга").is_active is False


@pytest.mark.parametrize("form", [{"role": ADMIN}, {"role": OPERATOR, "is_active": "y"}])
def test_tokens_of_who_is_no_administrator_any_more_are_named(
    app: Flask, client: FlaskClient, form: dict[str, str]
) -> None:
    boris = client_of(app, ADMIN, "Борис")
    for name in ("Бухгалтерия", "Склад", "Старый"):
        boris.post(
            "/tokens/",
            data={"name": name, "role": OPERATOR, "expires_on": f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"},
        )
    with app.app_context():
        api_tokens.revoke(next(one.id for one in api_tokens.list_all() if one.name == "Старый"))
    place = f"/operators/{row(app, 'Борис').id}"
    said = "API tokens that Борис made are still valid: Бухгалтерия, Склад. Revoke those"

    same = client.post(place, data={"role": ADMIN, "is_active": "y"}, headers=ENGLISH, follow_redirects=True)
    changed = client.post(place, data=form, headers=ENGLISH, follow_redirects=True)

    assert said not in same.text
    assert said in changed.text


def test_last_administrator_hears_why_nothing_changed(app: Flask, client: FlaskClient) -> None:
    answer = client.post(f"/operators/{row(app, 'Анна').id}", data={"role": VIEWER, "is_active": "y"}, headers=ENGLISH)

    assert (answer.status_code, "Nobody would be left to administer." in answer.text) == (422, True)
    assert client.get("/operators/").status_code == 200


def test_forgotten_password_is_replaced_and_every_session_ends(app: Flask, client: FlaskClient) -> None:
    olga = client_of(app, OPERATOR, "Ольга")

    password = shown(client.post(f"/operators/{row(app, 'Ольга').id}/password").text)

    assert olga.get("/employees/").status_code == 303
    assert olga.post("/sign-in", data={"name": "Ольга", "password": password}).status_code == 303
    with app.app_context():
        assert db.session.execute(db.select(OperatorSession)).scalars().all()


def test_token_and_operator_enrol_unless_said(client: FlaskClient) -> None:
    for address in ("/tokens/", "/operators/"):
        page = client.get(address, headers=ENGLISH).text
        assert re.findall(r'<option value="(\w+)" selected>', page) == [OPERATOR], address


@pytest.mark.parametrize("path", ["/operators/", "/tokens/"])
def test_name_of_the_trails_own_is_refused_at_its_field(client: FlaskClient, path: str) -> None:
    day = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"
    form = {"name": "Фоновый обработчик", "role": VIEWER, "expires_on": day}

    answer = client.post(path, data=form, headers=ENGLISH)

    assert answer.status_code == 422
    assert "The audit trail has a program under this name" in answer.text
    assert 'value="Фоновый обработчик"' in answer.text
