"""What the sweep would take up now."""

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.services.enrolments import schedule


def claim_due(limit: int = 20) -> list[int]:
    """Claim what is due on any terminal, as the sweep does, and return the ids."""
    return [enrolment_id for turn in schedule.claim_turns(limit) for enrolment_id in turn]


def make_due(enrolment_id: int) -> None:
    """Let the time of the next attempt have come, and no terminal be left alone any more."""
    db.session.execute(db.update(Enrolment).where(Enrolment.id == enrolment_id).values(next_attempt_at=database_now()))
    db.session.execute(db.update(Terminal).values(backoff_until=None))
    db.session.commit()
