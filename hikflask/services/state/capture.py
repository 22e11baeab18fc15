"""The state machine of a capture: the only code that writes the state columns of its table.

    queued → waiting → captured → used
       └────────┴─────────┴─────────┴──→ failed, cancelled, superseded

A transition lists its source states, its target state, what it writes, which values the caller gives, and its action in
the audit trail. It is one UPDATE by compare-and-set: `apply` returns how many captures it changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Table, bindparam, select, update

from hikflask import request_id
from hikflask.employee_fields import DRAFT_COLUMNS
from hikflask.extensions import db, metrics
from hikflask.models import Capture, Terminal
from hikflask.models.capture import CANCELLED, CAPTURED, FAILED, QUEUED, RUNNING, SUPERSEDED, USED, WAITING
from hikflask.models.columns import database_now
from hikflask.models.refusal import Refusal
from hikflask.services import audit
from hikflask.services.core.db import after_commit, changed_rows
from hikflask.services.core.errors import told

NO_PICTURE = {"photo_id": None, "face_url": None}
NO_HOLD = {"hold_until": None}
NO_DRAFT: dict[str, Any] = {
    **dict.fromkeys(DRAFT_COLUMNS.values(), ""),
    "draft_consent": False,
    "draft_groups": "",
    "draft_version": "",
}


@dataclass(frozen=True)
class Transition:
    """A change of state: `sources` → `to`, with the columns in `writes` and those that the caller must give.

    `action` is its name in the audit trail. Without an action, the caller writes the entry.
    """

    sources: tuple[str, ...]
    to: str
    writes: Mapping[str, Any] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    action: str = ""


BEGUN = Transition((QUEUED,), WAITING, given=("deadline", "lease_number"))
TAKEN = Transition((WAITING,), CAPTURED, given=("photo_id", "face_url", "hold_until"), action="capture.taken")
SAVED = Transition((CAPTURED,), USED)

# For a run that did not get the lease: it must not end a capture that another run has begun.
NOT_BEGUN = Transition((QUEUED,), FAILED, given=("refusal",), action="capture.failed")
FAILURE = Transition(RUNNING, FAILED, given=("refusal",), action="capture.failed")
OVERDUE = Transition(RUNNING, FAILED, given=("refusal",), action="capture.failed")
CANCELLATION = Transition(RUNNING, CANCELLED, action="capture.cancelled")
# The person is erased. The running conversation reads the cancellation from the row's state.
ERASED = Transition(RUNNING, CANCELLED, NO_DRAFT)

# The terminal's one file holds another face now.
OVERWRITTEN = Transition((CAPTURED,), SUPERSEDED, NO_HOLD, action="capture.superseded")
OVERWRITTEN_BEFORE_BINDING = Transition((USED,), SUPERSEDED, action="capture.superseded")
# A person decided that another capture may overwrite it.
TAKEN_OVER = Transition((CAPTURED,), SUPERSEDED, NO_HOLD, action="capture.taken_over")
HOLD_TAKEN_OVER = Transition((USED,), USED, NO_HOLD, action="capture.taken_over")
HOLD_ENDED = Transition((USED,), USED, NO_HOLD)
# Nobody saved it in time.
NOT_SAVED = {"refusal": Refusal(code="not_saved", params={})}
EXPIRED = Transition((CAPTURED,), FAILED, {**NO_PICTURE, **NO_HOLD, **NO_DRAFT, **NOT_SAVED})
# A capture that was used and is superseded afterwards had its end before.
ENDS = {USED, FAILED, CANCELLED, SUPERSEDED}
# Made once, for the table: it is part of each enrolment, and to make a statement costs more than to run it.
ROWS = cast("Table", Capture.__table__)
SAVING = update(ROWS).where(ROWS.c.id == bindparam("its_id"), ROWS.c.state.in_(SAVED.sources)).values(state=SAVED.to)


def create(terminal_id: int, requested_by: str, seconds: float, **columns: Any) -> Capture:
    """Add a queued capture to the open transaction.

    :param seconds: until its deadline.
    :raises IntegrityError: when another capture runs at the terminal.
    """
    asked = {"requested_by": requested_by[:128], "request_id": request_id.current()}
    capture = Capture(terminal_id=terminal_id, deadline=database_now(seconds), **asked, **columns)
    db.session.add(capture)
    db.session.flush()
    return capture


def save(capture_id: int) -> bool:
    """Apply SAVED to one capture, in the open transaction; return False when it is in another state."""
    is_saved = changed_rows(SAVING, {"its_id": capture_id}) == 1
    if is_saved:
        after_commit(partial(metrics.counted.captures, SAVED.to, 1))
    return is_saved


def lock_many(*where: ColumnElement[bool]) -> None:
    """Lock captures in the order of their ids, as everybody does, until the transaction ends.

    Call this before a statement that changes or deletes more than one of them: it locks them in any order.
    """
    db.session.execute(select(ROWS.c.id).where(*where).order_by(ROWS.c.id).with_for_update(key_share=True)).all()


def apply(transition: Transition, *where: ColumnElement[bool], **given: Any) -> int:
    """Apply a transition to the captures that match `where`, in the open transaction; return how many changed.

    Rows in memory are stale afterwards: read them again.

    :param given: the values of `transition.given`.
    """
    if given.keys() != set(transition.given):
        raise TypeError(f"{sorted(transition.given)} come with this transition, not {sorted(given)}")
    columns = (Capture.refusal, Capture.terminal_id, Capture.draft_number, Capture.requested_by)
    statement = update(Capture).where(*where, Capture.state.in_(transition.sources))
    changed = db.session.execute(
        statement.values(state=transition.to, **transition.writes, **given).returning(*columns),
        execution_options={"synchronize_session": False},
    ).all()
    if transition.to in ENDS and USED not in transition.sources and changed:
        after_commit(partial(metrics.counted.captures, transition.to, len(changed)))
    if transition.action:
        for row in changed:
            _note(transition.action, row)
    return len(changed)


def _note(action: str, row: Row[Refusal | None, int, str, str]) -> None:
    terminal = db.session.get(Terminal, row.terminal_id)
    about = {"reason": told(row.refusal)[0]} if row.refusal else {}
    if row.requested_by != audit.current_actor().name:
        about["requested_by"] = row.requested_by
    audit.record(action, number=row.draft_number, terminal=terminal.name if terminal else "", after=about)
