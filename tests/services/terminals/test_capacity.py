"""How much room a terminal has, who is refused for lack of it, and who is due again once there is some."""

import pytest

from hikflask.extensions import db
from hikflask.isapi.errors import Full
from hikflask.models import Enrolment, Terminal
from hikflask.models.enrolment import CONFIRMED, PENDING, REFUSED
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import capacity, checks, registry
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, IVAN, OTHER_FACE
from tests.support.enrolments import desire_with_face, employee_of, enrol
from tests.support.refusals import refusal

pytestmark = [pytest.mark.usefixtures("context", "worker_alive")]
OLGA = Draft("100333", "Ольга Ёлкина")


def row(terminal: Terminal) -> Terminal:
    found = registry.find_terminal(terminal.id)
    assert found
    db.session.refresh(found)
    return found


def holds(terminal: Terminal, **columns: int | None) -> None:
    """Write what the terminal told at its last check."""
    db.session.execute(db.update(Terminal).where(Terminal.id == terminal.id).values(columns))
    db.session.commit()


def counts(simulator: Simulated) -> int:
    return sum(entry.plain_path.endswith("UserInfo/Count") for entry in simulator.log)


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ({"people": 10, "people_capacity": 12, "faces": 3, "face_capacity": 3}, (2, 0)),
        ({"people": 15, "people_capacity": 12, "faces": None, "face_capacity": 3}, (0, None)),
        ({"people": 15, "people_capacity": None, "faces": 1, "face_capacity": 0}, (None, None)),
    ],
)
def test_what_is_left_is_told_before_anything_is_sent(
    told: dict[str, int | None], left: tuple[int | None, int | None]
) -> None:
    assert capacity.remaining(Terminal(**told)) == left


@pytest.mark.parametrize(
    ("counted", "nearly"),
    [
        ({"people": 89}, False),
        ({"people": 90}, True),
        ({"people": 10, "faces": 45, "face_capacity": 50}, True),
        ({"people": None}, False),
        ({"people": 90, "people_capacity": None}, False),
    ],
)
def test_nine_tenths_of_people_or_faces_are_nearly_full(counted: dict[str, int | None], nearly: bool) -> None:
    assert capacity.is_nearly_full(Terminal(**{"people_capacity": 100, **counted})) is nearly


def test_counts_follow_what_is_sent_and_removed(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    assert (row(terminal).people, row(terminal).faces) == (1, 1)
    enrol(simulator, terminal, IVAN, OTHER_FACE)
    reconcile(enrolment.id, "Анна", prove_again=True)
    assert (row(terminal).people, row(terminal).faces) == (1, 1)

    set_active(employee_of(enrolment), active=False)
    reconcile(enrolment.id, "Анна")
    assert (row(terminal).people, row(terminal).faces) == (0, 0)


def test_counts_that_are_not_known_stay_so(simulator: Simulated, terminal: Terminal) -> None:
    holds(terminal, people=None, faces=None)
    enrol(simulator, terminal)
    assert (row(terminal).people, row(terminal).faces) == (None, None)


@pytest.mark.both_databases
def test_person_is_refused_before_the_terminal_would_and_due_after_a_removal(
    simulator: Simulated, terminal: Terminal
) -> None:
    ivan = enrol(simulator, terminal)
    holds(terminal, people_capacity=1)
    simulator.store.capacity = 1
    olga = desire_with_face(simulator, terminal, OLGA)
    simulator.log.clear()

    with pytest.raises(Full):
        reconcile(olga.id, "Анна")

    refused = queries.get_one(olga.id)
    assert (refused.person, refused.refusal_code, refused.next_attempt_at) == (REFUSED, "deviceuserfull", None)
    assert counts(simulator) == 1
    assert not any(entry.plain_path.endswith("UserInfo/Record") for entry in simulator.log)
    set_active(employee_of(ivan), active=False)
    reconcile(ivan.id, "Анна")
    waiting = queries.get_one(olga.id)
    assert (waiting.person, waiting.refusal_code, waiting.next_attempt_at is not None) == (PENDING, "", True)
    assert reconcile(olga.id, "Анна").person == CONFIRMED


def test_old_count_is_taken_again_before_anybody_is_refused(simulator: Simulated, terminal: Terminal) -> None:
    holds(terminal, people=1500, people_capacity=1500)

    assert enrol(simulator, terminal).is_confirmed

    assert counts(simulator) == 1
    assert row(terminal).people == 1


def test_face_is_refused_likewise_and_its_person_stays(simulator: Simulated, terminal: Terminal) -> None:
    holds(terminal, face_capacity=1)
    simulator.store.add("7", {"name": "Чужой Человек"})
    simulator.store.bind("7", OTHER_FACE)
    checks.check(terminal.id, "test")
    holds(terminal, face_capacity=1)
    enrolment = desire_with_face(simulator, terminal)

    with pytest.raises(Full):
        reconcile(enrolment.id, "Анна")

    refused = queries.get_one(enrolment.id)
    assert (refused.person, refused.face, refused.refusal_code) == (CONFIRMED, REFUSED, "devicefacefull")
    assert not any(entry.plain_path.endswith("FDSetUp") for entry in simulator.log)
    simulator.store.unbind(["7"])
    checks.check(terminal.id, "test")
    assert queries.get_one(enrolment.id).face == PENDING
    assert reconcile(enrolment.id, "Анна").is_confirmed
    assert simulator.faces["100222"].jpeg == FACE


def test_no_more_are_due_than_there_is_room_for(simulator: Simulated, terminal: Terminal) -> None:
    refused = [desire_with_face(simulator, terminal, Draft(f"N{n}", "Иван")) for n in range(3)]
    values = {"person": REFUSED, "refusal": refusal("deviceuserfull"), "next_attempt_at": None}
    db.session.execute(db.update(Enrolment).values(values))
    db.session.commit()

    capacity.make_due(terminal.id, 2, None)
    db.session.commit()

    due = [queries.get_one(one.id).next_attempt_at is not None for one in refused]
    assert due == [True, True, False]
