"""Changes of restored rows, in the same transaction: what was queued in the past must not run by itself in the present.

No terminal is written to before it was compared, jobs of that time do not go on, and nobody is signed in.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Delete, Insert, Update, delete, insert, update

from hikflask.extensions import Base
from hikflask.models import AuditEntry, Comparison, Event, Heartbeat, Job, OperatorSession, Terminal, WebhookDelivery
from hikflask.models.columns import database_now
from hikflask.models.job import DRAFT, OPEN, STOPPED
from hikflask.services import audit


def statements(taken_at: datetime, tables: Collection[str]) -> list[Update | Delete | Insert]:
    """Return the statements, for rows of a backup that was taken at this time.

    :param tables: the tables in the backup: an older version had no jobs and no comparisons, nor a column about these.
    """
    of_terminals: dict[str, Any] = {"restored_from": taken_at}
    if Comparison.__tablename__ in tables:
        of_terminals["compared_on"] = None
    every: dict[type[Base], Update | Delete | Insert] = {
        Terminal: update(Terminal).values(of_terminals),
        # What was read before says nothing about now.
        Comparison: delete(Comparison),
        # The desired state may have been reached since, or changed.
        Job: update(Job).where(Job.state.in_((DRAFT, *OPEN))).values(state=STOPPED, ended_at=database_now()),
        # Receivers have got these messages, or newer ones, since; the log of a webhook can send one again.
        WebhookDelivery: update(WebhookDelivery)
        .where(WebhookDelivery.next_attempt_at.is_not(None))
        .values(next_attempt_at=None),
        # A backup has none of these pictures.
        Event: update(Event).where(Event.picture.is_not(None)).values(picture=None),
        OperatorSession: delete(OperatorSession),
        Heartbeat: delete(Heartbeat),
        AuditEntry: insert(AuditEntry).values(
            actor=audit.COMMAND_LINE.name,
            action="installation.restored",
            at=database_now(),
            address="",
            request_id="",
            employee="",
            terminal="",
            subject=f"{taken_at:%Y-%m-%d %H:%M:%S} UTC",
        ),
    }
    return [statement for model, statement in every.items() if model.__tablename__ in tables]
