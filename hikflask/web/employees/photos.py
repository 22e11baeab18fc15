"""Photos, for operators who are signed in and programs with a token."""

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue

from hikflask.http import bearer_token, permissions
from hikflask.http.permissions import VIEWER, allow
from hikflask.services import audit
from hikflask.services.core.errors import PhotoForgotten
from hikflask.services.photos import storage
from hikflask.web.security import guard
from hikflask.web.support import responses

bp = Blueprint("uploads", __name__)


@bp.before_request
def refuse_unauthorized() -> ResponseReturnValue | None:
    """Check a request with a token as a program's, whatever cookie it has, and any other one as a browser's."""
    if not bearer_token.is_given():
        return guard.admit_page()
    token = bearer_token.authenticate()
    bearer_token.begin(token)
    rule = permissions.rule()
    if rule is None or rule.role is None or not permissions.may(token.role, rule.role):
        abort(403)
    return None


@bp.get("/uploads/<name>")
@allow(VIEWER, is_activity=False)
def show(name: str) -> Response:
    """Answer a photo that has a row in the database; nothing else in the folder is served, and only as JPEG."""
    photo = storage.find_by_file(name) or abort(404)
    try:
        picture = storage.read_photo(photo) or abort(404)
    except PhotoForgotten:  # Deleted after the row was read.
        abort(404)
    number = photo.capture.draft_number if photo.capture else ""
    audit.record_photo_view(photo.employee_id, photo.file, number or storage.number_in(photo.file))
    return responses.picture(picture)
