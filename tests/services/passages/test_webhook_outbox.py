"""Who passed or was not let in is written for webhooks that ask for it, in the transaction that stores it."""

import json

import pytest

from hikflask.extensions import db
from hikflask.models import Event, Terminal, WebhookDelivery
from hikflask.models.event import CHECK_OUT, DOOR, KINDS, NO_PERMISSION, PASSED, UNKNOWN_PERSON
from hikflask.services.core.db import transaction
from hikflask.services.passages import webhook_outbox
from hikflask.services.webhooks import deliveries, registry
from tests.support.employees import save_with_file
from tests.support.events import add_events, event_row
from tests.support.receivers import receiving
from tests.support.statements import counted_statements
from tests.support.trail import entries

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("context")]
URL = "http://127.0.0.1:9/"


def tell(*events: Event) -> None:
    ids = add_events(*events)
    with transaction():
        webhook_outbox.tell(ids)


def messages() -> list[WebhookDelivery]:
    return list(db.session.execute(db.select(WebhookDelivery).order_by(WebhookDelivery.id)).scalars())


def test_message_says_which_event_it_was_and_no_name(terminal: Terminal) -> None:
    registry.add(URL, frozenset({"passage"}))
    ivan = save_with_file()

    tell(
        event_row(terminal, employee=ivan, name="Иван Иванов", attendance=CHECK_OUT),
        event_row(terminal, kind=UNKNOWN_PERSON, code=(5, 76)),
    )

    passed, unknown = (json.loads(deliveries.body_of(message)) for message in messages())
    assert passed == {
        "delivery": messages()[0].message_id,
        "event": "passage",
        "hikvision_id": "100222",
        "device": {"id": terminal.id, "name": "Вход"},
        "error": None,
        "at": "2026-11-30T09:00:00",
        "event_id": 1,
        "kind": "passed",
        "attendance": "check_out",
    }
    assert (unknown["hikvision_id"], unknown["kind"], unknown["event_id"]) == (None, "unknown_person", 2)
    assert unknown["attendance"] is None


def test_only_people_are_told_and_only_to_who_asks(terminal: Terminal) -> None:
    for events in ({"passage"}, {"enrolled"}, {"passage", "refused"}, {"passage"}):
        registry.add(URL, frozenset(events))
    registry.switch(4, is_active=False)

    tell(*(event_row(terminal, kind=kind) for kind in KINDS))

    told = [(message.webhook_id, message.code) for message in messages()]
    people = ["passed", "unknown_person", "no_permission", "outside_hours", "expired", "liveness", "refused"]
    assert told == [(webhook_id, kind) for kind in people for webhook_id in (1, 3)]


def test_page_of_events_is_one_statement_and_is_undone_with_them(terminal: Terminal) -> None:
    registry.add(URL, frozenset({"passage"}))
    ids = add_events(*(event_row(terminal, kind=kind) for kind in (NO_PERMISSION, DOOR) for _ in range(30)))

    with counted_statements() as executed:
        webhook_outbox.tell(ids)
    assert len(messages()) == 30
    db.session.rollback()

    assert len(executed) == 1
    assert messages() == []


def test_trail_says_once_an_hour_which_webhook_was_told_of_passages(terminal: Terminal) -> None:
    with receiving() as receiver:
        registry.add(receiver.url, frozenset({"passage"}))
        tell(*(event_row(terminal, kind=PASSED) for _ in range(2)))
        deliveries.send_due(1)
        assert len(receiver.got) == 2

    assert [(entry.actor, entry.after) for entry in entries("passages.exported")] == [
        ("worker", {"for": "webhook", "url": receiver.url})
    ]
