"""Through every door: many lose access only by an administrator who confirms how many, on a page with the password.

Each door sends its request to every address that it has, the operators' first, and an administrator's with the password
asked for again last.
"""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hikflask.extensions import db
from hikflask.models import Department, Job, Terminal
from hikflask.models.job import DRAFT
from hikflask.models.operator import ADMIN, OPERATOR
from hikflask.services.captures.drafts import Draft
from hikflask.services.comparisons import queries
from hikflask.services.comparisons.plan import REMOVE
from hikflask.services.departments import registry as departments
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.save import save_employee
from hikflask.services.jobs.draft import make_draft
from hikflask.services.jobs.kinds import DEACTIVATE, DEPARTMENT
from hikflask.services.jobs.plans import choices
from hikflask.simulator import Terminal as Simulated
from tests.support.comparisons import compare, strangers
from tests.support.desk import ENGLISH
from tests.support.filled_forms import digest_of
from tests.support.groups import make_group
from tests.support.signed_in import client_of

pytestmark = [pytest.mark.usefixtures("worker_alive", "people"), pytest.mark.both_databases]
# Who is at the terminal by the group of their department, and who is there for the terminal alone.
NUMBERS, STRANGERS = ("1", "2", "3"), ("7", "8", "9")
Door = Callable[[FlaskClient, str], list[TestResponse]]


@pytest.fixture
def people(app: Flask, terminal: Terminal, simulator: Simulated) -> None:
    """Three guards at the terminal; an empty department to move them to; a comparison with three strangers."""
    with app.app_context():
        for number in NUMBERS:
            save_employee(Draft(number, f"Иван {number}", "Охрана"))
        departments.add("Склад")
        make_group("Офис", [terminal.id], "Охрана")
        strangers(simulator, STRANGERS)
        compare(terminal)


def apply_by_api(client: FlaskClient, confirm: str) -> list[TestResponse]:
    counted = {"confirm": int(confirm)} if confirm else {}
    return [client.post("/api/devices/1/apply", json={"remove": STRANGERS, **counted})]


def apply_on_page(client: FlaskClient, confirm: str) -> list[TestResponse]:
    with client.application.app_context():
        comparison = queries.finished(1)
        assert comparison is not None
        choices.choose(comparison, "only_there", REMOVE)
    page = "/terminals/1/comparison/plan"
    shown = digest_of(client_of(client.application).get(page).text)
    return [client.post(path, data={"shown": shown, "confirm": confirm}) for path in (page, f"{page}/remove")]


def change_group_by_api(client: FlaskClient, confirm: str) -> list[TestResponse]:
    counted = {"confirm": int(confirm)} if confirm else {}
    return [client.put("/api/groups/1", json={"departments": [], **counted})]


def delete_group_by_api(client: FlaskClient, confirm: str) -> list[TestResponse]:
    return [client.delete("/api/groups/1" + (f"?confirm={confirm}" if confirm else ""))]


def delete_group_on_page(client: FlaskClient, confirm: str) -> list[TestResponse]:
    shown = digest_of(client_of(client.application).get("/groups/1/delete").text)
    return [client.post("/groups/1/delete", data={"shown": shown, "confirm": confirm})]


def merge_on_page(client: FlaskClient, confirm: str) -> list[TestResponse]:
    shown = digest_of(client.get("/departments/merge?department=1&into=2").text)
    typed = {"department": "1", "into": "2", "shown": shown, "confirm": confirm}
    return [client.post(f"/departments/merge{path}", data=typed) for path in ("", "/remove")]


def draft(client: FlaskClient, kind: str) -> str:
    with client.application.app_context():
        return f"/jobs/{make_draft(kind, EmployeeFilter()).id}"


def move_by_job(client: FlaskClient, confirm: str) -> list[TestResponse]:
    page, typed = draft(client, DEPARTMENT), {"department": "Склад", "confirm": confirm}
    asked = client_of(client.application).post(f"{page}/start", data=typed)
    typed["shown"] = digest_of(asked.text)
    return [client.post(f"{page}{path}", data=typed) for path in ("/start", "/remove")]


def deactivate_by_job(client: FlaskClient, confirm: str) -> list[TestResponse]:
    page = draft(client, DEACTIVATE)
    return [client.post(f"{page}{path}", data={"confirm": confirm}) for path in ("/start", "/deactivate")]


DOORS: list[Door] = [
    apply_by_api, apply_on_page, change_group_by_api, delete_group_by_api, delete_group_on_page, merge_on_page,
    move_by_job, deactivate_by_job,
]  # fmt: skip


def begun(app: Flask) -> int:
    """How many jobs were started, and departments merged."""
    with app.app_context():
        jobs = db.session.query(Job).filter(Job.state != DRAFT).count()
        return jobs + 2 - db.session.query(Department).count()


@pytest.mark.parametrize("door", DOORS)
def test_operator_takes_access_from_nobody_in_bulk(app: Flask, door: Door) -> None:
    before = begun(app)

    answers = door(client_of(app, OPERATOR), "3")

    assert {answer.status_code for answer in answers} == {403}
    assert begun(app) == before


@pytest.mark.parametrize("door", DOORS)
def test_administrator_confirms_how_many_lose_access(app: Flask, door: Door) -> None:
    client, before = client_of(app), begun(app)

    for wrong in ("", "2"):
        *without_password, answer = door(client, wrong)
        assert answer.status_code in {409, 422}
        assert {one.status_code for one in without_password} <= {403}
    assert begun(app) == before
    answer = door(client, "3")[-1]

    assert answer.status_code in {200, 202, 303}
    assert begun(app) > before


@pytest.mark.parametrize("door", [door for door in DOORS if not door.__name__.endswith("_by_api")])
def test_password_is_asked_for_first(app: Flask, door: Door) -> None:
    before = begun(app)

    answers = door(client_of(app, ADMIN, confirmed=False), "3")

    assert {answer.status_code for answer in answers} == {403}
    assert begun(app) == before


def test_refusal_to_an_operators_token_names_people_and_terminals(app: Flask) -> None:
    (refused,) = apply_by_api(client_of(app, OPERATOR), "3")

    assert refused.json == {
        "error": "administrator_needed",
        "message": "3 people lose access to Вход. Only an administrator may do that.",
    }


def test_operators_page_says_whose_it_is_to_do(app: Flask) -> None:
    operator = client_of(app, OPERATOR)
    page = draft(operator, DEPARTMENT)

    for headers, sentence in (
        (ENGLISH, "Access is taken from many. Only an administrator can do that."),
        ({"Accept-Language": "ru"}, "Доступ потеряют многие сотрудники. Это может сделать только администратор."),
    ):
        asked = operator.post(f"{page}/start", data={"department": "Склад"}, headers=headers)
        assert (asked.status_code, sentence in asked.text, 'name="shown"' in asked.text) == (422, True, False)
