"""Whoever is saved while a group is changed gets what it says, whichever of the two comes first."""

import threading

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes.run import run_to_end
from hikflask.services.employees.save import save_employee
from hikflask.services.groups import changing, locks, membership
from hikflask.services.groups.registry import Wanted
from tests.support.groups import ENTRANCE, add_terminals, wishes
from tests.support.removals import AGREED

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def test_save_and_change_of_a_group_wait_for_each_other(app: Flask) -> None:
    ids = add_terminals(ENTRANCE)
    save_employee(Draft("1", "Анна", "Охрана"))
    begin, people = threading.Barrier(2), [str(number) for number in range(2, 8)]

    def change_group() -> None:
        with app.app_context():
            begin.wait(30)
            changing.change(None, Wanted("Офис", list(ids.values()), ["Охрана"]), run_to_end, AGREED)

    other = threading.Thread(target=change_group)
    other.start()
    begin.wait(30)
    for number in people:
        save_employee(Draft(number, "Анна", "Охрана"))
    other.join(30)

    assert {number: wishes(number) for number in ["1", *people]} == {key: {ENTRANCE: True} for key in ["1", *people]}


def test_change_waits_until_a_reader_has_ended(app: Flask) -> None:
    ids, done = add_terminals(ENTRANCE), threading.Event()
    employee = save_employee(Draft("1", "Анна")).row

    def change_group() -> None:
        with app.app_context():
            changing.change(None, Wanted("Офис", list(ids.values()), ["Охрана"]), run_to_end, AGREED)
            done.set()

    employee.department = "Охрана"
    db.session.flush()
    locks.share()
    assert not membership.apply(db.session.get_one(Employee, employee.id))
    other = threading.Thread(target=change_group)
    other.start()
    assert not done.wait(0.2)
    db.session.commit()
    other.join(30)

    assert done.is_set()
    assert wishes("1") == {ENTRANCE: True}
