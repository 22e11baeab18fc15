"""A decision to leave a difference has a name, the one here before the one there; a face there is the one read."""

import pytest

from hikflask.extensions import db
from hikflask.models import LeftAlone, Terminal
from hikflask.models.comparison import NAME, ONLY_HERE, ONLY_THERE
from hikflask.services.comparisons import preview
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, OTHER_FACE
from tests.support.compared import add_comparison
from tests.support.comparisons import compare
from tests.support.enrolments import enrol
from tests.support.jobs import add_people

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def test_decision_has_the_name_here_else_the_one_there_else_the_number(terminal: Terminal) -> None:
    comparison = add_comparison(terminal.id, {NAME: ["1"], ONLY_THERE: ["2"], ONLY_HERE: ["3"]})
    (ivan,) = add_people("1")
    decisions = [
        LeftAlone(terminal_id=terminal.id, number=number, kind=kind, reason="гости", decided_by="Анна")
        for number, kind in (("1", NAME), ("2", ONLY_THERE), ("3", ONLY_HERE))
    ]
    db.session.add_all(decisions)
    db.session.commit()

    left = preview.left(comparison, decisions)

    assert [(one.name, one.employee_id) for one in left] == [("Иван Иванов 1", ivan), ("Гость 2", None), ("3", None)]
    assert [(one.decided_by, one.reason) for one in left] == [("Анна", "гости")] * 3


def test_face_there_is_the_one_that_was_read_or_none(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)
    simulator.store.bind("100222", OTHER_FACE)
    done = compare(terminal)
    assert preview.picture_there(done, "100222", "Анна") == OTHER_FACE
    assert preview.picture_there(done, "100333", "Анна") is None

    simulator.store.bind("100222", FACE)

    assert preview.picture_there(done, "100222", "Анна") is None
