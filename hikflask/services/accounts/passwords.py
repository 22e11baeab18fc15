"""Which passwords are accepted, and their scrypt hashes."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

from werkzeug.security import check_password_hash, generate_password_hash

from hikflask.services.accounts.errors import PasswordsBusy
from hikflask.services.core.db import end_read
from hikflask.services.core.errors import ServiceError

MIN_LENGTH, MAX_LENGTH = 12, 128
# The least that OWASP's Password Storage Cheat Sheet names for 32 MB: N = 2^15, r = 8, p = 3.
METHOD = "scrypt:32768:8:3"
# A hash takes a third of a second and 32 MB. These limits leave threads and processor time for the pages.
AT_ONCE, WAITING = 2, 6
MAX_WAIT_SECONDS = 5.0
TRY_AGAIN_AFTER = 5
_PLACES, _TURNS = BoundedSemaphore(AT_ONCE + WAITING), BoundedSemaphore(AT_ONCE)
# Of 0 to 4: a password with this score takes more than a hundred million guesses (https://github.com/dropbox/zxcvbn).
MIN_SCORE = 3
# zxcvbn takes time by the third power of the length: seconds for 72 characters. The first 40 say enough.
JUDGED_CHARACTERS = 40
# Words that are guessed first here. zxcvbn has no Russian words, and does not know the Russian keyboard.
OUR_WORDS = (
    "hikflask",
    "hikvision",
    "пароль",
    "parol",
    "gfhjkm",
    "администратор",
    "йцукенгшщзхъ",
    "фывапролджэ",
    "ячсмитьбю",
)


def composed(password: str) -> str:
    """Return the password in Unicode's composed form: systems type the same letters in different forms."""
    return unicodedata.normalize("NFC", password)


def refuse_weak(password: str, *own_words: str) -> None:
    """Check a new password: 12 to 128 characters, and not one of those that are guessed first.

    :param own_words: what is known of the operator, such as the name; such words do not make a password strong.
    :raises password_short: :raises password_long: :raises password_common:
    """
    password = composed(password)
    if len(password) < MIN_LENGTH:
        raise ServiceError("password_short", n=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        raise ServiceError("password_long", n=MAX_LENGTH)
    words = [word for own in own_words for word in (own, *own.split()) if word]
    # Imported when it is needed: its word lists take 14 MB, and most processes never judge a password.
    from zxcvbn import zxcvbn

    if zxcvbn(password[:JUDGED_CHARACTERS], [*OUR_WORDS, *words])["score"] < MIN_SCORE:
        raise ServiceError("password_common")


def hashed(password: str) -> str:
    """Return the scrypt hash of a password. :raises PasswordsBusy: when too many other passwords are being hashed."""
    with _turn():
        return generate_password_hash(composed(password), method=METHOD)


def fits(password: str, password_hash: str | None) -> bool:
    """Return True when the password belongs to the hash.

    :param password_hash: None for an unknown operator. It takes the same time, so that nobody learns who is known.
    :raises PasswordsBusy: when too many other passwords are being hashed.
    """
    compared = password_hash or _nobodys_hash()
    with _turn():
        is_right = check_password_hash(compared, composed(password)[: MAX_LENGTH + 1])
    return is_right and password_hash is not None


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for a turn to compute a hash; refuse at once when too many wait already. :raises PasswordsBusy:"""
    end_read()
    with _held(_PLACES, 0.0), _held(_TURNS, MAX_WAIT_SECONDS):
        yield


@contextmanager
def _held(places: BoundedSemaphore, seconds: float) -> Iterator[None]:
    if not places.acquire(timeout=seconds):
        raise PasswordsBusy(seconds=TRY_AGAIN_AFTER)
    try:
        yield
    finally:
        places.release()


@cache
def _nobodys_hash() -> str:
    return hashed("nobody has this password")
