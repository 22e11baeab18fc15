"""What a failed attempt writes: why, and when it is tried again."""

import pytest

from hikflask.isapi.errors import ModelingFailed, NoAnswer, Unreachable
from hikflask.models import Terminal
from hikflask.models.enrolment import CONFIRMED, REFUSED
from hikflask.services.attention import overview
from hikflask.services.core.errors import NumberTakenThere
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.state.badges import badge_of, detail_of
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, IVAN, OTHER_FACE
from tests.support.due import claim_due, make_due
from tests.support.enrolments import desire_with_face, enrol
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


@pytest.mark.parametrize("moment", ["lost-before", "lost-after"])
@pytest.mark.parametrize("path", ["UserInfo/Record", "FDSetUp", "UserInfo/Search", "/LOCALS/pic/*"])
def test_lost_answer_is_not_green_and_the_next_attempt_proves_it(
    simulator: Simulated, terminal: Terminal, path: str, moment: str
) -> None:
    enrolment = desire_with_face(simulator, terminal)
    simulator.faults.add(moment, path=path, times=1)

    with pytest.raises(NoAnswer):
        reconcile(enrolment.id, "operator")

    assert not queries.get_one(enrolment.id).is_confirmed
    assert queries.get_one(enrolment.id).next_attempt_at is not None
    assert reconcile(enrolment.id, "operator").is_confirmed
    assert simulator.faces["100222"].jpeg == FACE


def test_face_refused_by_the_terminal_is_said_with_its_reason(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    simulator.faults.add("refuse", path="FDSetUp", argument="SubpicAnalysisModelingError")

    with pytest.raises(ModelingFailed):
        reconcile(enrolment.id, "operator")

    after = queries.get_one(enrolment.id)
    assert (after.person, after.face, after.refusal_code) == (CONFIRMED, REFUSED, "subpicanalysismodelingerror")
    assert after.next_attempt_at is None


def test_terminal_off_at_the_save_loses_nothing(simulator: Simulated, terminal: Terminal, wire: InProcess) -> None:
    enrolment = desire_with_face(simulator, terminal)
    wire.away.add("terminal.test")

    with pytest.raises(Unreachable):
        reconcile(enrolment.id, "operator")

    assert (queries.get_one(enrolment.id).refusal_code, queries.get_one(enrolment.id).attempts) == ("unreachable", 1)
    wire.away.clear()
    make_due(enrolment.id)
    assert claim_due() == [enrolment.id]
    assert reconcile(enrolment.id, "operator").is_confirmed
    assert simulator.faces["100222"].jpeg == FACE


def test_old_face_that_a_refused_photo_did_not_replace_is_said_while_it_is_there(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrol(simulator, terminal)
    enrolment = desire_with_face(simulator, terminal, IVAN, OTHER_FACE)
    simulator.faults.add("refuse", path="FDSetUp", argument="SubpicAnalysisModelingError")

    with pytest.raises(ModelingFailed):
        reconcile(enrolment.id, "operator")

    after = queries.get_one(enrolment.id)
    assert simulator.faces["100222"].jpeg == FACE
    assert (after.person, after.face, after.refusal_code) == (CONFIRMED, REFUSED, "subpicanalysismodelingerror")
    assert badge_of(after, detail_of(after)) == "old_face_there"

    simulator.store.faces.pop("100222")
    make_due(enrolment.id)
    after = reconcile(enrolment.id, "operator")
    assert badge_of(after, detail_of(after)) == "face_refused"


@pytest.mark.both_databases
def test_who_has_another_name_there_asks_a_person_although_a_face_was_not_verified(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = desire_with_face(simulator, terminal)
    simulator.faults.add("lost-after", path="FDSetUp", times=1)
    with pytest.raises(NoAnswer):
        reconcile(enrolment.id, "operator")
    simulator.people["100222"]["name"] = "Другое Имя"

    for _ in range(2):  # The first answer after the lost one makes everything due once more.
        with pytest.raises(NumberTakenThere):
            reconcile(enrolment.id, "operator")

    after = queries.get_one(enrolment.id)
    assert (after.person, after.refusal_code, after.next_attempt_at) == (REFUSED, NumberTakenThere.code, None)
    assert after.face_unverified
    assert [row.cause for row in overview.count().people] == ["taken"]
    simulator.people["100222"]["name"] = IVAN.name
    make_due(enrolment.id)
    assert reconcile(enrolment.id, "operator").is_confirmed
    assert simulator.faces["100222"].jpeg == FACE
