"""The words for a comparison: its kinds, what can be done about them, what a terminal says of a person, and drift."""

from collections.abc import Sequence
from datetime import date, datetime, time

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from hikflask import messages, text_rules
from hikflask.labels.dates import local_day
from hikflask.models.comparison import COUNT, FACE_MISSING, FACE_OTHER, NAME, ONLY_HERE, ONLY_THERE, VALIDITY, Drift
from hikflask.services.comparisons.plan import LEAVE, REMOVE, SEND, TAKE_OVER, Step
from hikflask.services.comparisons.plan_choices import FACE_THERE, NAME_HERE, NAME_KEPT, NAME_THERE, NOTHING
from hikflask.services.comparisons.queries import There
from hikflask.services.comparisons.validity_there import validity_of
from hikflask.services.enrolments.validity import LAST_OF_DAY
from hikflask.services.terminals import clock
from hikflask.text_rules import N_, all_isolated, isolated

KINDS = {
    NAME: _l("Name differs"),
    FACE_MISSING: _l("No face"),
    FACE_OTHER: _l("Another face"),
    ONLY_HERE: _l("Only here"),
    ONLY_THERE: _l("Only on the terminal"),
    VALIDITY: _l("Validity differs"),
}
# As the audit trail and commands name the difference of one person.
KINDS_OF_PERSONS = {**KINDS, FACE_MISSING: _l("Face missing")}
DRIFT_SENTENCES = {
    COUNT: N_("There should be %(expected)s people on the terminal, and there are %(found)s."),
    NAME: N_("ID %(number)s has another name on the terminal: %(found)s instead of %(expected)s."),
    ONLY_HERE: N_("Not on the terminal any more: %(expected)s, ID %(number)s."),
}
KIND_SENTENCES = {
    NAME: _l("On the terminal these IDs have another name than here."),
    FACE_MISSING: _l("These people are on the terminal without a face, so it does not recognise them."),
    FACE_OTHER: _l("The terminal keeps another picture for these people than the one that is kept here."),
    ONLY_HERE: _l("These people should be on the terminal, but it does not have them."),
    ONLY_THERE: _l("These people are on the terminal, but were not sent there from here."),
    VALIDITY: _l("The terminal lets these people in from or until another day than is set here."),
}
ACTIONS = {
    SEND: _l("Send to the terminal"),
    TAKE_OVER: _l("Take from the terminal"),
    REMOVE: _l("Remove from the terminal"),
    LEAVE: _l("Leave as it is"),
    NOTHING: _l("Undo the choice"),
}
CHOICES = {
    SEND: _l("Will be sent to the terminal"),
    TAKE_OVER: _l("Will be taken from the terminal"),
    REMOVE: _l("Will be removed from the terminal"),
}
STEPS = {
    SEND: N_("To be sent to the terminal: %(people)s."),
    TAKE_OVER: N_("To be taken from the terminal: %(people)s."),
    REMOVE: N_("To be removed from the terminal: %(people)s."),
}
DONE = {
    SEND: _l("Sent to the terminal"),
    TAKE_OVER: _l("Taken from the terminal"),
    REMOVE: _l("Removed from the terminal"),
}
TAKE_NAME = N_("The same person, with the name on the terminal: %(name)s")
NAME_AND_FACE = N_(
    "The same person, with the name and the face on the terminal: %(name)s. The face comes to the other terminals, too"
)
KEEP_BOTH = N_("The same person. Both names stay: here %(here)s, on the terminal %(there)s")
KEEP_NAME = N_("The same person, with the name here: %(name)s")
REPLACE = N_("The same person, with the name here: %(name)s. Cards and fingerprints on the terminal are lost")
KEEP_FACE = N_("The same person, with the face here: it is sent to this terminal")


def step_sentence(action: str, count: int) -> str:
    """Return in a sentence for how many people a plan does something."""
    return str(_(STEPS[action], people=person_count(count)))


def person_count(count: int) -> str:
    """Return a number of people, who may be no employees of ours, with its noun."""
    return str(ngettext("%(num)s person", "%(num)s people", count))


def difference_count(count: int) -> str:
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
    first = _moment(valid.begin, zone, time.min) if valid.begin.date() > text_rules.FIRST_DAY else ""
    last = _moment(valid.end, zone, LAST_OF_DAY) if valid.end.date() < text_rules.LAST_DAY else ""
    return _span(first, last)


def _moment(moment: datetime, zone: str, whole: time) -> str:
    """Return a whole day; or a moment within it, or in another zone."""
    day = local_day(moment.date())
    return day if moment.time() == whole and not zone else f"{day}, {moment:%H:%M}{zone}"


def answer_labels(step: Step) -> list[tuple[str, str]]:
    """Return the answers to the question whose name or face counts, each with its words.

    Where both differ, it is one question: the answer with the name on the terminal names the face, too.
    """
    if step.refusal_code == "face_differs":
        return [
            (FACE_THERE, _("The same person, with the face on the terminal: it comes to the other terminals, too")),
            (NAME_HERE, _(KEEP_FACE)),
            (LEAVE, _("Two different people: leave it out")),
        ]
    there, name = (FACE_THERE, NAME_AND_FACE) if step.faces else (NAME_THERE, TAKE_NAME)
    names = {"here": isolated(step.name_here), "there": isolated(step.name_there)}
    return [
        *([] if step.faces else [(NAME_KEPT, _(KEEP_BOTH, **names))]),
        (there, _(name, name=isolated(step.name_there))),
        (NAME_HERE, _(REPLACE if step.replaces else KEEP_NAME, name=isolated(step.name_here))),
        (LEAVE, _("Two different people: leave it out")),
    ]


def note_sentences(step: Step, person: There) -> list[str]:
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


def days(first: date | None, last: date | None) -> str:
    """Return from which to which day somebody may enter."""
    return _span(local_day(first) if first else "", local_day(last) if last else "")


def _span(first: str, last: str) -> str:
    if first and last:
        return str(_("%(first)s – %(last)s", first=first, last=last))
    if first:
        return str(_("from %(day)s", day=first))
    return str(_("until %(day)s", day=last)) if last else str(_("not limited"))


def card_count(count: int) -> str:
    """Return a number of cards with its noun."""
    return str(ngettext("%(num)s card", "%(num)s cards", count))


def fingerprint_count(count: int) -> str:
    """Return a number of fingerprints with its noun."""
    return str(ngettext("%(num)s fingerprint", "%(num)s fingerprints", count))


def drift_sentence(drift: Drift) -> str:
    """Return what was noticed at a terminal as a sentence, with the names in it."""
    about = {"number": drift.number, "expected": drift.expected, "found": drift.found}
    return str(_(DRIFT_SENTENCES[drift.kind], **all_isolated(about)))


def drift_summary(drifts: Sequence[Drift]) -> str:
    """Return all that was noticed at a terminal in a few words: how many, and no names."""
    kinds = [drift.kind for drift in drifts]
    renamed, gone = kinds.count(NAME), kinds.count(ONLY_HERE)
    parts = [drift_sentence(drift) for drift in drifts if drift.kind == COUNT]
    if renamed:
        parts.append(str(ngettext("%(num)s person has another name.", "%(num)s people have another name.", renamed)))
    if gone:
        parts.append(str(ngettext("%(num)s person is gone.", "%(num)s people are gone.", gone)))
    return " ".join(parts)
