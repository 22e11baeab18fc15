"""Who comes in as new is pointed out where an employee has nearly the same ID, or the same name."""

import pytest

from hikflask.models import Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.comparisons import namesakes
from hikflask.services.comparisons.plan import TAKE_OVER, Choices, make
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.employees.save import save_employee
from hikflask.simulator import Terminal as Simulated
from tests.support.comparisons import compare

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def found(simulator: Simulated, terminal: Terminal, here: dict[str, str], there: dict[str, str]) -> dict[str, str]:
    """The number here, by the number there, with "0" where only leading zeros differ."""
    for number, name in here.items():
        save_employee(Draft(number, name))
    for number, name in there.items():
        simulator.store.add(number, {"name": name})
    plan = make(compare(terminal), Choices(kinds={"only_there": TAKE_OVER}))
    return {number: f"{one.number}{' 0' * one.by_zeros}" for number, one in namesakes.of_new(plan.steps).items()}


def test_leading_zeros_come_before_names(simulator: Simulated, terminal: Terminal) -> None:
    here = {"12": "Анна Ким", "0": "Олег Юн", "A1": "Пётр Ли", "77": "Вера Ан"}
    there = {"0012": "Вера Ан", "000": "Некто", "00A1": "Пётр Ли", "78": "вера  ан", "79": "Вера Анн", "120": "Никто"}

    pairs = found(simulator, terminal, here, there)

    assert pairs == {"000": "0 0", "0012": "12 0", "00A1": "A1 0", "78": "77"}
    assert list(pairs) == ["000", "0012", "00A1", "78"]


def test_who_works_here_comes_before_who_left(simulator: Simulated, terminal: Terminal) -> None:
    for number in "12":
        save_employee(Draft(number, "Анна Ким"))
    set_active(save_employee(Draft("3", "Анна Ким")).row.id, active=False)

    assert found(simulator, terminal, {}, {"9": "Анна Ким"}) == {"9": "2"}


def test_who_joins_an_employee_or_cannot_come_in_is_not_meant(simulator: Simulated, terminal: Terminal) -> None:
    here, there = {"7": "Анна Ким", "8": "Анна Ким"}, {"7": "Анна Ким", "Ж9": "Анна Ким"}

    assert found(simulator, terminal, here, there) == {}
