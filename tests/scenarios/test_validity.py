"""A validity on its way: the form or the API, the database, the terminal, and the proof of what the terminal shows."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hikflask.background import tasks
from hikflask.extensions import db
from hikflask.isapi.errors import NoAnswer
from hikflask.models import AuditEntry, Employee, Enrolment, Terminal
from hikflask.models.enrolment import ABSENT, CONFIRMED, PENDING, PRESENT, REFUSED
from hikflask.services.captures import drafts
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.dates import today
from hikflask.services.core.errors import CaptureSuperseded, ServiceError
from hikflask.services.employees import lifecycle
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import checks
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from tests.conftest import PASSWORD
from tests.support.captures import IVAN, OTHER_FACE
from tests.support.comparisons import compare, differences
from tests.support.desk import Desk, typed
from tests.support.enrolments import desire_with_face, employee_of, enrol
from tests.support.trail import entries
from tests.support.wire import InProcess

UNLIMITED = "2000-01-01T00:00:00/2037-12-31T23:59:59"
SPRING = "2036-03-01T00:00:00/2036-06-30T23:59:59"
LIMITED = replace(IVAN, valid_from="2036-03-01", valid_to="2036-06-30")
NOT_OVER = datetime.now(UTC).date() + timedelta(days=2)
SET_THERE = {"enable": True, "beginTime": "2026-02-03T04:05:06", "endTime": "2030-01-01T12:00:00", "timeType": "local"}

pytestmark = pytest.mark.usefixtures("worker_alive")
in_context = pytest.mark.usefixtures("context")


def there(simulator: Simulated, number: str = "100222") -> str:
    valid = simulator.people[number]["Valid"]
    assert isinstance(valid, dict)
    assert valid["enable"] is True
    return f"{valid['beginTime']}/{valid['endTime']}"


def change(enrolment: Enrolment, **changed: str) -> None:
    employee_id = employee_of(enrolment)
    saved = drafts.of_saved(db.session.get_one(Employee, employee_id))
    save_employee(replace(saved, **changed), employee_id=employee_id)  # type: ignore[arg-type]


def calls(simulator: Simulated) -> list[str]:
    return [f"{entry.method} {entry.plain_path.rpartition('/')[2].partition('@')[0]}" for entry in simulator.log]


@in_context
def test_limits_are_sent_with_the_person_and_proven_in_five_requests(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal, LIMITED)
    simulator.log.clear()

    settled = reconcile(enrolment.id, "Анна")

    assert (settled.is_confirmed, settled.valid_there, settled.sent_valid) == (True, SPRING, SPRING)
    assert there(simulator) == SPRING
    assert len(simulator.log) == 5


@in_context
def test_nobody_without_limits_is_limited(simulator: Simulated, terminal: Terminal) -> None:
    settled = enrol(simulator, terminal)

    assert (there(simulator), settled.valid_there, settled.sent_valid) == (UNLIMITED, UNLIMITED, "")


@in_context
def test_new_limits_are_sent_by_a_change_and_keep_the_face(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    face = simulator.faces["100222"]
    simulator.people["100222"]["RightPlan"] = [{"doorNo": 1, "planTemplateNo": "7"}]
    simulator.log.clear()

    change(enrolment, valid_to="2036-06-30")
    waiting = queries.get_one(enrolment.id)
    assert (waiting.person, waiting.face) == (PENDING, CONFIRMED)
    settled = reconcile(enrolment.id, "Анна")

    assert there(simulator) == "2000-01-01T00:00:00/2036-06-30T23:59:59"
    assert (settled.is_confirmed, simulator.faces["100222"] is face) == (True, True)
    assert simulator.people["100222"]["RightPlan"] == [{"doorNo": 1, "planTemplateNo": "7"}]
    assert [call for call in calls(simulator) if call.startswith(("PUT", "POST"))] == [
        "POST Search",
        "PUT Modify",
        "POST Search",
    ]


@in_context
def test_limits_that_are_taken_back_are_lifted_there_once(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal, LIMITED)

    change(enrolment, valid_from="", valid_to="")
    settled = reconcile(enrolment.id, "Анна")

    assert (there(simulator), settled.valid_there, settled.sent_valid) == (UNLIMITED, UNLIMITED, "")
    simulator.people["100222"]["Valid"] = dict(SET_THERE)
    assert reconcile(enrolment.id, "Анна", prove_again=True).valid_there == "2026-02-03T04:05:06/2030-01-01T12:00:00"


@in_context
def test_limits_are_lifted_although_the_answer_to_them_was_lost(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    change(enrolment, valid_to="2036-06-30")
    simulator.faults.add("lost-after", path="UserInfo/Modify", times=1)
    with pytest.raises(NoAnswer):
        reconcile(enrolment.id, "Анна")

    change(enrolment, valid_to="")
    reconcile(enrolment.id, "Анна")

    assert there(simulator) == UNLIMITED


@in_context
def test_validity_that_was_set_at_the_terminal_stays(simulator: Simulated, terminal: Terminal) -> None:
    simulator.store.add("100222", {"name": "Иван Иванов", "Valid": dict(SET_THERE)})

    settled = enrol(simulator, terminal)

    assert there(simulator) == settled.valid_there == "2026-02-03T04:05:06/2030-01-01T12:00:00"
    assert settled.is_confirmed
    change(settled, name="Иван Петров")
    reconcile(settled.id, "Анна")
    assert there(simulator) == "2026-02-03T04:05:06/2030-01-01T12:00:00"


@in_context
def test_validity_that_was_set_at_the_terminal_is_set_again_where_the_person_was_lost(
    simulator: Simulated, terminal: Terminal
) -> None:
    simulator.store.add("100222", {"name": "Иван Иванов", "Valid": dict(SET_THERE)})
    settled = enrol(simulator, terminal)
    simulator.store.remove(["100222"])
    checks.check(terminal.id, "Анна")

    assert queries.get_one(settled.id).person == PENDING
    reconcile(settled.id, "Анна")

    assert there(simulator) == "2026-02-03T04:05:06/2030-01-01T12:00:00"


@in_context
def test_validity_that_was_set_at_the_old_device_is_set_on_the_one_that_replaces_it(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    simulator.store.add("100222", {"name": "Иван Иванов", "Valid": dict(SET_THERE)})
    settled = enrol(simulator, terminal)
    limited = enrol(simulator, terminal, replace(LIMITED, number="100333"), OTHER_FACE)
    change(limited, valid_from="", valid_to="")
    new = Simulated(PASSWORD, clock=SkippingClock(), serial="7654321")
    wire.put("terminal.test", new)
    checks.check(terminal.id, "Анна")

    for enrolment in (settled, limited):
        lifecycle.send_to_terminal(employee_of(enrolment), terminal.id)
        with suppress(CaptureSuperseded):  # The faces are on the old device.
            reconcile(enrolment.id, "Анна")

    assert there(new) == "2026-02-03T04:05:06/2030-01-01T12:00:00"
    assert there(new, "100333") == UNLIMITED


@in_context
def test_our_limits_replace_those_at_the_terminal(simulator: Simulated, terminal: Terminal) -> None:
    simulator.store.add("100222", {"name": "Иван Иванов", "Valid": dict(SET_THERE)})

    assert enrol(simulator, terminal, LIMITED).is_confirmed
    assert there(simulator) == SPRING

    simulator.people["100222"]["Valid"] = dict(SET_THERE)
    reconcile(queries.of_number("100222")[0].id, "Анна", prove_again=True)
    assert there(simulator) == SPRING


@in_context
def test_validity_that_the_terminal_does_not_take_is_not_green_and_comes_again(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    change(enrolment, valid_to="2036-06-30")
    simulator.faults.add("ok-without-effect", path="UserInfo/Modify")

    with pytest.raises(ServiceError, match=r"^validity_not_verified$"):
        reconcile(enrolment.id, "Анна")

    waiting = queries.get_one(enrolment.id)
    assert (waiting.person, waiting.face, waiting.valid_there) == (PENDING, CONFIRMED, UNLIMITED)
    assert (waiting.refusal_code, waiting.next_attempt_at is not None) == ("validity_not_verified", True)
    simulator.faults.clear()
    assert reconcile(enrolment.id, "Анна").is_confirmed


@in_context
def test_limit_that_the_terminal_does_not_show_is_sent_and_never_green_nor_tried_for_ever(
    simulator: Simulated, terminal: Terminal
) -> None:
    simulator.profile = replace(simulator.profile, not_in_search=frozenset({"Valid"}))
    enrolment = desire_with_face(simulator, terminal, LIMITED)
    for changed, expected in (
        ({}, SPRING),
        ({"valid_to": "2036-07-31"}, "2036-03-01T00:00:00/2036-07-31T23:59:59"),
        ({"valid_from": "", "valid_to": ""}, UNLIMITED),
    ):
        change(enrolment, **changed)

        with pytest.raises(ServiceError, match=r"^validity_not_shown$"):
            reconcile(enrolment.id, "Анна")

        assert there(simulator) == expected
        row = queries.get_one(enrolment.id)
        assert (row.person, row.face, row.state) == (REFUSED, CONFIRMED, "refused")
        assert (row.refusal_code, row.next_attempt_at) == ("validity_not_shown", None)


@in_context
def test_limit_that_was_confirmed_unseen_by_an_earlier_version_is_found_missing_and_set_again(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal, LIMITED)
    del simulator.people["100222"]["Valid"]
    db.session.execute(db.update(Enrolment).values(valid_there=""))
    db.session.commit()

    assert differences(compare(terminal)) == {"validity": ["100222"]}

    assert reconcile(enrolment.id, "background", prove_again=True).is_confirmed
    assert there(simulator) == SPRING
    assert differences(compare(terminal)) == {}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_pair_of_days_survives_from_the_form_to_the_proof(desk: Desk, app: Flask, data: st.DataObject) -> None:
    days = st.dates(date(2000, 1, 1), date(2037, 12, 31))
    first = data.draw(st.one_of(st.just(date.min), days))
    last = data.draw(st.one_of(st.just(date.max), st.dates(max(first, NOT_OVER), date(2037, 12, 31))))
    number = uuid.uuid4().hex  # Drawn ones come again.
    form = {
        "valid_from": "" if first == date.min else first.isoformat(),
        "valid_to": "" if last == date.max else last.isoformat(),
    }

    page = desk.client.post("/employees/", data=typed(hikvision_id=number, without_face="1", **form))
    assert page.status_code == 303
    edit = desk.text(f"{page.location}/edit")
    assert all(f'value="{value}"' in edit for value in form.values() if value)
    with app.app_context():
        employee = db.session.execute(db.select(Employee).filter_by(number=number)).scalar_one()
        assert [employee.valid_from, employee.valid_to] == [
            date.fromisoformat(value) if value else None for value in form.values()
        ]
        enrolment = lifecycle.send_to_terminal(employee.id, desk.terminal.id).row
        shown = reconcile(enrolment.id, "Анна")
        begin = form["valid_from"] or "2000-01-01"
        end = form["valid_to"] or "2037-12-31"
        assert shown.valid_there == there(desk.simulator, number) == f"{begin}T00:00:00/{end}T23:59:59"
        assert shown.person == CONFIRMED


# --- when it is over ---


def let_it_end(employee_id: int | None = None) -> date:
    """Make yesterday the last day, as if two days had passed since it was saved."""
    yesterday = today() - timedelta(days=1)
    mine = Employee.id == employee_id if employee_id else db.true()
    db.session.execute(db.update(Employee).where(mine).values(valid_to=yesterday))
    db.session.commit()
    return yesterday


@in_context
@pytest.mark.both_databases
def test_whoever_is_over_is_deactivated_and_removed_as_any_leaver(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal, replace(IVAN, valid_to=today().isoformat()))
    assert lifecycle.deactivate_expired() == 0
    day = let_it_end()
    before = db.session.execute(db.select(db.func.max(AuditEntry.id))).scalar_one()

    tasks.sweep()

    assert lifecycle.deactivate_expired() == 0
    leaving = queries.get_one(enrolment.id)
    assert leaving.employee
    assert (leaving.employee.is_active, leaving.desired, leaving.is_leaving) == (False, ABSENT, True)
    assert reconcile(enrolment.id, "background").is_confirmed
    assert "100222" not in simulator.people
    noted = entries(after=before)
    assert [(entry.action, entry.actor, entry.after) for entry in noted] == [
        ("employee.validity_over", "worker", {"valid_to": day.isoformat()}),
        ("employee.deactivated", "worker", None),
        ("enrolment.removed", "worker", None),
    ]


@in_context
def test_those_who_are_over_are_found_by_their_index(app: Flask) -> None:  # noqa: ARG001
    over = "SELECT id FROM employee WHERE is_active = 1 AND valid_to < '2026-01-01' ORDER BY valid_to LIMIT 200"
    plan = " ".join(row.detail for row in db.session.execute(db.text(f"EXPLAIN QUERY PLAN {over}")))
    assert "ix_employee_valid_to" in plan


@in_context
def test_whoever_is_over_comes_back_with_a_new_day_only(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal, replace(IVAN, valid_to=today().isoformat()))
    employee_id = employee_of(enrolment)
    let_it_end()
    lifecycle.deactivate_expired()

    with pytest.raises(ServiceError, match=r"^validity_over$"):
        lifecycle.set_active(employee_id, active=True)
    assert not db.session.get_one(Employee, employee_id).is_active

    change(enrolment, valid_to=(today() + timedelta(days=9)).isoformat())
    assert lifecycle.set_active(employee_id, active=True).row.is_active
    assert queries.get_one(enrolment.id).desired == PRESENT


@in_context
def test_whoever_is_over_is_desired_on_no_terminal_before_the_sweep_either(terminal: Terminal) -> None:
    employee = save_employee(replace(IVAN, valid_to=today().isoformat())).row
    day = let_it_end()

    with pytest.raises(ServiceError, match=r"^validity_over$"):
        lifecycle.send_to_terminal(employee.id, terminal.id)

    db.session.rollback()
    renamed = replace(IVAN, name="Иван Петров", valid_to=day.isoformat())
    assert save_employee(renamed, employee_id=employee.id).row.name == "Иван Петров"


@in_context
@pytest.mark.parametrize("known", [False, True])
def test_last_day_that_is_past_is_refused(known: bool) -> None:
    employee_id = save_employee(IVAN).row.id if known else None
    over = replace(IVAN, valid_to=(today() - timedelta(days=1)).isoformat())

    with pytest.raises(ServiceError, match=r"^validity_over$") as refused:
        save_employee(over, employee_id=employee_id)

    assert refused.value.fields == ("valid_to",)
    assert db.session.execute(db.select(Employee.valid_to)).scalars().all() == ([None] if known else [])


@in_context
@pytest.mark.both_databases
def test_several_workers_deactivate_each_once(app: Flask) -> None:
    for number in range(12):
        save_employee(Draft(f"N{number}", "Иван"))
    let_it_end()

    def work() -> int:
        with app.app_context():
            return lifecycle.deactivate_expired()

    with ThreadPoolExecutor(3) as workers:
        counts = [task.result() for task in [workers.submit(work) for _ in range(3)]]

    assert sum(counts) == 12
    assert db.session.execute(db.select(db.func.count()).where(Employee.is_active)).scalar_one() == 0
    over = db.select(db.func.count()).where(AuditEntry.action == "employee.validity_over")
    assert db.session.execute(over).scalar_one() == 12
