"""Webhooks are added up to a number, and each change stands in the audit trail."""

import pytest

from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.services.core.errors import NotFound, ServiceError
from hikflask.services.webhooks import registry

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("context")]
URL = "http://127.0.0.1:9/"


def test_each_change_is_noted_without_the_secret() -> None:
    _, secret = registry.add(URL, frozenset({"refused"}))
    registry.switch(1, is_active=False)
    registry.test(1)
    registry.delete(1)

    rows = db.session.execute(db.select(AuditEntry).order_by(AuditEntry.id)).scalars().all()
    assert [(row.action, row.subject, row.before, row.after) for row in rows] == [
        ("webhook.added", URL, None, {"events": "refused"}),
        ("webhook.changed", URL, {"is_active": True}, {"is_active": False}),
        ("webhook.tested", URL, None, None),
        ("webhook.deleted", URL, None, None),
    ]
    assert all(secret not in str(row.after) for row in rows)


def test_there_are_no_more_than_the_worker_has_threads_for() -> None:
    for _ in range(registry.MAX_WEBHOOKS):
        registry.add(URL, frozenset({"refused"}))

    with pytest.raises(ServiceError, match=r"^webhooks_enough$"):
        registry.add(URL, frozenset({"refused"}))


def test_one_that_is_gone_is_unknown() -> None:
    for change in (registry.test, registry.delete, lambda webhook_id: registry.switch(webhook_id, True)):
        with pytest.raises(NotFound, match=r"^webhook_unknown$"):
            change(1)
