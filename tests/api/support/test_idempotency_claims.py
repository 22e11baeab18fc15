"""Claims of calls with a key: one at a time, and only the last one writes."""

import pytest
from flask import Flask

from hikflask.api.support import idempotency
from hikflask.api.support.idempotency import Answer, Claim
from hikflask.extensions import db
from hikflask.models import IdempotencyKey
from hikflask.services.core.errors import ServiceError
from tests.support.retention import age
from tests.support.signed_in import make_token

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("context")]
ANSWER = Answer(201, {}, "{}")


@pytest.fixture
def claim(app: Flask) -> Claim:
    make_token(app)
    claim = idempotency.begin(1, "key", "print")
    assert isinstance(claim, Claim)
    return claim


def test_claim_that_is_over_passes_on_and_its_late_holder_writes_nothing(claim: Claim) -> None:
    with pytest.raises(ServiceError, match=r"^idempotency_running$"):
        idempotency.begin(1, "key", "print")
    age(IdempotencyKey, "claimed_until", 1)
    second = idempotency.begin(1, "key", "print")
    assert isinstance(second, Claim)
    with pytest.raises(ServiceError, match=r"^idempotency_running$"):
        idempotency.begin(1, "key", "print")

    idempotency.keep(claim, Answer(500, {}, "late"))
    idempotency.give_up(claim)
    idempotency.keep(second, ANSWER)

    assert idempotency.begin(1, "key", "print") == ANSWER


def test_claim_that_is_given_up_can_be_taken_at_once(claim: Claim) -> None:
    idempotency.give_up(claim)

    assert isinstance(idempotency.begin(1, "key", "other"), Claim)


def test_keys_go_with_their_token_and_no_text_of_the_key_is_stored(claim: Claim) -> None:
    idempotency.keep(claim, ANSWER)
    row = db.session.execute(db.select(IdempotencyKey)).scalar_one()
    assert "key" not in {row.key_sha256, row.fingerprint, row.answer}
    assert repr(row) == f"<IdempotencyKey {row.id}>"
    db.session.execute(db.text("DELETE FROM api_token"))
    db.session.commit()

    assert db.session.execute(db.select(IdempotencyKey.id)).all() == []
