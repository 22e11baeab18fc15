"""Compare and apply: the lists of numbers, the job, and what is refused."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from hikflask.background import tasks
from hikflask.extensions import db
from hikflask.models import Employee, Job, Terminal
from hikflask.models.columns import database_now
from hikflask.services.captures.drafts import Draft
from hikflask.services.photos import storage
from hikflask.services.terminals import leases
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import OTHER_FACE
from tests.support.comparisons import compare, last_row_again, limit_there, show_numbers_otherwise, strangers
from tests.support.enrolments import enrol
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

NOTHING: dict[str, list[str]] = {
    "name": [], "face_missing": [], "face_other": [], "only_here": [], "only_there": [], "validity": [],
}  # fmt: skip


def compared(client: FlaskClient) -> dict[str, Any]:
    answer = client.post("/api/devices/1/compare")
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


def test_comparison_lists_the_numbers_that_differ(
    client: FlaskClient, simulator: Simulated, terminal: Terminal
) -> None:
    enrol(simulator, terminal)
    assert compared(client) == {"same": 1, **NOTHING}

    simulator.people["100222"]["name"] = "Пётр Петров"
    strangers(simulator, ["902", "901"])

    assert compared(client) == {"same": 0, **NOTHING, "name": ["100222"], "only_there": ["901", "902"]}


def test_list_that_leaves_people_out_comes_with_a_warning(
    client: FlaskClient, simulator: Simulated, terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    strangers(simulator, [f"9{number:02}" for number in range(30)])
    enrol(simulator, terminal)
    last_row_again(simulator, wire, monkeypatch)
    no_count = frozenset({"AccessControl/UserInfo/Count"})
    simulator.profile = dataclasses.replace(simulator.profile, tells_page_as_total=True, missing=no_count)

    found = compared(client)

    assert (found["same"], found["only_here"], len(found["only_there"])) == (1, [], 30)
    assert found["warning"] == (
        "The terminal may leave people out of its list. Employees were asked for by ID, others may be on it, too."
    )


def test_ids_that_the_terminal_shows_otherwise_come_with_a_warning_and_are_not_removed(
    client: FlaskClient,
    simulator: Simulated,
    terminal: Terminal,
    wire: InProcess,
    monkeypatch: pytest.MonkeyPatch,
    run_jobs: Callable[[], int],
) -> None:
    enrol(simulator, terminal, Draft("007", "Ольга Орлова"))
    show_numbers_otherwise(wire, monkeypatch)

    found = compared(client)
    job = settled(client, apply(client, remove=["7"])[1]["job"], run_jobs)

    assert (found["only_there"], found["warning"]) == (
        ["7"],
        "The terminal shows IDs without leading zeros or in upper case, so it shows employees as others. "
        "These are not removed.",
    )
    assert job["failed"] == [{"number": "7", "error": "own_number_there"}]
    assert "007" in simulator.people


def test_busy_or_silent_terminal_answers_as_elsewhere(client: FlaskClient, terminal: Terminal, wire: InProcess) -> None:
    lease = leases.acquire(terminal.id, "Борис", "capture", 20.0)
    busy = client.post("/api/devices/1/compare")
    assert (busy.status_code, busy.get_json()["error"]) == (409, "terminal_in_use")
    lease.release()
    wire.away.add("terminal.test")
    silent = client.post("/api/devices/1/compare")
    assert (silent.status_code, silent.get_json()["error"]) == (503, "unreachable")


@pytest.mark.usefixtures("terminal")
def test_refused_password_answers_as_elsewhere(client: FlaskClient, simulator: Simulated) -> None:
    simulator.login.password = "another"

    answers = [client.post("/api/devices/1/compare") for _ in range(2)]

    assert [(one.status_code, one.get_json()["error"]) for one in answers] == [(502, "wrong_password")] * 2
    assert simulator.wrong_passwords == 1


def apply(client: FlaskClient, **lists: Any) -> tuple[int, dict[str, Any]]:
    answer = client.post("/api/devices/1/apply", json=lists)
    return answer.status_code, dict(answer.json or {})


def test_plan_is_carried_out_by_a_job(
    client: FlaskClient, simulator: Simulated, terminal: Terminal, run_jobs: Callable[[], int]
) -> None:
    enrol(simulator, terminal)
    strangers(simulator, [f"9{number:02}" for number in range(30)])
    simulator.people["100222"]["name"] = "Пётр Петров"
    compared(client)

    status, begun = apply(client, send=["100222"], remove=["901", "902"], take_over=["903"])

    assert (status, set(begun)) == (202, {"job"})
    job = settled(client, begun["job"], run_jobs)
    assert job == {"state": "done", "done": 4, "total": 4, "failed": []}
    assert simulator.people["100222"]["name"] == "Иван Иванов"
    assert {"901", "902"}.isdisjoint(simulator.people)
    assert "903" in [user["hikvision_id"] for user in client.get("/api/users/").get_json()]


def settled(client: FlaskClient, job_id: int, run_jobs: Callable[[], int]) -> dict[str, Any]:
    """Let the worker do what is due until the job has ended."""
    for _ in range(20):
        db.session.execute(db.update(Job).values(claimed_until=database_now(-1)))  # It looks again after a while.
        db.session.commit()
        tasks.sweep()
        run_jobs()
        answer = client.get(f"/api/jobs/{job_id}").get_json()
        if answer["state"] not in {"waiting", "running"}:
            break
    return dict(answer)


def test_answer_says_what_becomes_of_the_days_on_the_terminal(
    client: FlaskClient, simulator: Simulated, terminal: Terminal, run_jobs: Callable[[], int]
) -> None:
    strangers(simulator, ["901", "902", "903", "904"])
    limit_there(simulator, "901", "2025-12-31T23:59:59")
    limit_there(simulator, "902", "2036-07-01T18:00:00")
    limit_there(simulator, "903", "2045-12-31T23:59:59", "2040-01-01T00:00:00")
    compare(terminal)

    status, begun = apply(client, take_over=["901", "902", "903", "904"], confirm=1)

    assert status == 202
    assert begun["notes"] == [
        {
            "number": "901",
            "code": "comes_in_inactive",
            "message": "The validity is over: comes in as inactive, and is removed from the terminal.",
            "valid_from": None,
            "valid_to": "2025-12-31",
        },
        {
            "number": "902",
            "code": "whole_days",
            "message": "The validity on the terminal begins or ends within a day, "
            "and only the whole days in it count here.",
            "valid_from": None,
            "valid_to": "2036-06-30",
        },
    ]
    job = settled(client, begun["job"], run_jobs)
    assert job["failed"] == [{"number": "903", "error": "validity_outside"}]
    users = {
        user["hikvision_id"]: (user["is_active"], user["valid_to"]) for user in client.get("/api/users/").get_json()
    }
    assert users == {"901": (False, "2025-12-31"), "902": (True, "2036-06-30"), "904": (True, "2035-12-31")}
    assert set(simulator.people) == {"902", "903", "904"}


@pytest.mark.usefixtures("one_is_many")
def test_plan_that_removes_many_needs_their_number(
    client: FlaskClient, simulator: Simulated, terminal: Terminal
) -> None:
    strangers(simulator, [f"9{number:02}" for number in range(10)])
    compare(terminal)

    status, refused = apply(client, remove=["901", "902"])

    assert (status, refused["error"], refused["count"]) == (409, "unsafe_plan", 2)
    assert refused["message"] == "By this, many people lose access. To confirm, enter how many: 2."
    assert apply(client, remove=["901", "902"], confirm=3)[1]["error"] == "unsafe_plan"
    assert apply(client, remove=["901", "902"], confirm=2)[0] == 202
    assert len(simulator.people) == 10


@pytest.mark.usefixtures("one_is_many")
def test_plan_that_is_named_is_carried_out_only_as_it_was(
    client: FlaskClient, simulator: Simulated, terminal: Terminal
) -> None:
    strangers(simulator, [f"9{number:02}" for number in range(10)])
    compare(terminal)
    named = apply(client, remove=["901", "902"])[1]["plan"]
    simulator.people["901"]["name"] = "Другой"
    compare(terminal)

    status, refused = apply(client, remove=["901", "902"], confirm=2, plan=named)

    assert (status, refused) == (
        409,
        {
            "error": "plan_changed",
            "message": "This has changed since it was shown. Nothing is done: check it again.",
        },
    )
    assert db.session.query(Job).count() == 0
    named = apply(client, remove=["901", "902"])[1]["plan"]
    assert apply(client, remove=["901", "902"], plan=named)[1]["error"] == "unsafe_plan"
    assert apply(client, remove=["901", "902"], confirm=2, plan=named)[0] == 202


def test_another_name_is_taken_over_only_where_the_program_says_that_it_is_the_same_person(
    client: FlaskClient, simulator: Simulated, terminal: Terminal, run_jobs: Callable[[], int]
) -> None:
    enrol(simulator, terminal)
    simulator.people["100222"]["name"] = "Пётр Петров"
    compare(terminal)

    _, begun = apply(client, take_over=["100222"])

    assert settled(client, begun["job"], run_jobs)["failed"] == [{"number": "100222", "error": "name_differs"}]
    _, begun = apply(client, take_over=["100222"], same_person=["100222"])
    assert settled(client, begun["job"], run_jobs)["failed"] == []
    assert client.get("/api/users/1").get_json()["full_name"] == "Пётр Петров"


@pytest.mark.usefixtures("one_is_many")
def test_another_face_is_taken_over_only_where_the_program_names_it(
    client: FlaskClient, simulator: Simulated, terminal: Terminal, run_jobs: Callable[[], int]
) -> None:
    enrol(simulator, terminal)
    simulator.store.bind("100222", OTHER_FACE)
    compare(terminal)
    photo = client.get("/api/users/1").get_json()["photo_path"]

    status, begun = apply(client, take_over=["100222"], same_person=["100222"])

    there = {"100222": storage.sha256(OTHER_FACE)}
    assert (status, begun["faces"]) == (202, there)
    failed = settled(client, begun["job"], run_jobs)["failed"]
    assert failed == [{"number": "100222", "error": "face_differs"}]
    assert client.get("/api/users/1").get_json()["photo_path"] == photo

    assert apply(client, take_over=["100222"], faces=there)[1]["error"] == "unsafe_plan"
    _, begun = apply(client, take_over=["100222"], faces=there, confirm=1)
    assert "faces" not in begun
    assert settled(client, begun["job"], run_jobs)["failed"] == []
    assert client.get(client.get("/api/users/1").get_json()["photo_path"]).data == OTHER_FACE
    for wrong in (["100222"], {"100222": 1}, "100222"):
        status, refused = apply(client, take_over=["100222"], faces=wrong)
        assert (status, refused["fields"]) == (422, {"faces": "An object with string values is expected."})


def test_unknown_numbers_and_wrong_bodies_are_refused(
    client: FlaskClient, simulator: Simulated, terminal: Terminal
) -> None:
    assert apply(client, send=["1"]) == (
        409, {"error": "not_compared", "message": "The terminal was not compared yet. Compare it first."},
    )  # fmt: skip
    strangers(simulator, ["900"])
    compare(terminal)

    status, unknown = apply(client, send=["1"], take_over=["900"])
    assert (status, unknown["error"]) == (422, "numbers_unknown")
    assert unknown["fields"] == {"send": "Neither here nor on the terminal: 1."}
    twice = {"remove": ["900"], "take_over": ["900"]}
    for wrong in ({"send": "1"}, {"send": [1]}, twice, {"confirm": True}, {"plan": 1}):
        status, refused = apply(client, **wrong)
        assert (status, refused["error"]) == (422, "invalid_input")


@pytest.mark.usefixtures("terminal")
def test_taking_over_is_previewed_and_undone(
    client: FlaskClient, simulator: Simulated, run_jobs: Callable[[], int]
) -> None:
    strangers(simulator, ["900", "901"])
    client.post("/api/devices/1/compare")
    job = client.post("/api/devices/1/apply", json={"take_over": ["900", "901"]}).get_json()["job"]
    run_jobs()
    db.session.execute(db.update(Employee).where(Employee.number == "900").values(department="Склад"))
    db.session.commit()
    assert client.get(f"/api/jobs/{job}/undo").json == {"people": 1, "changed": 1}
    assert client.post(f"/api/jobs/{job}/undo", json={"people": 1}).get_json()["error"] == "plan_changed"

    begun = client.post(f"/api/jobs/{job}/undo", json={"people": 2})
    run_jobs()

    assert begun.status_code == 202
    assert client.get(f"/api/jobs/{begun.get_json()['job']}").get_json() == {
        "state": "done",
        "done": 2,
        "total": 2,
        "failed": [{"number": "900", "error": "changed_since"}],
    }
    assert [user["hikvision_id"] for user in client.get("/api/users/").get_json()] == ["900"]
    assert list(simulator.people) == ["900", "901"]
    assert client.get(f"/api/jobs/{begun.get_json()['job']}/undo").status_code == 404
    assert client.post("/api/jobs/99/undo").status_code == 404
