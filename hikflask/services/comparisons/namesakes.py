"""Points out who may be an employee already under another ID: the same but for leading zeros, or the same name.

Nobody is joined with an employee of another ID by that. A person leaves them out, and corrects one of the IDs.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from hikflask.models import Employee
from hikflask.services.comparisons.plan import TAKE_OVER, Step
from hikflask.services.core.db import rows_of
from hikflask.text_rules import folded


@dataclass(frozen=True)
class Namesake:
    """An employee with nearly the same ID, or with the same name. `by_zeros`: only leading zeros of the IDs differ."""

    employee_id: int
    number: str
    name: str
    is_active: bool
    by_zeros: bool


def of_new(steps: Iterable[Step]) -> Mapping[str, Namesake]:
    """Return, by the number there, the employee whom somebody may be who comes in as a new one by these steps.

    An ID that differs by leading zeros comes before a name, and somebody who works here before one who left.
    """
    new = [step for step in steps if step.action == TAKE_OVER and step.employee_id is None and not step.refusal]
    by_number, by_name = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for step in new:
        by_number[_without_zeros(step.number)].append(step.number)
        by_name[_plain(step.name_there)].append(step.number)
    by_zeros, namesakes = dict[str, Namesake](), dict[str, Namesake]()
    if new:
        columns = (Employee.id, Employee.number, Employee.name, Employee.is_active)
        for employee_id, number, name, is_active in rows_of(select(*columns).order_by(Employee.is_active, Employee.id)):
            for number_there in by_number.get(_without_zeros(number), ()):
                by_zeros[number_there] = Namesake(employee_id, number, name, is_active, by_zeros=True)
            for number_there in by_name.get(_plain(name), ()):
                namesakes[number_there] = Namesake(employee_id, number, name, is_active, by_zeros=False)
    found = {**namesakes, **by_zeros}
    return dict(sorted(found.items(), key=lambda pair: (not pair[1].by_zeros, pair[0])))


def _without_zeros(number: str) -> str:
    return number.lstrip("0")


def _plain(name: str) -> str:
    return " ".join(folded(name).split())
