"""Operators who sign in by LDAP: a row for each who did, with the name and the role of the company's directory.

Local accounts stay local: nobody of the directory gets one that looks like its own name.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import current_app
from sqlalchemy import Update, select, update

from hikflask.extensions import db
from hikflask.models import Operator
from hikflask.models.columns import database_now
from hikflask.models.operator import LDAP, login_of
from hikflask.services import audit
from hikflask.services.accounts import reserved_names
from hikflask.services.core.db import changed_rows, transactional

if TYPE_CHECKING:
    from hikflask.services.accounts.ldap import LdapPerson

# As the columns of operator.
MAX_NAME_LENGTH, MAX_LOGIN_LENGTH = 64, 128


def is_used() -> bool:
    """Return True when operators may sign in by the directory."""
    return bool(current_app.config["LDAP_URL"])


def can_look_up() -> bool:
    """Return True when the program has an account in the directory, to find people without their password."""
    return is_used() and bool(current_app.config["LDAP_BIND_DN"])


def asks(operator: Operator | None) -> bool:
    """Tell whether a sign-in under this name is the directory's to judge: nobody local has the name."""
    return is_used() and (operator is None or operator.directory == LDAP)


def admitted(name: str, password: str, count_try: Callable[[str], None]) -> Operator | None:
    """Return the operator whom the directory lets in, with the present name and role; None when it does not.

    :param count_try: see directory.check().
    :raises LdapAway:
    """
    if not is_used():
        return None
    from hikflask.services.accounts import ldap

    found = ldap.check(name, password, count_try)
    return _refreshed(found) if found else None


def refresh(operator: Operator, found: "LdapPerson | None") -> bool:
    """Give an operator the present role; False for somebody who left the groups. Within the caller's transaction."""
    values = {"checked_at": database_now()}
    if found is not None and found.role is not None and login_of(found.name) == operator.login:
        if found.role != operator.role:
            audit.record(
                "operator.changed", subject=operator.name, before={"role": operator.role}, after={"role": found.role}
            )
        changed_rows(_row(operator.id).values(role=found.role, name=found.name, **values))
        return True
    changed_rows(_row(operator.id).values(**values))
    return False


@transactional
def _refreshed(found: "LdapPerson") -> Operator | None:
    if found.role is None or not _is_usable(found.name):
        return None
    operator = _by_login(login_of(found.name))
    if operator is None:
        return _added(found, found.role)
    if operator.directory != LDAP or not operator.is_active:
        return None
    refresh(operator, found)
    return _by_login(operator.login)


def _is_usable(name: str) -> bool:
    reserved = reserved_names.is_reserved(name) or reserved_names.reads_like_token(name)
    is_short = len(name) <= MAX_NAME_LENGTH and len(login_of(name)) <= MAX_LOGIN_LENGTH
    return is_short and name.isprintable() and not reserved


def _added(found: "LdapPerson", role: str) -> Operator | None:
    """Add a row. It has no password, so that nothing but the directory lets its operator in."""
    operator = Operator(name=found.name, login=login_of(found.name), password_hash="", role=role, directory=LDAP)
    operator.checked_at = database_now()
    db.session.add(operator)
    db.session.flush()
    audit.record("operator.created", subject=operator.name, after={"role": role, "directory": LDAP})
    return operator


def _by_login(login: str) -> Operator | None:
    statement = select(Operator).where(Operator.login == login)
    return db.session.execute(statement, execution_options={"populate_existing": True}).scalar_one_or_none()


def _row(operator_id: int) -> Update:
    return update(Operator).where(Operator.id == operator_id)
