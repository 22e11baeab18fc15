"""start-face-capture: the answer waits for the face, and every refusal says success: false and why."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.isapi import capture as isapi_capture
from hikflask.models import Capture
from hikflask.services.captures import queries
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST, PASSWORD, NobodyComes
from tests.support.api_calls import IVANS_FACE, OLGAS_FACE, capture, picture
from tests.support.wire import InProcess

CAPTURE = "/api/devices/1/start-face-capture"
CAPTURE_PATH = "CaptureFaceData"


def refused(answer: Any) -> tuple[int, str]:
    """The status and code of a refusal, which has the documented shape."""
    assert answer.json["success"] is False
    assert answer.json["message"]
    return answer.status_code, answer.json["error"]


def started_by_somebody_else(app: Flask) -> None:
    with app.app_context():
        start_capture(1, Draft("100333", "Ольга"), "Анна")


@pytest.mark.usefixtures("terminal")
def test_face_is_answered_in_the_documented_shape_and_shown_byte_for_byte(
    client: FlaskClient, simulator: Simulated
) -> None:
    taken = capture(client, simulator, IVANS_FACE, hikvision_id="100222")

    assert taken == {
        "success": True,
        "photo_path": taken["photo_path"],
        "message": "Face captured successfully",
        "face_data_url": "https://192.168.1.67/LOCALS/pic/web_face_enrollpic.jpg@WEB000000000020",
    }
    assert taken["photo_path"].startswith("/uploads/100222_")
    assert picture(client, taken["photo_path"]) == IVANS_FACE


@pytest.mark.usefixtures("terminal")
def test_capture_that_is_deleted_with_its_person_is_cancelled(
    app: Flask, client: FlaskClient, simulator: Simulated
) -> None:
    simulator.present(IVANS_FACE, stay=1000)

    def delete() -> None:
        with app.app_context():
            db.session.execute(db.delete(Capture))
            db.session.commit()

    simulator.before(CAPTURE_PATH, delete)
    answer = client.post(CAPTURE, json={"hikvision_id": "100222"})

    assert refused(answer) == (409, "cancelled")
    assert answer.get_json()["message"] == "Capture cancelled. Nothing was saved."


@pytest.mark.usefixtures("terminal")
def test_no_body_is_fine(client: FlaskClient, simulator: Simulated) -> None:
    simulator.present_alone(IVANS_FACE)

    answer = client.post(CAPTURE)

    assert answer.get_json()["success"] is True
    assert answer.get_json()["photo_path"].startswith("/uploads/capture_")


def test_terminal_that_was_never_checked_is_checked_first(
    app: Flask, client: FlaskClient, simulator: Simulated
) -> None:
    with app.app_context():
        registry.add(Access("Вход", f"http://{HOST}", "admin", PASSWORD))

    taken = capture(client, simulator)

    assert picture(client, taken["photo_path"]) == IVANS_FACE
    assert client.get("/api/devices/1").get_json()["model"] == "DS-K1T343EFWX"


@pytest.mark.usefixtures("terminal")
def test_second_capture_at_once_is_a_conflict(app: Flask, client: FlaskClient, simulator: Simulated) -> None:
    started_by_somebody_else(app)

    answer = client.post(CAPTURE)

    assert refused(answer) == (409, "terminal_in_use")
    assert "Анна" in answer.get_json()["message"]
    assert simulator.log == []


@pytest.mark.usefixtures("terminal")
def test_terminal_whose_own_window_is_open_is_a_conflict(
    client: FlaskClient, simulator: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isapi_capture, "BUSY_PAUSE", 0.01)
    simulator.faults.add("busy")

    assert refused(client.post(CAPTURE)) == (409, "deviceBusy")


@pytest.mark.usefixtures("terminal")
def test_unsaved_capture_of_another_number_is_a_conflict_until_taken_over(
    client: FlaskClient, simulator: Simulated
) -> None:
    first = capture(client, simulator, hikvision_id="100222")
    simulator.present_alone(OLGAS_FACE)

    answer = client.post(CAPTURE, json={"hikvision_id": "100333"})

    assert refused(answer) == (409, "terminal_held")
    assert "100222" in answer.get_json()["message"]
    assert simulator.file == IVANS_FACE
    taken = client.post(CAPTURE, json={"hikvision_id": "100333", "take_over": True}).get_json()
    assert picture(client, taken["photo_path"]) == OLGAS_FACE
    assert picture(client, first["photo_path"]) == IVANS_FACE


@pytest.mark.usefixtures("terminal")
def test_nobody_came_is_a_time_out(app: Flask, client: FlaskClient, nobody_comes: NobodyComes) -> None:
    with nobody_comes():
        assert refused(client.post(CAPTURE)) == (504, "captureTimeout")

    assert list(Path(app.config["UPLOADS"]).iterdir()) == []


@pytest.mark.parametrize("code", ["notSupport", "faceLowQulity", "lowPrivilege"])
@pytest.mark.usefixtures("terminal")
def test_refusal_of_the_terminal_is_a_bad_gateway(client: FlaskClient, simulator: Simulated, code: str) -> None:
    simulator.faults.add("refuse", code, path=CAPTURE_PATH)

    assert refused(client.post(CAPTURE)) == (502, code)


@pytest.mark.parametrize("word", ["somethingNew", "captured", "no_worker", "wrong_password"])
@pytest.mark.usefixtures("terminal")
def test_terminals_own_word_is_quoted_and_means_nothing_of_ours(
    client: FlaskClient, simulator: Simulated, word: str
) -> None:
    simulator.faults.add("refuse", word, path=CAPTURE_PATH)

    answer = client.post(CAPTURE)

    assert refused(answer) == (502, "terminal_refused")
    assert answer.get_json()["message"] == f"The terminal refused: {word} ({word})."
    assert (answer.get_json()["subStatusCode"], answer.get_json()["errorMsg"]) == (word, word)


def test_model_that_cannot_capture_is_a_bad_gateway(app: Flask, client: FlaskClient, simulator: Simulated) -> None:
    missing = frozenset({"AccessControl/CaptureFaceData", "AccessControl/CaptureFaceData/capabilities"})
    simulator.profile = dataclasses.replace(simulator.profile, missing=missing)
    with app.app_context():
        registry.add(Access("Вход", f"http://{HOST}", "admin", PASSWORD))

    answer = client.post(CAPTURE)

    assert refused(answer) == (502, "notSupport")
    assert answer.get_json()["message"] == "This model cannot take photos on request."
    tried = [entry for entry in simulator.log if entry.plain_path.endswith("/CaptureFaceData") and entry.logged_in]
    assert [b">url<" in entry.body for entry in tried] == [True, False]


@pytest.mark.usefixtures("terminal")
def test_terminal_that_is_away_is_unavailable(client: FlaskClient, wire: InProcess) -> None:
    wire.away.add(HOST)

    answer = client.post(CAPTURE)

    assert refused(answer) == (503, "unreachable")
    assert answer.get_json()["message"] == "“Вход” does not answer at http://terminal.test. Check power and network."


@pytest.mark.usefixtures("terminal")
def test_refused_password_is_tried_once_and_never_again(client: FlaskClient, simulator: Simulated) -> None:
    simulator.login.password = "Changed1"

    answers = [client.post(CAPTURE), client.post(CAPTURE), client.post(CAPTURE)]

    assert [refused(answer) for answer in answers] == [(502, "wrong_password")] * 3
    assert "Correct the terminal's password" in answers[0].get_json()["message"]
    assert simulator.wrong_passwords == 1
    assert len([entry for entry in simulator.log if entry.has_credentials]) == 1


@pytest.mark.usefixtures("terminal")
def test_locked_account_is_a_bad_gateway(client: FlaskClient, simulator: Simulated) -> None:
    simulator.login.lock(1800)

    first, second = client.post(CAPTURE), client.post(CAPTURE)

    assert refused(first) == refused(second) == (502, "locked")
    assert "30 more min" in second.get_json()["message"]


@pytest.mark.usefixtures("terminal")
def test_bad_field_is_named_and_nothing_is_begun(app: Flask, client: FlaskClient, simulator: Simulated) -> None:
    for field, value in [
        ("hikvision_id", "100-222"),
        ("hikvision_id", "100222\n"),
        ("hikvision_id", 100222),
        ("hikvision_id", True),
        ("hikvision_id", None),
        ("take_over", "yes"),
        ("take_over", "true"),
        ("take_over", 1),
        ("take_over", None),
    ]:
        answer = client.post(CAPTURE, json={field: value})

        assert refused(answer) == (422, "invalid_input")
        assert set(answer.get_json()["fields"]) == {field}
        assert simulator.log == []
        with app.app_context():
            assert queries.get(1) is None


@pytest.mark.usefixtures("terminal")
def test_body_that_is_no_object_is_refused(client: FlaskClient) -> None:
    for body in [b"[]", b"null", b"{", b"hikvision_id=1"]:
        answer = client.post(CAPTURE, data=body)

        assert refused(answer) == (422, "invalid_input")
        assert set(answer.get_json()["fields"]) == {"body"}


def test_unknown_device_is_not_found(client: FlaskClient) -> None:
    assert refused(client.post(CAPTURE)) == (404, "not_found")


@pytest.mark.usefixtures("terminal")
def test_device_that_is_switched_off_here_is_refused(client: FlaskClient, simulator: Simulated) -> None:
    client.put("/api/devices/1", json={"is_active": False})

    answer = client.post(CAPTURE)

    assert refused(answer) == (422, "terminal_unknown")
    assert set(answer.get_json()["fields"]) == {"device_id"}
    assert simulator.log == []
