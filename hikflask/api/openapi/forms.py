"""Schemas of input, made from the forms that check it: no limit is written a second time."""

from collections.abc import Callable, Sequence
from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, Field, SelectField
from wtforms.validators import Optional

from hikflask.api.openapi.described import Body, Query, Schema

# A field that no form knows is ignored, once its type is one of these.
UNKNOWN_FIELD: Schema = {"type": ["string", "boolean"]}


def of_body(body: Body) -> Schema:
    """Return the schema of a JSON body."""
    form = body.form and _made(body.form, body.options)
    fields = {field.name: _of_field(form, field) for field in form} if form else {}
    for day in body.days:
        fields[day]["type"] = ["string", "null"]
    required = [
        field.name
        for field in form or ()
        if not body.changes
        and not _may_be_empty(field)
        and any(getattr(check, "requires", False) for check in _checks(form, field))
    ]
    schema = {"type": "object", "properties": fields | dict(body.more), "additionalProperties": UNKNOWN_FIELD}
    return schema | ({"required": required} if required else {})


def of_query(query: Query) -> list[Schema]:
    """Return the parameters of a query."""
    form = query.form and _made(query.form, {})
    fields = {field.name: _of_field(form, field) for field in form} if form else {}
    return [_argument(name, schema) for name, schema in (fields | dict(query.more)).items()]


def _argument(name: str, schema: Schema) -> Schema:
    plain = {key: value for key, value in schema.items() if key != "description"}
    text = {"description": schema["description"]} if "description" in schema else {}
    return {"name": name, "in": "query", "required": False, "schema": plain, **text}


def _made(kind: type[FlaskForm], options: Any) -> FlaskForm:
    return kind(formdata=None, meta={"csrf": False}, **options)


def _of_field(form: FlaskForm, field: Field) -> Schema:
    schema: Schema = {"title": str(field.label.text), **_kind_of(field)}
    for check in _checks(form, field):
        limits = getattr(check, "limits", {})
        schema |= {name: value for name, value in limits.items() if name != "enum"}
        if "enum" in schema:
            schema["enum"] = [*limits.get("enum", ()), *schema["enum"]]
    if "pattern" in schema and _may_be_empty(field):
        schema["pattern"] = f"{schema['pattern']}|^$"
    return schema


def _kind_of(field: Field) -> Schema:
    if isinstance(field, BooleanField):
        return {"type": "boolean"}
    if isinstance(field, DateField):
        return {"type": "string", "format": "date"}
    if isinstance(field, SelectField) and field.choices:
        return {"type": "string", "enum": [choice.value for choice in field.choices]}
    return {"type": "string"}


def _checks(form: FlaskForm, field: Field) -> Sequence[Callable[..., Any]]:
    of_form = getattr(form, f"validate_{field.name}", None)
    return [*field.validators, *([of_form] if of_form else [])]


def _may_be_empty(field: Field) -> bool:
    return any(isinstance(check, Optional) for check in field.validators)
