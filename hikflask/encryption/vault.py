"""Encrypts the terminals' passwords and other secrets for the database: with the newest key. All keys decrypt."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from flask import Flask, current_app

from hikflask.encryption import key_file

log = logging.getLogger(__name__)
# After this time every machine has read the new key file, and every save that began with the old key has ended.
GRACE_SECONDS = 120.0
SETTING = "HIKFLASK_PASSWORD_KEY"


class VaultError(RuntimeError):
    """No key decrypts a stored password, or the keys cannot be changed. The text says what to do."""


class Vault:
    """Encrypts and decrypts short texts with the keys of the current app."""

    def init_app(self, app: Flask) -> None:
        """Give the app its keys."""
        file = app.config["PASSWORD_KEY_FILE"]
        app.extensions["vault"] = Keyring(app.config["PASSWORD_KEY"], Path(file) if file else None)

    @property
    def keyring(self) -> "Keyring":
        """The keys of the current app."""
        keyring: Keyring = current_app.extensions["vault"]
        return keyring

    def encrypt(self, text: str) -> str:
        """Return the text as a Fernet token (ASCII)."""
        return self.keyring.encrypt(text)

    def decrypt(self, token: str) -> str:
        """Return the text of a token. :raises VaultError: when no key decrypts it."""
        return self.keyring.decrypt(token)


@dataclass(frozen=True)
class _Keys:
    """Keys as they were read, the newest first, and the state of their file at that time."""

    texts: list[str] = field(repr=False)
    state: tuple[int, int, int] | None = None

    @property
    def ciphers(self) -> list[Fernet]:
        return [Fernet(text.encode()) for text in self.texts]


class Keyring:
    """The keys of one app. A key file is read again when another process has changed it."""

    def __init__(self, text: str, file: Path | None) -> None:
        self.file = file
        self._keys = _Keys(key_file.split(text))

    def __repr__(self) -> str:
        return f"<Keyring of {self.source}>"

    @property
    def source(self) -> str:
        """Where the keys come from: the file, or the name of the setting."""
        return str(self.file or SETTING)

    @property
    def cure(self) -> str:
        """What to do when the right key is missing, as part of a sentence."""
        restore = f"restore {self.file}, or " if self.file else ""
        return f"{restore}set {SETTING} to the key that they were encrypted with"

    @property
    def count(self) -> int:
        """How many keys there are."""
        return len(self._current().texts)

    def encrypt(self, text: str) -> str:
        """Return the text as a token of the newest key."""
        return MultiFernet(self._current().ciphers).encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        """Return the text of a token. :raises VaultError: when no key decrypts it."""
        return self._opened(lambda cipher: cipher.decrypt(token.encode())).decode()

    def renew(self, token: str) -> str:
        """Return the token encrypted again with the newest key. :raises VaultError: when no key decrypts it."""
        return self._opened(lambda cipher: cipher.rotate(token.encode())).decode()

    def is_newest(self, token: str) -> bool:
        """Return True when the newest key decrypts the token."""
        try:
            self._current().ciphers[0].decrypt(token.encode())
        except InvalidToken:
            return False
        return True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Lock the key file against other processes within the block. :raises VaultError: when it cannot be changed."""
        place = self._place()
        try:
            with key_file.held(place):
                self._current(anew=True)
                yield
        except BlockingIOError:
            raise VaultError(f"Another command changes {place} now: run this again when it has ended.") from None
        except OSError as error:
            raise VaultError(f"{place} cannot be changed: {error.strerror}.") from error

    def add(self) -> None:
        """Write a new key before the others in the file. Call this within held()."""
        self._replace([Fernet.generate_key().decode(), *self._keys.texts])

    def refuse_to_drop_early(self) -> None:
        """Check that no process encrypts with an older key any more. :raises VaultError: with the seconds to wait."""
        age = time.time() - self._place().stat().st_mtime
        if age < GRACE_SECONDS:
            wait = round(min(GRACE_SECONDS, GRACE_SECONDS - age)) + 1
            raise VaultError(f"The key was changed a moment ago and may not be in use everywhere: wait {wait} seconds.")

    def drop_old(self) -> None:
        """Remove all keys but the newest from the file. Call this within held()."""
        self._replace(self._keys.texts[:1])

    def _place(self) -> Path:
        if self.file is None:
            raise VaultError(f"The keys come from {self.source}: change them there.")
        return self.file

    def _replace(self, texts: list[str]) -> None:
        key_file.replace(self._place(), "\n".join(texts))
        self._current(anew=True)

    def _opened(self, use: Callable[[MultiFernet], bytes]) -> bytes:
        # The second time the file is read in any case: shared storage may show a change late.
        for anew in (False, True):
            try:
                return use(MultiFernet(self._current(anew=anew).ciphers))
            except InvalidToken:
                continue
        raise VaultError(f"The terminals' passwords were encrypted with another key: {self.cure}.")

    def _current(self, *, anew: bool = False) -> _Keys:
        if self.file is None:
            return self._keys
        try:
            status = self.file.stat()
            state = (status.st_ino, status.st_mtime_ns, status.st_size)
            if anew or state != self._keys.state:
                keys = _Keys(key_file.split(self.file.read_text(encoding="ascii")), state)
                MultiFernet(keys.ciphers)  # raises ValueError when one is no key, or all are missing
                self._keys = keys
        except (OSError, ValueError) as error:
            # The keys that were read before still decrypt what is stored. The next start refuses such a file.
            log.warning("%s cannot be read (%s): the keys of before stay in use", self.file, type(error).__name__)
        return self._keys
