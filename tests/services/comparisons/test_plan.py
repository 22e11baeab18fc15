"""A plan says what each step does or why it cannot, and refuses to remove many people unless their number is typed."""

from datetime import date, timedelta

import pytest
from flask import Flask

from hikflask.models import Comparison, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.comparisons import ignored, plan, reading
from hikflask.services.comparisons.plan import LEAVE, REMOVE, SEND, TAKE_OVER, Choices, Plan
from hikflask.services.core import shown
from hikflask.services.core.dates import today
from hikflask.services.core.errors import AdministratorNeeded, ServiceError, UnsafePlan
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments.mass_removals import Confirmation, Loss, Losses
from hikflask.services.photos import storage
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, OTHER_FACE
from tests.support.comparisons import compare, desire_with_photo, limit_there, strangers
from tests.support.enrolments import enrol
from tests.support.groups import add_terminals, make_group
from tests.support.refusals import refusal

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def made(comparison: Comparison, same_person: frozenset[str] = frozenset(), /, **numbers: str) -> Plan:
    """A plan for numbers; n900="remove" means 900."""
    chosen = {number.removeprefix("n"): action for number, action in numbers.items()}
    return plan.make(comparison, Choices(numbers=chosen, same_person=same_person))


def refusals(found: Plan) -> dict[str, str]:
    return {step.number: step.refusal_code for step in found.steps}


def test_steps_come_from_numbers_and_from_kinds(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900", "901", "902"])
    desire_with_photo(terminal, Draft("100", "Иван"))
    done = compare(terminal)

    found = plan.make(
        done, Choices(numbers={"901": REMOVE, "902": LEAVE}, kinds={"only_there": TAKE_OVER, "only_here": SEND})
    )

    assert [(step.number, step.action, step.refusal_code) for step in found.steps] == [
        ("100", SEND, ""), ("900", TAKE_OVER, ""), ("901", REMOVE, ""), ("902", LEAVE, ""),
    ]  # fmt: skip
    assert found.counts == {SEND: 1, TAKE_OVER: 1, REMOVE: 1, LEAVE: 1}
    assert [(number, action) for number, _, action, _ in found.items] == [
        ("100", SEND), ("900", TAKE_OVER), ("901", REMOVE),
    ]  # fmt: skip


def test_plans_that_do_something_else_have_other_digests(terminal: Terminal) -> None:
    desire_with_photo(terminal, Draft("100", "Иван"))
    done = compare(terminal)

    digests = {made(done, n100=action).digest for action in (SEND, REMOVE, LEAVE)}

    assert len(digests) == 3
    assert made(done, n100=REMOVE).digest in digests


def test_what_was_left_alone_is_not_part_of_its_kind(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900", "901"])
    done = compare(terminal)
    ignored.ignore(done, "only_there", ["900"])

    found = plan.make(done, Choices(kinds={"only_there": REMOVE}))

    assert [step.number for step in found.steps] == ["901"]


def test_each_impossible_step_has_its_reason(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900", "901", "A-1", "№1", "903"])
    simulator.people["901"]["name"] = " "
    gone = save_employee(Draft("903", "Гость 903")).row.id
    set_active(gone, active=False)
    save_employee(Draft("904", "Пётр"))
    save_employee(Draft("900", "Иван Иванов"))
    enrol(simulator, terminal)
    simulator.store.unbind(["100222"])
    done = compare(terminal)

    taken = made(done, **{f"n{number}": TAKE_OVER for number in ("900", "901", "A-1", "903", "904", "100222")})
    assert refusals(taken) == {
        "900": "name_differs",
        "901": "name_not_usable",
        "A-1": "number_not_usable",
        "903": "employee_inactive",
        "904": "not_there",
        "100222": "nothing_to_take_over",
    }
    asked = next(step for step in taken.steps if step.number == "900")
    assert asked.refusal == refusal("name_differs", n="900", here="Иван Иванов", there="Гость 900")
    sent = made(done, **{f"n{number}": SEND for number in ("900", "901", "903")})
    assert refusals(sent) == {"900": "name_differs", "901": "not_here", "903": "employee_inactive"}
    assert refusals(made(done, **{"n№1": REMOVE, "nA-1": REMOVE, "n904": REMOVE})) == {
        "№1": "number_not_usable", "A-1": "", "904": "not_there",
    }  # fmt: skip
    assert taken.refused == taken.steps


def test_days_that_somebody_gets_are_told_and_what_is_to_be_said_of_them(
    simulator: Simulated, terminal: Terminal
) -> None:
    strangers(simulator, ["900", "901", "902", "903", "904", "905"])
    for number, end in (
        ("900", "2025-12-31T23:59:59"),
        ("901", "2036-07-01T18:00:00"),
        ("902", "2036-06-30T23:59:59"),
        ("903", "2036-06-30T23:59:59"),
        ("904", "2025-12-31T23:59:59"),
    ):
        limit_there(simulator, number, end)
    limit_there(simulator, "905", "2045-12-31T23:59:59", "2040-01-01T00:00:00")
    save_employee(Draft("903", "Гость 903", valid_to="2030-12-31"))
    save_employee(Draft("904", "Гость 904"))

    found = plan.make(compare(terminal), Choices(kinds={"only_there": TAKE_OVER}))

    days = {step.number: (step.refusal_code, step.notes, step.limits and step.limits.last) for step in found.steps}
    assert days == {
        "900": ("", ("comes_in_inactive",), date(2025, 12, 31)),
        "901": ("", ("whole_days",), date(2036, 6, 30)),
        "902": ("", (), date(2036, 6, 30)),
        "903": ("", ("days_change",), date(2036, 6, 30)),
        "904": ("over_there", (), None),
        "905": ("validity_outside", (), None),
    }
    assert (found.leavers, found.counts[REMOVE]) == (1, 0)
    assert found.losses == Losses((Loss(terminal.id, terminal.name, 1, 6),), 1)


def test_names_are_agreed_by_the_choice_for_a_name_that_differs(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)
    simulator.people["100222"]["name"] = "Пётр Петров"
    simulator.store.unbind(["100222"])
    done = compare(terminal)

    assert refusals(plan.make(done, Choices(kinds={"face_missing": SEND}))) == {"100222": "name_differs"}
    assert refusals(plan.make(done, Choices(kinds={"name": SEND}))) == {"100222": ""}
    assert refusals(made(done, n100222=TAKE_OVER)) == {"100222": ""}
    (item,) = made(done, n100222=SEND).items
    chosen = {"same_person": True, "name_here": shown.digest("Иван Иванов"), "replaces": True}
    assert item.confirmed == chosen


def test_face_is_not_taken_over_without_a_consent_that_is_required(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    strangers(simulator, ["900", "901"], [FACE])
    app.config["CONSENT"] = "require"

    assert refusals(made(compare(terminal), n900=TAKE_OVER, n901=TAKE_OVER)) == {"900": "consent_missing", "901": ""}


def test_another_face_is_taken_over_only_where_it_was_chosen_for_its_number(
    simulator: Simulated, terminal: Terminal
) -> None:
    desire_with_photo(terminal)
    strangers(simulator, ["100222"], [OTHER_FACE])
    simulator.people["100222"]["name"] = "Иван Иванов"
    done = compare(terminal)
    faces = (storage.sha256(FACE), storage.sha256(OTHER_FACE))

    in_bulk = plan.make(done, Choices(kinds={"face_other": TAKE_OVER}))
    by_number = made(done, n100222=TAKE_OVER)
    by_name = made(done, frozenset({"100222"}), n100222=TAKE_OVER)
    by_program = plan.make(done, Choices({"100222": TAKE_OVER}, same_person=frozenset({"100222"}), names_seen=False))

    for found in (in_bulk, by_number, by_name, by_program):
        assert refusals(found) == {"100222": "face_differs"}
        assert (found.steps[0].faces, found.steps[0].confirmed.faces) == (faces, None)
    named = Choices({"100222": TAKE_OVER}, names_seen=False, faces={"100222": faces[1]})
    chosen = Choices({"100222": TAKE_OVER}, same_face=frozenset({"100222"}))
    for found in (plan.make(done, chosen), plan.make(done, named)):
        assert refusals(found) == {"100222": ""}
        assert found.steps[0].confirmed.faces == faces
        assert str(faces[0]) in str(found.steps[0].digest_parts)
    other = Choices({"100222": TAKE_OVER}, names_seen=False, faces={"100222": faces[0]})
    assert refusals(plan.make(done, other)) == {"100222": "face_differs"}


def test_face_that_was_not_read_is_not_taken_over_in_place_of_another_one(
    simulator: Simulated, terminal: Terminal
) -> None:
    strangers(simulator, ["100222"], [OTHER_FACE])
    simulator.people["100222"]["name"] = "Иван Иванов"
    done = compare(terminal)
    desire_with_photo(terminal)  # Since the comparison.

    assert refusals(made(done, frozenset({"100222"}), n100222=TAKE_OVER)) == {"100222": "face_not_read"}


def test_many_removals_need_their_number(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, [f"9{number:03}" for number in range(210)])
    done = compare(terminal)

    def removing(count: int) -> Plan:
        return plan.make(done, Choices(numbers={f"9{number:03}": REMOVE for number in range(count)}))

    removing(20).require_agreed(Confirmation(None, by_admin=True))  # Neither more than 20 nor more than a tenth.
    many = removing(21)
    with pytest.raises(UnsafePlan) as refused:
        many.require_agreed(Confirmation(20, by_admin=True))
    assert (refused.value.count, many.counts[REMOVE]) == (21, 21)
    many.require_agreed(Confirmation(21, by_admin=True))
    for plan_of_operator in (removing(1), many):
        with pytest.raises(AdministratorNeeded):
            plan_of_operator.require_agreed(Confirmation(plan_of_operator.counts[REMOVE], by_admin=False))


def test_more_than_a_tenth_is_many_and_who_was_not_there_may_have_come_since(
    simulator: Simulated, terminal: Terminal
) -> None:
    strangers(simulator, [f"90{number}" for number in range(10)])
    desire_with_photo(terminal, Draft("100", "Иван"))
    done = compare(terminal)

    assert not made(done, n900=REMOVE, n901=REMOVE).losses.exceeds_limit
    assert made(done, n900=REMOVE, n901=REMOVE, n902=REMOVE).losses.exceeds_limit
    assert made(done, n900=REMOVE, n100=REMOVE).counts[REMOVE] == 2


@pytest.mark.both_databases
def test_days_by_which_people_may_not_enter_any_more_count_at_each_of_their_terminals(
    simulator: Simulated, terminal: Terminal
) -> None:
    ends = {"1": None, "2": today(), "3": today() + timedelta(days=31), "4": None, "5": None, "6": today()}
    for number in ends:
        save_employee(Draft(number, f"Гость {number}", "" if number == "5" else "Охрана"))
    save_employee(Draft("4", "Гость 4", "Охрана", valid_from="2037-01-01"), employee_id=4)
    second = add_terminals("Двор")["Двор"]
    make_group("Все", [terminal.id, second], "Охрана")
    strangers(simulator, [*ends, *(f"9{number}" for number in range(10, 24))])
    for number in ("1", "4", "5"):
        limit_there(simulator, number, "2037-12-31T23:59:59", "2033-01-01T00:00:00")
    for number, end in ends.items():
        if end:
            limit_there(simulator, number, f"{end}T23:59:59")

    made_plan = made(compare(terminal), **{f"n{number}": TAKE_OVER for number in ends})

    assert refusals(made_plan) == dict.fromkeys(ends, "")
    # 4 may not enter now either, and 5 is desired nowhere.
    assert made_plan.losses == Losses((Loss(terminal.id, terminal.name, 4, 20), Loss(second, "Двор", 4, 5)), 4)
    with pytest.raises(AdministratorNeeded):
        made_plan.require_agreed(Confirmation(4, by_admin=False))
    with pytest.raises(UnsafePlan) as refused:
        made_plan.require_agreed(Confirmation(None, by_admin=True))
    assert refused.value.count == 4
    made_plan.require_agreed(Confirmation(4, by_admin=True))


def test_who_is_replaced_on_the_terminal_loses_access_there(simulator: Simulated, terminal: Terminal) -> None:
    numbers = ["901", "902", "903", "904"]
    strangers(simulator, numbers)
    for number in numbers:
        save_employee(Draft(number, "Гость 903" if number == "903" else f"Подмена {number}"))
    done, sent = compare(terminal), {f"n{number}": SEND for number in numbers}

    replaced = made(done, frozenset(numbers), **sent)

    assert refusals(replaced) == dict.fromkeys(numbers, "")
    assert replaced.losses == Losses((Loss(terminal.id, terminal.name, 3, 4),), 3)
    assert replaced.counts[REMOVE] == 0
    with pytest.raises(AdministratorNeeded):
        replaced.require_agreed(Confirmation(3, by_admin=False))
    assert not made(done, **sent).losses  # Refused: nobody said that it is the same person.


def test_unknown_numbers_and_unfinished_comparisons_make_no_plan(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900"])
    with pytest.raises(ServiceError, match=r"^numbers_unknown$") as unknown:
        made(compare(terminal), n900=REMOVE, n1=SEND, n2=REMOVE)
    assert (unknown.value.fields, unknown.value.params) == ((REMOVE, SEND), {"numbers": "1, 2"})
    with pytest.raises(ServiceError, match=r"^not_compared$"):
        plan.make(reading.start(terminal.id, "Анна"), Choices())
