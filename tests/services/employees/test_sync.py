"""Whose capture a sync may take for an employee's photo; what it answers is tested in tests/api/test_sync.py."""

import pytest

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Terminal
from hikflask.models.columns import database_now
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.services.employees.save import save_employee
from hikflask.services.employees.sync import sync_employee
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, IVAN, OTHER_FACE
from tests.support.enrolments import employee_of, enrol

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def test_forgotten_picture_for_no_number_is_nobodys(simulator: Simulated, terminal: Terminal) -> None:
    simulator.present_alone(OTHER_FACE)
    run_capture(start_capture(terminal.id, Draft(), "API").id)
    db.session.execute(db.update(Capture).values(created_at=database_now(-1000)))
    db.session.commit()
    employee = save_employee(IVAN).row

    wanted = sync_employee(employee.id, terminal.id, "API").row

    assert wanted.photo_id is None


def test_confirmed_face_is_not_replaced_by_a_picture_for_no_number(simulator: Simulated, terminal: Terminal) -> None:
    employee_id = employee_of(enrol(simulator, terminal))
    simulator.present_alone(OTHER_FACE)
    run_capture(start_capture(terminal.id, Draft(), "API", take_over=True).id)

    wanted = sync_employee(employee_id, terminal.id, "API").row

    assert wanted.is_confirmed
    assert simulator.faces["100222"].jpeg == FACE


def test_newly_captured_face_is_desired_though_the_earlier_photo_was_read_before(
    simulator: Simulated, terminal: Terminal
) -> None:
    employee = db.session.get(Employee, enrol(simulator, terminal).employee_id)
    assert employee
    assert employee.photo
    earlier = employee.photo
    simulator.present_alone(OTHER_FACE)
    captured = run_capture(start_capture(terminal.id, IVAN, "API", take_over=True).id)

    wanted = sync_employee(employee.id, terminal.id, "API").row

    assert wanted.photo_id == captured.photo_id == employee.photo.id
    assert wanted.photo_id != earlier.id
