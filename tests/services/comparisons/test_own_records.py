"""What a terminal had of somebody before the person was taken over may stay there when the employee is deleted."""

import pytest

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.comparisons import ignored, own_records, queries
from hikflask.services.comparisons.ignored import Ignored
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import delete_employee, set_active
from hikflask.services.enrolments import queries as enrolments
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.comparisons import compare, differences, strangers, take_over
from tests.support.enrolments import employee_of, enrol
from tests.support.lock_order import LockOrder
from tests.support.trail import entries

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


@pytest.fixture
def guest(simulator: Simulated, terminal: Terminal) -> int:
    """An employee who was taken over from the terminal, where the record has a card."""
    strangers(simulator, ["900"])
    simulator.store.save_card("77", {"employeeNo": "900"})
    compare(terminal)
    return employee_of(take_over(terminal.id, "900", "Гость 900"))


def own(employee_id: int) -> list[tuple[str, int, int]]:
    employee = search.get(employee_id)
    assert employee
    found = [(record.terminal, record.cards, record.fingerprints) for record in own_records.of_employee(employee)]
    db.session.commit()
    return found


def left(terminal: Terminal) -> list[Ignored]:
    comparison = queries.finished(terminal.id)
    assert comparison
    found = ignored.decisions(comparison)
    db.session.commit()
    return found


def test_only_who_was_taken_over_has_one(guest: int, simulator: Simulated, terminal: Terminal) -> None:
    here = employee_of(enrol(simulator, terminal, Draft("100222", "Иван Иванов")))

    assert own(guest) == [("Вход", 1, 0)]
    assert own(here) == []


def test_who_has_the_number_of_somebody_taken_over_before_has_none(
    guest: int, simulator: Simulated, terminal: Terminal
) -> None:
    (removal,) = delete_employee(guest).due
    reconcile(removal, "Анна")

    new = employee_of(enrol(simulator, terminal, Draft("900", "Ольга Ёлкина")))

    assert own(new) == []
    own_records.delete_and_leave(new)
    assert [(row.number, row.desired) for row in db.session.execute(db.select(Enrolment)).scalars()] == [
        ("900", "absent")
    ]


def test_by_itself_a_deletion_removes_it(guest: int, simulator: Simulated) -> None:
    (removal,) = delete_employee(guest).due
    reconcile(removal, "Анна")

    assert (simulator.people, simulator.store.cards) == ({}, {})


def test_record_that_is_left_keeps_its_card_and_is_listed_with_who_left_it(
    guest: int, simulator: Simulated, terminal: Terminal
) -> None:
    deleted = own_records.delete_and_leave(guest)

    assert deleted.due == ()
    assert db.session.execute(db.select(Employee.id)).all() == []
    assert db.session.execute(db.select(Enrolment.id)).all() == []
    assert (list(simulator.people), list(simulator.store.cards)) == (["900"], ["77"])
    assert [(one.number, one.kind, one.name) for one in left(terminal)] == [("900", "only_there", "Гость 900")]
    assert [entry.after for entry in entries("difference.left_alone")] == [{"kind": "only_there"}]

    # So it stays after the next comparison, until something else is there.
    assert differences(compare(terminal)) == {}
    assert [one.number for one in left(terminal)] == ["900"]
    simulator.people["900"]["name"] = "Другой"
    assert differences(compare(terminal)) == {"only_there": ["900"]}


def test_other_terminals_lose_the_record_and_who_left_before_has_no_choice(
    guest: int, simulator: Simulated, terminal: Terminal
) -> None:
    set_active(guest, active=False)
    assert own(guest) == []

    (removal,) = own_records.delete_and_leave(guest).due
    reconcile(removal, "Анна")

    assert simulator.people == {}
    assert left(terminal) == []


def test_record_that_nobody_saw_lately_is_listed_once_it_is_seen(guest: int, terminal: Terminal) -> None:
    db.session.execute(db.text("DELETE FROM comparison"))
    db.session.commit()

    own_records.delete_and_leave(guest)

    assert enrolments.of_number("900") == []
    assert differences(compare(terminal)) == {"only_there": ["900"]}


def test_locks_are_taken_in_their_order(guest: int) -> None:
    order = LockOrder(db.engine)

    own_records.delete_and_leave(guest)

    assert order.violations == []
