"""Requests to a terminal that got no answer and may still arrive there, and the time in which they may."""

from dataclasses import replace

import pytest

from hikflask.extensions import db
from hikflask.isapi.errors import NoAnswer, TerminalError
from hikflask.models import Enrolment, Terminal
from hikflask.models.terminal import BY_PICTURE, BY_URL
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import checks, registry
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST, PASSWORD
from tests.support.captures import IVAN, OTHER_FACE
from tests.support.enrolments import desire_with_face, employee_of
from tests.support.retention import age

ANNA, MARIA = replace(IVAN, name="Анна Иванова"), replace(IVAN, name="Мария Иванова")


def change(enrolment: Enrolment, draft: Draft) -> None:
    save_employee(draft, employee_id=employee_of(enrolment))


def leave(enrolment: Enrolment) -> None:
    set_active(employee_of(enrolment), active=False)


def come_back(enrolment: Enrolment) -> None:
    set_active(employee_of(enrolment), active=True)
    send_to_terminal(employee_of(enrolment), enrolment.terminal_id)


def take_faces(simulator: Simulated, terminal: Terminal, mode: str) -> None:
    """Let the terminal be known to take faces in this way."""
    simulator.profile = replace(simulator.profile, face_by_picture=mode == BY_PICTURE)
    checks.check(terminal.id, "test")
    db.session.execute(db.update(Terminal).values(face_mode=mode))
    db.session.commit()


def hide_pictures(simulator: Simulated) -> None:
    simulator.faults.add("refuse", "notSupport", path="/LOCALS/pic/enrlFace/*")


def lose(simulator: Simulated, enrolment: Enrolment, call: str) -> None:
    """Let a request get lost on its way, as far as the program can tell."""
    simulator.faults.add("lost-before", path=call, times=1)
    with pytest.raises(NoAnswer):
        reconcile(enrolment.id, "worker")


def face_on_its_way(simulator: Simulated, terminal: Terminal, mode: str = BY_URL) -> Enrolment:
    """Somebody whose face was sent, and got no answer."""
    enrolment = desire_with_face(simulator, terminal)
    take_faces(simulator, terminal, mode)
    lose(simulator, enrolment, "FDSetUp")
    return enrolment


def let_come(simulator: Simulated, face: bytes = OTHER_FACE) -> None:
    """Let the face come, as what the terminal's file is by now."""
    simulator.capture_elsewhere(face)
    simulator.store.bind(IVAN.number, face)


def end_time() -> None:
    """Let the time be over in which something may arrive."""
    age(Enrolment, "may_arrive_until", 1.0)


def pass_the_time(enrolment: Enrolment) -> Enrolment:
    """Let that time be over, and try again what is due then."""
    row = queries.get_one(enrolment.id)
    assert row.next_attempt_at
    assert row.may_arrive_until
    assert row.next_attempt_at <= row.may_arrive_until
    end_time()
    return reconcile(enrolment.id, "worker")


def refuse_and_correct_password(simulator: Simulated, terminal: Terminal, enrolment: Enrolment) -> None:
    """Let the terminal refuse the password when the next attempt is due, until it is corrected and checked."""
    password, simulator.login.password = simulator.login.password, "Other12345"
    with pytest.raises(TerminalError):
        checks.check(terminal.id, "test")
    age(Enrolment, "next_attempt_at", 1.0)
    with pytest.raises(ServiceError):
        reconcile(enrolment.id, "worker")
    assert queries.get_one(enrolment.id).next_attempt_at is None
    simulator.login.password = password
    registry.change(terminal.id, registry.Access("Вход", f"http://{HOST}", "admin", PASSWORD), "Анна")
    checks.check(terminal.id, "test")
