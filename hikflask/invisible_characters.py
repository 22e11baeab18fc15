"""Invisible characters, and those that change the direction of writing (Unicode categories, and UAX #9)."""

import unicodedata
from collections.abc import Mapping
from typing import Any

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


def is_breaking(letter: str) -> bool:
    """Return True for a character that ends a line or cannot be written."""
    return unicodedata.category(letter) in BREAKING


def is_invisible(letter: str) -> bool:
    """Return True for a character that ends a line or shows nothing."""
    return unicodedata.category(letter) in INVISIBLE


def is_blank(text: str) -> bool:
    """Return True for a text that shows nothing: no letter, mark, number, punctuation or symbol."""
    return not any(unicodedata.category(letter)[0] in "LMNPS" for letter in text)


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
