"""Columns that are kept for the next import: the list, where they are renamed and deleted."""

from http import HTTPStatus

from flask import Response, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from hikflask.forms.imports import MappingForm
from hikflask.http.permissions import OPERATOR, allow
from hikflask.messages import error_sentence
from hikflask.services.core.errors import ServiceError
from hikflask.services.imports.table import mappings as kept
from hikflask.web.imports.imports import bp
from hikflask.web.security import resubmission
from hikflask.web.support.responses import refuse


@bp.get("/mappings")
@allow(OPERATOR)
def mappings() -> ResponseReturnValue:
    """The saved columns by name."""
    return _page()


@bp.post("/mappings/<int:mapping_id>")
@allow(OPERATOR)
def rename_mapping(mapping_id: int) -> ResponseReturnValue:
    """Give saved columns another name."""
    form = MappingForm()
    if not form.validate():
        return _page(mapping_id, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        kept.rename(mapping_id, form.name.data)
    except ServiceError as error:
        return _page(mapping_id, form, refuse(form.name, error))
    flash(_("The name is saved."))
    return redirect(url_for(".mappings"), 303)


@resubmission.restores("imports.rename_mapping")
def mapping_name_again(fields: MultiDict[str, str], mapping_id: int) -> Response:
    """Show the list with the name as it was typed."""
    return _page(mapping_id, MappingForm(formdata=fields))


@bp.post("/mappings/<int:mapping_id>/delete")
@allow(OPERATOR)
def delete_mapping(mapping_id: int) -> ResponseReturnValue:
    """Delete saved columns; imports that were made by them stay as they are."""
    try:
        kept.delete(mapping_id)
        flash(_("The columns are not kept any more."))
    except ServiceError as error:
        flash(error_sentence(error), "danger")
    return redirect(url_for(".mappings"), 303)


def _page(mapping_id: int = 0, typed: MappingForm | None = None, status: int = HTTPStatus.OK) -> Response:
    """Answer the list, with a form for each name; that of one mapping as it was typed."""
    forms = [
        (mapping, typed if typed and mapping.id == mapping_id else MappingForm(formdata=None, name=mapping.name))
        for mapping in kept.list_all()
    ]
    return make_response(render_template("imports/mappings.html", forms=forms), status)
