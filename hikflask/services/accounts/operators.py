"""Operators: created, changed, given another password. There is always an administrator."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from textwrap import wrap
from typing import cast

from flask import current_app
from sqlalchemy import Table, select, update
from sqlalchemy.exc import IntegrityError

from hikflask.extensions import db
from hikflask.models import Operator
from hikflask.models.accounts import ADMIN, LOCAL, login_of
from hikflask.services import audit
from hikflask.services.accounts import passwords, rate_limit, reserved_names, sessions
from hikflask.services.accounts.errors import LdapDecides, OperatorsExist, PasswordWrong
from hikflask.services.core import no_space
from hikflask.services.core.db import changed_rows, lock_table, transaction, transactional
from hikflask.services.core.errors import NotFound, ServiceError

TEMPORARY_BYTES = 12


def create(name: str, password: str, role: str, *, temporary: bool = False) -> Operator:
    """Create an operator.

    :param temporary: the password must be changed at the first sign-in.
    :raises operator_name_known: when another operator has this name, in any case of letters. :raises password_common:
    :raises name_reserved: when the name would read like somebody else's in the audit trail.
    """
    return _add(_new(name, password, role, temporary=temporary))


def _new(name: str, password: str, role: str, *, temporary: bool = False) -> Operator:
    """Return a row that is not added yet: no lock is held while the password is hashed, which takes long."""
    if reserved_names.is_reserved(name) or reserved_names.reads_like_token(name):
        raise ServiceError("name_reserved")
    passwords.refuse_weak(password, name)
    return Operator(
        name=name,
        login=login_of(name),
        password_hash=passwords.hashed(password),
        role=role,
        must_change_password=temporary,
    )


def _add(operator: Operator) -> Operator:
    try:
        with transaction():
            db.session.add(operator)
            db.session.flush()
            audit.record("operator.created", subject=operator.name, after={"role": operator.role})
    except IntegrityError as error:
        raise ServiceError("operator_name_known") from error
    return operator


def create_first(name: str, password: str) -> Operator:
    """Create the first administrator. Of two requests at the same time one succeeds.

    :raises OperatorsExist: when there is an operator already. :raises password_common:
    :raises name_reserved: when the name would read like somebody else's in the audit trail.
    """
    operator = _new(name, password, ADMIN)
    with transaction():
        lock_table(cast("Table", Operator.__table__))
        if exist():
            raise OperatorsExist
        return _add(operator)


def exist() -> bool:
    """Return True when there is at least one operator."""
    return db.session.execute(select(Operator.id).limit(1)).first() is not None


@transactional
def change(
    operator_id: int, role: str | None, is_active: bool | None, require: Callable[[Operator], object] | None = None
) -> Operator:
    """Change the role of an operator, and whether the operator may sign in; if not, all sessions end at once.

    :param role: None, as for `is_active`: it stays as it is once the row is locked.
    :param require: is called with the locked row, and raises when nothing is to be done.
    :raises last_administrator: when no local administrator would be left. :raises operator_unknown: no such operator.
    :raises LdapDecides: when the role of somebody of the directory is to be another one.
    """
    # Of two who remove each other, the second waits here and then sees what the first did.
    changed_rows(update(Operator).where(Operator.role == ADMIN).values(role=ADMIN))
    operator = db.session.get(Operator, operator_id, populate_existing=True, with_for_update={"key_share": True})
    if operator is None:
        raise NotFound("operator_unknown")
    if require:
        require(operator)
    role = operator.role if role is None else role
    is_active = operator.is_active if is_active is None else is_active
    if operator.directory and role != operator.role:
        raise LdapDecides
    before, after = {"role": operator.role, "is_active": operator.is_active}, {"role": role, "is_active": is_active}
    # A local one: when the directory is away, somebody must still get in.
    is_local_admin = (Operator.role == ADMIN, Operator.is_active, Operator.directory == LOCAL)
    if not (role == ADMIN and is_active):
        left = select(Operator.id).where(Operator.id != operator_id, *is_local_admin)
        was_local_admin = operator.role == ADMIN and operator.is_active and operator.directory == LOCAL
        if was_local_admin and db.session.execute(left.limit(1)).first() is None:
            raise ServiceError("last_administrator")
    operator.role, operator.is_active = role, is_active
    db.session.flush()
    if not is_active:
        sessions.end_all(operator_id)
    audit.record("operator.changed", subject=operator.name, before=before, after=after)
    return operator


def set_password(operator_id: int, password: str, *, keep_session: int | None = None, temporary: bool = False) -> None:
    """Set another password. Other sessions of the operator end, and counted tries to sign in are reset.

    :param keep_session: id of the session that stays open, when operators change their own password.
    :param temporary: the password must be changed at the next sign-in.
    :raises password_common: :raises PasswordsBusy: :raises operator_unknown: when there is no such operator.
    :raises LdapDecides: when the operator is of the directory.
    :raises PasswordWrong: when that session has ended meanwhile, because an administrator set another password.
    """
    operator = get_one(operator_id)
    if operator.directory:
        raise LdapDecides
    passwords.refuse_weak(password, operator.name)
    hashed = passwords.hashed(password)
    with transaction():
        operator.password_hash, operator.must_change_password = hashed, temporary
        if sessions.end_all(operator_id, keep_session) != (keep_session is not None):
            raise PasswordWrong
        audit.record("operator.password_reset" if temporary else "operator.password_changed", subject=operator.name)
        rate_limit.reset_account(rate_limit.account_key(operator.login))


def remember_view(operator_id: int, view: str) -> None:
    """Write how an operator looks at the employees, to be shown so the next time."""
    with no_space.ignored(), transaction():
        changed_rows(update(Operator).where(Operator.id == operator_id).values(employees_view=view))


def temporary_password() -> str:
    """Return a new random password, which an operator is given once (16 characters, 96 bits)."""
    return secrets.token_urlsafe(TEMPORARY_BYTES)


def list_all() -> list[Operator]:
    """Return all operators, sorted by name."""
    statement = select(Operator).order_by(Operator.login)
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())


def by_name(name: str) -> Operator | None:
    """Return the operator with this name, in capital letters or not, or None."""
    return db.session.execute(select(Operator).where(Operator.login == login_of(name))).scalar_one_or_none()


def get(operator_id: int) -> Operator | None:
    """Return the operator as the row is in the database now, or None."""
    return db.session.get(Operator, operator_id, populate_existing=True)


def get_one(operator_id: int) -> Operator:
    """Return the operator as the row is in the database now.

    :raises operator_unknown: when there is no such operator.
    """
    operator = get(operator_id)
    if operator is None:
        raise NotFound("operator_unknown")
    return operator


SETUP_CODE_BYTES = 10
SETUP_TRIES = 10
SETUP_WINDOW_SECONDS = 900.0


def setup_code() -> str:
    """Return the code that creates the first administrator: 16 letters and digits in groups of four (80 bits).

    It is made from the secret key, so all processes of one installation show and accept the same code.
    """
    secret = str(current_app.config["SECRET_KEY"]).encode()
    digest = hmac.new(secret, b"first administrator", hashlib.sha256).digest()[:SETUP_CODE_BYTES]
    text = base64.b32encode(digest).decode()
    return "-".join(wrap(text, 4))


def create_administrator(typed: str, name: str, password: str, address: str) -> Operator:
    """Create the first administrator.

    :param typed: the code, with or without its dashes. :param address: network address of the browser.
    :raises OperatorsExist: when there is an operator already. :raises code_wrong: :raises TooOften:
    :raises password_common: :raises name_reserved: when the name would read like somebody else's in the audit trail.
    """
    if exist():
        raise OperatorsExist
    rate_limit.count_try(f"first-run:{rate_limit.place_of(address)}", SETUP_TRIES, SETUP_WINDOW_SECONDS)
    if not hmac.compare_digest(_letters_of(typed), _letters_of(setup_code())):
        raise ServiceError("code_wrong")
    return create_first(name, password)


def _letters_of(text: str) -> bytes:
    return "".join(letter for letter in text.upper() if letter.isalnum()).encode()
