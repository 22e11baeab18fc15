"""What a text of one line may be, as it is typed into a form and as it stands in a table that is imported."""

import unicodedata

from hikflask import invisible_characters

# The longest text of one line has 512 characters; not yet composed, each may be three.
FAR_TOO_LONG = 2048
# Tab, and what Unicode calls a space (category Zs): copied texts often have them at their ends.
SPACES = "\t \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
# The faults of a text, which are codes in messages.py, too.
EMPTY, TOO_LONG, CONTROL_CHARACTERS = "text_empty", "text_too_long", "text_control_characters"


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
    refused = invisible_characters.is_breaking if marks else invisible_characters.is_invisible
    if required and invisible_characters.is_blank(text):
        return EMPTY
    if len(text) > most:
        return TOO_LONG
    return CONTROL_CHARACTERS if any(map(refused, text)) else ""
