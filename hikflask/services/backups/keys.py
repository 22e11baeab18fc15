"""The keys of an installation in a backup: encrypted with Fernet, under a key that scrypt derives from a passphrase."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken

from hikflask.services.backups import BackupError

MIN_PASSPHRASE_LENGTH = 12
SALT_BYTES = 16
# OWASP's Password Storage Cheat Sheet: at least 2**17 with r=8, p=1. It takes 128 MB for a moment.
COST, BLOCKS, PARALLEL = 2**17, 8, 1
MEMORY = 256 * COST * BLOCKS
WRONG = "The passphrase does not open the keys in this backup, or they were changed."


@dataclass(frozen=True)
class Keys:
    """The secret key, and the keys of the terminals' passwords with the newest first, one a line."""

    secret_key: str = field(repr=False)
    password_key: str = field(repr=False)


def sealed(keys: Keys, passphrase: str) -> bytes:
    """Return the keys, encrypted under a passphrase. :raises BackupError: when the passphrase is too short."""
    if len(passphrase) < MIN_PASSPHRASE_LENGTH:
        raise BackupError(f"The passphrase must have {MIN_PASSPHRASE_LENGTH} characters or more.")
    salt = secrets.token_bytes(SALT_BYTES)
    text = json.dumps({"secret_key": keys.secret_key, "password_key": keys.password_key})
    token = _cipher(passphrase, salt).encrypt(text.encode()).decode()
    return json.dumps({"kdf": "scrypt", "salt": salt.hex(), "token": token}).encode()


def opened(content: bytes, passphrase: str) -> Keys:
    """Return the keys of a backup. :raises BackupError: when the passphrase is wrong."""
    try:
        values = json.loads(content)
        text = _cipher(passphrase, bytes.fromhex(values["salt"])).decrypt(values["token"].encode())
        return Keys(**json.loads(text))
    except (InvalidToken, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError(WRONG) from error


def _cipher(passphrase: str, salt: bytes) -> Fernet:
    key = hashlib.scrypt(passphrase.encode(), salt=salt, n=COST, r=BLOCKS, p=PARALLEL, maxmem=MEMORY, dklen=32)
    return Fernet(base64.urlsafe_b64encode(key))
