"""Captures on their way from state to state, by compare-and-set, each with its entry in the audit trail."""

from typing import Any

from sqlalchemy import Row, Update, update

from hikflask.extensions import db
from hikflask.models import Capture, Terminal
from hikflask.models.capture import CANCELLED, FAILED, RUNNING, SUPERSEDED, TAKEN
from hikflask.services import audit

TAKEN_OVER = "capture.taken_over"
# Of the other states: a capture that begins is noted by captures.py, one that is used with its employee.
ACTIONS = {
    TAKEN: "capture.taken",
    FAILED: "capture.failed",
    CANCELLED: "capture.cancelled",
    SUPERSEDED: "capture.superseded",
}


def move(capture_id: int, from_states: tuple[str, ...], action: str = "", **values: Any) -> bool:
    """Change one capture in a transaction of its own; False when it was in none of these states any more."""
    moved = change(capture_id, from_states, action, **values)
    db.session.commit()
    return moved


def change(capture_id: int, from_states: tuple[str, ...], action: str = "", **values: Any) -> bool:
    """Do the same within the caller's transaction.

    :param action: what the audit trail calls it, where the new state alone does not say so.
    """
    statement = update(Capture).where(Capture.id == capture_id, Capture.state.in_(from_states))
    return execute(statement.values(**values), action) == 1


def fail(capture_id: int, reason: str, text: str = "") -> None:
    """Write how a running capture failed."""
    move(capture_id, RUNNING, state=FAILED, reason=reason[:64], reason_text=text[:255])


def execute(statement: Update, action: str = "") -> int:
    """Execute an UPDATE of captures in the open transaction, note each one that changed, and return how many did."""
    told = (Capture.state, Capture.reason, Capture.terminal_id, Capture.draft_number, Capture.requested_by)
    changed = db.session.execute(statement.returning(*told), execution_options={"synchronize_session": False}).all()
    for row in changed:
        _note(action or ACTIONS[row.state], row)
    return len(changed)


def _note(action: str, row: Row[str, str, int, str, str]) -> None:
    terminal = db.session.get(Terminal, row.terminal_id)
    about = {"reason": row.reason} if row.reason else {}
    if row.requested_by != audit.present_actor().name:
        about["requested_by"] = row.requested_by
    audit.note(action, number=row.draft_number, terminal=terminal.name if terminal else "", after=about)
