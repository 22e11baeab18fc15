"""A job is made while somebody of it is being deleted: the job has nobody who is gone, and nothing fails."""

from collections.abc import Callable

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Employee, JobItem
from hikflask.models.job import NewItem
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import DEACTIVATE, GROUPS
from hikflask.services.employees import selection
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.imports import job_items
from hikflask.services.imports import jobs as import_jobs
from tests.services.imports.test_job_items import Reports
from tests.support.between import Other
from tests.support.imports import checked
from tests.support.imports import started as started_batch
from tests.support.jobs import add_people, job

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


def _import(_: list[int]) -> Callable[[], object]:
    batch = checked("1;Иванов Иван;", "2;Петров Пётр;")
    job_id = started_batch(import_jobs.start_import, batch).job_id
    return lambda: job_items.add(job(job_id), Reports())


def _draft(ids: list[int]) -> Callable[[], object]:
    return lambda: selection.make_draft(DEACTIVATE, EmployeeFilter(), ids)


@pytest.mark.parametrize("made", [_import, _draft])
def test_employee_who_is_deleted_meanwhile_belongs_to_no_item(
    app: Flask, made: Callable[[list[int]], Callable[[], object]]
) -> None:
    ids = add_people("1", "2")
    make = made(ids)
    db.session.execute(db.delete(Employee).where(Employee.id == ids[1]))

    other = Other(app, make)
    other.act()
    db.session.commit()
    other.finish()

    assert other.error is None
    of_whom = set(db.session.execute(db.select(JobItem.employee_id)).scalars())
    assert of_whom - {None} == {ids[0]}


def test_job_of_a_group_waits_for_nobody_forgets_nobody_and_keeps_no_number_of_whoever_is_deleted(app: Flask) -> None:
    ids = add_people("1", "2")
    people = [NewItem("1", ids[0]), NewItem("2", ids[1])]
    db.session.execute(db.delete(Employee).where(Employee.id == ids[1]))

    other = Other(app, lambda: lifecycle.begin(GROUPS, {"group": "Офис"}, items=people))
    other.act()
    db.session.commit()
    other.finish()

    assert other.error is None
    assert not other.blocked or db.engine.dialect.name == "sqlite"
    found = db.session.execute(db.select(JobItem.number, JobItem.employee_id).order_by(JobItem.id)).all()
    assert found == [("1", ids[0]), ("", ids[1])]
