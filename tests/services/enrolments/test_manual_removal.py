"""A removal that no terminal can confirm ends by a person's word, and that word says no more than it says."""

from collections.abc import Callable

import pytest

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import NumberTakenThere, ServiceError, told
from hikflask.services.employees.lifecycle import delete_employee, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import desired, manual_removal, queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.enrolments import employee_of, enrol
from tests.support.removals import open_removals
from tests.support.trail import entries

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


@pytest.fixture
def by_hand(simulator: Simulated, terminal: Terminal) -> Enrolment:
    """Somebody was entered at the terminal by hand under the number, before we could enrol anybody."""
    simulator.store.add("100222", {"name": "Ivanov I.I."})
    with pytest.raises(NumberTakenThere):
        enrol(simulator, terminal)
    return queries.of_number("100222")[0]


@pytest.mark.parametrize("leave", [delete_employee, lambda one: set_active(one, active=False).row])
def test_who_is_there_under_a_name_that_we_never_wrote_keeps_the_removal_open(
    simulator: Simulated, by_hand: Enrolment, leave: Callable[[int], object]
) -> None:
    leave(employee_of(by_hand))

    with pytest.raises(NumberTakenThere):
        reconcile(by_hand.id, "sweep")

    left = queries.get_one(by_hand.id)
    assert (left.is_leaving, told(left.refusal)) == (True, ("employeeNoAlreadyExist", "Ivanov I.I."))
    assert "100222" in simulator.people


def test_who_is_the_same_person_is_removed_all_the_same(simulator: Simulated, by_hand: Enrolment) -> None:
    set_active(employee_of(by_hand), active=False)
    with pytest.raises(NumberTakenThere):
        reconcile(by_hand.id, "sweep")

    desired.desire_overwrite(by_hand.id, queries.get_one(by_hand.id).generation)

    assert reconcile(by_hand.id, "sweep").is_confirmed
    assert simulator.people == {}


@pytest.mark.both_databases
def test_number_of_a_stranger_is_free_for_nobody_until_somebody_says_whose_it_is(
    simulator: Simulated, by_hand: Enrolment
) -> None:
    delete_employee(employee_of(by_hand))
    with pytest.raises(NumberTakenThere):
        reconcile(by_hand.id, "sweep")
    with pytest.raises(ServiceError, match=r"^number_leaving$"):
        save_employee(Draft("100222", "Ольга Ёлкина"))

    with audit.acting(Actor("Анна")):
        assert manual_removal.confirm_as_somebody_elses(
            by_hand.id, queries.get_one(by_hand.id).generation, "Ivanov I.I."
        )

    assert (open_removals(), "100222" in simulator.people) == ([], True)
    (entry,) = entries("enrolment.somebody_elses")
    assert (entry.actor, entry.employee, entry.after) == ("Анна", "100222", None)
    assert save_employee(Draft("100222", "Ольга Ёлкина")).row.number == "100222"


@pytest.mark.parametrize(("later", "name"), [(1, "Ivanov I.I."), (0, "Petrov P.P.")])
def test_word_about_another_wish_or_another_name_ends_nothing(by_hand: Enrolment, later: int, name: str) -> None:
    set_active(employee_of(by_hand), active=False)
    with pytest.raises(NumberTakenThere):
        reconcile(by_hand.id, "sweep")

    assert not manual_removal.confirm_as_somebody_elses(
        by_hand.id, queries.get_one(by_hand.id).generation + later, name
    )

    assert queries.get_one(by_hand.id).is_leaving


def test_nobody_can_say_somebody_else_before_the_terminal_named_who_has_the_number(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(employee_of(enrolment), active=False)

    assert not manual_removal.confirm_as_somebody_elses(enrolment.id, queries.get_one(enrolment.id).generation, "")

    assert queries.get_one(enrolment.id).is_leaving


@pytest.mark.both_databases
def test_word_about_the_present_device_says_nothing_about_the_old_one(by_hand: Enrolment) -> None:
    set_active(employee_of(by_hand), active=False)
    db.session.execute(db.update(Enrolment).values(on_old_device=True, sent_name="Иван Иванов"))
    db.session.commit()
    with pytest.raises(NumberTakenThere):
        reconcile(by_hand.id, "sweep")

    assert manual_removal.confirm_as_somebody_elses(by_hand.id, queries.get_one(by_hand.id).generation, "Ivanov I.I.")

    left = queries.get_one(by_hand.id)
    assert (left.waits_for_hand, left.refusal_code, left.confirmed_by) == (True, "other_device", "")
