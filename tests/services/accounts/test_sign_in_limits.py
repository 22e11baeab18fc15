"""Wrong passwords are limited, all of them are counted, and good ones never are."""

import pytest

from hikflask.extensions import db
from hikflask.models.accounts import OPERATOR
from hikflask.services.accounts import sessions, sign_in_limits
from hikflask.services.accounts.errors import SignInRefused, TooOften
from tests.support.signed_in import OPERATOR_PASSWORD, add_operator

pytestmark = [pytest.mark.usefixtures("context", "quick_passwords"), pytest.mark.both_databases]


def test_good_sign_ins_from_one_office_never_close_it() -> None:
    names = [add_operator(name, OPERATOR).name for name in ("Анна", "Мария", "Ольга")]

    for number in range(sign_in_limits.TRIES_BY_ADDRESS + 1):
        assert sessions.sign_in(names[number % 3], OPERATOR_PASSWORD, "10.0.0.1")


def test_window_that_is_over_counts_anew() -> None:
    add_operator("Анна", OPERATOR)
    for _ in range(11):
        with pytest.raises((SignInRefused, TooOften)):
            sessions.sign_in("Анна", "wrong", "10.0.0.1")
    db.session.execute(db.text("UPDATE throttle SET since = :at"), {"at": "2020-01-01 00:00:00"})
    db.session.commit()

    assert sessions.sign_in("Анна", OPERATOR_PASSWORD, "10.0.0.1")
