"""Differences that people decided to leave as they are: with who, why, and what was there then.

A decision holds while the same is there. When something else is there, the difference is shown again.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, exists, select, update

from hikflask.extensions import db
from hikflask.models import Difference, Enrolment, LeftAlone, Terminal
from hikflask.models.columns import database_now
from hikflask.models.comparison import FACE_MISSING, FACE_OTHER, NAME, ONLY_HERE, Comparison
from hikflask.models.refusal import Refusal
from hikflask.services import audit
from hikflask.services.comparisons import queries
from hikflask.services.core.db import changed_rows, lock_terminal, transaction
from hikflask.services.state import enrolment as state

MAX_REASON_LENGTH = 255
# What the enrolment becomes that is not as desired because of such a difference.
LEFT = {
    ONLY_HERE: state.LEFT_PERSON,
    NAME: state.LEFT_PERSON,
    FACE_MISSING: state.LEFT_FACE,
    FACE_OTHER: state.LEFT_FACE,
}


def ignore(comparison_id: int, kind: str, number: str, reason: str = "") -> bool:
    """Leave a difference of a finished comparison as it is, for as long as the same is there. The actor is who decided.

    An enrolment that is not as desired because of it is not tried again, and is not shown in green.

    :return: False when the comparison shows no such difference any more.
    :raises comparison_unknown: when there is no such comparison.
    """
    return _ignore(queries.get_comparison(comparison_id), kind, reason, number) == 1


def ignore_kind(comparison_id: int, kind: str, reason: str = "") -> int:
    """Leave all differences of a kind that are not left alone yet; return how many they are.

    :raises comparison_unknown: when there is no such comparison.
    """
    return _ignore(queries.get_comparison(comparison_id), kind, reason, None)


def _ignore(comparison: Comparison, kind: str, reason: str, number: str | None) -> int:
    shown = select(Difference).where(*queries.shown(comparison), Difference.kind == kind)
    chosen = shown if number is None else shown.where(Difference.number == number)
    with transaction():
        lock_terminal(comparison.terminal_id)
        left = db.session.execute(chosen.order_by(Difference.id)).scalars().all()
        for difference in left:
            _decide(comparison, difference, reason)
    return len(left)


def _decide(comparison: Comparison, difference: Difference, reason: str) -> None:
    kind, number = difference.kind, difference.number
    decision = _find(comparison.terminal_id, kind, number)
    if decision is None:
        decision = LeftAlone(terminal_id=comparison.terminal_id, kind=kind, number=number)
        db.session.add(decision)
    why = reason.strip()[:MAX_REASON_LENGTH]
    who = {"decided_by": audit.present_actor().name[:128], "decided_at": database_now()}
    db.session.flush()
    mine = update(LeftAlone).where(LeftAlone.id == decision.id)
    changed_rows(mine.values(seen=difference.seen, reason=why, **who))
    stop_trying(_enrolment_ids(comparison.terminal_id, number), kind, why)
    _note("difference.left_alone", comparison.terminal_id, number, {"kind": kind})


def stop_trying(enrolment_ids: Collection[int], kind: str, reason: str) -> None:
    """Write, within the caller's transaction, that enrolments stay as they are on the terminal."""
    if kind in LEFT:
        refusal = Refusal(code=state.LEFT_ALONE, params={"reason": reason})
        state.apply(LEFT[kind], Enrolment.id.in_(enrolment_ids), refusal=refusal)


def stop_ignoring(terminal_id: int, kind: str, number: str) -> bool:
    """Take a decision back: the difference is shown again, and its enrolment tried again. False when there is none."""
    with transaction():
        lock_terminal(terminal_id)
        decision = _find(terminal_id, kind, number)
        if decision is None:
            return False
        db.session.delete(decision)
        mine = (Enrolment.terminal_id == terminal_id, Enrolment.number == number)
        state.apply(state.RETRIED, *mine, Enrolment.refusal_code == state.LEFT_ALONE)
        _note("difference.taken_back", terminal_id, number, {"kind": kind})
    return True


def decisions(comparison: Comparison, after: int = 0, limit: int = 50) -> list[LeftAlone]:
    """Return the decisions that hide a difference of this comparison, by id; `after` is the last id already shown."""
    statement = select(LeftAlone).where(*_hiding(comparison), LeftAlone.id > after)
    ordered = statement.order_by(LeftAlone.id).limit(limit)
    return list(db.session.execute(ordered, execution_options={"populate_existing": True}).scalars())


def reasons(comparison: Comparison, numbers: Collection[str]) -> dict[tuple[str, str], str]:
    """Return the reasons of the decisions that hide a difference of these numbers, in the open transaction."""
    statement = select(LeftAlone.kind, LeftAlone.number, LeftAlone.reason).where(*_hiding(comparison))
    statement = statement.where(LeftAlone.number.in_(numbers))
    return {(kind, number): reason for kind, number, reason in db.session.execute(statement)}


def _hiding(comparison: Comparison) -> Sequence[ColumnElement[bool]]:
    same = (
        Difference.comparison_id == comparison.id,
        Difference.kind == LeftAlone.kind,
        Difference.number == LeftAlone.number,
        Difference.seen == LeftAlone.seen,
    )
    return LeftAlone.terminal_id == comparison.terminal_id, exists().where(*same)


def _find(terminal_id: int, kind: str, number: str) -> LeftAlone | None:
    mine = (LeftAlone.terminal_id == terminal_id, LeftAlone.kind == kind, LeftAlone.number == number)
    return db.session.execute(select(LeftAlone).where(*mine)).scalar_one_or_none()


def _enrolment_ids(terminal_id: int, number: str) -> Sequence[int]:
    mine = (Enrolment.terminal_id == terminal_id, Enrolment.number == number)
    return db.session.execute(select(Enrolment.id).where(*mine)).scalars().all()


def _note(action: str, terminal_id: int, number: str, after: dict[str, str]) -> None:
    terminal = db.session.get_one(Terminal, terminal_id)
    audit.record(action, number=number, terminal=terminal.name, after=after)
