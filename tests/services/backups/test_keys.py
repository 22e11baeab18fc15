"""Keys in a backup open with their passphrase, and with no other."""

import base64
import hashlib
import json
from dataclasses import asdict

import pytest
from cryptography.fernet import Fernet

from hikflask.services.backups import BackupError, keys
from hikflask.services.backups.keys import WRONG, Keys

KEYS = Keys("s" * 40, "p1\np2")
PASSPHRASE = "правильная лошадь"


def test_keys_open_with_the_passphrase_alone() -> None:
    sealed = keys.sealed(KEYS, PASSPHRASE)

    assert keys.opened(sealed, PASSPHRASE) == KEYS
    assert b"ssss" not in sealed
    assert "ssss" not in repr(KEYS)
    assert json.loads(keys.sealed(KEYS, PASSPHRASE))["salt"] != json.loads(sealed)["salt"]
    changed = sealed.replace(b"gAAAAA", b"gAAAAB")
    for content, passphrase in ((sealed, "другая лошадь…"), (changed, PASSPHRASE), (b"{}", PASSPHRASE), (b"x", "x")):
        with pytest.raises(BackupError) as refused:
            keys.opened(content, passphrase)
        assert str(refused.value) == WRONG


def test_guess_at_a_passphrase_costs_128_mb() -> None:
    memory = 128 * keys.COST * keys.BLOCKS * keys.PARALLEL
    assert memory == 128 * 1024 * 1024

    # As written down: backups of today are opened by later versions.
    salt = bytes(keys.SALT_BYTES)
    key = hashlib.scrypt(PASSPHRASE.encode(), salt=salt, n=2**17, r=8, p=1, maxmem=2 * memory, dklen=32)
    token = Fernet(base64.urlsafe_b64encode(key)).encrypt(json.dumps(asdict(KEYS)).encode()).decode()
    assert keys.opened(json.dumps({"salt": salt.hex(), "token": token}).encode(), PASSPHRASE) == KEYS


def test_short_passphrase_is_refused() -> None:
    with pytest.raises(BackupError) as refused:
        keys.sealed(KEYS, "коротко")

    assert str(refused.value) == "The passphrase must have 12 characters or more."
