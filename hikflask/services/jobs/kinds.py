"""What a job does for each item, by the name of its kind. Everything happens within the caller's transaction."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Job, JobItem, Terminal
from hikflask.services.comparisons import apply, reading, undo
from hikflask.services.comparisons import queries as comparisons
from hikflask.services.core.db import locked_employee, transaction, write_first
from hikflask.services.core.errors import NotFound
from hikflask.services.core.progress import Progress
from hikflask.services.departments import registry as departments
from hikflask.services.employees import lifecycle
from hikflask.services.enrolments import desired
from hikflask.services.enrolments import queries as enrolments
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.services.groups import membership
from hikflask.services.imports import batches, effects, losses
from hikflask.services.imports.apply import apply_together, applying
from hikflask.services.imports.dry_run import check
from hikflask.services.imports.undo import undo_row
from hikflask.services.jobs import import_items, list_export
from hikflask.services.passages import coverage, journal, retention, switch
from hikflask.services.privacy import consents
from hikflask.services.privacy.consents import Given
from hikflask.services.settings import stored as stored_settings
from hikflask.services.state import enrolment as state

DEACTIVATE = "deactivate"
SEND = "send"
DEPARTMENT = "department"
CONSENT = "consent"
GROUPS = "groups"
EXPORT = "export"
PRINT = "print"
IMPORT_CHECK = "import_check"
IMPORT = "import"
IMPORT_UNDO = "import_undo"
COMPARE = "compare"
APPLY = "apply"
APPLY_UNDO = "apply_undo"
DELETE_PASSAGES = "delete_passages"
# The lanes of the queue in which jobs run: those of the second talk to a terminal themselves.
JOBS, TERMINALS = "jobs", "terminals"
# Among the params of an import: its dry run comes first, and what is agreed to after it.
CHECK_FIRST, AGREED, CONFIRMED = "check", "agreed", "confirmed_numbers"
# Among the params of an import: rows that take somebody's terminal are left out, as nobody confirmed how many lose one.
WITHHELD = "withheld"
# Among the params: who loses access by a job, as it was agreed, and how many lost it by now, by terminal and in all.
LOSSES, TAKEN, TAKEN_PEOPLE = "losses", "taken", "taken_people"
# Among the params: the same of what no other job is about to take, and of ALL people.
OWN, ALL = "own", "all"
# Among the params of a change of department: which one it is, whatever its name is by now; None: none.
DEPARTMENT_ID = "department_id"
# Among the params of a record of consents: the day on which they were given.
GIVEN_ON = "given_on"
# Among the params of a deletion of all passages: the id of the newest one when it was asked for.
NEWEST = "newest"
# Among the params of a draft: how many of those who were chosen are inactive, and how many have a consent already.
LEFT_OUT, HAVE_CONSENT = "left_out", "have_consent"
# How a row is locked whose params are read and written: an erasure takes numbers out of them.
LOCKED = {"key_share": True}
# What may be done with those who are selected on the list.
OF_SELECTION = (DEACTIVATE, SEND, DEPARTMENT, CONSENT, EXPORT, PRINT)
OF_IMPORTS = (IMPORT_CHECK, IMPORT, IMPORT_UNDO)
Params = Mapping[str, Any]
# Does what is done for an item, and returns the enrolments that it waits for.
Run = Callable[[], Sequence[Enrolment] | None]


@dataclass(frozen=True)
class Kind:
    """What is done for one item; None where a draft is only shown, or everything is done as a whole.

    `together` does what it can for several items at once, and returns the numbers of those for whom it did; the others
    are done one by one.
    `prepare` is entered before an item's transaction and left after it, where something is waited for; it yields what
    is done instead of `run`.
    `whole` is done first, in transactions of its own. A worker that is killed meanwhile leaves what it committed, and
    `whole` is done again from its beginning. It may add items. When it returns True, more is left, and it is called
    again after the turns of other jobs.
    `end` is done when every item was tried; it is done again when the worker is killed before the job has ended.
    `active_only`: inactive employees are left out, since nothing would be done for them; `lacking_consent`: so are
    employees with a recorded consent. `audit_action`: what the start
    is in the audit trail besides, where people leave the program.
    `lane` is where the queue runs it. A kind that talks to a terminal itself waits when the terminal does not answer,
    and fails when the terminal refused the password.
    `awaits_confirmation`: `run` returns enrolments, each of which is an item that ends when its terminal confirmed it,
    or nobody tries any more.
    `can_retry`: what failed, or is left after a stop, may be tried again; others have a page of their own for that.
    `by_admin`: only administrators may start, stop and retry it.
    `operators_only`: its items and its report are for those who enrol employees: rows of a file, or a plan that names
    people whom only the terminal knows.
    """

    run: Callable[[JobItem, Params], Sequence[Enrolment] | None] | None
    whole: Callable[[Job, Progress], bool | None] | None = None
    end: Callable[[Params], None] | None = None
    active_only: bool = False
    lacking_consent: bool = False
    audit_action: str = ""
    lane: str = JOBS
    awaits_confirmation: bool = False
    can_retry: bool = True
    by_admin: bool = False
    operators_only: bool = False
    together: Callable[[Collection[str], Params], Collection[str]] | None = None
    prepare: Callable[[JobItem, Params], AbstractContextManager[Run]] | None = None

    def prepared(self, item: JobItem, params: Params) -> AbstractContextManager[Run]:
        """Return what is done for an item, once everything is there that is waited for."""
        if self.prepare:
            return self.prepare(item, params)
        if self.run is None:
            raise TypeError(f"nothing is done for item {item.id}")
        return nullcontext(partial(self.run, item, params))

    @property
    def talks(self) -> bool:
        """True when it talks to a terminal itself."""
        return self.lane == TERMINALS


def _deactivate(item: JobItem, params: Params) -> None:  # noqa: ARG001 - each kind has the same parameters
    employee = _employee(item)
    if employee.is_active:
        lifecycle.apply_active(employee, active=False)
        state.apply(state.PUT_IN_BULK, Enrolment.number == employee.number)


def _send(item: JobItem, params: Params) -> list[Enrolment]:
    enrolment = lifecycle.send_to_terminal(_employee(item).id, params["terminal_id"]).row
    state.apply(state.PUT_IN_BULK, Enrolment.id == enrolment.id)
    return [enrolment]


def _set_department(item: JobItem, params: Params) -> None:
    employee, department_id = _employee(item), params.get(DEPARTMENT_ID)
    # A job of an earlier version has the name alone.
    department = departments.keep_name(department_id) if department_id else params["department"]
    if lifecycle.apply_department(employee, department):
        state.apply(state.PUT_IN_BULK, Enrolment.number == employee.number)


def _record_consent(item: JobItem, params: Params) -> None:
    consents.record_missing(_employee(item).id, Given(date.fromisoformat(params[GIVEN_ON])))


def _apply_groups(item: JobItem, params: Params) -> list[Enrolment]:  # noqa: ARG001 - each kind has the same parameters
    employee = _employee(item)
    if changes := membership.apply(employee):
        state.apply(state.PUT_IN_BULK, Enrolment.number == employee.number)
        changed = {terminal.id for terminal in (*changes.gets, *changes.loses)}
        return [enrolment for enrolment in enrolments.of_number(employee.number) if enrolment.terminal_id in changed]
    # The item is tried again: the terminal refused what the groups still ask for.
    refused = enrolments.get(item.enrolment_id) if item.enrolment_id else None
    if refused is None or refused.desired != item.desired:
        return []
    if not refused.is_confirmed:
        desired.retry_when_it_answers(refused.id)
    return [refused]


def _employee(item: JobItem) -> Employee:
    if item.employee_id is None:
        raise NotFound("employee_unknown")
    return locked_employee(item.employee_id)


def _check(job: Job, progress: Progress) -> None:
    check(batches.get_one(job.params["batch"]), progress)


def _begin_import(job: Job, progress: Progress) -> None:
    if job.params.get(CHECK_FIRST):
        _check(job, progress)
        with transaction():
            effects.confirm_numbers(job.params["batch"], job.params.get(CONFIRMED, []))
            lost = losses.of_import(job.params["batch"])
            lost.require(Confirmation(**job.params[AGREED]))
            batches.record_new_departments(job.params["batch"])
            # The dry run takes long, and meanwhile somebody may have been erased.
            db.session.refresh(job, ["params"], with_for_update=LOCKED)
            job.params = {**job.params, LOSSES: lost.as_json}
    batches.remove_table(job.params["batch"])
    import_items.add(job, progress, withheld=job.params.get(WITHHELD, False))


def _undo(item: JobItem, params: Params) -> None:
    undo_row(import_items.row_of(item, params["batch"]))


def _undo_take_over(item: JobItem, params: Params) -> None:
    undo.take_back(params["job"], item.number)


def _compare(job: Job, progress: Progress) -> bool:
    comparison_id = job.params["comparison"]
    has_more = reading.read_slice(comparison_id, job.requested_by)
    comparison = comparisons.get_comparison(comparison_id)
    progress.report(comparison.read, comparison.people or comparison.read)
    return has_more


def _delete_passages(job: Job, progress: Progress) -> bool:
    """Delete some of all passages. What came since it was asked for goes, too, unless it is recorded again."""
    total = job.total or retention.count()[0]
    with transaction():
        write_first()
        stored_settings.read_within()
        gone = retention.delete_some(job.params[NEWEST] if switch.is_on() else None)
        if not gone and not switch.is_on():
            gone = _delete_last_passages()
        progress.report(job.done + gone, total)
    return gone > 0


def _delete_last_passages() -> int:
    """Delete what readings wrote while the others were deleted, and then what is known of them all."""
    # Whoever writes what a log has holds the terminal's row until it is here. The next one sees that it is off.
    db.session.execute(select(Terminal.id).order_by(Terminal.id).with_for_update(key_share=True)).all()
    gone = retention.delete_some(None)
    if not gone:
        coverage.forget_all()
        journal.forget_all()
    return gone


KINDS = {
    DEACTIVATE: Kind(_deactivate, active_only=True, by_admin=True),
    SEND: Kind(_send, active_only=True, awaits_confirmation=True),
    DEPARTMENT: Kind(_set_department),
    CONSENT: Kind(_record_consent, active_only=True, lacking_consent=True),
    GROUPS: Kind(_apply_groups, awaits_confirmation=True),
    EXPORT: Kind(None, list_export.write_file, audit_action="employees.exported"),
    PRINT: Kind(None),
    IMPORT_CHECK: Kind(None, whole=_check, can_retry=False, operators_only=True),
    IMPORT: Kind(
        None,
        together=lambda numbers, params: apply_together(params["batch"], numbers),
        prepare=lambda item, params: applying(import_items.row_of(item, params["batch"])),
        whole=_begin_import,
        end=lambda params: batches.remove_photos(params["batch"]),
        can_retry=False,
        operators_only=True,
    ),
    IMPORT_UNDO: Kind(_undo, whole=partial(import_items.add, undo=True), can_retry=False, operators_only=True),
    COMPARE: Kind(None, whole=_compare, lane=TERMINALS, can_retry=False),
    APPLY: Kind(None, prepare=apply.applying, lane=TERMINALS, awaits_confirmation=True, operators_only=True),
    APPLY_UNDO: Kind(_undo_take_over, can_retry=False, operators_only=True),
    DELETE_PASSAGES: Kind(None, whole=_delete_passages, can_retry=False, by_admin=True),
}
