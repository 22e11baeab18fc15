"""A photo by file over the API: kept as a baseline JPEG, shown, and with a warning where no terminal takes it."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import Terminal as Simulated
from tests.support import drawn_faces
from tests.support.api_calls import IVANS_FACE, USER_FIELDS, add, enrol, picture, steps, sync, user

MEGABYTE = 1024 * 1024
MULTIPART = "multipart/form-data; boundary=x"


def upload(client: FlaskClient, user_id: int, file: bytes = IVANS_FACE, name: str = "face.jpg") -> TestResponse:
    part = f'--x\r\nContent-Disposition: form-data; name="photo"; filename="{name}"\r\n\r\n'.encode()
    return client.post(f"/api/users/{user_id}/photo", data=part + file + b"\r\n--x--\r\n", content_type=MULTIPART)


def png(size: tuple[int, int], mode: str = "L") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, "PNG")
    return out.getvalue()


def uploads(app: Flask) -> list[Path]:
    return list(Path(app.config["UPLOADS"]).iterdir())


def test_photo_is_stored_under_the_number_and_shown(client: FlaskClient) -> None:
    added = add(client)

    answer = upload(client, added["id"])

    assert answer.status_code == 200
    assert set(answer.get_json()) == USER_FIELDS | {"warning"}
    assert answer.get_json()["photo_path"].startswith("/uploads/100222_")
    shown = picture(client, answer.get_json()["photo_path"])
    assert Image.open(io.BytesIO(shown)).size == Image.open(io.BytesIO(IVANS_FACE)).size
    assert user(client, added["id"])["photo_path"] == answer.get_json()["photo_path"]


@pytest.mark.usefixtures("terminal")
def test_terminal_that_takes_no_files_is_named_in_a_warning(client: FlaskClient, simulator: Simulated) -> None:
    answer = upload(client, add(client)["id"])

    assert "“Вход” takes no files" in answer.get_json()["warning"]
    assert answer.get_json()["synced_to_device"] is False
    assert simulator.log == []


def test_terminal_that_was_never_checked_is_not_said_to_take_no_files(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        registry.add(Access("Склад", "http://warehouse.test", "admin", "x"))

    warning = upload(client, add(client)["id"]).get_json()["warning"]

    assert warning == (
        "The photo is stored, but no consent to it is recorded. Record the consent. "
        "It is not known yet whether terminal “Склад” accepts photo files. "
        "If it does not, the photo stays on the server."
    )


def test_what_terminals_will_dislike_about_a_photo_is_in_the_warning(client: FlaskClient) -> None:
    poor = drawn_faces.jpeg(drawn_faces.lit(drawn_faces.portrait((270, 360)).rotate(90, expand=True), 0.15))

    answer = upload(client, add(client)["id"], poor)

    assert answer.status_code == 200
    assert answer.get_json()["photo_path"].startswith("/uploads/100222_")
    assert answer.get_json()["warning"] == (
        "The photo is stored, but no consent to it is recorded. Record the consent. "
        "The photo is turned. Turn it by 90° clockwise. "
        "The photo is too small: 360 × 270 pixels. The longer side needs at least 400. "
        "The photo is too dark. The face needs more light."
    )


@pytest.mark.usefixtures("terminal")
def test_person_goes_to_the_terminal_without_the_files_face_and_is_not_green(
    client: FlaskClient, simulator: Simulated
) -> None:
    added = add(client)
    upload(client, added["id"])

    answer = sync(client, added["id"])

    assert answer.status_code == 200
    assert (answer.get_json()["person"], answer.get_json()["face"], answer.get_json()["verified"]) == (
        "confirmed",
        "refused",
        False,
    )
    assert "takes no files" in answer.get_json()["warning"]
    assert simulator.people["100222"]["name"] == "Иван Иванов"
    assert simulator.faces == {}


@pytest.mark.usefixtures("terminal")
def test_file_takes_no_captured_face_off_the_terminal(client: FlaskClient, simulator: Simulated) -> None:
    enrolled = enrol(client, simulator)
    simulator.log.clear()

    answer = upload(client, enrolled["id"], png((40, 30)))

    assert answer.get_json()["synced_to_device"] is True
    assert steps(simulator) == []
    assert simulator.faces["100222"].jpeg == IVANS_FACE


@pytest.mark.parametrize(
    ("file", "error"),
    [
        pytest.param(lambda: b"", "photo_unreadable", id="empty"),
        pytest.param(lambda: b"<svg onload=alert(1)>", "photo_unreadable", id="svg"),
        pytest.param(lambda: IVANS_FACE[:2000], "photo_unreadable", id="truncated"),
        pytest.param(lambda: IVANS_FACE + bytes(10 * MEGABYTE), "photo_too_large", id="over 10 MB"),
        pytest.param(lambda: png((8000, 5001), "1"), "photo_too_many_pixels", id="over 40 megapixels"),
    ],
)
def test_file_that_is_no_photo_is_refused_and_not_kept(
    app: Flask, client: FlaskClient, file: Callable[[], bytes], error: str
) -> None:
    added = add(client)

    answer = upload(client, added["id"], file())

    assert (answer.status_code, answer.get_json()["error"]) == (422, error)
    assert answer.get_json()["fields"] == {"photo": answer.get_json()["message"]}
    assert user(client, added["id"]) == added
    assert uploads(app) == []


@pytest.mark.child_processes
def test_photo_whose_turn_does_not_come_is_refused_until_later(app: Flask, client: FlaskClient) -> None:
    added = add(client)
    app.config["UPLOAD_WAIT"] = 0.001

    answer = upload(client, added["id"])

    sentence = "Other photos are being processed. Try again in 1 s."
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json == {"error": "photos_waiting", "message": sentence, "fields": {"photo": sentence}}
    assert user(client, added["id"]) == added
    assert uploads(app) == []


@pytest.mark.parametrize(
    "data",
    [{}, {"photo": "text"}, {"photo": (io.BytesIO(b""), "")}, {"picture": (io.BytesIO(IVANS_FACE), "face.jpg")}],
    ids=["nothing", "text", "no file chosen", "another part"],
)
def test_request_without_a_file_is_refused(client: FlaskClient, data: dict[str, Any]) -> None:
    answer = client.post(f"/api/users/{add(client)['id']}/photo", data=data, content_type="multipart/form-data")

    assert (answer.status_code, answer.get_json()["error"]) == (422, "invalid_input")
    assert set(answer.get_json()["fields"]) == {"photo"}


def test_body_that_is_cut_off_is_refused(client: FlaskClient) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="photo"; file'

    answer = client.post(f"/api/users/{add(client)['id']}/photo", data=body, content_type=MULTIPART)

    assert (answer.status_code, set(answer.get_json()["fields"])) == (422, {"photo"})
