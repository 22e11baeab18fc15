"""The people of a job as a file and on paper."""

from pathlib import Path

from flask import Response, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import OPERATOR, allow
from hikflask.models import Job
from hikflask.services import audit
from hikflask.services.core.dates import today
from hikflask.services.employees import export_files
from hikflask.services.jobs import queries
from hikflask.services.spreadsheets.table_file import CSV, XLSX
from hikflask.web.jobs.jobs import bp, draft_or_404, started_or_404

# So many photos are as much as a browser prints at once.
MAX_PRINTED = 1000
TYPES = {CSV: "text/csv", XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@bp.get("/<int:job_id>/file")
@allow(OPERATOR)
def file(job_id: int) -> ResponseReturnValue:
    """The file of an export while it is kept, else the job's page; a download is noted in the audit trail."""
    job = started_or_404(job_id)
    path = export_files.find(job)
    answer = _download(job, path) if path else None
    if answer is None:
        return redirect(url_for(".show", job_id=job_id))
    audit.record_alone("employees.export_downloaded", subject=f"job {job.id}", after={"people": job.total})
    return answer


def _download(job: Job, path: Path) -> Response | None:
    """Answer the file; None when it was deleted at this moment."""
    kind = job.params["format"]
    name = f"employees-{today(job.ended_at).isoformat()}.{kind}"
    try:
        answer = send_file(path, TYPES[kind], as_attachment=True, download_name=name, conditional=False, etag=False)
    except FileNotFoundError:
        return None
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/<int:job_id>/print")
@allow(OPERATOR)
def printed(job_id: int) -> ResponseReturnValue:
    """The people with their photos, on a page that prints well."""
    job = draft_or_404(job_id)
    return render_template("jobs/print.html", job=job, people=queries.people(job.id, MAX_PRINTED))
