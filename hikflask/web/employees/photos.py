"""Photos, to be seen by those who may: somebody signed in, or a program with a token."""

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue

from hikflask.http import bearer_token, permissions
from hikflask.http.permissions import VIEWER, allow
from hikflask.models import Photo
from hikflask.services import audit
from hikflask.services.core.errors import PhotoForgotten
from hikflask.services.photos import storage
from hikflask.web.security import guard

bp = Blueprint("uploads", __name__)


@bp.before_request
def refuse_strangers() -> ResponseReturnValue | None:
    """A request with a token is a program's, whatever cookie comes along; any other one is a page's."""
    if not bearer_token.is_shown():
        return guard.admit_page()
    token = bearer_token.token()
    bearer_token.act_as(token)
    rule = permissions.rule()
    if rule is None or rule.role is None or not permissions.may(token.role, rule.role):
        abort(403)
    return None


@bp.get("/uploads/<name>")
@allow(VIEWER, counts=False)
def show(name: str) -> Response:
    """Answer a photo that has a row; nothing else in the folder is ever served, and nothing as anything but JPEG."""
    photo = storage.get(name) or abort(404)
    picture = _picture(photo) or abort(404)
    number = photo.capture.draft_number if photo.capture else ""
    audit.note_look(photo.employee_id, photo.file, number)
    response = Response(picture, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _picture(photo: Photo) -> bytes | None:
    """Its file may go, and its retention end, between the look at the row and the answer."""
    try:
        return storage.to_send(photo)
    except PhotoForgotten:
        return None
