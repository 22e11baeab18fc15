"""Whoever writes for an employee locks the employee's row first, so that two never wait for each other."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import OperationalError

from hikflask.background.tasks import enqueue_job
from hikflask.extensions import db
from hikflask.isapi.persons import Count
from hikflask.models import Capture, Employee, Enrolment, Photo, Terminal
from hikflask.models.capture import CAPTURED, FAILED, USED
from hikflask.models.capture import WAITING as WAITING_FOR_A_FACE
from hikflask.services.captures import deadline, drafts, holds, personal_data, retention
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import transaction
from hikflask.services.employees import search
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.employees.sync import sync_employee
from hikflask.services.enrolments import queries, schedule
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.enrolments.retire_terminal import count_numbers_on, retire_terminal
from hikflask.services.groups import changing
from hikflask.services.groups import registry as groups
from hikflask.services.groups.registry import Wanted
from hikflask.services.photos import deletion
from hikflask.services.terminals import recovery
from hikflask.services.terminals.checks import distrust
from hikflask.services.terminals.people_changes import check_count
from hikflask.simulator import Terminal as Simulated
from tests.support.between import Between
from tests.support.captures import IVAN, capture_face
from tests.support.enrolments import desire_with_face, employee_of, enrol
from tests.support.fleet import add_terminal, device
from tests.support.groups import make_group, wishes
from tests.support.removals import AGREED
from tests.support.wire import InProcess

pytestmark = [
    pytest.mark.usefixtures("context", "worker_alive"),
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
]
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
PATIENCE = 10.0

Deed = Callable[[int, int, int], object]


def page_save(employee_id: int, capture_id: int, terminal_id: int) -> object:  # noqa: ARG001
    return save_employee(IVAN, FaceSource(capture_id, take_over=True), employee_id=employee_id).row


def api_sync(employee_id: int, capture_id: int, terminal_id: int) -> object:  # noqa: ARG001
    return sync_employee(employee_id, terminal_id, "Анна").row


def erase(employee_id: int, capture_id: int, terminal_id: int) -> object:  # noqa: ARG001
    return erase_employee(employee_id).row


@pytest.mark.parametrize("deed", [page_save, api_sync, erase])
def test_nobody_holds_the_capture_while_waiting_for_the_employee(
    app: Flask, simulator: Simulated, terminal: Terminal, deed: Deed
) -> None:
    employee = save_employee(IVAN).row
    capture = capture_face(simulator, terminal)
    done: list[object] = []

    def act() -> None:
        with app.app_context():
            done.append(deed(employee.id, capture.id, terminal.id))

    with db.engine.connect() as other:
        other.execute(update(Employee).where(Employee.id == employee.id).values(department="Охрана"))
        thread = threading.Thread(target=act)
        thread.start()
        wait_for_a_lock(thread)
        other.execute(select(Capture.id).where(Capture.id == capture.id).with_for_update(nowait=True))
        other.commit()
    thread.join(PATIENCE)

    assert len(done) == 1


def test_nobody_holds_enrolments_while_retiring_waits_for_their_employee(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    done: list[int] = []

    def act() -> None:
        with app.app_context():
            retire_terminal(terminal.id, "украден", "Анна")
            done.append(count_numbers_on(terminal.id))

    with db.engine.connect() as other:
        other.execute(update(Employee).where(Employee.id == enrolment.employee_id).values(department="Охрана"))
        thread = threading.Thread(target=act)
        thread.start()
        wait_for_a_lock(thread)
        other.execute(select(Enrolment.id).where(Enrolment.id == enrolment.id).with_for_update(nowait=True))
        other.commit()
    thread.join(PATIENCE)

    assert done == [0]


def test_worker_does_not_keep_the_terminal_from_whoever_has_its_enrolment(
    simulator: Simulated, terminal: Terminal, between: Between
) -> None:
    enrolment = desire_with_face(simulator, terminal)
    # Begun between two writes to the enrolment. At the second one PostgreSQL looks for its terminal again.
    worker = between(queries, "of_person", lambda: reconcile(enrolment.id, "worker"))

    delete_employee(employee_of(enrolment))
    worker.finish()

    assert worker.blocked
    assert not isinstance(worker.error, OperationalError)
    assert [row.employee_id for row in queries.of_number("100222")] in ([], [None])


def renumber(employee_id: int) -> object:
    return save_employee(Draft("100999", "Иван Иванов"), employee_id=employee_id)


@pytest.mark.parametrize(("deed", "wished"), [(renumber, {"Вход": True}), (delete_employee, {})])
def test_group_is_given_somebody_whose_number_ends_at_that_moment(
    terminal: Terminal, between: Between, deed: Callable[[int], object], wished: dict[str, bool]
) -> None:
    ivan = save_employee(Draft("100222", "Иван Иванов")).row.id
    other = between(groups, "_employees", lambda: deed(ivan))

    changing.change(None, Wanted("Двор", [terminal.id], added=["100222"]), enqueue_job, AGREED)
    other.finish()

    assert (other.blocked, other.error) == (True, None)
    assert wishes("100999") == wished


def lose_people(terminal: Terminal) -> None:
    check_count(terminal, Count(0, 0))


def make_due(terminal: Terminal) -> None:
    recovery.retry_all(terminal.id)


def postpone(terminal: Terminal) -> None:
    schedule.give_back(terminal.id, list(db.session.execute(select(Enrolment.id)).scalars()))


def replace_device(terminal: Terminal) -> None:
    distrust(terminal, "00777")


@pytest.mark.parametrize("deed", [lose_people, make_due, postpone, replace_device])
def test_many_enrolments_of_a_terminal_are_changed_in_the_order_in_which_an_import_locks_them(
    app: Flask, terminal: Terminal, deed: Callable[[Terminal], object]
) -> None:
    for number in "12":
        send_to_terminal(save_employee(Draft(number, f"Иван Иванов {number}")).row.id, terminal.id)
    first, second = db.session.execute(select(Enrolment.id).order_by(Enrolment.id)).scalars()
    with transaction():
        person = "confirmed" if deed is lose_people else "pending"
        db.session.execute(update(Enrolment).values(person=person))
        # PostgreSQL comes to this one last where nobody says otherwise.
        db.session.execute(update(Enrolment).where(Enrolment.id == first).values(tried_at=None))
    ended: list[bool] = []

    def act() -> None:
        with app.app_context(), transaction():
            deed(db.session.get_one(Terminal, terminal.id))
        ended.append(True)

    with db.engine.connect() as importing:
        locking = select(Enrolment.id).with_for_update(nowait=True, key_share=True)
        importing.execute(locking.where(Enrolment.id == first))
        thread = threading.Thread(target=act)
        thread.start()
        wait_for_a_lock(thread)
        importing.execute(locking.where(Enrolment.id == second))
        importing.rollback()
    thread.join(PATIENCE)

    assert ended == [True]


def take_another_picture(terminal: Terminal) -> None:
    holds.supersede_others(terminal.id, 0)


def forget_ivan(terminal: Terminal) -> None:  # noqa: ARG001
    personal_data.forget_person(IVAN.number, IVAN.name, None)


def delete_ivan(terminal: Terminal) -> None:  # noqa: ARG001
    deletion.forget_all_of(db.session.execute(select(Employee.id)).scalar_one())


@pytest.mark.parametrize(
    ("deed", "state"),
    [
        (lambda _: deadline.fail_overdue(), WAITING_FOR_A_FACE),
        (take_another_picture, CAPTURED),
        (forget_ivan, CAPTURED),
        (delete_ivan, USED),
        (lambda _: drafts.keep(2, IVAN, "Анна"), CAPTURED),
        (lambda _: retention.blank_drafts(), FAILED),
        (lambda _: retention.delete_ended(), FAILED),
    ],
)
def test_several_captures_are_changed_in_one_order(
    app: Flask, terminal: Terminal, wire: InProcess, deed: Callable[[Terminal], object], state: str
) -> None:
    store = add_terminal(wire, "store.test", "Склад", device())
    first, second = (1, terminal, "100223"), (2, store if state == WAITING_FOR_A_FACE else terminal, IVAN.number)
    ivan = save_employee(IVAN).row.id if state == USED else None
    with transaction():
        # PostgreSQL comes to the second one first where nobody says otherwise. The number of the first is mistyped.
        for capture_id, place, number in (second, first):
            photo = Photo(file=f"{number}.jpg", sha256=number, source="capture", employee_id=ivan)
            typed = {"draft_number": number, "draft_name": IVAN.name, "face_url": "http://enter.test/1.jpg"}
            made = Capture(id=capture_id, terminal_id=place.id, state=state, requested_by="Анна", photo=photo, **typed)
            made.deadline, made.retake_of = datetime(2020, 1, 1, tzinfo=UTC), capture_id - 1
            db.session.add(made)
            db.session.flush()
    ended: list[bool] = []

    def act() -> None:
        with app.app_context(), transaction():
            deed(db.session.get_one(Terminal, terminal.id))
        ended.append(True)

    with db.engine.connect() as other:
        locking = select(Capture.id).with_for_update(nowait=True, key_share=True)
        other.execute(locking.where(Capture.id == 1))
        thread = threading.Thread(target=act)
        thread.start()
        wait_for_a_lock(thread)
        other.execute(locking.where(Capture.id == 2))
        other.rollback()
    thread.join(PATIENCE)

    assert ended == [True]


@pytest.mark.parametrize("leave", [delete_employee, erase_employee])
def test_group_is_deleted_while_a_member_of_it_leaves(
    terminal: Terminal, between: Between, leave: Callable[[int], object]
) -> None:
    ivan = save_employee(Draft("100222", "Иван Иванов")).row.id
    group_id = make_group("Двор", [terminal.id], added=["100222"])
    other = between(groups, "_change_people", lambda: leave(ivan))

    changing.change(group_id, None, enqueue_job, AGREED)
    other.finish()

    assert (other.blocked, other.error) == (True, None)
    assert search.by_number("100222") is None


def wait_for_a_lock(thread: threading.Thread) -> None:
    until = time.monotonic() + PATIENCE
    with db.engine.connect() as watcher:
        while not waiting(watcher) and thread.is_alive() and time.monotonic() < until:
            watcher.rollback()


def waiting(watcher: Connection) -> bool:
    return bool(watcher.execute(text(WAITING)).scalar_one())
