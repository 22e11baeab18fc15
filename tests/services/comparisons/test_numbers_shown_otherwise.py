"""A terminal that shows IDs without leading zeros or in upper case: nobody's own record is taken for a stranger's."""

import pytest

from hikflask.extensions import db
from hikflask.messages import english_of
from hikflask.models import JobItem, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.comparisons import plan, queries
from hikflask.services.comparisons.plan import REMOVE, TAKE_OVER, Choices
from hikflask.services.core.errors import ServiceError
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import OTHER_FACE
from tests.support.comparisons import carry_out, compare, differences, show_numbers_otherwise, strangers
from tests.support.enrolments import enrol
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


@pytest.mark.parametrize("action", [REMOVE, TAKE_OVER])
def test_own_record_that_looks_like_a_stranger_s_is_neither_removed_nor_taken_over(
    simulator: Simulated, terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    enrol(simulator, terminal, Draft("007", "Ольга Орлова"))
    enrol(simulator, terminal, Draft("ab1", "Пётр Петров"), OTHER_FACE)
    strangers(simulator, ["900"])
    show_numbers_otherwise(wire, monkeypatch)

    done = compare(terminal)

    assert differences(done)["only_there"] == ["7", "900", "AB1"]
    assert queries.doubts(done) == ["numbers_shown_otherwise"]
    for choices in (Choices(kinds={"only_there": action}), Choices(dict.fromkeys(("7", "AB1"), action))):
        made = plan.make(done, choices)
        refused = {step.number: english_of(step.refusal) for step in made.refused}
        assert refused == {
            "7": "The terminal shows ID 007 as 7: this is the employee's own record, so it stays.",
            "AB1": "The terminal shows ID ab1 as AB1: this is the employee's own record, so it stays.",
        }
        with pytest.raises(ServiceError, match=r"^own_number_there$"):
            carry_out(JobItem(number="7", action=action), {"comparison": done.id})
    db.session.rollback()
    assert {"007", "ab1"} < set(simulator.people)


def test_number_that_differs_by_zeros_is_a_stranger_s_where_both_are_there(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrol(simulator, terminal, Draft("007", "Ольга Орлова"))
    strangers(simulator, ["7"])

    done = compare(terminal)

    assert queries.doubts(done) == []
    assert not plan.make(done, Choices(kinds={"only_there": REMOVE})).refused
