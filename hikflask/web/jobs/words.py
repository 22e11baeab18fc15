"""The words of jobs: what is done, to how many, and how far it is."""

from flask_babel import gettext as _
from flask_babel import ngettext

from hikflask import messages
from hikflask.http.permissions import OPERATOR
from hikflask.invisible_characters import isolated
from hikflask.messages import N_
from hikflask.models import Job
from hikflask.services.jobs.kinds import (
    APPLY,
    COMPARE,
    DEACTIVATE,
    DEPARTMENT,
    EXPORT,
    IMPORT,
    IMPORT_CHECK,
    IMPORT_UNDO,
    PRINT,
    SEND,
)
from hikflask.web.security import current_operator

OF_IMPORTS = (IMPORT_CHECK, IMPORT, IMPORT_UNDO)
TITLES = {
    DEACTIVATE: N_("Deactivation"),
    SEND: N_("Sending to a terminal"),
    DEPARTMENT: N_("Change of department"),
    EXPORT: N_("Export"),
    PRINT: N_("Print"),
    IMPORT_CHECK: N_("Check of an import"),
    IMPORT: N_("Import"),
    IMPORT_UNDO: N_("Undoing of an import"),
    COMPARE: N_("Comparison of a terminal"),
    APPLY: N_("Plan after a comparison"),
}
# What is done at one terminal.
AT_TERMINAL = {
    SEND: N_("Sending to “%(t)s”"),
    COMPARE: N_("Comparison of “%(t)s”"),
    APPLY: N_("Plan for “%(t)s”"),
}
# What a preview says will be done.
PREVIEWS = {
    DEACTIVATE: N_("To be deactivated and removed from all terminals: %(people)s."),
    SEND: N_("To be sent to the terminal: %(people)s."),
    DEPARTMENT: N_("To get another department: %(people)s."),
    EXPORT: N_("To be exported: %(people)s."),
}
STATES = {
    "waiting": N_("Waits to be started"),
    "running": N_("Running"),
    "done": N_("Done"),
    "failed": N_("Interrupted"),
    "stopped": N_("Stopped"),
}
SENTENCES = {
    "waiting": N_("The job will start in a moment."),
    "running": N_("The job is running. You may leave this page: it goes on."),
    "done": N_("The job is done."),
    "failed": N_("The job was interrupted several times and given up. What is done stays; the server's log says why."),
    "stopped": N_("The job was stopped. What is done stays."),
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


def may_see(job: Job) -> bool:
    """Tell whether this operator may see which items failed: those of an import are rows of its file, and a plan names
    people whom only the terminal knows.
    """
    return job.kind not in (*OF_IMPORTS, APPLY) or current_operator.may(OPERATOR)


def title(job: Job) -> str:
    """Return what a job does; a terminal and a department by name, once they are chosen."""
    if job.params.get("terminal"):
        return str(_(AT_TERMINAL.get(job.kind, AT_TERMINAL[SEND]), t=isolated(job.params["terminal"])))
    if job.params.get("department"):
        return str(_("Change of department to “%(name)s”", name=isolated(job.params["department"])))
    return str(_(TITLES.get(job.kind, job.kind)))


def preview(job: Job) -> str:
    """Return what a draft would do, with its count."""
    return str(_(PREVIEWS[job.kind], people=people(job.total)))


def left_out(job: Job) -> str:
    """Return how many of the selected employees a draft leaves out; "" when it is none."""
    count = job.params.get("left_out", 0)
    return str(_("Inactive, so nothing is done for them: %(people)s.", people=people(count))) if count else ""


def state(job: Job) -> str:
    """Return the state in a word or two."""
    return str(_(STATES[job.state]))


def sentence(job: Job) -> str:
    """Return the state in a sentence; of a job that could not be done as a whole, why."""
    if error := job.params.get("error"):
        return messages.sentence(error, **(job.params.get("error_params") or {}))
    return str(_(SENTENCES[job.state]))
