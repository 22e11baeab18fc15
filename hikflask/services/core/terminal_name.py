"""The name that a terminal gets: the full name, or a shorter form of it where the terminal takes fewer bytes."""

import unicodedata

from hikflask.models import Terminal
from hikflask.services.core.errors import NameTooLong

JOINER = "\u200d"
SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
FLAG_HALVES = frozenset(map(chr, range(0x1F1E6, 0x1F200)))
# A name that was cut does not end with one of these.
HYPHENS = "-\u2010\u2011\u2013'’"


def name_for(terminal: Terminal, name: str, own: str = "") -> str:
    """Return the longest form of a name that a terminal takes; the full name where its limit is unknown.

    :param name: the full name, the surname first.
    :param own: the employee's own name for terminals, which comes first where it fits; "" when there is none.
    :raises NameTooLong: when not even one letter fits.
    """
    for form in (own, name):
        if form and fits(terminal, form):
            return form
    surname, *others = name.split() or [name]
    initials = " ".join([surname, *(f"{_letters(other)[0]}." for other in others)])
    if fits(terminal, initials):
        return initials
    # As many whole letters as fit, without a hyphen at the end.
    letters = _letters(surname)
    cuts = ("".join(letters[:count]) for count in range(len(letters), 0, -1))
    cut = next((cut for cut in cuts if fits(terminal, cut)), "")
    if not cut:
        raise NameTooLong(limit=terminal.name_bytes, length=len(name.encode()), letters=len(name), t=terminal.name)
    return cut.rstrip(HYPHENS) or cut


def fits(terminal: Terminal, name: str) -> bool:
    """True when a terminal takes a name of this length, in bytes of UTF-8, or nobody knows how long one may be."""
    return not terminal.name_bytes or len(name.encode()) <= terminal.name_bytes


def _letters(word: str) -> list[str]:
    """Split a word into what is read as one letter: with its marks, or an emoji of several characters."""
    letters: list[str] = []
    for character in word:
        if letters and _belongs_to(letters[-1], character):
            letters[-1] += character
        else:
            letters.append(character)
    return letters


def _belongs_to(letter: str, character: str) -> bool:
    """True when a character continues a letter, as in the grapheme clusters of Unicode (UAX #29)."""
    if letter[-1] == JOINER or character in SKIN_TONES:
        return True
    if letter in FLAG_HALVES:
        return character in FLAG_HALVES
    return unicodedata.category(character) in {"Mn", "Mc", "Me", "Cf"}
