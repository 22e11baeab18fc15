"""Answers to calls with a key are forgotten with an erasure."""

import pytest
from flask import Flask

from hikflask.api.support import idempotency
from hikflask.api.support.idempotency import Answer, Claim
from hikflask.extensions import db
from hikflask.services.core.errors import ServiceError
from hikflask.services.privacy import kept_answers
from tests.support.between import Between
from tests.support.signed_in import make_token

pytestmark = [pytest.mark.both_databases, pytest.mark.usefixtures("context")]
ANSWER = Answer(201, {}, "{}")


@pytest.fixture
def claim(app: Flask) -> Claim:
    make_token(app)
    claim = idempotency.begin(1, "key", "print")
    assert isinstance(claim, Claim)
    return claim


def test_answer_of_a_call_that_runs_is_not_kept_either_once_somebody_is_erased(claim: Claim) -> None:
    kept_answers.blank_answers()
    db.session.commit()

    idempotency.keep(claim, ANSWER)

    with pytest.raises(ServiceError, match=r"^idempotency_answer_gone$"):
        idempotency.begin(1, "key", "print")
    idempotency.give_up(claim)
    assert isinstance(idempotency.begin(1, "key", "print"), Claim)


def test_no_call_begins_before_the_erasure_of_somebody_ends(claim: Claim, between: Between) -> None:
    idempotency.give_up(claim)
    other = between(kept_answers, "blank_answers", lambda: idempotency.begin(1, "key", "print"))
    kept_answers.blank_answers()
    db.session.commit()
    other.finish()

    assert (other.blocked, other.error) == (True, None)
