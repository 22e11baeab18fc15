"""The second factor of an operator: codes of an app (TOTP, RFC 6238), and recovery codes for when it is lost.

The secret is stored encrypted (vault), of a recovery code its SHA-256. A code of the app is accepted once, within the
present half minute and those beside it.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from textwrap import wrap

import pyotp
from flask import current_app
from sqlalchemy import delete, func, select, update

from hikflask.encryption.vault import VaultError
from hikflask.extensions import db, vault
from hikflask.models import Operator, OperatorSession, RecoveryCode
from hikflask.services import audit
from hikflask.services.accounts import operators, rate_limit, sessions, sign_in_limits
from hikflask.services.accounts.errors import FactorCodeWrong, SignInRefused
from hikflask.services.accounts.sessions import SignedIn
from hikflask.services.core.db import changed_rows, transaction
from hikflask.services.core.errors import ServiceError

ISSUER = "hikflask"
STEP_SECONDS = 30
# A clock may be a step behind or ahead.
STEPS = (-1, 0, 1)
DIGITS = 6
# How many accepted codes are remembered. More than one may be of the future: a clock was ahead.
REMEMBERED = 20
RECOVERY_CODES = 10
# 80 bits, so a quick hash is enough.
RECOVERY_BYTES = 10
# Wrong codes of one account from unknown devices, beside the limits of passwords: there are a million codes, and nobody
# with the password must try them all in a year.
LONG_TRIES, LONG_SECONDS = 30, 43200.0


def new_secret() -> str:
    """Return a new secret for an app (160 bits, as Base32)."""
    return pyotp.random_base32()


def sealed(secret: str) -> str:
    """Return a secret encrypted, to be kept where it is set up: only this program can read it."""
    return vault.encrypt(secret)


def unsealed(token: str) -> str | None:
    """Return the secret of sealed(), or None when none of the current keys opens it."""
    try:
        return vault.decrypt(token)
    except VaultError:
        return None


def address_of(secret: str, name: str) -> str:
    """Return the otpauth:// address that an app reads from the QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def has(operator_id: int) -> bool:
    """Return True when the operator has a second factor."""
    return operators.get_one(operator_id).totp_encrypted is not None


def codes_left(operator_id: int) -> int:
    """Return how many recovery codes the operator has left."""
    own_codes = select(func.count()).select_from(RecoveryCode).where(RecoveryCode.operator_id == operator_id)
    return db.session.execute(own_codes).scalar_one()


def open_session(pending: OperatorSession, code: str, address: str, device: str = "") -> str:
    """Open the session of an operator whose password was right, and return its new key.

    :param code: of the app, or a recovery code. :param address: of the browser. :param device: its known devices.
    :raises FactorCodeWrong: :raises TooOften: :raises SignInRefused: when the session has ended meanwhile.
    """
    operator = operators.get_one(pending.operator_id)
    place = rate_limit.place_of(address)
    known_device = sign_in_limits.device_of(device, operator)
    tries = sign_in_limits.tries_of(f"factor:{operator.id}", place, known_device)
    with audit.acting(audit.Actor(operator.name, address, audit.current_actor().request_id)):
        with sign_in_limits.throttling_recorded(operator.name):
            sign_in_limits.count_tries(tries)
            if not known_device:
                rate_limit.count_try(f"factor-long:{operator.id}", LONG_TRIES, LONG_SECONDS)
        key, hashed = sessions.new_key()
        waiting = (OperatorSession.id == pending.id, OperatorSession.factor_pending)
        opened = update(OperatorSession).where(*waiting).values(factor_pending=False, key_sha256=hashed)
        with _code_used(operator, code):
            sessions.complete_sign_in(operator)
            if changed_rows(opened) != 1:
                raise SignInRefused
    sign_in_limits.uncount_tries([*tries, f"factor-long:{operator.id}"])
    return key


def set_up(person: SignedIn, secret: str, code: str, present_code: str = "") -> list[str]:
    """Give an operator a second factor, or another one; all other sessions end. Return the recovery codes.

    :param code: of the app with this secret, which shows that the app has it.
    :param present_code: of the factor that is replaced, where there is one.
    :raises FactorCodeWrong: :raises TooOften:
    :raises SignInRefused: when the session has ended meanwhile.
    """
    tries = _count_try(person)
    step = _step_of(secret, code, None)
    if step is None:
        raise FactorCodeWrong
    operator = operators.get_one(person.operator_id)
    own_row = update(Operator).where(Operator.id == person.operator_id)
    owner = transaction() if operator.totp_encrypted is None else _code_used(operator, present_code)
    try:
        with owner:
            changed_rows(own_row.values(totp_encrypted=vault.encrypt(secret), totp_step=step, totp_used=str(step)))
            if sessions.end_all(person.operator_id, person.session_id) != 1:
                raise SignInRefused
            codes = _replace_codes(person.operator_id)
            audit.record("second_factor.set_up", subject=person.name)
    except FactorCodeWrong as error:
        raise FactorCodeWrong("factor_code_wrong") from error
    sign_in_limits.uncount_tries(tries)
    return codes


def new_codes(person: SignedIn, code: str) -> list[str]:
    """Give an operator new recovery codes, and return them; the earlier ones are worthless.

    :param code: of the app, or a recovery code: the password and an open session alone are not enough.
    :raises factor_missing: when there is no second factor. :raises FactorCodeWrong: :raises TooOften:
    """
    tries = _count_try(person)
    with _own_code_used(person, code):
        codes = _replace_codes(person.operator_id)
        audit.record("second_factor.new_codes", subject=person.name)
    sign_in_limits.uncount_tries(tries)
    return codes


def switch_off(person: SignedIn, code: str) -> None:
    """Remove the operator's own second factor.

    :param code: of the app, or a recovery code.
    :raises factor_required: when the role must have one. :raises factor_missing: when there is none.
    :raises FactorCodeWrong: :raises TooOften:
    """
    if person.role in current_app.config["SECOND_FACTOR_ROLES"]:
        raise ServiceError("factor_required")
    tries = _count_try(person)
    with _own_code_used(person, code):
        _remove(person.operator_id, person.session_id)
    sign_in_limits.uncount_tries(tries)


def remove(operator_id: int) -> None:
    """Remove the second factor of another operator, who lost it; all sessions of that operator end.

    :raises factor_missing: when there is none. :raises operator_unknown: when there is no such operator.
    """
    _remove(operators.get_one(operator_id).id, None)


def _remove(operator_id: int, keep: int | None) -> None:
    operator = db.session.get_one(Operator, operator_id)
    with_factor = update(Operator).where(Operator.id == operator_id, Operator.totp_encrypted.is_not(None))
    with transaction():
        if not changed_rows(with_factor.values(totp_encrypted=None, totp_step=None, totp_used="")):
            raise ServiceError("factor_missing")
        db.session.execute(delete(RecoveryCode).where(RecoveryCode.operator_id == operator_id))
        sessions.end_all(operator_id, keep)
        audit.record("second_factor.removed", subject=operator.name)


def _count_try(person: SignedIn) -> list[str]:
    """Count a try at a code in an open session, and return its keys. :raises TooOften:"""
    soon, late = f"factor-session:{person.session_id}", f"factor-session-long:{person.session_id}"
    rate_limit.count_try(soon, sign_in_limits.CONFIRMATIONS, sign_in_limits.WINDOW_SECONDS)
    rate_limit.count_try(late, LONG_TRIES, LONG_SECONDS)
    return [soon, late]


@contextmanager
def _own_code_used(person: SignedIn, code: str) -> Iterator[None]:
    operator = operators.get_one(person.operator_id)
    if operator.totp_encrypted is None:
        raise ServiceError("factor_missing")
    with _code_used(operator, code):
        yield


@contextmanager
def _code_used(operator: Operator, code: str) -> Iterator[None]:
    """Own a transaction that uses up a code. :raises FactorCodeWrong: noted in the trail."""
    try:
        with transaction():
            if not _use_totp(operator, code):
                is_own = (RecoveryCode.operator_id == operator.id, RecoveryCode.code_sha256 == _hash(code))
                if changed_rows(delete(RecoveryCode).where(*is_own)) != 1:
                    raise FactorCodeWrong
                audit.record("second_factor.code_used", subject=operator.name)
            yield
    except FactorCodeWrong:
        audit.record_alone("second_factor.refused", subject=operator.name)
        raise


def _use_totp(operator: Operator, code: str) -> bool:
    if operator.totp_encrypted is None:
        return False
    before = operator.totp_used
    used = set(map(int, before.split()))
    step = _step_of(vault.decrypt(operator.totp_encrypted), code, operator.totp_step, used)
    if step is None:
        return False
    newest = " ".join(map(str, sorted({*used, step})[-REMEMBERED:]))
    # Of two requests with the same code at once, one changes the row.
    unchanged = (Operator.totp_encrypted == operator.totp_encrypted, Operator.totp_used == before)
    own_row = update(Operator).where(Operator.id == operator.id, *unchanged)
    return changed_rows(own_row.values(totp_step=step, totp_used=newest)) == 1


def _step_of(secret: str, code: str, last: int | None, used: Collection[int] = ()) -> int | None:
    """Return the step of which this is the code, or None when there is none that may still be used.

    :param last: the step that was used last. :param used: the newest steps that were used.
    """
    digits = "".join(code.split())
    now, totp = int(time.time() // STEP_SECONDS), pyotp.TOTP(secret, digits=DIGITS)
    # A last step of the future was used while the clock was ahead: it says nothing about those of the present, and is
    # remembered for when its time comes.
    last = None if last is not None and last > now + STEPS[-1] else last
    for step in (now + ahead for ahead in STEPS):
        is_forgotten = len(used) >= REMEMBERED and step < min(used)
        is_used = step in used or is_forgotten or (last is not None and step <= last)
        if not is_used and hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode()):
            return step
    return None


def _replace_codes(operator_id: int) -> list[str]:
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.operator_id == operator_id))
    texts = [base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES)]
    codes = ["-".join(wrap(text, 4)) for text in texts]
    db.session.add_all(RecoveryCode(operator_id=operator_id, code_sha256=_hash(code)) for code in codes)
    return codes


def _hash(code: str) -> str:
    """Return the SHA-256 of a recovery code as it is typed, with or without its dashes."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()
