"""The page on which the calls of the API are read and tried; it needs no internet."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import VIEWER, allow

bp = Blueprint("api_reference", __name__)

DOCUMENT = "/api/openapi.json"


@bp.get("/api-reference")
@allow(VIEWER)
def show() -> ResponseReturnValue:
    """The description of the API, drawn from /api/openapi.json."""
    return render_template("admin/api_reference.html", document=DOCUMENT)
