"""Fields, filters and checks that several forms use; each accepts any value that was sent, of whatever type."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask_babel import lazy_gettext as _l
from wtforms import DateField, Field, Form, ValidationError
from wtforms.validators import StopValidation

from hikflask import text_rules

# Ids are of the type INTEGER in PostgreSQL.
MAX_ID = 2**31 - 1
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(9998, 12, 30)
Check = TypeVar("Check", bound=Callable[..., Any])


def limited(*, required: bool = False, **limits: Any) -> Callable[[Check], Check]:
    """Describe what a check accepts, for the description of the API (hikflask/api/openapi/forms.py).

    :param required: the field must be given.
    :param limits: keywords of JSON Schema, such as maxLength.
    """

    def decorate(check: Check) -> Check:
        check.limits, check.requires = limits, required  # type: ignore[attr-defined]
        return check

    return decorate


def stripped(value: Any) -> Any:
    """Return a text as text_rules.stripped() does, and anything else as it is."""
    return text_rules.stripped(value) if isinstance(value, str) else value


def row_id(value: Any) -> int | None:
    """Return the id of a row, or None for anything else."""
    text = str(value)
    digits = text.lstrip("0")
    if not (text.isascii() and text.isdigit()) or len(digits) > len(str(MAX_ID)):
        return None
    number = int(digits or "0")
    return number if number <= MAX_ID else None


def row_ids(values: Iterable[Any] | None) -> list[int]:
    """Return the ids of rows among these values, each once."""
    return list(dict.fromkeys(number for number in map(row_id, values or ()) if number))


def one_line(most: int, *, required: bool = True, marks: bool = True) -> Callable[[Form, Field], None]:
    """Return a check for a text of one line; its sentences name the field. The parameters are those of fault()."""

    least = {"minLength": 1} if required else {}

    @limited(required=required, maxLength=most, pattern=text_rules.WITHOUT_BREAKING, **least)
    def check(form: Form, field: Field) -> None:  # noqa: ARG001
        value = field.data if isinstance(field.data, str) else ""
        fault = text_rules.fault(value, most, required=required, marks=marks)
        if fault == text_rules.EMPTY:
            raise ValidationError(_l("“%(field)s” must not be empty.", field=field.label.text))
        if fault == text_rules.TOO_LONG:
            raise too_long(field, most)
        if fault == text_rules.CONTROL_CHARACTERS:
            raise ValidationError(_l("“%(field)s” must not contain control characters.", field=field.label.text))

    return check


def too_long(field: Field, most: int) -> ValidationError:
    """Return the refusal of a text with more than so many characters."""
    return ValidationError(
        _l("“%(field)s” is too long: at most %(most)s characters.", field=field.label.text, most=most)
    )


def not_in_list(field: Field) -> ValidationError:
    """Return the refusal of a choice that is not in the list."""
    return ValidationError(_l("“%(field)s” must be one of the list.", field=field.label.text))


def choice(form: Form, field: Field) -> None:  # noqa: ARG001
    """Check for one of the choices."""
    if field.data not in {choice.value for choice in field.choices}:
        raise not_in_list(field)


@limited(enum=[""])
def choice_or_nothing(form: Form, field: Field) -> None:  # noqa: ARG001
    """Check for one of the choices, or nothing."""
    if field.data and field.data not in {choice.value for choice in field.choices}:
        raise not_in_list(field)


@limited(pattern=r"^[0-9]*$")
def id_or_nothing(form: Form, field: Field) -> None:  # noqa: ARG001
    """Check for digits, whether or not there is a row with this id, or nothing."""
    if field.data and not (field.data.isascii() and field.data.isdigit()):
        raise not_in_list(field)


def is_http_address(text: str, pattern: re.Pattern[str]) -> bool:
    """Return whether a text matches the pattern of an address, and has a host and a possible port."""
    try:
        parts = urlsplit(text)
        return bool(pattern.match(text)) and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def operator_name(form: Form, field: Field) -> None:
    """Check a name that an operator signs in with."""
    one_line(text_rules.MAX_ACCOUNT_LENGTH, marks=False)(form, field)
    if len(unicodedata.normalize("NFKC", field.data).casefold()) > text_rules.MAX_LOGIN_LENGTH:
        raise too_long(field, text_rules.MAX_LOGIN_LENGTH // 3)


class DayField(DateField):  # type: ignore[misc]
    """A day; anything else leaves the field without data, and the form says so in its own words."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read a day as it is typed."""
        with suppress(ValueError):
            super().process_formdata(valuelist)


def day(form: Form, field: Field) -> None:  # noqa: ARG001
    """Check for a day, or nothing."""
    typed = "".join(field.raw_data or ())
    if typed and (field.data is None or not FIRST_DAY <= field.data <= LAST_DAY):
        raise StopValidation(_l("“%(field)s” must be a day such as 2026-01-31.", field=field.label.text))
