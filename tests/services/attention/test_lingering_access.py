"""Who left here and is on a terminal all the same needs attention until nobody is there."""

import pytest

from hikflask.extensions import db
from hikflask.models import Comparison, Employee, Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import LEAVING
from hikflask.services.attention import lingering_access, overview, people_problems
from hikflask.services.attention.people_problems import LINGERING_ACCESS
from hikflask.services.comparisons import ignored, plan_choices, queries
from hikflask.services.comparisons import plan as plans
from hikflask.services.comparisons.plan import Choices
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.enrolments import queries as enrolments
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.comparisons import compare
from tests.support.enrolments import employee_of, enrol
from tests.support.jobs import add_people, looked_again, run

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


@pytest.fixture
def left(simulator: Simulated, terminal: Terminal) -> list[int]:
    """Two who left, of whom other software has written the first to the terminal, and a third who works here."""
    ids = add_people("1", "2", "3")
    for employee_id in ids[:2]:
        set_active(employee_id, active=False)
    for number in "13":
        simulator.store.add(number, {"name": f"Иванов Иван {number}"})
    assert found() == []
    compare(terminal)
    return ids


def found() -> list[str]:
    """The numbers of those who left and are there."""
    people = lingering_access.find()
    db.session.commit()
    return [person.number for person in people]


def test_only_who_left_is_found_and_counted(left: list[int], terminal: Terminal) -> None:
    (person,) = lingering_access.find()

    assert (person.employee_id, person.name, person.terminal) == (left[0], "Иван Иванов 1", terminal.name)
    counts = overview.count()
    (row,) = (row for row in counts.people if row.cause == LINGERING_ACCESS)
    assert (row.terminal.id, row.count, row.people) == (terminal.id, 1, [person])
    assert [one.number for one in people_problems.everybody(LINGERING_ACCESS, terminal).employees] == ["1"]
    db.session.execute(db.delete(Comparison))
    assert overview.count().total == counts.total - 1


def test_who_works_here_again_is_not_meant(left: list[int]) -> None:
    set_active(left[0], active=True)

    assert found() == []


@pytest.mark.parametrize(("name", "is_found"), [("ИВАНОВ И.", True), ("", True), ("Пётр Смирнов", False)])
def test_quite_another_name_is_somebody_else(
    left: list[int], simulator: Simulated, terminal: Terminal, name: str, is_found: bool
) -> None:
    assert left
    simulator.people["1"]["name"] = name
    compare(terminal)

    assert (found() == ["1"]) is is_found


def test_chosen_removal_is_an_open_one_and_then_over(left: list[int], terminal: Terminal) -> None:
    comparison = queries.finished(terminal.id)
    assert left
    assert comparison
    chosen = plans.make(comparison, Choices({"1": "remove"}))
    claim = plan_choices.begin(chosen, Confirmation(1, by_admin=True))
    run(claim)

    counts = overview.count()
    assert ([row.cause for row in counts.people if row.terminal.id == terminal.id], counts.removals) == (["leaving"], 1)

    for removal in enrolments.of_number("1"):
        reconcile(removal.id, "Анна")
    assert looked_again(claim).state == "done"
    assert found() == []


def test_removed_person_who_is_there_again_is_an_open_removal_and_no_such_row(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(employee_of(enrolment), active=False)
    reconcile(enrolment.id, "Анна")
    simulator.store.add("100222", {"name": "Иван Иванов"})
    compare(terminal)

    assert found() == []
    assert db.session.get_one(Enrolment, enrolment.id, populate_existing=True).state == LEAVING


def test_who_is_left_there_on_purpose_or_on_a_retired_terminal_is_not_meant(
    left: list[int], terminal: Terminal
) -> None:
    comparison = queries.finished(terminal.id)
    assert left
    assert comparison
    ignored.ignore(comparison, "only_there", ["1"], "охранник")
    assert found() == []

    ignored.stop_ignoring(terminal.id, "only_there", "1")
    assert found() == ["1"]
    db.session.execute(db.update(Terminal).values(retired_at=database_now()))
    assert found() == []


def test_erased_person_is_not_meant(left: list[int]) -> None:
    db.session.execute(db.delete(Employee).where(Employee.id == left[0]))
    db.session.commit()

    assert found() == []
