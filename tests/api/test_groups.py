"""Groups: added, changed, deleted; the people of their departments are brought to their terminals."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hikflask.services.groups import locks
from tests.support.api_calls import add, user
from tests.support.between import Between
from tests.support.groups import ENTRANCE, STORE, add_terminals, wishes
from tests.support.signed_in import client_of

pytestmark = pytest.mark.usefixtures("worker_alive")


@pytest.fixture
def ids(app: Flask) -> dict[str, int]:
    with app.app_context():
        return add_terminals(ENTRANCE, STORE)


def wished(app: Flask, number: str) -> dict[str, bool]:
    with app.app_context():
        return wishes(number)


def post(client: FlaskClient, **fields: Any) -> TestResponse:
    return client.post("/api/groups/", json=fields)


def test_group_is_added_and_answered_in_the_documented_shape(client: FlaskClient, ids: dict[str, int]) -> None:
    answer = post(client, name=" Офис ", device_ids=[ids[STORE], ids[ENTRANCE]], departments=["Охрана", " бухгалтерия"])

    assert answer.status_code == 201
    assert answer.json == {
        "id": 1,
        "name": "Офис",
        "device_ids": sorted(ids.values()),
        "departments": ["бухгалтерия", "Охрана"],
    }
    assert client.get("/api/groups/").json == [answer.json] == [client.get("/api/groups/1").json]
    assert post(client, name="Склад").json == {"id": 2, "name": "Склад", "device_ids": [], "departments": []}


@pytest.mark.usefixtures("one_is_many")
def test_change_and_deletion_are_applied_by_a_job(
    app: Flask, client: FlaskClient, ids: dict[str, int], run_jobs: Callable[[], int]
) -> None:
    added = add(client)
    created = post(client, name="Офис", device_ids=[ids[ENTRANCE]], departments=["Охрана"])
    run_jobs()
    assert wished(app, "100222") == {ENTRANCE: True}

    unconfirmed = client.put("/api/groups/1", json={"device_ids": [ids[STORE]]})
    assert (unconfirmed.status_code, unconfirmed.get_json()["error"], unconfirmed.get_json()["count"]) == (
        409,
        "unsafe_plan",
        1,
    )
    changed = client.put("/api/groups/1", json={"device_ids": [ids[STORE]], "confirm": 1})
    run_jobs()
    assert wished(app, "100222") == {STORE: True}
    same = client.put("/api/groups/1", json={"name": "Офисы"})
    assert client.delete("/api/groups/1").get_json()["count"] == 1
    deleted = client.delete("/api/groups/1?confirm=1")
    run_jobs()

    shape = {"id": 1, "name": "Офис", "device_ids": [ids[STORE]], "departments": ["Охрана"]}
    assert created.get_json()["job"] == 1
    assert (changed.status_code, changed.json) == (200, {**shape, "job": 2})
    assert same.json == {**shape, "name": "Офисы"}
    assert (deleted.status_code, deleted.json) == (200, {**shape, "name": "Офисы", "job": 3})
    assert client.get("/api/jobs/3").json == {"state": "running", "done": 0, "total": 1, "failed": []}
    assert wished(app, "100222") == {}
    assert client.get("/api/groups/").json == []
    assert user(client, added["id"])["is_active"]


@pytest.mark.both_databases
def test_put_leaves_what_somebody_else_changes_at_the_same_moment(
    app: Flask, client: FlaskClient, ids: dict[str, int], between: Between
) -> None:
    post(client, name="Офис", device_ids=[ids[ENTRANCE]], departments=["Охрана"])
    changed = {"device_ids": [ids[STORE]], "departments": ["Склад"]}
    other = between(locks, "change_alone", lambda: client_of(app).put("/api/groups/1", json=changed), before=True)

    answer = client.put("/api/groups/1", json={"name": "Офисы"})

    other.finish()
    assert (answer.status_code, other.result.status_code) == (200, 200)
    assert answer.json == {"id": 1, "name": "Офисы", **changed} == client.get("/api/groups/1").json


def test_wrong_input_names_its_field(client: FlaskClient) -> None:
    fields: dict[str, object] = {"name": "Офис", "device_ids": [], "departments": []}
    assert post(client, **fields).status_code == 201
    cases: list[tuple[dict[str, object], str]] = [
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": 7}, "name"),
        ({"device_ids": [99]}, "device_ids"),
        ({"device_ids": [2**40]}, "device_ids"),
        ({"device_ids": ["1"]}, "device_ids"),
        ({"device_ids": [True]}, "device_ids"),
        ({"device_ids": 1}, "device_ids"),
        ({"departments": [1]}, "departments"),
        ({"departments": "Охрана"}, "departments"),
        ({"departments": ["x" * 129]}, "departments"),
        ({"departments": [" "]}, "departments"),
    ]
    for spoilt, field in cases:
        for answer in (post(client, **{**fields, "name": "Склад", **spoilt}), client.put("/api/groups/1", json=spoilt)):
            assert answer.status_code == 422
            assert list(answer.get_json()["fields"]) == [field]
        assert [one["name"] for one in client.get("/api/groups/").get_json()] == ["Офис"]


def test_known_name_and_unknown_group_are_refused(client: FlaskClient) -> None:
    post(client, name="Офис")
    post(client, name="Склад")

    for answer in (post(client, name="Офис"), client.put("/api/groups/2", json={"name": "Офис"})):
        assert (answer.status_code, answer.get_json()["error"], list(answer.get_json()["fields"])) == (
            409,
            "group_known",
            ["name"],
        )
    for answer in (client.get("/api/groups/9"), client.put("/api/groups/9", json={}), client.delete("/api/groups/9")):
        assert (answer.status_code, answer.get_json()["error"]) == (404, "not_found")


def test_import_brings_people_to_the_terminals_of_their_groups_only_when_asked(
    app: Flask, client: FlaskClient, ids: dict[str, int], run_jobs: Callable[[], int]
) -> None:
    post(client, name="Офис", device_ids=[ids[ENTRANCE]], departments=["Охрана"])
    post(client, name="Склад", device_ids=[ids[STORE]], departments=["Кладовая"])

    def send(table: str, **fields: str) -> dict[str, Any]:
        file = (io.BytesIO(f"ID;ФИО;Отдел\n{table}".encode()), "people.csv")
        answer = client.post("/api/users/import", data={"file": file, **fields})
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())

    assert send("1;Анна;Охрана")["new"] == 1
    assert wished(app, "1") == {}
    assert send("1;Анна;Охрана")["unchanged"] == 1
    assert send("1;Анна;Охрана", groups="true")["changed"] == 1
    assert wished(app, "1") == {ENTRANCE: True}
    assert send("1;Анна;Охрана", groups="true")["unchanged"] == 1
    moved = send("1;Анна;Кладовая", confirm="1")  # Nobody keeps the old doors, and none are given.
    assert wished(app, "1") == {}
    with app.app_context():
        undone = app.test_cli_runner().invoke(args=["employees", "undo", str(moved["batch"])])
    assert undone.exit_code == 0, undone.output
    assert wished(app, "1") == {ENTRANCE: True}
    send("1;Анна;Кладовая\n2;Олег;Охрана", groups="true", confirm="1")
    assert (wished(app, "1"), wished(app, "2")) == ({STORE: True}, {ENTRANCE: True})
    run_jobs()
