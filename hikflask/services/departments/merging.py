"""Renames a department, and merges others into one, together with everybody who is in them, in one transaction."""

import time
from collections.abc import Callable, Collection
from functools import wraps
from typing import ParamSpec

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import OperationalError

from hikflask.extensions import db
from hikflask.models import Department, Employee
from hikflask.services import audit
from hikflask.services.core.db import Require, changed_rows, transaction, write_first
from hikflask.services.core.errors import NotFound, ServiceError
from hikflask.services.departments import registry
from hikflask.text_rules import folded

Given = ParamSpec("Given")
# For how long it is tried again while others have people of the department locked, and how often, in seconds.
PATIENCE = 5.0
PAUSE = 0.05
LOCK_NOT_AVAILABLE = "55P03"


def patient(change: Callable[Given, int]) -> Callable[Given, int]:
    """Make a change in a transaction, again and again while somebody else has a row that it needs.

    :raises department_busy: when somebody has it for longer than PATIENCE.
    """

    @wraps(change)
    def changed(*args: Given.args, **kwargs: Given.kwargs) -> int:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                with transaction():
                    return change(*args, **kwargs)
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", "") != LOCK_NOT_AVAILABLE:
                    raise
                if time.monotonic() > until:
                    raise ServiceError("department_busy") from error
            time.sleep(PAUSE)

    return changed


@patient
def rename(department_id: int, name: str) -> int:
    """Give a department another name, and return how many people are in it.

    :raises DepartmentKnown: when another department has this name, in whatever spelling: it can be merged into that.
    :raises department_unknown: when there is none. :raises department_busy: when others change its people.
    """
    name = registry.one_spaced(name)
    write_first()
    registry.lock_spelling(name)
    registry.refuse_known(name, department_id)
    department = _locked([department_id])[department_id]
    old, people = department.name, 0
    if old != name:
        people = _move(old, name)
        department.name = name
        audit.record("department.renamed", subject=name, before={"name": old}, after={"name": name, "people": people})
    return people


@patient
def merge(
    department_ids: Collection[int],
    into_id: int,
    require: Require | None = None,
    moved: Callable[[str], object] | None = None,
) -> int:
    """Move everybody in these departments to another one, delete them, and return how many were moved.

    :param require: is called once the departments are locked, and raises when nothing is to be done.
    :param moved: done within the same transaction when all are moved, with the name of the department.
    :raises department_unknown: when one of these is missing, or would be merged into itself.
    :raises department_busy: when others change their people.
    """
    write_first()
    departments = _locked({*department_ids, into_id})
    into = departments.pop(into_id)
    if not departments or len(departments) != len(department_ids):
        raise NotFound("department_unknown")
    if require is not None:
        require()
    total = 0
    for department_id, department in departments.items():
        old, people = department.name, _move(department.name, into.name)
        changed_rows(delete(Department).where(Department.id == department_id))
        after = {"name": into.name, "people": people}
        audit.record("department.merged", subject=into.name, before={"name": old}, after=after)
        total += people
    if moved is not None:
        moved(into.name)
    return total


def _locked(department_ids: Collection[int]) -> dict[int, Department]:
    """Lock departments, after those who are about to bring somebody into one, and return them by id.

    :raises department_unknown: when one is missing.
    """
    rows = select(Department).where(Department.id.in_(department_ids)).order_by(Department.id).with_for_update()
    locked = db.session.execute(rows, execution_options={"populate_existing": True}).scalars()
    by_id = {department.id: department for department in locked}
    if len(by_id) != len(department_ids):
        raise NotFound("department_unknown")
    return by_id


def _move(old: str, new: str) -> int:
    """Write the new name of a locked department to everybody in it, and return how many they are.

    A save locks the employee first and the department after it, so waiting for an employee while holding the department
    could be a deadlock. Therefore nobody is waited for: PostgreSQL raises an error.
    """
    people = select(Employee.id).where(Employee.department == old).with_for_update(nowait=True, key_share=True)
    db.session.execute(select(func.count()).select_from(people.subquery()))
    # The folded department is the end of what is searched.
    kept = func.substr(Employee.search, 1, func.length(Employee.search) - len(folded(old)))
    moved = update(Employee).where(Employee.department == old)
    return changed_rows(moved.values(department=new, search=kept.concat(folded(new))))
