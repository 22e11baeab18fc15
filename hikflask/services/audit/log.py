"""The audit trail: each deed is written in the transaction that does it, so neither is there without the other."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, insert, select

from hikflask import invisible_characters
from hikflask.extensions import db
from hikflask.models import AuditEntry, Employee
from hikflask.models.columns import database_now

# What an entry holds under `before` or `after`.
Details = dict[str, Any] | str | None
LONGEST_TEXT = 2000
# What the same actor does to the same thing again within this time is the same look, and the same refused try.
SAME_SECONDS = 600.0
# Whoever is refused this and that within it is noted so often: nobody fills a trail that nothing is deleted from.
MOST_REFUSALS = 20


@dataclass(frozen=True)
class Actor:
    """Who acts: a name, and for requests the address and the id under which the log has them."""

    name: str
    address: str = ""
    request_id: str = ""


WORKER = Actor("worker")
COMMAND_LINE = Actor("command line")
NOBODY = "nobody"  # who has not signed in, or shows no token that is valid
_actor: ContextVar[Actor] = ContextVar("actor", default=WORKER)


def begin(actor: Actor) -> Token[Actor]:
    """Let this actor answer for what follows in this thread; give the result to end()."""
    return _actor.set(actor)


def end(token: Token[Actor]) -> None:
    """Let the actor before answer again."""
    _actor.reset(token)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Let this actor answer for what is done within."""
    token = begin(actor)
    try:
        yield
    finally:
        end(token)


def present_actor() -> Actor:
    """Return who acts in this thread: the worker, unless somebody said otherwise."""
    return _actor.get()


def note(
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
    """Add an entry to the caller's transaction. What is the same before and after is left out.

    :param employee_id: with `number` instead of the employee, where the row is not at hand, or gone.
    :param subject: what it was done to, when that is neither an employee nor a terminal.
    """
    actor = present_actor()
    old, new = _differences(before or {}, after or {})
    entry = dict(
        actor=one_line(actor.name)[:128],
        address=one_line(actor.address)[:64],
        request_id=actor.request_id[:32],
        action=action,
        employee_id=employee.id if employee else employee_id,
        employee=one_line(number or (employee.number if employee else ""))[:32],
        terminal=one_line(terminal)[:64],
        subject=one_line(subject)[:128],
        before=old,
        after=new,
    )
    # By the table, not the object: saving an employee takes seven entries, and each should cost next to nothing.
    with db.session.no_autoflush:  # What the caller has not written yet may be refused, and is then for it to tell.
        db.session.execute(insert(AuditEntry.__table__), entry)  # type: ignore[arg-type]


def note_alone(action: str, **about: Any) -> None:
    """Add an entry in a transaction of its own, for what changes nothing else."""
    note(action, **about)
    db.session.commit()


def note_look(employee_id: int | None, file: str, number: str = "") -> None:
    """Note that a photo was looked at, unless the same actor looked a moment ago, when it was the same person's.

    :param number: whose face it will be, as long as the photo has no owner; "" when that is not known.
    """
    employee = db.session.get(Employee, employee_id) if employee_id else None
    shown = one_line(employee.number if employee else number)[:32]
    # Whoever saw a picture before it was somebody's, and sees it now, saw that person: the trail must name who.
    theirs = (AuditEntry.employee_id == (employee.id if employee else None), AuditEntry.employee == shown)
    same = select(AuditEntry.id).where(*_lately("photo.viewed"), AuditEntry.subject == file, *theirs)
    if db.session.execute(same.limit(1)).first() is None:
        note("photo.viewed", employee=employee, number=shown, subject=file)
    db.session.commit()


def note_refused_access(what: str) -> None:
    """Note that the actor may not do this, unless it was refused from the same address a moment ago, or much else."""
    told = (one_line(what)[:128], one_line(present_actor().address)[:64])
    lately = select(AuditEntry.subject, AuditEntry.address).where(*_lately("access.refused")).limit(MOST_REFUSALS)
    known = [tuple(row) for row in db.session.execute(lately)]
    if told not in known and len(known) < MOST_REFUSALS:
        note("access.refused", subject=what)
    db.session.commit()


def _lately(action: str) -> tuple[ColumnElement[bool], ...]:
    """What the present actor did of this kind a moment ago."""
    return (
        AuditEntry.action == action,
        AuditEntry.actor == one_line(present_actor().name)[:128],
        AuditEntry.at > database_now(-SAME_SECONDS),
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
    return details if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT]


def details_text(details: Details) -> str:
    """Return what an entry holds under `before` or `after` as one line of text; "" when there is nothing."""
    if details is None or isinstance(details, str):
        return details or ""
    return one_line(json.dumps(details, ensure_ascii=False))


def one_line(text: str) -> str:
    """Return a text with what is not seen escaped as in JSON: an entry is one line, whatever was typed."""
    return "".join(json.dumps(letter)[1:-1] if invisible_characters.is_invisible(letter) else letter for letter in text)
