"""Many numbers at once: sorted before anything is done."""

import pytest

from hikflask.models import Employee
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.bulk_deactivation import found
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.employees.save import save_employee

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def add(number: str, name: str) -> Employee:
    return save_employee(Draft(number, name)).row


def test_numbers_are_sorted_by_what_would_become_of_them() -> None:
    olga, ivan, gone = add("2", "Ольга"), add("1", "Иван"), add("3", "Пётр")
    set_active(gone.id, active=False)

    leavers = found(["3", "2", "x", "1", "\x00"])

    assert leavers.active == [ivan, olga]
    assert leavers.inactive == [gone]
    assert leavers.unknown == ["x", "\x00"]
    assert ivan.is_active
