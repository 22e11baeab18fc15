"""The parts of an import's call that say how its table is read: its columns, its rows, and what is made of cells."""

from collections.abc import Iterable
from dataclasses import replace

from flask import request
from werkzeug.datastructures import MultiDict
from wtforms import Field

from hikflask.api.openapi.described import Schema
from hikflask.api.support.body import TRUE_OR_FALSE, InputError
from hikflask.forms.imports import OptionsForm
from hikflask.models import ImportBatch
from hikflask.services.imports.table import columns, mappings
from hikflask.services.imports.table.options import CLEARABLE, DEFAULT, LETTERS, MODES, PATHS, Options

FLAGS = {"true": True, "1": True, "false": False, "0": False, "": False}
FLAG_PART: Schema = {"type": "string", "enum": list(FLAGS)}
# The name of a field in the API → in services/imports/table/columns.py.
FIELDS_OF_API = {"hikvision_id": columns.NUMBER, "full_name": columns.NAME}
# The name of a part → of the form's field, and of the option.
OPTIONS = {
    "mode": ("mode", "mode"),
    "clear": ("clear", "clear"),
    "department": ("all_department", "fixed"),
    "valid_to": ("all_valid_to", "fixed"),
    "strip_prefix": ("strip_prefix", "strip_prefix"),
    "pad_to": ("pad_to", "pad_to"),
    "letters": ("letters", "letters"),
    "department_path": ("path", "path"),
}


def _text(description: str, **more: object) -> Schema:
    return {"type": "string", **more, "description": description}


PARTS: dict[str, Schema] = {
    "sheet": _text("The name of the sheet to read; `*` for all that have the same columns."),
    "mapping": _text("The name of saved columns, then read as they were, unless another part says otherwise."),
    "columns": _text(
        "FIELD=HEADER, such as `hikvision_id=Pass no.`, each in a part of its own; without HEADER none. "
        "The place of a column names it, too: `hikvision_id=2`."
    ),
    "unused_columns": _text(
        "Columns that are asked about and not needed, by name or place, separated by commas or in parts."
    ),
    "mode": _text("Whether only new people come in, or only known ones are changed.", enum=list(MODES)),
    "clear": _text(f"Fields whose empty cells clear what is here, of {', '.join(CLEARABLE)}, separated by commas."),
    "department": _text("The department of all, in place of a column."),
    "valid_to": _text("The last day of all, in place of a column.", format="date"),
    "strip_prefix": _text("The beginning of IDs that is left out, such as `T-`."),
    "pad_to": _text("IDs with fewer digits get zeros in front.", pattern="^[0-9]{0,2}$"),
    "letters": _text("Whether Cyrillic letters in an ID that look like Latin ones are these.", enum=list(LETTERS)),
    "department_path": _text(
        "Of a department such as All Departments/Workshop/Shift its last part is read, or all.", enum=list(PATHS)
    ),
    "sheet_is_department": {**FLAG_PART, "description": "Of several sheets, the name of each is the department."},
}


def read(batch: ImportBatch) -> tuple[dict[str, int], Options]:
    """Return which column has which field, and how cells are read, as the call says.

    :raises InputError: naming the part that cannot be read. :raises mapping_unknown: :raises mapping_unfit:
    """
    names = batch.layout.get("columns", [])
    fields, options = batch.fields, DEFAULT
    if mapping := request.form.get("mapping", "").strip():
        fitted = mappings.fit(mapping, names)
        fields, options = fitted.fields, fitted.options
    chosen = _chosen(names, fields)
    left_out = {index for index in fields.values() if index not in chosen.values()}
    unused = (*options.unused_days, *sorted(left_out), *_unused(names))
    return chosen, replace(_options(options), unused_days=tuple(dict.fromkeys(unused)))


def _chosen(names: list[str], fields: dict[str, int]) -> dict[str, int]:
    sent = [choice.partition("=") for choice in request.form.getlist("columns")]
    try:
        return columns.with_choices(names, fields, ((FIELDS_OF_API.get(name, name), head) for name, _, head in sent))
    except ValueError as error:
        raise InputError({"columns": f"FIELD=HEADER is expected: {error}"}) from error


def _unused(names: list[str]) -> Iterable[int]:
    """Return the indexes of the columns that are named as not needed. A name may have commas itself."""
    sent = [
        name.strip()
        for value in request.form.getlist("unused_columns")
        for name in ([value] if columns.index_of(names, value) is not None else value.split(","))
    ]
    indexes = {name: columns.index_of(names, name) for name in sent if name}
    unknown = [f"“{name}”" for name, index in indexes.items() if index is None]
    if unknown:
        raise InputError({"unused_columns": f"The table has no column {', '.join(unknown)}."})
    return [index for index in indexes.values() if index is not None]


def _options(options: Options) -> Options:
    """Return the options with those that the call has in place of them."""
    given = {part: field for part, (field, _) in OPTIONS.items() if part in request.form}
    typed = MultiDict([(field, request.form[part]) for part, field in given.items() if part != "clear"])
    cleared = ",".join(request.form.getlist("clear")).split(",")
    typed.setlist("clear", [name.strip() for name in cleared if name.strip()])
    form = OptionsForm(formdata=typed, meta={"csrf": False})
    form.validate()
    refused = {part: _sentence(part, form[field]) for part, field in given.items() if form[field].errors}
    if refused:
        raise InputError(refused)
    chosen = form.options
    chosen["fixed"] = {**options.fixed, **chosen["fixed"]}
    given_options = {option: chosen[option] for part, (_, option) in OPTIONS.items() if part in given}
    if "sheet_is_department" in request.form:
        given_options["sheet_is_department"] = flag("sheet_is_department")
    return replace(options, **given_options)


def _sentence(part: str, field: Field) -> str:
    choices = PARTS[part].get("enum")
    return f"One of {', '.join(choices)} is expected." if choices else str(field.errors[0])


def flag(name: str) -> bool:
    """Return the value of a part that is true or false; False where there is none.

    :raises InputError: when it is anything else.
    """
    text = request.form.get(name, "").lower()
    if text not in FLAGS:
        raise InputError({name: TRUE_OR_FALSE})
    return FLAGS[text]
