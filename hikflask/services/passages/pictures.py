"""Pictures that terminals took of passages: fetched where that is wanted, kept for some days, and deleted.

They are fetched at the end of a reading of the log, and only of what happened since that was switched on. A file lies
beside the photos, in whose way it is written; nothing in its name says who is in the picture. Its event names it. When
both are to go, the file goes first, so an event may name a file that is gone already, and it is shown no more.
"""

import logging
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import Row, func, select, update

from hikflask.extensions import db
from hikflask.isapi import events
from hikflask.isapi.errors import Gone, LoginRefused, TerminalError, UnusablePicture
from hikflask.models import Event, EventLog
from hikflask.models.columns import database_now
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.core.db import CLEANUP_BATCH, changed_rows, end_read, transaction, transactional
from hikflask.services.core.errors import ServiceError
from hikflask.services.passages import switch
from hikflask.services.photos import storage
from hikflask.services.terminals.connection import Conversation, usable_answer

log = logging.getLogger(__name__)

PREFIX = "passage"
# Of one conversation; the next one goes on. Somebody who waits for the terminal waits for one picture at most.
MAX_PICTURES, MAX_BYTES = 20, 8 * 1024 * 1024
# So many events are looked through at once for those with a picture.
LOOKED_THROUGH = 200
# So long a picture that does not come holds up those behind it.
SECONDS_TO_TRY = 3600.0
# A file without an event is younger while it is being written.
SECONDS_TO_WRITE = 3600.0
FILE_MODE = 0o640


def are_kept() -> bool:
    """Return True when pictures of passages are kept."""
    return switch.is_on() and _days() > 0


def fetch(conversation: Conversation) -> bool:
    """Fetch pictures of the terminal's new events, within its lease; return True when more are left.

    A terminal that does not answer now is asked again at the end of the next reading: this raises nothing of that.

    :raises LoginRefused: one more try with each reading would lock the account.
    """
    if not are_kept():
        return False
    terminal_id = conversation.terminal.id
    fetched_to = db.session.execute(select(EventLog.pictures_to).where(EventLog.terminal_id == terminal_id)).scalar()
    if fetched_to is None:
        _fetched_to(terminal_id, db.session.execute(select(func.max(Event.id))).scalar() or 0)
        return False
    new = (Event.terminal_id == terminal_id, Event.id > fetched_to, Event.occurred_at >= _kept_since())
    is_tried = Event.received_at > database_now(-SECONDS_TO_TRY)
    rows = db.session.execute(
        select(Event.id, Event.number, Event.record, is_tried).where(*new).order_by(Event.id).limit(LOOKED_THROUGH)
    ).all()
    done, has_more = _fetch_some(conversation, rows)
    if done:
        _fetched_to(terminal_id, done)
    return has_more or (done is not None and len(rows) == LOOKED_THROUGH)


def _fetch_some(
    conversation: Conversation, rows: Sequence[Row[int, str, dict[str, Any], bool]]
) -> tuple[int | None, bool]:
    """Fetch pictures of these events; return the last event that needs no more of it, and whether some are left."""
    done, count, size = None, 0, 0
    for event_id, number, raw, is_tried in rows:
        record = events.event_record(raw)
        if record and record.picture_path:
            if count == MAX_PICTURES or size >= MAX_BYTES:
                return done, True
            try:
                size += _fetch_one(conversation, event_id, number, record.picture_path)
            except LoginRefused:
                raise
            except (TerminalError, ServiceError) as error:
                log.info("terminal %s: a picture of a passage was not fetched: %s", conversation.terminal.id, error)
                return done if is_tried else event_id, False
            count += 1
        done = event_id
    return done, False


def read(event_id: int) -> bytes | None:
    """Return the picture of an event, or None when none is kept."""
    name = db.session.execute(select(Event.picture).where(Event.id == event_id)).scalar()
    return storage.read_file(name) if name and are_kept() else None


def forget() -> int:
    """Delete some of the pictures whose time is over, or all when none are to be kept any more; return how many."""
    if not are_kept():
        _begin_anew()
    over = (Event.picture.is_not(None), Event.occurred_at < _kept_since())
    rows = db.session.execute(select(Event.id, Event.picture).where(*over).limit(CLEANUP_BATCH)).all()
    stuck = set(storage.unlink(*(name for _, name in rows if name)))
    gone = [event_id for event_id, name in rows if name not in stuck]
    with transaction():
        changed_rows(update(Event).where(Event.id.in_(gone)).values(picture=None))
    _remove_left_files()
    return len(gone)


def _fetch_one(conversation: Conversation, event_id: int, number: str, path: str) -> int:
    """Fetch and keep the picture of an event, unless the terminal has none; return its size in bytes."""
    end_read()
    try:
        jpeg = usable_answer(lambda: events.picture(conversation, path))
    except (Gone, UnusablePicture):
        return 0
    if jpeg is None:
        return 0
    name = f"{PREFIX}_{secrets.token_urlsafe(16)}.jpg"
    # The event is locked until the file has its name: whoever erases or deletes it finds both.
    # Whoever was erased meanwhile has no number there any more.
    same = (Event.id == event_id, Event.number == number, Event.picture.is_(None))
    named = update(Event).where(*same).values(picture=name)
    storage.write(storage.folder() / name, jpeg, lambda: changed_rows(named) == 1, mode=FILE_MODE)
    return len(jpeg)


@transactional
def _fetched_to(terminal_id: int, event_id: int) -> None:
    changed_rows(update(EventLog).where(EventLog.terminal_id == terminal_id).values(pictures_to=event_id))


def _begin_anew() -> None:
    """Forget to where pictures were fetched: what happens while none are kept gets none later, either."""
    begun = EventLog.pictures_to.is_not(None)
    if db.session.execute(select(EventLog.terminal_id).where(begun).limit(1)).first():
        with transaction():
            changed_rows(update(EventLog).where(begun).values(pictures_to=None))


def _remove_left_files() -> None:
    """Remove files that are older than any picture is kept: left by a process that died with their events gone."""
    old = time.time() - _days() * SECONDS_PER_DAY - SECONDS_TO_WRITE
    left = [path for path in storage.folder().glob(f"{PREFIX}_*.jpg") if storage.written_at(path) < old]
    storage.unlink(*(path.name for path in left))


def _kept_since() -> datetime:
    return datetime.now(UTC) - timedelta(days=_days())


def _days() -> int:
    return int(current_app.config["PASSAGES_PICTURES"]) if switch.is_on() else 0
