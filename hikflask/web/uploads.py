"""Photos, to be seen by those who may."""

from flask import Blueprint, Response, abort, send_file

from hikflask.services import photos

bp = Blueprint("uploads", __name__)


@bp.before_request
def refuse_strangers() -> None:
    """The one place where a session or a token is asked for, once people sign in."""


@bp.get("/uploads/<name>")
def show(name: str) -> Response:
    """Answer a photo that has a row; nothing else in the folder is ever served."""
    path = photos.known(name) or abort(404)
    response = send_file(path, mimetype="image/jpeg", conditional=False, etag=False, last_modified=None)
    response.headers["Cache-Control"] = "private, no-store"
    return response
