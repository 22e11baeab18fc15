"""The second factor: codes of an app, each once, and recovery codes; set up, replaced and taken off."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pyotp
import pytest
from flask import Flask
from werkzeug.security import check_password_hash

from hikflask.extensions import db, vault
from hikflask.models import AuditEntry, Operator, OperatorSession, RecoveryCode
from hikflask.models.accounts import ADMIN, OPERATOR
from hikflask.models.columns import database_now
from hikflask.services.accounts import operators, passwords, rate_limit, second_factor, sessions, sign_in_limits
from hikflask.services.accounts.errors import FactorCodeWrong, SignInRefused, TooOften
from hikflask.services.accounts.sessions import SignedIn
from hikflask.services.core.errors import ServiceError
from tests.support.signed_in import OPERATOR_PASSWORD, add_operator, open_session

pytestmark = pytest.mark.usefixtures("context")
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
OTHER = "NB2W45DFOIZANB2W45DFOIZANB2W45DF"
NOON = 1_800_000_000.0
HERE = "10.0.0.1"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let the clock stand, and set it."""

    def stand(at: float) -> None:
        monkeypatch.setattr(time, "time", lambda: at)

    stand(NOON)
    return stand


def code(at: float = NOON) -> str:
    return pyotp.TOTP(SECRET).at(int(at))


def signed_in(name: str = "Анна", role: str = OPERATOR) -> SignedIn:
    """Somebody who is signed in by the password alone."""
    found = sessions.find(open_session(operators.by_name(name) or add_operator(name, role)))
    assert found is not None
    return found


def with_factor(name: str = "Анна", role: str = OPERATOR) -> list[str]:
    """An operator with a second factor, set up a minute before noon; the recovery codes."""
    person = signed_in(name, role)
    codes = second_factor.set_up(person, SECRET, code())
    db.session.execute(db.update(Operator).values(totp_step=None, totp_used=""))
    db.session.execute(db.delete(OperatorSession))
    db.session.commit()
    return codes


def pending(name: str = "Анна") -> OperatorSession:
    """The session of somebody whose password was right."""
    found = sessions.find_pending(sessions.sign_in(name, OPERATOR_PASSWORD, HERE))
    assert found is not None
    return found


def refused(given: str, device: str = "", session: OperatorSession | None = None) -> None:
    with pytest.raises(FactorCodeWrong):
        second_factor.open_session(session or pending(), given, HERE, device)


def actions() -> list[tuple[str, str, str]]:
    found = db.session.execute(db.select(AuditEntry).order_by(AuditEntry.id)).scalars()
    return [(one.actor, one.action, one.subject) for one in found]


@pytest.mark.both_databases
def test_password_alone_opens_nothing_and_the_code_opens_it_under_a_new_key() -> None:
    with_factor()
    before = len(actions())

    waiting = sessions.sign_in("Анна", OPERATOR_PASSWORD, HERE)
    anna = operators.by_name("Анна")
    assert sessions.find(waiting) is None
    assert anna is not None
    assert sessions.list_open(anna.id) == []
    assert actions()[before:] == []
    found = sessions.find_pending(waiting)
    assert found is not None
    key = second_factor.open_session(found, code(), HERE)

    person = sessions.find(key)
    assert person is not None
    assert (person.name, person.confirmed, person.is_kept_back) == ("Анна", True, False)
    assert key != waiting
    assert (sessions.find(waiting), sessions.find_pending(waiting), sessions.find_pending(key)) == (None, None, None)
    assert actions()[before:] == [("Анна", "sign_in", "Анна")]


def test_code_is_accepted_once_and_none_before_it_again(clock: Callable[[float], None]) -> None:
    with_factor()
    waiting = [pending() for _ in range(3)]
    second_factor.open_session(waiting[0], code(), HERE)

    refused(code(), session=waiting[1])
    refused(code(NOON - 30), session=waiting[1])
    clock(NOON + 30)
    refused(code(), session=waiting[1])

    assert second_factor.open_session(waiting[1], code(NOON + 30), HERE)
    assert ("Анна", "second_factor.refused", "Анна") in actions()


def test_clock_that_was_ahead_locks_nobody_out_and_none_of_its_codes_is_accepted_again(
    clock: Callable[[float], None],
) -> None:
    hour = 3600.0
    with_factor()
    for at in (NOON, NOON + hour, NOON + hour + 60):
        clock(at)
        second_factor.open_session(pending(), code(at), HERE)

    clock(NOON + 30)
    waiting = pending()
    refused(code(), session=waiting)
    second_factor.open_session(waiting, code(NOON + 30), HERE)
    refused(code(NOON + 30))
    clock(NOON + 60)
    second_factor.open_session(pending(), code(NOON + 60), HERE)

    for at in (NOON + hour, NOON + hour + 60):
        clock(at)
        refused(code(at))
    clock(NOON + hour + 90)
    refused(code(NOON + hour + 60))
    assert second_factor.open_session(pending(), code(NOON + hour + 90), HERE)


def test_more_codes_of_a_clock_ahead_than_are_remembered_are_not_accepted_again_either() -> None:
    with_factor()
    step = int(NOON // second_factor.STEP_SECONDS)
    ahead = range(step + 120, step + 120 + second_factor.REMEMBERED)
    for later, is_accepted in ((ahead, False), (ahead[1:], True)):
        used = {"totp_step": later[-1], "totp_used": " ".join(str(one) for one in later)}
        db.session.execute(db.update(Operator).values(**used))
        db.session.commit()
        if is_accepted:
            assert second_factor.open_session(pending(), code(), HERE)
        else:
            refused(code())


def test_clock_may_be_half_a_minute_off_and_no_more() -> None:
    with_factor()
    for seconds in (-60, 60):
        refused(code(NOON + seconds))
    for seconds in (-30, 0, 30):
        assert second_factor.open_session(pending(), f" {code(NOON + seconds)[:3]} {code(NOON + seconds)[3:]} ", HERE)
    for given in ("", "12345", "１２３４５６", "JBSWY3DPEHPK3PXP", "ключ"):
        refused(given)


@pytest.mark.both_databases
def test_same_code_at_the_same_moment_opens_one_session(app: Flask) -> None:
    with_factor()
    waiting = [pending().id for _ in range(2)]
    opened: list[str] = []
    start = threading.Barrier(2)

    def run(session_id: int) -> None:
        with app.app_context():
            row = db.session.get_one(OperatorSession, session_id)
            start.wait()
            with suppress(FactorCodeWrong):
                opened.append(second_factor.open_session(row, code(), HERE))

    both = [threading.Thread(target=run, args=(one,)) for one in waiting]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()

    assert len(opened) == 1


@pytest.mark.both_databases
def test_recovery_code_opens_once_however_it_is_typed() -> None:
    codes = with_factor()
    anna = operators.by_name("Анна")
    assert anna is not None
    assert len(set(codes)) == second_factor.codes_left(anna.id) == 10
    assert {len(one) for one in codes} == {19}

    second_factor.open_session(pending(), codes[0], HERE)
    second_factor.open_session(pending(), codes[1].upper().replace("-", " "), HERE)
    refused(codes[0])

    assert second_factor.codes_left(anna.id) == 8
    assert actions().count(("Анна", "second_factor.code_used", "Анна")) == 2
    kept = "".join(db.session.execute(db.select(RecoveryCode.code_sha256)).scalars())
    assert not any(part in kept for one in codes for part in (one, one.replace("-", "")))


def test_new_recovery_codes_make_the_earlier_ones_worthless() -> None:
    earlier = with_factor()
    person = signed_in()

    later = second_factor.new_codes(person, code())

    refused(earlier[0])
    assert second_factor.open_session(pending(), later[0], HERE)
    with pytest.raises(ServiceError, match=r"^factor_missing$"):
        second_factor.new_codes(signed_in("Ольга"), code())


def test_guessing_codes_is_limited_as_guessing_passwords_is() -> None:
    with_factor()
    found = pending()
    for _ in range(sign_in_limits.TRIES_BY_PLACE):
        refused("000000", session=found)

    with pytest.raises(TooOften) as soon:
        second_factor.open_session(found, code(), HERE)
    assert soon.value.params["seconds"] <= sign_in_limits.WINDOW_SECONDS
    assert ("Анна", "sign_in.throttled", "Анна") in actions()


def test_patient_guessing_from_many_places_is_limited_for_half_a_day() -> None:
    with_factor()
    found = pending()
    for number in range(second_factor.LONG_TRIES):
        rate_limit.reset_account(f"factor:{found.operator_id}")
        with pytest.raises(FactorCodeWrong):
            second_factor.open_session(found, "000000", f"10.1.{number}.1")

    rate_limit.reset_account(f"factor:{found.operator_id}")
    with pytest.raises(TooOften) as late:
        second_factor.open_session(found, code(), "10.2.0.1")
    assert late.value.params["seconds"] > sign_in_limits.WINDOW_SECONDS
    anna = operators.get_one(found.operator_id)
    device = sign_in_limits.with_account("", anna.id, anna.device_generation)
    assert second_factor.open_session(found, code(), "10.2.0.1", device)


def test_patient_guessing_in_an_open_session_is_limited_for_half_a_day() -> None:
    with_factor()
    person = signed_in()
    for _ in range(second_factor.LONG_TRIES):
        rate_limit.reset_account(f"factor-session:{person.session_id}")
        with pytest.raises(FactorCodeWrong):
            second_factor.switch_off(person, "000000")

    rate_limit.reset_account(f"factor-session:{person.session_id}")
    with pytest.raises(TooOften) as late:
        second_factor.switch_off(person, code())
    assert late.value.params["seconds"] > sign_in_limits.WINDOW_SECONDS
    assert second_factor.has(person.operator_id)


def test_secret_is_stored_encrypted_and_other_sessions_end_when_it_is_set_up() -> None:
    person, other = signed_in(), signed_in()

    second_factor.set_up(person, SECRET, code())

    row = operators.get_one(person.operator_id)
    assert row.totp_encrypted is not None
    assert SECRET not in row.totp_encrypted
    assert vault.decrypt(row.totp_encrypted) == SECRET
    assert [one.id for one in sessions.list_open(person.operator_id)] == [person.session_id]
    assert other.session_id != person.session_id
    assert actions()[-1][1:] == ("second_factor.set_up", "Анна")
    # The code that showed that the app has the secret does not sign in.
    refused(code())


def test_wrong_first_code_sets_nothing_up() -> None:
    person = signed_in()
    for _ in range(sign_in_limits.CONFIRMATIONS):
        with pytest.raises(FactorCodeWrong):
            second_factor.set_up(person, SECRET, code(NOON + 60))

    with pytest.raises(TooOften):
        second_factor.set_up(person, SECRET, code())
    assert not second_factor.has(person.operator_id)


def test_session_that_ended_meanwhile_sets_nothing_up_and_opens_nothing() -> None:
    person = signed_in()
    sessions.sign_out_everywhere(person)
    with pytest.raises(SignInRefused):
        second_factor.set_up(person, SECRET, code())
    assert not second_factor.has(person.operator_id)

    with_factor("Ольга")
    found = pending("Ольга")
    sessions.end_all(found.operator_id)
    db.session.commit()
    with pytest.raises(SignInRefused):
        second_factor.open_session(found, code(), HERE)


def test_waiting_session_ends_after_ten_minutes_or_with_the_operators_right_to_sign_in() -> None:
    with_factor()
    key = sessions.sign_in("Анна", OPERATOR_PASSWORD, HERE)
    assert sessions.find_pending(key)

    db.session.execute(db.update(OperatorSession).values(started_at=database_now(-601.0)))
    db.session.commit()
    assert sessions.find_pending(key) is None

    key = sessions.sign_in("Анна", OPERATOR_PASSWORD, HERE)
    db.session.execute(db.update(Operator).values(is_active=False))
    db.session.commit()
    assert sessions.find_pending(key) is None


@pytest.mark.both_databases
def test_factor_that_was_set_up_while_the_password_was_checked_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    person = signed_in()

    def check(known: str, password: str) -> bool:
        second_factor.set_up(person, SECRET, code())
        return check_password_hash(known, password)

    monkeypatch.setattr(passwords, "check_password_hash", check)

    assert sessions.find(sessions.sign_in("Анна", OPERATOR_PASSWORD, HERE)) is None


def test_factor_is_taken_off_and_all_sessions_end() -> None:
    with_factor()
    anna = operators.by_name("Анна")
    assert anna is not None
    open_session(anna)
    pending()

    second_factor.remove(anna.id)

    assert sessions.list_open(anna.id) == []
    assert second_factor.codes_left(anna.id) == 0
    assert sessions.find(sessions.sign_in("Анна", OPERATOR_PASSWORD, HERE))
    assert ("worker", "second_factor.removed", "Анна") in actions()
    with pytest.raises(ServiceError, match=r"^factor_missing$"):
        second_factor.remove(anna.id)


@pytest.mark.both_databases
def test_password_and_open_session_change_nothing_without_a_code(clock: Callable[[float], None]) -> None:
    codes, person = with_factor(), signed_in()
    changes: list[Callable[[str], object]] = [
        lambda given: second_factor.switch_off(person, given),
        lambda given: second_factor.new_codes(person, given),
        lambda given: second_factor.set_up(person, OTHER, pyotp.TOTP(OTHER).at(int(NOON)), given),
    ]
    for change in changes:
        for given in ("", "000000", pyotp.TOTP(OTHER).at(int(NOON))):
            with pytest.raises(FactorCodeWrong):
                change(given)
    assert second_factor.codes_left(person.operator_id) == 10
    # The tenth wrong one in this session is the last.
    with pytest.raises(FactorCodeWrong):
        second_factor.switch_off(person, "1")
    with pytest.raises(TooOften):
        second_factor.switch_off(person, code())

    person = signed_in()
    changes[2](codes[0])
    refused(code())
    clock(NOON + 30)
    second_factor.switch_off(person, pyotp.TOTP(OTHER).at(int(NOON + 30)))
    assert not second_factor.has(person.operator_id)


def test_role_that_must_have_a_factor_is_kept_back_and_cannot_switch_it_off(app: Flask) -> None:
    app.config["SECOND_FACTOR_ROLES"] = ("admin",)
    assert (signed_in("Анна", ADMIN).is_kept_back, signed_in("Ольга").is_kept_back) == (True, False)
    with_factor("Анна", ADMIN)
    person = signed_in("Анна", ADMIN)
    assert not person.is_kept_back

    with pytest.raises(ServiceError, match=r"^factor_required$"):
        second_factor.switch_off(person, code())
    app.config["SECOND_FACTOR_ROLES"] = ()
    second_factor.switch_off(person, code())

    assert not second_factor.has(person.operator_id)
    assert [one.id for one in sessions.list_open(person.operator_id)] == [person.session_id]
