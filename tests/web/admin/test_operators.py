"""The administrator's pages: operators and tokens."""

import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import ApiToken, Operator, OperatorSession
from hikflask.models.operator import ADMIN, OPERATOR, VIEWER
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


@pytest.mark.parametrize(("changed", "sentence"), [
    ({"name": ""}, "“Operator's name” must not be empty."),
    ({"name": "a\nb"}, "“Operator's name” must not contain control characters."),
    ({"name": "x" * 65}, "“Operator's name” is too long: at most 64 characters."),
    ({"name": "АННА"}, "Another operator has this name."),
    ({"role": "root"}, "“Role” must be one of the list."),
    ({"role": ""}, "“Role” must be one of the list."),
])  # fmt: skip
def test_bad_input_is_said_at_its_field_and_kept(
    app: Flask, client: FlaskClient, changed: dict[str, str], sentence: str
) -> None:
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


def test_token_is_shown_once_works_and_is_revoked(app: Flask, client: FlaskClient) -> None:
    form = {"name": "Кадры", "role": VIEWER, "expires_on": f"{datetime.now(UTC):%Y-%m-%d}"}

    answer = client.post("/tokens/", data=form)

    secret = shown(answer.text)
    assert answer.headers["Cache-Control"] == "no-store"
    program = app.test_client()
    headers = {"Authorization": f"Bearer {secret}"}
    assert program.get("/api/users/", headers=headers).status_code == 200
    page = client.get("/tokens/", headers=ENGLISH).text
    assert secret not in page
    assert "last used" in page
    with app.app_context():
        token = next(one for one in api_tokens.list_all() if one.name == "Кадры")
        assert secret not in str(vars(token))
    client.post(f"/tokens/{token.id}/revoke")
    assert program.get("/api/users/", headers=headers).status_code == 401


@pytest.mark.parametrize("day", ["", "soon", "2020-01-01", "9999-12-31", "2026-02-31"])
def test_token_ends_on_a_day_to_come(client: FlaskClient, day: str) -> None:
    answer = client.post("/tokens/", data={"name": "Кадры", "role": VIEWER, "expires_on": day}, headers=ENGLISH)

    assert answer.status_code == 422
    assert answer.text.count("must be a day within the next ten years") == 1
    assert 'value="Кадры"' in answer.text


def test_token_name_is_taken_once(app: Flask, client: FlaskClient) -> None:
    form = {"name": "Кадры", "role": VIEWER, "expires_on": f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"}
    client.post("/tokens/", data=form)

    answer = client.post("/tokens/", data=form, headers=ENGLISH)

    assert (answer.status_code, "Another token has this name." in answer.text) == (422, True)
    with app.app_context():
        assert len([one for one in api_tokens.list_all() if one.name == "Кадры"]) == 1


@pytest.mark.parametrize("path", ["/operators/", "/tokens/"])
def test_name_of_the_trails_own_is_refused_at_its_field(client: FlaskClient, path: str) -> None:
    day = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"
    form = {"name": "Фоновый обработчик", "role": VIEWER, "expires_on": day}

    answer = client.post(path, data=form, headers=ENGLISH)

    assert answer.status_code == 422
    assert "The audit trail has a program under this name" in answer.text
    assert 'value="Фоновый обработчик"' in answer.text


def test_token_past_its_end_opens_nothing(app: Flask) -> None:
    with app.app_context():
        ends = datetime.now(UTC) + timedelta(days=1)
        secret = api_tokens.create("Кадры", ADMIN, ends)[1]
        db.session.execute(db.update(ApiToken).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
        db.session.commit()

    answer = app.test_client().get("/api/users/", headers={"Authorization": f"Bearer {secret}"})

    assert answer.status_code == 401


def test_administration_shows_settings_without_secrets(app: Flask, client: FlaskClient) -> None:
    page = client.get("/administration").text

    assert "HIKFLASK_SESSION_IDLE" in page
    assert app.config["SECRET_KEY"] not in page
    assert app.config["PASSWORD_KEY"] not in page
    assert "DATABASE_URL" not in page


def test_administration_shows_settings_with_their_units(app: Flask, client: FlaskClient) -> None:
    app.config["TERMINAL_NETWORKS"] = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    app.config |= {"CAPTURE_TIMEOUT": 30.0, "RETRY_BASE": 0.5, "SESSION_IDLE": 7200.0, "RETRY_MAX": 900.0}
    app.config |= {"EVENT_RETENTION": 90, "PHOTO_RETENTION": "30", "HOSTS": []}

    shown = dict(re.findall(r"<code>HIKFLASK_(\w+)</code></th><td>(.*?)</td>", client.get("/administration").text))

    assert shown["TERMINAL_NETWORKS"] == "10.0.0.0/8, fd00::/8"
    assert (shown["CAPTURE_TIMEOUT"], shown["RETRY_BASE"]) == ("30 с", "0,5 с")
    assert (shown["SESSION_IDLE"], shown["RETRY_MAX"]) == ("2 ч", "15 мин")
    assert (shown["EVENT_RETENTION"], shown["PHOTO_RETENTION"]) == ("90 дн.", "30 дн.")
    assert (shown["HOSTS"], shown["CONSENT"], shown["API_LIMIT"]) == ("—", "warn", "вызовов в минуту: 6000")


def test_empty_networks_and_a_word_for_a_time_are_readable(app: Flask, client: FlaskClient) -> None:
    app.config |= {"TERMINAL_NETWORKS": (), "PHOTO_RETENTION": "employed"}

    page = client.get("/administration").text

    assert "()" not in page
    assert "<td>employed</td>" in page
