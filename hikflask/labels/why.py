"""Why a door did not open, in one sentence, and the evidence for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask_babel import format_timedelta
from flask_babel import gettext as _

from hikflask.labels import events, schedules
from hikflask.labels.dates import local_day, time_at, time_since
from hikflask.labels.enrolments import EnrolmentStatus, status_of
from hikflask.labels.terminals import clock_warning
from hikflask.models import Event, Terminal
from hikflask.models.event import (
    CLOCK,
    LIVENESS,
    NEW_LOG,
    NOT_READ,
    NOT_TOLD,
    OFF,
    OTHER_DEVICE,
    OVERWRITTEN,
    TOO_MANY,
    UNKNOWN_PERSON,
)
from hikflask.services.passages.queries import DENIED
from hikflask.services.passages.why import AccessFacts, Answer, Gap
from hikflask.text_rules import N_, filled, isolated

SENTENCES = {
    "inactive_still_there": N_("The employee is deactivated, and “%(t)s” has not removed the employee yet."),
    "inactive": N_("The employee is deactivated, so no terminal opens a door."),
    "validity_over": N_("The last day of access, %(last)s, was over."),
    "validity_not_begun": N_("The first day of access, %(first)s, had not come yet."),
    "clock": N_("“%(t)s” turned the employee away by its own clock, and that is wrong. %(clock)s"),
    "outside_hours": N_(
        "“%(t)s” turned the employee away because of the hours: %(schedule)s does not allow entry %(time)s."
    ),
    "expired_there": N_("“%(t)s” says that the employee's access has expired, and here it has not."),
    "no_right_told": N_("“%(t)s” knows the employee and gives no right to any door. Rights are given at the terminal."),
    "no_right": N_("“%(t)s” knows the employee and says that there is no right to this door."),
    "not_wanted_there": N_("“%(t)s” turned the employee away, who is not enrolled there."),
    "liveness_of_employee": N_("“%(t)s” took the employee's face for a photo or a screen."),
    "refused": N_("“%(t)s” turned the employee away: %(what)s."),
    "opened": N_("“%(t)s” let the employee in %(passed)s."),
    "no_terminal": N_("No terminal is in use."),
    "nowhere": N_("The employee is on no terminal."),
    "leaving": N_("The employee is to be removed from “%(t)s”, which has not confirmed it yet."),
    "not_there": N_("The employee is not on “%(t)s”."),
    "came_later": N_("The employee was sent to “%(t)s” only later, %(since)s."),
    "id_taken": N_("On “%(t)s” this ID belongs to somebody else."),
    "full": N_("“%(t)s” has no room for the employee."),
    "face_refused": N_("“%(t)s” did not accept the employee's photo."),
    "no_face": N_("“%(t)s” knows the employee, but has no photo."),
    "not_sent": N_("“%(t)s” has not confirmed the employee yet."),
    "face_stays": N_("The employee's face on “%(t)s” is not confirmed: it may be an old one."),
    "not_taken": N_("“%(t)s” did not take the employee."),
    "not_recognised": N_("“%(t)s” did not recognise somebody %(unknown)s; perhaps that was the employee."),
    "liveness": N_("“%(t)s” took a face for a photo or a screen %(spoof)s; perhaps that was the employee."),
    "silent": N_("“%(t)s” did not answer then: perhaps it had no power."),
    "deleted": N_("Passages of that time are deleted already."),
    "not_read": N_("What “%(t)s” recorded then is not known here."),
    "opened_before": N_("“%(t)s” let the employee in %(passed)s, and recorded nothing about the employee after that."),
    "clock_wrong": N_("“%(t)s” recorded nobody then, and its clock is wrong. %(clock)s"),
    "nobody": N_("“%(t)s” recorded nobody then: the camera saw no face, or it was another door or time."),
}
UNKNOWN_SCHEDULE = N_("their schedule there")
# Why the record of a terminal is not whole.
GAPS = {
    OVERWRITTEN: N_("“%(t)s” overwrote what it recorded from %(begin)s until %(end)s before it was read."),
    OFF: N_("“%(t)s” does not answer, so what it recorded then is not read yet."),
    OTHER_DEVICE: N_("Another device stood at “%(t)s” from %(begin)s until %(end)s, and its record was not read."),
    NEW_LOG: N_("“%(t)s” began its record anew, so what it recorded from %(begin)s until %(end)s may be missing."),
    CLOCK: N_("The clock of “%(t)s” was changed, so what it recorded from %(begin)s until %(end)s may be missing."),
    NOT_READ: N_("What “%(t)s” recorded then was not read."),
    NOT_TOLD: N_("“%(t)s” does not send all that it recorded from %(begin)s until %(end)s."),
    TOO_MANY: N_("“%(t)s” recorded more than is read in a day, so what it recorded then may be missing."),
}


def is_asked(event: Event) -> bool:
    """True for an event in which an employee was turned away: why is a question."""
    return event.kind in DENIED and event.employee_id is not None


def written(moment: datetime) -> str:
    """Return a moment as an address has it, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def answer_sentence(answer: Answer) -> str:
    """Return the likely cause."""
    return filled(_(SENTENCES[answer.cause]), _values(answer.facts))


def _values(facts: AccessFacts) -> dict[str, Any]:
    """Return what sentences say of the facts."""
    employee, enrolment = facts.employee, facts.enrolment
    days = {"first": employee.valid_from, "last": employee.valid_to}
    values = {name: local_day(day) for name, day in days.items() if day}
    values |= {name: time_at(moment) for name, moment in _moments(facts).items() if moment}
    values["since"] = time_at(enrolment.desired_since) if enrolment and enrolment.desired_since else ""
    values["t"] = isolated(facts.terminal.name) if facts.terminal else ""
    values["clock"] = _clock(facts) if facts.is_clock_wrong else ""
    values["what"] = _small(events.sentence(facts.refusal)) if facts.refusal else ""
    return {**values, "schedule": _schedule(facts)}


def _moments(facts: AccessFacts) -> dict[str, datetime | None]:
    seen = {
        "time": facts.refusal,
        "passed": facts.passage,
        "unknown": facts.stranger(UNKNOWN_PERSON),
        "spoof": facts.stranger(LIVENESS),
    }
    return {name: event.occurred_at if event else None for name, event in seen.items()}


def _small(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:]}"


def _schedule(facts: AccessFacts) -> str:
    """Return the schedules that did not allow it, as far as they are known."""
    rights = facts.rights
    return schedules.rights_label(rights) if rights and rights.schedules else str(_(UNKNOWN_SCHEDULE))


def _clock(facts: AccessFacts) -> str:
    """Return what is wrong with the clock: now, as it can be set, or else as it was when it turned somebody away."""
    warning = clock_warning(facts.terminal) if facts.terminal else ""
    if warning:
        return warning
    # As in labels/terminals.py: Babel has the case that follows «на» only behind a preposition.
    seconds = facts.seconds_fast
    time = format_timedelta(timedelta(seconds=abs(seconds)), threshold=1.5, add_direction=True).partition(" ")[2]
    fast, slow = _("The terminal's clock was %(time)s fast then."), _("The terminal's clock was %(time)s slow then.")
    return str(fast if seconds > 0 else slow) % {"time": time}


def doubts(answer: Answer) -> list[str]:
    """Return of which terminals something may be missing in what they recorded, and why."""
    return [_gap(facts.terminal, facts.gap) for facts in answer.every if facts.terminal and facts.gap]


def _gap(terminal: Terminal, gap: Gap) -> str:
    times = {"begin": gap.from_at, "end": gap.to_at}
    shown = {name: time_since(moment) for name, moment in times.items() if moment}
    return filled(_(GAPS[gap.reason]), {"t": isolated(terminal.name), **shown})


def known(answer: Answer) -> list[str]:
    """Return what is known of the employee and of the terminals, beside what they recorded and the enrolments."""
    employee, sentences = answer.facts.employee, []
    if not employee.is_active:
        since = employee.left_at
        text = filled(_("Deactivated %(time)s."), {"time": time_at(since)}) if since else str(_("Deactivated."))
        sentences.append(text)
    for day, text in (
        (employee.valid_from, N_("Access from %(day)s.")),
        (employee.valid_to, N_("Access until %(day)s inclusive.")),
    ):
        if day:
            sentences.append(filled(_(text), {"day": local_day(day)}))
    for facts in answer.every:
        sentences += _known_of(facts)
    return sentences


def _known_of(facts: AccessFacts) -> list[str]:
    terminal, rights = facts.terminal, facts.rights
    if terminal is None:
        return []
    name, sentences = isolated(terminal.name), []
    if facts.silence:
        times = {"begin": time_since(facts.silence.begins), "end": time_since(facts.silence.ends)}
        sentences.append(filled(_("“%(t)s” did not answer from %(begin)s until %(end)s."), {"t": name, **times}))
    if facts.is_clock_wrong:
        sentences.append(str(_("“%(t)s”: %(clock)s", t=name, clock=_clock(facts))))
    if rights:
        about = {"t": name, "time": time_at(rights.read_at), "schedules": schedules.rights_on(rights, facts.at)}
        sentences.append(filled(_("“%(t)s”: %(schedules)s, as told %(time)s."), about))
    return sentences


def enrolments(answer: Answer) -> list[EnrolmentStatus]:
    """Return the state of the employee at each terminal that is looked at, where it is to be or may still be."""
    rows = [facts.enrolment for facts in answer.every if facts.is_wanted or facts.is_leaving]
    return [status_of(row) for row in rows if row]


def absent(answer: Answer) -> list[str]:
    """Return the names of the terminals that are looked at and where the employee is not to be."""
    rows = [facts for facts in answer.every if not facts.is_wanted and not facts.is_leaving]
    return [facts.terminal.name for facts in rows if facts.terminal]
