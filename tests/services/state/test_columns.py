"""Enrolments and employees as columns say the same as the objects do."""

import pytest

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.save import save_employee
from hikflask.services.state import columns
from hikflask.services.state import enrolment as state
from hikflask.simulator import Terminal as Simulated
from tests.support.comparisons import desire_with_photo
from tests.support.enrolments import enrol

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def test_columns_are_those_of_the_objects(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)
    leaving = desire_with_photo(terminal, Draft("100333", "Ольга", terminal_name="О."))
    state.create_for(terminal.id, "900")
    state.apply(state.DESIRED_ABSENT, Enrolment.id == leaving.id)
    db.session.commit()
    save_employee(Draft("100444", "Без Лица"))
    forgotten = db.session.get_one(Employee, 1).photo
    assert forgotten is not None
    forgotten.forgotten_at = database_now()
    db.session.commit()
    db.session.expire_all()

    rows = sorted(columns.enrolments(Enrolment.terminal_id == terminal.id))
    people = sorted(columns.employees())

    for row, enrolment in zip(rows, db.session.query(Enrolment).order_by(Enrolment.id), strict=True):
        shared = ("number", "generation", "desired", "confirmed_at", "state", "names_sent", "refusal_code")
        assert [getattr(row, name) for name in shared] == [getattr(enrolment, name) for name in shared]
        assert row.photo_sha256 == (enrolment.photo.sha256 if enrolment.photo else "")
        assert (row.employee.id if row.employee else None) == enrolment.employee_id
    assert [row.has_picture for row in rows] == [False, True, False]
    for person, employee in zip(people, db.session.query(Employee).order_by(Employee.id), strict=True):
        assert (person.name, person.terminal_name, person.is_active) == (
            employee.name,
            employee.terminal_name,
            employee.is_active,
        )
        assert person.photo_sha256 == (employee.picture.sha256 if employee.picture else "")
