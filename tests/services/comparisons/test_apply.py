"""One step of a plan: checked again, and then desired or taken over."""

from datetime import date

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from hikflask.extensions import db
from hikflask.models import Comparison, Enrolment, JobItem, Terminal
from hikflask.models.enrolment import ABSENT, CONFIRMED
from hikflask.services.captures.drafts import Draft
from hikflask.services.comparisons import plan
from hikflask.services.core.errors import CaptureSuperseded, NumberTakenThere, ServiceError
from hikflask.services.employees import search
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import IVAN, OTHER_FACE
from tests.support.comparisons import carry_out, compare, differences, limit_there, strangers
from tests.support.employees import by_number
from tests.support.enrolments import employee_of, enrol

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def step(comparison: Comparison, number: str, action: str, **options: bool) -> Enrolment | None:
    """Plan one item and do it, as a job does."""
    return carried_out(planned(number, action), comparison, **options)


def planned(number: str, action: str) -> JobItem:
    """An item for whoever has the number now."""
    employee = search.by_number(number)
    return JobItem(number=number, action=action, employee_id=employee.id if employee else None)


def carried_out(
    item: JobItem, comparison: Comparison, *, agreed: bool = False, counted: bool = False
) -> Enrolment | None:
    item.confirmed = {"same_person": agreed, "replaces": counted, "may_take_days": counted}
    return carry_out(item, {"comparison": comparison.id})


def done(comparison: Comparison, number: str, action: str, **options: bool) -> Enrolment:
    enrolment = step(comparison, number, action, **options)
    assert enrolment is not None
    return reconcile(enrolment.id, "Анна")


def test_stranger_is_removed_and_leaves_no_row(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900", "901"])

    done(compare(terminal), "900", "remove")

    assert list(simulator.people) == ["901"]
    assert db.session.query(Enrolment).count() == 0


def test_only_the_record_that_was_seen_is_removed(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900"])
    removal = step(compare(terminal), "900", "remove")
    assert removal is not None
    simulator.people["900"]["name"] = "Другой"

    with pytest.raises(NumberTakenThere):
        reconcile(removal.id, "Анна")

    assert simulator.people["900"]["name"] == "Другой"


def test_days_that_came_since_and_by_which_the_employee_may_not_enter_are_not_taken_over(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrol(simulator, terminal)
    limit_there(simulator, "100222", "2036-06-30T23:59:59")
    found = compare(terminal)
    limit_there(simulator, "100222", "2036-06-30T23:59:59", "2035-01-01T00:00:00")

    with pytest.raises(ServiceError, match=r"^changed_there$"):
        step(found, "100222", "take_over")

    db.session.rollback()
    employee = by_number("100222")
    assert (employee.valid_from, employee.valid_to) == (None, None)
    step(compare(terminal), "100222", "take_over", counted=True)
    employee = by_number("100222")
    assert employee.valid_from == date(2035, 1, 1)


def test_days_that_somebody_saved_since_the_plan_was_made_are_not_overwritten(
    simulator: Simulated, terminal: Terminal
) -> None:
    employee_id = employee_of(enrol(simulator, terminal))
    limit_there(simulator, "100222", "2036-06-30T23:59:59")
    found = compare(terminal)
    (planned,) = plan.make(found, plan.Choices({"100222": "take_over"})).items
    save_employee(Draft(valid_to="2030-12-31"), employee_id=employee_id, fields={"valid_to"})

    with pytest.raises(ServiceError, match=r"^changed_since$"):
        carry_out(JobItem(**planned._asdict()), {"comparison": found.id})

    db.session.rollback()
    assert by_number("100222").valid_to == date(2030, 12, 31)
    save_employee(Draft(valid_to=""), employee_id=employee_id, fields={"valid_to"})
    carry_out(JobItem(**planned._asdict()), {"comparison": found.id})
    assert by_number("100222").valid_to == date(2036, 6, 30)


def test_name_that_somebody_saved_since_the_plan_was_made_is_not_overwritten(
    simulator: Simulated, terminal: Terminal
) -> None:
    employee_id = employee_of(enrol(simulator, terminal))
    simulator.store.change("100222", {"name": "Иван Петров"})
    found = compare(terminal)
    (planned,) = plan.make(found, plan.Choices({"100222": "take_over"})).items
    save_employee(Draft(name="Иван Сидоров"), employee_id=employee_id, fields={"name"})

    with pytest.raises(ServiceError, match=r"^changed_since$"):
        carry_out(JobItem(**planned._asdict()), {"comparison": found.id})

    db.session.rollback()
    assert by_number("100222").name == "Иван Сидоров"
    save_employee(Draft(name=IVAN.name), employee_id=employee_id, fields={"name"})
    carry_out(JobItem(**planned._asdict()), {"comparison": found.id})
    assert by_number("100222").name == "Иван Петров"


def test_removal_locks_the_employee_before_the_enrolment(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)
    found = compare(terminal)
    written: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        written.append(statement.partition(" SET ")[0])

    event.listen(Engine, "before_cursor_execute", note)
    step(found, "100222", "remove")
    event.remove(Engine, "before_cursor_execute", note)

    tables = [one for one in written if one.startswith("UPDATE")]
    assert list(dict.fromkeys(tables)) == ["UPDATE employee", "UPDATE enrolment"]


def test_record_without_a_name_is_removed_too(simulator: Simulated, terminal: Terminal) -> None:
    simulator.store.add("900", {"name": ""})

    done(compare(terminal), "900", "remove")

    assert not simulator.people


def test_one_of_ours_is_removed_from_this_terminal_alone(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    simulator.people["100222"]["name"] = "Пётр Петров"

    gone = done(compare(terminal), "100222", "remove")

    assert (gone.id, gone.desired, gone.is_confirmed) == (enrolment.id, ABSENT, True)
    assert not simulator.people
    assert gone.employee is not None
    assert gone.employee.is_active


def test_sending_replaces_another_name_only_where_that_was_chosen(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)
    simulator.people["100222"]["name"] = "Пётр Петров"
    found = compare(terminal)

    with pytest.raises(ServiceError, match=r"^name_differs$"):
        step(found, "100222", "send")

    assert done(found, "100222", "send", agreed=True).is_confirmed
    assert simulator.people["100222"]["name"] == "Иван Иванов"
    assert differences(compare(terminal)) == {}


def test_renamed_record_with_the_employees_own_face_gets_the_name_and_keeps_its_cards(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrol(simulator, terminal)
    simulator.people["100222"]["name"] = "Пётр Петров"
    simulator.people["100222"]["numOfCard"] = 2

    assert done(compare(terminal), "100222", "send", agreed=True).is_confirmed

    assert (simulator.people["100222"]["name"], simulator.people["100222"]["numOfCard"]) == ("Иван Иванов", 2)
    assert differences(compare(terminal)) == {}


def test_face_that_was_exchanged_since_the_list_was_read_is_never_shown_as_ours(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrol(simulator, terminal)
    simulator.people["100222"]["name"] = "Пётр Петров"
    found = compare(terminal)
    simulator.store.bind("100222", OTHER_FACE)
    simulator.capture_elsewhere(OTHER_FACE)
    sent = step(found, "100222", "send", agreed=True)
    assert sent is not None

    with pytest.raises(CaptureSuperseded):
        reconcile(sent.id, "Анна")

    assert queries.get_one(sent.id).face != CONFIRMED


def test_renamed_record_with_another_face_is_replaced(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)
    simulator.people["100222"] |= {"name": "Пётр Петров", "numOfCard": 2}
    simulator.store.bind("100222", OTHER_FACE)

    found = compare(terminal)
    with pytest.raises(ServiceError, match=r"^changed_since$"):
        step(found, "100222", "send", agreed=True)
    db.session.rollback()
    step(found, "100222", "send", agreed=True, counted=True)

    assert queries.of_number("100222")[0].overwrite


def test_employee_who_was_not_desired_there_is_sent(simulator: Simulated, terminal: Terminal) -> None:
    save_employee(IVAN)
    simulator.store.add("100222", {"name": "Иван Иванов", "Valid": {"enable": False}})

    sent = step(compare(terminal), "100222", "send")

    assert sent is not None
    reconcile(sent.id, "Анна")
    assert differences(compare(terminal)) == {}
    assert queries.get_one(sent.id).in_bulk is False or queries.get_one(sent.id).next_attempt_at is None


def test_removal_of_whose_time_is_over_is_waited_for(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900", "901"], [OTHER_FACE])
    limit_there(simulator, "900", "2025-12-31T23:59:59")
    found = compare(terminal)

    gone = done(found, "900", "take_over")

    assert (gone.desired, gone.is_confirmed, list(simulator.people)) == (ABSENT, True, ["901"])
    assert step(found, "901", "take_over") is None


def test_number_that_got_another_owner_since_the_plan_is_left(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900", "901"])
    ivan = save_employee(Draft("900", "Иван Иванов")).row.id
    found = compare(terminal)
    of_ivan = [planned("900", action) for action in ("send", "remove", "take_over")]
    of_nobody = [planned("901", action) for action in ("send", "remove")]
    taken_over = planned("901", "take_over")
    save_employee(Draft("902", "Иван Иванов"), employee_id=ivan)
    for number in ("900", "901"):
        save_employee(Draft(number, "Ольга Ёлкина"))

    for item in (*of_ivan, *of_nobody):
        with pytest.raises(ServiceError, match=r"^changed_since$"):
            carried_out(item, found, agreed=True)
        db.session.rollback()
    with pytest.raises(ServiceError, match=r"^name_differs$"):
        carried_out(taken_over, found, agreed=True)
    db.session.rollback()

    assert db.session.query(Enrolment).count() == 0
    assert {by_number(number).name for number in ("900", "901")} == {"Ольга Ёлкина"}


def test_step_is_checked_again_when_it_runs(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900", "901"])
    found = compare(terminal)
    simulator.people["900"]["name"] = "Другой"

    with pytest.raises(ServiceError, match=r"^changed_there$"):
        step(found, "900", "take_over")
    simulator.store.remove(["901"])
    with pytest.raises(ServiceError, match=r"^not_there$"):
        step(found, "901", "take_over")
    assert step(compare(terminal), "900", "take_over") is None
