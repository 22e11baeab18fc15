"""Messages to webhooks: what they say, how they are signed, when they are sent again, and how long they are kept."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from sqlalchemy import select

from hikflask.extensions import db, vault
from hikflask.models import Terminal, Webhook, WebhookDelivery
from hikflask.models.columns import database_now
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.webhooks import allowed_addresses, deliveries, registry
from hikflask.simulator import Terminal as Simulated
from tests.support.between import Between
from tests.support.enrolments import employee_of, enrol
from tests.support.receivers import Receiver, receiving
from tests.support.retention import DAY, age, forget

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("context")]
ALL = frozenset({"enrolled", "refused", "removed"})


def told(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in receiver.got]


def send_all(webhook_id: int = 1) -> None:
    while deliveries.send_next(webhook_id):
        continue


def delivery() -> WebhookDelivery:
    rows = db.session.execute(select(WebhookDelivery), execution_options={"populate_existing": True})
    row = rows.scalar_one()
    db.session.commit()
    return row


def test_program_is_told_of_enrolled_and_removed_without_name_and_face(
    simulator: Simulated, terminal: Terminal
) -> None:
    with receiving() as receiver:
        _, secret = registry.add(receiver.url, ALL)
        enrolment = enrol(simulator, terminal)
        employee_id = employee_of(enrolment)
        send_all()
        set_active(employee_id, active=False)
        reconcile(enrolment.id, "Анна")
        send_all()

    messages = told(receiver)
    at = [one.pop("at") for one in messages]
    ids = [one.pop("delivery") for one in messages]
    device = {"id": terminal.id, "name": "Вход"}
    assert messages == [
        {"event": "enrolled", "hikvision_id": "100222", "device": device, "error": None},
        {"event": "removed", "hikvision_id": "100222", "device": device, "error": None},
    ]
    assert all(len(one) == len("2026-03-01T09:30:00") for one in at)
    assert [one.split("-")[0] for one in ids] == ["1", "2"]
    for one, message_id in zip(receiver.got, ids, strict=True):
        assert one.path == "/hook?a=1"
        assert one.headers["X-Hikflask-Delivery"] == message_id
        signed = f"{one.headers['X-Hikflask-Time']}.".encode() + one.body
        wanted = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        assert one.headers["X-Hikflask-Signature"] == f"sha256={wanted}"
    rows = db.session.execute(db.select(WebhookDelivery)).scalars().all()
    assert [(row.status, row.attempts, row.next_attempt_at, row.delivered_at is None) for row in rows] == [
        (204, 1, None, False)
    ] * 2


def test_what_is_not_taken_is_sent_again_with_back_off_and_given_up_in_the_end() -> None:
    with receiving(status=500) as receiver:
        registry.add(receiver.url, ALL)
        registry.test(1)
        pauses = []
        for attempt in range(1, deliveries.MAX_ATTEMPTS + 1):
            assert deliveries.send_next(1)
            assert not deliveries.send_next(1)
            row = delivery()
            assert (row.attempts, row.status, row.delivered_at) == (attempt, 500, None)
            if row.next_attempt_at:
                assert row.tried_at is not None
                pauses.append(round((row.next_attempt_at - row.tried_at).total_seconds()))
                age(WebhookDelivery, "next_attempt_at", 1)

    assert pauses == [min(30 * 2**step, 3600) for step in range(deliveries.MAX_ATTEMPTS - 1)]
    assert 72 * 3600 <= sum(pauses) < 73 * 3600
    assert delivery().next_attempt_at is None
    assert {one.headers["X-Hikflask-Delivery"] for one in receiver.got} == {delivery().message_id}
    assert len({one.body for one in receiver.got}) == 1
    assert deliveries.send_again(1, 1)
    assert (delivery().attempts, deliveries.due_webhooks()) == (0, [1])


def test_all_that_was_given_up_is_sent_again_and_nothing_else() -> None:
    for webhook_id in (1, 2):
        registry.add("http://127.0.0.1:9/", ALL)
        registry.test(webhook_id)
        registry.test(webhook_id)
    given_up = {"attempts": 79, "next_attempt_at": None, "problem": "no_answer"}
    db.session.execute(db.update(WebhookDelivery).where(WebhookDelivery.id != 1).values(**given_up))
    db.session.execute(db.update(WebhookDelivery).where(WebhookDelivery.id == 1).values(delivered_at=database_now()))
    db.session.execute(db.update(WebhookDelivery).where(WebhookDelivery.id == 1).values(next_attempt_at=None))
    db.session.commit()

    assert [deliveries.send_given_up(1), deliveries.send_given_up(1)] == [1, 0]

    rows = db.select(WebhookDelivery.id).where(WebhookDelivery.next_attempt_at.is_not(None))
    assert db.session.execute(rows).scalars().all() == [2]


def test_message_is_one_workers_for_a_minute_and_sent_by_another_after_that(between: Between) -> None:
    def send_beside() -> list[bool]:
        early = deliveries.send_next(1)
        age(WebhookDelivery, "next_attempt_at", 1)
        return [early, deliveries.send_next(1)]

    other = between(allowed_addresses, "post", send_beside, before=True)
    with receiving() as receiver:
        registry.add(receiver.url, ALL)
        registry.test(1)
        send_all()
        other.finish()

    assert other.result == [False, True]
    assert [(one["event"], one["hikvision_id"]) for one in told(receiver)] == [("test", None)] * 2
    assert len({one["delivery"] for one in told(receiver)}) == 1


def test_message_that_an_erasure_deletes_at_this_moment_is_not_sent(between: Between) -> None:
    def erase() -> None:
        db.session.execute(db.delete(WebhookDelivery))
        db.session.commit()

    with receiving() as receiver:
        registry.add(receiver.url, ALL)
        registry.test(1)
        other = between(deliveries, "claim_rows", erase)
        assert deliveries.send_next(1)
        other.finish()
        assert not deliveries.send_next(1)

    assert receiver.got == []


def test_webhook_that_is_off_or_wants_other_events_is_told_nothing(simulator: Simulated, terminal: Terminal) -> None:
    registry.add("http://127.0.0.1:9/", frozenset({"removed"}))
    registry.add("http://127.0.0.1:9/", ALL)
    registry.switch(2, is_active=False)

    enrol(simulator, terminal)

    assert db.session.execute(db.select(WebhookDelivery.id)).all() == []
    # One that waits when it is switched off waits on.
    registry.test(2)
    assert (deliveries.due_webhooks(), deliveries.send_next(2)) == ([], False)


def test_messages_are_forgotten_with_events_and_go_with_their_webhook() -> None:
    registry.add("http://127.0.0.1:9/", ALL)
    registry.test(1)
    age(WebhookDelivery, "happened_at", 89 * DAY)
    forget()
    assert delivery().id == 1
    db.session.execute(db.update(WebhookDelivery).values(happened_at=database_now(-91 * DAY)))
    forget()
    assert db.session.execute(db.select(WebhookDelivery.id)).all() == []
    registry.test(1)
    registry.delete(1)
    assert db.session.execute(db.select(WebhookDelivery.id)).all() == []


def test_secret_is_stored_encrypted_alone() -> None:
    webhook, secret = registry.add("https://127.0.0.1:9/", ALL)
    stored = db.session.execute(db.select(Webhook.secret_encrypted)).scalar_one()
    assert secret not in stored
    assert vault.decrypt(stored) == secret
    assert repr(webhook) == "<Webhook 1>"
