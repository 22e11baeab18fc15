"""Sign-in and sessions: opened by name and password, ended by time, by hand or by a new password."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import event
from werkzeug.security import check_password_hash

from hikflask.extensions import db
from hikflask.models import AuditEntry, Operator, OperatorSession
from hikflask.models.accounts import OPERATOR
from hikflask.models.columns import database_now
from hikflask.services.accounts import operators, passwords, sessions
from hikflask.services.accounts.errors import (
    PasswordWrong,
    SignInRefused,
)
from tests.support.signed_in import OPERATOR_PASSWORD, add_operator, open_session

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]
GOOD = "четыре слова без связи"


def meanwhile(monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object]) -> None:
    """Let something be done while the next password is checked."""

    def check(known: str, password: str) -> bool:
        monkeypatch.setattr(passwords, "check_password_hash", check_password_hash)
        found = check_password_hash(known, password)
        deed()
        return found

    monkeypatch.setattr(passwords, "check_password_hash", check)


@pytest.mark.parametrize("change", ["password", "kept out"])
def test_who_signs_in_while_the_password_is_replaced_has_no_session(
    monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    anna = add_operator("Анна", OPERATOR)
    changes: dict[str, Callable[[], object]] = {
        "password": lambda: operators.set_password(anna.id, GOOD, temporary=True),
        "kept out": lambda: operators.change(anna.id, OPERATOR, False),
    }
    meanwhile(monkeypatch, changes[change])
    with pytest.raises(SignInRefused):
        sessions.sign_in("Анна", OPERATOR_PASSWORD, "10.0.0.1")

    assert db.session.execute(db.select(OperatorSession)).first() is None
    refused = db.session.execute(db.select(AuditEntry).where(AuditEntry.action == "sign_in.refused")).scalars().all()
    assert [entry.subject for entry in refused] == ["Анна"]


def test_open_session_of_somebody_who_is_kept_out_opens_nothing() -> None:
    """Though whoever keeps them out ends their sessions, too."""
    anna = add_operator("Анна", OPERATOR)
    waiting = open_session(anna)
    db.session.execute(db.update(OperatorSession).values(factor_pending=True))
    db.session.commit()
    key = open_session(anna)
    assert (sessions.find(key) is None, sessions.find_pending(waiting) is None) == (False, False)

    db.session.execute(db.update(Operator).values(is_active=False))
    db.session.commit()

    assert (sessions.find(key), sessions.find_pending(waiting)) == (None, None)


def audited(action: str) -> list[str]:
    """Whom entries of this action are about."""
    return list(db.session.execute(db.select(AuditEntry.subject).where(AuditEntry.action == action)).scalars())


def test_nobody_ends_a_session_of_somebody_else() -> None:
    mine, theirs = open_session(add_operator("Анна", OPERATOR)), open_session(add_operator("Ольга", OPERATOR))
    anna, olga = sessions.find(mine), sessions.find(theirs)
    assert anna is not None
    assert olga is not None

    sessions.end_own(anna, olga.session_id)

    assert sessions.find(theirs) == olga
    assert audited("sign_out.elsewhere") == []


def test_oldest_session_ends_when_one_too_many_is_opened(app: Flask) -> None:
    app.config["SESSIONS_PER_OPERATOR"] = 3
    anna, olga = add_operator("Анна", OPERATOR), add_operator("Ольга", OPERATOR)
    others, first = open_session(olga), sessions.sign_in("Анна", OPERATOR_PASSWORD, "10.0.0.1")
    later = [sessions.sign_in("Анна", OPERATOR_PASSWORD, "10.0.0.1") for _ in range(2)]
    assert (len(sessions.list_open(anna.id)), audited("sign_out.oldest")) == (3, [])

    later.append(sessions.sign_in("Анна", OPERATOR_PASSWORD, "10.0.0.1"))

    assert sessions.find(first) is None
    assert all(sessions.find(key) for key in [*later, others])
    assert (len(sessions.list_open(anna.id)), audited("sign_out.oldest")) == (3, ["Анна"])


def test_session_past_its_limits_takes_no_room(app: Flask) -> None:
    app.config["SESSIONS_PER_OPERATOR"] = 2
    anna = add_operator("Анна", OPERATOR)
    alive, over = open_session(anna), open_session(anna)
    ended = db.update(OperatorSession).where(OperatorSession.key_sha256 == sessions._hash(over))
    db.session.execute(ended.values(seen_at=database_now(-7300.0)))
    db.session.commit()

    sessions.sign_in("Анна", OPERATOR_PASSWORD, "10.0.0.1")

    assert sessions.find(alive) is not None
    assert audited("sign_out.oldest") == []


def test_new_password_ends_all_sessions_but_the_own() -> None:
    anna = add_operator()
    mine, other = open_session(anna), open_session(anna)
    found = sessions.find(mine)
    assert found is not None

    operators.set_password(anna.id, GOOD, keep_session=found.session_id)

    assert sessions.find(mine) is not None
    assert sessions.find(other) is None


@pytest.mark.parametrize("whose", ["own", "administrator's"])
def test_new_password_ends_what_the_one_before_confirmed(whose: str) -> None:
    anna = add_operator()
    keys = [open_session(anna), open_session(anna)]
    mine = sessions.find(keys[0])
    assert mine is not None
    assert mine.confirmed

    operators.set_password(anna.id, GOOD, keep_session=mine.session_id if whose == "own" else None)

    left = [found.confirmed for key in keys if (found := sessions.find(key))]
    assert left == ([False] if whose == "own" else [])


def test_password_that_is_replaced_while_it_is_checked_confirms_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    anna = add_operator()
    mine = sessions.find(open_session(anna, confirmed=False))
    assert mine is not None
    meanwhile(monkeypatch, lambda: operators.set_password(anna.id, GOOD, keep_session=mine.session_id))

    with pytest.raises(PasswordWrong):
        sessions.confirm(mine, OPERATOR_PASSWORD)

    confirmed = db.session.execute(db.select(OperatorSession.confirmed_at)).scalars().all()
    assert confirmed == [None]


def test_password_is_confirmed_for_one_session_alone() -> None:
    anna = add_operator()
    here, there = (open_session(anna, confirmed=False) for _ in range(2))
    mine = sessions.find(here)
    assert mine is not None

    sessions.confirm(mine, OPERATOR_PASSWORD)

    assert [found.confirmed for key in (here, there) if (found := sessions.find(key))] == [True, False]


def test_page_that_is_looked_at_waits_for_no_writer() -> None:
    key = open_session(add_operator())
    found = sessions.find(key)
    assert found is not None
    writes: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *about: writes.append(about[2].split()[0]))

    sessions.touch(found.session_id)

    assert set(writes) == {"SELECT"}


@pytest.mark.parametrize(("idle", "age"), [(7200.0, 61.0), (40.0, 11.0)])
def test_deed_moves_the_idle_limit(app: Flask, idle: float, age: float) -> None:
    app.config["SESSION_IDLE"] = idle
    key = open_session(add_operator())
    found = sessions.find(key)
    assert found is not None
    db.session.execute(db.update(OperatorSession).values(seen_at=database_now(-age)))
    db.session.commit()

    sessions.touch(found.session_id)

    fresh = db.select(OperatorSession.id).where(OperatorSession.seen_at > database_now(-5.0))
    assert db.session.execute(fresh).first()


def test_sessions_past_their_limits_are_forgotten() -> None:
    anna = add_operator()
    kept, idle = open_session(anna), open_session(anna)
    db.session.execute(
        db.update(OperatorSession)
        .where(OperatorSession.key_sha256 == sessions._hash(idle))
        .values(seen_at=database_now(-7300.0))
    )
    db.session.commit()

    sessions.delete_expired_sessions()

    rows = db.session.execute(db.select(OperatorSession.key_sha256)).scalars().all()
    assert rows == [sessions._hash(kept)]
