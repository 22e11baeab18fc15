"""Seals what the audit trail says of a person with that person's own key: without the key nobody can read it.

Entries are never changed, so their personal data must become unreadable without a change. An entry holds a random
pseudonym and a token of Fernet (https://cryptography.io/en/latest/fernet/). The person of the pseudonym, and the key,
are in `person_key` alone; an erasure deletes these rows, and leaves the entries as they were written.
"""

import json
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from cryptography.fernet import Fernet
from sqlalchemy import ColumnElement, Integer, Table, and_, bindparam, delete, event, false, insert, or_, select
from sqlalchemy.orm import Session, SessionTransaction

from hikflask.encryption.vault import VaultError
from hikflask.extensions import db, vault
from hikflask.models import AuditEntry, Employee, PersonKey
from hikflask.services.core.db import changed_rows, insert_now

# What an entry holds under `before` or `after`.
Details = dict[str, Any] | str | None
# The id of an employee, if there is a row, and the number.
Person = tuple[int | None, str]
# A pseudonym, and the key that seals what is said of it.
PersonalKey = tuple[str, bytes]
# Made once: each entry about a person needs it.
THEIRS = (
    select(PersonKey.pseudonym, PersonKey.key_encrypted)
    .where(
        PersonKey.number == bindparam("number"),
        PersonKey.employee_id.is_not_distinct_from(bindparam("employee_id", type_=Integer)),
    )
    .order_by(PersonKey.id)
)
# In the info of a session: the keys that its transaction has used. Saving an employee takes seven entries.
IN_USE = "person_keys"
ADD = insert(cast("Table", PersonKey.__table__))


@dataclass(frozen=True)
class Entry:
    """An entry of the audit trail as it is read: see models/audit.py.

    `is_readable` is False once the person's key is gone. Then number, subject and details are empty.
    """

    id: int
    at: datetime
    actor: str
    address: str
    request_id: str
    action: str
    employee_id: int | None
    terminal: str
    employee: str
    subject: str
    before: Details
    after: Details
    is_readable: bool


def seal(employee_id: int | None, number: str, about: dict[str, Any]) -> tuple[str, str]:
    """Return the pseudonym of a person, and these values as a token. A key is made where the person has none yet."""
    keys = db.session.info.setdefault(IN_USE, {})
    person = (employee_id, number)
    if person not in keys:
        keys[person] = _key_of(employee_id, number)
    pseudonym, key = keys[person]
    return pseudonym, Fernet(key).encrypt(json.dumps({"employee": number, **about}).encode()).decode()


def make_keys(people: Sequence[Person]) -> None:
    """Make the keys of people who were added just now, all by one statement, for entries of this transaction."""
    db.session.info.setdefault(IN_USE, {}).update(zip(people, _make_keys(people), strict=True))


@event.listens_for(db.session, "after_commit")
@event.listens_for(db.session, "after_soft_rollback")
def _forget_keys(session: Session, *_: SessionTransaction) -> None:
    session.info.pop(IN_USE, None)


def opened(rows: Sequence[AuditEntry]) -> list[Entry]:
    """Return entries as they are read."""
    theirs = {row.employee for row in rows if row.sealed}
    kept = select(PersonKey.pseudonym, PersonKey.key_encrypted).where(PersonKey.pseudonym.in_(theirs))
    keys = {pseudonym: _unwrapped(key) for pseudonym, key in db.session.execute(kept)} if theirs else {}
    return [_opened(row, keys.get(row.employee)) for row in rows]


def pseudonyms(number: str) -> list[str]:
    """Return the pseudonyms of all people who have or had a number."""
    return list(db.session.execute(select(PersonKey.pseudonym).where(PersonKey.number == number)).scalars())


def numbers_of(employee_id: int) -> set[str]:
    """Return the numbers that an employee has or had, by the keys of entries, within the caller's transaction."""
    theirs = select(PersonKey.number).where(PersonKey.employee_id == employee_id)
    return set(db.session.execute(theirs).scalars())


def keys_left_by(number: str) -> list[int]:
    """Return the ids of the keys of a number whose owner is no employee any more."""
    living = select(Employee.id).where(Employee.id == PersonKey.employee_id)
    left = select(PersonKey.id).where(PersonKey.number == number, ~living.exists())
    return list(db.session.execute(left).scalars())


def destroy_keys(numbers: Collection[str], employee_id: int | None) -> None:
    """Delete the keys of a person within the caller's transaction; living employees keep theirs.

    :param numbers: the numbers that the person had; those of keys with the `employee_id` are known.
    """
    changed_rows(delete(PersonKey).where(_are_of(numbers, employee_id)))


def names_known(numbers: Collection[str], employee_id: int | None) -> set[str]:
    """Return the names that a person has or had by the entries that destroy_keys() leaves unreadable."""
    insert_now()
    pseudonyms = select(PersonKey.pseudonym).where(_are_of(numbers, employee_id))
    about = select(AuditEntry).where(AuditEntry.employee.in_(pseudonyms), AuditEntry.action.startswith("employee."))
    details = [
        part for entry in opened(list(db.session.execute(about).scalars())) for part in (entry.before, entry.after)
    ]
    return {part["full_name"] for part in details if isinstance(part, dict) and part.get("full_name")}


def _are_of(numbers: Collection[str], employee_id: int | None) -> ColumnElement[bool]:
    own: ColumnElement[bool] = false() if employee_id is None else PersonKey.employee_id == employee_id
    theirs = {*numbers} if employee_id is None else {*numbers, *numbers_of(employee_id)}
    living = or_(Employee.id == PersonKey.employee_id, Employee.number == PersonKey.number)
    nobodys = and_(PersonKey.number.in_(theirs), ~select(Employee.id).where(living).exists())
    return or_(own, nobodys)


def _key_of(employee_id: int | None, number: str) -> PersonalKey:
    """Return the pseudonym and the key of a person; they are made where the person has none that opens."""
    for pseudonym, encrypted in db.session.execute(THEIRS, {"number": number, "employee_id": employee_id}):
        if key := _unwrapped(encrypted):
            return pseudonym, key
    return _make_keys([(employee_id, number)])[0]


def _make_keys(people: Sequence[Person]) -> list[PersonalKey]:
    keys, rows = [], []
    for employee_id, number in people:
        pseudonym, key = secrets.token_hex(16), Fernet.generate_key()
        row = {"pseudonym": pseudonym, "employee_id": employee_id, "number": number}
        rows.append({**row, "key_encrypted": vault.encrypt(key.decode())})
        keys.append((pseudonym, key))
    db.session.execute(ADD, rows)
    return keys


def _unwrapped(encrypted: str) -> bytes | None:
    """Return a key; None when it was encrypted with a password key that is lost."""
    try:
        return vault.decrypt(encrypted).encode()
    except VaultError:
        return None


def _opened(row: AuditEntry, key: bytes | None) -> Entry:
    about: dict[str, Any] = {"employee": "", "subject": row.subject, "before": row.before, "after": row.after}
    if row.sealed and key:
        about = json.loads(Fernet(key).decrypt(row.sealed))
    return Entry(
        id=row.id,
        at=row.at,
        actor=row.actor,
        address=row.address,
        request_id=row.request_id,
        action=row.action,
        employee_id=row.employee_id,
        terminal=row.terminal,
        is_readable=key is not None or not row.sealed,
        **about,
    )
