"""Taking a face at a terminal; the row of the capture is the truth at every moment."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from hikflask.extensions import db
from hikflask.isapi import capture as isapi_capture
from hikflask.isapi import faces as isapi_faces
from hikflask.isapi.capture import Captured
from hikflask.isapi.errors import (
    CaptureCancelled,
    CaptureNotSupported,
    CaptureTimeout,
    LoginRefused,
    Nonsense,
    TerminalError,
)
from hikflask.models import Capture, Photo, Terminal
from hikflask.models.capture import CANCELLED, FAILED, QUEUED, RUNNING, TAKEN, USED, WAITING
from hikflask.models.columns import database_now
from hikflask.models.terminal import BY_BINARY, BY_URL, NO_CAPTURE, UNKNOWN
from hikflask.services import audit
from hikflask.services.captures import drafts, pending
from hikflask.services.captures.drafts import Draft
from hikflask.services.core import heartbeat
from hikflask.services.core.db import changed_rows
from hikflask.services.core.errors import ServiceError, TerminalHeld, TerminalInUse, TerminalUnknown
from hikflask.services.photos import jpeg, storage
from hikflask.services.privacy import consents
from hikflask.services.state import capture as capture_state
from hikflask.services.terminals import checks, connection, leases
from hikflask.services.terminals.connection import Conversation

GRACE = 2.0
NO_WORKER = "no_worker"
INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class View:
    """A capture as a page shows it: its row, the seconds left, and its state and reason past the deadline."""

    capture: Capture
    state: str
    reason: str
    seconds_left: int

    @property
    def running(self) -> bool:
        """True while the panel goes on asking."""
        return self.state in RUNNING


def start(
    terminal_id: int,
    draft: Draft,
    requested_by: str,
    *,
    take_over: bool = False,
    own: int | None = None,
    employee_id: int | None = None,
) -> Capture:
    """Queue a capture at a terminal.

    :param take_over: supersede an unsaved picture of another number that waits there.
    :param own: the capture that the same form shows now; where it is the caller's, it is no reason to refuse. Its
        picture stays good until this one is taken.
    :param employee_id: whose face it will be, where that is known; else the draft's number says it.
    :raises TerminalInUse: when a capture runs there. :raises TerminalHeld: when an unsaved picture waits there.
    :raises LoginStopped: when the terminal refused our password. :raises TerminalUnknown: when it is not in use here.
    :raises ConsentMissing: when nothing says that this face may be taken, and that is required.
    """
    terminal = connection.terminal_row(terminal_id)
    if not terminal.is_active:
        raise TerminalUnknown
    consents.require_for_capture(draft.number, employee_id, given_today=draft.consent)
    connection.refuse_when_stopped(terminal)
    fail_overdue(terminal_id)
    running = pending.running(terminal_id)
    if running:
        if running.id == own:
            return running
        raise _in_use(running)
    earlier = pending.standing(own)
    if earlier:
        drafts.keep(earlier.id, draft, requested_by)
    held = pending.held(terminal_id, draft.number, requested_by, earlier.id if earlier else own)
    if held and not take_over:
        raise _held(held)
    if held:
        pending.take_over(held.id)
    return _queue(terminal_id, draft, requested_by, earlier)


def _held(held: Capture) -> TerminalHeld:
    name = held.draft_name or held.draft_number
    known = {"saved_name": name} if held.state == USED else {"name": name}
    return TerminalHeld(who=held.requested_by, capture_id=held.id, **known)


def _queue(terminal_id: int, draft: Draft, requested_by: str, earlier: Capture | None) -> Capture:
    capture = Capture(
        terminal_id=terminal_id,
        requested_by=requested_by[:128],
        deadline=database_now(current_app.config["CAPTURE_TIMEOUT"]),
        retake_of=earlier.id if earlier else None,
        **draft.columns(),
    )
    db.session.add(capture)
    try:
        db.session.flush()
        terminal = db.session.get_one(Terminal, terminal_id)
        audit.note("capture.started", number=draft.number, terminal=terminal.name)
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        running = pending.running(terminal_id)
        raise _in_use(running) if running else TerminalInUse(who="", seconds=1) from None
    return db.session.get_one(Capture, capture.id, populate_existing=True)


def run(capture_id: int) -> Capture:
    """Take the face of a queued capture and store its picture; how it ended is in the returned row."""
    capture = _row(capture_id)
    if capture.state != QUEUED:
        return capture
    timeout = current_app.config["CAPTURE_TIMEOUT"]
    try:
        with connection.converse(capture.terminal_id, capture.requested_by, leases.CAPTURE, seconds=timeout) as talk:
            _take(talk, capture, timeout)
    except CaptureCancelled:
        pass
    except TerminalError as error:
        capture_state.fail(capture_id, error.code, error.text)
    except TerminalInUse as error:
        # Nobody but the run that holds the lease may end a capture that is under way.
        capture_state.move(capture_id, (QUEUED,), state=FAILED, reason=error.code)
    except ServiceError as error:
        capture_state.fail(capture_id, error.code)
    return _row(capture_id)


def _take(talk: Conversation, capture: Capture, timeout: float) -> None:
    end = time.monotonic() + timeout

    def seconds_left() -> float:
        return end - time.monotonic()

    talk.seconds_left = seconds_left
    if not _begin(talk, capture.id, timeout):
        return
    modes = _modes(talk)

    def pause(seconds: float) -> None:
        time.sleep(max(0.0, min(seconds, seconds_left())))

    pause(_pause_after_success(talk.terminal.id))
    cancelled = _is_cancelled(capture.id)
    try:
        taken = isapi_capture.take(talk, modes=modes, seconds_left=seconds_left, cancelled=cancelled, pause=pause)
    except CaptureNotSupported:
        if len(modes) > 1:
            talk.note(capture_mode=NO_CAPTURE)
        raise
    except (CaptureCancelled, CaptureTimeout) as error:
        capture_state.fail(capture.id, error.code, error.text)
        pending.look_again(talk, capture.id)
        raise
    _note_success(talk, capture.id, taken)
    _finish(talk, capture.id, taken.face_url, _picture(talk, taken))


def _picture(talk: Conversation, taken: Captured) -> bytes:
    """Return the picture, fetched at once where the terminal gave its URL; what is none does not count as captured."""
    if len(taken.face_url or "") > isapi_faces.LONGEST_URL:
        raise Nonsense(message="the picture's URL is too long")
    picture = taken.picture or isapi_faces.fetch_picture(talk, taken.face_url or "")
    if not jpeg.is_picture(picture):
        raise Nonsense(message="the picture cannot be decoded")
    return picture


def _pause_after_success(terminal_id: int) -> float:
    """Return the seconds until the terminal takes the next capture: it refuses one for a moment after a success."""
    statement = select(Terminal.last_capture_at, database_now()).where(Terminal.id == terminal_id)
    last, now = db.session.execute(statement).one()
    db.session.commit()
    since = (now - last).total_seconds() if last else math.inf
    # A success in the future was noted before the clock was set back.
    return max(0.0, current_app.config["CAPTURE_PAUSE"] - since) if since >= 0 else 0.0


def _note_success(talk: Conversation, capture_id: int, taken: Captured) -> None:
    """The terminal's one file shows this face now, where it captured by URL; where that was tried, it is remembered."""
    with talk.lease.write():
        found: dict[str, Any] = {"last_capture_at": database_now()}
        if talk.terminal.capture_mode == UNKNOWN:
            found["capture_mode"] = BY_URL if taken.face_url else BY_BINARY
        changed_rows(update(Terminal).where(Terminal.id == talk.terminal.id).values(**found))
        if taken.face_url:
            pending.supersede_others(talk.terminal.id, capture_id)


def _begin(talk: Conversation, capture_id: int, timeout: float) -> bool:
    """queued → waiting, with the deadline counted from now; False when it was cancelled or nobody waits any more."""
    with talk.lease.write():
        statement = update(Capture).where(
            Capture.id == capture_id, Capture.state == QUEUED, Capture.deadline > database_now(-GRACE)
        )
        values = {"state": WAITING, "deadline": database_now(timeout), "lease_number": talk.lease.number}
        return changed_rows(statement.values(**values)) == 1


def _modes(talk: Conversation) -> tuple[str, ...]:
    """How this terminal captures, or what is tried in turn; one that was never checked is checked first."""
    terminal = talk.terminal
    if terminal.capture_mode is None:
        terminal = checks.learn(talk)
    if terminal.capture_mode == NO_CAPTURE:
        raise CaptureNotSupported
    return (BY_URL, BY_BINARY) if terminal.capture_mode == UNKNOWN else (str(terminal.capture_mode),)


def _is_cancelled(capture_id: int) -> Callable[[], bool]:
    def cancelled() -> bool:
        state = db.session.execute(select(Capture.state).where(Capture.id == capture_id)).scalar_one()
        db.session.commit()
        return state != WAITING

    return cancelled


def _finish(talk: Conversation, capture_id: int, face_url: str | None, picture: bytes) -> None:
    """waiting → captured: the picture is stored."""
    files = storage.Files()
    photo = files.keep_captured(picture, _row(capture_id).draft_number)
    kept = False
    try:
        with talk.lease.write():
            moved = capture_state.change(
                capture_id,
                (WAITING,),
                state=TAKEN,
                face_url=face_url,
                photo_id=photo.id,
                hold_until=database_now(current_app.config["CAPTURE_HOLD"]),
            )
            if not moved:
                raise CaptureCancelled
            storage.save(photo)
        kept = True
    finally:
        if not kept:
            files.undo()


def cancel(capture_id: int) -> bool:
    """Stop a running capture; False when it had ended before, and stays as it is."""
    return capture_state.move(capture_id, RUNNING, state=CANCELLED)


def send_cancel(capture_id: int) -> None:
    """Tell the terminal to close the window of a cancelled capture, where it can, while that capture's lease lasts.

    :raises TerminalError: what went wrong. :raises LoginStopped: when the terminal refused our password before.
    """
    capture = _row(capture_id)
    terminal = connection.terminal_row(capture.terminal_id)
    if capture.state != CANCELLED or not terminal.can_cancel or terminal.lease_number != capture.lease_number:
        return
    connection.refuse_when_stopped(terminal)
    client = connection.new_client(terminal)
    try:
        isapi_capture.cancel(client)
    except LoginRefused as error:
        connection.stop(terminal, error)
        raise
    finally:
        client.close()


def view(capture_id: int) -> View:
    """Return a capture as pages show it; a running one past its deadline counts as failed."""
    capture, now = db.session.execute(
        select(Capture, database_now()).where(Capture.id == capture_id), execution_options={"populate_existing": True}
    ).one()
    db.session.commit()
    return _view(capture, now)


def get(capture_id: int) -> Capture | None:
    """Return the capture as the database has it now."""
    return db.session.get(Capture, capture_id, populate_existing=True)


def _view(capture: Capture, now: datetime) -> View:
    left = (capture.deadline - now) / timedelta(seconds=1)
    if capture.state in RUNNING and left < -GRACE:
        return View(capture, FAILED, _overdue_reason(capture.state), 0)
    if capture.state == QUEUED and not heartbeat.alive():
        return View(capture, FAILED, NO_WORKER, 0)
    return View(capture, capture.state, capture.reason, max(0, round(left)))


def _overdue_reason(state: str) -> str:
    return INTERRUPTED if state == WAITING or heartbeat.alive() else NO_WORKER


def fail_overdue(terminal_id: int | None = None) -> None:
    """Write the end of captures whose worker did not: what is running past its deadline has failed."""
    # A deadline that is too far away was written before the clock was set back.
    never = database_now(current_app.config["CAPTURE_TIMEOUT"] + leases.LONGEST_SECONDS)
    overdue = or_(Capture.deadline < database_now(-GRACE), Capture.deadline > never)
    statement = update(Capture).where(Capture.state.in_(RUNNING), overdue)
    if terminal_id is not None:
        statement = statement.where(Capture.terminal_id == terminal_id)
    with audit.acting(audit.WORKER):  # Whoever comes next writes it, and has nothing to do with it.
        capture_state.execute(statement.values(state=FAILED, reason=INTERRUPTED))
    db.session.commit()


def _in_use(running: Capture) -> TerminalInUse:
    return TerminalInUse(who=running.requested_by, seconds=view(running.id).seconds_left or 1)


def _row(capture_id: int) -> Capture:
    capture = db.session.get_one(Capture, capture_id, populate_existing=True)
    db.session.commit()
    return capture


def photo_of(capture: Capture) -> Photo | None:
    """Return the capture's picture, read now."""
    return None if capture.photo_id is None else db.session.get(Photo, capture.photo_id)
