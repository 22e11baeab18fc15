"""The second step of an import: which column of the table is which field; then the dry run is started."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms import Field

from hikflask.background import tasks
from hikflask.forms.fields import row_id
from hikflask.forms.imports import ColumnsForm
from hikflask.http.permissions import OPERATOR, allow
from hikflask.messages import error_sentence
from hikflask.models import ImportBatch
from hikflask.models.people import spelling_key
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.groups import queries as groups
from hikflask.services.imports import batches
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports.batches import ColumnsAsked, ColumnsUnknown
from hikflask.services.imports.table import columns as recognition
from hikflask.services.imports.table import department_paths, doubts, id_rules, mappings, report_rows
from hikflask.services.imports.table.mappings import Fitted
from hikflask.services.imports.table.options import DEFAULT, LAST_PART, Options
from hikflask.services.terminals import registry
from hikflask.web.imports import stage
from hikflask.web.imports.imports import batch_or_404, bp
from hikflask.web.imports.stage import CHOOSING
from hikflask.web.security import resubmission

# The button that only shows on the first rows what was chosen.
SHOW = "show"
# The argument with the id of a mapping to apply; 0 for none.
MAPPING = "mapping"


@bp.get("/<int:batch_id>/columns")
@allow(OPERATOR)
def columns(batch_id: int) -> ResponseReturnValue:
    """The columns as they were recognised, kept or chosen before, beside the first rows."""
    batch = batch_or_404(batch_id)
    if _is_settled(batch):
        return _onwards(batch)
    terminal = {"terminal_id": batch.terminal_id, "groups": batch.groups}
    if request.args:
        terminal = {"terminal_id": row_id(request.args.get("terminal")), "groups": bool(request.args.get("groups"))}
    names = batch.layout.get("columns", [])
    fitting = mappings.fitting(names) if batch.table_name else []
    applied = _applied(batch, fitting)
    fields, options = batch.fields, Options.from_json(batch.options)
    if applied:
        fields, options = applied.fields, applied.options
    elif MAPPING in request.args:
        fields, options = doubts.recognised_fields(names, batch.layout.get("sample", [])), DEFAULT
    form = ColumnsForm(
        formdata=None, unused_days=options.unused_days, **terminal, **ColumnsForm.filled(options), **fields
    )
    return _page(batch, form, applied=applied, fitting=[mapping for mapping in fitting if mapping != applied])


def _applied(batch: ImportBatch, fitting: Sequence[Fitted]) -> Fitted | None:
    """Return the mapping that was chosen; before anything is chosen, one with the same heads."""
    if MAPPING in request.args:
        return next((mapping for mapping in fitting if mapping.id == row_id(request.args[MAPPING])), None)
    return next((mapping for mapping in fitting if mapping.is_same), None) if not batch.options else None


@bp.post("/<int:batch_id>/columns")
@allow(OPERATOR)
def choose(batch_id: int) -> ResponseReturnValue:
    """Keep what was chosen, and start the dry run; a second click shows the one that the first started.

    Or only show what was chosen on the first rows.
    """
    batch = batch_or_404(batch_id)
    if _is_settled(batch):
        return _onwards(batch)
    form = ColumnsForm()
    form.offer(named(batch.layout.get("columns", [])), registry.list_active())
    if not form.validate():
        return _page(batch, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    if form.sheet.data and form.sheet.data != batch.layout.get("sheet"):
        return _other_sheet(batch, form)
    if SHOW in request.form:
        return _page(batch, form)
    options = replace(Options.from_json(batch.options), **form.options)
    try:
        with transaction():
            batches.choose(batch_id, form.mapped, form.terminal_id.data, groups=form.groups.data, options=options)
            if form.mapping_name.data and batch.table_name:
                mappings.save(form.mapping_name.data, batch.layout["columns"], form.mapped, options)
        tasks.enqueue_job(import_jobs.start_check(batch_id))
    except ServiceError as error:
        return _refused(batch, form, error)
    return _onwards(batch)


def _other_sheet(batch: ImportBatch, form: ColumnsForm) -> Response:
    """Show the columns of another sheet, as they are recognised there; what else was chosen stays."""
    try:
        batches.choose_sheet(batch.id, form.sheet.data)
    except ServiceError as error:
        return _refused(batch, form, error, form.sheet)
    batch = batch_or_404(batch.id)
    for field in form.columns:
        field.data = batch.fields.get(field.name)
    form.unused_days.data = []
    return _page(batch, form, fitting=mappings.fitting(batch.layout["columns"]))


@bp.post("/<int:batch_id>/reopen")
@allow(OPERATOR)
def reopen(batch_id: int) -> ResponseReturnValue:
    """Go back from the dry run to the columns, as they were chosen."""
    batch = batch_or_404(batch_id)
    if _is_settled(batch):
        try:
            batches.reopen(batch_id)
        except ServiceError as error:
            flash(error_sentence(error), "danger")
    return _onwards(batch)


@resubmission.restores("imports.choose")
def chosen_again(fields: MultiDict[str, str], batch_id: int) -> Response:
    """Show the form again as it was filled in."""
    return _page(batch_or_404(batch_id), ColumnsForm(formdata=fields))


def _is_settled(batch: ImportBatch) -> bool:
    """True once the dry run was started: what was chosen is fixed."""
    return stage.of(batch).name != CHOOSING


def _onwards(batch: ImportBatch) -> ResponseReturnValue:
    return redirect(url_for(".show", batch_id=batch.id), 303)


def _refused(batch: ImportBatch, form: ColumnsForm, error: ServiceError, beside: Field | None = None) -> Response:
    """Answer the form with the sentence of the refusal beside the fields at fault; of another tab's choice, go on."""
    if _is_settled(batch_or_404(batch.id)):
        return make_response(_onwards(batch))
    at_fault = [form[name] for name in error.fields if name in form]
    asked = [error, *error.others] if isinstance(error, ColumnsAsked) else []
    is_unknown = any(isinstance(question, ColumnsUnknown) for question in asked)
    if is_unknown:
        form.unused_days.errors = [*form.unused_days.errors, _("Choose each of them above, or tick it here.")]
    if not isinstance(error, ColumnsUnknown):
        for field in at_fault or [beside or form.number]:
            field.errors = [*field.errors, error_sentence(error)]
    return _page(batch, form, error.meaning.page_status)


def _page(batch: ImportBatch, form: ColumnsForm, status: int = HTTPStatus.OK, **kept: Any) -> Response:
    """Answer the form.

    :param kept: the mapping that is `applied`, and others that are `fitting`.
    """
    names, sample = batch.layout.get("columns", []), batch.layout.get("sample", [])
    headers, used = named(names), set(form.chosen.values())
    form.offer(headers, registry.list_active())
    options = replace(DEFAULT, **form.options)
    is_usual = replace(options, unused_days=()) == DEFAULT and not any(field.errors for field in form.rules)
    may_be = doubts.doubtful(names, sample, form.chosen, (*form.replaced, *batches.left_out(batch, form.chosen)))
    days = [
        index for index in recognition.unmapped_days(names, sample, form.chosen, form.replaced) if index not in may_be
    ]
    top = report_rows.department_top(sample, form.chosen)
    here = {spelling_key(name) for name in departments.names()}
    about = {
        "days": days,
        "unclear": {index: form[field].label.text for index, field in may_be.items()},
        "pending": not {*days, *may_be}.issubset(options.unused_days),
        "is_usual": is_usual,
        "has_paths": bool(top),
        "departments": departments.names,
        "headers": headers,
        "groups": groups.names(),
        "field_of_column": {index: form[name].label.text for name, index in form.chosen.items()},
        "unused": [header for index, header in enumerate(headers) if index not in used],
        "sample": [_read(row, form, options, top, here) for row in sample],
        "complete": form.number.data is not None and len(used) > 1,
    }
    return make_response(render_template("imports/columns.html", batch=batch, form=form, **about, **kept), status)


def _read(
    cells: Iterable[str], form: ColumnsForm, options: Options, top: str, here: Container[str]
) -> list[tuple[str, str]]:
    """Return the cells of a row, each with what is read instead by the rules for IDs and departments, or "".

    :param top: that of the departments, where they are paths. :param here: the spelling keys of those here.
    """
    read = list(cells)
    if form.number.data is not None:
        read[form.number.data] = id_rules.applied(read[form.number.data].strip(), options)
    if top and options.path == LAST_PART:
        read[form.department.data] = department_paths.last_part(read[form.department.data], top, here)
    return [(cell, value if value != cell else "") for cell, value in zip(cells, read, strict=True)]


def named(columns: Sequence[str]) -> list[str]:
    """Return the headers of a table, with the place of each that is empty or there twice."""
    told = zip(columns, recognition.told_apart(columns), strict=True)
    return [name if header else str(_("Column %(n)s", n=name)) for header, name in told]
