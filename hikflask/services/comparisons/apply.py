"""Carries out one step of a plan. It is checked again, since something may have changed since the plan was made."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import update

from hikflask.extensions import db
from hikflask.models import Comparison, Enrolment, JobItem
from hikflask.models.comparison import VALIDITY
from hikflask.models.enrolment import ABSENT
from hikflask.services import audit
from hikflask.services.comparisons import plan, queries
from hikflask.services.comparisons.queries import ComparedNumber
from hikflask.services.comparisons.take_over import Confirmed, TakenOver, taking_over
from hikflask.services.core.db import changed_rows, lock_employee, lock_numbers
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees import lifecycle
from hikflask.services.enrolments import queries as enrolments
from hikflask.services.state import enrolment as state
from hikflask.services.terminals import registry


@contextmanager
def applying(item: JobItem, params: Mapping[str, Any]) -> Iterator[Callable[[], list[Enrolment]]]:
    """Ask the terminal what an item of an APPLY job needs, and yield what does the item. That is called within this, in
    a transaction, and returns the enrolment that the job waits for, if there is one.

    Send and remove desire it, and the enrolment is reconciled as any other one. Take over writes what the terminal
    shows.

    :param params: see Plan.job_params.
    :raises ServiceError: when the step is refused. :raises TerminalError: when the terminal refuses or does not answer.
    """
    comparison = queries.get_comparison(params["comparison"])
    number = item.number
    if item.action != plan.TAKE_OVER:
        yield partial(_desire, comparison, item)
        return

    def require_there() -> None:
        # An erasure of the number has deleted it.
        if queries.person_there(comparison.id, number) is None:
            raise ServiceError("not_there", n=number)

    compared, confirmed = _checked(comparison, item)
    name_seen = compared.there.name if compared.there else ""
    holder = audit.current_actor().name
    with taking_over(comparison.terminal_id, number, name_seen, holder, confirmed, require_there) as take_over:

        def awaited() -> list[Enrolment]:
            taken = take_over()
            _remember(item, taken)
            enrolment = taken.enrolment
            # Nobody waits for the face of somebody who has none.
            is_due = enrolment.next_attempt_at is not None
            return [enrolment] if is_due and (enrolment.desired == ABSENT or enrolment.photo_id) else []

        yield awaited


def _remember(item: JobItem, taken: TakenOver) -> None:
    """Keep how the employee was before and after, so that it can be undone; tried again, how it was at first."""
    before = item.written["before"] if item.written else taken.before
    written = {"before": before, "after": taken.after}
    own = update(JobItem).where(JobItem.id == item.id)
    changed_rows(own.values(written=written, employee_id=taken.enrolment.employee_id))


def _checked(comparison: Comparison, item: JobItem) -> tuple[ComparedNumber, Confirmed]:
    """Return what is known of the number, and what still holds of what was confirmed."""
    compared = queries.compared_numbers(comparison, [item.number])[item.number]
    confirmed = Confirmed.from_json(item.confirmed)
    if item.employee_id != (compared.employee.id if compared.employee else None):
        if item.action != plan.TAKE_OVER or item.employee_id is not None:
            raise ServiceError("changed_since")
        # Nobody had the number. Nobody agreed that the current employee is the same person.
        confirmed = replace(confirmed, same_person=False)
    # A face that became the employee's meanwhile, or another one that was read, was not chosen.
    if confirmed.faces != (compared.face_here, compared.another_face):
        confirmed = replace(confirmed, faces=None)
    face_agreed = confirmed.faces is not None
    plan.check(comparison.terminal, compared, item.action, confirmed.same_person, face_agreed=face_agreed)
    return compared, confirmed


def _desire(comparison: Comparison, item: JobItem) -> list[Enrolment]:
    lock_numbers(item.number)
    compared, confirmed = _checked(comparison, item)
    if item.action == plan.REMOVE:
        return [_remove(compared, comparison.terminal_id)]
    return [_send(compared, comparison.terminal_id, confirmed)]


def _send(compared: ComparedNumber, terminal_id: int, confirmed: Confirmed) -> Enrolment:
    """Mark the employee as desired there, and prove everything anew. Another's record goes only when that was chosen.

    A record with another name and the employee's own face is renamed.
    """
    if compared.employee is None:
        raise TypeError("nobody to send")
    enrolment = lifecycle.send_to_terminal(compared.employee.id, terminal_id).row
    own = Enrolment.id == enrolment.id
    if confirmed.same_person and compared.there is not None and plan.would_overwrite(compared):
        if not plan.is_our_face(compared) and not confirmed.replaces:
            # The name here is another one than in the plan, by which nobody was replaced.
            raise ServiceError("changed_since")
        if plan.is_our_face(compared):
            state.apply(state.RECORD_ADOPTED, own, written_name=compared.there.name[:128])
        else:
            state.apply(state.DESIRED_OVERWRITE, own)
    if VALIDITY in compared.kinds and compared.there is not None:
        # A limit that somebody set there is lifted, or set to what is asked for.
        state.apply(state.VALIDITY_THERE, own, sent_valid=compared.there.valid_there)
    state.apply(state.PUT_IN_BULK, own)
    db.session.refresh(enrolment)
    return enrolment


def _remove(compared: ComparedNumber, terminal_id: int) -> Enrolment:
    """Mark the number as absent on this terminal: exactly the record that was seen."""
    if compared.employee is not None:
        lock_employee(compared.employee.id)
    terminal = registry.in_service(terminal_id)
    enrolment = enrolments.find(terminal.id, compared.number) or state.create_for(terminal.id, compared.number)
    name = compared.there.name if compared.there else enrolment.written_name
    # A record without a name cannot be told from another one by its name.
    nameless = compared.there is not None and not name
    own = Enrolment.id == enrolment.id
    if not state.apply(state.REMOVAL_CHOSEN, own, written_name=name[:128], overwrite=nameless):
        raise ServiceError("not_there", n=compared.number)
    db.session.refresh(enrolment)
    audit.record(
        "enrolment.removal_chosen",
        employee_id=enrolment.employee_id,
        number=compared.number,
        terminal=terminal.name,
    )
    return enrolment
