"""People who need a person are one row for each cause and terminal, and no more of them are read than pages count."""

from dataclasses import replace

import pytest

from hikflask.models import Terminal
from hikflask.services.attention import people_problems
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.provisioning import without_face
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import OLGA
from tests.support.enrolments import desire_with_face, let_fail

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

MODELING = "SubpicAnalysisModelingError"


def test_who_needs_a_photo_is_a_row_of_the_terminal_beside_another_cause_there(
    simulator: Simulated, terminal: Terminal
) -> None:
    simulator.faults.add("refuse", MODELING)
    let_fail(desire_with_face(simulator, terminal))
    simulator.faults.clear()
    for number in ("7", "8"):
        reconcile(send_to_terminal(save_employee(Draft(number, "Пётр Ли")).row.id, terminal.id).row.id, "test")
    simulator.people["100333"] = {"employeeNo": "100333", "name": "Чужой Человек"}
    let_fail(desire_with_face(simulator, terminal, OLGA))

    problems = people_problems.find([terminal], {terminal.id})

    assert [(row.cause, row.count, row.has_more) for row in problems] == [("photo", 3, False), ("taken", 1, False)]
    photo, taken = people_problems.shown(problems)
    assert [one.number for one in photo.enrolments] == ["100222", "7", "8"]
    assert [one.number for one in taken.enrolments] == ["100333"]
    # The round leads through the same people.
    assert without_face.count(terminal) == 3
    assert len(people_problems.everybody("photo", terminal).enrolments) == 3


def test_more_people_than_are_counted_are_one_row(
    simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.faults.add("refuse", MODELING)
    for number in range(4):
        let_fail(desire_with_face(simulator, terminal, Draft(f"N{number}", "Иван Иванов")))
    simulator.people["100333"] = {"employeeNo": "100333", "name": "Чужой Человек"}
    simulator.faults.clear()
    let_fail(desire_with_face(simulator, terminal, OLGA))
    monkeypatch.setattr(people_problems, "MAX_COUNTED", 4)
    monkeypatch.setattr(people_problems, "AT_EACH", people_problems.at_each())
    people_problems._counting.cache_clear()

    rows = people_problems.find([terminal], {terminal.id})
    people_problems._counting.cache_clear()

    assert [(row.cause, row.count, row.has_more) for row in rows] == [("photo", 4, True), ("taken", 1, True)]


def test_as_many_rows_are_shown_as_there_are(simulator: Simulated, terminal: Terminal) -> None:
    simulator.faults.add("refuse", MODELING)
    let_fail(desire_with_face(simulator, terminal))
    (photo,) = people_problems.find([terminal], {terminal.id})

    # SQLite joins no more than 500 statements.
    shown = people_problems.shown([photo] + [replace(photo, cause=f"code{n}") for n in range(500)])

    assert [len(each.enrolments) for each in shown] == [1] + [0] * 500
