"""A terminal that has fewer people than it confirmed keeps nobody green: each is asked for again, once."""

import dataclasses
from contextlib import suppress

import pytest

from hikflask.extensions import db
from hikflask.isapi.errors import TerminalError
from hikflask.models import AuditEntry, Enrolment, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import queries, schedule
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import checks, people_changes
from hikflask.services.terminals.checks import ask_status
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.faces import NAMES, draw
from tests.support.comparisons import compare
from tests.support.due import claim_due

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

IVAN, OLGA = Draft("100222", "Иван Иванов"), Draft("100333", "Ольга Ёлкина")


@pytest.fixture
def both(simulator: Simulated, terminal: Terminal) -> Terminal:
    """The terminal, on which two employees are confirmed."""
    for draft, face in zip((IVAN, OLGA), NAMES, strict=False):
        simulator.present_alone(draw(face))
        taken = run_capture(start_capture(terminal.id, draft, "Анна").id)
        save_employee(draft, FaceSource(taken.id, taken.requested_by))
        reconcile(wish(draft).id, "test")
        assert wish(draft).is_green
    return terminal


def wish(draft: Draft) -> Enrolment:
    return queries.of_number(draft.number)[0]


def sweep() -> list[int]:
    claimed = claim_due()
    for enrolment_id in claimed:
        with suppress(TerminalError, ServiceError):
            reconcile(enrolment_id, "sweep")
    return claimed


def losses() -> int:
    return db.session.query(AuditEntry).filter(AuditEntry.action == "terminal.people_lost").count()


def test_who_is_added_after_a_reset_does_not_wait_for_all_others(both: Terminal, simulator: Simulated) -> None:
    simulator.people.clear()
    simulator.faces.clear()
    checks.check(both.id, "test")
    added = send_to_terminal(save_employee(Draft("100444", "Пётр Ли")).row.id, both.id).row

    (turn,) = schedule.claim_turns()

    assert turn == [added.id, wish(IVAN).id, wish(OLGA).id]


def test_nobody_is_green_on_a_terminal_that_was_reset(both: Terminal, simulator: Simulated) -> None:
    simulator.people.clear()
    simulator.faces.clear()
    simulator.restart()

    checks.check(both.id, "test")

    assert not wish(IVAN).is_green
    assert not wish(OLGA).is_green
    sweep()
    assert set(simulator.people) == {"100222", "100333"}
    assert (wish(IVAN).person, wish(IVAN).face, wish(IVAN).refusal_code) == ("confirmed", "refused", "file_gone")


def test_who_is_there_still_is_green_again_and_keeps_the_face(both: Terminal, simulator: Simulated) -> None:
    face = simulator.faces["100333"]
    simulator.store.remove(["100222"])

    ask_status(both.id, "test")
    sweep()

    assert wish(OLGA).is_green
    assert simulator.faces["100333"] == face
    assert not wish(IVAN).is_green


def test_lost_face_is_noticed_as_well(both: Terminal, simulator: Simulated) -> None:
    simulator.store.unbind(["100222"])

    checks.check(both.id, "test")

    assert not wish(IVAN).is_green


def test_same_loss_is_noticed_once(both: Terminal, simulator: Simulated) -> None:
    simulator.store.remove(["100222"])

    for _ in range(3):
        checks.check(both.id, "test")
    assert len(sweep()) == 2
    checks.check(both.id, "test")

    assert sweep() == []
    assert losses() == 1


@pytest.mark.parametrize(
    ("fields", "counted"),
    [
        ({"bindFaceUserNumber"}, (2, None)),
        ({"userNumber", "bindFaceUserNumber"}, (None, None)),
    ],
)
def test_count_that_stays_0_is_not_known_and_proves_nobody_anew(
    both: Terminal, simulator: Simulated, fields: set[str], counted: tuple[int | None, int | None]
) -> None:
    compare(both)
    simulator.profile = dataclasses.replace(simulator.profile, counts_that_stay_0=frozenset(fields))

    for _ in range(2):
        checks.check(both.id, "test")
        shown = ask_status(both.id, "test")

    assert (shown.people, shown.faces) == counted
    assert (claim_due(), losses(), people_changes.changes_at(both.id)) == ([], 0, [])
    assert wish(IVAN).is_green


def test_face_is_asked_for_in_the_library_where_the_list_does_not_tell_it(both: Terminal, simulator: Simulated) -> None:
    zero = frozenset({"bindFaceUserNumber"})
    untold = dataclasses.replace(simulator.profile, not_in_search=frozenset({"numOfFace"}), counts_that_stay_0=zero)
    simulator.profile = untold

    assert checks.check(both.id, "test").faces is None
    assert losses() == 0

    simulator.store.unbind(None)
    assert checks.check(both.id, "test").faces == 0
    assert losses() == 1


def test_check_of_a_terminal_that_lost_nobody_asks_for_nothing(both: Terminal, simulator: Simulated) -> None:
    simulator.people["7"] = {"employeeNo": "7", "name": "Чужой Человек"}

    checks.check(both.id, "test")

    assert claim_due() == []
    assert losses() == 0
