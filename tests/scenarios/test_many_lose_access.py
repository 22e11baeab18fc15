"""Through every door: many lose access only by an administrator who confirms how many, on a page with the password.

Each door sends its request to every address that it has, the operators' first, and an administrator's with the password
asked for again last.
"""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hikflask.api import imports as api_imports
from hikflask.extensions import db
from hikflask.models import Department, Employee, Enrolment, ImportBatch, Job, JobItem, Terminal
from hikflask.models.accounts import ADMIN, OPERATOR
from hikflask.models.columns import database_now
from hikflask.models.job import DRAFT, FAILED
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes.kinds import APPLY, DEACTIVATE, DEPARTMENT, GROUPS, IMPORT, IMPORT_UNDO
from hikflask.services.comparisons import plan_choices, queries
from hikflask.services.comparisons.plan import REMOVE, SEND, TAKE_OVER
from hikflask.services.core.dates import today
from hikflask.services.departments import registry as departments
from hikflask.services.employees import search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.save import save_employee
from hikflask.services.employees.selection import make_draft
from hikflask.services.groups.registry import Wanted
from hikflask.simulator import Terminal as Simulated
from tests.support.comparisons import compare, limit_there, strangers
from tests.support.desk import ENGLISH
from tests.support.filled_forms import digest_of, form_to, words
from tests.support.groups import add_terminals, change_group, make_group, wishes
from tests.support.imports import apply, checked
from tests.support.jobs import started
from tests.support.signed_in import client_of

pytestmark = pytest.mark.usefixtures("worker_alive", "people")
PACKAGE = Path(__file__).resolve().parents[2] / "hikflask"
# Who is at the terminal by the group of their department, and who is there for the terminal alone.
NUMBERS, STRANGERS = ("1", "2", "3"), ("7", "8", "9")
LEAVERS = "ID;Уволен\n1;да\n2;да\n3;да\n"
MOVED = "ID;Отдел\n1;Склад\n2;Склад\n3;Новый\n"
# Who started what a door begins with.
EARLIER = "Борис"
Door = Callable[[FlaskClient, str], list[TestResponse]]


@pytest.fixture
def people(app: Flask, terminal: Terminal, simulator: Simulated) -> None:
    """Three guards at the terminal, an empty department to move them to, and a comparison.

    It shows three strangers, and the guards with days that have not begun.
    """
    with app.app_context():
        for number in NUMBERS:
            save_employee(Draft(number, f"Иван {number}", "Охрана"))
        departments.add("Склад")
        make_group("Офис", [terminal.id], "Охрана")
        strangers(simulator, [*STRANGERS, *NUMBERS])
        for number in NUMBERS:
            simulator.people[number]["name"] = f"Иван {number}"
            limit_there(simulator, number, "2037-12-31T23:59:59", "2033-01-01T00:00:00")
        compare(terminal)


def apply_by_api(client: FlaskClient, confirm: str) -> list[TestResponse]:
    counted = {"confirm": int(confirm)} if confirm else {}
    return [client.post("/api/devices/1/apply", json={"remove": STRANGERS, **counted})]


def apply_days_by_api(client: FlaskClient, confirm: str) -> list[TestResponse]:
    counted = {"confirm": int(confirm)} if confirm else {}
    return [client.post("/api/devices/1/apply", json={"take_over": NUMBERS, **counted})]


def apply_days_on_page(client: FlaskClient, confirm: str) -> list[TestResponse]:
    return choose_and_start(client, confirm, "validity", TAKE_OVER)


def replace_by_api(client: FlaskClient, confirm: str) -> list[TestResponse]:
    with client.application.app_context():
        for number in STRANGERS:
            if search.by_number(number) is None:
                save_employee(Draft(number, f"Подмена {number}"))
    counted = {"confirm": int(confirm)} if confirm else {}
    return [client.post("/api/devices/1/apply", json={"send": STRANGERS, "same_person": STRANGERS, **counted})]


def apply_on_page(client: FlaskClient, confirm: str) -> list[TestResponse]:
    return choose_and_start(client, confirm, "only_there", REMOVE)


def choose_and_start(client: FlaskClient, confirm: str, kind: str, action: str) -> list[TestResponse]:
    with client.application.app_context():
        comparison = queries.finished(1)
        assert comparison is not None
        plan_choices.choose(comparison, kind, action)
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


def import_by_api(client: FlaskClient, confirm: str, table: str = LEAVERS) -> list[TestResponse]:
    typed = {"file": (io.BytesIO(table.encode()), "люди.csv"), "confirm": confirm}
    return [client.post("/api/users/import", data=typed if confirm else {"file": typed["file"]})]


def import_departments_by_api(client: FlaskClient, confirm: str) -> list[TestResponse]:
    return import_by_api(client, confirm, MOVED)


def import_ends_by_api(client: FlaskClient, confirm: str) -> list[TestResponse]:
    with client.application.app_context():
        soon = today() + timedelta(days=31)
    return import_by_api(client, confirm, f"ID;Действует по\n1;{soon}\n2;{soon}\n3;{soon}\n")


def import_on_page(client: FlaskClient, confirm: str) -> list[TestResponse]:
    with client.application.app_context():
        page = f"/imports/{checked(*MOVED.splitlines()[1:], header='ID;Отдел')}"
    return [client.post(f"{page}{path}", data={"confirm": confirm}) for path in ("/start", "/deactivate")]


def undo_on_page(client: FlaskClient, confirm: str) -> list[TestResponse]:
    with client.application.app_context():
        earlier = db.session.query(ImportBatch).count()
        rows = [f"{earlier}{number};Олег;Охрана" for number in "456"]
        batch_id = checked(*rows, header="ID;ФИО;Отдел", terminal_id=1)
        job = apply(batch_id)
        db.session.execute(db.update(Job).where(Job.id == job.id).values(requested_by=EARLIER))
        db.session.commit()
    typed = {"confirm": confirm, "rows": "3"}
    return [client.post(f"/imports/{batch_id}/undo{path}", data=typed) for path in ("", "/remove")]


DOORS: list[Door] = [
    import_by_api, import_departments_by_api, import_ends_by_api, import_on_page, undo_on_page,
    apply_by_api, apply_on_page, apply_days_by_api, apply_days_on_page, replace_by_api,
    change_group_by_api, delete_group_by_api, delete_group_on_page, merge_on_page, move_by_job, deactivate_by_job,
]  # fmt: skip


def begun(app: Flask) -> int:
    """How many jobs were started that take access from somebody, and how many departments merged."""
    with app.app_context():
        kinds = (APPLY, DEACTIVATE, DEPARTMENT, GROUPS, IMPORT, IMPORT_UNDO)
        started = (Job.state != DRAFT, Job.kind.in_(kinds), Job.requested_by != EARLIER)
        merged = 2 - db.session.query(Department).filter(Department.name.in_(("Охрана", "Склад"))).count()
        return db.session.query(Job).filter(*started).count() + merged


@pytest.mark.parametrize("door", DOORS)
def test_administrator_with_the_password_confirms_how_many_lose_access(app: Flask, door: Door) -> None:
    client, before = client_of(app), begun(app)

    refused = door(client_of(app, OPERATOR), "3")
    if not door.__name__.endswith("_by_api"):
        refused += door(client_of(app, ADMIN, confirmed=False), "3")
    assert {answer.status_code for answer in refused} == {403}
    for wrong in ("", "2"):
        *without_password, answer = door(client, wrong)
        assert answer.status_code in {409, 422}
        assert {one.status_code for one in without_password} <= {403}
    assert begun(app) == before
    answer = door(client, "3")[-1]

    assert answer.status_code in {200, 202, 303}
    assert begun(app) > before


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


def test_dry_run_names_terminals_people_and_leavers(app: Flask) -> None:
    client = client_of(app, OPERATOR)

    def dry_run(table: str) -> dict[str, Any]:
        typed = {"file": (io.BytesIO(table.encode()), "люди.csv"), "dry_run": "true"}
        return dict(client.post("/api/users/import", data=typed).json or {})

    lost = {"people": 3, "devices": [{"device_id": 1, "name": "Вход", "lose": 3, "people": 3}]}
    assert dry_run(LEAVERS) | {"leavers": 3, "lose_access": lost} == dry_run(LEAVERS)
    assert dry_run(MOVED) | {"lose_access": lost} == dry_run(MOVED)
    assert "leavers" not in dry_run(MOVED)
    assert "lose_access" not in dry_run("ID;ФИО\n1;Пётр\n")


def test_import_that_was_refused_leaves_nothing_and_a_long_one_says_why(
    app: Flask, monkeypatch: pytest.MonkeyPatch, run_jobs: Callable[[], int]
) -> None:
    client = client_of(app)
    (refused,) = import_by_api(client, "")
    assert refused.json == {
        "error": "unsafe_plan",
        "message": "By this, many people lose access. To confirm, enter how many: 3.",
        "fields": {"confirm": "By this, many people lose access. To confirm, enter how many: 3."},
        "count": 3,
    }
    with app.app_context():
        assert db.session.query(ImportBatch).count() == 0

    monkeypatch.setattr(api_imports, "MAX_ROWS", 2)
    for by, confirm, code in ((OPERATOR, "3", "administrator_needed"), (ADMIN, "", "unsafe_plan")):
        (begun,) = import_by_api(client_of(app, by), confirm)
        run_jobs()
        assert client.get(f"/api/jobs/{begun.get_json()['job']}").get_json()["import"]["error"] == code
    (begun,) = import_by_api(client, "3")
    run_jobs()
    done = client.get(f"/api/jobs/{begun.get_json()['job']}").get_json()["import"]
    assert (done["changed"], done["leavers"], done["lose_access"]["people"]) == (3, 3, 3)


def test_page_of_an_import_names_terminals_and_asks_an_administrator_for_the_number(app: Flask) -> None:
    with app.app_context():
        page = f"/imports/{checked(*MOVED.splitlines()[1:], header='ID;Отдел')}"

    english = words(client_of(app, OPERATOR).get(page, headers=ENGLISH))
    assert "Вход : lose access: 3 of 3" in english
    assert "Access is taken from many. Only an administrator can import this." in english
    russian = words(client_of(app).get(page, headers={"Accept-Language": "ru"}))
    assert "Вход : доступ потеряют 3 из 3" in russian
    assert "Чтобы подтвердить, введите их количество: 3" in russian


def test_page_says_how_many_the_same_hand_took_within_a_day(app: Flask) -> None:
    with app.app_context():
        first, rest = (
            f"/imports/{checked(*rows, header='ID;Отдел')}" for rows in (["1;Склад", "2;Склад"], ["3;Склад"])
        )
    admin = client_of(app)
    begun = form_to(admin.get(first).text, f"{first}/start").send(admin)
    assert begun.status_code == 303

    assert "taken access" not in client_of(app, OPERATOR).get(rest, headers=ENGLISH).text
    english = words(admin.get(rest, headers=ENGLISH))
    assert "Within a day you have already taken access from: 2. Together that is many." in english
    assert "Access is taken from many. To confirm, enter how many: 1" in english
    russian = words(admin.get(rest, headers={"Accept-Language": "ru"}))
    assert "За сутки вы уже лишили доступа: 2. Вместе это много." in russian


@pytest.mark.parametrize("door", [move_by_job, delete_group_by_api, apply_by_api, apply_days_by_api, replace_by_api])
def test_job_goes_on_by_which_many_lose_access_only_as_one_is_started(app: Flask, door: Door) -> None:
    admin, operator = client_of(app), client_of(app, OPERATOR)
    door(admin, "3")
    with app.app_context():
        job_id = db.session.query(db.func.max(Job.id)).scalar()
    page = f"/jobs/{job_id}"
    interrupted(app, job_id)

    for headers, sentence in (
        (ENGLISH, "3 people lose access to Вход. Only an administrator may do that."),
        (
            {"Accept-Language": "ru"},
            "Доступ потеряют сотрудники: 3. Терминалы: Вход. Это может сделать только администратор.",
        ),
    ):
        refused = operator.post(f"{page}/retry", headers=headers)
        assert (refused.status_code, sentence in refused.text) == (403, True)
    assert "job-retry" not in operator.get(page).text
    assert 'id="job-retry"' in admin.get(page).text

    asked = admin.post(f"{page}/retry", data={"confirm": "3"}, headers=ENGLISH, follow_redirects=True)
    assert "Вход : lose access: 3 of" in words(asked)
    assert "Access is taken from many. To confirm, enter how many: 3" in words(asked)
    russian = words(admin.get(f"{page}/retry", headers={"Accept-Language": "ru"}))
    assert "Вход : доступ потеряют 3 из" in russian
    assert "Доступ потеряют многие. Чтобы подтвердить, введите их количество: 3" in russian
    form = form_to(asked.text, f"{page}/retry/remove")
    for typed in ("", "2"):
        wrong = form.send(admin, ENGLISH, confirm=typed)
        assert wrong.status_code == 409
        assert "By this, many people lose access. To confirm, enter how many: 3." in words(wrong)
    assert form.send(operator, confirm="3").status_code == 403
    assert form.send(client_of(app, ADMIN, confirmed=False), confirm="3").status_code == 403
    assert 'id="job-retry"' in admin.get(page).text

    assert [form.send(admin, confirm="3").location for _ in range(2)] == [page, page]
    assert "job-retry" not in admin.get(page).text
    assert admin.get(f"{page}/retry").location == page


def test_operator_renames_the_department_of_a_stopped_job_and_nobody_loses_access(
    app: Flask, terminal: Terminal, run_jobs: Callable[[], int]
) -> None:
    with app.app_context():
        change_group(1, Wanted("Офис", [terminal.id], ["Охрана", "Склад"]))
        store = departments.id_of("Склад")
    operator = client_of(app, OPERATOR)
    page = draft(operator, DEPARTMENT)
    operator.post(f"{page}/start", data={"department": "склад"})
    operator.post(f"{page}/stop")
    operator.post(f"/departments/{store}", data={"name": "Склад старый"})

    assert operator.post(f"{page}/retry").status_code == 303
    run_jobs()

    with app.app_context():
        assert departments.names() == ["Охрана", "Склад старый"]
        assert set(db.session.scalars(db.select(Employee.department))) == {"Склад старый"}
        assert [wishes(number) for number in NUMBERS] == [{"Вход": True}] * 3


def test_operator_retries_a_job_of_an_earlier_version_only_while_few_lose_access(app: Flask) -> None:
    operator = client_of(app, OPERATOR)
    with app.app_context():
        employee_ids = list(db.session.scalars(db.select(Employee.id)))
        kept, lost = (started(DEPARTMENT, employee_ids, department=name).job_id for name in ("Охрана", "Новый"))

    for job_id, status in ((kept, 303), (lost, 403)):
        operator.post(f"/jobs/{job_id}/stop")
        assert operator.post(f"/jobs/{job_id}/retry").status_code == status


def test_operator_removes_nobody_who_came_to_the_terminal_after_the_comparison(
    app: Flask, terminal: Terminal, simulator: Simulated
) -> None:
    with app.app_context():
        simulator.people.clear()
        compare(terminal)

    for action in (apply_here_by_api, apply_here_on_page):
        assert [answer.status_code for answer in action(client_of(app, OPERATOR), "")] == [403]


def apply_here_by_api(client: FlaskClient, confirm: str) -> list[TestResponse]:
    counted = {"confirm": int(confirm)} if confirm else {}
    return [client.post("/api/devices/1/apply", json={"remove": NUMBERS[:1], **counted})]


def apply_here_on_page(client: FlaskClient, confirm: str) -> list[TestResponse]:
    return choose_and_start(client, confirm, "only_here", REMOVE)[:1]


@pytest.mark.parametrize("field", ["Действует с", "Действует по"])
def test_access_ends_no_sooner_unasked(app: Flask, field: str) -> None:
    with app.app_context():
        db.session.execute(db.update(Employee).values(valid_to=today() + timedelta(days=60)))
        db.session.commit()
        day = today() + timedelta(days=31)

    (refused,) = import_by_api(client_of(app, OPERATOR), "", f"ID;{field}\n1;{day}\n2;{day}\n3;{day}\n")

    assert (refused.status_code, refused.json and refused.json["error"]) == (403, "administrator_needed")


@pytest.mark.both_databases
def test_import_takes_nobody_from_a_terminal_whose_department_is_another_by_then(
    app: Flask, terminal: Terminal, run_jobs: Callable[[], int]
) -> None:
    operator = client_of(app, OPERATOR)
    with app.app_context():
        change_group(1, Wanted("Офис", [terminal.id], ["Охрана", "Склад"]))
        store = departments.id_of("Склад")
        page = f"/imports/{checked('1;Склад', '2;Склад', '3;Склад', header='ID;Отдел')}"
    assert operator.post(f"{page}/start").status_code == 303
    operator.post(f"/departments/{store}", data={"name": "Склад старый"})
    assert operator.post("/departments/", data={"name": "Склад"}).status_code == 303

    run_jobs()

    assert_nobody_lost(app, "plan_changed")


@pytest.mark.both_databases
def test_save_of_many_takes_nobody_from_a_terminal_that_a_stopped_job_was_to_take(
    app: Flask, run_jobs: Callable[[], int]
) -> None:
    admin, operator = client_of(app), client_of(app, OPERATOR)
    job = (delete_group_by_api(admin, "3")[0].json or {})["job"]
    interrupted(app, job)
    with app.app_context():
        page = f"/imports/{checked('1;Пётр', '2;Олег', '3;Иван', header='ID;ФИО')}"
        empty, guards = departments.add("Пустой").id, departments.id_of("Охрана")

    assert operator.post(f"{page}/start").status_code == 303
    run_jobs()
    assert_nobody_lost(app, "plan_changed")
    shown = digest_of(operator.get(f"/departments/merge?department={empty}&into={guards}").text)
    typed = {"department": str(empty), "into": str(guards), "shown": shown}
    assert operator.post("/departments/merge", data=typed).status_code == 303
    run_jobs()
    assert_nobody_lost(app, "plan_changed")
    assert admin.post(f"/jobs/{job}/retry/remove", data={"confirm": "3"}).status_code == 303
    run_jobs()
    with app.app_context():
        assert [wishes(number) for number in NUMBERS] == [{}] * 3


@pytest.mark.both_databases
def test_change_of_department_takes_nobody_who_was_in_the_group_alone_when_it_was_agreed(
    app: Flask, terminal: Terminal, run_jobs: Callable[[], int]
) -> None:
    operator = client_of(app, OPERATOR)
    with app.app_context():
        change_group(1, Wanted("Офис", [terminal.id], ["Охрана"], NUMBERS))
    page = draft(operator, DEPARTMENT)
    assert operator.post(f"{page}/start", data={"department": "Склад"}).status_code == 303
    with app.app_context():
        for employee in db.session.scalars(db.select(Employee)).all():
            save_employee(Draft(employee.number, employee.name, "Охрана", groups=()), employee_id=employee.id)

    run_jobs()

    assert_nobody_lost(app, "plan_changed")


def test_two_deletions_that_were_confirmed_take_what_both_were_to_take(app: Flask, run_jobs: Callable[[], int]) -> None:
    with app.app_context():
        make_group("Двор", [add_terminals("Двор")["Двор"]], "Охрана")
    for group in (1, 2):
        assert client_of(app).delete(f"/api/groups/{group}?confirm=3").status_code == 200

    run_jobs()

    with app.app_context():
        assert [wishes(number) for number in NUMBERS] == [{}] * 3
        assert set(db.session.scalars(db.select(JobItem.refusal_code))) == {""}


def test_leavers_leave_terminals_that_a_group_gave_them_after_they_were_counted(
    app: Flask, run_jobs: Callable[[], int]
) -> None:
    admin = client_of(app)
    with app.app_context():
        yard = add_terminals("Двор")["Двор"]
        page = f"/imports/{checked(*LEAVERS.splitlines()[1:], header='ID;Уволен')}"
    admin.post("/api/groups/", json={"name": "Двор", "device_ids": [yard], "departments": ["Охрана"]})
    assert admin.post(f"{page}/deactivate", data={"confirm": "3"}).status_code == 303

    run_jobs()

    with app.app_context():
        assert [wishes(number) for number in NUMBERS] == [{}] * 3
        assert not any(db.session.scalars(db.select(Employee.is_active)))


def test_import_ends_nobody_s_access_sooner_who_got_it_after_the_count(
    app: Flask, terminal: Terminal, run_jobs: Callable[[], int]
) -> None:
    with app.app_context():
        change_group(1, Wanted("Офис", [terminal.id], []))
        day = today() + timedelta(days=1)
        rows = [f"{number};{day}" for number in NUMBERS]
        page = f"/imports/{checked(*rows, header='ID;Действует по')}"
    assert client_of(app, OPERATOR).post(f"{page}/start").status_code == 303
    with app.app_context():
        change_group(1, Wanted("Офис", [terminal.id], ["Охрана"]))

    run_jobs()

    assert_nobody_lost(app, "plan_changed")
    with app.app_context():
        assert set(db.session.scalars(db.select(Employee.valid_to))) == {None}


def test_taking_over_takes_no_other_terminal(
    app: Flask, terminal: Terminal, simulator: Simulated, run_jobs: Callable[[], int]
) -> None:
    admin, operator = client_of(app), client_of(app, OPERATOR)
    with app.app_context():
        group = make_group("Двор", [add_terminals("Двор")["Двор"]], "Охрана")
        for number in NUMBERS:
            simulator.people[number]["name"] = f"Пётр {number}"
            simulator.people[number]["Valid"] = {"enable": False}
        compare(terminal)
    job = (admin.delete(f"/api/groups/{group}?confirm=3").json or {})["job"]
    interrupted(app, job)

    begun = operator.post("/api/devices/1/apply", json={"take_over": NUMBERS, "same_person": NUMBERS})
    run_jobs()

    assert begun.status_code == 202
    with app.app_context():
        assert set(db.session.scalars(db.select(Employee.name))) == {"Пётр 1", "Пётр 2", "Пётр 3"}
        assert [wishes(number) for number in NUMBERS] == [{"Вход": True, "Двор": True}] * 3


@pytest.mark.both_databases
@pytest.mark.parametrize("action", [TAKE_OVER, SEND])
def test_retried_plan_takes_from_nobody_what_was_not_counted(
    app: Flask, terminal: Terminal, simulator: Simulated, run_jobs: Callable[[], int], action: str
) -> None:
    """Days that end as soon as those there, and records of the same name: the plan counts nobody, until they change."""
    operator = client_of(app, OPERATOR)
    with app.app_context():
        soon = today() + timedelta(days=5)
        db.session.execute(db.update(Employee).values(valid_to=soon))
        db.session.commit()
        for number in NUMBERS:
            limit_there(simulator, number, f"{soon}T23:59:59", "2000-01-01T00:00:00")
            simulator.people[number]["name"] = f"{'Пётр' if action == TAKE_OVER else 'Иван'} {number}"
        compare(terminal)
    chosen = {action: NUMBERS, "same_person": NUMBERS}
    job = (operator.post("/api/devices/1/apply", json=chosen).json or {})["job"]
    operator.post(f"/jobs/{job}/stop")
    with app.app_context():
        for employee in db.session.scalars(db.select(Employee)).all():
            later = Draft(employee.number, f"Олег {employee.number}", "Охрана", valid_to="2037-01-01")
            save_employee(later, employee_id=employee.id)
        db.session.execute(db.update(Enrolment).values(written_name="", sent_name=""))
        db.session.commit()

    assert operator.post("/api/devices/1/apply", json=chosen).status_code == 403
    operator.post(f"/jobs/{job}/retry")
    run_jobs()

    with app.app_context():
        assert set(db.session.scalars(db.select(JobItem.refusal_code).where(JobItem.job_id == job))) <= {
            "changed_there",
            "changed_since",
        }
        assert {str(day) for day in db.session.scalars(db.select(Employee.valid_to))} == {"2037-01-01"}
        assert not any(db.session.scalars(db.select(Enrolment.overwrite)))


def interrupted(app: Flask, job_id: int) -> None:
    """Let a job be given up, as one whose workers were killed again and again."""
    with app.app_context():
        db.session.execute(db.update(Job).where(Job.id == job_id).values(state=FAILED, ended_at=database_now()))
        db.session.commit()


def assert_nobody_lost(app: Flask, error: str) -> None:
    """All three are on the terminal still, and the job's items say why they were not done."""
    with app.app_context():
        assert [wishes(number) for number in NUMBERS] == [{"Вход": True}] * 3
        last = db.select(JobItem.refusal_code).where(JobItem.job_id == db.select(db.func.max(Job.id)).scalar_subquery())
        assert set(db.session.scalars(last)) == {error}


# Whose code takes access away → how it is known that not many lose it unasked.
TAKERS = {
    "comparisons/apply": "a job that choices.begin() starts",
    "comparisons/take_over": "a job that choices.begin() starts",
    "employees/erasure": "one person",
    "employees/lifecycle": "one person, or a day that is over",
    "employees/save": "one person",
    "employees/selection": "jobs that its start() starts",
    "employees/undo": "one person, who is activated again",
    "enrolments/desired": "one person",
    "groups/changing": "jobs that it starts",
    "groups/membership": "one person",
    "imports/apply": "a job that start_import() or start_check_and_import() starts",
    "imports/undo": "a job that start_undo() starts",
}
TAKES = re.compile(
    r"\b(desire_absent|desire_absent_at|apply_active|apply_deleted)\(|\b(DESIRED_ABSENT|REMOVAL_CHOSEN|OVER_THERE)\b"
    r"|membership\.(apply|withdraw)\(\w"
)
# Starts a job without asking for what is agreed: of kinds that take access from nobody, or what is agreed already.
STARTS = re.compile(r"\b(?:job_)?lifecycle\.(?:start|begin)\(\s*(\w+)")


def test_whoever_takes_access_away_is_known() -> None:
    services = PACKAGE / "services"
    found = {
        str(path.relative_to(services).with_suffix(""))
        for path in services.rglob("*.py")
        if "state" not in path.parts and TAKES.search(path.read_text(encoding="utf-8"))
    }

    assert found == set(TAKERS)


def test_no_page_call_or_command_starts_such_a_job_past_the_services() -> None:
    rooms = [PACKAGE / room for room in ("web", "api", "cli", "background")]
    texts = [path.read_text(encoding="utf-8") for room in rooms for path in room.rglob("*.py")]

    assert {kind for text in texts for kind in STARTS.findall(text)} == {"COMPARE", "DELETE_PASSAGES"}
