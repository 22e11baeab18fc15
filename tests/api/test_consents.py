"""Consent over the API: recorded, withdrawn, warned of in a header, or required."""

import io
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.simulator import Terminal as Simulated
from tests.support.api_calls import GREEN, IVANS_FACE, add, capture, sync, user

CAPTURE = "/api/devices/1/start-face-capture"
MISSING = "consent_missing"


@pytest.fixture
def required(app: Flask) -> None:
    """The stricter setting."""
    app.config["CONSENT"] = "require"


def consent(**spoilt: Any) -> dict[str, Any]:
    """A consent that is accepted, with what a test changes."""
    return {"given_on": "2026-03-01", "basis": "consent", "note": "папка 7", **spoilt}


def agree(client: FlaskClient, user_id: int, **spoilt: Any) -> Any:
    return client.put(f"/api/users/{user_id}/consent", json=consent(**spoilt))


def upload(client: FlaskClient, user_id: int) -> Any:
    part = (
        b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n' + IVANS_FACE + b"\r\n--x--\r\n"
    )
    address = f"/api/users/{user_id}/photo"
    return client.post(address, input_stream=io.BytesIO(part), content_type="multipart/form-data; boundary=x")


def test_consent_is_put_shown_and_taken_back(client: FlaskClient) -> None:
    place = f"/api/users/{add(client)['id']}/consent"
    assert client.get(place).status_code == 404

    put = client.put(place, json=consent())

    assert put.status_code == 200
    assert {name: put.get_json()[name] for name in consent()} == consent()
    assert put.get_json()["recorded_by"].startswith("API ")
    assert client.get(place).json == put.json
    assert client.delete(place).json == put.json
    assert (client.get(place).status_code, client.delete(place).status_code) == (404, 404)


def test_basis_is_consent_and_note_empty_unless_said(client: FlaskClient) -> None:
    answer = client.put(f"/api/users/{add(client)['id']}/consent", json={"given_on": "2026-03-01"})

    assert (answer.get_json()["basis"], answer.get_json()["note"]) == ("consent", "")


def test_bad_field_is_named(client: FlaskClient) -> None:
    added = add(client)
    for field, value in [
        ("given_on", "2999-01-01"),
        ("given_on", "yesterday"),
        ("given_on", ""),
        ("given_on", 20260301),
        ("given_on", True),
        ("basis", "whim"),
        ("basis", True),
        ("note", "я" * 501),
        ("note", True),
    ]:
        answer = agree(client, added["id"], **{field: value})

        assert (answer.status_code, answer.json["error"]) == (422, "invalid_input")
        assert set(answer.json["fields"]) == {field}
        assert client.get(f"/api/users/{added['id']}/consent").status_code == 404


def test_missing_day_is_named(client: FlaskClient) -> None:
    answer = client.put(f"/api/users/{add(client)['id']}/consent", json={})

    assert (answer.status_code, set(answer.get_json()["fields"])) == (422, {"given_on"})


@pytest.mark.usefixtures("terminal")
def test_capture_without_consent_is_warned_of_in_a_header_and_keeps_its_shape(
    client: FlaskClient, simulator: Simulated
) -> None:
    simulator.present_alone(IVANS_FACE)

    answer = client.post(CAPTURE, json={"hikvision_id": "100222"})

    assert answer.headers["X-Warning"] == MISSING
    assert set(answer.get_json()) == {"success", "photo_path", "message", "face_data_url"}


@pytest.mark.usefixtures("terminal")
def test_no_warning_where_consent_is_recorded(client: FlaskClient, simulator: Simulated) -> None:
    added = add(client)
    agree(client, added["id"])
    simulator.present_alone(IVANS_FACE)

    taken = client.post(CAPTURE, json={"hikvision_id": "100222"})
    synced = sync(client, added["id"])
    uploaded = upload(client, added["id"])

    assert synced.json == GREEN
    for answer in (taken, synced, uploaded):
        assert "X-Warning" not in answer.headers
    assert "consent" not in uploaded.json["warning"]


@pytest.mark.usefixtures("terminal")
def test_sync_of_a_face_without_consent_is_warned_of(client: FlaskClient, simulator: Simulated) -> None:
    added = add(client)
    capture(client, simulator, hikvision_id="100222")

    answer = sync(client, added["id"])

    assert answer.json == GREEN
    assert answer.headers["X-Warning"] == MISSING


@pytest.mark.usefixtures("terminal")
def test_upload_without_consent_says_both_warnings(client: FlaskClient) -> None:
    answer = upload(client, add(client)["id"])

    assert answer.headers["X-Warning"] == MISSING
    assert answer.json["warning"].startswith("The photo is stored, but no consent to it is recorded.")
    assert "“Вход” takes no files" in answer.json["warning"]


@pytest.mark.usefixtures("terminal", "required")
@pytest.mark.parametrize("number", [{}, {"hikvision_id": "100222"}, {"hikvision_id": "100999"}])
def test_required_consent_refuses_a_capture(client: FlaskClient, simulator: Simulated, number: dict[str, str]) -> None:
    add(client)

    answer = client.post(CAPTURE, json=number)

    assert (answer.status_code, answer.get_json()["error"], answer.get_json()["success"]) == (409, MISSING, False)
    assert set(answer.get_json()["fields"]) == {"consent"}
    assert simulator.log == []


@pytest.mark.usefixtures("required")
def test_required_consent_refuses_an_upload(client: FlaskClient) -> None:
    added = add(client)

    answer = upload(client, added["id"])

    assert (answer.status_code, answer.json["error"]) == (409, MISSING)
    assert user(client, added["id"])["photo_path"] is None
