"""Tells a text whose letters were lost: a program had no such letter, or took the encoding for another one.

What stands there then is nobody's name, and how it was written is not guessed.
"""

import re
import unicodedata
from contextlib import suppress

# What stands in place of a letter that an encoding lacks, frames as in DOS, and what HTML has for a sign.
LOST = re.compile(r"\ufffd|\?(?=[^\W\d_])|(?<=[^\W\d_])\?|[\u2500-\u259f]|&#?\w{2,};")
# Windows-1251 as Western letters: no language has a word of three letters that all have accents.
WESTERN = re.compile(r"(?<![A-Za-z])[À-ÖØ-öø-ÿ]{3,}(?![A-Za-z])")
# КОИ-8 as Windows-1251 has small letters in place of capital ones.
SWAPPED = re.compile(r"\b[а-яё][А-ЯЁ]{2,}\b")
LETTERS = re.compile(r"[À-ž\u0400-\u052f]")
ONE_BYTE = ("cp1251", "cp1252", "latin-1")
NUMBER_SIGN = "№"


def are_in(text: str, *, name: bool = False) -> bool:
    """Return whether letters of a text are broken.

    :param name: it is somebody's name, which has no signs of money, mathematics or drawing.
    """
    if text.isascii():
        return LOST.search(text) is not None
    if LOST.search(text) or WESTERN.search(text) or any(map(_is_utf_8, text.split())):
        return True
    return name and (SWAPPED.search(text) is not None or any(map(_is_no_letter, text)))


def _is_utf_8(word: str) -> bool:
    """Return whether a word is one in UTF-8 whose bytes were taken for letters: “Ð˜Ð²Ð°Ð½”, “РђРЅРЅР°”."""
    for encoding in ONE_BYTE:
        with suppress(UnicodeError):
            meant = word.encode(encoding).decode()
            if sum(map(str.isalpha, meant)) > 1 and meant != word and LETTERS.search(meant):
                return True
    return False


def _is_no_letter(sign: str) -> bool:
    category = unicodedata.category(sign)
    return sign > "\x7f" and sign != NUMBER_SIGN and category in {"Sc", "Sm", "So", "Co", "Cn"}
