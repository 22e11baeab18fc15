"""sync-to-device: 200 means that the terminal itself has confirmed, and whose capture becomes whose photo."""

import dataclasses

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.models.accounts import OPERATOR
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.simulator import SEED, SkippingClock
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST, PASSWORD
from tests.support.api_calls import (
    GREEN,
    IVANS_FACE,
    OLGA,
    OLGAS_FACE,
    a_device,
    add,
    capture,
    enrol,
    picture,
    steps,
    sync,
    user,
)
from tests.support.fleet import device, in_context
from tests.support.signed_in import client_of
from tests.support.statements import counted_statements
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("terminal")
# Each costs as much as a tenth of a request to the terminal (tests/benchmarks/enrol.py).
MAX_STATEMENTS = 20
FIVE_STEPS = [
    "POST Record",
    "GET web_face_enrollpic.jpg",
    "PUT FDSetUp",
    "GET web_face_enrollpic.jpg",
    "POST Search",
]


@pytest.fixture
def second(client: FlaskClient, wire: InProcess) -> Simulated:
    """Another terminal, known as device 2."""
    simulator = Simulated(PASSWORD, clock=SkippingClock(), profile=dataclasses.replace(SEED, refuse_after_success=0))
    wire.put("second.test", simulator)
    assert client.post("/api/devices/", json=a_device(name="Склад", url="http://second.test")).get_json()["id"] == 2
    simulator.log.clear()
    return simulator


def test_captured_face_is_confirmed_by_the_terminal_before_the_answer(
    client: FlaskClient, simulator: Simulated
) -> None:
    added = add(client)
    capture(client, simulator, IVANS_FACE, hikvision_id="100222")

    answer = sync(client, added["id"])

    assert answer.status_code == 200
    assert answer.json == GREEN
    assert simulator.people["100222"]["name"] == "Иван Иванов"
    assert simulator.faces["100222"].jpeg == IVANS_FACE
    assert user(client, added["id"])["synced_to_device"] is True
    assert client.get("/api/devices/1").get_json()["last_sync"]


def test_sync_over_a_warm_connection_is_five_requests(client: FlaskClient, simulator: Simulated) -> None:
    added = add(client)
    capture(client, simulator)
    simulator.log.clear()

    sync(client, added["id"])

    assert steps(simulator) == FIVE_STEPS
    assert all(entry.logged_in for entry in simulator.log)


def test_sync_asks_the_database_no_more_than_it_must(client: FlaskClient, simulator: Simulated) -> None:
    for number in ("100", "101"):
        added = add(client, hikvision_id=number)
        capture(client, simulator)
        with counted_statements() as statements:
            answer = sync(client, added["id"])
        assert answer.status_code == 200

    assert len(statements) <= MAX_STATEMENTS, "\n".join(statements)


def test_capture_for_no_number_becomes_the_users_photo(client: FlaskClient, simulator: Simulated) -> None:
    taken = capture(client, simulator)
    added = add(client)

    sync(client, added["id"])

    photo = user(client, added["id"])["photo_path"]
    assert photo.startswith("/uploads/100222_")
    assert picture(client, photo) == IVANS_FACE
    assert client.get(taken["photo_path"]).status_code == 404


def test_capture_for_another_number_is_never_taken(client: FlaskClient, simulator: Simulated) -> None:
    added = add(client)
    capture(client, simulator, OLGAS_FACE, hikvision_id=OLGA["hikvision_id"])

    answer = sync(client, added["id"])

    assert (answer.get_json()["person"], answer.get_json()["face"], answer.get_json()["verified"]) == (
        "confirmed",
        "pending",
        False,
    )
    assert simulator.faces == {}
    assert user(client, added["id"])["photo_path"] is None


def test_capture_of_another_caller_is_never_taken(app: Flask, client: FlaskClient, simulator: Simulated) -> None:
    added = add(client)
    simulator.present_alone(OLGAS_FACE)
    with app.app_context():
        run_capture(start_capture(1, Draft(), "Анна").id)

    answer = sync(client, added["id"])

    assert answer.get_json()["verified"] is False
    assert simulator.faces == {}


def test_operator_gives_a_programs_capture_no_other_number(
    app: Flask, client: FlaskClient, simulator: Simulated
) -> None:
    ivan, olga = add(client), add(client, **OLGA)
    capture(client, simulator, IVANS_FACE, hikvision_id="100222")
    form = {"capture_id": "1", **OLGA}
    boris = client_of(app, OPERATOR, "Борис")

    boris.post("/captures/draft", data=form)
    boris.post("/employees/new", data={**form, "lang": "en"})
    boris.post("/captures", data=form)

    assert sync(client, olga["id"]).get_json()["verified"] is False
    assert simulator.faces == {}
    assert sync(client, ivan["id"]).json == GREEN
    assert simulator.faces["100222"].jpeg == IVANS_FACE


@pytest.mark.usefixtures("simulator")
def test_user_without_a_photo_goes_without_a_face_and_is_not_green(client: FlaskClient) -> None:
    added = add(client)

    answer = sync(client, added["id"])

    assert answer.status_code == 200
    assert answer.get_json()["warning"] == "There is no photo yet. Take one at the terminal."
    assert (answer.get_json()["person"], answer.get_json()["face"], answer.get_json()["verified"]) == (
        "confirmed",
        "pending",
        False,
    )
    assert user(client, added["id"])["synced_to_device"] is False


def test_confirmed_enrolment_is_proven_again(client: FlaskClient, simulator: Simulated) -> None:
    enrolled = enrol(client, simulator)
    simulator.log.clear()

    answer = sync(client, enrolled["id"])

    assert (answer.status_code, answer.json) == (200, GREEN)
    assert steps(simulator)[-1] == "POST Search"
    assert "PUT FDSetUp" not in steps(simulator)


def test_new_capture_of_somebody_enrolled_replaces_the_face(client: FlaskClient, simulator: Simulated) -> None:
    enrolled = enrol(client, simulator, OLGAS_FACE)
    capture(client, simulator, IVANS_FACE, hikvision_id="100222")

    assert sync(client, enrolled["id"]).json == GREEN
    assert simulator.faces["100222"].jpeg == IVANS_FACE
    assert picture(client, user(client, enrolled["id"])["photo_path"]) == IVANS_FACE


def test_person_removed_at_the_terminal_is_put_there_again(client: FlaskClient, simulator: Simulated) -> None:
    enrolled = enrol(client, simulator)
    simulator.store.remove(["100222"])

    assert sync(client, enrolled["id"]).json == GREEN
    assert simulator.faces["100222"].jpeg == IVANS_FACE


def test_face_replaced_at_the_terminal_is_not_verified_as_ours(client: FlaskClient, simulator: Simulated) -> None:
    enrolled = enrol(client, simulator)
    simulator.capture_elsewhere(OLGAS_FACE)
    simulator.store.bind("100222", OLGAS_FACE)

    answer = sync(client, enrolled["id"])

    assert (answer.status_code, answer.get_json()["error"]) == (409, "superseded")
    assert user(client, enrolled["id"])["synced_to_device"] is False


def test_face_replaced_at_the_terminal_is_put_back_while_the_file_shows_ours(
    client: FlaskClient, simulator: Simulated
) -> None:
    enrolled = enrol(client, simulator)
    simulator.store.bind("100222", OLGAS_FACE)

    assert sync(client, enrolled["id"]).json == GREEN
    assert simulator.faces["100222"].jpeg == IVANS_FACE


def test_overwrite_of_a_confirmed_enrolment_puts_the_face_there_again(
    client: FlaskClient, simulator: Simulated
) -> None:
    enrolled = enrol(client, simulator)

    assert sync(client, enrolled["id"], overwrite=True).json == GREEN
    assert simulator.faces["100222"].jpeg == IVANS_FACE


def test_rename_of_a_person_removed_at_the_terminal_puts_person_and_face_there_again(
    client: FlaskClient, simulator: Simulated
) -> None:
    enrolled = enrol(client, simulator)
    simulator.store.remove(["100222"])

    answer = client.put(f"/api/users/{enrolled['id']}", json={"full_name": "Иван Петров"})

    assert answer.get_json()["synced_to_device"] is True
    assert simulator.faces["100222"].jpeg == IVANS_FACE


def test_person_removed_at_the_terminal_whose_file_is_gone_is_not_verified(
    client: FlaskClient, simulator: Simulated
) -> None:
    enrolled = enrol(client, simulator)
    simulator.store.remove(["100222"])
    simulator.restart()

    answer = sync(client, enrolled["id"])

    assert (answer.status_code, answer.get_json()["error"]) == (409, "file_gone")
    assert user(client, enrolled["id"])["synced_to_device"] is False
    assert simulator.faces == {}


def test_captures_own_terminal_is_meant_where_several_are_in_use(
    client: FlaskClient, simulator: Simulated, second: Simulated
) -> None:
    added = add(client)
    second.present_alone(IVANS_FACE)
    client.post("/api/devices/2/start-face-capture", json={"hikvision_id": "100222"})

    assert sync(client, added["id"]).json == GREEN
    assert second.faces["100222"].jpeg == IVANS_FACE
    assert simulator.people == {}


def test_terminals_that_take_pictures_get_the_captured_face_by_themselves(
    app: Flask, client: FlaskClient, wire: InProcess, simulator: Simulated
) -> None:
    pictures = in_context(app, wire, "third.test", "Склад", other := device())
    added = add(client)
    assert sync(client, added["id"], device_id=pictures).get_json()["face"] == "pending"
    capture(client, simulator, IVANS_FACE, hikvision_id="100222")

    assert sync(client, added["id"], device_id=1).json == GREEN

    app.extensions["task_queue"].run_pending()
    assert other.faces["100222"].jpeg == IVANS_FACE
    assert user(client, added["id"])["synced_to_device"] is True


def test_of_two_captures_without_an_id_the_program_says_which_one_is_meant(
    client: FlaskClient, simulator: Simulated
) -> None:
    ivan_id, olga_id = add(client)["id"], add(client, **OLGA)["id"]
    of_ivan = capture(client, simulator, IVANS_FACE)["photo_path"]
    of_olga = capture(client, simulator, OLGAS_FACE)["photo_path"]
    simulator.log.clear()

    answer = sync(client, ivan_id)

    assert (answer.status_code, answer.get_json()["error"]) == (409, "capture_not_named")
    assert answer.get_json()["message"] == (
        "Several pictures could be meant, and the newest was taken without an ID. Send the photo_path of the right "
        "one, or take the photo again with hikvision_id."
    )
    assert set(answer.get_json()["fields"]) == {"photo_path"}
    assert simulator.log == []
    assert sync(client, ivan_id, photo_path=of_ivan).get_json()["error"] == "superseded"
    assert sync(client, olga_id, photo_path=of_olga).json == GREEN
    assert sync(client, olga_id, photo_path=of_olga).json == GREEN
    assert sync(client, ivan_id, photo_path=of_olga).get_json()["error"] == "capture_unknown"
    assert {number: face.jpeg for number, face in simulator.faces.items()} == {"100333": OLGAS_FACE}


def test_user_whose_face_is_on_its_way_gets_no_other_one_without_an_id(
    client: FlaskClient, simulator: Simulated, wire: InProcess
) -> None:
    ivan_id, olga_id = add(client)["id"], add(client, **OLGA)["id"]
    of_ivan = capture(client, simulator, IVANS_FACE)["photo_path"]
    wire.away.add(HOST)
    assert sync(client, ivan_id, photo_path=of_ivan).status_code == 503
    wire.away.clear()
    of_olga = capture(client, simulator, OLGAS_FACE)["photo_path"]

    answer = sync(client, ivan_id)

    assert (answer.status_code, answer.get_json()["error"]) == (409, "capture_not_named")
    assert sync(client, olga_id, photo_path=of_olga).json == GREEN
    assert {number: face.jpeg for number, face in simulator.faces.items()} == {"100333": OLGAS_FACE}


def test_terminal_must_be_named_where_several_are_in_use(
    client: FlaskClient, simulator: Simulated, second: Simulated
) -> None:
    answer = sync(client, add(client)["id"])

    assert (answer.status_code, answer.get_json()["error"]) == (422, "terminal_not_named")
    assert "say which one (device_id)" in answer.get_json()["message"]
    assert set(answer.get_json()["fields"]) == {"device_id"}
    assert (simulator.log, second.log) == ([], [])


def test_without_any_terminal_in_use_the_refusal_says_so(client: FlaskClient) -> None:
    client.put("/api/devices/1", json={"is_active": False})

    answer = sync(client, add(client)["id"])

    assert (answer.status_code, answer.get_json()["error"]) == (422, "terminal_unknown")


def test_only_terminal_in_use_is_meant(client: FlaskClient, simulator: Simulated, second: Simulated) -> None:
    client.put("/api/devices/1", json={"is_active": False})

    sync(client, add(client)["id"])

    assert (list(simulator.people), list(second.people)) == ([], ["100222"])


def test_face_of_one_terminal_is_not_green_on_another(
    client: FlaskClient, simulator: Simulated, second: Simulated
) -> None:
    enrolled = enrol(client, simulator)

    answer = sync(client, enrolled["id"], device_id=2)

    assert (answer.get_json()["person"], answer.get_json()["face"], answer.get_json()["verified"]) == (
        "confirmed",
        "refused",
        False,
    )
    assert "another terminal" in answer.get_json()["warning"]
    assert second.faces == {}
    assert simulator.faces["100222"].jpeg == IVANS_FACE
    assert sync(client, enrolled["id"], device_id=1).json == GREEN
