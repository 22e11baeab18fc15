"""Writes down for webhooks what became of an enrolment, in the transaction that changes it; the worker sends it."""

from typing import Any, cast

from sqlalchemy import String, Table, bindparam, case, insert, literal, select

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal, Webhook, WebhookDelivery
from hikflask.models import enrolment as state
from hikflask.models.columns import database_now
from hikflask.models.webhook import ENROLLED, REFUSED, REMOVED
from hikflask.services.core.errors import told

EVENTS = {"confirmed": ENROLLED, "refused": REFUSED, "removed": REMOVED}
_EVENT = bindparam("its_event", type_=String)
_TOLD = case({event: getattr(Webhook, f"on_{event}") for event in EVENTS.values()}, value=_EVENT)
# One statement for all webhooks, made once: it is part of each attempt.
_ROWS: Any = (
    select(
        Webhook.id,
        _EVENT,
        bindparam("its_number", type_=String),
        Terminal.id,
        Terminal.name,
        bindparam("its_code", type_=String),
        database_now(),
        literal(0),
        database_now(),
        literal(""),
    )
    .select_from(Webhook)
    .join(Terminal, Terminal.id == bindparam("its_terminal"))
    .where(Webhook.is_active, _TOLD)
)
_COLUMNS = ("webhook_id", "event", "number", "terminal_id", "terminal_name", "code", "happened_at", "attempts")
TELL = insert(cast("Table", WebhookDelivery.__table__)).from_select(
    [*_COLUMNS, "next_attempt_at", "problem"], _ROWS, include_defaults=False
)


def tell(before: str, enrolment: Enrolment) -> None:
    """Tell webhooks in the open transaction when the state became another one of those that they are told of.

    :param before: the state before, in a word of models/enrolment.py.
    """
    now = enrolment.state
    event = EVENTS.get(now)
    # Somebody who is there without a face, since there is no photo, was not refused.
    is_refusal = state.REFUSED in {enrolment.person, enrolment.face}
    if event is None or now == before or (event == REFUSED and not is_refusal):
        return
    code = told(enrolment.refusal)[0] if event == REFUSED else ""
    about = {"its_event": event, "its_number": enrolment.number, "its_code": code}
    db.session.execute(TELL, {**about, "its_terminal": enrolment.terminal_id})
