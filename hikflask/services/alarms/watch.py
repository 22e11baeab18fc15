"""Remembers alarms from their beginning to their end, and which mails about them are still to be sent.

What began at several terminals within a short time, as after a power cut, is one mail, and so is its end.

Outside working hours (HIKFLASK_WORKING_HOURS) no mail says that a terminal is silent: it may just be switched off.

A mail may be sent twice when the worker is killed just after it was sent; none is lost.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update

from hikflask.extensions import db
from hikflask.models import Alarm
from hikflask.models.alarm import DISK, JOURNAL, REMOVALS, SILENT
from hikflask.models.columns import database_now
from hikflask.services.alarms import conditions
from hikflask.services.alarms.conditions import Condition
from hikflask.services.core.dates import is_working_time
from hikflask.services.core.db import changed_rows, claim_rows, transactional
from hikflask.services.enrolments.schedule import back_off

# A mail that nobody sends after all, as the worker was killed, is due again after so many seconds.
CLAIM_SECONDS = 120.0
# For so long a mail waits for the same alarm of other terminals. That they are silent is noticed within some minutes.
TOGETHER_SECONDS = {REMOVALS: 300.0, SILENT: 300.0, JOURNAL: 60.0}
HAS_MAIL = or_(Alarm.told_at.is_(None), Alarm.over_at.is_not(None))


@transactional
def refresh() -> bool:
    """Record which alarms began and which are over; return whether a mail is due."""
    if not (current_app.config["MAIL_SERVER"] and current_app.config["MAIL_TO"]):
        return False  # No mails are sent, or to nobody.
    current = {condition.key: condition for condition in conditions.current()}
    _forget_seen(current)
    rows = select(Alarm.key, Alarm.over_at).where(_is_known_here())
    recorded = {row.key: row.over_at for row in db.session.execute(rows)}
    has_others = conditions.has_several_terminals()
    for key in current.keys() - recorded.keys():
        began = {"key": key, "kind": current[key].kind, "terminal_id": current[key].terminal_id}
        wait = 0.0 if current[key].is_duress or not has_others else TOGETHER_SECONDS.get(current[key].kind, 0.0)
        statement = insert(Alarm).values(**began, began_at=current[key].since, next_try_at=database_now(wait))
        db.session.execute(statement)
    over = [key for key, over_at in recorded.items() if over_at is None and key not in current]
    again = [key for key, over_at in recorded.items() if over_at is not None and key in current]
    if over:
        _change(over, over_at=database_now())
        # A terminal that answers again before a mail was sent: there is nothing left to mail.
        unsent = (Alarm.key.in_(over), Alarm.kind == SILENT, Alarm.told_at.is_(None))
        changed_rows(delete(Alarm).where(*unsent))
        for kind, wait in TOGETHER_SECONDS.items() if has_others else ():
            told = update(Alarm).where(Alarm.key.in_(over), Alarm.kind == kind, Alarm.told_at.is_not(None))
            changed_rows(told.values(next_try_at=database_now(wait)))
    if again:
        _change(again, over_at=None)  # No mail said yet that it was over.
    _mail_newer_removals()
    return db.session.execute(select(Alarm.key).where(*_due()).limit(1)).first() is not None


def claim() -> str | None:
    """Claim the alarm about which a mail is due, the one with the fewest tries first; return its key, or None."""
    first = select(Alarm.key).where(*_due()).order_by(Alarm.tries, Alarm.key).limit(1)
    claimed = claim_rows(first, {"next_try_at": database_now(CLAIM_SECONDS)})
    return claimed[0].key if claimed else None


def claim_same(alarm: Alarm) -> list[str]:
    """Claim the mails about the same at other terminals, to be sent as one with this one; return their keys."""
    if alarm.terminal_id is None:
        return []
    told = Alarm.told_at.is_not(None) if alarm.announces_end else Alarm.told_at.is_(None)
    soon = Alarm.next_try_at <= database_now(TOGETHER_SECONDS.get(alarm.kind, 0.0))
    same = [HAS_MAIL, told, soon, Alarm.kind == alarm.kind, Alarm.key != alarm.key]
    if alarm.kind == JOURNAL:
        same.append(Alarm.key.endswith(f":{alarm.key.rpartition(':')[2]}"))
    others = select(Alarm.key).where(*same).order_by(Alarm.key)
    return sorted(row.key for row in claim_rows(others, {"next_try_at": database_now(CLAIM_SECONDS)}))


def get(key: str) -> Alarm | None:
    """Return the alarm about which a mail is due, fresh from the database, or None."""
    statement = select(Alarm).where(Alarm.key == key, HAS_MAIL)
    return db.session.execute(statement, execution_options={"populate_existing": True}).scalar_one_or_none()


@transactional
def mark_sent(key: str, claimed_to: datetime, *, over: bool) -> None:
    """Record that the mail about an alarm's beginning or end was sent.

    :param claimed_to: its next_try_at as claimed. The alarm may have been seen since, and another one have its key.
    """
    if not over:
        same = update(Alarm).where(Alarm.key == key, Alarm.next_try_at == claimed_to)
        changed_rows(same.values(told_at=database_now(), tries=0, next_try_at=database_now()))
    elif not changed_rows(delete(Alarm).where(Alarm.key == key, Alarm.over_at.is_not(None))):
        # It began again while the mail was on its way.
        _change([key], told_at=None, tries=0, next_try_at=database_now())


@transactional
def mark_unsent(*keys: str) -> None:
    """Record that no server took the mail; it and all others that are due are tried again, later each time."""
    tries = db.session.execute(select(func.max(Alarm.tries)).where(Alarm.key.in_(keys))).scalar_one() or 0
    later = {"next_try_at": database_now(back_off(tries))}
    changed_rows(update(Alarm).where(*_due()).values(**later))
    _change(keys, tries=tries + 1, **later)


def _forget_seen(current: Mapping[str, Condition]) -> None:
    """Delete alarms of terminals' journals that were seen: no mail says so, and what came since is another one."""
    rows = db.session.execute(select(Alarm.key, Alarm.began_at).where(Alarm.kind == JOURNAL))
    seen = [key for key, began_at in rows if key not in current or current[key].since != began_at]
    if seen:
        changed_rows(delete(Alarm).where(Alarm.key.in_(seen)))


def _change(keys: Sequence[str], **values: Any) -> None:
    changed_rows(update(Alarm).where(Alarm.key.in_(keys)).values(**values))


def _mail_newer_removals() -> None:
    """Make a terminal's open removals due for another mail once more of them became overdue since the last one.

    At most once in HIKFLASK_MAIL_REMOVAL_HOURS, so that nobody gets a mail for each person.
    """
    wait = timedelta(hours=current_app.config["MAIL_REMOVAL_HOURS"])
    old = (Alarm.over_at.is_(None), Alarm.told_at < database_now(-wait.total_seconds()))
    mailed = select(Alarm.key, Alarm.terminal_id, Alarm.told_at).where(Alarm.kind == REMOVALS, *old)
    if rows := db.session.execute(mailed).all():
        newest = conditions.newest_removals()
        late = {terminal_id: asked_at + wait for terminal_id, asked_at in newest.items()}
        newer = [key for key, terminal_id, at in rows if at and terminal_id in late and late[terminal_id] > at]
        _change(newer, told_at=None, next_try_at=database_now())


def _is_known_here() -> ColumnElement[bool]:
    """Return the condition on Alarm: this machine can tell about it, which of disks each can of its own."""
    return or_(Alarm.kind != DISK, Alarm.key == conditions.key_of_disk())


def _due() -> tuple[ColumnElement[bool], ...]:
    is_now = (HAS_MAIL, _is_known_here(), Alarm.next_try_at <= database_now())
    return is_now if is_working_time() else (*is_now, Alarm.kind != SILENT)
