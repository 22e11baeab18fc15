"""Sends what state/webhook_outbox.py wrote down: at least once, again with back-off, signed, and with a log of each.

A delivery is claimed before it is sent, so two workers do not send it at once. After a worker was killed, its delivery
is due again within a minute; the receiver recognises a repeated one by its id.
"""

import hashlib
import hmac
import json
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, delete, select, update

from hikflask.extensions import db, vault
from hikflask.models import Webhook, WebhookDelivery
from hikflask.models.columns import database_now, one_moment
from hikflask.models.webhook import ALARM, PASSAGE
from hikflask.net.client import NotSent
from hikflask.services import audit
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.core.db import CLEANUP_BATCH, changed_rows, claim_rows, transaction
from hikflask.services.webhooks import allowed_addresses

CLAIM_SECONDS = 60.0
# 30 s, 1 min, 2 min … 1 h, for three days: a receiver that is down over a weekend loses nothing. No longer than
# DAYS_WITH_MESSAGES of privacy/certificates.py, after which messages about erased people are deleted.
FIRST_SECONDS, MAX_SECONDS, MAX_ATTEMPTS = 30.0, 3600.0, 79
DELIVERY, EVENT = "X-Hikflask-Delivery", "X-Hikflask-Event"
TIME, SIGNATURE = "X-Hikflask-Time", "X-Hikflask-Signature"


def due_webhooks() -> list[int]:
    """Return the ids of the active webhooks that have something to be sent now."""
    waiting = select(WebhookDelivery.id).where(WebhookDelivery.webhook_id == Webhook.id, *_due()).exists()
    return list(db.session.execute(select(Webhook.id).where(Webhook.is_active, waiting)).scalars())


def send_due(webhook_id: int) -> None:
    """Send all messages that are due for a webhook."""
    while send_next(webhook_id):
        continue


def send_next(webhook_id: int) -> bool:
    """Send the oldest message that is due for a webhook; return False when there is none."""
    due = select(WebhookDelivery.id).join(Webhook).where(Webhook.id == webhook_id, Webhook.is_active, *_due())
    oldest = due.order_by(WebhookDelivery.next_attempt_at).limit(1)
    claimed = claim_rows(oldest, {"next_attempt_at": database_now(CLAIM_SECONDS)})
    if not claimed:
        return False
    delivery = db.session.get(WebhookDelivery, claimed[0].id, populate_existing=True)
    webhook = db.session.get(Webhook, webhook_id, populate_existing=True)
    if delivery is None or webhook is None:  # Deleted at this moment: by an erasure, or with its webhook.
        return True
    url, secret, body = webhook.url, vault.decrypt(webhook.secret_encrypted), body_of(delivery)
    sent_at = int(db.session.execute(select(database_now())).scalar_one().timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "hikflask",
        DELIVERY: delivery.message_id,
        EVENT: delivery.event,
        TIME: str(sent_at),
        SIGNATURE: signature(secret, sent_at, body),
    }
    try:
        _record(delivery, allowed_addresses.post(url, body, headers), "")
        if headers[EVENT] in {PASSAGE, ALARM}:
            audit.record_passages_left("webhook", url=url)
    except NotSent as error:
        _record(delivery, None, error.problem)
    return True


def body_of(delivery: WebhookDelivery) -> bytes:
    """Return the body of a message: no name, no face.

    Of a passage or an alarm it has what a program finds it by among the events (services/passages/cursor.py).
    """
    device = {"id": delivery.terminal_id, "name": delivery.terminal_name} if delivery.terminal_id else None
    names = {PASSAGE: "kind", ALARM: "code"}
    happened_at = delivery.occurred_at or delivery.happened_at
    fields: dict[str, Any] = {
        "delivery": delivery.message_id,
        "event": delivery.event,
        "hikvision_id": delivery.number or None,
        "device": device,
        "error": None if delivery.event in names else delivery.code or None,
        "at": happened_at.strftime("%Y-%m-%dT%H:%M:%S"),
    }
    if delivery.event in names:
        fields |= {"event_id": delivery.event_id, names[delivery.event]: delivery.code}
    if delivery.event == PASSAGE:
        fields["attendance"] = delivery.attendance or None
    return json.dumps(fields, ensure_ascii=False).encode()


def signature(secret: str, sent_at: int, body: bytes) -> str:
    """Return the HMAC-SHA256 over the time in the header, a dot, and the body."""
    return f"sha256={hmac.new(secret.encode(), f'{sent_at}.'.encode() + body, hashlib.sha256).hexdigest()}"


def send_again(webhook_id: int, delivery_id: int) -> bool:
    """Schedule a message once more, whether or not it was taken; return False when the webhook has no such message."""
    return _send_anew(WebhookDelivery.id == delivery_id, WebhookDelivery.webhook_id == webhook_id) == 1


def send_given_up(webhook_id: int) -> int:
    """Schedule once more all messages to a webhook that were given up; return how many there are."""
    given_up = (WebhookDelivery.next_attempt_at.is_(None), WebhookDelivery.delivered_at.is_(None))
    return _send_anew(WebhookDelivery.webhook_id == webhook_id, *given_up)


def latest(webhook_id: int, limit: int) -> list[WebhookDelivery]:
    """Return the last messages to a webhook, the newest first."""
    log = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id)
    newest = log.order_by(WebhookDelivery.id.desc()).limit(limit)
    return list(db.session.execute(newest, execution_options={"populate_existing": True}).scalars())


def forget_deliveries() -> int:
    """Delete messages that are older than HIKFLASK_EVENT_RETENTION, some at a time; return how many."""
    kept_since = database_now(-SECONDS_PER_DAY * current_app.config["EVENT_RETENTION"])
    old = select(WebhookDelivery.id).where(WebhookDelivery.happened_at < kept_since)
    some = old.order_by(WebhookDelivery.happened_at).limit(5 * CLEANUP_BATCH)
    with transaction():
        return changed_rows(delete(WebhookDelivery).where(WebhookDelivery.id.in_(some)))


def _due() -> tuple[ColumnElement[bool], ...]:
    return WebhookDelivery.next_attempt_at.is_not(None), WebhookDelivery.next_attempt_at <= one_moment()


def _send_anew(*where: ColumnElement[bool]) -> int:
    again = {"attempts": 0, "next_attempt_at": database_now(), "delivered_at": None, "status": None, "problem": ""}
    with transaction():
        return changed_rows(update(WebhookDelivery).where(*where).values(**again))


def _record(delivery: WebhookDelivery, status: int | None, problem: str) -> None:
    attempts = delivery.attempts + 1
    is_taken = status is not None and 200 <= status < 300
    pause = min(FIRST_SECONDS * 2 ** (attempts - 1), MAX_SECONDS)
    next_attempt = database_now(pause) if not is_taken and attempts < MAX_ATTEMPTS else None
    values = {"attempts": attempts, "tried_at": database_now(), "status": status, "problem": problem}
    values |= {"delivered_at": database_now() if is_taken else None, "next_attempt_at": next_attempt}
    with transaction():
        changed_rows(update(WebhookDelivery).where(WebhookDelivery.id == delivery.id).values(**values))
