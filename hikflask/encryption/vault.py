"""Keeps terminal passwords encrypted at rest: the newest key encrypts, every known key decrypts."""

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
# A save that took the newest key just before a rotation has long ended then, and every machine has seen the new file.
GRACE_SECONDS = 120.0
SETTING = "HIKFLASK_PASSWORD_KEY"


class VaultError(RuntimeError):
    """A stored password that no key opens, or keys that cannot be changed; the text says what to do."""


class Vault:
    """Encrypts and decrypts short texts with the keys of the app in use."""

    def init_app(self, app: Flask) -> None:
        """Keep one set of keys per app."""
        file = app.config["PASSWORD_KEY_FILE"]
        app.extensions["vault"] = Keyring(app.config["PASSWORD_KEY"], Path(file) if file else None)

    @property
    def keyring(self) -> "Keyring":
        """The keys of the app in use."""
        keyring: Keyring = current_app.extensions["vault"]
        return keyring

    def encrypt(self, text: str) -> str:
        """Return the text as a Fernet token (ASCII)."""
        return self.keyring.encrypt(text)

    def decrypt(self, token: str) -> str:
        """Return the text of a token.

        :raises VaultError: when no key is the one that the token was made with.
        """
        return self.keyring.decrypt(token)


@dataclass(frozen=True)
class _Keys:
    """Keys as they were read, newest first, and the state of their file then."""

    texts: list[str] = field(repr=False)
    state: tuple[int, int, int] | None = None

    @property
    def ciphers(self) -> list[Fernet]:
        return [Fernet(text.encode()) for text in self.texts]


class Keyring:
    """One app's keys; those of a file are read again when another process changed it."""

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
        """What to do when the right key is missing, as a part of a sentence."""
        restore = f"restore {self.file}, or " if self.file else ""
        return f"{restore}set {SETTING} to the key that they were encrypted with"

    @property
    def count(self) -> int:
        """How many keys there are."""
        return len(self._known().texts)

    def encrypt(self, text: str) -> str:
        """Return the text as a token of the newest key."""
        return MultiFernet(self._known().ciphers).encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        """Return the text of a token. :raises VaultError: when no key opens it."""
        return self._opened(lambda cipher: cipher.decrypt(token.encode())).decode()

    def renew(self, token: str) -> str:
        """Return the token encrypted anew with the newest key. :raises VaultError: when no key opens it."""
        return self._opened(lambda cipher: cipher.rotate(token.encode())).decode()

    def is_newest(self, token: str) -> bool:
        """True when the newest key opens the token."""
        try:
            self._known().ciphers[0].decrypt(token.encode())
        except InvalidToken:
            return False
        return True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Change the key file while no other process does. :raises VaultError: when it cannot be changed."""
        place = self._place()
        try:
            with key_file.held(place):
                self._known(anew=True)
                yield
        except BlockingIOError:
            raise VaultError(f"Another command changes {place} now: run this again when it has ended.") from None
        except OSError as error:
            raise VaultError(f"{place} cannot be changed: {error.strerror}.") from error

    def add(self) -> None:
        """Put a new key first in the file, before the ones that are there. Call it while the file is held."""
        self._replace([Fernet.generate_key().decode(), *self._keys.texts])

    def refuse_to_drop_early(self) -> None:
        """See that nobody can still encrypt with an older key. :raises VaultError: with the seconds to wait."""
        age = time.time() - self._place().stat().st_mtime
        if age < GRACE_SECONDS:
            wait = round(min(GRACE_SECONDS, GRACE_SECONDS - age)) + 1
            raise VaultError(f"The key was changed a moment ago and may not be in use everywhere: wait {wait} seconds.")

    def drop_old(self) -> None:
        """Leave the newest key alone in the file. Call it while the file is held."""
        self._replace(self._keys.texts[:1])

    def _place(self) -> Path:
        if self.file is None:
            raise VaultError(f"The keys come from {self.source}: change them there.")
        return self.file

    def _replace(self, texts: list[str]) -> None:
        key_file.replace(self._place(), "\n".join(texts))
        self._known(anew=True)

    def _opened(self, use: Callable[[MultiFernet], bytes]) -> bytes:
        # The second look does not trust the file's state, which common storage may show late.
        for anew in (False, True):
            try:
                return use(MultiFernet(self._known(anew=anew).ciphers))
            except InvalidToken:
                continue
        raise VaultError(f"The terminals' passwords were encrypted with another key: {self.cure}.")

    def _known(self, *, anew: bool = False) -> _Keys:
        if self.file is None:
            return self._keys
        try:
            state = _state(self.file)
            if anew or state != self._keys.state:
                self._keys = _read(self.file, state)
        except (OSError, ValueError) as error:
            # What was read before still opens what is stored; the next start refuses a file like this.
            log.warning("%s cannot be read (%s): the keys of before stay in use", self.file, type(error).__name__)
        return self._keys


def _state(file: Path) -> tuple[int, int, int]:
    found = file.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _read(file: Path, state: tuple[int, int, int]) -> _Keys:
    keys = _Keys(key_file.split(file.read_text(encoding="ascii")), state)
    MultiFernet(keys.ciphers)  # raises ValueError when one is none, or all are missing
    return keys
