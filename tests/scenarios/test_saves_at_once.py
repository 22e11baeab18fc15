"""A save, and somebody else who acts for the same employee in the middle of it."""

import io
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from hikflask.api import users
from hikflask.extensions import db
from hikflask.models import Capture, Employee, Heartbeat, Terminal
from hikflask.models.capture import CAPTURED
from hikflask.models.enrolment import ABSENT
from hikflask.services.captures import deadline
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.services.core import dates
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees import save
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.photos import inspection, storage
from hikflask.simulator import Terminal as Simulated
from tests.support.between import Between
from tests.support.captures import FACE, IVAN, OTHER_FACE, capture_face
from tests.support.employees import by_number
from tests.support.enrolments import employee_of, enrol
from tests.support.groups import make_group
from tests.support.lost_answers import lose_answer

pytestmark = [pytest.mark.usefixtures("worker_alive"), pytest.mark.both_databases]


@pytest.mark.usefixtures("context")
def test_who_is_deactivated_while_a_save_finds_that_no_worker_captures_has_left(
    simulator: Simulated, terminal: Terminal, between: Between
) -> None:
    make_group("Вход", [terminal.id], IVAN.department)
    employee_id = employee_of(enrol(simulator, terminal))
    capture = start_capture(terminal.id, IVAN, "Анна", employee_id=employee_id)
    db.session.execute(db.delete(Heartbeat))
    db.session.commit()
    leaving = between(deadline, "view", lambda: set_active(employee_id, active=False))

    save_employee(IVAN, FaceSource(capture.id, "Анна"), employee_id=employee_id)

    leaving.finish()
    assert leaving.blocked
    (enrolment,) = queries.of_number(IVAN.number)
    assert (enrolment.desired, enrolment.is_leaving) == (ABSENT, True)
    reconcile(enrolment.id, "worker")
    assert simulator.people == {}


@pytest.mark.usefixtures("context")
def test_photo_that_arrives_while_it_is_saved_is_not_lost(
    simulator: Simulated, terminal: Terminal, between: Between
) -> None:
    simulator.present_alone(FACE)
    capture = start_capture(terminal.id, IVAN, "Анна")
    arriving = between(save, "with_terminal", lambda: run_capture(capture.id))

    with pytest.raises(ServiceError, match=r"^capture_running$"):
        save_employee(IVAN, FaceSource(capture.id, "Анна"))
    arriving.finish()

    assert db.session.get_one(Capture, capture.id).state == CAPTURED
    assert save_employee(IVAN, FaceSource(capture.id, "Анна")).row.photo is not None


# --- what somebody else saved meanwhile stays ---


def facts(app: Flask, employee_id: int) -> tuple[str, str, str, date | None]:
    with app.app_context():
        employee = db.session.get_one(Employee, employee_id)
        return employee.number, employee.name, employee.department, employee.valid_to


def test_photo_by_the_api_undoes_nothing_that_is_saved_while_it_is_looked_at(
    app: Flask, client: FlaskClient, simulator: Simulated, terminal: Terminal, between: Between
) -> None:
    with app.app_context():
        ivan, today = employee_of(enrol(simulator, terminal)), dates.today()
    limited = Draft("100222", "Иван Петров", "Склад", valid_to=today.isoformat())
    other = between(inspection, "check_photo", lambda: save_employee(limited, employee_id=ivan))

    answer = client.post(f"/api/users/{ivan}/photo", data={"photo": (io.BytesIO(OTHER_FACE), "face.jpg")})

    other.finish()
    assert answer.status_code == 200
    assert facts(app, ivan) == ("100222", "Иван Петров", "Склад", today)
    with app.app_context():
        reconcile(queries.of_number("100222")[0].id, "worker")
    assert simulator.people["100222"]["name"] == "Иван Петров"
    assert simulator.people["100222"]["Valid"]["endTime"] == f"{today}T23:59:59"


def test_put_changes_the_given_fields_of_what_somebody_else_saved_meanwhile(
    app: Flask, client: FlaskClient, between: Between
) -> None:
    with app.app_context():
        peter = save_employee(Draft("100444", "Пётр Чехов")).row.id
    renumbered = Draft("100445", "Пётр Чехов", "Охрана", valid_to="2030-12-31")
    other = between(users, "_typed", lambda: save_employee(renumbered, employee_id=peter))

    answer = client.put(f"/api/users/{peter}", json={"department": "Склад"})

    other.finish()
    assert (answer.get_json()["hikvision_id"], answer.get_json()["department"]) == ("100445", "Склад")
    assert facts(app, peter) == ("100445", "Пётр Чехов", "Склад", date(2030, 12, 31))


def test_last_day_before_a_first_day_that_came_meanwhile_is_refused(
    app: Flask, client: FlaskClient, between: Between
) -> None:
    with app.app_context():
        peter = save_employee(Draft("100444", "Пётр Чехов")).row.id
    from_june = Draft("100444", "Пётр Чехов", valid_from="2030-06-01")
    other = between(users, "_typed", lambda: save_employee(from_june, employee_id=peter))

    answer = client.put(f"/api/users/{peter}", json={"valid_to": "2030-05-31"})

    other.finish()
    assert answer.status_code == 422
    assert answer.get_json()["fields"] == {"valid_to": "The last day must not be before the first one."}
    assert facts(app, peter) == ("100444", "Пётр Чехов", "", None)


# --- one save that is sent twice ---


@pytest.mark.usefixtures("context")
def test_double_click_on_save_of_a_newcomer_is_one_save(
    simulator: Simulated, terminal: Terminal, between: Between
) -> None:
    capture = capture_face(simulator, terminal)
    first = between(save, "save_changes", lambda: save_employee(IVAN, FaceSource(capture.id, "Анна")), before=True)

    second = save_employee(IVAN, FaceSource(capture.id, "Анна"))

    first.finish()
    assert second.row.id == first.result.row.id
    assert second.due == first.result.due


# --- a save whose answer is lost ---


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("from_file", [True, False])
def test_picture_stays_when_the_answer_to_the_commit_is_lost(
    simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, from_file: bool
) -> None:
    capture = capture_face(simulator, terminal, Draft())  # Saving gives its file another name.
    source = FaceSource(upload=io.BytesIO(FACE)) if from_file else FaceSource(capture.id, "Анна")
    lose_answer(db.engine, monkeypatch, "INSERT INTO audit")

    with pytest.raises(OperationalError):
        save_employee(IVAN, source)

    ivan = by_number(IVAN.number)
    assert ivan.photo is not None
    assert storage.path_of(ivan.photo) is not None
