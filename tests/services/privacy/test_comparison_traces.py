"""What comparisons hold of a person is found by the number, and erased."""

import pytest

from hikflask.extensions import db
from hikflask.models import Difference, Drift, LeftAlone, PersonThere, Terminal
from hikflask.models.comparison import NAME, ONLY_THERE
from hikflask.services.comparisons import left_alone
from hikflask.services.privacy import comparison_traces
from hikflask.simulator import Terminal as Simulated
from tests.support.comparisons import compare, strangers

pytestmark = pytest.mark.usefixtures("context")


def test_rows_of_a_number_are_found_and_erased(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900", "901"])
    left_alone.leave(compare(terminal).id, ONLY_THERE, "900")
    db.session.add(Drift(terminal_id=terminal.id, kind=NAME, number="900"))
    db.session.commit()
    tables = [PersonThere, Difference, LeftAlone, Drift]

    found = comparison_traces.of_numbers(["900"])

    assert [(name, type(row)) for name, row in found] == [("Вход", table) for table in tables]
    comparison_traces.forget(["900"])
    db.session.commit()
    assert comparison_traces.of_number("900") == []
    assert [db.session.query(table).count() for table in tables] == [1, 1, 0, 0]
