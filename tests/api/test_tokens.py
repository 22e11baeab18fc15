"""API tokens: each has its own captures, and photos are seen by token or by session."""

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


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_capture_is_adopted_by_the_token_that_took_it_alone(
    app: Flask, terminal: Terminal, simulator: Simulated
) -> None:
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
