"""Jobs for many people: how far one is, and who failed."""

from typing import Any

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue

from hikflask.api import imports
from hikflask.api.openapi.described import WHOLE, Body, Query, component, described
from hikflask.api.support import body, error_json, paging
from hikflask.background import tasks
from hikflask.http import bearer_token
from hikflask.http.permissions import OPERATOR, VIEWER, allow
from hikflask.models import Job
from hikflask.models.job import DRAFT
from hikflask.services.changes import queries
from hikflask.services.changes.kinds import APPLY, KINDS
from hikflask.services.comparisons import undo
from hikflask.services.imports import report as import_report

bp = Blueprint("api_jobs", __name__, url_prefix="/api/jobs")
error_json.answer_in_json(bp)

PAGES = {**paging.ARGUMENTS, "limit": {**paging.ARGUMENTS["limit"], "default": paging.MAX_PAGE_SIZE}}


UNDO = Body(more={"people": WHOLE}, optional=True, example={"people": 12})


@bp.get("/<int:job_id>/undo")
@allow(OPERATOR)
@described(component("TakenOver"))
def preview_job_undo(job_id: int) -> ResponseReturnValue:
    """What undoing a plan's job would do: of how many people who were taken over, and of how many not."""
    can, changed = undo.preview(_plan_or_404(job_id).id)
    return jsonify({"people": can, "changed": changed})


@bp.post("/<int:job_id>/undo")
@allow(OPERATOR)
@described(component("JobBegun"), status=202, body=UNDO, refusals=(409,))
def undo_job(job_id: int) -> ResponseReturnValue:
    """Begin the job that undoes what a plan's job took over from its device; nothing is done at the device.

    `people` is the sum that was previewed: where it is another one by now (`plan_changed`), or while the job or an undo
    of it runs (`undo_started`), or with nobody to take back (`nothing_to_take_back`), nothing is done.
    """
    job, given = _plan_or_404(job_id), body.read(numbers=("people",), required=False)
    claim = undo.start(job.id, body.number(given, "people"))
    tasks.enqueue_job(claim)
    return jsonify({"job": claim.job_id}), 202


def _plan_or_404(job_id: int) -> Job:
    job = queries.find_job(job_id)
    if job is None or job.state == DRAFT or job.kind != APPLY:
        abort(404, "There is no such job of a plan.")
    return job


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
