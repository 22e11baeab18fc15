"""On PostgreSQL all deeds lock in one order (services/core/db.py), so that no two of them wait for each other."""

import io

import pytest
from flask import Flask
from sqlalchemy import select

from hikflask.background import tasks
from hikflask.extensions import db, task_queue
from hikflask.models import Capture, Department, Employee, Enrolment, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes import lifecycle as jobs
from hikflask.services.comparisons import plan
from hikflask.services.core.db import lock_employee, lock_terminal
from hikflask.services.departments import merging
from hikflask.services.departments import registry as departments
from hikflask.services.employees.erasure import erase_by_number, erase_employee
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.employees.sync import sync_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.retire_terminal import retire_terminal
from hikflask.services.groups import changing
from hikflask.services.groups.registry import Wanted
from hikflask.services.state import capture as captures
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST
from tests.support import imports
from tests.support.captures import FACE, IVAN, OLGA, OTHER_FACE, capture_face
from tests.support.comparisons import compare, strangers
from tests.support.enrolments import employee_of, enrol
from tests.support.fleet import add_terminal, device
from tests.support.jobs import run, started
from tests.support.lock_order import LockOrder
from tests.support.removals import AGREED
from tests.support.wire import InProcess

pytestmark = [
    pytest.mark.usefixtures("context", "worker_alive"),
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
]
PYOTR = Draft("100444", "Пётр Ли", "Охрана")


@pytest.fixture
def order(context: None) -> LockOrder:  # noqa: ARG001
    return LockOrder(db.engine)


@pytest.fixture
def store(context: None, terminal: Terminal, wire: InProcess) -> Terminal:  # noqa: ARG001
    """A second terminal, which takes pictures; both are for the guards."""
    return add_terminal(wire, "store.test", "Склад", device())


@pytest.fixture
def group(terminal: Terminal, store: Terminal) -> int:
    wanted = Wanted("Все", [terminal.id, store.id], ["Охрана"])
    return changing.change(None, wanted, tasks.enqueue_job, AGREED).group_id


def work(app: Flask) -> None:
    """Let the worker do what is due."""
    tasks.sweep()
    while task_queue.lanes(app).run_pending():
        pass


def test_what_is_out_of_order_is_noticed(order: LockOrder, terminal: Terminal) -> None:
    ivan = save_employee(IVAN).row.id
    assert order.violations == []

    departments.resolve(IVAN.department)
    lock_employee(ivan)
    lock_terminal(terminal.id)
    db.session.rollback()
    state.apply(state.MADE_DUE, Enrolment.terminal_id == terminal.id)
    db.session.rollback()
    captures.apply(captures.ERASED, Capture.terminal_id == terminal.id)
    db.session.rollback()

    assert len(order.violations) == 4


@pytest.mark.usefixtures("group")
def test_employees_are_saved_moved_and_removed_in_order(
    app: Flask, order: LockOrder, simulator: Simulated, terminal: Terminal, store: Terminal
) -> None:
    ivan = employee_of(enrol(simulator, terminal))
    work(app)
    save_employee(Draft("100222", "Иван Петров", "Кухня"), employee_id=ivan)
    capture = capture_face(simulator, terminal, Draft("100999"), OTHER_FACE)
    save_employee(Draft("100999", "Иван Петров", "Охрана"), FaceSource(capture.id, "Анна"), employee_id=ivan)
    olga = save_employee(OLGA, FaceSource(upload=io.BytesIO(FACE), terminal_id=store.id)).row.id
    capture_face(simulator, terminal, OLGA)
    sync_employee(olga, terminal.id, "Анна", overwrite=True)
    work(app)
    for employee_id in (ivan, olga):
        set_active(employee_id, active=False)
        set_active(employee_id, active=True)
        send_to_terminal(employee_id, store.id)
    run(started("send", [ivan, olga], terminal_id=store.id))
    run(started("department", [ivan, olga], department="Кладовая"))
    run(started("deactivate", [ivan]))
    delete_employee(ivan)
    erase_employee(olga)
    erase_by_number("100222")
    work(app)

    assert order.violations == []


def test_groups_and_departments_are_changed_in_order(app: Flask, order: LockOrder, store: Terminal, group: int) -> None:
    save_employee(PYOTR)
    save_employee(OLGA)
    changing.change(group, Wanted("Двор", [store.id], ["Охрана"], ["100333"]), tasks.enqueue_job, AGREED)
    work(app)
    by_name = {name: its_id for its_id, name in db.session.execute(select(Department.id, Department.name))}
    merging.rename(by_name["Охрана"], "Охрана и двор")
    other = departments.add("Кухня").id
    preview = changing.preview_of_merge([by_name["Охрана"]], other)
    changing.merge_departments([by_name["Охрана"]], other, tasks.enqueue_job, AGREED, preview.digest)
    work(app)
    changing.change(group, None, tasks.enqueue_job, AGREED)
    work(app)

    assert order.violations == []


@pytest.mark.usefixtures("group")
def test_files_and_plans_are_carried_out_in_order(
    app: Flask, order: LockOrder, terminal: Terminal, simulator: Simulated, store: Terminal
) -> None:
    save_employee(PYOTR)
    batch = imports.checked("100444;Пётр Ким;Кухня", "100555;Анна Ли;Столовая", terminal_id=store.id)
    imports.apply(batch)
    imports.undo(batch)
    several = imports.checked("100444;Пётр Ким;Кухня", "100556;Анна Ли;Кухня", "100557;Ян Ли;Охрана", groups=True)
    imports.apply(several)
    imports.undo(several)
    work(app)
    strangers(simulator, ["900", "901", "100222"], [FACE, OTHER_FACE])
    simulator.store.change("100444", {"name": "Пётр Другой"})
    save_employee(IVAN)
    chosen = {"900": plan.TAKE_OVER, "901": plan.REMOVE, "100222": plan.TAKE_OVER, "100444": plan.SEND}
    made = plan.make(compare(terminal), plan.Choices(numbers=chosen, same_person=frozenset(chosen)))
    run(jobs.begin("apply", made.job_params, terminal_id=terminal.id, items=made.items))
    work(app)

    assert sorted(db.session.execute(select(Employee.number)).scalars()) == ["100222", "100444", "900"]
    assert order.violations == []


@pytest.mark.usefixtures("group")
def test_terminals_come_and_go_in_order(
    app: Flask, order: LockOrder, terminal: Terminal, simulator: Simulated, store: Terminal
) -> None:
    enrol(simulator, terminal)
    work(app)
    access = Access("Вход", f"http://{HOST}", "admin", None, is_active=False)
    registry.change(terminal.id, access, "Анна")
    again = Access("У входа", f"http://{HOST}", "admin", "Abc12345")
    registry.change(terminal.id, again, "Анна", in_use_again=lambda it: changing.bring_to(it, tasks.enqueue_job))
    work(app)
    retire_terminal(store.id, "украден", "Анна")
    for enrolment in queries.of_number(IVAN.number):
        delete_employee(enrolment.employee_id or 0) if enrolment.employee_id else None
    work(app)
    registry.delete(store.id, "Анна")

    assert db.session.execute(select(Enrolment.id)).all() == []
    assert order.violations == []
