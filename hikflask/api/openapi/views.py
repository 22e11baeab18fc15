"""The description of the API, for a program with a token, or an operator who is signed in."""

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue

from hikflask.api.openapi.described import described
from hikflask.api.support import error_json
from hikflask.http.permissions import VIEWER, allow

bp = Blueprint("api_openapi", __name__, url_prefix="/api")
error_json.answer_in_json(bp)


@bp.get("/openapi.json")
@allow(VIEWER, is_activity=False, session_too=True)
@described({"type": "object"})
def get_openapi() -> ResponseReturnValue:
    """The description of all calls as OpenAPI 3.1."""
    from hikflask.api.openapi import document

    return jsonify(document.build(current_app))
