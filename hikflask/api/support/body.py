"""Reads a JSON body for a form: an object of strings, true and false, each of the type that its field takes."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField

from hikflask import text_rules
from hikflask.forms.fields import MAX_ID
from hikflask.http import body_limits

Value = str | bool | int
Fields = dict[str, Value]
Form = TypeVar("Form", bound=FlaskForm)

TRUE_OR_FALSE = "true or false is expected."
STRING = "A string is expected."
WHOLE_NUMBER = "A whole number is expected."
LISTS = {int: "A list of whole numbers is expected.", str: "A list of strings is expected."}
STRINGS_BY_NAME = "An object with string values is expected."
DAY = "A day as YYYY-MM-DD, or null, is expected."
TWICE = "The field is given more than once."


class InputError(Exception):
    """Refused input, with a sentence for each field at fault."""

    def __init__(self, fields: dict[str, str], code: str = "invalid_input", message: str = "") -> None:
        super().__init__(code)
        self.fields = fields
        self.code = code
        self.message = message or "; ".join(f"{name}: {text}" for name, text in fields.items())


def read(
    *,
    numbers: Iterable[str] = (),
    days: Iterable[str] = (),
    lists: Mapping[str, type] = MappingProxyType({}),
    required: bool = True,
) -> dict[str, Any]:
    """Return the values of the body; a field that is not given is not in it.

    :param numbers: fields that may be whole numbers, such as ids.
    :param days: fields that are a day as YYYY-MM-DD, or null, which becomes an empty text: there is none.
    :param lists: fields that are lists, each with the type of its values: int or str.
    :param required: False: no body at all counts as an empty object.
    :raises InputError: naming each field whose value has another type, or that is given more than once.
    :raises werkzeug.exceptions.RequestEntityTooLarge: when it is longer than a form may be.
    """
    if not body_limits.read() and not required:
        return {}
    data = _parsed()
    if not isinstance(data, dict):
        raise InputError({"body": "A JSON object is expected."})
    allowed, of_days = set(numbers), set(days)
    others = {name: value for name, value in data.items() if name not in of_days and name not in lists}
    wrong = {
        name: WHOLE_NUMBER if name in allowed else "A string, true or false is expected."
        for name, value in others.items()
        if not isinstance(value, (str, bool, int) if name in allowed else (str, bool))
    }
    wrong |= {
        name: DAY
        for name, value in data.items()
        if name in of_days and value is not None and text_rules.day_of(value) is None
    }
    wrong |= {name: LISTS[kind] for name, kind in lists.items() if name in data and not _is_list(data[name], kind)}
    if wrong:
        raise InputError(wrong)
    return {name: "" if value is None else value for name, value in data.items()}


def read_lists(
    lists: Iterable[str], number: str, text: str, texts: str
) -> tuple[dict[str, list[str]], int | None, str | None, dict[str, str]]:
    """Return the lists of strings of a body, a whole number, a text, and texts by name; what is not given is empty.

    :raises InputError: naming each field whose value has another type, or that is given more than once.
    """
    data = _parsed()
    if not isinstance(data, dict):
        raise InputError({"body": "A JSON object is expected."})
    given = {name: data.get(name, []) for name in lists}
    wrong = {name: LISTS[str] for name, value in given.items() if not _is_list(value, str)}
    counted, written = data.get(number), data.get(text)
    if counted is not None and (isinstance(counted, bool) or not isinstance(counted, int)):
        wrong[number] = WHOLE_NUMBER
    if written is not None and not isinstance(written, str):
        wrong[text] = STRING
    named = data.get(texts, {})
    if not isinstance(named, dict) or not all(isinstance(value, str) for value in named.values()):
        wrong[texts] = STRINGS_BY_NAME
    if wrong:
        raise InputError(wrong)
    return given, counted, written, named


def _is_list(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(item, kind) and not isinstance(item, bool) for item in value)


def _parsed() -> object:
    try:
        return json.loads(body_limits.read(), object_pairs_hook=_object)
    except (ValueError, RecursionError):  # no JSON, or brackets nested too deep
        return None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object, and refuse a field that is given twice: another reader might take the other value."""
    again = {name: TWICE for name, count in Counter(name for name, _ in pairs).items() if count > 1}
    if again:
        raise InputError(again)
    return dict(pairs)


def form_of(kind: type[Form], fields: Mapping[str, Value], **options: Any) -> Form:
    """Return the validated form; a BooleanField takes true or false alone, and any other field a string alone.

    :raises InputError: with the form's sentences by field.
    """
    typed = MultiDict(
        {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in fields.items()}
    )
    form: Form = kind(formdata=typed, meta={"csrf": False}, **options)
    form.validate()
    refused = {name: str(errors[0]) for name, errors in form.errors.items()}
    for field in form:
        if field.name in fields and isinstance(field, BooleanField) != isinstance(fields[field.name], bool):
            refused[field.name] = TRUE_OR_FALSE if isinstance(field, BooleanField) else STRING
    if refused:
        raise InputError(refused)
    return form


def flag(fields: Fields, name: str) -> bool | None:
    """Return the value of a true or false field, or None when it is not given.

    :raises InputError: when it is anything else.
    """
    value = fields.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise InputError({name: TRUE_OR_FALSE})


def text(fields: Fields, name: str) -> str:
    """Return the value of a text field, "" when it is not given.

    :raises InputError: when it is anything else.
    """
    value = fields.get(name, "")
    if isinstance(value, str):
        return value
    raise InputError({name: STRING})


def number(fields: Mapping[str, object], name: str) -> int | None:
    """Return a whole number, or None when it is not given.

    :raises InputError: when it is anything else.
    """
    if name not in fields:
        return None
    text = str(fields[name])
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InputError({name: WHOLE_NUMBER})
    return int(text)


def row_id(fields: Mapping[str, object], name: str) -> int | None:
    """Return the id of a row, or None when it is not given; a number larger than any id becomes 0, which no row has.

    :raises InputError: when it is anything else.
    """
    value = number(fields, name)
    return 0 if value is not None and value > MAX_ID else value
