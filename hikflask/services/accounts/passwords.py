"""What a good password is, and its scrypt hash."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from threading import BoundedSemaphore

from werkzeug.security import check_password_hash, generate_password_hash

from hikflask.services.accounts.errors import PasswordCommon, PasswordLong, PasswordsBusy, PasswordShort

SHORTEST, LONGEST = 12, 128
# The least that OWASP's Password Storage Cheat Sheet names for 32 MB: N = 2^15, r = 8, p = 3.
METHOD = "scrypt:32768:8:3"
# A hash takes a third of a second and 32 MB: so many at once leave threads and processor to those who look at pages.
AT_ONCE, WAITING = 2, 6
LONGEST_WAIT = 5.0
TRY_AGAIN_AFTER = 5
_PLACES, _TURNS = BoundedSemaphore(AT_ONCE + WAITING), BoundedSemaphore(AT_ONCE)
# zxcvbn's score counts guesses: 0 below a thousand, 1 below a million, … 4 from ten thousand million on.
LOWEST_SCORE = 2
# To judge takes time by the length's third power: of 72 letters some take seconds, and 40 say as much.
LONGEST_JUDGED = 40
# One or two letters among many digits are no word.
SHORTEST_WORD = 3
OUR_WORDS = [
    "hikflask",
    "hikvision",
    "пароль",
    "parol",
    "gfhjkm",
    "администратор",
    "administrator",
    "admin",
    "admin123",
]
# The package's lists have no Russian words: these are what people here put before a year and an exclamation mark.
RUSSIAN_WORDS = """
январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь зима весна лето осень
понедельник вторник среда четверг пятница суббота воскресенье москва питер петербург россия
терминал сотрудник охрана проходная компания работа логин привет любовь солнце счастье зенит спартак
"""
# Signs that stand for a letter within a word.
TO_LETTERS = str.maketrans("@4301$5!7ё", "aaeoissitе")
# A Russian word typed with the Latin keys, and the other way round, is as common as the word itself.
RUSSIAN_KEYS = "йцукенгшщзхъфывапролджэячсмитьбю"
LATIN_KEYS = "qwertyuiop[]asdfghjkl;'zxcvbnm,."
TO_LATIN = str.maketrans(RUSSIAN_KEYS, LATIN_KEYS)


def composed(password: str) -> str:
    """Return the password as it is hashed: the same letters typed on another system are the same password."""
    return unicodedata.normalize("NFC", password)


def refuse_weak(password: str, *about: str) -> None:
    """Check a new password against the rules: 12 to 128 characters, and not one of those that are tried first.

    :param about: names that must not make it strong, such as the operator's own.
    :raises PasswordShort: :raises PasswordLong: :raises PasswordCommon:
    """
    password = composed(password)
    if len(password) < SHORTEST:
        raise PasswordShort(n=SHORTEST)
    if len(password) > LONGEST:
        raise PasswordLong(n=LONGEST)
    known = [*OUR_WORDS, *(word for name in about for word in [name, *name.split()] if word)]
    for spelling in {password, password.casefold().translate(TO_LATIN)}:
        if len(set(spelling)) < SHORTEST // 3 or _score(spelling, known) < LOWEST_SCORE:
            raise PasswordCommon
    if _is_adorned(password, [*known, *("".join(name.split()) for name in about)]):
        raise PasswordCommon


def _is_adorned(password: str, known: list[str]) -> bool:
    """True when it is one common word with digits and signs around it, as the rules of other systems ask for."""
    bare = _without_ends(password.casefold())
    if len(bare) < SHORTEST_WORD:
        return False
    words = {word.casefold().translate(TO_LETTERS) for word in [*known, *RUSSIAN_WORDS.split()]}
    words |= {word.translate(TO_LATIN) for word in words}
    spellings = {bare.translate(to) for to in ({}, TO_LETTERS, TO_LATIN)}
    return not spellings.isdisjoint(words) or any(_is_listed(word) for word in spellings)


def _without_ends(password: str) -> str:
    letters = [place for place, letter in enumerate(password) if letter.isalpha()]
    return password[letters[0] : letters[-1] + 1] if letters else ""


def _is_listed(word: str) -> bool:
    # What an earlier call was told about somebody else stands among the lists, too.
    lists = import_module("zxcvbn").matching.RANKED_DICTIONARIES
    return any(word in ranks for name, ranks in lists.items() if name != "user_inputs")


def _score(password: str, known: list[str]) -> int:
    # Its lists of words take 14 MB, which most processes never need.
    judge = import_module("zxcvbn").zxcvbn
    return int(judge(password[:LONGEST_JUDGED], known)["score"])


def hashed(password: str) -> str:
    """Return the scrypt hash of a password.

    :raises PasswordsBusy:
    """
    with _turn():
        return generate_password_hash(composed(password), method=METHOD)


def fits(password: str, password_hash: str | None) -> bool:
    """True when the hash is the password's; without a hash it takes as long, so that nobody learns who is known.

    :raises PasswordsBusy:
    """
    compared = password_hash or _nobodys_hash()
    with _turn():
        known = check_password_hash(compared, composed(password)[: LONGEST + 1])
    return known and password_hash is not None


@contextmanager
def _turn() -> Iterator[None]:
    """Wait until this process has time for a hash; whoever finds too many waiting already is told at once.

    :raises PasswordsBusy:
    """
    with _held(_PLACES, 0.0), _held(_TURNS, LONGEST_WAIT):
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
