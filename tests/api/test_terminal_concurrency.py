"""The limit of calls that wait on terminals: one too many is refused at once, and does nothing."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hikflask.extensions import db
from hikflask.models import Capture, Enrolment, Terminal
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST
from tests.support.api_calls import a_device, add, steps, sync
from tests.support.signed_in import client_of
from tests.support.wire import InProcess

PLACES, SHARE = 3, 2
FULL = {
    "error": "server_busy",
    "message": "The server is waiting on as many terminals as it can. Try again in 5 s.",
}
TOO_MANY = {
    "error": "too_many_calls",
    "message": "At most 2 requests to terminals at a time for one operator or program. Wait for an answer first.",
}


@pytest.fixture
def settings() -> dict[str, Any]:
    """Few places, and captures that nobody comes to."""
    return {"TERMINAL_THREADS": PLACES, "TERMINAL_CALLS": SHARE, "CAPTURE_TIMEOUT": 0.3}


@contextmanager
def waiting(app: Flask, *callers: str) -> Iterator[None]:
    """Let these callers wait on terminals within the block."""
    limit = app.extensions["terminal_concurrency"]
    with ExitStack() as stack:
        for caller in callers:
            stack.enter_context(limit.slot(caller))
        yield


def everybody(app: Flask) -> Any:
    """Take all places."""
    return waiting(app, *(f"API {number}" for number in range(PLACES)))


def count(app: Flask, column: Any) -> int:
    with app.app_context():
        return len(db.session.execute(db.select(column)).all())


CALLS = {
    "sync": ("POST", "/api/users/1/sync-to-device", {"device_id": 1}),
    "capture": ("POST", "/api/devices/1/start-face-capture", {}),
    "status": ("GET", "/api/devices/1/status", None),
    "change": ("PUT", "/api/devices/1", {"name": "Другой"}),
}


def answer_to(client: FlaskClient, call: str) -> TestResponse:
    method, path, body = CALLS[call]
    return client.open(path, method=method, json=body)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("call", CALLS)
def test_call_for_which_no_place_is_left_is_refused_before_anything_is_done(
    app: Flask, client: FlaskClient, simulator: Simulated, call: str
) -> None:
    add(client)
    with everybody(app):
        answer = answer_to(client, call)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json == ({"success": False} if call == "capture" else {}) | FULL
    assert steps(simulator) == []
    assert (count(app, Enrolment), count(app, Capture)) == (0, 0)
    assert client.get("/api/devices/1").get_json()["name"] == "Вход"
    assert answer_to(client, call).status_code != 503


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("call", CALLS)
def test_token_that_waits_as_often_as_it_may_is_refused_and_another_is_not(
    app: Flask, client: FlaskClient, call: str
) -> None:
    add(client)
    another = client_of(app)
    with waiting(app, *["API admin-0"] * SHARE):
        answer, others = answer_to(client, call), answer_to(another, call)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert answer.json == ({"success": False} if call == "capture" else {}) | TOO_MANY
    assert others.status_code != 429


@pytest.mark.usefixtures("terminal")
def test_a_viewers_token_has_no_more_than_others(app: Flask) -> None:
    viewer = client_of(app, VIEWER)
    with waiting(app, *["API viewer-0"] * SHARE):
        assert answer_to(viewer, "status").json == TOO_MANY


@pytest.mark.usefixtures("terminal")
def test_place_is_given_back_after_each_call(app: Flask, client: FlaskClient, wire: InProcess) -> None:
    person = add(client)
    wire.away.add(HOST)

    answers = [sync(client, person["id"]).status_code for _ in range(PLACES + 1)]

    assert answers == [503] * (PLACES + 1)
    assert app.extensions["terminal_concurrency"]._waiting.total() == 0


@pytest.mark.usefixtures("terminal")
def test_departure_is_taken_down_though_no_place_is_left_and_stays_open(
    app: Flask, client: FlaskClient, simulator: Simulated
) -> None:
    person = add(client)
    assert sync(client, person["id"]).status_code == 200
    simulator.log.clear()
    with everybody(app):
        answer = client.delete(f"/api/users/{person['id']}")

    assert answer.status_code == 200
    assert steps(simulator) == []
    with app.app_context():
        left = db.session.execute(db.select(Enrolment)).scalar_one()
        assert (left.desired, left.person, left.next_attempt_at is not None) == ("absent", "pending", True)


@pytest.mark.usefixtures("terminal")
def test_change_is_taken_down_though_no_place_is_left(app: Flask, client: FlaskClient, simulator: Simulated) -> None:
    person = add(client)
    assert sync(client, person["id"]).status_code == 200
    simulator.log.clear()
    with everybody(app):
        answer = client.put(f"/api/users/{person['id']}", json={"full_name": "Иван Петров"})

    assert (answer.status_code, answer.get_json()["full_name"]) == (200, "Иван Петров")
    assert steps(simulator) == []
    assert sync(client, person["id"]).status_code == 200
    assert simulator.people["100222"]["name"] == "Иван Петров"


def test_device_is_added_unchecked_where_no_place_is_left(
    app: Flask, client: FlaskClient, simulator: Simulated
) -> None:
    with everybody(app):
        answer = client.post("/api/devices/", json=a_device())

    assert (answer.status_code, answer.get_json()["model"]) == (201, "")
    assert steps(simulator) == []


@pytest.mark.usefixtures("terminal")
def test_what_waits_on_no_terminal_needs_no_place(app: Flask, client: FlaskClient) -> None:
    with everybody(app):
        answers = [client.get("/api/users/"), client.get("/api/devices/1"), client_of(app, OPERATOR).get("/employees/")]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


@pytest.mark.usefixtures("terminal")
def test_status_of_a_terminal_that_is_known_to_be_silent_is_read_from_its_row(
    app: Flask, client: FlaskClient, simulator: Simulated, wire: InProcess
) -> None:
    wire.away.add(HOST)
    first = answer_to(client, "status").json
    wire.away.clear()
    simulator.log.clear()

    with everybody(app):
        again = answer_to(client, "status")

    assert (again.status_code, again.json) == (200, first)
    assert (again.get_json()["reachable"], again.get_json()["busy"]) == (False, False)
    assert steps(simulator) == []


@pytest.mark.usefixtures("terminal")
def test_terminal_that_was_silent_is_asked_again_after_a_while(
    app: Flask, client: FlaskClient, wire: InProcess
) -> None:
    wire.away.add(HOST)
    answer_to(client, "status")
    wire.away.clear()
    with app.app_context():
        db.session.execute(db.update(Terminal).values(backoff_until=Terminal.offline_since))
        db.session.commit()

    assert answer_to(client, "status").get_json()["reachable"] is True
