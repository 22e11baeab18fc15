"""Wrong rows of an import that was checked: corrected on its page, or in a file that comes back."""

import re
from collections import defaultdict
from collections.abc import Mapping
from http import HTTPStatus

from flask import current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import MultiDict

from hikflask.config import MEGABYTE
from hikflask.forms.imports import ConfirmForm, CorrectedFileForm
from hikflask.http import body_limits
from hikflask.http.permissions import OPERATOR, allow
from hikflask.labels import imports as labels
from hikflask.messages import error_sentence
from hikflask.services.core.errors import ServiceError
from hikflask.services.imports import corrections, queries
from hikflask.services.imports.batches import Upload
from hikflask.text_rules import isolated
from hikflask.web.imports import stage
from hikflask.web.imports.imports import about, batch_or_404, bp
from hikflask.web.imports.stage import CHECKED, Stage
from hikflask.web.security import resubmission

# The name of an input: the id of the row, and the index of the column.
CELL = re.compile(r"cell-([0-9]{1,18})-([0-9]{1,3})\Z")
# Each row whose ID may mean another one here.
ALL = "all"
# Of a place that is said: the name of a sheet, and a line.
MAX_PLACE = 80
Typed = dict[int, dict[int, str]]


def longest_upload() -> int:
    """Return how large a corrected file may be, in bytes."""
    return MEGABYTE * int(current_app.config["IMPORT_FILE_LIMIT"])


@bp.post("/<int:batch_id>/correct")
@allow(OPERATOR)
def correct(batch_id: int) -> ResponseReturnValue:
    """Check rows again as they were corrected on the page; `take` names a row that gets the ID meant, or all."""
    at, typed = stage.of(batch_or_404(batch_id)), _typed(request.form)
    rows = [row for row in queries.rows_of(batch_id, typed) if row.cells]
    cells = {row.id: [typed[row.id].get(index, cell) for index, cell in enumerate(row.cells or ())] for row in rows}
    take, checked = request.form.get("take"), set(cells)
    for row in rows:
        if take == str(row.id) and (meant := labels.similar_id(row)):
            cells[row.id] = corrections.with_number(at.batch, cells[row.id], meant)
    try:
        corrections.correct(batch_id, cells)
        if take == ALL:
            checked |= corrections.take_similar_ids(batch_id)
    except ServiceError as error:
        return _refused(at, error, typed)
    return _checked(batch_id, batch_or_404(batch_id).wrong, len(checked))


@resubmission.restores("imports.correct")
def corrected_again(fields: MultiDict[str, str], batch_id: int) -> ResponseReturnValue:
    """Show the rows again as they were corrected."""
    at = stage.of(batch_or_404(batch_id))
    return _page(at, _typed(fields)) if at.name == CHECKED else redirect(url_for(".show", batch_id=batch_id), 303)


@bp.post("/<int:batch_id>/wrong")
@allow(OPERATOR)
@body_limits.takes(longest_upload)
def correct_from_file(batch_id: int) -> ResponseReturnValue:
    """Check rows again as they were corrected in the file of wrong rows."""
    at, file = stage.of(batch_or_404(batch_id)), CorrectedFileForm().table.data
    if not file:
        if at.name != CHECKED:
            return redirect(url_for(".show", batch_id=batch_id), 303)
        return _page(at, {}, HTTPStatus.UNPROCESSABLE_ENTITY, file_error=_("Choose the file with the corrected rows."))
    try:
        found = corrections.correct_from_file(batch_id, Upload(file.filename or "", file.stream))
    except ServiceError as error:
        return _refused(at, error, {})
    if found.unknown:
        # The message is kept in a cookie, and nothing else limits the texts of a file.
        places = ", ".join(isolated(place[:MAX_PLACE]) for place in found.unknown)
        flash(_("Not among the wrong rows, and left out: %(rows)s.", rows=places), "warning")
    return _checked(batch_id, found.wrong, found.checked)


def _typed(fields: MultiDict[str, str]) -> Typed:
    typed: Typed = defaultdict(dict)
    for name, value in fields.items():
        if cell := CELL.match(name):
            typed[int(cell[1])][int(cell[2])] = value
    return typed


def _checked(batch_id: int, wrong: int, count: int) -> ResponseReturnValue:
    checked = ngettext("%(num)s row was checked again.", "%(num)s rows were checked again.", count)
    left = _("Wrong rows left: %(n)s.", n=wrong) if wrong else _("No row is wrong any more.")
    flash(f"{checked} {left}", "warning" if wrong else "message")
    return redirect(url_for(".show", batch_id=batch_id, _anchor="rows"), 303)


def _refused(at: Stage, error: ServiceError, typed: Mapping[int, Mapping[int, str]]) -> ResponseReturnValue:
    """Answer the page with what was typed; of an import that has begun meanwhile, go on."""
    if at.name != CHECKED:
        return redirect(url_for(".show", batch_id=at.batch.id), 303)
    flash(error_sentence(error), "danger")
    return _page(at, typed, error.meaning.page_status)


def _page(
    at: Stage, typed: Mapping[int, Mapping[int, str]], status: int = HTTPStatus.OK, file_error: str = ""
) -> ResponseReturnValue:
    """Answer the page of the import, with the rows that were typed as they were."""
    shown = about(at, ConfirmForm(formdata=None)) | {"file_error": file_error}
    if rows := queries.rows_of(at.batch.id, typed):
        shown |= {"corrected": rows, "typed": typed, "shown": "wrong"}
    return make_response(render_template("imports/show.html", **shown), status)
