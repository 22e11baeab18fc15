"""One employee's whole life on a terminal, through the API and over a socket, simulated or real."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hikflask.isapi import persons
from hikflask.isapi.client import Client
from hikflask.isapi.persons import TerminalPerson
from tests.real_terminal.conftest import NAME, NUMBER, Place

RENAMED = "HIKTEST Анна Вторая"
SOMEBODY = "HIKTEST Somebody else"
PROVEN = {"person": "confirmed", "face": "confirmed", "verified": True}


@pytest.fixture
def user(api: FlaskClient, beside: Client) -> Iterator[int]:  # noqa: ARG001 - its number is free there
    """An employee who is on no terminal yet; deleted afterwards, whatever became of the test."""
    wanted = {"hikvision_id": NUMBER, "full_name": NAME, "department": ""}
    added = done(api.post("/api/users/", json=wanted), 201)
    yield added["id"]
    api.delete(f"/api/users/{added['id']}")


def done(answer: TestResponse, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def capture(api: FlaskClient, device: dict[str, Any], place: Place, why: str) -> dict[str, Any]:
    place.call_somebody(why)
    return done(api.post(f"/api/devices/{device['id']}/start-face-capture", json={"hikvision_id": NUMBER}))


def sync(api: FlaskClient, user: int, device: dict[str, Any]) -> TestResponse:
    return api.post(f"/api/users/{user}/sync-to-device", json={"device_id": device["id"]})


def on_terminal(beside: Client) -> TerminalPerson:
    found = persons.find(beside, NUMBER)
    assert found is not None
    return found


def test_check_says_what_the_terminal_is_and_how_full(device: dict[str, Any]) -> None:
    assert device["model"]
    assert device["firmware"]
    assert device["status"]["people"] >= 0
    assert device["status"]["busy"] is False


def test_person_without_a_photo_is_added_without_a_face(
    api: FlaskClient, beside: Client, device: dict[str, Any], user: int
) -> None:
    synced = done(sync(api, user, device))

    assert (synced["person"], synced["verified"]) == ("confirmed", False)
    assert on_terminal(beside).name == NAME
    assert not on_terminal(beside).faces


def test_face_is_captured_bound_and_proven_then_renamed_taken_again_and_removed(
    api: FlaskClient, beside: Client, device: dict[str, Any], place: Place, user: int
) -> None:
    first = capture(api, device, place, "the first of two")
    assert done(sync(api, user, device)).items() >= PROVEN.items()
    assert on_terminal(beside).faces in {1, None}
    with api.get(first["photo_path"]) as picture:
        assert picture.data.startswith(b"\xff\xd8\xff")

    done(api.put(f"/api/users/{user}", json={"full_name": RENAMED}))
    assert on_terminal(beside).name == RENAMED
    assert done(api.get(f"/api/users/{user}"))["synced_to_device"] is True

    second = capture(api, device, place, "the second of two; stand a little differently")
    assert done(sync(api, user, device)).items() >= PROVEN.items()
    assert second["photo_path"] != first["photo_path"]
    assert on_terminal(beside).faces in {1, None}

    done(api.delete(f"/api/users/{user}"))
    assert persons.find(beside, NUMBER) is None


def test_number_of_somebody_else_there_is_refused_and_left_alone(
    api: FlaskClient, beside: Client, device: dict[str, Any], user: int
) -> None:
    persons.add(beside, NUMBER, SOMEBODY, begin=persons.FIRST_MOMENT)

    refused = done(sync(api, user, device), 409)

    assert refused["error"] == "employeeNoAlreadyExist"
    assert on_terminal(beside).name == SOMEBODY
