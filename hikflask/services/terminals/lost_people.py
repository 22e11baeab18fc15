"""A terminal that lost all its people, as by a factory reset: since when, how many, and how many are there again.

It is a row of drift without a number, which stays until nobody there is waited for and nobody needs a new photo.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, delete, exists, func, or_, select

from hikflask.codes.badges import CAPTURE_AGAIN
from hikflask.codes.refusals import codes
from hikflask.extensions import db
from hikflask.models import Drift, Enrolment
from hikflask.models.comparison import ONLY_HERE
from hikflask.models.enrolment import CONFIRMED, PRESENT, WAITING
from hikflask.services.core.db import changed_rows
from hikflask.services.state.enrolment import is_in

IS_CONFIRMED, IS_WAITING = is_in(CONFIRMED), is_in(WAITING)
EVERYBODY = and_(Drift.kind == ONLY_HERE, Drift.number == "")
NEEDS_PHOTO = Enrolment.refusal_code.in_(codes(badge=CAPTURE_AGAIN))


@dataclass(frozen=True)
class LostPeople:
    """How many people a terminal lost, when that was noticed, and how many are there again, wait, and need a photo."""

    people: int
    noticed_at: datetime
    confirmed: int
    waiting: int
    need_photo: int


def record(terminal_id: int, people: int) -> None:
    """Record within the caller's transaction that a terminal lost all its people."""
    changed_rows(delete(Drift).where(Drift.terminal_id == terminal_id, EVERYBODY))
    db.session.add(Drift(terminal_id=terminal_id, kind=ONLY_HERE, expected=str(people)))
    db.session.flush()


def end_when_over(terminal_id: int) -> None:
    """Forget, within the caller's transaction, the loss of a terminal whose people are there again."""
    here = (Enrolment.terminal_id == terminal_id, Enrolment.desired == PRESENT)
    has_more = exists().where(*here, or_(IS_WAITING, NEEDS_PHOTO))
    changed_rows(delete(Drift).where(Drift.terminal_id == terminal_id, EVERYBODY, ~has_more))


def at(terminal_id: int) -> LostPeople | None:
    """Return what a terminal lost, or None."""
    return at_all().get(terminal_id)


def at_all() -> dict[int, LostPeople]:
    """Return what terminals lost, by their ids."""
    rows = db.session.execute(select(Drift.terminal_id, Drift.expected, Drift.noticed_at).where(EVERYBODY)).all()
    tried_no_more, counted = and_(~IS_WAITING, NEEDS_PHOTO), func.count()
    columns = (counted.filter(IS_CONFIRMED), counted.filter(IS_WAITING), counted.filter(tried_no_more))
    counts = select(*columns).select_from(Enrolment).where(Enrolment.desired == PRESENT)
    return {
        terminal_id: LostPeople(
            int(people), since, *db.session.execute(counts.where(Enrolment.terminal_id == terminal_id)).one()
        )
        for terminal_id, people, since in rows
    }
