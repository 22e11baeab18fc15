"""Filters and checks that several forms use; each takes whatever was sent and never fails on its type."""

import unicodedata
from collections.abc import Callable
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import Field, Form, ValidationError

# Ids are PostgreSQL's INTEGER.
LARGEST_ID = 2**31 - 1
# Of an operator or a token, in characters.
LONGEST_NAME = 64
# Tab, and what Unicode calls a space (category Zs): they come along when a text is copied.
SPACES = "\t \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"


def stripped(value: Any) -> Any:
    """Return a text composed (NFC) and without the spaces around it; a line break stays, to be refused."""
    return unicodedata.normalize("NFC", value).strip(SPACES) if isinstance(value, str) else value


def row_id(value: Any) -> int | None:
    """Return the id of a row, or None for what is none."""
    text = str(value)
    digits = text.lstrip("0")
    if not (text.isascii() and text.isdigit()) or len(digits) > len(str(LARGEST_ID)):
        return None
    found = int(digits or "0")
    return found if found <= LARGEST_ID else None


def one_line(most: int, *, required: bool = True) -> Callable[[Form, Field], None]:
    """Return a check: text of one line with at most so many characters; the sentence names the field."""

    def check(form: Form, field: Field) -> None:  # noqa: ARG001
        value = field.data if isinstance(field.data, str) else ""
        if required and not any(unicodedata.category(letter)[0] in "LMNPS" for letter in value):
            raise ValidationError(_l("“%(field)s” must not be empty.", field=field.label.text))
        if len(value) > most:
            message = _l("“%(field)s” is too long: at most %(most)s characters.", field=field.label.text, most=most)
            raise ValidationError(message)
        if any(unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} for letter in value):
            raise ValidationError(_l("“%(field)s” must not contain control characters.", field=field.label.text))

    return check
