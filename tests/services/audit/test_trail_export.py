"""The export of the audit trail: in batches, and without what happens meanwhile."""

import pytest

from hikflask.extensions import db
from hikflask.models import AuditEntry
from hikflask.services import audit
from hikflask.services.audit.search import AuditFilter
from hikflask.services.audit.trail_export import BATCH, batches, begin_export

pytestmark = pytest.mark.usefixtures("context")


def test_what_is_done_during_an_export_is_not_in_it() -> None:
    audit.record_alone("sign_in")
    newest_id = begin_export(AuditFilter())
    audit.record_alone("sign_out")

    found = [entry.action for batch in batches(AuditFilter(), newest_id) for entry in batch]

    assert found == ["sign_in"]


def test_no_batch_is_longer_than_the_limit_and_none_is_lost() -> None:
    db.session.add_all([AuditEntry(actor="Анна", action="sign_in", subject=str(n)) for n in range(BATCH + 1)])
    db.session.commit()

    found = list(batches(AuditFilter(), begin_export(AuditFilter())))

    assert [len(batch) for batch in found] == [BATCH, 1]
    assert [entry.subject for batch in found for entry in batch] == [str(n) for n in reversed(range(BATCH + 1))]


def test_empty_filter_fields_are_not_told() -> None:
    begin_export(AuditFilter(actor="Анна"))

    (told,) = db.session.execute(db.select(AuditEntry.after).where(AuditEntry.action == "audit.exported")).scalars()
    assert told == {"entries": 0, "actor": "Анна"}
