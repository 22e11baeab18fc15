"""Keys in a backup open with their passphrase, and with no other."""

import pytest

from hikflask.services.backups import BackupError, keys
from hikflask.services.backups.keys import WRONG, Keys

KEYS = Keys("s" * 40, "p1\np2")
PASSPHRASE = "правильная лошадь"


def test_keys_open_with_the_passphrase_alone() -> None:
    sealed = keys.sealed(KEYS, PASSPHRASE)

    assert keys.opened(sealed, PASSPHRASE) == KEYS
    assert b"ssss" not in sealed
    assert "ssss" not in repr(KEYS)
    assert keys.sealed(KEYS, PASSPHRASE) != sealed
    changed = sealed.replace(b"gAAAAA", b"gAAAAB")
    for content, passphrase in ((sealed, "другая лошадь…"), (changed, PASSPHRASE), (b"{}", PASSPHRASE), (b"x", "x")):
        with pytest.raises(BackupError) as refused:
            keys.opened(content, passphrase)
        assert str(refused.value) == WRONG


def test_short_passphrase_is_refused() -> None:
    with pytest.raises(BackupError) as refused:
        keys.sealed(KEYS, "коротко")

    assert str(refused.value) == "The passphrase must have 12 characters or more."
