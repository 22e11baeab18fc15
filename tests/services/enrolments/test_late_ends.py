"""Nothing is over while something may still arrive: not by a person's word, a refused password, or a refused name."""

import pytest

from hikflask.extensions import db
from hikflask.isapi.errors import Refused
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, CONFIRMED, LEAVING, PENDING, REFUSED, REMOVED
from hikflask.models.terminal import BY_PICTURE, BY_URL
from hikflask.services.core.errors import CaptureSuperseded, NumberTakenThere, ServiceError
from hikflask.services.enrolments import manual_removal, queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.state import clock_jump
from hikflask.simulator import Terminal as Simulated
from tests.support import late
from tests.support.captures import FACE, OTHER_FACE
from tests.support.enrolments import desire_with_face, enrol
from tests.support.retention import age

pytestmark = [pytest.mark.usefixtures("context", "worker_alive")]


@pytest.mark.both_databases
def test_word_about_the_old_device_ends_nothing_that_may_still_come_to_the_new_one(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = desire_with_face(simulator, terminal)
    db.session.execute(db.update(Enrolment).values(on_old_device=True, name_on_old_device="Иван"))
    db.session.commit()
    late.lose(simulator, enrolment, "UserInfo/Record")
    late.leave(enrolment)

    with pytest.raises(ServiceError, match=r"^removal_asked_again$"):
        reconcile(enrolment.id, "worker")

    row = queries.get_one(enrolment.id)
    assert (row.state, row.waits_for_hand) == (LEAVING, False)
    with pytest.raises(ServiceError, match=r"^may_still_arrive$"):
        manual_removal.confirm_by_hand(row.id, row.generation)
    simulator.store.add("100222", {"name": "Иван Иванов"})  # It came.
    late.end_time()
    with pytest.raises(ServiceError, match=r"^other_device$"):
        reconcile(enrolment.id, "worker")
    assert simulator.people == {}
    row = queries.get_one(enrolment.id)
    assert manual_removal.confirm_by_hand(row.id, row.generation)
    assert queries.get_one(enrolment.id).state == REMOVED


def test_id_is_somebody_elses_only_once_no_face_of_who_left_may_come_under_it(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = late.face_on_its_way(simulator, terminal)
    simulator.people["100222"]["name"] = "Пётр"
    late.leave(enrolment)
    with pytest.raises(NumberTakenThere):
        reconcile(enrolment.id, "worker")
    row = queries.get_one(enrolment.id)

    with pytest.raises(ServiceError, match=r"^may_still_arrive$"):
        manual_removal.confirm_as_somebody_elses(row.id, row.generation, "Пётр")

    simulator.store.bind("100222", FACE)  # It came, under that name.
    late.end_time()
    with pytest.raises(NumberTakenThere):
        reconcile(enrolment.id, "worker")
    assert simulator.faces == {}
    simulator.store.bind("100222", OTHER_FACE)
    with pytest.raises(NumberTakenThere):
        reconcile(enrolment.id, "worker")
    assert [*simulator.faces] == ["100222"]
    assert manual_removal.confirm_as_somebody_elses(row.id, row.generation, "Пётр")


def test_refused_password_does_not_take_the_second_proof_of_a_refused_face_away(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = late.face_on_its_way(simulator, terminal)
    simulator.capture_elsewhere(OTHER_FACE)
    with pytest.raises(CaptureSuperseded):
        reconcile(enrolment.id, "worker")
    late.let_come(simulator)
    late.end_time()

    late.refuse_and_correct_password(simulator, terminal, enrolment)

    assert queries.get_one(enrolment.id).next_attempt_at is not None
    assert reconcile(enrolment.id, "worker").face == REFUSED
    assert simulator.faces == {}


@pytest.mark.parametrize("mode", [BY_PICTURE, BY_URL])
def test_name_that_is_refused_for_good_ends_nothing_before_a_late_face_was_seen_to(
    simulator: Simulated, terminal: Terminal, mode: str
) -> None:
    enrolment = late.face_on_its_way(simulator, terminal, mode)
    assert reconcile(enrolment.id, "worker").state == CONFIRMED
    late.change(enrolment, late.ANNA)
    simulator.faults.add("refuse", "badParameters", path="UserInfo/Modify")
    with pytest.raises(Refused):
        reconcile(enrolment.id, "worker")
    row = queries.get_one(enrolment.id)
    assert (row.person, row.next_attempt_at) == (PENDING, row.may_arrive_until)
    simulator.store.bind("100222", OTHER_FACE)  # It came.
    late.end_time()

    with pytest.raises(Refused):
        reconcile(enrolment.id, "worker")

    row = queries.get_one(enrolment.id)
    assert (row.person, row.face == CONFIRMED, simulator.faces) == (REFUSED, False, {})


def test_who_is_wanted_again_while_a_removal_goes_on_there_is_proven_once_more(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    late.leave(enrolment)
    simulator.faults.add("ok-without-effect", path="UserInfoDetail/Delete", times=1)
    with pytest.raises(ServiceError, match=r"^removal_not_verified$"):
        reconcile(enrolment.id, "worker")
    late.come_back(enrolment)

    row = reconcile(enrolment.id, "worker")

    assert (row.state, row.next_attempt_at) == (CONFIRMED, row.may_arrive_until)
    assert row.next_attempt_at is not None
    simulator.store.remove(["100222"])  # It has ended.
    late.end_time()
    reconcile(enrolment.id, "worker")
    assert simulator.people["100222"]["name"] == "Иван Иванов"
    assert simulator.faces["100222"].jpeg == FACE


@pytest.mark.both_databases
def test_what_was_sent_while_the_clock_was_ahead_may_arrive_for_three_minutes_and_not_for_a_year(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    late.leave(enrolment)
    late.lose(simulator, enrolment, "UserInfoDetail/Delete")
    year = database_now(366 * 86400.0)
    db.session.execute(db.update(Enrolment).values(may_arrive_until=year, next_attempt_at=year))
    db.session.commit()

    clock_jump.bring_back()

    row = queries.get_one(enrolment.id)
    assert row.desired == ABSENT
    age(Enrolment, "may_arrive_until", 181.0)
    assert reconcile(enrolment.id, "worker").state == REMOVED
