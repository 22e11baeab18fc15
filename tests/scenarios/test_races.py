"""Two operators at once: who leaves is not sent by a save that began a moment before."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Employee, Terminal
from hikflask.services.changes import lifecycle as jobs
from hikflask.services.changes.run import run_slice
from hikflask.services.comparisons import plan, take_over
from hikflask.services.comparisons import queries as comparisons
from hikflask.services.core.db import locked_employee
from hikflask.services.core.errors import NumberTakenThere, ServiceError
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.employees.sync import sync_employee
from hikflask.services.enrolments import desired, queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.photos import storage
from hikflask.simulator import Terminal as Simulated
from tests.support.between import Between
from tests.support.captures import FACE, IVAN
from tests.support.comparisons import compare, strangers
from tests.support.enrolments import employee_of, enrol

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def in_a_thread(app: Flask, action: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        with app.app_context():
            action()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_deactivation_waits_for_a_send_that_has_begun_and_wins(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    employee_id = employee_of(enrol(simulator, terminal))
    employee = locked_employee(employee_id)
    leaving = in_a_thread(app, lambda: set_active(employee_id, active=False).row)

    desired.desire_present(terminal, employee, employee.photo)
    db.session.commit()
    leaving.join()

    assert [one.desired for one in queries.of_number("100222")] == ["absent"]


@pytest.mark.parametrize("send", [sync_employee, send_to_terminal])
def test_somebody_who_left_is_not_sent(simulator: Simulated, terminal: Terminal, send: Callable[..., object]) -> None:
    employee_id = employee_of(enrol(simulator, terminal))
    set_active(employee_id, active=False)
    arguments = (employee_id, terminal.id, "Анна") if send is sync_employee else (employee_id, terminal.id)

    with pytest.raises(ServiceError, match=r"^employee_inactive$"):
        send(*arguments)

    assert [one.desired for one in queries.of_number("100222")] == ["absent"]


def test_deactivating_again_takes_off_what_came_back(simulator: Simulated, terminal: Terminal) -> None:
    employee_id = employee_of(enrol(simulator, terminal))
    db.session.execute(db.update(Employee).values(is_active=False))
    db.session.commit()

    set_active(employee_id, active=False)

    assert [one.is_leaving for one in queries.of_number("100222")] == [True]


def test_replacing_a_record_replaces_nobody_once_the_employee_is_deactivated(
    simulator: Simulated, terminal: Terminal, between: Between
) -> None:
    ivan = save_employee(IVAN).row.id
    simulator.store.add("100222", {"employeeNo": "100222", "name": "Чужой Человек"})
    with pytest.raises(NumberTakenThere):
        reconcile(send_to_terminal(ivan, terminal.id).row.id, "worker")
    other = between(desired, "retry_when_it_answers", lambda: set_active(ivan, active=False))

    sync_employee(ivan, terminal.id, "program", overwrite=True)
    other.finish()
    (removal,) = queries.of_number("100222")
    with pytest.raises(NumberTakenThere):
        reconcile(removal.id, "worker")

    assert other.error is None
    assert (removal.desired, removal.overwrite) == ("absent", False)
    assert simulator.people["100222"]["name"] == "Чужой Человек"


def test_removal_of_a_stranger_comes_before_a_newcomer_with_the_number(
    simulator: Simulated, terminal: Terminal, between: Between
) -> None:
    simulator.store.add("100222", {"employeeNo": "100222", "name": "Чужой Человек"})
    made = plan.make(compare(terminal), plan.Choices(numbers={"100222": plan.REMOVE}))
    claim = jobs.begin("apply", made.job_params, terminal_id=terminal.id, items=made.items)
    other = between(comparisons, "compared_numbers", lambda: send_to_terminal(save_employee(IVAN).row.id, terminal.id))

    run_slice(claim, 5.0)
    other.finish()

    assert str(other.error) == "number_leaving"
    assert [(row.desired, row.employee_id) for row in queries.of_number("100222")] == [("absent", None)]


def test_nobody_is_taken_over_by_a_job_that_was_stopped_meanwhile(
    simulator: Simulated, terminal: Terminal, between: Between
) -> None:
    strangers(simulator, ["900"], [FACE])
    made = plan.make(compare(terminal), plan.Choices(numbers={"900": plan.TAKE_OVER}))
    claim = jobs.begin("apply", made.job_params, terminal_id=terminal.id, items=made.items)
    other = between(take_over, "_photo", lambda: jobs.stop_job(claim.job_id))

    run_slice(claim, 5.0)
    other.finish()

    assert other.result
    assert search.by_number("900") is None
    assert list(storage.folder().iterdir()) == []
