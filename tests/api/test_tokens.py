"""API tokens: their limits, and photos by token or by session."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.models import Terminal
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.simulator import Terminal as Simulated
from tests.support.api_calls import a_user, capture
from tests.support.signed_in import client_of, make_token
from tests.support.trail import entries

pytestmark = pytest.mark.usefixtures("worker_alive")


@pytest.fixture
def settings() -> dict[str, Any]:
    """A limit that a test can reach."""
    return {"API_LIMIT": 5}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_limit_is_each_tokens_own_and_says_when_to_come_again(app: Flask) -> None:
    one, other, program = make_token(app, VIEWER), make_token(app, VIEWER), app.test_client()
    answers = [program.get("/api/users/", headers=bearer(one)) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[5].get_json()["error"] == "too_many_requests"
    assert 1 <= int(answers[5].headers["Retry-After"]) <= 60
    assert program.get("/api/users/", headers=bearer(other)).status_code == 200


def test_wrong_tokens_are_counted_by_address(app: Flask) -> None:
    program = app.test_client()
    for _ in range(100):
        assert program.get("/api/users/", headers=bearer("hik_wrong")).status_code == 401

    assert program.get("/api/users/", headers=bearer("hik_wrong")).status_code == 429
    assert program.get("/api/users/", headers=bearer(make_token(app))).status_code == 200


def test_what_is_no_token_is_refused(app: Flask) -> None:
    for shown in ["", "Bearer", "Bearer ", "Basic YTpi", "Token x", "Bearer x y", "bearer hik_wrong"]:
        answer = app.test_client().get("/api/users/", headers={"Authorization": shown})

        assert (answer.status_code, answer.get_json()["error"]) == (401, "unauthorized")


def test_token_in_the_address_or_in_a_cookie_is_none(app: Flask) -> None:
    token, program = make_token(app), app.test_client()
    program.set_cookie("hikflask", token)

    assert program.get(f"/api/users/?token={token}&access_token={token}").status_code == 401


def test_capture_is_adopted_by_the_token_that_took_it_alone(
    app: Flask, terminal: Terminal, simulator: Simulated
) -> None:
    app.config["API_LIMIT"] = 100
    one, other = client_of(app, OPERATOR, "Первая"), client_of(app, OPERATOR, "Вторая")
    assert capture(one, simulator)["success"] is True
    user = one.post("/api/users/", json=a_user()).get_json()["id"]

    assert (
        other.post(f"/api/users/{user}/sync-to-device", json={"device_id": terminal.id}).get_json()["face"]
        != "confirmed"
    )
    assert one.post(f"/api/users/{user}/sync-to-device", json={"device_id": terminal.id}).get_json()["verified"] is True


def test_photo_is_seen_with_a_session_or_a_token_and_the_look_is_noted(
    app: Flask,
    client: FlaskClient,
    terminal: Terminal,  # noqa: ARG001
    simulator: Simulated,
) -> None:
    path = capture(client, simulator)["photo_path"]
    program = app.test_client()
    reader = make_token(app, VIEWER)

    assert program.get(path).status_code == 303
    assert program.get(path, headers=bearer("hik_wrong")).status_code == 401
    assert program.get(path, headers={"Authorization": "Basic YTpi"}).status_code == 303
    seen = [program.get(path, headers=bearer(reader), buffered=True) for _ in range(2)]
    client.get(path, buffered=True)

    assert {(answer.status_code, answer.mimetype, answer.headers["Cache-Control"]) for answer in seen} == {
        (200, "image/jpeg", "private, no-store")
    }
    with app.app_context():
        noted = entries("photo.viewed")
        assert [entry.actor for entry in noted] == ["API viewer-1", "Анна"]
        assert all(entry.address == "127.0.0.1" and entry.request_id for entry in noted)
