"""The decisions to leave differences as they are, with a name for each: the one here before the one there."""

import pytest

from hikflask.extensions import db
from hikflask.models import LeftAlone, Terminal
from hikflask.models.comparison import NAME, ONLY_HERE, ONLY_THERE
from hikflask.services.comparisons import preview
from tests.support.compared import add_comparison
from tests.support.jobs import add_people

pytestmark = pytest.mark.usefixtures("context")


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
