"""What is changed in restored rows, in the same transaction: the past must not act on the present by itself.

No terminal is written to before it was compared, what was at work then does not go on, and nobody is signed in.
"""

from datetime import datetime

from sqlalchemy import Delete, Insert, Update, delete, insert, update

from hikflask.models import AuditEntry, Comparison, Heartbeat, Job, OperatorSession, Terminal, WebhookDelivery
from hikflask.models.columns import database_now
from hikflask.models.job import DRAFT, OPEN, STOPPED
from hikflask.services import audit


def statements(taken_at: datetime) -> list[Update | Delete | Insert]:
    """Return the statements, for rows of a backup that was taken at this time."""
    return [
        update(Terminal).values(restored_from=taken_at, compared_on=None),
        # What was read before says nothing about now.
        delete(Comparison),
        # Who was to be sent or removed then may be so or otherwise since.
        update(Job).where(Job.state.in_((DRAFT, *OPEN))).values(state=STOPPED, ended_at=database_now()),
        # Receivers were told since, or know better by now; the log of a webhook can send one again.
        update(WebhookDelivery).where(WebhookDelivery.next_attempt_at.is_not(None)).values(next_attempt_at=None),
        delete(OperatorSession),
        delete(Heartbeat),
        insert(AuditEntry).values(
            actor=audit.COMMAND_LINE.name,
            action="installation.restored",
            at=database_now(),
            address="",
            request_id="",
            employee="",
            terminal="",
            subject=f"{taken_at:%Y-%m-%d %H:%M:%S} UTC",
        ),
    ]
