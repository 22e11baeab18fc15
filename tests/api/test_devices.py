"""Devices: added and checked, changed, deleted, asked for their status; a password is never answered."""

import re
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db, vault
from hikflask.models import Terminal
from hikflask.services.terminals import leases
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST, PASSWORD
from tests.support.api_calls import IVANS_FACE, a_device, add, capture, enrol, steps, sync
from tests.support.between import Between
from tests.support.signed_in import client_of
from tests.support.wire import InProcess

OF_DOOR = {"door_lock", "door_mode", "door_contact"}
STATUS_FIELDS = {"reachable", "login", "busy", "people", "faces", "capacity", "lost", "checked_at", *OF_DOOR}


def device(client: FlaskClient, device_id: int = 1) -> dict[str, Any]:
    return dict(client.get(f"/api/devices/{device_id}").get_json())


def status(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/devices/1/status")
    assert answer.status_code == 200
    assert set(answer.get_json()) == STATUS_FIELDS
    return dict(answer.get_json())


def stored_password(app: Flask) -> tuple[str, str]:
    """The password as the row has it, and as it is sent to the terminal."""
    with app.app_context():
        row = db.session.get_one(Terminal, 1)
        return row.password_encrypted, vault.decrypt(row.password_encrypted)


@pytest.mark.usefixtures("simulator")
def test_device_is_added_checked_and_answered_in_the_documented_shape(client: FlaskClient) -> None:
    answer = client.post("/api/devices/", json=a_device())

    assert answer.status_code == 201
    assert answer.json == {
        "id": 1,
        "name": "Вход",
        "url": "http://terminal.test",
        "username": "admin",
        "fingerprint": None,
        "is_active": True,
        "direction": "",
        "model": "DS-K1T343EFWX",
        "firmware": answer.get_json()["firmware"],
        "last_sync": None,
    }
    assert answer.json["firmware"].startswith("V4.38.0")
    assert device(client) == answer.get_json() == client.get("/api/devices/").get_json()[0]


def test_device_that_does_not_answer_is_added_all_the_same(client: FlaskClient) -> None:
    answer = client.post("/api/devices/", json=a_device())

    assert (answer.status_code, answer.get_json()["model"]) == (201, "")
    assert status(client)["reachable"] is False


def test_device_whose_password_is_wrong_is_added_and_tried_once(client: FlaskClient, simulator: Simulated) -> None:
    answer = client.post("/api/devices/", json=a_device(password="Wrong123"))

    assert answer.status_code == 201
    found = status(client)
    assert (found["reachable"], found["login"]) == (True, False)
    assert simulator.wrong_passwords == 1


def test_password_that_the_terminal_never_asked_for_is_not_known_to_be_right(
    client: FlaskClient, simulator: Simulated
) -> None:
    simulator.profile = replace(simulator.profile, asks_password=False)
    client.post("/api/devices/", json=a_device())

    assert (status(client)["reachable"], status(client)["login"]) == (True, None)


@pytest.mark.usefixtures("app", "simulator")
def test_password_is_encrypted_at_rest_and_in_no_answer(client: FlaskClient) -> None:
    answers = [
        client.post("/api/devices/", json=a_device()),
        client.get("/api/devices/"),
        client.get("/api/devices/1"),
        client.put("/api/devices/1", json={"name": "Выход"}),
        client.get("/api/devices/1/status"),
        client.delete("/api/devices/1"),
    ]

    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200, 200]
    assert not [answer.text for answer in answers if PASSWORD in answer.text or "password" in answer.text.lower()]


def test_http_address_is_refused_at_its_field_where_https_is_required(app: Flask, client: FlaskClient) -> None:
    app.config["TERMINAL_REQUIRE"] = ("https",)

    answer = client.post("/api/devices/", json=a_device())

    assert (answer.status_code, answer.get_json()["error"]) == (422, "terminal_https_required")
    said = "Only https is allowed here. Enter an address that begins with https://."
    assert answer.get_json()["fields"] == {"url": said}
    assert client.get("/api/devices/").json == []


@pytest.mark.usefixtures("terminal")
def test_capture_at_a_terminal_that_offers_md5_alone_says_why(app: Flask, client: FlaskClient) -> None:
    app.config["TERMINAL_REQUIRE"] = ("sha256",)
    app.extensions["terminal_clients"].close()

    answer = client.post("/api/devices/1/start-face-capture", json={})

    assert (answer.status_code, answer.get_json()["error"]) == (502, "weak_digest")


@pytest.mark.usefixtures("terminal")
def test_capture_at_a_terminal_that_is_in_no_allowed_network_names_the_setting(app: Flask, client: FlaskClient) -> None:
    del app.extensions["terminal_transport"]
    app.extensions["terminal_clients"].close()
    app.config["TERMINAL_NETWORKS"] = (ip_network("10.0.0.0/8"),)
    with app.app_context():
        db.session.execute(db.update(Terminal).values(url="http://127.0.0.1:9"))
        db.session.commit()

    answer = client.post("/api/devices/1/start-face-capture", json={})

    assert (answer.status_code, answer.get_json()["error"]) == (502, "address_refused")
    assert answer.get_json()["message"] == (
        "The address of “Вход” is in no network of HIKFLASK_TERMINAL_NETWORKS: http://127.0.0.1:9. Correct it, or add "
        "its network there."
    )


@pytest.mark.parametrize("sent", [{"url": "https://other.test"}, {"fingerprint": "ab" * 32}, {"fingerprint": ""}])
def test_another_address_or_certificate_needs_the_password_again(client: FlaskClient, sent: dict[str, str]) -> None:
    client.post("/api/devices/", json=a_device(url="https://away.test", fingerprint="cd" * 32))
    before = device(client)

    answer = client.put("/api/devices/1", json={"is_active": False, **sent})

    assert (answer.status_code, answer.get_json()["error"]) == (422, "terminal_password_needed")
    assert list(answer.get_json()["fields"]) == ["password"]
    assert device(client) == before
    assert client.put("/api/devices/1", json={"password": PASSWORD, **sent}).status_code == 200


def test_list_is_by_name(client: FlaskClient) -> None:
    for name in ("Б", "А", "В"):
        client.post("/api/devices/", json=a_device(name=name))

    assert [found["name"] for found in client.get("/api/devices").get_json()] == ["А", "Б", "В"]


@pytest.mark.usefixtures("terminal")
def test_put_changes_the_given_fields_and_keeps_the_password(app: Flask, client: FlaskClient) -> None:
    before, password = device(client), stored_password(app)

    answer = client.put("/api/devices/1", json={"name": "Выход"})

    assert answer.json == {**before, "name": "Выход"} == device(client)
    assert stored_password(app) == password


@pytest.mark.usefixtures("terminal")
def test_put_keeps_that_the_terminal_takes_pictures(app: Flask, client: FlaskClient) -> None:
    client.put("/api/devices/1", json={"face_by_picture": True})

    client.put("/api/devices/1", json={"name": "Выход"})

    with app.app_context():
        assert db.session.get_one(Terminal, 1).face_by_picture is True


@pytest.mark.usefixtures("terminal")
def test_direction_is_in_out_or_empty_and_stays_when_it_is_not_given(client: FlaskClient) -> None:
    assert client.put("/api/devices/1", json={"direction": "in"}).get_json()["direction"] == "in"
    assert client.put("/api/devices/1", json={"name": "Выход"}).get_json()["direction"] == "in"

    refused = client.put("/api/devices/1", json={"direction": "both"})

    assert refused.status_code == 422
    assert refused.get_json()["fields"] == {"direction": "“Direction” must be one of the list."}
    assert client.put("/api/devices/1", json={"direction": ""}).get_json()["direction"] == ""


@pytest.mark.both_databases
@pytest.mark.usefixtures("terminal")
def test_put_leaves_what_somebody_else_changes_at_the_same_moment(
    app: Flask, client: FlaskClient, between: Between
) -> None:
    changed = {"username": "door", "is_active": False}
    other = between(leases, "acquire", lambda: client_of(app).put("/api/devices/1", json=changed), before=True)

    answer = client.put("/api/devices/1", json={"name": "Выход"})

    other.finish()
    assert (answer.status_code, other.result.status_code) == (200, 200)
    assert device(client) == answer.json == {**other.result.json, "name": "Выход"}
    assert (answer.json["username"], answer.json["is_active"]) == ("door", False)


@pytest.mark.usefixtures("simulator")
def test_put_of_a_password_is_used_at_once(app: Flask, client: FlaskClient) -> None:
    client.post("/api/devices/", json=a_device(password="Wrong123"))

    client.put("/api/devices/1", json={"password": PASSWORD})

    assert stored_password(app)[1] == PASSWORD
    assert status(client)["login"] is True


@pytest.mark.usefixtures("terminal")
def test_device_is_not_changed_under_a_capture(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        leases.acquire(1, "Анна", leases.CAPTURE, 30)

    answer = client.put("/api/devices/1", json={"name": "Выход"})

    assert (answer.status_code, answer.get_json()["error"]) == (409, "terminal_in_use")
    assert device(client)["name"] == "Вход"


@pytest.mark.usefixtures("terminal")
def test_device_is_deleted(client: FlaskClient) -> None:
    last = device(client)

    answer = client.delete("/api/devices/1")

    assert (answer.status_code, answer.json) == (200, last)
    assert client.get("/api/devices/1").status_code == 404


@pytest.mark.usefixtures("terminal")
def test_device_with_people_is_not_deleted(client: FlaskClient, simulator: Simulated) -> None:
    enrolled = enrol(client, simulator)

    answer = client.delete("/api/devices/1")

    assert (answer.status_code, answer.get_json()["error"]) == (409, "terminal_has_people")
    assert sync(client, enrolled["id"]).status_code == 200


@pytest.mark.usefixtures("terminal")
def test_device_with_an_open_removal_is_not_deleted(client: FlaskClient, simulator: Simulated, wire: InProcess) -> None:
    enrolled = enrol(client, simulator)
    wire.away.add(HOST)
    client.delete(f"/api/users/{enrolled['id']}")

    assert client.delete("/api/devices/1").get_json()["error"] == "terminal_has_people"
    assert device(client)["id"] == 1


@pytest.mark.usefixtures("terminal")
def test_status_counts_people_and_faces(client: FlaskClient, simulator: Simulated) -> None:
    enrol(client, simulator)
    sync(client, add(client, hikvision_id="2")["id"])

    found = status(client)

    assert (found["reachable"], found["login"], found["busy"]) == (True, True, False)
    assert (found["people"], found["faces"]) == (2, 1)
    assert found["capacity"] >= 1000
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", found["checked_at"])


@pytest.mark.usefixtures("terminal")
def test_status_of_a_terminal_that_is_away_keeps_what_is_known(
    client: FlaskClient, simulator: Simulated, wire: InProcess
) -> None:
    enrol(client, simulator)
    before = status(client)
    wire.away.add(HOST)

    assert status(client) == {**before, "reachable": False}


@pytest.mark.usefixtures("terminal")
def test_status_during_a_capture_is_read_from_the_row(app: Flask, client: FlaskClient, simulator: Simulated) -> None:
    seen: list[dict[str, Any]] = []
    simulator.before("CaptureFaceData", lambda: seen.append(status(client_of(app))))

    capture(client, simulator, IVANS_FACE)

    assert [found["busy"] for found in seen] == [True]
    assert steps(simulator) == ["POST CaptureFaceData", "GET web_face_enrollpic.jpg"]
    assert status(client)["busy"] is False
