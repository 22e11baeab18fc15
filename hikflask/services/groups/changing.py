"""Changes groups and what belongs to them, together with the job that enrols people on terminals and removes them.

The change and its job are one transaction, so neither is there without the other. A preview makes the same change and
takes it back.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Select, select

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Job, JobItem, Terminal
from hikflask.models.job import NewItem
from hikflask.services.changes import lifecycle, queries
from hikflask.services.changes.kinds import GROUPS, LOSES, LOSSES, Params
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.core import shown
from hikflask.services.core.db import Require, after_commit, transaction
from hikflask.services.core.errors import NotFound
from hikflask.services.departments import merging
from hikflask.services.departments import queries as departments
from hikflask.services.departments.queries import Counted
from hikflask.services.enrolments import desired
from hikflask.services.enrolments import queries as enrolments
from hikflask.services.enrolments.mass_removals import Confirmation, Losses
from hikflask.services.groups import differences, locks, membership, registry
from hikflask.services.groups.differences import Differences, Scope
from hikflask.services.groups.registry import Wanted, Written
from hikflask.services.state import enrolment as state

# Lets the worker run a job. It is called after the commit.
Enqueue = Callable[[Claim], None]


@dataclass(frozen=True)
class Done:
    """A change that is made, and its job; None where nothing changes for anybody."""

    group_id: int
    job_id: int | None


class _TakenBack(Exception):
    """A preview takes its change back."""


def preview(group_id: int | None, wanted: Wanted | None) -> Differences:
    """Return what change() would change for people.

    :raises ServiceError: as change() does, but for PlanChanged, AdministratorNeeded and UnsafePlan.
    """
    with suppress(_TakenBack), transaction():
        changes = differences.count(Scope(terminal_ids=_write(group_id, wanted).touched))
        raise _TakenBack
    return changes


def change(
    group_id: int | None,
    wanted: Wanted | None,
    enqueue: Enqueue,
    agreed: Confirmation,
    *,
    digest: str | None = None,
    require: Require | None = None,
) -> Done:
    """Change a group, add one (`group_id` None), or delete one (`wanted` None), and start the job that follows from it.

    :param digest: that of what preview() returned, or "" on a page that did not show it; None for a program.
    :param require: is called once groups are locked, and raises when nothing is to be done.
    :raises group_unknown: :raises group_known: :raises group_terminal_unknown: :raises group_employee_unknown: as
        registry.write() does. :raises PlanChanged: when something else changes for people than was shown.
    :raises AdministratorNeeded: :raises UnsafePlan: when many lose a terminal, as Losses.require().
    """
    with transaction():
        written = _write(group_id, wanted, require)
        scope = Scope(terminal_ids=written.touched)
        changes = differences.count(scope)
        changes.require_agreed(digest, agreed)
        return Done(written.group_id, _start(written.name, scope, enqueue, changes.losses))


def _write(group_id: int | None, wanted: Wanted | None, require: Require | None = None) -> Written:
    return registry.delete_group(group_id or 0) if wanted is None else registry.write(group_id, wanted, require)


def preview_of_department(people: Select[Any], department_id: int | None) -> Differences:
    """Return what changes for these people when all are moved to this department; None: to none, or a new one."""
    return differences.count(Scope(people, department_id=department_id or 0))


@dataclass(frozen=True)
class Merge:
    """What merging departments would do: `people` are moved to `kept`, and `differences` follow from that."""

    kept: Counted
    merged: list[Counted]
    differences: Differences
    digest: str

    @property
    def people(self) -> int:
        """How many employees are moved."""
        return sum(department.people for department in self.merged)


def preview_of_merge(department_ids: Collection[int], into_id: int) -> Merge:
    """Return what merge_departments() would do.

    :raises department_unknown: as merging.merge() does.
    """
    by_id = {department.id: department for department in departments.of_ids({*department_ids, into_id})}
    kept = by_id.pop(into_id, None)
    if kept is None or not by_id or len(by_id) != len(department_ids):
        raise NotFound("department_unknown")
    people, merged = departments.people_of(list(by_id)), list(by_id.values())
    changes = preview_of_department(people, kept.id)
    moved = sorted(db.session.execute(people).scalars())
    names = [[department.id, department.name] for department in (kept, *merged)]
    return Merge(kept, merged, changes, shown.digest(names, moved, changes.digest))


def merge_departments(
    department_ids: Collection[int], into_id: int, enqueue: Enqueue, agreed: Confirmation, digest: str | None
) -> int:
    """Merge departments, as merging.merge() does, and start the job that follows from it; return how many are moved.

    :param digest: that of what preview_of_merge() returned.
    :raises PlanChanged: when something else would be done by now.
    :raises AdministratorNeeded: :raises UnsafePlan: when many lose a terminal, as Losses.require().
    """
    lost = Losses()

    def require() -> None:
        nonlocal lost
        locks.share()
        merge = preview_of_merge(department_ids, into_id)
        shown.require_same(digest, merge.digest)
        lost = merge.differences.losses
        lost.require(agreed)

    def begin(name: str) -> None:
        _start(name, Scope(select(Employee.id).where(Employee.department == name)), enqueue, lost)

    return merging.merge(department_ids, into_id, require, begin)


def bring_to(terminal: Terminal, enqueue: Enqueue) -> int | None:
    """Start the job that enrols the groups' people on a terminal that is in use again, within the caller's transaction.

    Return its id, or None.
    """
    locks.share()
    scope = Scope(terminal_ids=[terminal.id])
    return _start(terminal.name, scope, enqueue, differences.count(scope).losses)


def apply(item: JobItem, params: Params) -> list[Enrolment]:  # noqa: ARG001 - each kind has the same parameters
    """Bring the employee of an item where groups ask for them; return the enrolments that were changed by it."""
    employee = queries.employee_of(item)
    if changed := membership.apply(employee):
        state.apply(state.PUT_IN_BULK, Enrolment.number == employee.number)
        terminals = {terminal.id for terminal in (*changed.gets, *changed.loses)}
        return [enrolment for enrolment in enrolments.of_number(employee.number) if enrolment.terminal_id in terminals]
    # The item is tried again: the terminal refused what the groups still ask for.
    refused = enrolments.get(item.enrolment_id) if item.enrolment_id else None
    if refused is None or refused.desired != item.desired:
        return []
    if not refused.is_confirmed:
        desired.retry_when_it_answers(refused.id)
    return [refused]


def losing(job: Job) -> Losses:
    """Return who loses access because groups do not ask for them any more."""
    return differences.count(Scope(queries.people_left(job.id))).losses


def _start(name: str, scope: Scope, enqueue: Enqueue, lost: Losses) -> int | None:
    """Start the job, which is a part of the open transaction, where something changes for anybody; return its id."""
    people = differences.employees(scope)
    if not people:
        return None
    loses: dict[int, list[int]] = {}
    for employee_id, terminal_id in sorted(differences.losing(scope)):
        loses.setdefault(employee_id, []).append(terminal_id)
    items = [
        NewItem(number, employee_id, confirmed={LOSES: loses[employee_id]} if employee_id in loses else None)
        for number, employee_id in people
    ]
    claim = lifecycle.begin(GROUPS, {"group": name, LOSSES: lost.as_json}, items=items)
    after_commit(partial(enqueue, claim))
    return claim.job_id
