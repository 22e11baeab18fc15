"""Jobs for many people: the list, the page of one, its people as a file and on paper, stop and retry."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from hikflask.background import tasks
from hikflask.forms.fields import row_id
from hikflask.forms.jobs import JobForm
from hikflask.http.permissions import ADMIN, OPERATOR, VIEWER, allow, confirmed
from hikflask.messages import error_sentence
from hikflask.models import Job
from hikflask.models.job import DRAFT
from hikflask.services import audit
from hikflask.services.changes import agreement, lifecycle, outcomes, queries
from hikflask.services.changes.kinds import DEACTIVATE
from hikflask.services.core.dates import today
from hikflask.services.core.errors import AdministratorNeeded, UnsafePlan
from hikflask.services.employees import export_files, selection
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.services.spreadsheets.table_file import CSV, XLSX
from hikflask.web.jobs.report import may_change, report_of
from hikflask.web.security import current_operator, resubmission
from hikflask.web.support.htmx import with_bar
from hikflask.web.support.pagination import ROWS
from hikflask.web.support.responses import error_page, refuse
from hikflask.web.support.urls import next_or

bp = Blueprint("jobs", __name__, url_prefix="/jobs")

# So many photos are as much as a browser prints at once.
MAX_PRINTED = 1000
TYPES = {CSV: "text/csv", XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@bp.get("/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """The jobs that were started, the newest first."""
    return render_template("jobs/list.html", **_listed())


@bp.get("/state")
@allow(VIEWER, is_activity=False)
def list_state() -> ResponseReturnValue:
    """The part of the list that polls while jobs are open, with the bar."""
    return with_bar(render_template("jobs/_list.html", **_listed()))


@bp.get("/<int:job_id>/state")
@allow(VIEWER, is_activity=False)
def state(job_id: int) -> ResponseReturnValue:
    """The part of a job's page that polls, with the bar."""
    return with_bar(render_template("jobs/_report.html", **about(started_or_404(job_id))))


@bp.get("/<int:job_id>/file")
@allow(OPERATOR)
def file(job_id: int) -> ResponseReturnValue:
    """The file of an export while it is kept, else the job's page; a download is an entry of the audit trail."""
    job = started_or_404(job_id)
    path, page_of_job = export_files.find(job), redirect(url_for(".show", job_id=job_id))
    if path is None:
        return page_of_job
    kind = job.params["format"]
    name = f"employees-{today(job.ended_at).isoformat()}.{kind}"
    try:
        answer = send_file(path, TYPES[kind], as_attachment=True, download_name=name, conditional=False, etag=False)
    except FileNotFoundError:  # It was deleted at this moment.
        return page_of_job
    answer.headers["Cache-Control"] = "no-store"
    audit.record_alone("employees.export_downloaded", subject=f"job {job.id}", after={"people": job.total})
    return answer


@bp.get("/<int:job_id>/print")
@allow(OPERATOR)
def printed(job_id: int) -> ResponseReturnValue:
    """The people with their photos, on a page that prints well."""
    job = draft_or_404(job_id)
    return render_template("jobs/print.html", job=job, people=selection.people(job.id, MAX_PRINTED))


@bp.post("/<int:job_id>/stop")
@allow(OPERATOR)
def stop(job_id: int) -> ResponseReturnValue:
    """Stop a job, or leave one that failed as it is, and go back to the page that shows it; what is done stays."""
    lifecycle.stop_job(_changeable(job_id))
    return redirect(next_or(url_for(".show", job_id=job_id)), 303)


@bp.post("/<int:job_id>/retry")
@allow(OPERATOR)
def retry(job_id: int) -> ResponseReturnValue:
    """Let a job that ended go on with what failed and what is left; where many lose access by that, ask first."""
    try:
        return _retry(job_id, Confirmation(None, by_admin=current_operator.may(ADMIN)))
    except AdministratorNeeded as error:
        return error_page(HTTPStatus.FORBIDDEN, error_sentence(error))
    except UnsafePlan:
        return redirect(url_for(".ask_retry", job_id=job_id), 303)


@bp.get("/<int:job_id>/retry")
@allow(ADMIN)
def ask_retry(job_id: int) -> ResponseReturnValue:
    """Ask before a job goes on and many lose access."""
    return _question(job_id, JobForm(formdata=None))


@bp.post("/<int:job_id>/retry/remove")
@confirmed(ADMIN)
def retry_and_remove(job_id: int) -> ResponseReturnValue:
    """Let a job go on, though many lose access."""
    form = JobForm()
    try:
        return _retry(job_id, Confirmation(row_id(form.confirm.data), by_admin=True))
    except UnsafePlan as error:
        return _question(job_id, form, refuse(form.confirm, error))


@resubmission.restores("jobs.retry_and_remove")
def retry_again(fields: MultiDict[str, str], job_id: int) -> ResponseReturnValue:
    """Show the question again with the number as it was typed."""
    return _question(job_id, JobForm(formdata=fields))


def _question(job_id: int, form: JobForm, status: int = HTTPStatus.OK) -> ResponseReturnValue:
    job = started_or_404(job_id)
    if not lifecycle.can_retry(job):
        return redirect(url_for(".show", job_id=job_id), 303)
    return render_template("jobs/retry.html", job=job, form=form, losses=agreement.of_rest(job)), status


def _retry(job_id: int, agreed: Confirmation) -> ResponseReturnValue:
    if claim := lifecycle.retry(_changeable(job_id), agreed):
        tasks.enqueue_job(claim)
    return redirect(next_or(url_for(".show", job_id=job_id)), 303)


def _changeable(job_id: int) -> int:
    """Return the id of a job that was started and that this operator may stop and retry."""
    job = started_or_404(job_id)
    return job.id if may_change(job) else abort(403)


def _listed() -> dict[str, Any]:
    """Return what the list shows: a page of it, from `?before=` on, and the id with which the next one begins."""
    wanted = request.args.get("state", "")
    wanted = wanted if wanted in queries.WANTED else ""
    before = row_id(request.args.get("before"))
    jobs = queries.list_before(before, ROWS + 1, wanted)
    older = jobs[ROWS - 1].id if len(jobs) > ROWS else None
    shown = jobs[:ROWS]
    about = outcomes.of_jobs(shown)
    return {"jobs": shown, "outcomes": about, "wanted": wanted, "before": before, "older": older}


def about(job: Job) -> dict[str, Any]:
    """Return what the page of a job shows, and which of its rows."""
    place = {name: value for name in ("reason", "action", "after", "before") if (value := request.args.get(name))}
    return {"report": report_of(job), "place": place}


def started_or_404(job_id: int) -> Job:
    """Return a job that was started.

    :raises werkzeug.exceptions.NotFound: when there is none.
    """
    job = queries.find_job(job_id)
    return job if job and job.state != DRAFT else abort(404)


def draft_or_404(job_id: int) -> Job:
    """Return a draft, for those who may start it.

    :raises werkzeug.exceptions.NotFound: when there is none.
    """
    job = queries.find_job(job_id)
    if job is None or job.state != DRAFT or not current_operator.may(ADMIN if job.kind == DEACTIVATE else OPERATOR):
        abort(404)
    return job
