"""Jobs for many people: how far one is, and who failed."""

from typing import Any

from flask import Blueprint, abort, jsonify
from flask.typing import ResponseReturnValue

from hikflask.api import imports
from hikflask.api.openapi.described import described, one
from hikflask.api.support import errors
from hikflask.http import bearer_token
from hikflask.http.permissions import OPERATOR, VIEWER, allow
from hikflask.models.job import DRAFT
from hikflask.services.jobs import queries
from hikflask.services.jobs.kinds import KINDS

bp = Blueprint("api_jobs", __name__, url_prefix="/api/jobs")
errors.answer_in_json(bp)


@bp.get("/<int:job_id>")
@allow(VIEWER)
@described(one("Job"))
def get_job(job_id: int) -> ResponseReturnValue:
    """One job; a preview that nobody started is none. What failed in imports and plans is for the role `operator`."""
    job = queries.get(job_id)
    if job is None or job.state == DRAFT:
        abort(404, "There is no such job.")
    answer: dict[str, Any] = {"state": job.state, "done": job.done, "total": job.total, "failed": []}
    if KINDS[job.kind].operators_only and not bearer_token.may(OPERATOR):
        return jsonify(answer)
    answer["failed"] = [{"number": number, "error": error} for number, error in queries.errors(job_id)]
    imported = imports.of_job(job)
    return jsonify(answer | {"import": imported} if imported else answer)
