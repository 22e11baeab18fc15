"""What got no answer may still arrive, and undo what was proven since: it is proven once more after that time."""

import time
from dataclasses import replace

import pytest

from hikflask.extensions import db
from hikflask.isapi.errors import NoAnswer, TerminalError
from hikflask.models import AuditEntry, Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import CONFIRMED, PENDING, REFUSED, WAITING
from hikflask.models.terminal import BY_PICTURE, BY_URL
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import CaptureSuperseded, ServiceError
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.state.badges import OLD_FACE_THERE, badge_of, detail_of
from hikflask.services.terminals import checks, people_changes, registry
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.terminal.person_store import blank_person
from tests.conftest import HOST, PASSWORD
from tests.support.captures import FACE, IVAN, OTHER_FACE, THIRD_FACE
from tests.support.comparisons import take_over
from tests.support.employees import save_with_face
from tests.support.enrolments import desire, desire_with_face, employee_of, enrol
from tests.support.retention import age
from tests.support.wire import InProcess, NoRemovalOfFaces

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

ANNA, MARIA = replace(IVAN, name="Анна Иванова"), replace(IVAN, name="Мария Иванова")


def change(enrolment: Enrolment, draft: Draft) -> None:
    save_employee(draft, employee_id=employee_of(enrolment))


def take_faces(terminal: Terminal, mode: str) -> None:
    checks.check(terminal.id, "test")
    db.session.execute(db.update(Terminal).values(face_mode=mode))
    db.session.commit()


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
    take_faces(terminal, BY_URL)
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
    take_faces(terminal, BY_URL)
    lose(simulator, enrolment, "FDSetUp")
    simulator.capture_elsewhere(OTHER_FACE)
    with pytest.raises(CaptureSuperseded):
        reconcile(enrolment.id, "worker")
    simulator.store.bind("100222", OTHER_FACE)

    assert pass_the_time(enrolment).state == REFUSED
    assert "100222" not in simulator.faces


def test_removal_that_comes_late_leaves_nobody_green_who_is_not_there(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(employee_of(enrolment), active=False)
    lose(simulator, enrolment, "UserInfoDetail/Delete")
    set_active(employee_of(enrolment), active=True)
    send_to_terminal(employee_of(enrolment), terminal.id)
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    simulator.store.remove(["100222"])  # It came.

    assert pass_the_time(enrolment).state == CONFIRMED

    assert "100222" in simulator.people
    assert simulator.faces["100222"].jpeg == FACE


def test_removal_of_a_face_that_comes_late_is_seen(simulator: Simulated, terminal: Terminal) -> None:
    simulator.profile = replace(simulator.profile, face_by_picture=True)
    simulator.faults.add("refuse", "notSupport", path="/LOCALS/pic/enrlFace/*")
    enrolment = enrol(simulator, terminal)
    save_with_face(simulator, terminal, IVAN, OTHER_FACE)
    lose(simulator, enrolment, "FDSearch/Delete")
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    simulator.store.unbind(["100222"])

    assert pass_the_time(enrolment).state == CONFIRMED

    assert simulator.faces["100222"].jpeg == OTHER_FACE


def test_refused_password_does_not_take_the_second_proof_away(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    lose(simulator, enrolment, "FDSetUp")
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
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

    assert queries.get_one(enrolment.id).next_attempt_at is not None


def test_what_was_proven_once_more_is_forgotten_also_where_the_attempt_then_fails(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = desire_with_face(simulator, terminal)
    take_faces(terminal, BY_URL)
    lose(simulator, enrolment, "FDSetUp")
    reconcile(enrolment.id, "worker")
    simulator.capture_elsewhere(OTHER_FACE)
    simulator.store.bind("100222", OTHER_FACE)
    with pytest.raises(CaptureSuperseded):
        pass_the_time(enrolment)

    row = queries.get_one(enrolment.id)

    assert (row.may_arrive_until, row.unanswered) == (None, None)


def test_right_that_a_late_change_takes_away_is_set_again(simulator: Simulated, terminal: Terminal) -> None:
    simulator.profile = replace(simulator.profile, modify_replaces=True)
    enrolment = enrol(simulator, terminal)
    person = simulator.people["100222"]
    had = {name: person[name] for name in ("doorRight", "RightPlan")}
    change(enrolment, ANNA)
    lose(simulator, enrolment, "UserInfo/Modify")
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    simulator.people["100222"].update({"doorRight": "", "RightPlan": []})

    proven = pass_the_time(enrolment)

    assert (proven.state, proven.rights_before) == (CONFIRMED, None)
    assert {name: simulator.people["100222"][name] for name in had} == had


def test_attempt_that_began_before_the_time_was_over_does_not_end_it(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    lose(simulator, enrolment, "UserInfo/Record")
    set_active(employee_of(enrolment), active=False)
    over = {"may_arrive_until": database_now(0.3)}
    db.session.execute(db.update(Enrolment).values(over))
    db.session.commit()
    simulator.after("UserInfoDetail/Delete", lambda: time.sleep(0.4))

    with pytest.raises(ServiceError, match=r"^removal_asked_again$"):
        reconcile(enrolment.id, "worker")


def test_face_that_was_on_its_way_when_its_record_was_taken_over_is_taken_off(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = desire_with_face(simulator, terminal)
    take_faces(terminal, BY_URL)
    lose(simulator, enrolment, "FDSetUp")
    simulator.store.bind("100222", FACE)
    assert take_over(terminal.id, "100222", IVAN.name).state == CONFIRMED
    simulator.capture_elsewhere(OTHER_FACE)
    simulator.store.bind("100222", OTHER_FACE)

    with pytest.raises(CaptureSuperseded):
        pass_the_time(enrolment)

    assert "100222" not in simulator.faces


def test_face_that_cannot_be_taken_off_is_said_to_be_there_still(simulator: Simulated, terminal: Terminal) -> None:
    simulator.profile = replace(simulator.profile, face_by_picture=True)
    for call in ("FDSearch/Delete", "FDDelete", "/LOCALS/pic/enrlFace/*"):
        simulator.faults.add("refuse", "notSupport", path=call)
    enrolment = desire_with_face(simulator, terminal)
    take_faces(terminal, BY_PICTURE)
    lose(simulator, enrolment, "FDSetUp")
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    simulator.faults.add("refuse", "notSupport", path="FDSetUp")

    with pytest.raises(ServiceError, match=r"^face_not_shown$"):
        pass_the_time(enrolment)

    row = queries.get_one(enrolment.id)
    assert (row.state, row.refusal_code, row.confirmed_at is not None) == (REFUSED, "face_not_shown", True)


@pytest.fixture
def no_removal(wire: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "send", NoRemovalOfFaces(wire))


def wrong_face_that_comes_late(simulator: Simulated, terminal: Terminal, enrolment: Enrolment) -> None:
    save_with_face(simulator, terminal, IVAN, OTHER_FACE)
    lose(simulator, enrolment, "FDSetUp")
    save_with_face(simulator, terminal, IVAN, FACE)
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    simulator.store.bind("100222", OTHER_FACE)


@pytest.mark.usefixtures("no_removal")
def test_wrong_face_that_comes_late_is_replaced_where_none_is_taken_off(
    simulator: Simulated, terminal: Terminal
) -> None:
    simulator.profile = replace(simulator.profile, face_by_picture=True)
    enrolment = desire_with_face(simulator, terminal)
    take_faces(terminal, BY_PICTURE)
    wrong_face_that_comes_late(simulator, terminal, enrolment)

    proven = pass_the_time(enrolment)

    assert (proven.state, proven.next_attempt_at, proven.unanswered) == (CONFIRMED, None, None)
    assert simulator.faces["100222"].jpeg == FACE


@pytest.mark.usefixtures("no_removal")
def test_wrong_face_that_comes_late_is_not_called_confirmed_where_it_is_not_replaced_either(
    simulator: Simulated, terminal: Terminal
) -> None:
    simulator.profile = replace(simulator.profile, face_by_picture=True)
    enrolment = desire_with_face(simulator, terminal)
    take_faces(terminal, BY_PICTURE)
    wrong_face_that_comes_late(simulator, terminal, enrolment)
    simulator.faults.add("ok-without-effect", path="FDSetUp")

    with pytest.raises(ServiceError, match=r"^face_not_verified$"):
        pass_the_time(enrolment)
    row = queries.get_one(enrolment.id)
    assert (row.state, row.face, row.confirmed_at) == (WAITING, PENDING, None)
    with pytest.raises(ServiceError, match=r"^face_not_shown$"):
        reconcile(enrolment.id, "worker")

    row = queries.get_one(enrolment.id)
    assert (row.state, row.face, row.refusal_code, row.next_attempt_at) == (REFUSED, PENDING, "face_not_shown", None)
    assert (row.confirmed_at, row.confirmed_photo_id) == (None, None)
    simulator.faults.clear()
    save_with_face(simulator, terminal, IVAN, THIRD_FACE)
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    assert simulator.faces["100222"].jpeg == THIRD_FACE


@pytest.mark.usefixtures("no_removal")
def test_wrong_face_that_comes_late_stays_and_is_said_where_the_file_is_anothers_by_then(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = desire_with_face(simulator, terminal)
    take_faces(terminal, BY_URL)
    wrong_face_that_comes_late(simulator, terminal, enrolment)
    simulator.capture_elsewhere(OTHER_FACE)

    with pytest.raises(CaptureSuperseded):
        pass_the_time(enrolment)

    row = queries.get_one(enrolment.id)
    assert (row.state, row.face, row.confirmed_at) == (REFUSED, REFUSED, None)
    assert badge_of(row, detail_of(row)) == OLD_FACE_THERE


@pytest.mark.usefixtures("no_removal")
def test_new_photo_whose_answer_was_lost_is_sent_again_where_no_face_is_taken_off(
    simulator: Simulated, terminal: Terminal
) -> None:
    simulator.profile = replace(simulator.profile, face_by_picture=True)
    enrolment = enrol(simulator, terminal)
    take_faces(terminal, BY_PICTURE)
    save_with_face(simulator, terminal, IVAN, OTHER_FACE)
    lose(simulator, enrolment, "FDSetUp")

    assert reconcile(enrolment.id, "worker").state == CONFIRMED

    assert simulator.faces["100222"].jpeg == OTHER_FACE


@pytest.mark.parametrize("mode", [BY_PICTURE, BY_URL])
@pytest.mark.parametrize("shows", ["no picture", "its own encoding"])
def test_face_that_nothing_was_sent_for_stays_when_only_a_name_got_no_answer(
    simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch, shows: str, mode: str
) -> None:
    simulator.profile = replace(simulator.profile, face_by_picture=mode == BY_PICTURE)
    bind, refused = simulator.store.bind, ["FDSearch/Delete", "FDDelete"]
    if shows == "no picture":
        refused.append("/LOCALS/pic/enrlFace/*")
    else:
        encode = b"again".join
        monkeypatch.setattr(simulator.store, "bind", lambda number, jpeg: bind(number, encode([jpeg[:-2], jpeg[-2:]])))
    for call in refused:
        simulator.faults.add("refuse", "notSupport", path=call)
    enrolment = enrol(simulator, terminal)
    take_faces(terminal, mode)
    proven_at = queries.get_one(enrolment.id).confirmed_at
    change(enrolment, ANNA)
    lose(simulator, enrolment, "UserInfo/Modify")
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    simulator.faults.add("refuse", "notSupport", path="FDSetUp")

    proven = pass_the_time(enrolment)

    assert (proven.state, proven.confirmed_at, proven.next_attempt_at) == (CONFIRMED, proven_at, None)
    assert simulator.people["100222"]["name"] == "Анна Иванова"


def test_face_that_the_terminal_stores_otherwise_stays_when_nothing_came_late(
    simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    bind = simulator.store.bind
    monkeypatch.setattr(simulator.store, "bind", lambda number, jpeg: bind(number, jpeg[:-2] + b"again" + jpeg[-2:]))
    enrolment = desire_with_face(simulator, terminal)
    take_faces(terminal, BY_URL)
    lose(simulator, enrolment, "FDSetUp")
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    simulator.capture_elsewhere(OTHER_FACE)

    assert pass_the_time(enrolment).state == CONFIRMED

    assert "100222" in simulator.faces
