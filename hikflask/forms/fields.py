"""Fields, filters and checks that several forms use; each accepts any value that was sent, of whatever type."""

import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from flask_babel import lazy_gettext as _l
from wtforms import DateField, Field, Form, ValidationError

from hikflask import invisible_characters, text_rules

# Ids are of the type INTEGER in PostgreSQL.
LARGEST_ID = 2**31 - 1
# The name of an operator or a token, in characters.
LONGEST_NAME = 64
# An operator is found by the case-folded name, in which some letters become two or three.
LONGEST_FOLDED = 128
Check = TypeVar("Check", bound=Callable[..., Any])


def limited(*, required: bool = False, **limits: Any) -> Callable[[Check], Check]:
    """Say of a check what it accepts, for the description of the API (hikflask/api/openapi/forms.py).

    :param required: the field must be given. :param limits: keywords of JSON Schema, such as maxLength.
    """

    def decorate(check: Check) -> Check:
        check.limits, check.requires = limits, required  # type: ignore[attr-defined]
        return check

    return decorate


def limits_of(check: Callable[..., Any]) -> Mapping[str, Any]:
    """Return the limits that were said of a check, as keywords of JSON Schema."""
    return getattr(check, "limits", {})


def requires(check: Callable[..., Any]) -> bool:
    """Tell whether a check refuses a field that is not given."""
    return getattr(check, "requires", False)


def stripped(value: Any) -> Any:
    """Return a text as text_rules.stripped() does, and anything else as it is."""
    return text_rules.stripped(value) if isinstance(value, str) else value


def row_id(value: Any) -> int | None:
    """Return the id of a row, or None for anything else."""
    text = str(value)
    digits = text.lstrip("0")
    if not (text.isascii() and text.isdigit()) or len(digits) > len(str(LARGEST_ID)):
        return None
    found = int(digits or "0")
    return found if found <= LARGEST_ID else None


def one_line(most: int, *, required: bool = True, marks: bool = True) -> Callable[[Form, Field], None]:
    """Return a check for a text of one line; its sentences name the field. The parameters are those of fault()."""

    least = {"minLength": 1} if required else {}

    @limited(required=required, maxLength=most, pattern=invisible_characters.WITHOUT_BREAKING, **least)
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


def operator_name(form: Form, field: Field) -> None:
    """Check a name that an operator signs in with."""
    one_line(LONGEST_NAME, marks=False)(form, field)
    if len(unicodedata.normalize("NFKC", field.data).casefold()) > LONGEST_FOLDED:
        raise too_long(field, LONGEST_FOLDED // 3)


class DayField(DateField):  # type: ignore[misc]
    """A day; anything else leaves the field without data, and the form says so in its own words."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read a day as it is typed."""
        with suppress(ValueError):
            super().process_formdata(valuelist)
