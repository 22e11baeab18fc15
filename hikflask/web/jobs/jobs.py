"""Jobs for many people: the list, the page of one with its progress and its report, and the stop."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import ADMIN, OPERATOR, VIEWER, allow
from hikflask.models import Job, Terminal
from hikflask.models.job import DONE, DRAFT
from hikflask.services.core import heartbeat
from hikflask.services.employees import export_files
from hikflask.services.jobs import lifecycle, queries
from hikflask.services.jobs.kinds import DEACTIVATE, EXPORT
from hikflask.services.jobs.queries import Failure
from hikflask.web.jobs import draft, words
from hikflask.web.security import current_operator
from hikflask.web.support.htmx import with_bar
from hikflask.web.support.pagination import Listing, listed
from hikflask.web.support.urls import next_or

bp = Blueprint("jobs", __name__, url_prefix="/jobs")

FAST_SECONDS, SLOW_SECONDS = 1, 5


@dataclass(frozen=True)
class Report:
    """A job as its page shows it: who failed, and which terminals have not confirmed yet that somebody is gone."""

    job: Job
    failures: Listing[Failure]
    removals: list[tuple[Terminal, int]]
    has_worker: bool

    @property
    def poll_seconds(self) -> int:
        """After how many seconds the page asks again; 0: never."""
        if self.job.is_open:
            return FAST_SECONDS
        return SLOW_SECONDS if self.removals else 0

    @property
    def is_exported(self) -> bool:
        """True when a file was made."""
        return self.job.kind == EXPORT and self.job.state == DONE

    @property
    def file_kept_until(self) -> datetime | None:
        """When the exported file is deleted; None when it is gone already."""
        ended_at = self.job.ended_at
        return export_files.kept_until(ended_at) if ended_at and export_files.find(self.job) else None

    @property
    def all_gone(self) -> bool:
        """True when every terminal confirmed that those who were deactivated are gone."""
        job = self.job
        deactivated = job.kind == DEACTIVATE and job.state == DONE and job.done > job.failed
        return deactivated and not self.removals and not queries.has_erased(job.id)


@bp.get("/")
@allow(VIEWER)
def index() -> ResponseReturnValue:
    """The jobs that were started, the newest first."""
    return render_template("jobs/list.html", found=listed(queries.list_page), words=words)


@bp.get("/<int:job_id>")
@allow(VIEWER)
def show(job_id: int) -> ResponseReturnValue:
    """One job: its preview before it is started, then its progress and its report."""
    job = queries.get(job_id) or abort(404)
    if job.state == DRAFT:
        return draft.page(draft_or_404(job_id))
    return render_template("jobs/show.html", report=report_of(job), words=words)


@bp.get("/<int:job_id>/state")
@allow(VIEWER, is_activity=False)
def state(job_id: int) -> ResponseReturnValue:
    """The part of a job's page that polls, with the bar."""
    return with_bar(render_template("jobs/_report.html", report=report_of(started_or_404(job_id)), words=words))


@bp.post("/<int:job_id>/stop")
@allow(OPERATOR)
def stop(job_id: int) -> ResponseReturnValue:
    """Stop a job, and go back to the page that shows it; what is done stays."""
    lifecycle.stop(started_or_404(job_id).id)
    return redirect(next_or(url_for(".show", job_id=job_id)), 303)


def started_or_404(job_id: int) -> Job:
    """Return a job that was started.

    :raises werkzeug.exceptions.NotFound: when there is none.
    """
    job = queries.get(job_id)
    return job if job and job.state != DRAFT else abort(404)


def draft_or_404(job_id: int) -> Job:
    """Return a draft, for those who may start it.

    :raises werkzeug.exceptions.NotFound: when there is none.
    """
    job = queries.get(job_id)
    if job is None or job.state != DRAFT or not current_operator.may(ADMIN if job.kind == DEACTIVATE else OPERATOR):
        abort(404)
    return job


def report_of(job: Job) -> Report:
    """Return what the page of a job shows."""
    failures = listed(lambda limit, offset: queries.failures(job.id, limit, offset))
    removals = queries.unconfirmed_removals(job.id) if job.kind == DEACTIVATE else []
    return Report(job, failures, removals, has_worker=not job.is_open or heartbeat.alive())
