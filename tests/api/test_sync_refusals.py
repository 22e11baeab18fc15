"""sync-to-device refused: each reason has its status, nothing turns green, and what can be tried again is."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.background import tasks
from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.services.photos import storage
from hikflask.services.terminals import leases
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST
from tests.support.api_calls import GREEN, IVANS_FACE, OLGAS_FACE, add, capture, enrol, steps, sync, user
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("terminal")

# One letter with so many accents that no terminal takes it: 256 bytes.
ONE_LETTER = "Ё" + "\u0301" * 127


@pytest.fixture
def captured(client: FlaskClient, simulator: Simulated) -> int:
    """A user whose face is captured and not yet on the terminal; its id."""
    added = add(client)
    capture(client, simulator, IVANS_FACE, hikvision_id="100222")
    simulator.log.clear()
    return int(added["id"])


def sweep(app: Flask) -> int:
    """Let the pause pass, and run what the sweep enqueues."""
    with app.app_context():
        db.session.execute(db.update(Enrolment).values(next_attempt_at=database_now()))
        db.session.execute(db.update(Terminal).values(backoff_until=None))
        db.session.commit()
        claimed = tasks.sweep()
    app.extensions["task_queue"].run_pending()
    return claimed


def test_other_face_in_the_terminals_file_is_a_conflict_and_binds_nothing(
    client: FlaskClient, simulator: Simulated, captured: int
) -> None:
    simulator.capture_elsewhere(OLGAS_FACE)

    answer = sync(client, captured)

    assert (answer.status_code, answer.get_json()["error"]) == (409, "superseded")
    assert "Take the employee's photo again" in answer.get_json()["message"]
    assert simulator.faces == {}
    assert user(client, captured)["synced_to_device"] is False


def test_number_of_somebody_else_there_is_a_conflict_until_overwritten(
    client: FlaskClient, simulator: Simulated, captured: int
) -> None:
    simulator.store.add("100222", {"name": "Чужой Человек"})
    simulator.store.bind("100222", OLGAS_FACE)

    answer = sync(client, captured)

    assert (answer.status_code, answer.get_json()["error"]) == (409, "employeeNoAlreadyExist")
    assert "Чужой Человек" in answer.get_json()["message"]
    assert simulator.people["100222"]["name"] == "Чужой Человек"
    assert simulator.faces["100222"].jpeg == OLGAS_FACE
    assert sync(client, captured, overwrite=False).status_code == 409
    assert sync(client, captured, overwrite=True).json == GREEN
    assert simulator.people["100222"]["name"] == "Иван Иванов"
    assert simulator.faces["100222"].jpeg == IVANS_FACE


@pytest.mark.parametrize("word", ["employeeNoAlreadyExist", "captureTimeout"])
def test_terminal_that_says_of_a_face_what_is_no_matter_of_faces_is_a_bad_gateway(
    client: FlaskClient, simulator: Simulated, captured: int, word: str
) -> None:
    simulator.faults.add("refuse", word, path="FDSetUp")

    answer = sync(client, captured)

    assert (answer.status_code, answer.get_json()["error"]) == (502, "terminal_refused")
    assert (answer.get_json()["subStatusCode"], f"({word})" in answer.get_json()["message"]) == (word, True)


def test_refused_face_is_a_bad_gateway_with_the_terminals_words(
    client: FlaskClient, simulator: Simulated, captured: int
) -> None:
    simulator.faults.add("refuse", "SubpicAnalysisModelingError", path="FDSetUp", message="saveFacePic")

    answer = sync(client, captured)

    assert answer.status_code == 502
    assert answer.json == {
        "error": "terminal_refused",
        "message": "The terminal could not model this face. Take the photo again.",
        "statusCode": 6,
        "subStatusCode": "SubpicAnalysisModelingError",
        "errorMsg": "saveFacePic",
    }
    assert user(client, captured)["synced_to_device"] is False


def test_ok_without_effect_is_a_bad_gateway_and_never_green(
    app: Flask, client: FlaskClient, simulator: Simulated, captured: int
) -> None:
    """Until the terminal does what it says, which the sweep finds out."""
    simulator.faults.add("ok-without-effect", path="FDSetUp")

    answer = sync(client, captured)

    message = "The terminal said OK, but does not show the right face."
    assert (answer.status_code, answer.json) == (502, {"error": "face_not_verified", "message": message})
    assert user(client, captured)["synced_to_device"] is False
    simulator.faults.clear()
    assert sweep(app) == 1
    assert user(client, captured)["synced_to_device"] is True


def test_terminal_away_keeps_the_wish_and_the_sweep_confirms_it(
    app: Flask, client: FlaskClient, simulator: Simulated, captured: int, wire: InProcess
) -> None:
    wire.away.add(HOST)

    answer = sync(client, captured)

    assert (answer.status_code, answer.get_json()["error"]) == (503, "unreachable")
    assert user(client, captured)["photo_path"].startswith("/uploads/100222_")
    wire.away.clear()
    assert sweep(app) == 1
    assert user(client, captured)["synced_to_device"] is True
    assert simulator.faces["100222"].jpeg == IVANS_FACE
    assert sync(client, captured).json == GREEN


def test_lost_answer_is_unavailable_and_the_sweep_finds_out(
    app: Flask, client: FlaskClient, simulator: Simulated, captured: int
) -> None:
    simulator.faults.add("lost-after", path="FDSetUp", times=1)

    answer = sync(client, captured)

    assert (answer.status_code, answer.get_json()["error"]) == (503, "no_answer")
    assert user(client, captured)["synced_to_device"] is False
    sweep(app)
    assert user(client, captured)["synced_to_device"] is True
    assert simulator.faces["100222"].jpeg == IVANS_FACE


def test_terminal_away_leaves_what_was_confirmed_before(
    client: FlaskClient, simulator: Simulated, wire: InProcess
) -> None:
    enrolled = enrol(client, simulator)
    wire.away.add(HOST)

    answer = sync(client, enrolled["id"])

    assert answer.status_code == 503
    assert user(client, enrolled["id"]) == enrolled


def test_refused_password_is_a_bad_gateway_and_tried_once(
    client: FlaskClient, simulator: Simulated, captured: int
) -> None:
    simulator.login.password = "Changed1"

    answers = [sync(client, captured), sync(client, captured)]

    assert [(answer.status_code, answer.get_json()["error"]) for answer in answers] == [(502, "wrong_password")] * 2
    assert simulator.wrong_passwords == 1
    assert len([entry for entry in simulator.log if entry.has_credentials]) == 1


def test_corrected_password_is_tried_and_confirms(client: FlaskClient, simulator: Simulated, captured: int) -> None:
    simulator.login.password = "Changed1"
    sync(client, captured)

    client.put("/api/devices/1", json={"password": "Changed1"})

    assert sync(client, captured).json == GREEN


def test_name_of_which_not_one_letter_fits_is_refused_before_anything_is_taken(
    app: Flask, client: FlaskClient, simulator: Simulated
) -> None:
    added = add(client, full_name=ONE_LETTER)
    taken = capture(client, simulator, IVANS_FACE, hikvision_id="100222")
    simulator.log.clear()

    answer = sync(client, added["id"])

    assert (answer.status_code, answer.get_json()["error"]) == (422, "name_bytes")
    assert answer.get_json()["fields"] == {"full_name": answer.get_json()["message"]}
    assert answer.get_json()["message"] == "The terminal takes 64 Cyrillic letters; the name has 128."
    assert simulator.log == []
    with app.app_context():
        assert [f"/uploads/{path.name}" for path in storage.folder().iterdir()] == [taken["photo_path"]]
    client.put(f"/api/users/{added['id']}", json={"full_name": "Иван Иванов"})
    assert sync(client, added["id"]).json == GREEN


def test_user_who_left_is_not_put_on_a_terminal(client: FlaskClient, simulator: Simulated, captured: int) -> None:
    client.put(f"/api/users/{captured}", json={"is_active": False})

    answer = sync(client, captured)

    assert (answer.status_code, answer.get_json()["error"]) == (409, "employee_inactive")
    assert simulator.people == {}


def test_terminal_in_use_is_a_conflict_and_tried_again(
    app: Flask, client: FlaskClient, simulator: Simulated, captured: int
) -> None:
    with app.app_context():
        lease = leases.acquire(1, "Анна", "capture", 30)

    answer = sync(client, captured)

    assert (answer.status_code, answer.get_json()["error"]) == (409, "terminal_in_use")
    assert "Анна" in answer.get_json()["message"]
    assert simulator.log == []
    with app.app_context():
        lease.release()
    sweep(app)
    assert user(client, captured)["synced_to_device"] is True


def test_bad_field_is_named_and_nothing_is_sent(client: FlaskClient, simulator: Simulated, captured: int) -> None:
    for field, value in [
        *(("device_id", value) for value in (99, "a", -1, 1.0, None, True, 10**30)),
        *(("overwrite", value) for value in ("true", 1, None)),
        *(("photo_path", value) for value in ("/uploads/capture_of-nobody.jpg", True, 1, None)),
    ]:
        answer = sync(client, captured, **{field: value})

        assert (answer.status_code, set(answer.get_json()["fields"])) == (422, {field})
        assert steps(simulator) == []
        assert user(client, captured)["photo_path"] is None
