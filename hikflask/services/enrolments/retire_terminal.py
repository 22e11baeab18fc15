"""Retires a terminal that is stolen, destroyed or reset. A person's statement replaces its confirmations."""

from sqlalchemy import func, or_, select

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import CONFIRMED, PRESENT
from hikflask.services import audit
from hikflask.services.core import shown
from hikflask.services.core.db import Require
from hikflask.services.core.errors import TerminalUnknown
from hikflask.services.enrolments import manual_removal
from hikflask.services.terminals import leases

RETIRE = "retire"
RETIRE_SECONDS = 30.0
WAIT_SECONDS = 5.0
# Desired present, or an open removal.
ON_IT = or_(Enrolment.desired == PRESENT, Enrolment.person != CONFIRMED)


def retire_terminal(terminal_id: int, note: str, holder: str, require: Require | None = None) -> None:
    """Take a terminal out of service for good. Nothing is sent to it any more.

    Its enrolments end by the statement of the present operator, and pages show that.

    :param note: what happened to the terminal.
    :param require: is called once the terminal's row is locked, and raises when nothing is to be done.
    :raises TerminalInUse: when a conversation does not end in time. :raises TerminalUnknown: when there is no such row.
    """
    lease = leases.acquire(terminal_id, holder, RETIRE, RETIRE_SECONDS, WAIT_SECONDS)
    try:
        with lease.write():
            _retire(terminal_id, note, require)
    finally:
        lease.release()


def count_numbers_on(terminal_id: int) -> int:
    """Return how many numbers are, or may be, on a terminal by our records."""
    statement = select(func.count()).where(Enrolment.terminal_id == terminal_id, ON_IT)
    return db.session.execute(statement).scalar_one()


def digest(terminal: Terminal) -> str:
    """Return what names a retirement, see services/core/shown.py: which device it is, and which numbers are on it."""
    on_it = select(Enrolment.number).where(Enrolment.terminal_id == terminal.id, ON_IT).order_by(Enrolment.number)
    numbers = list(db.session.execute(on_it).scalars())
    return shown.digest(terminal.name, terminal.url, terminal.serial, numbers)


def _retire(terminal_id: int, note: str, require: Require | None) -> None:
    terminal = db.session.get(Terminal, terminal_id, populate_existing=True)
    if terminal is None:
        raise TerminalUnknown
    before = {"is_active": terminal.is_active}
    terminal.is_active, terminal.retired_at, terminal.retired_note = False, database_now(), note
    audit.note("terminal.retired", terminal=terminal.name, before=before, after={"is_active": False, "note": note})
    db.session.flush()
    if require:
        require()
    _lock_employees(terminal_id)
    mine = select(Enrolment).where(Enrolment.terminal_id == terminal_id, ON_IT).order_by(Enrolment.id)
    for enrolment in db.session.execute(mine.with_for_update()).scalars().all():
        manual_removal.end_with_terminal(enrolment, note)


def _lock_employees(terminal_id: int) -> None:
    """Lock the rows of the employees before those of their enrolments, as everybody does (see core/db.py)."""
    on_it = select(Enrolment.employee_id).where(Enrolment.terminal_id == terminal_id, ON_IT)
    theirs = select(Employee.id).where(Employee.id.in_(on_it)).order_by(Employee.id)
    db.session.execute(theirs.with_for_update(key_share=True))
