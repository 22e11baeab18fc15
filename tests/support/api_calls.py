"""What tests of the API do again and again: one good payload each, and the calls of the usual order."""

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST, PASSWORD
from tests.support.captures import FACE, OTHER_FACE

IVANS_FACE, OLGAS_FACE = FACE, OTHER_FACE
USER_FIELDS = {
    "id",
    "hikvision_id",
    "full_name",
    "department",
    "is_active",
    "photo_path",
    "synced_to_device",
    "created_at",
    "valid_from",
    "valid_to",
}
ENVELOPE = {"statusCode": 1, "statusString": "OK", "subStatusCode": "ok"}
GREEN = {**ENVELOPE, "person": "confirmed", "face": "confirmed", "verified": True}
OLGA = {"hikvision_id": "100333", "full_name": "Ольга Ёлкина", "department": ""}


def a_user(**spoilt: Any) -> dict[str, Any]:
    """A user that is accepted, with what a test changes."""
    return {"hikvision_id": "100222", "full_name": "Иван Иванов", "department": "Охрана", **spoilt}


def a_device(**spoilt: Any) -> dict[str, Any]:
    """A device that is accepted, with what a test changes."""
    return {"name": "Вход", "url": f"http://{HOST}", "username": "admin", "password": PASSWORD, **spoilt}


def add(client: FlaskClient, **spoilt: Any) -> dict[str, Any]:
    """Add a user and return it."""
    answer = client.post("/api/users/", json=a_user(**spoilt))
    assert answer.status_code == 201, answer.text
    return dict(answer.get_json())


def user(client: FlaskClient, user_id: int) -> dict[str, Any]:
    """The user as the API shows it now."""
    return dict(client.get(f"/api/users/{user_id}").get_json())


def capture(client: FlaskClient, simulator: Simulated, face: bytes = IVANS_FACE, **body: Any) -> dict[str, Any]:
    """Take a face at the first terminal and return the answer."""
    simulator.present_alone(face)
    answer = client.post("/api/devices/1/start-face-capture", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def sync(client: FlaskClient, user_id: int, **body: Any) -> TestResponse:
    """Send a user to a terminal."""
    return client.post(f"/api/users/{user_id}/sync-to-device", json=body)


def enrol(client: FlaskClient, simulator: Simulated, face: bytes = IVANS_FACE, **spoilt: Any) -> dict[str, Any]:
    """Add a user, take the face, send both to the first terminal, and return the user."""
    added = add(client, **spoilt)
    capture(client, simulator, face, hikvision_id=added["hikvision_id"])
    answer = sync(client, added["id"])
    assert answer.json == GREEN, answer.text
    return user(client, added["id"])


def steps(simulator: Simulated) -> list[str]:
    """What the terminal was asked, as method and last part of the path."""
    return [f"{entry.method} {entry.plain_path.rpartition('/')[2].partition('@')[0]}" for entry in simulator.log]


def picture(client: FlaskClient, path: str) -> bytes:
    """The bytes of a photo as a browser is shown them."""
    with client.get(path) as answer:
        assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
        return answer.get_data()
