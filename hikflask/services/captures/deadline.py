"""The deadline of a capture. A capture that still runs after its deadline has failed, even if no worker wrote that."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import or_, select, true

from hikflask.extensions import db
from hikflask.models import Capture
from hikflask.models.capture import FAILED, QUEUED, RUNNING, WAITING
from hikflask.models.columns import database_now
from hikflask.models.refusal import Refusal
from hikflask.services import audit
from hikflask.services.core import heartbeat, no_space
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import CaptureDeleted
from hikflask.services.core.no_space import NO_SPACE
from hikflask.services.state import capture as state
from hikflask.services.terminals import leases

# So many seconds after its deadline, a running capture has failed.
GRACE_SECONDS = 2.0
NO_WORKER = "no_worker"
INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class View:
    """A capture as pages show it. After the deadline, `state` and `reason`, its code, differ from those of the row."""

    capture: Capture
    state: str
    reason: str
    seconds_left: int

    @property
    def running(self) -> bool:
        """True while the page must keep polling."""
        return self.state in RUNNING


def find(capture_id: int) -> View | None:
    """Return a capture as pages show it, or None. A running capture after its deadline counts as failed."""
    statement = select(Capture, database_now()).where(Capture.id == capture_id)
    row = db.session.execute(statement, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        return None
    capture, now = row
    left = (capture.deadline - now) / timedelta(seconds=1)
    if capture.state in RUNNING and left < -GRACE_SECONDS:
        is_interrupted = capture.state == WAITING or heartbeat.alive()
        return View(capture, FAILED, _reason(INTERRUPTED if is_interrupted else NO_WORKER), 0)
    if capture.state == QUEUED and not heartbeat.alive():
        return View(capture, FAILED, _reason(NO_WORKER), 0)
    return View(capture, capture.state, capture.refusal_code, max(0, round(left)))


def _reason(usual: str) -> str:
    """Return why no worker has ended a capture: on a full disk none can write."""
    return NO_SPACE if no_space.full_disk() else usual


def view(capture_id: int) -> View:
    """Return a capture as pages show it. :raises CaptureDeleted: when it is gone."""
    if capture := find(capture_id):
        return capture
    raise CaptureDeleted


def fail_overdue(terminal_id: int | None = None) -> None:
    """Mark running captures as failed that are GRACE_SECONDS past their deadline, or whose deadline is too far ahead.

    :param terminal_id: of this terminal only. None: of all.
    """
    # A deadline too far in the future was written before the clock was set back.
    never = database_now(leases.MAX_SECONDS)
    overdue = or_(Capture.deadline < database_now(-GRACE_SECONDS), Capture.deadline > never)
    here = true() if terminal_id is None else Capture.terminal_id == terminal_id
    # The audit entry must not name the current operator.
    with audit.acting(audit.WORKER), transaction():
        state.lock_many(overdue, here, Capture.state.in_(RUNNING))
        state.apply(state.OVERDUE, overdue, here, refusal=Refusal(code=INTERRUPTED, params={}))
