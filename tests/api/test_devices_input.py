"""Bad input for devices: each is refused with its field named, and nothing is written or sent."""

import json

import pytest
from flask.testing import FlaskClient

from hikflask.simulator import Terminal as Simulated
from tests.support.api_calls import a_device


def test_bad_field_is_named_and_nothing_is_added(client: FlaskClient, simulator: Simulated) -> None:
    for field, value in [
        ("name", ""),
        ("name", "x" * 65),
        ("name", None),
        ("url", "terminal.test"),
        ("url", "ftp://terminal.test"),
        ("url", "http://admin:secret@terminal.test"),
        ("url", "http://terminal.test/path"),
        ("url", "http://terminal.test\nHost: x"),
        ("url", 5),
        ("username", ""),
        ("username", "a\nb"),
        ("password", ""),
        ("password", "a\nb"),
        ("password", 12345678),
        ("fingerprint", "ab" * 31),
        ("fingerprint", "zz" * 32),
        ("is_active", "false"),
        ("is_active", 0),
        ("is_active", None),
    ]:
        answer = client.post("/api/devices/", json=a_device(**{field: value}))

        assert (answer.status_code, answer.get_json()["error"]) == (422, "invalid_input")
        assert set(answer.get_json()["fields"]) == {field}
        assert client.get("/api/devices/").json == []
        assert simulator.log == []


def test_missing_field_is_named(client: FlaskClient) -> None:
    for field in ["name", "url", "username", "password"]:
        body = a_device()
        del body[field]

        answer = client.post("/api/devices/", json=body)

        assert (answer.status_code, set(answer.get_json()["fields"])) == (422, {field})


def test_refused_password_is_not_repeated_in_the_answer(client: FlaskClient) -> None:
    answer = client.post("/api/devices/", json=a_device(password="Secret\n99"))

    assert answer.status_code == 422
    assert "Secret" not in json.dumps(answer.json)


def test_name_in_use_is_a_conflict(client: FlaskClient) -> None:
    client.post("/api/devices/", json=a_device())

    answer = client.post("/api/devices/", json=a_device(url="http://other.test"))

    assert (answer.status_code, answer.get_json()["error"]) == (409, "terminal_name_known")
    assert set(answer.get_json()["fields"]) == {"name"}
    assert len(client.get("/api/devices/").get_json()) == 1


@pytest.mark.usefixtures("terminal")
def test_put_of_a_bad_value_changes_nothing(client: FlaskClient) -> None:
    before = client.get("/api/devices/1").json
    for field, value in [("url", "x"), ("is_active", "no"), ("name", ""), ("password", None)]:
        answer = client.put("/api/devices/1", json={"username": "other", field: value})

        assert (answer.status_code, set(answer.get_json()["fields"])) == (422, {field})
        assert client.get("/api/devices/1").json == before
