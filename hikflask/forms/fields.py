"""Fields, filters and checks that several forms use; each accepts any value that was sent, of whatever type."""

import unicodedata
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import DateField, Field, Form, ValidationError

from hikflask import invisible_characters

# Ids are of the type INTEGER in PostgreSQL.
LARGEST_ID = 2**31 - 1
# The name of an operator or a token, in characters.
LONGEST_NAME = 64
# An operator is found by the case-folded name, in which some letters become two or three.
LONGEST_FOLDED = 128
# The longest text of one line has 512 characters; not yet composed, each may be three.
FAR_TOO_LONG = 2048
# Tab, and what Unicode calls a space (category Zs): copied texts often have them at their ends.
SPACES = "\t \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"


def stripped(value: Any) -> Any:
    """Return a text in Unicode's composed form (NFC), without the spaces around it; a line break stays, to be refused.

    A text that is longer than any field takes is not composed: the time for many accents on one letter is quadratic.
    """
    if not isinstance(value, str):
        return value
    text = value if len(value) > FAR_TOO_LONG else unicodedata.normalize("NFC", value)
    return text.strip(SPACES)


def row_id(value: Any) -> int | None:
    """Return the id of a row, or None for anything else."""
    text = str(value)
    digits = text.lstrip("0")
    if not (text.isascii() and text.isdigit()) or len(digits) > len(str(LARGEST_ID)):
        return None
    found = int(digits or "0")
    return found if found <= LARGEST_ID else None


def one_line(most: int, *, required: bool = True, marks: bool = True) -> Callable[[Form, Field], None]:
    """Return a check for a text of one line; its sentences name the field.

    :param most: the largest number of characters.
    :param marks: False: refuse invisible characters, too, such as those that change the direction of writing.
    """
    refused = invisible_characters.is_breaking if marks else invisible_characters.is_invisible

    def check(form: Form, field: Field) -> None:  # noqa: ARG001
        value = field.data if isinstance(field.data, str) else ""
        if required and invisible_characters.is_blank(value):
            raise ValidationError(_l("“%(field)s” must not be empty.", field=field.label.text))
        if len(value) > most:
            raise too_long(field, most)
        if any(map(refused, value)):
            raise ValidationError(_l("“%(field)s” must not contain control characters.", field=field.label.text))

    return check


def too_long(field: Field, most: int) -> ValidationError:
    """Return the refusal of a text with more than so many characters."""
    return ValidationError(
        _l("“%(field)s” is too long: at most %(most)s characters.", field=field.label.text, most=most)
    )


def operator_name(form: Form, field: Field) -> None:
    """Check a name that an operator signs in with."""
    one_line(LONGEST_NAME, marks=False)(form, field)
    if len(field.data.casefold()) > LONGEST_FOLDED:
        raise too_long(field, LONGEST_FOLDED // 3)


class DayField(DateField):  # type: ignore[misc]
    """A day; anything else leaves the field without data, and the form says so in its own words."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read a day as it is typed."""
        with suppress(ValueError):
            super().process_formdata(valuelist)
