"""Which characters nobody sees, and which turn the direction of writing: Unicode's categories, and its UAX #9."""

import unicodedata
from collections.abc import Mapping
from typing import Any

# Control characters, halves of letters, line and paragraph separators: no text of one line holds one.
BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})
# And marks without a shape: with one, a name reads as another name.
INVISIBLE = BREAKING | {"Cf"}
# Embeddings, overrides and isolates with their ends. An end within an isolate may end the isolate itself.
CONTROLS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
TURNING = frozenset({"R", "AL", "AN"})
ISOLATE, END = "\u2068", "\u2069"


def is_breaking(letter: str) -> bool:
    """Tell whether this ends a line, or cannot be written."""
    return unicodedata.category(letter) in BREAKING


def is_invisible(letter: str) -> bool:
    """Tell whether this ends a line, or shows nothing."""
    return unicodedata.category(letter) in INVISIBLE


def is_blank(text: str) -> bool:
    """Tell whether a text shows nothing: no letter, mark, number, punctuation or symbol."""
    return not any(unicodedata.category(letter)[0] in "LMNPS" for letter in text)


def contained(text: str) -> str:
    """Return a text to be shown in an isolate, which it does not end: without the controls of the direction."""
    return text.translate(CONTROLS)


def isolated(text: str) -> str:
    """Return somebody's text for a sentence of ours, none of whose words it turns round."""
    turning = any(ord(letter) in CONTROLS or unicodedata.bidirectional(letter) in TURNING for letter in text)
    return f"{ISOLATE}{contained(text)}{END}" if turning else text


def all_isolated(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values for a sentence of ours, its texts isolated; what is markup already stays as it is."""
    return {name: isolated(value) if type(value) is str else value for name, value in values.items()}
