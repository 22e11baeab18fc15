"""Whether two names may be the same person's, however they are spelled: a hint for people, never a decision.

Words are compared in the plainest of their Latin spellings, so that neither the alphabet counts, nor ё or е.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from hikflask.text_rules import folded, mended

# Of two words that long, so much is the same where one of them has a slip.
MIN_SIMILAR = 0.75
MIN_LENGTH = 3
# To compare more words of a hostile name would take long.
MAX_WORDS = 8
_WORDS = re.compile(r"[^\W_]+")
_PATRONYMIC = re.compile(r".+(?:[oe]v(?:ic|na)|ic(?:na)?)\Z")
# As _words() leaves Иванов, Иванова, Чайковский, Шевченко, Ковальчук.
_SURNAME = re.compile(r".+(?:[oe]va?|sk[ia]|enko|[cn]uk)\Z")
_CYRILLIC = re.compile(r"[\u0400-\u052f]")
_LETTERS = dict(zip("абвгдезиклмнопрстуфхцчшщыэюяіўґ", "abvgdeziklmnoprstufhccssieuaiug", strict=True))
_PLAIN = str.maketrans(
    {**_LETTERS, "ж": "z", "є": "e", "ъ": "", "ь": "", "'": "", "y": "i", "j": "i", "w": "v", "x": "ks"}
)
_SPELLINGS = {
    **{"shch": "s", "sch": "s", "sh": "s", "ch": "c", "ts": "c", "zh": "z", "kh": "h", "ph": "f", "ck": "k"},
    **{"io": "e", "iu": "u", "ia": "a", "ie": "e"},
}
_SPELLING = re.compile("|".join(_SPELLINGS))
_TWICE = re.compile(r"(.)\1+")


@dataclass(frozen=True)
class _Shared:
    """How many words the shorter of two names has, how many of them are in the other one, and how many in full."""

    words: int
    shared: int
    in_full: int


def are_similar(one: str, other: str) -> bool:
    """True when each word of the shorter name is among those of the longer: in any order, with a slip, cut, or as an
    initial. A word in full must be among them.
    """
    found = _share(one, other)
    return found.in_full > 0 and found.shared == found.words


def are_wholly_other(one: str, other: str) -> bool:
    """True when two names can hardly be the same person's: of the shorter one, at most half of the words are shared.

    Another surname beside the same first name and patronymic, as after a marriage, makes no other person; beside the
    same first name alone it does, and so does another first name before a patronymic, as a brother has. A name without
    letters says nothing.
    """
    if not all(any(map(str.isalpha, name)) for name in (one, other)):
        return False
    given = [_given_names(_words(name)) for name in (one, other)]
    if all(given) and not _similarity(given[0][0], given[1][0]):
        return True
    found = _share(one, other)
    return not found.in_full or 2 * found.shared <= found.words


def have_other_given_names(one: str, other: str) -> bool:
    """True when a first name or a patronymic is another one, as that of a relative or of a namesake is: Anna and Inna,
    Ivan and Ivana. Spellings of a name, initials, and a word that one of them has more make no other.

    Whether a slip has made another name of one only a list of all names could tell, so any other word counts. A surname
    may be another one beside a patronymic, and have a slip where both words end like one.
    """
    # In the other alphabet a name has several spellings, such as Alexander: are_wholly_other() allows for them.
    if len({bool(_CYRILLIC.search(name)) for name in (one, other)}) > 1:
        return False
    # A number that tells namesakes apart is no name.
    words = [[word for word in _words(name) if not word.isdigit()] for name in (one, other)]
    # Вели Гасан оглы, Вели Гасаноглы.
    if not all(words) or "".join(words[0]) == "".join(words[1]):
        return False
    given = [_given_names(each) for each in words]
    if all(given):
        return not all(map(_are_spellings, *given))
    left, others = _unshared(*words)
    is_slip = len(left) == len(others) == 1 and _similarity(*left, *others) > 0
    return bool(left and others) and not (is_slip and all(map(_SURNAME.match, (*left, *others))))


def has_fewer_words(name: str, former: str) -> bool:
    """True when a name has lost words, as a patronymic; not when two are written as one. A number is no word."""
    words, others = ([word for word in _words(each) if not word.isdigit()] for each in (name, former))
    return len(words) < len(others) and "".join(words) != "".join(others)


def has_initials_of(short: str, full: str) -> bool:
    """True when a name has initials in place of words of another one, and the other words are the same."""
    words, left = (_WORDS.findall(folded(name)) for name in (short, full))
    initials = [word for word in words if len(word) == 1]
    for word in words:
        if len(word) > 1:
            if word not in left:
                return False
            left.remove(word)
    in_place = all(len(word) > 1 and word[0] == initial for initial, word in zip(initials, left, strict=False))
    return 0 < len(initials) <= len(left) and in_place


def _unshared(words: Sequence[str], others: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the words of each of two names that the other one has not. An initial takes the longest that is left."""
    left, unmatched = [], sorted(others, key=len, reverse=True)
    for word in sorted(words, key=len, reverse=True):
        match = next((other for other in unmatched if _are_spellings(word, other)), None)
        if match is None:
            left.append(word)
        else:
            unmatched.remove(match)
    return left, unmatched


def _are_spellings(one: str, other: str) -> bool:
    return one[0] == other[0] if 1 in {len(one), len(other)} else one == other


def _share(one: str, other: str) -> _Shared:
    fewer, longer = sorted((_words(one), _words(other)), key=len)
    more = list(longer)
    shared = in_full = 0
    # An initial takes what the words in full leave.
    for word in sorted(fewer, key=len, reverse=True):
        match = max(more, key=lambda candidate: _similarity(word, candidate), default="")
        if _similarity(word, match):
            more.remove(match)
            shared += 1
            in_full += min(len(word), len(match)) > 1
    return _Shared(len(fewer), shared, in_full)


def _given_names(words: Sequence[str]) -> tuple[str, ...]:
    """Return the first name and the patronymic behind it, wherever the surname stands; nothing without a patronymic."""
    is_patronymic = [bool(_PATRONYMIC.match(word)) for word in words]
    places = range(len(words) - 1)
    return next(((words[at], words[at + 1]) for at in places if is_patronymic[at + 1] and not is_patronymic[at]), ())


def _words(name: str) -> tuple[str, ...]:
    letters = unicodedata.normalize("NFD", folded(mended(name)))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter)).translate(_PLAIN)
    words = _TWICE.sub(r"\1", _SPELLING.sub(lambda spelling: _SPELLINGS[spelling[0]], plain))
    return tuple(_WORDS.findall(words)[:MAX_WORDS])


def _similarity(one: str, other: str) -> float:
    """Return 1 for the same word, less for a similar one, and 0 for another one, such as Иванович for Иванов."""
    if one == other:
        return 1.0
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) > 1 and bool(_PATRONYMIC.match(one)) != bool(_PATRONYMIC.match(other)):
        return 0.0
    if longer.startswith(shorter):
        return MIN_SIMILAR if shorter else 0.0
    # No more letters can match than both have, which is counted sooner.
    common = sum(min(one.count(letter), other.count(letter)) for letter in {*shorter})
    if len(shorter) < MIN_LENGTH or 2 * common < MIN_SIMILAR * (len(one) + len(other)):
        return 0.0
    ratio = SequenceMatcher(None, one, other).ratio()
    return ratio if ratio >= MIN_SIMILAR else 0.0
