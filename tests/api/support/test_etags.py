"""ETag and If-Match: a program changes only what it has seen, and without If-Match all is as it was."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.models import Terminal
from hikflask.models.accounts import VIEWER
from tests.support.api_calls import a_user
from tests.support.signed_in import client_of

pytestmark = pytest.mark.both_databases

CHANGED = {
    "error": "precondition_failed",
    "message": "This was changed meanwhile. Read it again, and send the change with its new ETag.",
}


def made(client: FlaskClient) -> dict[str, Callable[[str], dict[str, Any]]]:
    """A user with a consent, a device and a group, each with a change of it."""
    client.post("/api/users/", json=a_user())
    client.put("/api/users/1/consent", json={"given_on": "2026-03-01"})
    client.post("/api/groups/", json={"name": "Office"})
    return {
        "/api/users/1/consent": lambda text: {"given_on": "2026-03-01", "note": text},
        "/api/users/1": lambda text: {"department": text},
        "/api/devices/1": lambda text: {"name": text},
        "/api/groups/1": lambda text: {"name": text},
    }


@pytest.mark.usefixtures("terminal")
def test_change_is_made_only_to_what_was_seen(app: Flask, client: FlaskClient) -> None:
    puts = {re.sub("<.+?>", "1", rule.rule) for rule in app.url_map.iter_rules() if "PUT" in (rule.methods or ())}
    changes = made(client)
    assert set(changes) == puts
    for path, change in changes.items():
        seen = client.get(path).headers["ETag"]
        assert client.get(path).headers["ETag"] == seen, path
        changed = client.put(path, json=change("first"), headers={"If-Match": seen})
        assert changed.status_code == 200, path
        assert changed.headers["ETag"] == client.get(path).headers["ETag"] != seen, path

        late = client.put(path, json=change("late"), headers={"If-Match": seen})

        assert (late.status_code, late.json) == (412, CHANGED), path
        assert "first" in client.get(path).get_json().values(), path
        for header, status in (("{}", 200), ('"other", {}', 200), ("*", 200), ("W/{}", 412)):
            match = header.format(client.get(path).headers["ETag"])
            answer = client.put(path, json=change("first"), headers={"If-Match": match})
            assert answer.status_code == status, (path, header)
        assert client.put(path, json=change("last")).status_code == 200, path


def test_consent_that_is_not_recorded_matches_nothing(client: FlaskClient) -> None:
    client.post("/api/users/", json=a_user())
    for match in ('"x"', "*"):
        answer = client.put("/api/users/1/consent", json={"given_on": "2026-03-01"}, headers={"If-Match": match})
        assert (answer.status_code, answer.json) == (412, CHANGED), match
    assert client.get("/api/users/1/consent").status_code == 404


def test_state_alone_and_nothing_at_all_are_changes_too(client: FlaskClient) -> None:
    client.post("/api/users/", json=a_user())
    old = client.get("/api/users/1").headers["ETag"]
    new = client.put("/api/users/1", json={"is_active": False}, headers={"If-Match": old}).headers["ETag"]

    assert client.put("/api/users/1", json={"is_active": True}, headers={"If-Match": old}).json == CHANGED
    assert client.put("/api/users/1", json={}, headers={"If-Match": old}).json == CHANGED
    assert client.put("/api/users/1", json={}, headers={"If-Match": new}).headers["ETag"] == new
    assert client.get("/api/users/1").get_json()["is_active"] is False


def test_of_two_at_the_same_moment_one_is_refused(app: Flask) -> None:
    clients = [client_of(app), client_of(app)]
    clients[0].post("/api/users/", json=a_user())
    seen = clients[0].get("/api/users/1").headers["ETag"]
    together = Barrier(2)

    def put(client: FlaskClient, department: str) -> int:
        together.wait()
        return client.put("/api/users/1", json={"department": department}, headers={"If-Match": seen}).status_code

    with ThreadPoolExecutor(2) as threads:
        answers = [one.result() for one in [threads.submit(put, *pair) for pair in zip(clients, "АБ", strict=True)]]

    assert sorted(answers) == [200, 412]


def test_whoever_may_not_change_learns_nothing_by_it(app: Flask, terminal: Terminal) -> None:
    answer = client_of(app, VIEWER).put(f"/api/devices/{terminal.id}", json={}, headers={"If-Match": '"x"'})

    assert (answer.status_code, answer.get_json()["error"]) == (403, "forbidden")
