"""The pages of API tokens."""

import re
from datetime import UTC, datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient

from hikflask.models.accounts import VIEWER
from hikflask.services.accounts import api_tokens
from tests.support.desk import ENGLISH


def test_token_is_shown_once_works_and_is_revoked(app: Flask, client: FlaskClient) -> None:
    form = {"name": "Кадры", "role": VIEWER, "expires_on": f"{datetime.now(UTC):%Y-%m-%d}"}

    answer = client.post("/tokens/", data=form)

    secret = re.search(r'id="secret">([^<]+)<', answer.text)[1]  # type: ignore[index]
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


def test_token_ends_on_a_day_to_come(client: FlaskClient) -> None:
    for day in ["", "soon", "2020-01-01", "9999-12-31", "2026-02-31"]:
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
