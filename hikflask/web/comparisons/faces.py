"""The face of somebody on the terminal, shown beside the one here to whoever chooses between them."""

from http import HTTPStatus

from flask import Response, abort

from hikflask.http import terminal_concurrency
from hikflask.http.permissions import OPERATOR, allow
from hikflask.isapi.errors import TerminalError
from hikflask.services import audit
from hikflask.services.comparisons import preview
from hikflask.services.core.errors import ServiceError
from hikflask.web.comparisons.comparisons import bp, finished_or_404


@bp.get("/faces/<number>")
@allow(OPERATOR, is_activity=False)
def face(terminal_id: int, number: str) -> Response:
    """Answer the picture that the comparison read, fetched from the terminal anew; it is not stored here."""
    terminal, comparison = finished_or_404(terminal_id)
    try:
        with terminal_concurrency.slot():
            picture = preview.picture_there(comparison, number, audit.present_actor().name)
    except (TerminalError, ServiceError):
        abort(HTTPStatus.SERVICE_UNAVAILABLE)
    if picture is None:
        abort(HTTPStatus.NOT_FOUND)
    audit.record_photo_view(None, terminal.name, number)
    response = Response(picture, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, no-store"
    return response
