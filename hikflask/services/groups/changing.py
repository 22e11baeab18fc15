"""Changes groups, and what belongs to them, together with the job that brings people to terminals and takes them off.

The change and its job are one transaction, so neither is there without the other. A preview makes the same change and
takes it back.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from hikflask.extensions import db
from hikflask.models import Department, Employee, Terminal
from hikflask.services.core.db import Require
from hikflask.services.departments import merging
from hikflask.services.groups import differences, locks, registry
from hikflask.services.groups.differences import Differences, Scope
from hikflask.services.groups.registry import Wanted, Written

# Makes the job for these people (number, id) within the open transaction, commits, and lets the worker run it; returns
# its id. The text is what the job is named after.
Start = Callable[[str, list[tuple[str, int]]], int]


@dataclass(frozen=True)
class Done:
    """A change that is made, and its job; None where nothing changes for anybody."""

    group_id: int
    job_id: int | None


def preview(group_id: int | None, wanted: Wanted | None) -> Differences:
    """Return what change() or delete() would change for people; `wanted` None means delete.

    :raises ServiceError: as those do, but for UnsafePlan.
    """
    try:
        return differences.count(Scope(terminal_ids=_written(group_id, wanted).touched))
    finally:
        db.session.rollback()


def change(
    group_id: int | None,
    wanted: Wanted,
    start: Start,
    confirm: int | None = None,
    *,
    safe: bool = True,
    require: Require | None = None,
) -> Done:
    """Change a group, or add one (None), and start the job that follows from it.

    :param confirm: how many people lose a terminal, where that needs to be confirmed.
    :param safe: False: it needs not.
    :param require: is called once groups are locked, and raises when nothing is to be done.
    :raises GroupUnknown: :raises GroupKnown: :raises GroupTerminalUnknown: :raises GroupEmployeeUnknown: as
        registry.write() does. :raises UnsafePlan: when many lose a terminal, and their number is not confirmed.
    """
    return _change(group_id, wanted, start, confirm, safe, require)


def delete(group_id: int, start: Start, confirm: int | None = None, *, safe: bool = True) -> Done:
    """Delete a group, and start the job that follows from it; the parameters are those of change().

    :raises GroupUnknown: :raises UnsafePlan:
    """
    return _change(group_id, None, start, confirm, safe)


def _change(
    group_id: int | None,
    wanted: Wanted | None,
    start: Start,
    confirm: int | None,
    safe: bool,
    require: Require | None = None,
) -> Done:
    try:
        written = _written(group_id, wanted, require)
        scope = Scope(terminal_ids=written.touched)
        if safe:
            differences.count(scope).require_confirmed(confirm)
        job_id = _start(written.name, scope, start)
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    return Done(written.group_id, job_id)


def _written(group_id: int | None, wanted: Wanted | None, require: Require | None = None) -> Written:
    if wanted is not None:
        return registry.write(group_id, wanted, require)
    return registry.delete_group(group_id or 0)


def preview_of_department(people: Select[Any], department: str) -> Differences:
    """Return what changes for these people when all of them are moved to this department."""
    found = select(Department.id).where(Department.name == department)
    return differences.count(Scope(people, department_id=db.session.execute(found).scalar_one_or_none() or 0))


def merge_departments(department_ids: Collection[int], into_id: int, start: Start) -> int:
    """Merge departments, as merging.merge() does, and start the job that follows from it; return how many are moved."""
    return merging.merge(department_ids, into_id, lambda name: _start_for_department(name, start))


def _start_for_department(name: str, start: Start) -> None:
    locks.share()
    _start(name, Scope(select(Employee.id).where(Employee.department == name)), start)


def bring_to(terminal: Terminal, start: Start) -> int | None:
    """Start the job for those whom groups ask for on a terminal that is in use again; return its id, or None."""
    locks.share()
    job_id = _start(terminal.name, Scope(terminal_ids=[terminal.id]), start)
    db.session.commit()
    return job_id


def _start(name: str, scope: Scope, start: Start) -> int | None:
    people = differences.employees(scope)
    return start(name, people) if people else None
