"""What a job is called, and what became of it, in words."""

from typing import Any

from flask_babel import format_decimal
from flask_babel import gettext as _

from hikflask import messages
from hikflask.invisible_characters import isolated
from hikflask.messages import N_
from hikflask.models import Job
from hikflask.services.jobs.kinds import (
    APPLY,
    COMPARE,
    DEACTIVATE,
    DEPARTMENT,
    EXPORT,
    GROUPS,
    IMPORT,
    IMPORT_CHECK,
    IMPORT_UNDO,
    PRINT,
    SEND,
)
from hikflask.web.support.actor_names import actor

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
    GROUPS: N_("Groups of terminals"),
}
# Where the terminal is known.
AT_TERMINAL = {
    SEND: N_("Sending to “%(t)s”"),
    COMPARE: N_("Comparison of “%(t)s”"),
    APPLY: N_("Plan for “%(t)s”"),
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


def title(job: Job) -> str:
    """Return what a job does; a terminal and a department by name, once they are chosen."""
    if job.params.get("terminal") and job.kind in AT_TERMINAL:
        return str(_(AT_TERMINAL[job.kind], t=isolated(job.params["terminal"])))
    if job.params.get("department"):
        return str(_("Change of department to “%(name)s”", name=isolated(job.params["department"])))
    if job.params.get("group"):
        return str(_("Terminals of “%(name)s”", name=isolated(job.params["group"])))
    return str(_(TITLES.get(job.kind, job.kind)))


def state(job: Job) -> str:
    """Return the state in a word or two; of one that failed as a whole, or for all, that it failed."""
    if (job.state == "failed" and "error" in job.params) or (job.failed_for_all and job.failed == 1):
        return str(_("Failed"))
    if job.failed_for_all:
        return str(_("Failed for all %(n)s", n=format_decimal(job.failed)))
    if job.state == "done" and job.failed:
        return str(_("Partly done"))
    waits = job.is_open and job.pause and "error" in job.pause
    return str(_("Waits for its terminal") if waits else _(STATES[job.state]))


def sentence(job: Job) -> str:
    """Return the state in a sentence; of a job that could not go on, or waits for its terminal, why."""
    if error := job.params.get("error"):
        return _of_error(error, job.params.get("error_params"))
    if job.is_open and job.pause and "error" in job.pause:
        return _of_error(job.pause["error"], job.pause.get("error_params"))
    if job.state == "done" and job.failed:
        return str(_("The job has ended."))
    return str(_(SENTENCES[job.state]))


def _of_error(code: str, params: dict[str, Any] | None) -> str:
    about = params or {}
    named = {"who": actor(about["who"])} if "who" in about else {}
    return messages.sentence(code, **{**about, **named})
