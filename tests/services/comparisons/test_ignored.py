"""What a person left alone: remembered with who and why, hidden while the same is there, and taken back."""

import pytest

from hikflask.extensions import db
from hikflask.models import IgnoredDifference, Terminal
from hikflask.models.comparison import NAME, ONLY_HERE, ONLY_THERE
from hikflask.models.enrolment import PENDING, REFUSED
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.comparisons import ignored, queries
from hikflask.services.enrolments import queries as enrolments
from hikflask.services.state import enrolment as state
from hikflask.simulator import Terminal as Simulated
from tests.support.compared import add_comparison
from tests.support.comparisons import compare, desire_with_photo, differences, strangers
from tests.support.enrolments import enrol
from tests.support.fleet import add_terminal, device
from tests.support.jobs import add_people
from tests.support.trail import entries
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


@pytest.mark.both_databases
def test_decision_is_remembered_and_hides_the_difference(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900", "901"])
    first = compare(terminal)
    with audit.acting(Actor("Ольга")):
        assert ignored.ignore(first, ONLY_THERE, ["900"], " охрана склада ")

    assert differences(queries.get_comparison(first.id)) == {"only_there": ["901"]}
    second = compare(terminal)
    assert (differences(second), queries.counts(second)["only_there"]) == ({"only_there": ["901"]}, 1)
    [decision] = ignored.decisions(second)
    assert (decision.number, decision.decided_by, decision.reason) == ("900", "Ольга", "охрана склада")
    assert [row.number for row in queries.list_differences(second, ONLY_THERE)] == ["901"]
    assert queries.count_ignored(second) == 1
    (noted,) = entries("difference.left_alone")
    assert (noted.actor, noted.employee, noted.terminal) == ("Ольга", "900", "Вход")


@pytest.mark.both_databases
def test_decision_at_one_terminal_is_none_for_another(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    other_device = device(serial="0000002")
    other = add_terminal(wire, "second.test", "Склад", other_device)
    for one in (simulator, other_device):
        strangers(one, ["900", "901"])
    compare(terminal)
    ignored.ignore(compare(other), ONLY_THERE, ["900"])

    assert differences(compare(other)) == {"only_there": ["901"]}
    assert differences(compare(terminal)) == {"only_there": ["900", "901"]}


def test_difference_is_shown_again_when_something_else_is_there(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900"])
    ignored.ignore(compare(terminal), ONLY_THERE, ["900"])

    simulator.people["900"]["name"] = "Другой"

    assert differences(compare(terminal)) == {"only_there": ["900"]}


def test_decision_ends_with_its_difference(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900"])
    ignored.ignore(compare(terminal), ONLY_THERE, ["900"])
    simulator.store.remove(["900"])
    compare(terminal)

    strangers(simulator, ["900"])

    assert differences(compare(terminal)) == {"only_there": ["900"]}


@pytest.mark.both_databases
def test_whole_kind_is_left_alone_and_one_is_taken_back(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900", "901", "902"])
    done = compare(terminal)

    assert (ignored.ignore(done, ONLY_THERE), ignored.ignore(done, ONLY_THERE)) == (3, 0)
    assert differences(done) == {}
    assert ignored.stop_ignoring(terminal.id, ONLY_THERE, "901")
    assert not ignored.stop_ignoring(terminal.id, ONLY_THERE, "901")
    assert differences(done) == {"only_there": ["901"]}


def test_nothing_is_left_that_does_not_differ(terminal: Terminal) -> None:
    assert not ignored.ignore(compare(terminal), ONLY_THERE, ["900"])


@pytest.mark.both_databases
def test_enrolment_is_not_tried_until_the_decision_is_taken_back(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    simulator.people["100222"]["name"] = "Пётр Петров"
    ignored.ignore(compare(terminal), NAME, ["100222"], "так надо")

    left = enrolments.get_one(enrolment.id)
    assert (left.person, left.refusal_code, left.next_attempt_at) == (REFUSED, state.LEFT_ALONE, None)
    assert differences(compare(terminal)) == {}

    assert ignored.stop_ignoring(terminal.id, NAME, "100222")
    again = enrolments.get_one(enrolment.id)
    assert (again.person, again.refusal_code, again.next_attempt_at is not None) == (PENDING, "", True)


@pytest.mark.both_databases
def test_somebody_who_waits_for_the_terminal_is_left_alone_too(terminal: Terminal) -> None:
    waiting = desire_with_photo(terminal)
    ignored.ignore(compare(terminal), ONLY_HERE, ["100222"])

    assert (enrolments.get_one(waiting.id).person, enrolments.get_one(waiting.id).next_attempt_at) == (REFUSED, None)


@pytest.mark.both_databases
def test_decision_has_the_name_here_else_the_one_there_else_the_number(terminal: Terminal) -> None:
    comparison = add_comparison(terminal.id, {NAME: ["1"], ONLY_THERE: ["2"], ONLY_HERE: ["3"]})
    (ivan,) = add_people("1")
    decisions = [
        IgnoredDifference(terminal_id=terminal.id, number=number, kind=kind, reason="гости", decided_by="Анна")
        for number, kind in (("1", NAME), ("2", ONLY_THERE), ("3", ONLY_HERE))
    ]
    db.session.add_all(decisions)
    db.session.commit()

    left = ignored.decisions(comparison)

    assert [(one.name, one.employee_id) for one in left] == [("Иван Иванов 1", ivan), ("Гость 2", None), ("3", None)]
    assert [(one.decided_by, one.reason) for one in left] == [("Анна", "гости")] * 3
