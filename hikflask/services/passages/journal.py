"""What terminals recorded in their own journals, and what cannot wait until somebody reads it there.

There is one alarm for each terminal and code, however often it was recorded, until an operator says that it was seen.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import joinedload

from hikflask.codes.events import CRITICAL, type_of
from hikflask.extensions import db
from hikflask.models import Alarm, Event, JournalAlarm, Terminal
from hikflask.models.alarm import DURESS, JOURNAL
from hikflask.services import audit
from hikflask.services.core.dates import together
from hikflask.services.core.db import changed_rows, rows_of, transaction
from hikflask.services.passages import switch, webhook_outbox
from hikflask.services.terminals import door

# Usual where somebody means it, and an alarm where nobody does: a restart, and a door that was opened over the network,
# but not by a press of the button here.
TOLD_TOO = {(2, 1024), (2, 1026), (3, 123), (3, 1024), (3, 1026)}
_KEY = ("terminal_id", "major", "minor")
# Made once, as each page asks it.
_UNSEEN = (
    select(JournalAlarm)
    .join(JournalAlarm.terminal)
    .where(Terminal.is_active)
    .options(joinedload(JournalAlarm.terminal))
    .order_by(~JournalAlarm.is_duress, JournalAlarm.first_at, *(getattr(JournalAlarm, name) for name in _KEY))
    .execution_options(populate_existing=True)
)


def note(event_ids: Sequence[int]) -> None:
    """Raise the alarms among these new events of one page, in the open transaction, and tell webhooks of them."""
    found: dict[tuple[int, int, int], list[datetime]] = defaultdict(list)
    columns = (
        Event.id,
        Event.terminal_id,
        Event.serial_no,
        Event.major,
        Event.minor,
        Event.occurred_at,
        Event.is_duress,
    )
    new = select(*columns).where(Event.id.in_(event_ids), Event.terminal_id.is_not(None)).order_by(Event.id)
    for event in rows_of(new):
        code = DURESS if event.is_duress else (event.major, event.minor)
        if code == door.COMMAND and door.match_event(event.terminal_id or 0, event.serial_no, event.occurred_at):
            continue
        if event.is_duress or code in TOLD_TOO or type_of(*code).severity == CRITICAL:
            found[event.terminal_id or 0, *code].append(event.occurred_at)
            webhook_outbox.tell_alarm(event.id, code)
    # Events are stored one page after the other (store.py), so nobody adds the same row at this moment.
    for values, moments in sorted(found.items()):
        key = dict(zip(_KEY, values, strict=True))
        again = update(JournalAlarm).filter_by(**key)
        if not changed_rows(again.values(count=JournalAlarm.count + len(moments), last_at=max(moments))):
            new_row = {**key, "count": len(moments), "first_at": min(moments), "last_at": max(moments)}
            db.session.execute(insert(JournalAlarm), [new_row])


def unseen() -> list[JournalAlarm]:
    """Return the alarms at terminals in use that nobody has seen yet: duress first, then the oldest."""
    return list(db.session.scalars(_UNSEEN)) if switch.is_on() else []


def at_once(alarms: Sequence[JournalAlarm]) -> list[list[JournalAlarm]]:
    """Return alarms as they are shown and seen: as one where the same began at several terminals at once.

    Each terminal where somebody was forced to open a door is one of its own.
    """
    return together(alarms, lambda alarm: alarm.code, lambda alarm: None if alarm.is_duress else alarm.first_at)


def is_danger(alarm: JournalAlarm) -> bool:
    """True for an alarm, False for what may be meant: a restart, a door that was opened over the network."""
    return alarm.is_duress or type_of(alarm.major, alarm.minor).severity == CRITICAL


def forget_all() -> None:
    """Delete all alarms within the caller's transaction: what they are about is deleted."""
    changed_rows(delete(JournalAlarm))


def mark_seen(terminal_id: int, code: tuple[int, int], count: int) -> bool:
    """End an alarm that an operator saw, recorded so many times. False when there is none, or it was recorded again."""
    key = (JournalAlarm.terminal_id == terminal_id, JournalAlarm.major == code[0], JournalAlarm.minor == code[1])
    with transaction():
        alarm = db.session.execute(select(JournalAlarm).where(*key).with_for_update()).scalar_one_or_none()
        if alarm is None or alarm.count != count:
            return False
        changed_rows(delete(JournalAlarm).where(*key))
        # What is recorded from now on is another alarm, also while the mail about this one is on its way.
        mail = (Alarm.kind == JOURNAL, Alarm.terminal_id == terminal_id, Alarm.key.endswith(f":{alarm.code}"))
        changed_rows(delete(Alarm).where(*mail))
        about = {"code": alarm.code, "count": count, "last_at": alarm.last_at.isoformat()}
        audit.record("alarm.seen", terminal=alarm.terminal.name, after=about)
    return True
