"""Runs a capture: takes the face at the terminal and stores the picture. The row always has the current state."""

import logging
import math
import time
from typing import Any

from flask import current_app
from sqlalchemy import select, update

from hikflask import request_id
from hikflask.extensions import db
from hikflask.isapi import capture as isapi_capture
from hikflask.isapi import faces as isapi_faces
from hikflask.isapi.capture import Captured
from hikflask.isapi.errors import CaptureCancelled, CaptureNotSupported, CaptureTimeout, TerminalError, UnusablePicture
from hikflask.models import Capture, Terminal
from hikflask.models.capture import QUEUED, WAITING
from hikflask.models.columns import database_now
from hikflask.models.refusal import Refusal
from hikflask.models.terminal import BY_BINARY, BY_URL, NO_CAPTURE, UNKNOWN
from hikflask.services.captures import deadline, holds, queries
from hikflask.services.core.db import changed_rows, end_read, transaction
from hikflask.services.core.errors import ServiceError, TerminalInUse, refusal_of
from hikflask.services.photos import jpeg, storage
from hikflask.services.state import capture as state
from hikflask.services.terminals import checks, connection, leases
from hikflask.services.terminals.connection import Conversation
from hikflask.signs_of_life import signs

log = logging.getLogger(__name__)


def run_capture(capture_id: int) -> Capture:
    """Run a queued capture and store its picture. The returned row tells how it ended.

    :raises CaptureDeleted: when it was deleted meanwhile.
    """
    capture = queries.get_one(capture_id)
    if capture.state != QUEUED:
        return capture
    with request_id.working_for(capture.request_id):
        _run(capture)
        ended = queries.get_one(capture_id)
        log.info("capture %s at terminal %s: %s", ended.id, ended.terminal_id, ended.refusal_code or ended.state)
    return ended


def _run(capture: Capture) -> None:
    capture_id = capture.id
    timeout = current_app.config["CAPTURE_TIMEOUT"]
    try:
        with connection.converse(
            capture.terminal_id, capture.requested_by, leases.CAPTURE, seconds=timeout, urgent=True
        ) as conversation:
            _take(conversation, capture, timeout)
    except CaptureCancelled:
        pass
    except TerminalError as error:
        _fail(capture_id, refusal_of(error))
    except TerminalInUse as error:
        # Only the run that holds the lease may end a capture that has begun.
        with transaction():
            state.apply(state.NOT_BEGUN, Capture.id == capture_id, refusal=Refusal(code=error.code, params={}))
    except ServiceError as error:
        _fail(capture_id, Refusal(code=error.code, params={}))


def _take(conversation: Conversation, capture: Capture, timeout: float) -> None:
    end = time.monotonic() + timeout

    def seconds_left() -> float:
        return end - time.monotonic()

    conversation.seconds_left = seconds_left
    with conversation.lease.write():
        awaited = (Capture.id == capture.id, Capture.deadline > database_now(-deadline.GRACE_SECONDS))
        begun = {"deadline": database_now(timeout), "lease_number": conversation.lease.number}
        if state.apply(state.BEGUN, *awaited, **begun) != 1:
            return  # It was cancelled, or its deadline has passed.
    modes = _modes(conversation)

    def pause(seconds: float) -> None:
        end_read()
        seconds = max(0.0, min(seconds, seconds_left()))
        signs.goes_on(seconds)
        time.sleep(seconds)

    pause(_pause_after_success(conversation.terminal.id))
    state_now = select(Capture.state).where(Capture.id == capture.id)
    try:
        taken = isapi_capture.take(
            conversation,
            modes=modes,
            seconds_left=seconds_left,
            cancelled=lambda: db.session.execute(state_now).scalar() != WAITING,
            pause=pause,
        )
    except CaptureNotSupported:
        if len(modes) > 1:
            conversation.update_row(capture_mode=NO_CAPTURE)
        raise
    except (CaptureCancelled, CaptureTimeout) as error:
        _fail(capture.id, Refusal(code=error.code, params={"after": max(1, round(timeout - seconds_left()))}))
        holds.supersede_replaced(conversation, capture.id)
        conversation.update_row(last_capture_at=database_now())  # To the terminal it may have been a success.
        raise
    except UnusablePicture:
        conversation.update_row(last_capture_at=database_now())  # To the terminal it was a success.
        raise
    _record_success(conversation, capture.id, taken)
    _finish(conversation, capture.id, taken.face_url, _picture(conversation, taken))


def _picture(conversation: Conversation, taken: Captured) -> bytes:
    """Return the picture; if the terminal gave a URL, fetch it at once. :raises UnusablePicture:"""
    if len(taken.face_url or "") > isapi_faces.MAX_URL_LENGTH:
        raise UnusablePicture(message="the picture's URL is too long")
    picture = taken.picture or isapi_faces.fetch_picture(conversation, taken.face_url or "")
    if not jpeg.is_picture(picture):
        raise UnusablePicture(message="the picture cannot be decoded")
    return picture


def _pause_after_success(terminal_id: int) -> float:
    """Return the seconds until the next capture: a terminal refuses one for a moment after a success."""
    statement = select(Terminal.last_capture_at, database_now()).where(Terminal.id == terminal_id)
    last, now = db.session.execute(statement).one()
    since = (now - last).total_seconds() if last else math.inf
    # A success in the future was written before the clock was set back.
    return max(0.0, current_app.config["CAPTURE_PAUSE"] - since) if since >= 0 else 0.0


def _record_success(conversation: Conversation, capture_id: int, taken: Captured) -> None:
    """Write the time of the success and, if it was unknown, the mode that worked.

    After a capture by URL, the terminal's one file holds this face, so other pictures are superseded.
    """
    with conversation.lease.write():
        values: dict[str, Any] = {"last_capture_at": database_now()}
        if conversation.terminal.capture_mode == UNKNOWN:
            values["capture_mode"] = BY_URL if taken.face_url else BY_BINARY
        changed_rows(update(Terminal).where(Terminal.id == conversation.terminal.id).values(**values))
        if taken.face_url:
            holds.supersede_others(conversation.terminal.id, capture_id)


def _modes(conversation: Conversation) -> tuple[str, ...]:
    """Return the capture modes to try in turn. A terminal that was never checked is checked first."""
    terminal = conversation.terminal
    if terminal.capture_mode is None:
        terminal = checks.learn(conversation)
    if terminal.capture_mode == NO_CAPTURE:
        raise CaptureNotSupported
    return (BY_URL, BY_BINARY) if terminal.capture_mode == UNKNOWN else (str(terminal.capture_mode),)


def _finish(conversation: Conversation, capture_id: int, face_url: str | None, picture: bytes) -> None:
    """waiting → captured: the picture is stored."""
    with storage.Files() as files:
        photo = files.add(storage.keep(picture, queries.get_one(capture_id).draft_number))
        with conversation.lease.write():
            held = database_now(current_app.config["CAPTURE_HOLD"])
            taken = {"face_url": face_url, "photo_id": photo.id, "hold_until": held}
            if state.apply(state.TAKEN, Capture.id == capture_id, **taken) != 1:
                raise CaptureCancelled
            storage.save(photo)


def _fail(capture_id: int, refusal: Refusal) -> None:
    with transaction():
        state.apply(state.FAILURE, Capture.id == capture_id, refusal=refusal)
