"""Cards over the API: given, shown with what each terminal confirmed, taken away, and refused with whose they are."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.simulator import Terminal as Simulated
from tests.support.api_calls import OLGA, OLGAS_FACE, add, enrol, user
from tests.support.signed_in import client_of

pytestmark = pytest.mark.usefixtures("terminal")


@pytest.fixture
def place(client: FlaskClient, simulator: Simulated) -> str:
    """The address of the cards of somebody who is on the terminal."""
    return f"/api/users/{enrol(client, simulator)['id']}/cards/"


def give(client: FlaskClient, place: str, number: Any = "00aB12") -> TestResponse:
    return client.post(place, json={"number": number})


def shape(**spoilt: Any) -> dict[str, Any]:
    return {"id": 1, "number": "00aB12", "devices": [{"device_id": 1, "state": "confirmed"}], **spoilt}


def bare(card: dict[str, Any]) -> dict[str, Any]:
    """A card without the time, which is like 2026-03-01T09:30:00."""
    assert len(card["created_at"]) == len("2026-03-01T09:30:00")
    return {name: value for name, value in card.items() if name != "created_at"}


def test_card_is_given_listed_and_taken_away(client: FlaskClient, simulator: Simulated, place: str) -> None:
    assert client.get(place).json == []

    given = give(client, place)

    assert (given.status_code, bare(given.get_json())) == (201, shape())
    assert simulator.cards["00aB12"].employee_no == "100222"
    assert client.get(place).json == [given.json]
    assert user(client, 1)["synced_to_device"] is True
    taken = client.delete(f"{place}1")
    assert (taken.status_code, bare(taken.get_json())) == (202, shape(devices=[]))
    assert (client.get(place).json, simulator.cards) == ([], {})
    assert client.delete(f"{place}1").get_json()["error"] == "card_unknown"


def test_terminal_that_is_away_gets_and_loses_the_card_later(
    client: FlaskClient, simulator: Simulated, place: str, wire: Any
) -> None:
    give(client, place, "7")
    wire.away.add("terminal.test")

    later = give(client, place)
    assert bare(later.get_json()) == shape(id=2, devices=[{"device_id": 1, "state": "pending"}])
    assert user(client, 1)["synced_to_device"] is False
    taken = client.delete(f"{place}1?lost=true")
    assert (taken.status_code, taken.get_json()["devices"]) == (202, [{"device_id": 1, "state": "leaving"}])
    assert [*simulator.cards] == ["7"]

    wire.away.clear()
    assert client.post("/api/users/1/sync-to-device").status_code == 200
    assert [*simulator.cards] == ["00aB12"]
    assert user(client, 1)["synced_to_device"] is True


def test_card_of_somebody_is_refused_with_whose_it_is(client: FlaskClient, simulator: Simulated, place: str) -> None:
    give(client, place)
    other = enrol(client, simulator, OLGAS_FACE, **OLGA)

    refused = give(client, f"/api/users/{other['id']}/cards/")

    assert (refused.status_code, refused.get_json()) == (
        409,
        {
            "error": "card_taken",
            "message": "Card 00aB12 is Иван Иванов's, ID 100222. Take it away there first.",
            "hikvision_id": "100222",
        },
    )
    similar = give(client, f"/api/users/{other['id']}/cards/", "AB12").get_json()
    assert similar["warning"] == (
        "Card 00aB12 is Иван Иванов's, ID 100222, and may be the same card told by another reader."
    )
    assert client.delete(f"/api/users/{other['id']}/cards/1").status_code == 404


def test_card_of_a_stranger_on_the_terminal_is_not_given(client: FlaskClient, simulator: Simulated, place: str) -> None:
    simulator.store.add("88", {"name": "Гость"})
    simulator.store.save_card("00aB12", {"employeeNo": "88"})

    refused = give(client, place)

    assert (refused.status_code, refused.get_json()) == (
        409,
        {
            "error": "card_taken_there",
            "message": "On the terminal, card 00aB12 is that of ID 88. Take it off there, then try again.",
            "device_id": 1,
            "hikvision_id": "88",
        },
    )
    assert (client.get(place).json, simulator.cards["00aB12"].employee_no) == ([], "88")
    assert client.post("/api/users/1/sync-to-device").status_code == 200


@pytest.mark.parametrize("number", ["", "7;8", "Ж", "7" * 33, "'; DROP TABLE card; --", None, 7, ["7"]])
def test_wrong_number_is_refused_with_its_field(client: FlaskClient, place: str, number: Any) -> None:
    refused = give(client, place, number)
    assert (refused.status_code, [*refused.get_json()["fields"]]) == (422, ["number"])


def test_unknown_user_and_wrong_argument_are_refused(client: FlaskClient, place: str) -> None:
    assert client.get("/api/users/99/cards/").status_code == 404
    assert give(client, "/api/users/99/cards/").status_code == 404
    give(client, place)
    assert client.delete(f"{place}1?lost=perhaps").get_json()["fields"] == {"lost": "“true” or “false” is expected."}


def test_user_who_is_on_no_terminal_has_the_card_all_the_same(client: FlaskClient) -> None:
    place = f"/api/users/{add(client)['id']}/cards/"
    assert bare(give(client, place).get_json()) == shape(devices=[])


def test_viewer_sees_cards_and_changes_none(app: Flask, client: FlaskClient, place: str) -> None:
    give(client, place)
    viewer = client_of(app, VIEWER)
    assert viewer.get(place).status_code == 200
    assert [give(viewer, place, "8").status_code, viewer.delete(f"{place}1").status_code] == [403, 403]
    assert give(client_of(app, OPERATOR), place, "8").status_code == 201


def test_card_is_read_at_a_device(client: FlaskClient, simulator: Simulated) -> None:
    simulator.present_card("00aB12", when_asked=True)
    answer = client.post("/api/devices/1/start-card-capture")
    assert (answer.status_code, answer.get_json()) == (200, {"success": True, "card_number": "00aB12"})

    nobody = client.post("/api/devices/1/start-card-capture")
    assert (nobody.status_code, nobody.get_json()["error"], nobody.get_json()["success"]) == (
        504,
        "card_timeout",
        False,
    )
    simulator.faults.add("refuse", "deviceBusy", path="CaptureCardInfo", times=1)
    assert client.post("/api/devices/1/start-card-capture").status_code == 409
    simulator.profile = replace(simulator.profile, card_capture="none")
    none = client.post("/api/devices/1/start-card-capture")
    assert (none.status_code, none.get_json()["error"]) == (501, "cards_not_read_here")
    assert client.post("/api/devices/9/start-card-capture").status_code == 404
