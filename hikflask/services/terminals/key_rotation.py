"""Rotates the encryption key of the stored terminal passwords, and finds passwords that no key decrypts.

A rotation may be interrupted at any moment: the new key is on the disk before it encrypts anything, all passwords
change in one transaction, and older keys stay until a separate command deletes them.
"""

from sqlalchemy import select, text, update

from hikflask.encryption.vault import VaultError
from hikflask.extensions import db, vault
from hikflask.models import Terminal
from hikflask.services import audit
from hikflask.services.core.db import changed_rows


def unreadable() -> list[str]:
    """Return the names of the terminals whose password no key decrypts."""
    statement = select(Terminal.name, Terminal.password_encrypted).order_by(Terminal.name)
    rows = db.session.execute(statement).all()
    db.session.commit()
    return [name for name, token in rows if not _opens(token)]


def rotate() -> int:
    """Make a new key and encrypt all passwords with it; return how many were encrypted. The older keys stay.

    :raises VaultError: when a password cannot be decrypted, or the key file cannot be changed; then nothing changes.
    """
    with vault.keyring.held():
        _refuse_unreadable()
        vault.keyring.add()
        return renew()


def drop_old() -> int:
    """Encrypt the remaining passwords with the newest key and delete the older keys; return how many were encrypted.

    :raises VaultError: when a password cannot be decrypted, or an older key may still be in use.
    """
    with vault.keyring.held():
        vault.keyring.refuse_to_drop_early()
        renewed = renew()
        _put_on_disk()
        vault.keyring.drop_old()
        return renewed


def renew() -> int:
    """Encrypt with the newest key the passwords that an older key encrypted, in one transaction; return how many.

    :raises VaultError: when one cannot be decrypted; then none is changed.
    """
    renewed = 0
    while held_by_older := _held_by_older():
        # All are decrypted before the first is written.
        anew = [(terminal_id, token, vault.keyring.renew(token)) for terminal_id, token in held_by_older]
        written = sum(_write(*row) for row in anew)
        if written:
            audit.note("secrets.rotated", after={"passwords": written})
        db.session.commit()
        renewed += written
    return renewed


def _write(terminal_id: int, old: str, new: str) -> int:
    # A password that was saved meanwhile is left alone; the next round checks it.
    unchanged = update(Terminal).where(Terminal.id == terminal_id, Terminal.password_encrypted == old)
    return changed_rows(unchanged.values(password_encrypted=new))


def _held_by_older() -> list[tuple[int, str]]:
    rows = db.session.execute(select(Terminal.id, Terminal.password_encrypted).order_by(Terminal.id)).all()
    return [(terminal_id, token) for terminal_id, token in rows if not vault.keyring.is_newest(token)]


def _put_on_disk() -> None:
    """Checkpoint SQLite's WAL before keys are deleted.

    After a power failure SQLite may lose its last transactions. The passwords would then need the older keys.
    """
    db.session.commit()
    if db.engine.dialect.name != "sqlite":
        return
    blocked = db.session.execute(text("PRAGMA wal_checkpoint(FULL)")).one()[0]
    db.session.commit()
    if blocked:
        raise VaultError("The database is busy: run this again.")


def _refuse_unreadable() -> None:
    if unreadable():
        raise VaultError(f"Passwords are stored that the keys do not open: {vault.keyring.cure}.")


def _opens(token: str) -> bool:
    try:
        vault.decrypt(token)
    except VaultError:
        return False
    return True
