"""The metrics for Prometheus, for programs with a token; without one they are on a port of loopback alone."""

from flask import Blueprint, Response

from hikflask.api.support.error_json import answer_in_json
from hikflask.http.permissions import VIEWER, allow
from hikflask.metrics import exposition

bp = Blueprint("api_metrics", __name__)
answer_in_json(bp)


@bp.get("/metrics")
@allow(VIEWER)
def show() -> Response:
    """Answer all metrics."""
    headers = {"Content-Disposition": 'attachment; filename="metrics.txt"'}
    return Response(exposition.text(), content_type=exposition.CONTENT_TYPE, headers=headers)
