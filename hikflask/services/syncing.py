"""Sends one employee to one terminal on a program's request: finds terminal and photo, and writes the wish."""

from sqlalchemy import update

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Enrolment, Terminal
from hikflask.models.capture import SUPERSEDED, TAKEN, USED
from hikflask.models.enrolment import PRESENT
from hikflask.services import captures, enrolments, leases, photos, terminals
from hikflask.services.errors import CaptureSuperseded, EmployeeInactive, TerminalUnknown


def wish(employee_id: int, terminal_id: int | None, requested_by: str, *, overwrite: bool = False) -> Enrolment:
    """Write what is wanted and return the enrolment, which the caller settles.

    The caller's newest unsaved capture there, for this number or for no number, becomes the employee's photo.

    :param terminal_id: None: the capture's terminal, or else the only one in use.
    :param overwrite: take off whoever has the number on the terminal under another name.
    :raises CaptureSuperseded: when that capture's face is no more in the terminal's file.
    :raises TerminalUnknown: when the terminal is unknown, or not named and not the only one.
    """
    employee = db.session.get_one(Employee, employee_id, populate_existing=True)
    capture = captures.latest(terminal_id, employee.number, requested_by)
    terminal = _terminal(terminal_id, capture)
    if not employee.is_active:
        raise EmployeeInactive
    if capture and capture.state == SUPERSEDED:
        raise CaptureSuperseded
    enrolment = _written(terminal, employee, capture)
    if overwrite:
        enrolments.want_replaced(enrolment.id, enrolment.wish)
    return enrolments.row(enrolment.id)


def _written(terminal: Terminal, employee: Employee, capture: Capture | None) -> Enrolment:
    known = enrolments.find(terminal.id, employee.number)
    if capture is None and known is not None and known.wanted == PRESENT and known.employee_id == employee.id:
        if not known.is_confirmed:
            enrolments.fits(terminal, employee.name)
            enrolments.want_again(known.id)
        return known
    enrolments.refuse_while_leaving(employee.number, employee.id)
    old = _adopt(employee, capture) if capture else None
    try:
        enrolment = enrolments.want_present(terminal, employee, employee.photo)
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
    photos.unlink(old)
    return enrolment


def _adopt(employee: Employee, capture: Capture) -> str | None:
    """captured → used; return the old name of its file, when the number gave it another."""
    taken = update(Capture).where(Capture.id == capture.id, Capture.state == TAKEN).values(state=USED)
    photo = captures.photo_of(capture)
    if leases.changed_rows(taken) != 1 or photo is None:
        db.session.rollback()
        raise CaptureSuperseded
    photo.employee_id = employee.id
    old = photos.rename(photo, employee.number)
    employee.photo = photo
    db.session.flush()
    return old


def _terminal(terminal_id: int | None, capture: Capture | None) -> Terminal:
    if terminal_id is not None:
        return terminals.active(terminal_id)
    if capture is not None:
        return terminals.active(capture.terminal_id)
    only = terminals.all_active()
    if len(only) != 1:
        raise TerminalUnknown
    return only[0]
