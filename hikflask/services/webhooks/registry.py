"""Webhooks: added with a secret that is shown once, listed, tested, switched off and deleted by administrators."""

import secrets

from sqlalchemy import func, select

from hikflask.extensions import db, vault
from hikflask.models import Webhook, WebhookDelivery
from hikflask.models.webhook import CHOSEN, TEST
from hikflask.services import audit
from hikflask.services.core.db import fresh, transaction
from hikflask.services.core.errors import NotFound, ServiceError
from hikflask.services.webhooks import allowed_addresses

# Each may keep one thread of the worker.
MAX_WEBHOOKS = 20
SECRET_BYTES = 32


def add(url: str, events: frozenset[str]) -> tuple[Webhook, str]:
    """Add a webhook; return it and its secret, which is not shown again.

    :raises webhook_address_refused: when the address is not allowed. :raises webhooks_enough: when there are too many.
    """
    allowed_addresses.refuse_unallowed(url)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    chosen = {f"on_{event}": event in events for event in CHOSEN}
    webhook = Webhook(url=url, secret_encrypted=vault.encrypt(secret), **chosen)
    with transaction():
        if db.session.execute(select(func.count(Webhook.id))).scalar_one() >= MAX_WEBHOOKS:
            raise ServiceError("webhooks_enough", n=MAX_WEBHOOKS)
        db.session.add(webhook)
        db.session.flush()
        audit.record("webhook.added", subject=url, after={"events": ", ".join(webhook.events)})
    return webhook, secret


def list_all() -> list[Webhook]:
    """Return all webhooks by their addresses."""
    return list(db.session.execute(select(Webhook).order_by(Webhook.url, Webhook.id)).scalars())


def get(webhook_id: int) -> Webhook | None:
    """Return the webhook, fresh from the database, or None."""
    return fresh(Webhook, webhook_id)


def get_one(webhook_id: int) -> Webhook:
    """Return the webhook. :raises webhook_unknown: when there is none."""
    webhook = get(webhook_id)
    if webhook is None:
        raise NotFound("webhook_unknown")
    return webhook


def switch(webhook_id: int, is_active: bool) -> None:
    """Switch a webhook on or off. Events while it is off are not sent; messages that were waiting are sent afterwards.

    :raises webhook_unknown: when there is none.
    """
    with transaction():
        webhook = get_one(webhook_id)
        before, after = {"is_active": webhook.is_active}, {"is_active": is_active}
        audit.record("webhook.changed", subject=webhook.url, before=before, after=after)
        webhook.is_active = is_active


def test(webhook_id: int) -> None:
    """Schedule a message of the event “test”. :raises webhook_unknown: when there is no such webhook."""
    with transaction():
        webhook = get_one(webhook_id)
        db.session.add(WebhookDelivery(webhook_id=webhook.id, event=TEST))
        audit.record("webhook.tested", subject=webhook.url)


def delete(webhook_id: int) -> None:
    """Delete a webhook with its log. :raises webhook_unknown: when there is none."""
    with transaction():
        webhook = get_one(webhook_id)
        audit.record("webhook.deleted", subject=webhook.url)
        db.session.delete(webhook)
