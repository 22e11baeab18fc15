"""Wrong passwords are limited, all of them are counted, and good ones never are."""

import threading

import pytest
from flask import Flask

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


def test_tries_that_come_at_once_are_all_counted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_limits, "TRIES_BY_PLACE", 5)
    add_operator("Анна", OPERATOR)
    db.session.commit()
    said: list[str] = []

    def attempt() -> None:
        with app.app_context():
            try:
                sessions.sign_in("Анна", "wrong", "10.0.0.1")
            except (SignInRefused, TooOften) as error:
                said.append(error.code)
            db.session.remove()

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(said) == ["sign_in_refused"] * 5 + ["too_often"] * 3


def test_window_that_is_over_counts_anew() -> None:
    add_operator("Анна", OPERATOR)
    for _ in range(11):
        with pytest.raises((SignInRefused, TooOften)):
            sessions.sign_in("Анна", "wrong", "10.0.0.1")
    db.session.execute(db.text("UPDATE throttle SET since = :at"), {"at": "2020-01-01 00:00:00"})
    db.session.commit()

    assert sessions.sign_in("Анна", OPERATOR_PASSWORD, "10.0.0.1")
