"""Writes the audit trail. An entry is part of the transaction that it records, so neither exists without the other."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Table, insert, select

from hikflask import request_id, text_rules
from hikflask.extensions import db
from hikflask.models import AuditEntry, Employee, Photo
from hikflask.models.columns import database_now
from hikflask.services.audit import sealing
from hikflask.services.audit.sealing import Details
from hikflask.services.core.db import insert_at_end, lock_numbers, transaction, transactional

MAX_TEXT_LENGTH = 2000
# Another view of the same photo within this time is not recorded again, nor is the same refused access.
SAME_SECONDS = 600.0
# So long one entry stands for all pictures of passages that an actor views on a page, and for the passages that leave.
VIEW_SECONDS = 3600.0
# How many different refusals of one actor are recorded within that time, so that nobody can fill the trail.
MAX_REFUSALS = 20


@dataclass(frozen=True)
class Actor:
    """Who does something: a name, and for a request its network address and its id in the log."""

    name: str
    address: str = ""
    request_id: str = ""


ENTRY = insert(cast("Table", AuditEntry.__table__))
WORKER = Actor("worker")
COMMAND_LINE = Actor("command line")
NOBODY = "nobody"  # a request without a session or a valid token
_actor: ContextVar[Actor] = ContextVar("actor", default=WORKER)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Set who acts within the block."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def current_actor() -> Actor:
    """Return who acts in this thread: the worker, unless another actor was set."""
    return _actor.get()


def record(
    action: str,
    *,
    employee: Employee | None = None,
    employee_id: int | None = None,
    number: str = "",
    terminal: str = "",
    subject: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry to the caller's transaction. Values that are the same before and after are left out.

    All entries of a transaction are written together, before its commit.

    An entry about an employee or a number becomes unreadable when that person is erased (see sealing.py). Do not
    name anybody else in it.

    :param employee_id: with `number`, instead of `employee`, where there is no row of the employee.
    :param subject: what something was done to, when that is neither an employee nor a terminal.
    """
    actor = current_actor()
    old, new = _differences(before or {}, after or {})
    details: dict[str, Any] = {"subject": one_line(subject)[:128], "before": old, "after": new}
    whose = one_line(number or (employee.number if employee else ""))[:32]
    entry = dict(
        actor=one_line(actor.name)[:128],
        address=one_line(actor.address)[:64],
        request_id=(actor.request_id or request_id.current())[: request_id.MAX_LENGTH],
        action=action,
        employee_id=employee.id if employee else employee_id,
        employee="",
        terminal=one_line(terminal)[:64],
        sealed=None,
        **details,
    )
    if whose:
        # Instead of its details. No autoflush: errors in what the caller has not written yet are for the caller.
        with db.session.no_autoflush:
            entry["employee"], entry["sealed"] = sealing.seal(entry["employee_id"], whose, details)
        entry |= {"subject": "", "before": None, "after": None}
    insert_at_end(ENTRY, entry)


def record_alone(action: str, **about: Any) -> None:
    """Add an entry in a transaction of its own, for an action that changes nothing else."""
    with transaction(alone=True):
        record(action, **about)


def record_photo_view(employee_id: int | None, file: str, number: str = "", source: Select[int] | None = None) -> None:
    """Record that the actor viewed a photo, unless the same view was recorded within the last ten minutes.

    :param file: the photo's file, or where else the face was shown.
    :param number: number of the person in a photo that is not saved yet; "" when it is not known.
    :param source: of a face that is no photo here: finds the row that was looked at, which an erasure deletes.
    """
    employee = db.session.get(Employee, employee_id) if employee_id else None
    shown = one_line(employee.number if employee else number)[:32]
    # Views before a photo was saved and after that are two entries: the trail must say whose photo was seen.
    has_number = AuditEntry.employee.in_(sealing.pseudonyms(shown) if shown else [""])
    is_about = (AuditEntry.employee_id == (employee.id if employee else None), has_number)
    views = db.session.execute(select(AuditEntry).where(*_lately("photo.viewed"), *is_about)).scalars().all()
    if all(view.subject != file for view in sealing.opened(views)):
        source = select(Photo.id).where(Photo.file == file) if source is None else source
        _record_new_view(employee.id if employee else None, file, shown, source)


@transactional
def _record_new_view(employee_id: int | None, file: str, number: str, source: Select[int]) -> None:
    lock_numbers(number)
    # An erasure of the number may have ended meanwhile. Then the trail says nothing of the person any more.
    is_there = db.session.execute(source).first() is not None
    number, subject = (number, file) if is_there else ("", "")
    record("photo.viewed", employee_id=employee_id, number=number, subject=subject)


def record_passages_view(page: str) -> None:
    """Record that the actor viewed pictures of passages on a page, unless that was recorded within the last hour.

    A live list shows new ones every few seconds.
    """
    subject = one_line(page)[:128]
    seen = select(AuditEntry.id).where(*_lately("passage.viewed", VIEW_SECONDS), AuditEntry.subject == subject)
    if db.session.execute(seen.limit(1)).first() is None:
        record_alone("passage.viewed", subject=subject)


def record_passages_left(what: str, employee_id: int | None = None, **about: str) -> None:
    """Record that passages leave the program, unless the actor had the same ones within the last hour.

    Programs ask for new ones every few seconds.

    :param what: the kind of table or list. :param employee_id: whose alone.
    :param about: who gets it, and what narrows it: without a name or an ID, which no erasure takes out of the trail.
    """
    after = {"for": what, **about}
    same = select(AuditEntry.after).where(*_lately("passages.exported", VIEW_SECONDS))
    if after not in db.session.scalars(same.where(AuditEntry.employee_id == employee_id)).all():
        record_alone("passages.exported", employee_id=employee_id, after=after)


def record_refused_access(what: str) -> None:
    """Record a refused access, unless the same one from the same address, or too many others, were recorded lately."""
    refusal = (one_line(what)[:128], one_line(current_actor().address)[:64])
    lately = select(AuditEntry.subject, AuditEntry.address).where(*_lately("access.refused")).limit(MAX_REFUSALS)
    recorded = [tuple(row) for row in db.session.execute(lately)]
    if refusal not in recorded and len(recorded) < MAX_REFUSALS:
        record_alone("access.refused", subject=what)


def _lately(action: str, seconds: float = SAME_SECONDS) -> tuple[ColumnElement[bool], ...]:
    """Return the condition: entries of this action by the current actor within so many seconds."""
    return (
        AuditEntry.action == action,
        AuditEntry.actor == one_line(current_actor().name)[:128],
        AuditEntry.at > database_now(-seconds),
    )


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Details, Details]:
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        _details({name: before[name] for name in names if name in before}),
        _details({name: after[name] for name in names if name in after}),
    )


def _details(values: Mapping[str, Any]) -> Details:
    """Return the values as JSON can hold them; when their text is too long, that text, cut."""
    if not values:
        return None
    details = json.loads(json.dumps(values, default=str))
    text = details_text(details)
    return details if len(text) <= MAX_TEXT_LENGTH else text[:MAX_TEXT_LENGTH]


def details_text(details: Details) -> str:
    """Return what an entry holds under `before` or `after` as one line of text; "" when there is nothing."""
    if details is None or isinstance(details, str):
        return details or ""
    return one_line(json.dumps(details, ensure_ascii=False))


def one_line(text: str) -> str:
    """Return a text with invisible characters escaped as in JSON, so that an entry is one line whatever was typed."""
    if text.isprintable():
        return text
    return "".join(json.dumps(letter)[1:-1] if text_rules.is_invisible(letter) else letter for letter in text)
