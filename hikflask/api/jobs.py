"""Jobs for many people: how far one is, and who failed."""

from typing import Any

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue

from hikflask.api import imports
from hikflask.api.openapi.described import Query, component, described
from hikflask.api.support import error_json, paging
from hikflask.http import bearer_token
from hikflask.http.permissions import OPERATOR, VIEWER, allow
from hikflask.models.job import DRAFT
from hikflask.services.jobs import import_report, queries
from hikflask.services.jobs.kinds import KINDS

bp = Blueprint("api_jobs", __name__, url_prefix="/api/jobs")
error_json.answer_in_json(bp)

PAGES = {**paging.ARGUMENTS, "limit": {**paging.ARGUMENTS["limit"], "default": paging.MAX_PAGE_SIZE}}


@bp.get("/<int:job_id>")
@allow(VIEWER)
@described(component("Job"), query=Query(more=PAGES), headers=("Link",))
def get_job(job_id: int) -> ResponseReturnValue:
    """One job; a preview that nobody started is none. What failed in imports and plans is for the role `operator`.

    It is told by pages: the header Link leads to the next one.
    """
    job = queries.find_job(job_id)
    if job is None or job.state == DRAFT:
        abort(404, "There is no such job.")
    answer: dict[str, Any] = {"state": job.state, "done": job.done, "total": job.total, "failed": []}
    if KINDS[job.kind].operators_only and not bearer_token.may(OPERATOR):
        return jsonify(answer)
    limit = paging.whole("limit", paging.MAX_PAGE_SIZE, paging.MAX_PAGE_SIZE)
    page = import_report.page(job, limit, request.args.get("after", ""))
    answer["failed"] = [{"number": number, "error": error} for number, error in page.failed]
    if imported := imports.of_job(job, page.imported):
        answer["import"] = imported
    return paging.with_link(jsonify(answer), page.after)
