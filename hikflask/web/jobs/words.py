"""The words of the pages of jobs: what is done, to how many, and how far it is."""

from flask_babel import gettext as _
from flask_babel import ngettext

from hikflask import messages
from hikflask.http.permissions import ADMIN, OPERATOR
from hikflask.messages import N_
from hikflask.models import Job, JobItem
from hikflask.services.jobs.kinds import (
    DEACTIVATE,
    DEPARTMENT,
    EXPORT,
    IMPORT,
    IMPORT_CHECK,
    IMPORT_UNDO,
    KINDS,
    SEND,
)
from hikflask.services.jobs.queries import MOST_COUNTED
from hikflask.web.security import current_operator
from hikflask.web.support.enrolment_status import NAMES_SOMEBODY
from hikflask.web.support.job_words import sentence, state, title

__all__ = ["import_of", "items", "left_out", "may_change", "may_see", "people", "preview", "sent", "sentence", "state"]
__all__ += ["title", "why"]
OF_IMPORTS = (IMPORT_CHECK, IMPORT, IMPORT_UNDO)
# What a preview says will be done.
PREVIEWS = {
    DEACTIVATE: N_("To be deactivated and removed from all terminals: %(people)s."),
    SEND: N_("To be sent to the terminal: %(people)s."),
    DEPARTMENT: N_("To get another department: %(people)s."),
    EXPORT: N_("To be exported: %(people)s."),
}


def people(count: int) -> str:
    """Return a number of employees with its noun."""
    return str(ngettext("%(num)s employee", "%(num)s employees", count))


def items(job: Job, count: int) -> str:
    """Return a number of what a job works through: rows of an import, else employees."""
    return str(ngettext("%(num)s row", "%(num)s rows", count)) if job.kind in OF_IMPORTS else people(count)


def import_of(job: Job) -> int | None:
    """Return the import that a job works on, or None; what is in its rows is for those who enrol employees."""
    return job.params.get("batch") if job.kind in OF_IMPORTS and current_operator.may(OPERATOR) else None


def may_change(job: Job) -> bool:
    """Tell whether this operator may stop and retry a job."""
    return current_operator.may(ADMIN if KINDS[job.kind].by_admin else OPERATOR)


def why(item: JobItem) -> str:
    """Return why an item failed; what a terminal said, with the values that its sentence needs."""
    about = item.error_params or {}
    if "t" in about:
        names_somebody = {"n": item.number, "name": about.get("text", "")}
        about = {"name": about["t"], **about} | (names_somebody if item.error in NAMES_SOMEBODY else {})
    return messages.sentence(item.error, **about)


def sent(count: int) -> str:
    """Return a number of sent employees, which is counted up to a limit."""
    return str(_("%(people)s or more", people=people(count))) if count >= MOST_COUNTED else people(count)


def may_see(job: Job) -> bool:
    """Tell whether this operator may see which items failed."""
    return not KINDS[job.kind].operators_only or current_operator.may(OPERATOR)


def preview(job: Job) -> str:
    """Return what a draft would do, with its count."""
    return str(_(PREVIEWS[job.kind], people=people(job.total)))


def left_out(job: Job) -> str:
    """Return how many of the selected employees a draft leaves out; "" when it is none."""
    count = job.params.get("left_out", 0)
    return str(_("Inactive, so nothing is done for them: %(people)s.", people=people(count))) if count else ""
