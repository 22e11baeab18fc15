"""After a restore from a backup: each terminal is compared before anything is written to it, and a person allows that.

An old backup does not know about people who left or were hired since, or have a newer face. So the comparison holds the
enrolments that differ from the backup, and those that were not finished then: each waits for a person, who sends the
employee again or deactivates. Open removals go on once it is allowed, so the page names the people on the terminal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update

from hikflask.extensions import db
from hikflask.models import Comparison, Enrolment, PersonThere, Terminal
from hikflask.models.columns import database_now
from hikflask.models.comparison import DONE
from hikflask.services import audit
from hikflask.services.comparisons import queries
from hikflask.services.core.db import changed_rows, transaction
from hikflask.services.state import enrolment as state

MAX_NAMES = 20


@dataclass(frozen=True)
class Findings:
    """What the comparison since the restore found, so that a person can decide.

    `differences` counts them by kind. `held` are the enrolments that wait for a person, `held_count` all of them;
    `removals` the open ones that go on, of people who are there.
    """

    comparison: Comparison
    differences: Mapping[str, int]
    held: Sequence[Enrolment]
    held_count: int
    removals: Sequence[Enrolment]


def findings_of(terminal_id: int) -> Findings | None:
    """Return what the last finished comparison of a terminal found, or None before there is one."""
    comparison = queries.finished(terminal_id)
    if comparison is None:
        return None
    here = Enrolment.terminal_id == terminal_id
    held = (here, Enrolment.refusal_code == state.CHANGED_SINCE_BACKUP, state.AWAITS_A_PERSON)
    there = select(PersonThere.number).where(PersonThere.comparison_id == comparison.id)
    leaving = (here, state.IS_LEAVING, Enrolment.number.in_(there))
    rows = select(Enrolment).order_by(Enrolment.id)
    return Findings(
        comparison,
        queries.counts(comparison),
        list(db.session.execute(rows.where(*held).limit(MAX_NAMES)).scalars()),
        db.session.execute(select(func.count(Enrolment.id)).where(*held)).scalar_one(),
        list(db.session.execute(rows.where(*leaving)).scalars()),
    )


def allow(terminal_id: int, comparison_id: int) -> bool:
    """Allow the program to write to a terminal again, because an administrator saw what this comparison found.

    Return False when a newer one is finished, or it was allowed meanwhile.
    """
    newest = select(func.max(Comparison.id)).where(Comparison.terminal_id == terminal_id, Comparison.state == DONE)
    waiting = update(Terminal).where(
        Terminal.id == terminal_id, Terminal.restored_from.is_not(None), newest.scalar_subquery() == comparison_id
    )
    with transaction():
        allowed = changed_rows(waiting.values(restored_from=None)) == 1
        if allowed:
            # They wait for a moment that came while nothing was tried.
            here = (Enrolment.terminal_id == terminal_id, Enrolment.next_attempt_at > database_now())
            state.lock_many(*here)
            state.apply(state.MADE_DUE, *here)
            audit.record("terminal.restore_ended", terminal=db.session.get_one(Terminal, terminal_id).name)
    return allowed
