"""Rotates the encryption key of what is stored encrypted, and finds what no key decrypts.

That is the passwords of terminals, and the secrets of second factors and webhooks; and for each person a key of the
audit trail, or of a certificate's digest. A rotation may be interrupted at any moment: the new key is on the disk
before it encrypts anything, all secrets change in one transaction, and older keys stay until a separate command deletes
them.
"""

from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.orm import InstrumentedAttribute

from hikflask.encryption.vault import VaultError
from hikflask.extensions import db, vault
from hikflask.models import Erasure, Operator, PersonKey, Terminal, Webhook
from hikflask.services import audit
from hikflask.services.core.db import changed_rows, end_read, transaction

Column = InstrumentedAttribute[Any]
# The columns that hold tokens of the vault, and what the rows are called by.
ENCRYPTED: tuple[tuple[Column, Column], ...] = (
    (Terminal.password_encrypted, Terminal.name),
    (Operator.totp_encrypted, Operator.name),
    (Webhook.secret_encrypted, Webhook.url),
)
# The same for people, of whom there are many. Nobody can type such a key again, so one that is lost stops nothing.
OF_PEOPLE: tuple[Column, ...] = (PersonKey.key_encrypted, Erasure.check_key_encrypted)
BATCH = 500


def unreadable() -> list[str]:
    """Return the names of the terminals, operators and webhooks of which no key decrypts the secret."""
    names = []
    for column, name_column in ENCRYPTED:
        rows = db.session.execute(select(name_column, column).where(column.is_not(None)).order_by(name_column)).all()
        names += [name for name, token in rows if not _opens(token)]
    return names


def rotate() -> int:
    """Make a new key and encrypt all secrets with it; return how many were encrypted. The older keys stay.

    :raises VaultError: when a secret cannot be decrypted, or the key file cannot be changed; then nothing changes.
    """
    with vault.keyring.held():
        if unreadable():
            raise VaultError(f"Secrets are stored that the keys do not open: {vault.keyring.cure}.")
        vault.keyring.add()
        return renew()


def drop_old() -> int:
    """Encrypt the remaining secrets with the newest key and delete the older keys; return how many were encrypted.

    :raises VaultError: when a secret cannot be decrypted, or an older key may still be in use.
    """
    with vault.keyring.held():
        vault.keyring.refuse_to_drop_early()
        renewed = renew()
        end_read()
        # After a power failure SQLite may lose its last transactions: the secrets would then need the older keys.
        is_sqlite = db.engine.dialect.name == "sqlite"
        if is_sqlite and db.session.execute(text("PRAGMA wal_checkpoint(FULL)")).one()[0]:
            raise VaultError("The database is busy: run this again.")
        vault.keyring.drop_old()
        return renewed


def renew() -> int:
    """Encrypt with the newest key what an older key encrypted: all secrets in one transaction; return how many.

    The keys of people follow in batches.

    :raises VaultError: when a secret cannot be decrypted; then none is changed.
    """
    renewed = 0
    while held_by_older := _held_by_older():
        # All are decrypted before the first is written.
        anew = [(where, row_id, token, vault.keyring.renew(token)) for where, row_id, token in held_by_older]
        with transaction():
            written = sum(_write(*row) for row in anew)
            if written:
                audit.record("secrets.rotated", after={"secrets": written})
        renewed += written
    for column in OF_PEOPLE:
        last = 0
        batch = select(column.class_.id, column).where(column != "").order_by(column.class_.id).limit(BATCH)
        while rows := db.session.execute(batch.where(column.class_.id > last)).all():
            last = rows[-1][0]
            with transaction():
                for row_id, token in rows:
                    if not vault.keyring.is_newest(token) and _opens(token):
                        _write(column, row_id, token, vault.keyring.renew(token))
    return renewed


def _write(where: Column, row_id: int, old: str, new: str) -> int:
    # A secret that was saved meanwhile stays; the next pass of renew() checks it.
    unchanged = update(where.class_).where(where.class_.id == row_id, where == old)
    return changed_rows(unchanged.values({where: new}))


def _held_by_older() -> list[tuple[Column, int, str]]:
    older = []
    for column, _ in ENCRYPTED:
        id_column = column.class_.id
        rows = db.session.execute(select(id_column, column).where(column.is_not(None)).order_by(id_column)).all()
        older += [(column, row_id, token) for row_id, token in rows if not vault.keyring.is_newest(token)]
    return older


def _opens(token: str) -> bool:
    try:
        vault.decrypt(token)
    except VaultError:
        return False
    return True
