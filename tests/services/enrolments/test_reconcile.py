"""What must be true of a face before anything turns green."""

import pytest
from flask import Flask
from sqlalchemy import select

from hikflask.extensions import db
from hikflask.isapi.errors import ModelingFailed, NoAnswer, Unreachable
from hikflask.models import Capture, Employee, Enrolment, Terminal
from hikflask.models.capture import SUPERSEDED
from hikflask.models.columns import database_now
from hikflask.models.enrolment import CONFIRMED, PENDING, REFUSED
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import (
    CaptureLost,
    CaptureSuperseded,
    FaceNotVerified,
    GenerationChanged,
    NumberTakenThere,
    PersonNotVerified,
    RemovalNotVerified,
)
from hikflask.services.employees.lifecycle import delete_employee, set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import desired, queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, IVAN, OTHER_FACE, THIRD_FACE, capture_face
from tests.support.due import claim_due
from tests.support.wire import InProcess

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

OLGA = Draft("100333", "Ольга Ёлкина", "")


def save(capture: Capture, draft: Draft = IVAN, employee_id: int | None = None) -> Enrolment:
    employee = save_employee(draft, FaceSource(capture.id, capture.requested_by), employee_id=employee_id).row
    return queries.of_number(employee.number)[0]


def settle(enrolment: Enrolment) -> Enrolment:
    return reconcile(enrolment.id, "operator")


def make_due(enrolment: Enrolment) -> None:
    db.session.execute(db.update(Enrolment).where(Enrolment.id == enrolment.id).values(next_attempt_at=database_now()))
    db.session.execute(db.update(Terminal).values(backoff_until=None))
    db.session.commit()


def row(enrolment: Enrolment) -> Enrolment:
    return queries.row(enrolment.id)


def test_face_that_was_seen_is_bound_to_the_number_it_was_saved_to(simulator: Simulated, terminal: Terminal) -> None:
    settled = settle(save(capture_face(simulator, terminal)))

    assert (settled.person, settled.face, settled.is_confirmed) == (CONFIRMED, CONFIRMED, True)
    assert simulator.people["100222"]["name"] == "Иван Иванов"
    assert simulator.faces["100222"].jpeg == FACE


def test_enrolment_over_a_warm_connection_is_five_requests(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = save(capture_face(simulator, terminal))
    simulator.log.clear()

    settle(enrolment)

    assert [f"{entry.method} {entry.plain_path.rpartition('/')[2].partition('@')[0]}" for entry in simulator.log] == [
        "POST Record",
        "GET web_face_enrollpic.jpg",
        "PUT FDSetUp",
        "GET web_face_enrollpic.jpg",
        "POST Search",
    ]


def test_second_capture_before_the_save_supersedes_the_first(simulator: Simulated, terminal: Terminal) -> None:
    first = capture_face(simulator, terminal)
    capture_face(simulator, terminal, OLGA, OTHER_FACE)

    with pytest.raises(CaptureSuperseded):
        save(first)
    assert db.session.query(Employee).count() == 0


def test_two_captures_and_one_save_bind_the_later_face(simulator: Simulated, terminal: Terminal) -> None:
    capture_face(simulator, terminal)
    second = capture_face(simulator, terminal, IVAN, THIRD_FACE)

    settled = settle(save(second))

    assert settled.is_confirmed
    assert simulator.faces["100222"].jpeg == THIRD_FACE


def test_file_overwritten_before_the_bind_binds_nothing(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = save(capture_face(simulator, terminal))
    simulator.capture_elsewhere(OTHER_FACE)

    with pytest.raises(CaptureSuperseded):
        settle(enrolment)

    after = row(enrolment)
    assert (after.person, after.face, after.refusal_code) == (CONFIRMED, REFUSED, "superseded")
    assert "100222" not in simulator.faces
    assert not [entry for entry in simulator.log if "FDSetUp" in entry.path]
    assert db.session.execute(select(Capture.state)).scalar_one() == SUPERSEDED


def test_file_overwritten_between_first_look_and_bind_is_taken_off(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = save(capture_face(simulator, terminal))
    simulator.before("FDSetUp", lambda: simulator.capture_elsewhere(OTHER_FACE))

    with pytest.raises(CaptureSuperseded):
        settle(enrolment)

    after = row(enrolment)
    assert (after.face, after.face_unverified, after.next_attempt_at) == (REFUSED, False, None)
    assert "100222" not in simulator.faces


def test_file_overwritten_between_bind_and_second_look_is_taken_off(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = save(capture_face(simulator, terminal))
    simulator.after("FDSetUp", lambda: simulator.capture_elsewhere(OTHER_FACE))

    with pytest.raises(CaptureSuperseded):
        settle(enrolment)

    assert row(enrolment).face == REFUSED
    assert "100222" not in simulator.faces


def test_file_gone_after_the_bind_is_proven_by_the_enrolled_picture(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = save(capture_face(simulator, terminal))
    simulator.after("FDSetUp", simulator.restart)

    assert settle(enrolment).is_confirmed


def test_file_gone_before_the_bind_is_lost(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = save(capture_face(simulator, terminal))
    simulator.restart()

    with pytest.raises(CaptureLost):
        settle(enrolment)

    assert (row(enrolment).face, row(enrolment).refusal_code) == (REFUSED, "file_gone")


@pytest.mark.parametrize("moment", ["lost-before", "lost-after"])
@pytest.mark.parametrize("path", ["UserInfo/Record", "FDSetUp", "UserInfo/Search", "/LOCALS/pic/*"])
def test_lost_answer_is_not_green_and_the_next_attempt_proves_it(
    simulator: Simulated, terminal: Terminal, path: str, moment: str
) -> None:
    enrolment = save(capture_face(simulator, terminal))
    simulator.faults.add(moment, path=path, times=1)

    with pytest.raises(NoAnswer):
        settle(enrolment)

    assert not row(enrolment).is_confirmed
    assert row(enrolment).next_attempt_at is not None
    assert settle(enrolment).is_confirmed
    assert simulator.faces["100222"].jpeg == FACE


@pytest.mark.parametrize("moment", ["lost-before", "lost-after"])
def test_bind_in_doubt_whose_file_changed_is_undone(simulator: Simulated, terminal: Terminal, moment: str) -> None:
    enrolment = save(capture_face(simulator, terminal))
    simulator.before("FDSetUp", lambda: simulator.capture_elsewhere(OTHER_FACE))
    simulator.faults.add(moment, path="FDSetUp", times=1)
    with pytest.raises(NoAnswer):
        settle(enrolment)
    assert row(enrolment).face_unverified

    with pytest.raises(CaptureSuperseded):
        settle(enrolment)

    assert (row(enrolment).face, row(enrolment).face_unverified) == (REFUSED, False)
    assert "100222" not in simulator.faces


def test_face_refused_by_the_terminal_is_said_with_its_reason(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = save(capture_face(simulator, terminal))
    simulator.faults.add("refuse", path="FDSetUp", argument="SubpicAnalysisModelingError")

    with pytest.raises(ModelingFailed):
        settle(enrolment)

    after = row(enrolment)
    assert (after.person, after.face, after.refusal_code) == (CONFIRMED, REFUSED, "SubpicAnalysisModelingError")
    assert after.next_attempt_at is None


def test_ok_without_effect_is_not_green(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = save(capture_face(simulator, terminal))
    simulator.faults.add("ok-without-effect", path="FDSetUp", times=1)

    with pytest.raises(FaceNotVerified):
        settle(enrolment)

    assert (row(enrolment).person, row(enrolment).face) == (CONFIRMED, PENDING)
    assert settle(enrolment).is_confirmed


def test_number_that_is_taken_there_by_nobody_is_not_verified_and_comes_again(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = save(capture_face(simulator, terminal))
    simulator.faults.add("refuse", "employeeNoAlreadyExist", path="UserInfo/Record", times=1)

    with pytest.raises(PersonNotVerified):
        settle(enrolment)

    assert (row(enrolment).person, row(enrolment).next_attempt_at is not None) == (PENDING, True)
    assert settle(enrolment).is_confirmed


def test_new_face_that_was_not_put_does_not_leave_the_old_one_green(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = settle(save(capture_face(simulator, terminal)))
    again = save(capture_face(simulator, terminal, IVAN, THIRD_FACE), IVAN, enrolment.employee_id)
    simulator.faults.add("ok-without-effect", path="FDSetUp", times=1)

    with pytest.raises(FaceNotVerified):
        settle(again)

    assert row(again).face == PENDING
    assert settle(again).is_confirmed
    assert simulator.faces["100222"].jpeg == THIRD_FACE


def test_number_under_another_name_stops_and_asks(simulator: Simulated, terminal: Terminal) -> None:
    simulator.store.add("100222", {"name": "Чужой Человек"})
    enrolment = save(capture_face(simulator, terminal))

    with pytest.raises(NumberTakenThere) as refused:
        settle(enrolment)

    assert refused.value.params["name"] == "Чужой Человек"
    assert (row(enrolment).person, row(enrolment).refusal_text) == (REFUSED, "Чужой Человек")
    assert simulator.people["100222"]["name"] == "Чужой Человек"
    assert "100222" not in simulator.faces


def test_number_is_replaced_only_when_asked_to(simulator: Simulated, terminal: Terminal) -> None:
    simulator.store.add("100222", {"name": "Чужой Человек"})
    enrolment = save(capture_face(simulator, terminal))
    with pytest.raises(NumberTakenThere):
        settle(enrolment)

    desired.desire_overwrite(enrolment.id, row(enrolment).generation)

    assert settle(enrolment).is_confirmed
    assert simulator.people["100222"]["name"] == "Иван Иванов"


def test_terminal_off_at_the_save_loses_nothing(simulator: Simulated, terminal: Terminal, wire: InProcess) -> None:
    enrolment = save(capture_face(simulator, terminal))
    wire.away.add("terminal.test")

    with pytest.raises(Unreachable):
        settle(enrolment)

    assert (row(enrolment).refusal_code, row(enrolment).attempts) == ("unreachable", 1)
    wire.away.clear()
    make_due(enrolment)
    assert claim_due() == [enrolment.id]
    assert settle(enrolment).is_confirmed
    assert simulator.faces["100222"].jpeg == FACE


def test_removal_is_open_until_the_terminal_says_nobody_is_there(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    enrolment = settle(save(capture_face(simulator, terminal)))
    wire.away.add("terminal.test")
    set_active(enrolment.employee_id, active=False)

    with pytest.raises(Unreachable):
        settle(enrolment)

    assert [open_one.number for open_one in queries.open_removals()] == ["100222"]
    wire.away.clear()
    assert settle(enrolment).is_confirmed
    assert queries.open_removals() == []
    assert "100222" not in simulator.people
    assert "100222" not in simulator.faces


def test_removal_without_effect_stays_open(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = settle(save(capture_face(simulator, terminal)))
    set_active(enrolment.employee_id, active=False)
    simulator.faults.add("ok-without-effect", path="UserInfoDetail/Delete", times=1)

    with pytest.raises(RemovalNotVerified):
        settle(enrolment)

    assert row(enrolment).may_open_doors
    assert settle(enrolment).is_confirmed


def test_deleted_employee_outlives_in_the_removal(simulator: Simulated, terminal: Terminal, wire: InProcess) -> None:
    enrolment = settle(save(capture_face(simulator, terminal)))
    wire.away.add("terminal.test")
    delete_employee(enrolment.employee_id)

    with pytest.raises(Unreachable):
        settle(enrolment)

    left = queries.open_removals()
    assert [(one.number, one.written_name, one.employee_id) for one in left] == [("100222", "Иван Иванов", None)]
    wire.away.clear()
    settle(enrolment)
    assert queries.open_removals() == []
    assert db.session.query(Enrolment).count() == 0
    assert "100222" not in simulator.people


def test_rename_reaches_the_terminal_and_keeps_the_face(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = settle(save(capture_face(simulator, terminal)))

    save_employee(Draft("100222", "Иван Петров"), employee_id=enrolment.employee_id)

    assert row(enrolment).person == PENDING
    assert settle(enrolment).is_confirmed
    assert simulator.people["100222"]["name"] == "Иван Петров"
    assert simulator.faces["100222"].jpeg == FACE


def test_wish_changed_meanwhile_is_not_confirmed_by_the_old_conversation(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = save(capture_face(simulator, terminal))
    employee_id = enrolment.employee_id
    simulator.after("FDSetUp", lambda: _leave(app, employee_id))

    with pytest.raises(GenerationChanged):
        settle(enrolment)

    assert row(enrolment).may_open_doors
    assert settle(enrolment).is_confirmed
    assert "100222" not in simulator.people


def _leave(app: Flask, employee_id: int | None) -> None:
    with app.app_context():
        set_active(employee_id or 0, active=False)


@pytest.mark.parametrize("gone", [True, False])
def test_what_the_terminal_contradicts_is_not_green_though_the_next_answer_is_lost(
    simulator: Simulated, terminal: Terminal, gone: bool
) -> None:
    enrolment = settle(save(capture_face(simulator, terminal)))
    simulator.store.unbind(["100222"])
    if not gone:
        simulator.store.bind("100222", OTHER_FACE)
    simulator.faults.add("lost-before", path="/LOCALS/pic/web_face_enrollpic*", times=1)

    with pytest.raises(NoAnswer):
        reconcile(enrolment.id, "operator", prove_again=True)

    stopped = row(enrolment)
    assert (stopped.face, stopped.is_green, stopped.next_attempt_at is not None) == (PENDING, False, True)
    make_due(enrolment)
    assert settle(enrolment).is_green
    assert simulator.faces["100222"].jpeg == FACE
