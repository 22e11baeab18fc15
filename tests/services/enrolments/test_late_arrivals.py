"""What got no answer may still arrive, and undo what was proven since: it is proven once more after that time."""

import time
from dataclasses import replace

import pytest

from hikflask.codes.badges import OLD_FACE_THERE
from hikflask.extensions import db
from hikflask.models import AuditEntry, Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import CONFIRMED, PENDING, REFUSED, WAITING
from hikflask.models.terminal import BY_PICTURE, BY_URL
from hikflask.services.core.errors import CaptureSuperseded, ServiceError
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.state.badges import badge_of, detail_of
from hikflask.services.terminals import checks, people_changes
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.terminal.person_store import blank_person
from tests.support import late
from tests.support.captures import FACE, IVAN, OTHER_FACE, THIRD_FACE
from tests.support.comparisons import take_over
from tests.support.employees import save_with_face
from tests.support.enrolments import desire, desire_with_face, enrol

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def test_earlier_name_that_comes_late_is_ours_and_is_replaced_again(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    late.change(enrolment, late.ANNA)
    late.lose(simulator, enrolment, "UserInfo/Modify")
    late.change(enrolment, late.MARIA)

    confirmed = reconcile(enrolment.id, "worker")

    assert (confirmed.state, confirmed.written_name) == (CONFIRMED, "Мария Иванова")
    simulator.people["100222"]["name"] = "Анна Иванова"  # It came.
    proven = late.pass_the_time(enrolment)
    assert (proven.state, proven.next_attempt_at, proven.may_arrive_until) == (CONFIRMED, None, None)
    assert proven.names_sent - {""} == {"Мария Иванова"}
    assert simulator.people["100222"]["name"] == "Мария Иванова"
    assert simulator.faces["100222"].jpeg == FACE


def test_name_that_comes_late_is_no_difference_that_somebody_made(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    late.change(enrolment, late.ANNA)
    late.lose(simulator, enrolment, "UserInfo/Modify")
    late.change(enrolment, late.MARIA)
    reconcile(enrolment.id, "worker")
    simulator.people["100222"]["name"] = "Анна Иванова"

    checks.ask_status(terminal.id, "Анна")

    assert people_changes.changes_at(terminal.id) == []

    assert queries.get_one(enrolment.id).state == CONFIRMED


def test_limit_that_comes_late_is_lifted_again(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    late.change(enrolment, replace(IVAN, valid_to="2036-06-30"))
    late.lose(simulator, enrolment, "UserInfo/Modify")
    late.change(enrolment, IVAN)
    limited = {**simulator.people["100222"]["Valid"], "enable": True, "endTime": "2036-06-30T23:59:59"}

    reconcile(enrolment.id, "worker")
    simulator.people["100222"]["Valid"] = limited

    proven = late.pass_the_time(enrolment)
    assert (proven.state, proven.sent_valid) == (CONFIRMED, "")
    assert simulator.people["100222"]["Valid"]["endTime"] == "2037-12-31T23:59:59"


def test_what_was_proven_once_more_is_recorded_once(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    late.lose(simulator, enrolment, "UserInfo/Record")
    reconcile(enrolment.id, "worker")
    late.pass_the_time(enrolment)

    actions = db.session.scalars(db.select(AuditEntry.action).where(AuditEntry.action.like("enrolment.%confirmed")))
    assert list(actions) == ["enrolment.confirmed"]


def test_person_without_a_face_is_proven_once_more_too(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire(terminal)
    late.lose(simulator, enrolment, "UserInfo/Record")
    assert reconcile(enrolment.id, "worker").state == WAITING
    simulator.store.remove(["100222"])
    simulator.store.add("100222", {**blank_person("100222"), "name": IVAN.name})

    assert late.pass_the_time(enrolment).state == REFUSED


@pytest.mark.parametrize("shows_pictures", [True, False])
def test_face_that_comes_late_is_taken_off_when_the_file_was_anothers_by_then(
    simulator: Simulated, terminal: Terminal, *, shows_pictures: bool
) -> None:
    if not shows_pictures:
        late.hide_pictures(simulator)
    enrolment = late.face_on_its_way(simulator, terminal)
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    late.let_come(simulator)

    with pytest.raises(CaptureSuperseded):
        late.pass_the_time(enrolment)

    row = queries.get_one(enrolment.id)
    assert (row.state, row.may_arrive_until, row.unanswered) == (REFUSED, None, None)
    assert "100222" not in simulator.faces


def test_face_that_comes_late_is_taken_off_where_none_was_bound_since(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = late.face_on_its_way(simulator, terminal)
    simulator.capture_elsewhere(OTHER_FACE)
    with pytest.raises(CaptureSuperseded):
        reconcile(enrolment.id, "worker")
    simulator.store.bind("100222", OTHER_FACE)

    assert late.pass_the_time(enrolment).state == REFUSED
    assert "100222" not in simulator.faces


def test_removal_that_comes_late_leaves_nobody_green_who_is_not_there(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    late.leave(enrolment)
    late.lose(simulator, enrolment, "UserInfoDetail/Delete")
    late.come_back(enrolment)
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    simulator.store.remove(["100222"])  # It came.

    assert late.pass_the_time(enrolment).state == CONFIRMED

    assert "100222" in simulator.people
    assert simulator.faces["100222"].jpeg == FACE


def test_removal_of_a_face_that_comes_late_is_seen(simulator: Simulated, terminal: Terminal) -> None:
    simulator.profile = replace(simulator.profile, face_by_picture=True)
    late.hide_pictures(simulator)
    enrolment = enrol(simulator, terminal)
    save_with_face(simulator, terminal, IVAN, OTHER_FACE)
    late.lose(simulator, enrolment, "FDSearch/Delete")
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    simulator.store.unbind(["100222"])

    assert late.pass_the_time(enrolment).state == CONFIRMED

    assert simulator.faces["100222"].jpeg == OTHER_FACE


def test_refused_password_does_not_take_the_second_proof_away(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    late.lose(simulator, enrolment, "FDSetUp")
    assert reconcile(enrolment.id, "worker").state == CONFIRMED

    late.refuse_and_correct_password(simulator, terminal, enrolment)

    assert queries.get_one(enrolment.id).next_attempt_at is not None


def test_right_that_a_late_change_takes_away_is_set_again(simulator: Simulated, terminal: Terminal) -> None:
    simulator.profile = replace(simulator.profile, modify_replaces=True)
    enrolment = enrol(simulator, terminal)
    person = simulator.people["100222"]
    had = {name: person[name] for name in ("doorRight", "RightPlan")}
    late.change(enrolment, late.ANNA)
    late.lose(simulator, enrolment, "UserInfo/Modify")
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    simulator.people["100222"].update({"doorRight": "", "RightPlan": []})

    proven = late.pass_the_time(enrolment)

    assert (proven.state, proven.rights_before) == (CONFIRMED, None)
    assert {name: simulator.people["100222"][name] for name in had} == had


def test_attempt_that_began_before_the_time_was_over_does_not_end_it(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    late.lose(simulator, enrolment, "UserInfo/Record")
    late.leave(enrolment)
    over = {"may_arrive_until": database_now(0.3)}
    db.session.execute(db.update(Enrolment).values(over))
    db.session.commit()
    simulator.after("UserInfoDetail/Delete", lambda: time.sleep(0.4))

    with pytest.raises(ServiceError, match=r"^removal_asked_again$"):
        reconcile(enrolment.id, "worker")


def test_face_that_was_on_its_way_when_its_record_was_taken_over_is_taken_off(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = late.face_on_its_way(simulator, terminal)
    simulator.store.bind("100222", FACE)
    assert take_over(terminal.id, "100222", IVAN.name).state == CONFIRMED
    late.let_come(simulator)

    with pytest.raises(CaptureSuperseded):
        late.pass_the_time(enrolment)

    assert "100222" not in simulator.faces


@pytest.mark.usefixtures("no_removal")
def test_face_that_cannot_be_taken_off_is_said_to_be_there_still(simulator: Simulated, terminal: Terminal) -> None:
    late.hide_pictures(simulator)
    enrolment = late.face_on_its_way(simulator, terminal, BY_PICTURE)
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    simulator.faults.add("refuse", "notSupport", path="FDSetUp")

    with pytest.raises(ServiceError, match=r"^face_not_shown$"):
        late.pass_the_time(enrolment)

    row = queries.get_one(enrolment.id)
    assert (row.state, row.refusal_code, row.confirmed_at is not None) == (REFUSED, "face_not_shown", True)


def wrong_face_that_comes_late(simulator: Simulated, terminal: Terminal, mode: str = BY_PICTURE) -> Enrolment:
    enrolment = desire_with_face(simulator, terminal)
    late.take_faces(simulator, terminal, mode)
    save_with_face(simulator, terminal, IVAN, OTHER_FACE)
    late.lose(simulator, enrolment, "FDSetUp")
    save_with_face(simulator, terminal, IVAN, FACE)
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    simulator.store.bind("100222", OTHER_FACE)
    return enrolment


@pytest.mark.usefixtures("no_removal")
def test_wrong_face_that_comes_late_is_replaced_where_none_is_taken_off(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = wrong_face_that_comes_late(simulator, terminal)

    proven = late.pass_the_time(enrolment)

    assert (proven.state, proven.next_attempt_at, proven.unanswered) == (CONFIRMED, None, None)
    assert simulator.faces["100222"].jpeg == FACE


@pytest.mark.usefixtures("no_removal")
def test_wrong_face_that_comes_late_is_not_called_confirmed_where_it_is_not_replaced_either(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = wrong_face_that_comes_late(simulator, terminal)
    simulator.faults.add("ok-without-effect", path="FDSetUp")

    with pytest.raises(ServiceError, match=r"^face_not_verified$"):
        late.pass_the_time(enrolment)
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
    enrolment = wrong_face_that_comes_late(simulator, terminal, BY_URL)
    simulator.capture_elsewhere(OTHER_FACE)

    with pytest.raises(CaptureSuperseded):
        late.pass_the_time(enrolment)

    row = queries.get_one(enrolment.id)
    assert (row.state, row.face, row.confirmed_at) == (REFUSED, REFUSED, None)
    assert badge_of(row, detail_of(row)) == OLD_FACE_THERE


@pytest.mark.usefixtures("no_removal")
def test_new_photo_whose_answer_was_lost_is_sent_again_where_no_face_is_taken_off(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    late.take_faces(simulator, terminal, BY_PICTURE)
    save_with_face(simulator, terminal, IVAN, OTHER_FACE)
    late.lose(simulator, enrolment, "FDSetUp")

    assert reconcile(enrolment.id, "worker").state == CONFIRMED

    assert simulator.faces["100222"].jpeg == OTHER_FACE


@pytest.mark.usefixtures("no_removal")
@pytest.mark.parametrize("mode", [BY_PICTURE, BY_URL])
@pytest.mark.parametrize("shows", ["no picture", "its own encoding"])
def test_face_that_nothing_was_sent_for_stays_when_only_a_name_got_no_answer(
    simulator: Simulated, terminal: Terminal, request: pytest.FixtureRequest, shows: str, mode: str
) -> None:
    if shows == "no picture":
        late.hide_pictures(simulator)
    else:
        request.getfixturevalue("encodes_anew")
    enrolment = enrol(simulator, terminal)
    late.take_faces(simulator, terminal, mode)
    proven_at = queries.get_one(enrolment.id).confirmed_at
    late.change(enrolment, late.ANNA)
    late.lose(simulator, enrolment, "UserInfo/Modify")
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    simulator.faults.add("refuse", "notSupport", path="FDSetUp")

    proven = late.pass_the_time(enrolment)

    assert (proven.state, proven.confirmed_at, proven.next_attempt_at) == (CONFIRMED, proven_at, None)
    assert simulator.people["100222"]["name"] == "Анна Иванова"


@pytest.mark.usefixtures("encodes_anew")
def test_face_that_the_terminal_stores_otherwise_stays_when_nothing_came_late(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = late.face_on_its_way(simulator, terminal)
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    simulator.capture_elsewhere(OTHER_FACE)

    assert late.pass_the_time(enrolment).state == CONFIRMED

    assert "100222" in simulator.faces
