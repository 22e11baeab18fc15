"""What texts may be that are typed, imported or shown: of one line, numbers of employees, days, and invisible signs.

Invisible characters, and those that change the direction of writing, are told by Unicode's categories (UAX #9).
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

from markupsafe import Markup

# The longest text of one line has 512 characters; not yet composed, each may be three.
FAR_TOO_LONG = 2048
# Tab, and what Unicode calls a space (category Zs): copied texts often have them at their ends.
SPACES = "\t \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
# The faults of a text, which are codes of refusals, too.
EMPTY, TOO_LONG, CONTROL_CHARACTERS = "text_empty", "text_too_long", "text_control_characters"
# Control characters, surrogates, line and paragraph separators: none belongs into a text of one line.
BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})
# A text without them, as a regular expression that other programs understand, too. JSON has no surrogate alone.
WITHOUT_BREAKING = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"
# And format characters, which have no shape: with one, two names that look the same are different.
INVISIBLE = BREAKING | {"Cf"}
# Embeddings, overrides and isolates, with their ends. An end in an isolated text would end our own isolate.
CONTROLS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
TURNING = frozenset({"R", "AL", "AN"})
# Before it, in the order of Unicode, nothing is written from right to left, and nothing changes the direction.
FIRST_TURNING = "\u0590"
ISOLATE, END = "\u2068", "\u2069"
NUMBER_PATTERN = "[A-Za-z0-9]{1,32}"
CARD_NUMBER_PATTERN = "[A-Za-z0-9]{1,32}"
_NUMBER = re.compile(rf"{NUMBER_PATTERN}\Z")
# The name of an operator or of an API token. An operator is found by the case-folded name, in which some letters
# become two or three.
MAX_ACCOUNT_LENGTH, MAX_LOGIN_LENGTH = 64, 128
# Terminals accept no others.
FIRST_DAY = date(2000, 1, 1)
LAST_DAY = date(2037, 12, 31)
_CARD_NUMBER = re.compile(rf"{CARD_NUMBER_PATTERN}\Z")
_WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_WORD = re.compile(r"[^\W\d_]+")
_SPACES = re.compile(f"[{SPACES}]+")
_LATIN, _CYRILLIC = re.compile(r"[A-Za-zËë]"), re.compile(r"[\u0400-\u052f]")
# Letters of the two alphabets that look the same, in the same order.
TO_CYRILLIC = dict(zip("ABCEHIKMOPTXYËaceikopxyë", "АВСЕНІКМОРТХУЁасеікорхуё", strict=True))
TO_LATIN = {cyrillic: latin for latin, cyrillic in TO_CYRILLIC.items()}
# What the same keys write in the two layouts of a keyboard, QWERTY and ЙЦУКЕН, row by row, without and with Shift.
_QWERTY = "`qwertyuiop[]asdfghjkl;'zxcvbnm,.~QWERTYUIOP{}ASDFGHJKL:\"ZXCVBNM<>"
_JCUKEN = "ёйцукенгшщзхъфывапролджэячсмитьбюЁЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮ"
# What is typed for the apostrophe of oʻ and gʻ in Uzbek, and in names such as O’Brien: one sign for whoever reads.
_APOSTROPHES = str.maketrans(dict.fromkeys("‘’ʻʼ`´", "'"))
_FROM_QWERTY, _FROM_JCUKEN = str.maketrans(_QWERTY, _JCUKEN), str.maketrans(_JCUKEN, _QWERTY)


def N_(text: str) -> str:  # noqa: N802 - the name that Babel looks for
    """Mark a text for translation; gettext translates it when it is used."""
    return text


def storable(text: str) -> str:
    """Return a text that both databases can store and compare: PostgreSQL does not accept zero characters."""
    return text.replace("\0", "\ufffd")


def folded(text: str) -> str:
    """Return the text for search and sorting: case folded, with ё as е, and with one kind of apostrophe."""
    return with_plain_apostrophes(case_folded(text))


def case_folded(text: str) -> str:
    """Return the text case folded, with ё as е (SQLite's LOWER changes only ASCII)."""
    return storable(unicodedata.normalize("NFC", text).casefold().replace("ё", "е"))


def with_plain_apostrophes(text: str) -> str:
    """Return the text with one kind of apostrophe; any part of it is a part of that."""
    return text.translate(_APOSTROPHES)


def stripped(text: str) -> str:
    """Return a text in Unicode's composed form (NFC), without the spaces around it; a line break stays, to be refused.

    A text that is longer than any field takes is not composed: the time for many accents on one letter is quadratic.
    """
    composed = text if len(text) > FAR_TOO_LONG else unicodedata.normalize("NFC", text)
    return composed.strip(SPACES)


def fault(text: str, most: int, *, required: bool = True, marks: bool = True) -> str:
    """Return what is wrong with a text of one line, or "" when it is right.

    :param most: the largest number of characters.
    :param marks: False: refuse invisible characters, too, such as those that change the direction of writing.
    """
    refused = is_breaking if marks else is_invisible
    if required and is_blank(text):
        return EMPTY
    if len(text) > most:
        return TOO_LONG
    return CONTROL_CHARACTERS if any(map(refused, text)) else ""


def is_breaking(letter: str) -> bool:
    """Return True for a character that ends a line or cannot be written."""
    return unicodedata.category(letter) in BREAKING


def is_invisible(letter: str) -> bool:
    """Return True for a character that ends a line or shows nothing."""
    return unicodedata.category(letter) in INVISIBLE


def is_blank(text: str) -> bool:
    """Return True for a text that shows nothing: no letter, mark, number, punctuation or symbol."""
    return not any(unicodedata.category(letter)[0] in "LMNPS" for letter in text)


def odd_signs(text: str) -> dict[int, str]:
    """Return the places of letters of the other alphabet within a word, and of invisible signs.

    Each has what belongs there: the letter that looks the same, or nothing. A word such as “PRщик”, of which not all
    letters of one alphabet look like letters of the other, is meant so.
    """
    signs: dict[int, str] = {}
    if _LATIN.search(text) and _CYRILLIC.search(text):
        for word in _WORD.finditer(text):
            places = range(*word.span())
            latin = [place for place in places if _LATIN.match(text[place])]
            cyrillic = [place for place in places if _CYRILLIC.match(text[place])]
            for odd, table in sorted(((latin, TO_CYRILLIC), (cyrillic, TO_LATIN)), key=lambda odd: len(odd[0])):
                if latin and cyrillic and all(text[place] in table for place in odd):
                    signs |= {place: table[text[place]] for place in odd}
                    break
    return signs | dict.fromkeys(_unseen(text), "")


def _unseen(text: str) -> list[int]:
    """Return the places of signs that show nothing. Some scripts need them."""
    if text.isprintable() or any(letter >= FIRST_TURNING and letter.isalpha() for letter in text):
        return []
    return [place for place, letter in enumerate(text) if unicodedata.category(letter) == "Cf"]


def seen(text: str) -> str:
    """Return what somebody sees of a text: single spaces of the usual kind, and no sign that shows nothing."""
    unseen = set(_unseen(text))
    shown = "".join(letter for place, letter in enumerate(text) if place not in unseen) if unseen else text
    return _SPACES.sub(" ", shown).strip(SPACES)


def mended(text: str) -> str:
    """Return a text with the signs replaced that odd_signs() finds."""
    signs = odd_signs(text)
    return "".join(signs.get(place, letter) for place, letter in enumerate(text)) if signs else text


def retyped(text: str) -> str:
    """Return what the same keys write in the other layout of the keyboard; a Cyrillic letter tells the Russian one."""
    return text.translate(_FROM_JCUKEN if _CYRILLIC.search(text) else _FROM_QWERTY)


def contained(text: str) -> str:
    """Return a text without direction controls, so that it cannot end the isolate that it is shown in."""
    return text.translate(CONTROLS)


def isolated(text: str) -> str:
    """Return a text of others for a sentence of ours, isolated where it could change the direction of its words."""
    if max(text, default="") < FIRST_TURNING:
        return text
    turning = any(ord(letter) in CONTROLS or unicodedata.bidirectional(letter) in TURNING for letter in text)
    return f"{ISOLATE}{contained(text)}{END}" if turning else text


def all_isolated(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values for a sentence of ours with their texts isolated; markup stays as it is."""
    return {name: isolated(value) if type(value) is str else value for name, value in values.items()}


def filled(sentence: str, values: Mapping[str, Any]) -> str:
    """Return a sentence of ours with its values: markup, which escapes texts, when one of them is markup (a time)."""
    if any(isinstance(value, Markup) for value in values.values()):
        return Markup(sentence) % values  # noqa: S704 - the sentence is ours
    return sentence % values


def is_employee_number(text: object) -> bool:
    """Return True for a text that can be a number on a terminal."""
    return isinstance(text, str) and _NUMBER.match(text) is not None


def bare_number(number: str) -> str:
    """Return what is left of an employee's number where a terminal shows it in another form."""
    return number.lstrip("0").upper()


def is_card_number(text: object) -> bool:
    """Return True for a text that can be a card's number on a terminal."""
    return isinstance(text, str) and _CARD_NUMBER.match(text) is not None


def card_key(number: str) -> str:
    """Return what the numbers of one card have in common, without zeros in front and in upper case."""
    return number.lstrip("0").upper() or "0"


def similar_card_keys(number: str) -> set[str]:
    """Return the keys of all numbers that may be this card's: other readers tell its bytes in reversed order.

    A number is hexadecimal, or decimal for three, four, seven or eight bytes (Wiegand 26 and 34, UIDs of Mifare).
    """
    keys, value = {card_key(number)}, int(number) if number.isdecimal() else -1
    if len(number) % 2 == 0 and re.fullmatch("[0-9A-Fa-f]+", number):
        keys.add(card_key(bytes.fromhex(number)[::-1].hex()))
    for length in (3, 4, 7, 8):
        if 0 <= value < 256**length:
            keys.add(card_key(str(int.from_bytes(value.to_bytes(length, "big"), "little"))))
    return keys


def day_of(text: object) -> date | None:
    """Return the day of a text as YYYY-MM-DD, or None for anything else."""
    if not isinstance(text, str) or not _WRITTEN.match(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def written_day(day: date | None) -> str:
    """Return a day as YYYY-MM-DD, or an empty text for no limit."""
    return day.isoformat() if day else ""


def is_accepted_day(day: date) -> bool:
    """Return True for a day that terminals accept."""
    return FIRST_DAY <= day <= LAST_DAY
