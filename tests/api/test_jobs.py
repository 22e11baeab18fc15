"""GET /api/jobs/{id}: how far a job is, and who failed."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.models.accounts import VIEWER
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import DEPARTMENT
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.changes.run import run_slice
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.employees.selection import make_draft
from tests.support.jobs import add_people, run, started
from tests.support.signed_in import client_of


@pytest.fixture
def claim(app: Flask) -> Claim:
    """A job for two, one of whom is deleted meanwhile."""
    with app.app_context():
        people = add_people("1", "2")
        claim = started(DEPARTMENT, people, department="Охрана")
        delete_employee(people[0])
        return claim


def test_answer_says_how_far_it_is_and_who_failed(app: Flask, claim: Claim) -> None:
    viewer, address = client_of(app, VIEWER), f"/api/jobs/{claim.job_id}"
    assert viewer.get(address).json == {"state": "waiting", "done": 0, "total": 2, "failed": []}
    failed = [{"number": "1", "error": "employee_unknown"}]
    with app.app_context():
        run_slice(claim, seconds=0.0)
    assert viewer.get(address).json == {"state": "running", "done": 1, "total": 2, "failed": failed}
    with app.app_context():
        run(claim)

    assert viewer.get(address).json == {"state": "done", "done": 2, "total": 2, "failed": failed}


def test_many_who_failed_are_told_by_pages(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        people = add_people("1", "2", "3")
        claim = started(DEPARTMENT, people, department="Охрана")
        for employee_id in people:
            delete_employee(employee_id)
        run(claim)

    address, numbers = f"/api/jobs/{claim.job_id}?limit=2", []
    while address:
        answer = client.get(address)
        assert answer.json
        assert (answer.status_code, answer.json["done"]) == (200, 3)
        numbers.append([item["number"] for item in answer.json["failed"]])
        address = answer.headers.get("Link", "").partition(">")[0].lstrip("<")

    assert numbers == [["1", "2"], ["3"]]
    refused = client.get(f"/api/jobs/{claim.job_id}?after=x")
    assert (refused.status_code, refused.json and refused.json["error"]) == (422, "cursor_unknown")


def test_stopped_job_says_so(app: Flask, client: FlaskClient, claim: Claim) -> None:
    with app.app_context():
        lifecycle.stop_job(claim.job_id)

    assert client.get(f"/api/jobs/{claim.job_id}").json == {"state": "stopped", "done": 0, "total": 2, "failed": []}


def test_unknown_job_and_a_preview_are_no_jobs(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        draft = make_draft(DEPARTMENT, EmployeeFilter(), add_people("1")).id

    for address in (f"/api/jobs/{draft}", "/api/jobs/999"):
        answer = client.get(address)
        assert (answer.status_code, answer.json) == (404, {"error": "not_found", "message": "There is no such job."})
