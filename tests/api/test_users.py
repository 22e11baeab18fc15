"""Users: added, listed, searched, changed, deleted; the shapes are the documented ones to the letter."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete

from hikflask.extensions import db
from hikflask.models import Employee, Terminal
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST
from tests.support.api_calls import OLGA, USER_FIELDS, a_user, add, capture, enrol, sync, user
from tests.support.comparisons import compare, strangers, take_over
from tests.support.enrolments import employee_of
from tests.support.wire import InProcess


def names(client: FlaskClient, **query: Any) -> list[str]:
    return [found["full_name"] for found in client.get("/api/users/", query_string=query).get_json()]


def test_user_is_added_and_answered_in_the_documented_shape(client: FlaskClient) -> None:
    answer = client.post("/api/users/", json=a_user())

    assert answer.status_code == 201
    assert set(answer.get_json()) == USER_FIELDS
    assert {**answer.get_json(), "created_at": ""} == {
        **a_user(),
        "id": 1,
        "is_active": True,
        "photo_path": None,
        "synced_to_device": False,
        "created_at": "",
        "valid_from": None,
        "valid_to": None,
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", answer.get_json()["created_at"])


def test_department_is_answered_in_the_known_spelling(client: FlaskClient) -> None:
    add(client, department="Бухгалтерия")

    added = client.post("/api/users/", json={"hikvision_id": "A2", "full_name": "Анна", "department": " бухгалтерия"})
    changed = client.put(f"/api/users/{added.get_json()['id']}", json={"department": "БУХГАЛТЕРИЯ"})

    assert (added.status_code, added.get_json()["department"]) == (201, "Бухгалтерия")
    assert (changed.status_code, changed.get_json()["department"]) == (200, "Бухгалтерия")
    assert names(client, department="бухгалтерия") == names(client, department="Бухгалтерия")
    assert len(names(client, department="бухгалтерия")) == 2


@pytest.mark.usefixtures("terminal")
def test_added_user_is_sent_to_no_terminal(client: FlaskClient, simulator: Simulated) -> None:
    add(client)

    assert simulator.log == []


def test_user_is_added_without_department_and_without_content_type(client: FlaskClient) -> None:
    answer = client.post("/api/users", data=b'{"hikvision_id": "A1", "full_name": " Anna "}')

    assert answer.status_code == 201
    assert (answer.get_json()["full_name"], answer.get_json()["department"]) == ("Anna", "")


@pytest.mark.parametrize("number", ["1", "a", "Z" * 32, "00100222"])
def test_number_is_kept_to_the_letter(client: FlaskClient, number: str) -> None:
    added = add(client, hikvision_id=number)

    assert user(client, added["id"])["hikvision_id"] == number


def test_name_of_128_characters_is_kept(client: FlaskClient) -> None:
    added = add(client, full_name="Ё" * 128)

    assert user(client, added["id"])["full_name"] == "Ё" * 128


def test_number_in_use_is_a_conflict_and_adds_nobody(client: FlaskClient) -> None:
    add(client)

    answer = client.post("/api/users/", json=a_user(full_name="Другой"))

    assert answer.status_code == 409
    assert answer.get_json()["error"] == "number_known"
    assert "100222" in answer.get_json()["message"]
    assert set(answer.get_json()["fields"]) == {"hikvision_id"}
    assert names(client) == ["Иван Иванов"]


def test_page_of_the_list_is_cut_by_limit_and_offset(client: FlaskClient) -> None:
    for number in range(5):
        add(client, hikvision_id=str(number), full_name=f"Name {number}")

    answer = client.get("/api/users/?limit=2&offset=3")

    assert [found["full_name"] for found in answer.get_json()] == ["Name 3", "Name 4"]
    assert answer.headers["X-Total-Count"] == "5"
    assert names(client, limit=2, offset=5) == []


def test_put_changes_the_given_fields_and_leaves_the_others(client: FlaskClient) -> None:
    added = add(client)

    answer = client.put(f"/api/users/{added['id']}", json={"department": "Склад"})

    assert answer.status_code == 200
    assert answer.json == {**added, "department": "Склад"} == user(client, added["id"])


def test_number_of_somebody_who_is_on_no_terminal_can_be_changed(client: FlaskClient) -> None:
    added = add(client)

    answer = client.put(f"/api/users/{added['id']}", json={"hikvision_id": "100999"})

    assert (answer.status_code, answer.get_json()["hikvision_id"]) == (200, "100999")


def test_put_of_a_number_in_use_is_a_conflict(client: FlaskClient) -> None:
    add(client)
    olga = add(client, **OLGA)

    answer = client.put(f"/api/users/{olga['id']}", json={"hikvision_id": "100222", "full_name": "Другая"})

    assert (answer.status_code, answer.get_json()["error"]) == (409, "number_known")
    assert user(client, olga["id"]) == olga


@pytest.mark.usefixtures("terminal")
def test_number_that_is_enrolled_cannot_be_changed(client: FlaskClient, simulator: Simulated) -> None:
    enrolled = enrol(client, simulator)

    answer = client.put(f"/api/users/{enrolled['id']}", json={"hikvision_id": "100999"})

    assert (answer.status_code, answer.get_json()["error"]) == (409, "number_enrolled")
    assert set(answer.get_json()["fields"]) == {"hikvision_id"}
    assert user(client, enrolled["id"]) == enrolled


@pytest.mark.usefixtures("terminal")
def test_rename_is_on_the_terminal_before_the_answer(client: FlaskClient, simulator: Simulated) -> None:
    enrolled = enrol(client, simulator)

    answer = client.put(f"/api/users/{enrolled['id']}", json={"full_name": "Иван Петров"})

    assert (answer.get_json()["full_name"], answer.get_json()["synced_to_device"]) == ("Иван Петров", True)
    assert simulator.people["100222"]["name"] == "Иван Петров"
    assert "100222" in simulator.faces


@pytest.mark.usefixtures("terminal")
def test_put_tries_again_what_was_given_up(client: FlaskClient, simulator: Simulated) -> None:
    ivan = add(client)
    capture(client, simulator, hikvision_id="100222")
    simulator.faults.add("full", "users")
    assert sync(client, ivan["id"], device_id=1).status_code == 502
    simulator.faults.clear()

    answer = client.put(f"/api/users/{ivan['id']}", json={"department": "Склад"})

    assert (answer.status_code, answer.get_json()["synced_to_device"]) == (200, True)


@pytest.mark.usefixtures("terminal")
def test_user_who_is_not_active_any_more_is_taken_off_the_terminal(client: FlaskClient, simulator: Simulated) -> None:
    enrolled = enrol(client, simulator)

    answer = client.put(f"/api/users/{enrolled['id']}", json={"is_active": False})

    assert answer.status_code == 200
    assert (answer.get_json()["is_active"], answer.get_json()["synced_to_device"]) == (False, False)
    assert simulator.people == {}
    assert simulator.faces == {}


@pytest.mark.usefixtures("terminal")
def test_deleted_user_is_gone_here_and_there_and_so_is_the_photo(
    app: Flask, client: FlaskClient, simulator: Simulated
) -> None:
    enrolled = enrol(client, simulator)

    answer = client.delete(f"/api/users/{enrolled['id']}")

    assert answer.status_code == 200
    assert set(answer.get_json()) == USER_FIELDS
    assert client.get(f"/api/users/{enrolled['id']}").status_code == 404
    assert client.get(enrolled["photo_path"]).status_code == 404
    assert list(Path(app.config["UPLOADS"]).iterdir()) == []
    assert simulator.people == {}


@pytest.mark.parametrize(("own", "stays"), [("", False), ("?own_records=remove", False), ("?own_records=leave", True)])
def test_own_record_of_a_terminal_goes_with_the_user_unless_it_is_to_stay(
    app: Flask, client: FlaskClient, simulator: Simulated, terminal: Terminal, own: str, stays: bool
) -> None:
    with app.app_context():
        strangers(simulator, ["900"])
        compare(terminal)
        user_id = employee_of(take_over(terminal.id, "900", "Гость 900"))

    assert client.delete(f"/api/users/{user_id}{own}").status_code == 200

    assert (list(simulator.people) == ["900"]) is stays
    assert client.get(f"/api/users/{user_id}").status_code == 404


def test_what_becomes_of_own_records_is_one_of_two(client: FlaskClient) -> None:
    client.post("/api/users/", json=a_user())

    answer = client.delete("/api/users/1?own_records=keep")

    assert (answer.status_code, answer.get_json()["fields"]) == (
        422,
        {"own_records": "“remove” or “leave” is expected."},
    )
    assert client.get("/api/users/1").status_code == 200


@pytest.mark.usefixtures("terminal")
def test_deleted_users_number_is_free_only_once_the_terminal_says_nobody_is_there(
    client: FlaskClient, simulator: Simulated, wire: InProcess
) -> None:
    enrolled = enrol(client, simulator)
    wire.away.add(HOST)
    client.delete(f"/api/users/{enrolled['id']}")

    answer = client.post("/api/users/", json=a_user(full_name="Новый"))

    assert (answer.status_code, answer.get_json()["error"]) == (409, "number_leaving")
    assert names(client) == []


@pytest.mark.usefixtures("terminal")
def test_put_that_is_refused_changes_none_of_its_fields(client: FlaskClient, simulator: Simulated) -> None:
    enrolled = enrol(client, simulator)
    left = client.put(f"/api/users/{enrolled['id']}", json={"is_active": False}).json

    answer = client.put(f"/api/users/{enrolled['id']}", json={"full_name": "Я" + "\u0301" * 127, "is_active": True})

    assert (answer.status_code, set(answer.get_json()["fields"])) == (422, {"full_name"})
    assert user(client, enrolled["id"]) == left


@pytest.mark.usefixtures("terminal")
def test_put_takes_name_and_return_together(client: FlaskClient, simulator: Simulated) -> None:
    enrolled = enrol(client, simulator)
    client.put(f"/api/users/{enrolled['id']}", json={"full_name": "Иван Петров", "is_active": False})

    answer = client.put(
        f"/api/users/{enrolled['id']}", json={"full_name": "Иван Сидоров", "is_active": True}
    ).get_json()

    assert (answer["full_name"], answer["is_active"], answer["synced_to_device"]) == ("Иван Сидоров", True, True)


def test_everybody_is_read_by_following_the_link_whatever_is_deleted_meanwhile(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        db.session.add_all([Employee(number=f"M{one}", name=f"Имя {one % 4}") for one in range(25)])
        db.session.commit()
    wanted = [user["hikvision_id"] for user in client.get("/api/users/?q=имя").get_json()]
    found, address = [], "/api/users/?q=имя&limit=10"
    while address:
        answer = client.get(address)
        assert answer.headers["X-Total-Count"] in {"25", "24"}
        found += [user["hikvision_id"] for user in answer.get_json()]
        link = re.fullmatch(r'<(/api/users/\?[!-~]*)>; rel="next"', answer.headers.get("Link", ""))
        address = link[1] if link else ""
        with app.app_context():
            db.session.execute(delete(Employee).where(Employee.number == wanted[9]))
            db.session.commit()

    assert found == wanted


@pytest.mark.parametrize("query", ["after=x", "after=x&sort=-name"])
def test_place_that_the_list_does_not_have_is_refused(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/api/users/?{query}")

    assert (answer.status_code, answer.get_json()["error"]) == (422, "cursor_unknown")
    assert answer.get_json()["message"] == "The list has no such place. Begin at its first page."


def test_page_begins_at_one_place(client: FlaskClient) -> None:
    answer = client.get("/api/users/?after=x&offset=1")

    assert (answer.status_code, answer.get_json()["error"]) == (422, "invalid_input")
    assert answer.get_json()["fields"] == {"after": "Either “after” or “offset” says where the page begins."}
