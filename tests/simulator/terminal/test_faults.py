import io
import json

import pytest
from PIL import Image, UnidentifiedImageError

from hikflask.simulator import AnswerLost, SkippingClock, Terminal, faces
from tests.simulator.conftest import Client

ANNA, BORIS, STRANGER = (faces.draw(name) for name in ("anna", "boris", faces.NAMES[-1]))
COUNT = "/ISAPI/AccessControl/UserInfo/Count?format=json"
RECORD = "UserInfo/Record"


def test_answer_lost_before_acting_leaves_nothing(terminal: Terminal, client: Client) -> None:
    terminal.faults.add("lost-before", path=RECORD, times=1)

    with pytest.raises(AnswerLost) as lost:
        client.add_person()

    assert (lost.value.acted, terminal.people) == (False, {})
    assert client.add_person().status_code == 200


def test_answer_lost_after_acting_leaves_the_person(terminal: Terminal, client: Client) -> None:
    terminal.faults.add("lost-after", path=RECORD, times=1)

    with pytest.raises(AnswerLost) as lost:
        client.add_person()

    assert (lost.value.acted, list(terminal.people)) == (True, ["100222"])
    assert terminal.log[-1].status is None


def test_login_does_not_use_a_fault_up(terminal: Terminal, client: Client) -> None:
    terminal.faults.add("lost-before", path=RECORD, times=1)

    unauthorized = client.http.post("/ISAPI/AccessControl/UserInfo/Record?format=json")

    assert unauthorized.status_code == 401
    assert terminal.faults.active[0].times == 1


def test_dropped_connections_reach_even_the_login(terminal: Terminal, client: Client) -> None:
    terminal.faults.add("drop")

    with pytest.raises(AnswerLost):
        client.http.get(COUNT)


def test_ok_without_effect(terminal: Terminal, client: Client) -> None:
    terminal.faults.add("ok-without-effect", path=RECORD)

    answer = client.add_person()

    assert (answer.get_json()["statusCode"], terminal.people) == (1, {})


def test_refusal_with_a_code_of_choice_and_only_as_often_as_wanted(terminal: Terminal, client: Client) -> None:
    client.add_person()
    terminal.camera.store(ANNA)
    terminal.faults.add("refuse", "SubpicAnalysisModelingError", times=1, message="saveFacePic")

    first, second = client.bind(), client.bind()

    assert first.status_code == 400
    assert first.get_json() == {
        "statusCode": 6,
        "statusString": "Invalid Content",
        "subStatusCode": "SubpicAnalysisModelingError",
        "errorCode": 1610612791,
        "errorMsg": "saveFacePic",
    }
    assert second.status_code == 200


def test_code_without_a_known_number_is_answered_without_error_code(terminal: Terminal, client: Client) -> None:
    terminal.faults.add("full", "users")

    answer = client.add_person()

    assert "errorCode" not in answer.get_json()
    assert answer.get_json()["subStatusCode"] == "deviceUserFull"


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        ("busy", 400, "deviceBusy"),
        ("low-quality", 400, "faceLowQulity"),
        ("nobody", 200, "<captureProgress>0<"),
    ],
)
def test_capture_that_goes_wrong_leaves_the_file_alone(
    terminal: Terminal, client: Client, fault: str, status: int, text: str
) -> None:
    terminal.camera.store(BORIS)
    terminal.present(ANNA)
    terminal.faults.add(fault, times=1)

    answer = client.capture()

    assert answer.status_code == status
    assert text in answer.text
    assert terminal.file == BORIS


def test_captured_picture_can_be_none_between_the_marks_of_one(terminal: Terminal, client: Client) -> None:
    terminal.faults.add("picture-is-noise", times=1)
    terminal.present(ANNA)

    answer = client.capture("binary")

    noise = terminal.file
    assert noise is not None
    assert noise in answer.data
    assert (noise[:3], noise[-2:], len(noise) > 1024) == (b"\xff\xd8\xff", b"\xff\xd9", True)
    with pytest.raises((UnidentifiedImageError, OSError)):
        Image.open(io.BytesIO(noise)).load()


def test_slow_answer_takes_its_seconds(terminal: Terminal, client: Client, clock: SkippingClock) -> None:
    terminal.faults.add("slow", "7", path="UserInfo/Count", times=1)

    client.ask("GET", COUNT)

    assert clock.now() == 7


def test_refusals_can_come_with_http_200(terminal: Terminal, client: Client) -> None:
    terminal.faults.add("refusals-as-200")

    answer = client.bind("5")

    assert (answer.status_code, json.loads(answer.data)["subStatusCode"]) == (200, "employeeNoNotExist")


def test_somebody_else_captures_right_before_the_face_is_bound(terminal: Terminal, client: Client) -> None:
    client.add_person()
    terminal.camera.store(ANNA)
    terminal.faults.add("overwrite", times=1)

    client.bind()

    assert terminal.faces["100222"].jpeg == STRANGER


def test_somebody_else_captures_right_after_the_face_is_bound(terminal: Terminal, client: Client) -> None:
    client.add_person()
    terminal.camera.store(ANNA)
    terminal.faults.add("overwrite-after", times=1)

    client.bind()

    assert (terminal.faces["100222"].jpeg, terminal.file) == (ANNA, STRANGER)


def test_cleared_fault_is_gone(terminal: Terminal, client: Client) -> None:
    terminal.faults.add("refuse", path=RECORD)
    terminal.faults.add("slow", "1")
    terminal.faults.clear("refuse")

    assert client.add_person().status_code == 200
    assert [fault.name for fault in terminal.faults.active] == ["slow"]


@pytest.mark.parametrize(("name", "argument", "error"), [("flood", "", KeyError), ("slow", "very", ValueError)])
def test_unknown_fault_or_argument_is_an_error(
    terminal: Terminal, name: str, argument: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        terminal.faults.add(name, argument)

    assert terminal.faults.active == []


def test_nonce_can_be_made_to_die(terminal: Terminal, client: Client, clock: SkippingClock) -> None:
    terminal.faults.add("nonce-uses", "1")
    uses = [client.ask("GET", COUNT).status_code for _ in range(2)]
    terminal.faults.clear()
    terminal.faults.add("nonce-seconds", "30")
    clock.advance(31)

    assert (uses, client.ask("GET", COUNT).status_code) == ([200, 401], 401)
    terminal.faults.clear()
    assert client.ask("GET", COUNT).status_code == 200


def test_locked_login(terminal: Terminal, client: Client) -> None:
    terminal.faults.add("locked")

    assert "<unlockTime>1800<" in client.ask("GET", COUNT).text


def test_restart_instead_of_an_answer(terminal: Terminal, client: Client) -> None:
    client.add_person()
    terminal.camera.store(ANNA)
    terminal.faults.add("restart", times=1)

    with pytest.raises(AnswerLost):
        client.bind()

    assert (terminal.faces, terminal.file) == ({}, None)
    assert client.ask("GET", COUNT).status_code == 401, "the nonce is gone, too"
