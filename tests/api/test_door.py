"""POST /api/devices/{id}/open-door: who may, what is answered, and that a call sent again opens nothing more."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from hikflask.extensions import db
from hikflask.models import IdempotencyKey, Terminal
from hikflask.models.accounts import ADMIN, OPERATOR, VIEWER
from hikflask.models.columns import database_now
from hikflask.services.terminals import leases
from hikflask.simulator import Terminal as Simulated
from tests.support.signed_in import client_of
from tests.support.trail import entries, fields
from tests.support.wire import InProcess

REASON = "Курьер с посылкой"


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"DOOR": "operator"}


def press(client: FlaskClient, key: str = "", **body: Any) -> TestResponse:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/api/devices/1/open-door", json=body or {"reason": REASON}, headers=headers)


def openings(simulator: Simulated) -> int:
    return sum((record.major, record.minor) == (3, 1024) for record in simulator.events.records)


@pytest.mark.usefixtures("terminal")
def test_door_that_opened_is_answered_200_and_stands_in_the_trail(
    app: Flask, client: FlaskClient, simulator: Simulated
) -> None:
    answer = press(client)

    assert (answer.status_code, answer.get_json(), openings(simulator)) == (200, {"opened": True}, 1)
    with app.app_context():
        (entry,) = entries("terminal.door_opened")
    assert (entry.actor, entry.terminal, fields(entry.after)) == ("API admin-0", "Вход", {"reason": REASON})


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("fault", ["ok-without-effect", "lost-before"])
def test_door_of_which_it_is_not_known_is_answered_202(client: FlaskClient, simulator: Simulated, fault: str) -> None:
    simulator.faults.add(fault, path="RemoteControl/door/1")

    answer = press(client)

    assert (answer.status_code, answer.get_json()) == (202, {"opened": None})
    assert sum(entry.method == "PUT" and entry.logged_in for entry in simulator.log) == 1


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("setting", "statuses"), [("off", (403, 403)), ("admin", (403, 200)), ("operator", (200, 200))]
)
def test_setting_says_who_may(app: Flask, simulator: Simulated, setting: str, statuses: tuple[int, int]) -> None:
    app.config["DOOR"] = setting

    answers = [press(client_of(app, role)) for role in (OPERATOR, ADMIN)]

    assert tuple(answer.status_code for answer in answers) == statuses
    refused = [answer.get_json() for answer in answers if answer.status_code == 403]
    assert refused == [
        {
            "error": "door_off",
            "message": "Opening doors from here is switched off, or not for your role. An administrator sets who may.",
        }
    ] * len(refused)
    assert openings(simulator) == statuses.count(200)


@pytest.mark.usefixtures("terminal")
def test_viewer_never_may(app: Flask, simulator: Simulated) -> None:
    answer = press(client_of(app, VIEWER))

    assert (answer.status_code, openings(simulator)) == (403, 0)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("body", [{"reason": ""}, {"reason": "  "}, {"reason": "two\nlines"}, {"reason": "x" * 201}])
def test_reason_of_one_line_is_needed(client: FlaskClient, simulator: Simulated, body: dict[str, str]) -> None:
    for sent in (body, {"why": "x"}):
        answer = press(client, **sent)
        assert (answer.status_code, "reason" in answer.get_json()["fields"]) == (422, True)
    assert openings(simulator) == 0


@pytest.mark.usefixtures("terminal")
def test_refusal_of_the_terminal_has_its_words(client: FlaskClient, simulator: Simulated) -> None:
    simulator.faults.add("refuse", "remoteDoorFunctionDisable", path="RemoteControl/door/1", message="remote door off")

    answer = press(client)

    assert (answer.status_code, answer.get_json()["error"]) == (502, "terminal_refused")
    assert answer.get_json()["subStatusCode"] == "remoteDoorFunctionDisable"
    assert answer.get_json()["errorMsg"] == "remote door off"
    assert answer.get_json()["message"] == (
        "The terminal does not let its door be opened over the network. Allow that at the terminal itself."
    )


@pytest.mark.usefixtures("terminal")
def test_terminal_that_is_away_or_in_use_or_unknown_opens_nothing(
    app: Flask, client: FlaskClient, simulator: Simulated, wire: InProcess
) -> None:
    assert client.post("/api/devices/9/open-door", json={"reason": REASON}).status_code == 404
    wire.away.add("terminal.test")
    assert press(client).status_code == 503
    wire.away.clear()
    with app.app_context():
        leases.acquire(1, "Мария", leases.CAPTURE, 60.0)
    busy = press(client)
    assert (busy.status_code, busy.get_json()["error"]) == (409, "terminal_in_use")
    assert openings(simulator) == 0


@pytest.mark.usefixtures("terminal")
def test_call_sent_again_with_its_key_gets_the_first_answer_and_opens_nothing(
    client: FlaskClient, simulator: Simulated
) -> None:
    first, again = press(client, "a"), press(client, "a")

    assert (first.status_code, again.status_code, again.get_json()) == (200, 200, {"opened": True})
    assert again.headers["Idempotency-Replayed"] == "true"
    assert openings(simulator) == 1
    assert press(client, "b").status_code == 200
    assert press(client).status_code == 200
    assert openings(simulator) == 3


@pytest.mark.usefixtures("terminal")
def test_unknown_outcome_is_kept_for_the_key_too(client: FlaskClient, simulator: Simulated) -> None:
    simulator.faults.add("ok-without-effect", path="RemoteControl/door/1", times=1)

    assert [press(client, "a").status_code for _ in range(2)] == [202, 202]
    assert openings(simulator) == 0


@pytest.mark.usefixtures("terminal")
def test_call_that_crashed_after_the_door_was_asked_opens_nothing_when_it_is_sent_again(
    app: Flask, client: FlaskClient, simulator: Simulated
) -> None:
    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    simulator.after("RemoteControl/door/1", die)
    with pytest.raises(Killed):
        press(client, "a")
    simulator.clear_hooks()
    with app.app_context():
        db.session.execute(update(IdempotencyKey).values(claimed_until=database_now(-1)))
        db.session.execute(update(Terminal).values(lease_until=None))
        db.session.commit()

    answer = press(client, "a")

    assert (answer.status_code, answer.get_json(), openings(simulator)) == (202, {"opened": None}, 1)


@pytest.mark.usefixtures("terminal")
def test_refused_call_may_be_sent_again_with_its_key(client: FlaskClient, simulator: Simulated) -> None:
    simulator.faults.add("refuse", "deviceBusy", path="RemoteControl/door/1", times=1)

    assert [press(client, "a").status_code for _ in range(2)] == [502, 200]
    assert openings(simulator) == 1


@pytest.mark.usefixtures("terminal")
def test_status_tells_the_door_and_never_that_it_is_shut(client: FlaskClient, simulator: Simulated) -> None:
    def told() -> tuple[object, ...]:
        status = client.get("/api/devices/1/status").get_json()
        return status["door_lock"], status["door_mode"], status["door_contact"]

    assert told() == ("locked", "normal", None)
    simulator.control_door("alwaysOpen")
    assert told() == ("unlocked", "free", None)
    simulator.control_door("alwaysClose")
    assert told() == ("locked", "disabled", None)
