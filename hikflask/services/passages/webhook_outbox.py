"""Writes down for webhooks who passed or was not let in, and alarms, in the transaction that stores them."""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, SQLColumnExpression, String, Table, insert, literal, select

from hikflask.extensions import db
from hikflask.models import Event, Terminal, Webhook, WebhookDelivery
from hikflask.models.columns import database_now
from hikflask.models.event import EXPIRED, LIVENESS, NO_PERMISSION, OUTSIDE_HOURS, PASSED, REFUSED, UNKNOWN_PERSON
from hikflask.models.webhook import ALARM, PASSAGE

TOLD = (PASSED, UNKNOWN_PERSON, NO_PERMISSION, OUTSIDE_HOURS, EXPIRED, LIVENESS, REFUSED)
# What a message has, and where it comes from.
_MESSAGE: dict[str, Any] = {
    "webhook_id": Webhook.id,
    "event": literal(PASSAGE, String),
    "number": Event.number,
    "terminal_id": Terminal.id,
    "terminal_name": Terminal.name,
    "code": Event.kind,
    "event_id": Event.id,
    "occurred_at": Event.occurred_at,
    "attendance": Event.attendance,
    "happened_at": database_now(),
    "attempts": literal(0),
    "next_attempt_at": database_now(),
    "problem": literal("", String),
}


def tell(event_ids: Sequence[int]) -> None:
    """Tell webhooks that ask for passages of these new events of one page, in the open transaction; of no doors."""
    _write(_MESSAGE, Webhook.on_passage, Event.id.in_(event_ids), Event.kind.in_(TOLD))


def tell_alarm(event_id: int, code: tuple[int, int]) -> None:
    """Tell webhooks that ask for alarms of this new event, in the open transaction."""
    about = {"event": literal(ALARM, String), "code": literal(f"{code[0]}/{code[1]}", String)}
    _write(_MESSAGE | about, Webhook.on_alarm, Event.id == event_id)


def _write(message: dict[str, Any], asks: SQLColumnExpression[bool], *which: ColumnElement[bool]) -> None:
    rows = (
        select(*message.values())
        .select_from(Event)
        .join(Terminal, Terminal.id == Event.terminal_id)
        .join(Webhook, Webhook.is_active & asks)
        .where(*which)
        .order_by(Event.id, Webhook.id)
    )
    table = cast("Table", WebhookDelivery.__table__)
    db.session.execute(insert(table).from_select([*message], rows, include_defaults=False))
