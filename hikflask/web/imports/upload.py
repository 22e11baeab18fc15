"""The first step of an import: the files and a terminal. Nothing is changed yet."""

from http import HTTPStatus

from flask import Response, current_app, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage, MultiDict

from hikflask.background import tasks
from hikflask.config import MEGABYTE
from hikflask.forms.imports import UploadForm
from hikflask.http import body_limits
from hikflask.http.permissions import OPERATOR, allow
from hikflask.services.core.errors import ServiceError
from hikflask.services.groups import queries as groups
from hikflask.services.imports import batches
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports.batches import Upload
from hikflask.services.terminals import registry
from hikflask.web.imports.imports import bp
from hikflask.web.security import resubmission
from hikflask.web.support.responses import csv_file, refuse


def longest_upload() -> int:
    """Return how large a table and a ZIP of photos may be together, in bytes."""
    return sum(_megabytes().values()) * MEGABYTE


@bp.get("/new")
@allow(OPERATOR)
def new() -> ResponseReturnValue:
    """The form for the files."""
    return _page(_form(formdata=None))


@bp.post("/")
@allow(OPERATOR)
@body_limits.takes(longest_upload)
def create() -> ResponseReturnValue:
    """Keep the files, and go on to the columns of the table, or to the dry run where there is none."""
    form = _form()
    if not form.validate():
        return _page(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        batch = batches.make(_upload(form.table.data), _upload(form.photos.data))
        if batch.table_name:
            chosen = {"terminal": form.terminal_id.data, "groups": "y" if form.groups.data else None}
            return redirect(url_for(".columns", batch_id=batch.id, **chosen), 303)
        batches.choose(batch.id, {}, form.terminal_id.data, groups=form.groups.data)
        tasks.enqueue_job(import_jobs.start_check(batch.id))
    except ServiceError as error:
        at_fault = next((form[name] for name in error.fields if name in form), form.table)
        refuse(at_fault, error)
        return _page(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    return redirect(url_for(".show", batch_id=batch.id), 303)


@resubmission.restores("imports.create")
def chosen_again(fields: MultiDict[str, str]) -> Response:
    """Show the form again; a browser keeps no files."""
    if fields.get("table") or fields.get("photos"):
        flash(_("Choose the files again, please: a browser does not keep them."), "warning")
    return _page(_form(formdata=fields))


def too_large() -> Response:
    """Answer the form after files that are larger than an import takes."""
    form = _form(formdata=None)
    form.table.errors = [
        _("The files are too large: a table up to %(table)s MB, photos up to %(photos)s MB.", **_megabytes())
    ]
    return _page(form, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


@bp.get("/sample")
@allow(OPERATOR)
def sample() -> Response:
    """A table as an import takes it, to be filled in."""
    head = [_("Employee ID"), _("Full name"), _("Department"), _("Left")]
    return csv_file(
        "people", [[head, ["100222", _("Smith John"), _("Security"), ""], ["100223", _("Brown Anna"), "", _("yes")]]]
    )


def _upload(file: FileStorage | None) -> Upload | None:
    return Upload(file.filename or "", file.stream) if file else None


def _form(**options: object) -> UploadForm:
    form = UploadForm(**options)
    form.offer(registry.list_active())
    return form


def _megabytes() -> dict[str, int]:
    """Return how large the file of each field may be."""
    return {"table": current_app.config["IMPORT_FILE_LIMIT"], "photos": current_app.config["IMPORT_PHOTOS_LIMIT"]}


def _page(form: UploadForm, status: int = HTTPStatus.OK) -> Response:
    page = render_template("imports/new.html", form=form, most=_megabytes(), groups=groups.names())
    return make_response(page, status)
