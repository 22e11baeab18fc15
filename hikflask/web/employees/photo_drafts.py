"""A photo from a file before it is saved: checked, turned, cropped. Each button submits the whole employee form."""

from http import HTTPStatus

from flask import Blueprint, Response, abort, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from hikflask.forms.employees import EmployeePageForm
from hikflask.http.permissions import OPERATOR, allow
from hikflask.models.capture import CAPTURED
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees import photo_drafts as drafts
from hikflask.web.employees import capture_panel, form_page
from hikflask.web.security.current_operator import operator_name
from hikflask.web.support import htmx

bp = Blueprint("photo_drafts", __name__, url_prefix="/photo-drafts")

# What a button does → degrees clockwise, and whether the face is to be cut out (None: as before).
CHANGES: dict[str, tuple[int, bool | None]] = {
    "left": (270, None),
    "right": (90, None),
    "over": (180, None),
    "crop": (0, True),
    "whole": (0, False),
}


@bp.post("")
@allow(OPERATOR)
def check() -> ResponseReturnValue:
    """Check the chosen file, and show it with what was found."""
    form = EmployeePageForm()
    if not form.photo.data:
        if htmx.wants_fragment():  # The browser's window for files was closed.
            return "", HTTPStatus.NO_CONTENT
        form.photo.errors = [_("Choose a photo file first.")]
        return form_page.show(form, capture_panel.for_form(form), HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        _make_draft(form)
    except ServiceError as error:
        return _refused(form, error)
    return _answer(form)


@bp.post("/<what>")
@allow(OPERATOR)
def change(what: str) -> ResponseReturnValue:
    """Turn the photo, cut out the face, or show the whole photo again."""
    turn, crop = CHANGES.get(what) or abort(HTTPStatus.NOT_FOUND)
    form = EmployeePageForm()
    token, number = form.photo_draft.data or "", form.hikvision_id.data or ""
    try:
        changed = drafts.changed(token, number, operator_name(), turn=turn, crop=crop)
    except ServiceError as error:
        return _refused(form, error)
    form.photo_draft.data = changed.token
    return _answer(form)


@bp.post("/drop")
@allow(OPERATOR)
def drop() -> ResponseReturnValue:
    """Delete the photo, so that another one can be chosen."""
    form = EmployeePageForm()
    drafts.drop(form.photo_draft.data or "", operator_name())
    form.photo_draft.data = ""
    return _answer(form)


@bp.get("/<token>")
@allow(OPERATOR, is_activity=False)
def show(token: str) -> Response:
    """Answer the picture as it would be saved, to the operator who uploaded it alone."""
    picture = drafts.picture(token, operator_name()) or abort(HTTPStatus.NOT_FOUND)
    response = Response(picture, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def check_unseen(form: EmployeePageForm) -> None:
    """Make a draft of a file that was sent with Save from a page that asks; a captured face is saved instead of it.

    :raises ServiceError: when it is no photo, or cannot be looked at now.
    """
    asks = form.poor_photo.data and capture_panel.of(form.own_capture).state != CAPTURED
    if form.photo.data and asks:
        _make_draft(form)


def _make_draft(form: EmployeePageForm) -> None:
    draft = drafts.make(form.photo.data.stream, form.hikvision_id.data or "", operator_name())
    form.photo_draft.data, form.photo.data = draft.token, None


def _refused(form: EmployeePageForm, error: ServiceError) -> Response:
    if not htmx.wants_fragment():
        return form_page.refused(form, error)
    form_page.add_errors(form, error)
    status = error.meaning.page_status
    if error.retry_after:  # The file stays chosen: Save sends it again.
        return htmx.retargeted(
            render_template("employees/_photo_says.html", form=form), "#photo-says", status, "innerHTML"
        )
    return _fragment(form, status)


def _answer(form: EmployeePageForm) -> Response:
    if htmx.wants_fragment():
        return _fragment(form)
    return form_page.show(form, capture_panel.for_form(form))


def _fragment(form: EmployeePageForm, status: int = HTTPStatus.OK) -> Response:
    shown = capture_panel.for_form(form)
    body = form_page.fragment(form, shown, with_file=True)
    return htmx.replaced_address(body, form_page.address(form, shown), status)
