"""Begins a capture, or refuses when the terminal is not free; cancels one, and discards its picture."""

from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from hikflask.extensions import db
from hikflask.isapi import capture as isapi_capture
from hikflask.isapi.errors import LoginRefused
from hikflask.models import Capture, Employee, Terminal
from hikflask.models.capture import CANCELLED, USED
from hikflask.services import audit
from hikflask.services.captures import deadline, drafts, holds, queries
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import end_read, kept_employees, transaction
from hikflask.services.core.errors import NotFound, ServiceError, TerminalInUse
from hikflask.services.privacy import consents
from hikflask.services.state import capture as state
from hikflask.services.terminals import connection
from hikflask.text_rules import storable


def start_capture(
    terminal_id: int,
    draft: Draft,
    requested_by: str,
    *,
    take_over: bool = False,
    taken_over: int | None = None,
    own: int | None = None,
    employee_id: int | None = None,
    behind: int | None = None,
) -> Capture:
    """Queue a capture at a terminal.

    :param take_over: supersede an unsaved picture of another number at this terminal.
    :param taken_over: the id of the one capture whose picture may be superseded, as it was asked about.
    :param own: the id of the capture that the form shows. It does not block the caller who requested it, and its
        picture stays usable until the new one is taken.
    :param employee_id: the employee, if known; otherwise the draft's number identifies the employee.
    :param behind: the id of a capture that the caller has just saved. The new one begins when its face is bound.
    :raises TerminalInUse: when a capture runs there. :raises terminal_held: when a needed picture is held there.
    :raises LoginStopped: when the terminal refused our password. :raises terminal_unknown: when it is not active.
    :raises NotComparedSinceRestore: when nothing is written to the terminal yet after a restore.
    :raises consent_missing: when a consent is required and none is recorded.
    :raises employee_unknown: when the employee was deleted meanwhile.
    """
    terminal = connection.get_terminal(terminal_id)
    if not terminal.is_active:
        raise ServiceError("terminal_unknown")
    if consents.is_required() and not draft.consent and consents.is_missing(draft.number, employee_id):
        raise ServiceError("consent_missing")
    by_number = select(Employee.id).where(Employee.number == storable(draft.number))
    employee_id = employee_id or db.session.execute(by_number).scalar()
    connection.refuse_when_stopped(terminal)
    connection.refuse_before_compared(terminal)
    deadline.fail_overdue(terminal_id)
    running = holds.running_at(terminal_id)
    if running:
        if running.id == own:
            return running
        raise _in_use(running)
    earlier = queries.unsaved_of_form(own)
    if earlier:
        drafts.keep(earlier.id, draft, requested_by)
    held = holds.held_by_another(terminal_id, draft.number, requested_by, earlier.id if earlier else own)
    waits = held is not None and held.state == USED and held.id == behind
    if held and not (take_over or waits or held.id == taken_over):
        name = "saved_name" if held.state == USED else "name"
        about: dict[str, Any] = {name: held.draft_name or held.draft_number}
        raise ServiceError("terminal_held", who=held.requested_by, capture_id=held.id, **about)
    return _queue(terminal_id, draft, requested_by, employee_id, earlier, None if waits else held)


def _queue(
    terminal_id: int,
    draft: Draft,
    requested_by: str,
    employee_id: int | None,
    earlier: Capture | None,
    held: Capture | None,
) -> Capture:
    """Queue the capture, and end the hold of a picture in its way: both, or neither where it is refused.

    An erasure of the employee finds the capture, or has ended before, and nothing is taken.
    """
    retake_of = earlier.id if earlier else None
    seconds = current_app.config["CAPTURE_TIMEOUT"]
    try:
        with transaction():
            if employee_id is not None and not kept_employees([employee_id]):
                raise NotFound("employee_unknown")
            if held:
                state.apply(state.TAKEN_OVER, Capture.id == held.id)
                state.apply(state.HOLD_TAKEN_OVER, Capture.id == held.id)
            capture = state.create(terminal_id, requested_by, seconds, retake_of=retake_of, **draft.columns())
            terminal = db.session.get_one(Terminal, terminal_id)
            audit.record("capture.started", number=draft.number, terminal=terminal.name)
    except IntegrityError:
        running = holds.running_at(terminal_id)
        raise _in_use(running) if running else TerminalInUse(who="", seconds=1) from None
    return db.session.get_one(Capture, capture.id, populate_existing=True)


def _in_use(running: Capture) -> TerminalInUse:
    seconds = deadline.view(running.id).seconds_left or 1
    return TerminalInUse(who=running.requested_by, seconds=seconds, capture_id=running.id)


def cancel_capture(capture_id: int) -> bool:
    """Cancel a running capture. Return False when it had already ended."""
    with transaction():
        return state.apply(state.CANCELLATION, Capture.id == capture_id) > 0


def discard_picture(capture_id: int) -> bool:
    """Supersede an unsaved picture, so that it does not hold its terminal any more; False when there was none."""
    with transaction():
        return state.apply(state.TAKEN_OVER, Capture.id == capture_id) > 0


def send_cancel(capture_id: int) -> None:
    """Tell the terminal to close the window of a cancelled capture.

    Nothing is sent when the terminal cannot cancel, or when the capture's lease has ended.

    :raises TerminalError: when the terminal refuses or does not answer.
    :raises LoginStopped: when the terminal refused our password before.
    :raises CaptureDeleted: when the capture is gone.
    """
    capture = queries.get_one(capture_id)
    terminal = connection.get_terminal(capture.terminal_id)
    if capture.state != CANCELLED or not terminal.can_cancel or terminal.lease_number != capture.lease_number:
        return
    connection.refuse_when_stopped(terminal)
    client = connection.new_client(terminal)
    end_read()
    try:
        isapi_capture.cancel(client)
    except LoginRefused as error:
        connection.record_refused_login(terminal, error)
        raise
    finally:
        client.close()
