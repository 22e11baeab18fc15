"""Operators who sign in by LDAP: a row for each who did, with the name and the role of the company's directory.

Local accounts stay local: nobody of the directory gets one that looks like its own name.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import current_app
from sqlalchemy import select, update

from hikflask.extensions import db
from hikflask.models import Operator
from hikflask.models.accounts import LDAP, login_of
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.accounts import reserved_names
from hikflask.services.core.db import changed_rows, transactional
from hikflask.text_rules import MAX_ACCOUNT_LENGTH, MAX_LOGIN_LENGTH

if TYPE_CHECKING:
    from hikflask.services.accounts.ldap import LdapPerson


def is_used() -> bool:
    """Return True when operators may sign in by the directory."""
    return bool(current_app.config["LDAP_URL"])


def can_look_up() -> bool:
    """Return True when the program has an account in the directory, to find people without their password."""
    return is_used() and bool(current_app.config["LDAP_BIND_DN"])


def asks(operator: Operator | None) -> bool:
    """Return True when the directory decides a sign-in under this name: no local operator has it."""
    return is_used() and (operator is None or operator.directory == LDAP)


def admitted(name: str, password: str, count_try: Callable[[str], None]) -> Operator | None:
    """Return the operator whom the directory lets in, with the current name and role; None when it does not.

    :param count_try: see ldap.check(). :raises LdapAway: when the directory does not answer.
    """
    if not is_used():
        return None
    from hikflask.services.accounts import ldap

    person = ldap.check(name, password, count_try)
    return _save(person) if person else None


def refresh(operator: Operator, person: "LdapPerson | None") -> bool:
    """Give an operator the current role within the caller's transaction; return False when the groups give none."""
    values: dict[str, Any] = {"checked_at": database_now()}
    stays = person is not None and person.role is not None and login_of(person.name) == operator.login
    if person and stays:
        values |= {"role": person.role, "name": person.name}
        if person.role != operator.role:
            before, after = {"role": operator.role}, {"role": person.role}
            audit.record("operator.changed", subject=operator.name, before=before, after=after)
    changed_rows(update(Operator).where(Operator.id == operator.id).values(**values))
    return stays


@transactional
def _save(person: "LdapPerson") -> Operator | None:
    """Add or refresh the row of a person with a role. It has no password: only the directory admits its operator."""
    name, role, login = person.name, person.role, login_of(person.name)
    is_reserved = reserved_names.is_reserved(name) or reserved_names.reads_like_token(name)
    if (
        role is None
        or is_reserved
        or len(name) > MAX_ACCOUNT_LENGTH
        or len(login) > MAX_LOGIN_LENGTH
        or not name.isprintable()
    ):
        return None
    operator = _by_login(login)
    if operator is None:
        operator = Operator(name=name, login=login, password_hash="", role=role, directory=LDAP)
        operator.checked_at = database_now()
        db.session.add(operator)
        db.session.flush()
        audit.record("operator.created", subject=name, after={"role": role, "directory": LDAP})
        return operator
    if operator.directory != LDAP or not operator.is_active:
        return None
    refresh(operator, person)
    return _by_login(login)


def _by_login(login: str) -> Operator | None:
    statement = select(Operator).where(Operator.login == login)
    return db.session.execute(statement, execution_options={"populate_existing": True}).scalar_one_or_none()
