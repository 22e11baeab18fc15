"""Retires a terminal that is stolen, destroyed or reset. A person's statement replaces its confirmations."""

from sqlalchemy import func, select

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.core import shown
from hikflask.services.core.db import Require
from hikflask.services.enrolments import manual_removal
from hikflask.services.state.enrolment import IS_THERE
from hikflask.services.terminals import leases
from hikflask.services.terminals.leases import Lease

RETIRE = "retire"
RETIRE_SECONDS = 30.0
WAIT_SECONDS = 5.0


def retire_terminal(terminal_id: int, note: str, holder: str, require: Require | None = None) -> None:
    """Take a terminal out of service for good. Nothing is sent to it any more.

    Its enrolments end by the statement of the current operator, and pages show that.

    :param note: what happened to the terminal.
    :param require: is called once the terminal's row is locked, and raises when nothing is to be done.
    :raises TerminalInUse: when a conversation does not end in time. :raises terminal_unknown: when there is none.
    """
    lease = leases.acquire(terminal_id, holder, RETIRE, RETIRE_SECONDS, WAIT_SECONDS)
    try:
        while not _retire(lease, note, require):
            pass
    finally:
        lease.release()


def count_numbers_on(terminal_id: int) -> int:
    """Return how many numbers are, or may be, on a terminal by our records."""
    statement = select(func.count()).where(Enrolment.terminal_id == terminal_id, IS_THERE)
    return db.session.execute(statement).scalar_one()


def digest(terminal: Terminal) -> str:
    """Return what names a retirement, see services/core/shown.py: which device it is, and which numbers are on it."""
    on_it = select(Enrolment.number).where(Enrolment.terminal_id == terminal.id, IS_THERE).order_by(Enrolment.number)
    numbers = list(db.session.execute(on_it).scalars())
    return shown.digest(terminal.name, terminal.url, terminal.serial, numbers)


def _retire(lease: Lease, note: str, require: Require | None) -> bool:
    """Return False when somebody was desired there while it waited: nothing is written, since their row is not locked.

    The rows of employees are locked before that of the terminal, as where they are enrolled there (see core/db.py).
    """
    with lease.write():
        on_it = (Enrolment.terminal_id == lease.terminal_id, IS_THERE)
        theirs = select(Employee.id).where(Employee.id.in_(select(Enrolment.employee_id).where(*on_it)))
        locked = db.session.execute(theirs.order_by(Employee.id).with_for_update(key_share=True)).scalars().all()
        terminal = db.session.get_one(Terminal, lease.terminal_id, populate_existing=True, with_for_update=True)
        rows = select(Enrolment).where(*on_it).order_by(Enrolment.id).with_for_update(key_share=True)
        enrolments = db.session.execute(rows, execution_options={"populate_existing": True}).scalars().all()
        if not {enrolment.employee_id for enrolment in enrolments} <= {*locked, None}:
            return False
        if require:
            require()
        before = {"is_active": terminal.is_active}
        terminal.is_active, terminal.retired_at, terminal.retired_note = False, database_now(), note
        audit.record(
            "terminal.retired", terminal=terminal.name, before=before, after={"is_active": False, "note": note}
        )
        db.session.flush()
        for enrolment in enrolments:
            manual_removal.end_with_terminal(enrolment, note)
    return True
