"""The people of a draft as a file and on paper."""

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from hikflask.http.permissions import OPERATOR, allow
from hikflask.services import audit
from hikflask.services.employees import people_table
from hikflask.services.jobs import queries
from hikflask.web.jobs import words
from hikflask.web.jobs.jobs import bp, draft_or_404
from hikflask.web.support import csv_file

# So many photos are as much as a browser prints at once.
MOST_PRINTED = 1000


@bp.post("/<int:job_id>/export")
@allow(OPERATOR)
def export(job_id: int) -> ResponseReturnValue:
    """The people as a file; the export is noted in the audit trail."""
    job = draft_or_404(job_id)
    audit.note_alone("employees.exported", after={"people": job.total})
    table = people_table.in_language(str(get_locale()))
    return csv_file.download("employees", table.parts(queries.batches(job.id)))


@bp.get("/<int:job_id>/print")
@allow(OPERATOR)
def printed(job_id: int) -> ResponseReturnValue:
    """The people with their photos, on a page that prints well."""
    job = draft_or_404(job_id)
    return render_template("jobs/print.html", job=job, people=queries.people(job.id, MOST_PRINTED), words=words)
