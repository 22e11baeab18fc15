"""Differences that people decided to leave as they are: with who, why, and what was there then.

A decision holds while the same is there. When something else is there, the difference is shown again.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, exists, func, select

from hikflask.extensions import db
from hikflask.models import Difference, Employee, Enrolment, IgnoredDifference, PersonThere, Terminal
from hikflask.models.comparison import FACE_MISSING, FACE_OTHER, NAME, ONLY_HERE, ONLY_THERE, Comparison
from hikflask.models.refusal import Refusal
from hikflask.services import audit
from hikflask.services.comparisons import queries
from hikflask.services.core.db import changed_rows, lock_terminal, transactional
from hikflask.services.state import enrolment as state

MAX_REASON_LENGTH = 255
# What the enrolment becomes that is not as desired because of such a difference.
LEFT = {
    ONLY_HERE: state.LEFT_PERSON,
    NAME: state.LEFT_PERSON,
    FACE_MISSING: state.LEFT_FACE,
    FACE_OTHER: state.LEFT_FACE,
}


class Ignored(NamedTuple):
    """An ignored difference, with the name of its person here, else on the terminal, else the number."""

    id: int
    number: str
    kind: str
    name: str
    employee_id: int | None
    decided_by: str
    decided_at: datetime
    reason: str


@transactional
def ignore(comparison: Comparison, kind: str, numbers: Collection[str] | None = None, reason: str = "") -> int:
    """Leave differences of a finished comparison as they are, for as long as the same is there. The actor decided that.

    An enrolment that is not as desired because of one is not tried again, and is not shown in green.

    :param numbers: whose differences of this kind; None: all of the kind that are not ignored yet.
    :return: how many the comparison shows still, and are ignored now.
    """
    terminal = db.session.get_one(Terminal, comparison.terminal_id)
    lock_terminal(terminal.id)
    shown = select(Difference).where(*queries.shown(comparison), Difference.kind == kind)
    chosen = shown if numbers is None else shown.where(Difference.number.in_(numbers))
    differences = db.session.execute(chosen.order_by(Difference.id)).scalars().all()
    why = reason.strip()[:MAX_REASON_LENGTH]
    for difference in differences:
        number = difference.number
        changed_rows(delete(IgnoredDifference).where(*_decision(terminal.id, kind, number)))
        decision = {"seen": difference.seen, "reason": why, "decided_by": audit.current_actor().name[:128]}
        db.session.add(IgnoredDifference(terminal_id=terminal.id, kind=kind, number=number, **decision))
        db.session.flush()
        stop_trying(kind, why, Enrolment.terminal_id == terminal.id, Enrolment.number == number)
        audit.record("difference.left_alone", number=number, terminal=terminal.name, after={"kind": kind})
    return len(differences)


def stop_trying(kind: str, reason: str, *which: ColumnElement[bool]) -> None:
    """Write, within the caller's transaction, that enrolments stay as they are on the terminal."""
    if kind in LEFT:
        state.apply(LEFT[kind], *which, refusal=Refusal(code=state.LEFT_ALONE, params={"reason": reason}))


@transactional
def stop_ignoring(terminal_id: int, kind: str, number: str) -> bool:
    """Show an ignored difference again, and try its enrolment again. False when it is not ignored."""
    lock_terminal(terminal_id)
    if not changed_rows(delete(IgnoredDifference).where(*_decision(terminal_id, kind, number))):
        return False
    ours = (Enrolment.terminal_id == terminal_id, Enrolment.number == number)
    state.apply(state.RETRIED, *ours, Enrolment.refusal_code == state.LEFT_ALONE)
    terminal = db.session.get_one(Terminal, terminal_id)
    audit.record("difference.taken_back", number=number, terminal=terminal.name, after={"kind": kind})
    return True


def decisions(comparison: Comparison, after: int = 0, limit: int = 50) -> list[Ignored]:
    """Return the decisions that hide a difference of this comparison, by id; `after` is the last id already shown."""
    there = and_(PersonThere.comparison_id == comparison.id, PersonThere.number == IgnoredDifference.number)
    name = func.coalesce(Employee.name, func.nullif(PersonThere.name, ""), IgnoredDifference.number)
    of_decision = (IgnoredDifference.decided_by, IgnoredDifference.decided_at, IgnoredDifference.reason)
    statement = select(
        IgnoredDifference.id, IgnoredDifference.number, IgnoredDifference.kind, name, Employee.id, *of_decision
    )
    joined = statement.outerjoin(Employee, Employee.number == IgnoredDifference.number).outerjoin(PersonThere, there)
    page = joined.where(*_hiding(comparison), IgnoredDifference.id > after).order_by(IgnoredDifference.id).limit(limit)
    return [Ignored(*row) for row in db.session.execute(page)]


def reasons(comparison: Comparison, numbers: Collection[str]) -> dict[tuple[str, str], str]:
    """Return the reasons of the decisions that hide a difference of these numbers, in the open transaction."""
    statement = select(IgnoredDifference.kind, IgnoredDifference.number, IgnoredDifference.reason).where(
        *_hiding(comparison)
    )
    statement = statement.where(IgnoredDifference.number.in_(numbers))
    return {(kind, number): reason for kind, number, reason in db.session.execute(statement)}


def of_strangers(terminal_id: int, numbers: Collection[str]) -> set[tuple[str, str]]:
    """Return number and what was seen of those who are only on a terminal and were left alone there."""
    alone = (IgnoredDifference.terminal_id == terminal_id, IgnoredDifference.kind == ONLY_THERE)
    rows = select(IgnoredDifference.number, IgnoredDifference.seen).where(*alone, IgnoredDifference.number.in_(numbers))
    return {(number, seen) for number, seen in db.session.execute(rows)}


def _hiding(comparison: Comparison) -> Sequence[ColumnElement[bool]]:
    same = (
        Difference.comparison_id == comparison.id,
        Difference.kind == IgnoredDifference.kind,
        Difference.number == IgnoredDifference.number,
        Difference.seen == IgnoredDifference.seen,
    )
    return IgnoredDifference.terminal_id == comparison.terminal_id, exists().where(*same)


def _decision(terminal_id: int, kind: str, number: str) -> Sequence[ColumnElement[bool]]:
    return (
        IgnoredDifference.terminal_id == terminal_id,
        IgnoredDifference.kind == kind,
        IgnoredDifference.number == number,
    )
