"""What got no answer may still arrive, and undo what was proven since: it is proven once more after that time."""

from dataclasses import replace

import pytest

from hikflask.extensions import db
from hikflask.isapi.errors import NoAnswer
from hikflask.models import AuditEntry, Enrolment, Terminal
from hikflask.models.enrolment import CONFIRMED, REFUSED, WAITING
from hikflask.models.terminal import BY_URL
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import CaptureSuperseded
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import checks, people_changes
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.terminal.person_store import blank_person
from tests.support.captures import FACE, IVAN, OTHER_FACE
from tests.support.enrolments import desire, desire_with_face, employee_of, enrol
from tests.support.retention import age

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

ANNA, MARIA = replace(IVAN, name="Анна Иванова"), replace(IVAN, name="Мария Иванова")


def change(enrolment: Enrolment, draft: Draft) -> None:
    save_employee(draft, employee_id=employee_of(enrolment))


def lose(simulator: Simulated, enrolment: Enrolment, call: str) -> None:
    """Let a request get lost on its way, as far as the program can tell."""
    simulator.faults.add("lost-before", path=call, times=1)
    with pytest.raises(NoAnswer):
        reconcile(enrolment.id, "worker")


def pass_the_time(enrolment: Enrolment) -> Enrolment:
    """Let the time be over in which something may arrive, and try again what is due then."""
    row = queries.get_one(enrolment.id)
    assert row.next_attempt_at
    assert row.may_arrive_until
    assert row.next_attempt_at <= row.may_arrive_until
    age(Enrolment, "may_arrive_until", 1.0)
    return reconcile(enrolment.id, "worker")


def test_earlier_name_that_comes_late_is_ours_and_is_replaced_again(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    change(enrolment, ANNA)
    lose(simulator, enrolment, "UserInfo/Modify")
    change(enrolment, MARIA)

    confirmed = reconcile(enrolment.id, "worker")

    assert (confirmed.state, confirmed.written_name) == (CONFIRMED, "Мария Иванова")
    simulator.people["100222"]["name"] = "Анна Иванова"  # It came.
    proven = pass_the_time(enrolment)
    assert (proven.state, proven.next_attempt_at, proven.may_arrive_until) == (CONFIRMED, None, None)
    assert proven.names_sent - {""} == {"Мария Иванова"}
    assert simulator.people["100222"]["name"] == "Мария Иванова"
    assert simulator.faces["100222"].jpeg == FACE


def test_name_that_comes_late_is_no_difference_that_somebody_made(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    change(enrolment, ANNA)
    lose(simulator, enrolment, "UserInfo/Modify")
    change(enrolment, MARIA)
    reconcile(enrolment.id, "worker")
    simulator.people["100222"]["name"] = "Анна Иванова"

    checks.ask_status(terminal.id, "Анна")

    assert people_changes.changes_at(terminal.id) == []

    assert queries.get_one(enrolment.id).state == CONFIRMED


def test_limit_that_comes_late_is_lifted_again(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    change(enrolment, replace(IVAN, valid_to="2036-06-30"))
    lose(simulator, enrolment, "UserInfo/Modify")
    change(enrolment, IVAN)
    limited = {**simulator.people["100222"]["Valid"], "enable": True, "endTime": "2036-06-30T23:59:59"}

    reconcile(enrolment.id, "worker")
    simulator.people["100222"]["Valid"] = limited

    proven = pass_the_time(enrolment)
    assert (proven.state, proven.sent_valid) == (CONFIRMED, "")
    assert simulator.people["100222"]["Valid"]["endTime"] == "2037-12-31T23:59:59"


def test_what_was_proven_once_more_is_recorded_once(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    lose(simulator, enrolment, "UserInfo/Record")
    reconcile(enrolment.id, "worker")
    pass_the_time(enrolment)

    actions = db.session.scalars(db.select(AuditEntry.action).where(AuditEntry.action.like("enrolment.%confirmed")))
    assert list(actions) == ["enrolment.confirmed"]


def test_person_without_a_face_is_proven_once_more_too(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire(terminal)
    lose(simulator, enrolment, "UserInfo/Record")
    assert reconcile(enrolment.id, "worker").state == WAITING
    simulator.store.remove(["100222"])
    simulator.store.add("100222", {**blank_person("100222"), "name": IVAN.name})

    assert pass_the_time(enrolment).state == REFUSED


@pytest.mark.parametrize("shows_pictures", [True, False])
def test_face_that_comes_late_is_taken_off_when_the_file_was_anothers_by_then(
    simulator: Simulated, terminal: Terminal, *, shows_pictures: bool
) -> None:
    enrolment = desire_with_face(simulator, terminal)
    checks.check(terminal.id, "test")
    db.session.execute(db.update(Terminal).values(face_mode=BY_URL))
    db.session.commit()
    if not shows_pictures:
        simulator.faults.add("refuse", "notSupport", path="/LOCALS/pic/enrlFace/*")
    lose(simulator, enrolment, "FDSetUp")
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    simulator.capture_elsewhere(OTHER_FACE)
    simulator.store.bind("100222", OTHER_FACE)  # It came, and took what the file was by then.

    with pytest.raises(CaptureSuperseded):
        pass_the_time(enrolment)

    assert queries.get_one(enrolment.id).state == REFUSED
    assert "100222" not in simulator.faces


def test_face_that_comes_late_is_taken_off_where_none_was_bound_since(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    checks.check(terminal.id, "test")
    db.session.execute(db.update(Terminal).values(face_mode=BY_URL))
    db.session.commit()
    lose(simulator, enrolment, "FDSetUp")
    simulator.capture_elsewhere(OTHER_FACE)
    with pytest.raises(CaptureSuperseded):
        reconcile(enrolment.id, "worker")
    simulator.store.bind("100222", OTHER_FACE)

    assert pass_the_time(enrolment).state == REFUSED
    assert "100222" not in simulator.faces
