"""The words for a job: what it does, to how many, how far it is, and why something failed."""

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from hikflask.labels import bars
from hikflask.labels.bars import Part
from hikflask.labels.imports import row_count
from hikflask.messages import refusal_sentence, sentence
from hikflask.models import Job
from hikflask.models.refusal import Refusal
from hikflask.services.changes.kinds import (
    APPLY,
    APPLY_UNDO,
    CHECK_FIRST,
    COMPARE,
    CONSENT,
    DEACTIVATE,
    DELETE_PASSAGES,
    DEPARTMENT,
    EXPORT,
    GROUPS,
    HAVE_CONSENT,
    IMPORT,
    IMPORT_CHECK,
    IMPORT_UNDO,
    LEFT_OUT,
    OF_IMPORTS,
    PRINT,
    SEND,
)
from hikflask.services.changes.outcomes import Outcome, Reason
from hikflask.services.changes.queries import MAX_COUNTED
from hikflask.services.state.enrolment import NO_PHOTO
from hikflask.text_rules import N_, isolated

TITLES = {
    DEACTIVATE: _l("Deactivation"),
    SEND: _l("Sending to a terminal"),
    DEPARTMENT: _l("Change of department"),
    CONSENT: _l("Record of consents"),
    EXPORT: _l("Export"),
    PRINT: _l("Print"),
    IMPORT_CHECK: _l("Check of an import"),
    IMPORT: _l("Import"),
    IMPORT_UNDO: _l("Undoing of an import"),
    COMPARE: _l("Comparison of a terminal"),
    APPLY: _l("Plan after a comparison"),
    APPLY_UNDO: _l("Undoing of a taking-over"),
    GROUPS: _l("Groups of terminals"),
    DELETE_PASSAGES: _l("Deletion of all passages"),
}
# Where the terminal is known.
AT_TERMINAL = {
    SEND: N_("Sending to “%(t)s”"),
    COMPARE: N_("Comparison of “%(t)s”"),
    APPLY: N_("Plan for “%(t)s”"),
    APPLY_UNDO: N_("Undoing of a taking-over from “%(t)s”"),
}
STATES = {
    "waiting": _l("Waits to be started"),
    "running": _l("Running"),
    "done": _l("Done"),
    "failed": _l("Interrupted"),
    "stopped": _l("Stopped"),
}
SENTENCES = {
    "waiting": _l("The job will start in a moment."),
    "running": _l("The job is running. You may leave this page: it goes on."),
    "done": _l("The job is done."),
    "failed": _l("The job was interrupted several times and given up. What is done stays; the server's log says why."),
    "stopped": _l("The job was stopped. What is done stays."),
}

# What a preview says will be done.
PREVIEWS = {
    DEACTIVATE: N_("To be deactivated and removed from all terminals: %(people)s."),
    SEND: N_("To be sent to the terminal: %(people)s."),
    DEPARTMENT: N_("To get another department: %(people)s."),
    CONSENT: N_("To be recorded, as consent given today: %(people)s."),
    EXPORT: N_("To be exported: %(people)s."),
}


def title(job: Job) -> str:
    """Return what a job does; a terminal and a department by name, once they are chosen."""
    if job.params.get("terminal") and job.kind in AT_TERMINAL:
        return str(_(AT_TERMINAL[job.kind], t=isolated(job.params["terminal"])))
    if job.params.get("department"):
        return str(_("Change of department to “%(name)s”", name=isolated(job.params["department"])))
    if job.params.get("group"):
        return str(_("Terminals of “%(name)s”", name=isolated(job.params["group"])))
    return str(TITLES.get(job.kind, job.kind))


def bar(job: Job, outcome: Outcome) -> list[Part]:
    """Return the parts of the bar of a job, from what is done to what is not."""
    n = {name: format_decimal(count) for name, count in vars(outcome).items() if name != "reasons"}
    total = format_decimal(outcome.total)
    left = _("waiting: %(n)s", n=n["left"]) if job.is_open else _("not done: %(n)s", n=n["left"])
    return bars.bar(
        [
            ("good", outcome.done, _("Done: %(n)s of %(total)s", n=n["done"], total=total)),
            ("mended", outcome.mended, _("mended later: %(n)s", n=n["mended"])),
            ("warn", outcome.needs_photo, _("need a photo: %(n)s", n=n["needs_photo"])),
            ("bad", outcome.failed, _("failed: %(n)s", n=n["failed"])),
            ("none", outcome.left, left),
        ]
    )


def state_label(job: Job, outcome: Outcome | None = None) -> str:
    """Return the state in a word or two; of one that failed as a whole, or for all, that it failed.

    :param outcome: what became of its items, where some may be mended since.
    """
    mended = outcome.mended if outcome else 0
    if job.state == "done" and mended and outcome and not outcome.to_do:
        return str(_("Done, mended later"))
    if (job.state == "failed" and job.refusal) or (job.failed_for_all and job.failed == 1):
        return str(_("Failed"))
    if job.failed_for_all and not mended:
        return str(_("Failed for all %(n)s", n=format_decimal(job.failed)))
    if job.state == "done" and job.failed:
        return str(_("Partly done"))
    return str(_("Waits for its terminal") if _wait(job) else STATES[job.state])


def state_tone(job: Job, outcome: Outcome | None = None) -> str:
    """Return "good", "warn" or "bad" for the state of a job that has ended, else an empty text."""
    failed = outcome.to_do if outcome else job.failed
    if job.state == "failed" or (job.failed_for_all and failed == job.failed):
        return "bad"
    return ("warn" if failed else "good") if job.state == "done" else ""


def state_sentence(job: Job) -> str:
    """Return the state in a sentence; of a job that could not go on, or waits for its terminal, why."""
    if refusal := job.refusal or _wait(job):
        return refusal_sentence(refusal)
    if job.state == "done" and job.failed:
        return str(_("The job has ended."))
    return str(SENTENCES[job.state])


def _wait(job: Job) -> Refusal | None:
    return job.pause.get("refusal") if job.is_open and job.pause else None


def employee_count(count: int) -> str:
    """Return a number of employees with its noun."""
    return str(ngettext("%(num)s employee", "%(num)s employees", count))


def item_count(job: Job, count: int) -> str:
    """Return a number of what a job works through: rows of an import, people on terminals of groups, else employees."""
    if job.kind == GROUPS:
        return str(ngettext("%(num)s record on a terminal", "%(num)s records on terminals", count))
    return row_count(count) if job.kind in OF_IMPORTS else employee_count(count)


def counted_sentence(job: Job) -> str:
    """Return what the numbers of a job of an import count; of another job, which counts people, an empty text."""
    if job.kind not in OF_IMPORTS:
        return ""
    if job.params.get(CHECK_FIRST):
        return str(_("Rows of the table and photos are counted; what changes nothing is done once it is checked."))
    if job.kind == IMPORT_CHECK:
        return str(_("Rows of the table and photos are counted."))
    return str(_("Rows that change something are counted."))


def failure_sentence(job: Job, refusal: Refusal | None) -> str:
    """Return why an item failed, and on which of the terminals of groups."""
    terminal = refusal["params"].get("t", "") if refusal else ""
    reason = refusal_sentence(refusal, name=terminal)
    return f"{isolated(terminal)}: {reason}" if terminal and job.kind == GROUPS else reason


def reason_sentence(job: Job, reason: Reason) -> str:
    """Return why items of a job failed, in words that are true of each of them."""
    if reason.is_mended:
        return str(_("Mended later"))
    terminal = reason.terminal.name if reason.terminal else ""
    if terminal and reason.code == NO_PHOTO:
        return str(_("No photo on the terminal “%(t)s”", t=isolated(terminal)))
    if reason.is_same or not reason.refusal:
        return failure_sentence(job, reason.refusal)
    said = sentence(reason.code, t=terminal)
    return f"{isolated(terminal)}: {said}" if terminal and job.kind == GROUPS else said


def sent_count(job: Job, count: int) -> str:
    """Return a number of sent items, which is counted up to a limit."""
    people = item_count(job, count)
    return str(_("%(people)s or more", people=people)) if count >= MAX_COUNTED else people


def preview_sentence(job: Job) -> str:
    """Return what a draft would do, with its count."""
    return str(_(PREVIEWS[job.kind], people=employee_count(job.total)))


def left_out_sentence(job: Job) -> str:
    """Return how many of the selected employees a draft leaves out, and why; "" when it is none."""
    inactive, with_consent = job.params.get(LEFT_OUT, 0), job.params.get(HAVE_CONSENT, 0)
    sentences = []
    if inactive:
        sentences.append(_("Inactive, so nothing is done for them: %(people)s.", people=employee_count(inactive)))
    if with_consent:
        sentences.append(
            _("Their consent is recorded already, and stays: %(people)s.", people=employee_count(with_consent))
        )
    return " ".join(sentences)
