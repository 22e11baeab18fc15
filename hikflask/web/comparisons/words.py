"""The words of a comparison: its kinds, what can be done about them, and what a terminal says of a person."""

from datetime import date, datetime, time

from flask_babel import gettext as _
from flask_babel import ngettext

from hikflask import messages, validity_days
from hikflask.labels.dates import local_day
from hikflask.messages import N_
from hikflask.models import Employee, PersonThere
from hikflask.models.comparison import FACE_MISSING, FACE_OTHER, NAME, ONLY_HERE, ONLY_THERE, VALIDITY
from hikflask.services.comparisons.limits import validity_of
from hikflask.services.comparisons.plan import LEAVE, REMOVE, SEND, TAKE_OVER, Step
from hikflask.services.enrolments.validity import LAST_OF_DAY
from hikflask.services.jobs.plans.choices import NOTHING
from hikflask.services.terminals import clock

SENTENCES = {
    NAME: N_("On the terminal these IDs have another name than here."),
    FACE_MISSING: N_("These people are on the terminal without a face, so it does not recognise them."),
    FACE_OTHER: N_("The terminal keeps another picture for these people than the one that is kept here."),
    ONLY_HERE: N_("These people should be on the terminal, but it does not have them."),
    ONLY_THERE: N_("These people are on the terminal, but were not sent there from here."),
    VALIDITY: N_("The terminal lets these people in from or until another day than is set here."),
}
BUTTONS = {
    SEND: N_("Send to the terminal"),
    TAKE_OVER: N_("Take from the terminal"),
    REMOVE: N_("Remove from the terminal"),
    LEAVE: N_("Leave as it is"),
    NOTHING: N_("Undo the choice"),
}
ICONS = {SEND: "send", TAKE_OVER: "download", REMOVE: "delete", LEAVE: "check", NOTHING: "undo"}
CHOSEN = {
    SEND: N_("Will be sent to the terminal"),
    TAKE_OVER: N_("Will be taken from the terminal"),
    REMOVE: N_("Will be removed from the terminal"),
}
STEPS = {
    SEND: N_("To be sent to the terminal: %(people)s."),
    TAKE_OVER: N_("To be taken from the terminal: %(people)s."),
    REMOVE: N_("To be removed from the terminal: %(people)s."),
}
DONE = {
    SEND: N_("Sent to the terminal"),
    TAKE_OVER: N_("Taken from the terminal"),
    REMOVE: N_("Removed from the terminal"),
}


def says(kind: str) -> str:
    """Return in a sentence what a kind means."""
    return str(_(SENTENCES[kind]))


def button(action: str) -> str:
    """Return the words on the button of an action."""
    return str(_(BUTTONS[action]))


def chosen(action: str) -> str:
    """Return what will be done for a row."""
    return str(_(CHOSEN[action]))


def step(action: str, count: int) -> str:
    """Return in a sentence for how many people a plan does something."""
    return str(_(STEPS[action], people=people(count)))


def done(action: str) -> str:
    """Return what was done, as the heading of those for whom it was."""
    return str(_(DONE[action]))


def people(count: int) -> str:
    """Return a number of people, who may be no employees of ours, with its noun."""
    return str(ngettext("%(num)s person", "%(num)s people", count))


def differences(count: int) -> str:
    """Return a number of differences with its noun."""
    return str(ngettext("%(num)s difference", "%(num)s differences", count))


def validity_there(words: str) -> str:
    """Return the validity that a terminal shows, as PersonThere keeps it: as days, with the time of day within one."""
    valid = validity_of(words)
    if valid is None:
        return ""
    if not valid.enabled:
        return str(_("not limited"))
    if valid.begin is None or valid.end is None:
        return str(_("not readable"))
    zone = "" if valid.offset is None else f" {clock.written(valid.offset)}"
    first = _moment(valid.begin, zone, time.min) if valid.begin.date() > validity_days.FIRST_DAY else ""
    last = _moment(valid.end, zone, LAST_OF_DAY) if valid.end.date() < validity_days.LAST_DAY else ""
    return _span(first, last)


def _moment(moment: datetime, zone: str, whole: time) -> str:
    """Return a whole day; or a moment within it, or in another zone."""
    day = local_day(moment.date())
    return day if moment.time() == whole and not zone else f"{day}, {moment:%H:%M}{zone}"


def notes(step: Step, person: PersonThere) -> list[str]:
    """Return what is to be said of the days of somebody who is taken over."""
    if step.limits is None:
        return []
    about = {
        "here": days(step.limits.first, step.limits.last),
        "there": validity_there(person.valid_there),
        "day": local_day(step.limits.last) if step.limits.last else "",
        "before": days(step.limits_here.first, step.limits_here.last) if step.limits_here else "",
    }
    return [messages.sentence(code, **about) for code in step.notes]


def validity_here(employee: Employee | None) -> str:
    """Return the validity that is set here, as days; empty when nobody here has the number."""
    if employee is None:
        return ""
    return days(employee.valid_from, employee.valid_to)


def days(first: date | None, last: date | None) -> str:
    """Return from which to which day somebody may enter."""
    return _span(local_day(first) if first else "", local_day(last) if last else "")


def _span(first: str, last: str) -> str:
    if first and last:
        return str(_("%(first)s – %(last)s", first=first, last=last))
    if first:
        return str(_("from %(day)s", day=first))
    return str(_("until %(day)s", day=last)) if last else str(_("not limited"))


def cards(count: int) -> str:
    """Return a number of cards with its noun."""
    return str(ngettext("%(num)s card", "%(num)s cards", count))


def fingerprints(count: int) -> str:
    """Return a number of fingerprints with its noun."""
    return str(ngettext("%(num)s fingerprint", "%(num)s fingerprints", count))
