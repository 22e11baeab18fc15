"""The words for a terminal: what is wrong with it, how many people it has, its queue, and its clock beside ours."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from babel.dates import format_datetime
from flask_babel import LazyString, format_decimal, format_timedelta, get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from hikflask import messages
from hikflask.isapi.errors import Unreachable, WrongPassword
from hikflask.labels.dates import TO_THE_SECOND, time_since
from hikflask.labels.enrolments import status_of
from hikflask.models import Enrolment, Terminal
from hikflask.services.attention import terminal_problems
from hikflask.services.attention.terminal_problems import Problem
from hikflask.services.attention.terminal_queue import MANY, MAX_COUNTED, REMOVALS, SINGLE
from hikflask.services.core.dates import local
from hikflask.services.core.errors import NotComparedSinceRestore
from hikflask.services.terminals import capacity, clock, connection, door
from hikflask.services.terminals.door import Outcome
from hikflask.services.terminals.lost_people import LostPeople
from hikflask.text_rules import N_, filled, isolated

QUEUE_PARTS = {
    REMOVALS: _l("Removals"),
    SINGLE: _l("Individual employees"),
    MANY: _l("From jobs for many"),
}
# The state of a terminal in use by what is wrong with it (attention/terminal_problems.py): tone and word.
STATES = {
    terminal_problems.LOCKED: ("bad", _l("locked")),
    terminal_problems.LOGIN: ("bad", _l("password refused")),
    terminal_problems.STOPPED: ("bad", _l("not allowed")),
    terminal_problems.RESTORED: ("warn", _l("awaits comparison")),
    terminal_problems.REPLACED: ("bad", _l("replaced")),
    terminal_problems.OFF: ("bad", _l("does not answer")),
    terminal_problems.UNCHECKED: ("warn", _l("not checked yet")),
    terminal_problems.LOST: ("bad", _l("emptied")),
    terminal_problems.FULL: ("warn", _l("nearly full")),
    terminal_problems.CLOCK: ("warn", _l("wrong clock")),
    "": ("good", _l("reachable")),
}
# From which share on the page of a terminal shows how full it is.
SHOWN_FROM = 0.5
FULL = ("bad", _l("full"))
# What is said of a terminal beside its state.
ALARM, DIFFERS = ("bad", _l("alarm")), ("warn", _l("differences"))
RETIRED, UNUSED = ("none", _l("out of service for good")), ("none", _l("not in use"))
# What somebody who holds a terminal does there.
PURPOSES = {
    "capture": N_("%(who)s takes a picture there."),
    "save": N_("%(who)s writes employees to it."),
    "check": N_("%(who)s checks it."),
    "edit": N_("%(who)s changes its settings."),
    "retire": N_("%(who)s takes it out of service."),
    "compare": N_("%(who)s compares its people."),
    "door": N_("%(who)s opens its door."),
    **dict.fromkeys(("passages", "passages_late"), N_("%(who)s reads its log.")),
}
# What contradicts itself in how a terminal tells its time (terminals/clock.py).
CLOCK_DOUBTS = {
    clock.MARKED: _l("The terminal marks its time with another offset than its zone has; the zone counts."),
    clock.TOLD_IN_UTC: _l("The terminal tells its time in UTC. Compare it with the clock on its screen."),
}
# The door in the words of isapi/door.py.
DOOR_LOCKS = {"locked": _l("engaged"), "unlocked": _l("released"), "fault": _l("fault: short circuit or broken wire")}
DOOR_MODES = {
    "normal": _l("opens for whoever may pass"),
    "sleeping": _l("asleep"),
    "free": _l("stands open for everybody"),
    "disabled": _l("lets nobody in"),
}
DOOR_CONTACTS = {"open": _l("door open"), "fault": _l("fault: short circuit or broken wire")}
DOOR_STATES = {"free": ("bad", _l("door stands open")), "disabled": ("bad", _l("door lets nobody in"))}
DOOR_PROBLEMS = {
    "free": _l("The door stands open: anybody gets in, and nobody is checked."),
    "disabled": _l("The door lets nobody in, whatever rights they have."),
}
TALKS_THERE = N_("%(who)s talks to it.")


def state_of(terminal: Terminal, lost: LostPeople | None = None) -> tuple[str, str]:
    """Return the state of a terminal in a word, with its tone: good, warn, bad, or none where it is not in use.

    :param lost: the people that it lost, where that is known.
    """
    tone, word = _state(terminal, terminal_problems.kind_of(terminal, lost))
    return tone, str(word)


def states_of(
    terminal: Terminal,
    lost: LostPeople | None = None,
    *,
    alarmed: bool = False,
    full: bool = False,
    differs: bool = False,
) -> list[tuple[str, str]]:
    """Return all that is so of a terminal, the worst first: an alarm, its door, its state, no room, other people.

    That it is reachable is said where nothing else is.
    """
    state = _state(terminal, terminal_problems.kind_of(terminal, lost))
    of_door = DOOR_STATES.get(terminal.door_mode)
    facts = (
        (alarmed, ALARM),
        (of_door is not None, of_door or state),
        (state[0] != "good", state),
        (full and state != FULL, FULL),
        (differs, DIFFERS),
    )
    states = [one for is_so, one in facts if is_so and terminal.is_active] or [state]
    return [(tone, str(word)) for tone, word in states]


@dataclass(frozen=True)
class DoorFact:
    """One thing that a terminal tells of its door."""

    label: str
    text: str
    is_bad: bool = False


def door_facts(terminal: Terminal) -> list[DoorFact]:
    """Return what a terminal told of its door; that it is shut is never said, as a contact may not be wired."""
    unknown = _("not known yet") if terminal.checked_at is None else _("the terminal does not tell")
    contact = DOOR_CONTACTS.get(terminal.door_contact) or (
        _("not known: no contact is wired, or it tells nothing") if terminal.door_lock else unknown
    )
    return [
        DoorFact(_("Lock"), str(DOOR_LOCKS.get(terminal.door_lock, unknown)), terminal.door_lock == "fault"),
        DoorFact(_("Mode"), str(DOOR_MODES.get(terminal.door_mode, unknown)), terminal.door_mode in DOOR_STATES),
        DoorFact(_("Door contact"), str(contact), terminal.door_contact == "fault"),
    ]


def door_problem(terminal: Terminal) -> str:
    """Return what is wrong with the door of a terminal in use, or an empty text."""
    return str(DOOR_PROBLEMS[terminal.door_mode]) if door.needs_attention(terminal) else ""


def opening_sentence(name: str, outcome: Outcome) -> str:
    """Return what came of a press of the button that opens the door of the terminal with this name."""
    if outcome.opened:
        return str(_("The door at “%(t)s” opened.", t=isolated(name)))
    return str(_("It is not known whether the door at “%(t)s” opened. Look at it.", t=isolated(name)))


def summary(
    terminals: Iterable[Terminal], lost: Mapping[int, LostPeople], alarmed: Container[int]
) -> list[tuple[tuple[str, str], int]]:
    """Return how many terminals in use are in each state, as the start page says it in a line, the worst first.

    :param lost: the people that a terminal lost, by its id. :param alarmed: the ids of those with an alarm.
    """
    states = [states_of(row, lost.get(row.id), alarmed=row.id in alarmed)[0] for row in terminals if row.is_active]
    tones = ("bad", "warn", "good")
    return sorted(Counter(states).items(), key=lambda item: tones.index(item[0][0]))


def _state(terminal: Terminal, kind: str) -> tuple[str, LazyString]:
    if not terminal.is_active:
        return UNUSED if terminal.retired_at is None else RETIRED
    if kind == terminal_problems.FULL and max(capacity.shares(terminal)) >= 1:
        return FULL
    if not kind and terminal.reachable is None:
        return STATES[terminal_problems.UNCHECKED]
    return STATES[kind]


def counted_when(terminal: Terminal) -> str:
    """Return when the people and faces of a terminal were counted, and until when our own changes are in the counts.

    An empty text when they were not counted.
    """
    if terminal.checked_at is None:
        return ""
    counted = time_since(terminal.checked_at)
    changed = time_since(max(terminal.last_sync or terminal.checked_at, terminal.checked_at))
    if changed.striptags() == counted.striptags():
        return filled(_("as of %(time)s"), {"time": counted})
    return filled(_("as of %(time)s, with this program's changes until %(last)s"), {"time": counted, "last": changed})


@dataclass(frozen=True)
class Clocks:
    """The terminal's time and ours when it was asked, with their zones; `warning` says what is wrong, if anything.

    `remarks`: what is odd in how it tells its times, and how they are read.
    """

    there: str
    here: str
    asked_at: datetime
    by_ntp: bool
    warning: str
    remarks: list[str]


def clocks_of(terminal: Terminal, *, marks_utc: bool = False) -> Clocks | None:
    """Return what to show, or None when the terminal's time is not known.

    :param marks_utc: the terminal marks the local times of its log as UTC.
    """
    time_there, asked_at = clock.time_there(terminal), terminal.clock_checked_at
    if time_there is None or asked_at is None:
        return None
    there, here = clock.offset_there(terminal), clock.offset_here(terminal)
    ours = local(asked_at).replace(tzinfo=None)
    by_ntp = terminal.clock_mode.upper() == "NTP"
    remarks = [str(CLOCK_DOUBTS[terminal.clock_doubt])] if terminal.clock_doubt in CLOCK_DOUBTS else []
    if marks_utc:
        marked = _("The times of its log are marked as UTC; they are read in its zone, %(t)s.", t=clock.written(there))
        remarks.append(marked)
    times = _with_zone(time_there, there), _with_zone(ours, here)
    return Clocks(*times, asked_at, by_ntp, clock_warning(terminal), remarks)


def clock_warning(terminal: Terminal) -> str:
    """Return what is wrong with the clock and the zone, or an empty text."""
    warnings = []
    if clock.is_off(terminal):
        seconds = terminal.clock_offset or 0
        # Babel has the case that follows «на» only behind a preposition of its own: «через 1 минуту», “in 1 minute”.
        time = format_timedelta(timedelta(seconds=abs(seconds)), threshold=1.5, add_direction=True).partition(" ")[2]
        fast, slow = _("The terminal's clock is %(time)s fast."), _("The terminal's clock is %(time)s slow.")
        warnings.append((fast if seconds > 0 else slow) % {"time": time})
    if clock.is_elsewhere(terminal):
        there, here = clock.written(clock.offset_there(terminal)), clock.written(clock.offset_here(terminal))
        warnings.append(_("Its time zone is %(there)s, and here it is %(here)s.", there=there, here=here))
    if zone := clock.contradicting_zone(terminal):
        written, there = (clock.written(offset) for offset in (clock.offset_by(zone), clock.offset_there(terminal)))
        contradiction = _("Its time zone is set as %(zone)s, which is %(written)s, but its time is of %(there)s.")
        warnings.append(contradiction % {"zone": zone, "written": written, "there": there})
    return " ".join(map(str, warnings))


def _with_zone(moment: datetime, offset: timedelta | None) -> str:
    shown = format_datetime(moment, _(TO_THE_SECOND), locale=str(get_locale()))
    return f"{shown} {clock.written(offset)}".strip()


def lease_sentence(terminal: Terminal) -> str:
    """Return who talks to a terminal, and for what."""
    sentence, who = PURPOSES.get(terminal.lease_purpose, TALKS_THERE), messages.actor_name(terminal.lease_holder)
    # Who held it is gone from the row when the conversation has just ended.
    return str(_(sentence, who=who) if who else _("The terminal is in use."))


def waiting_sentence(row: Enrolment) -> str:
    """Return why a row waits: what the terminal said, and when it is tried again, or that it waits for its turn.

    That a terminal does not answer is said once, above all rows.
    """
    status = status_of(row)
    is_later = row.next_attempt_at is not None and row.next_attempt_at > datetime.now(UTC)
    is_silent = status.away and row.terminal.offline_since is not None
    sentences = [status.reason] if status.reason and not is_silent else []
    if is_later and not status.says_when:
        sentences.append(filled(_("The next try is %(time)s."), {"time": status.retry_at}))
    return Markup(" ").join(sentences) or str(_("Waits for its turn."))


def next_try(terminal: Terminal) -> datetime | None:
    """Return when a terminal that does not answer is tried again; None when that is now."""
    return terminal.backoff_until if terminal.backoff_until and terminal.backoff_until > datetime.now(UTC) else None


def queue_count(number: int) -> str:
    """Return how many wait in a queue, which is counted up to a limit."""
    return f"{MAX_COUNTED}+" if number >= MAX_COUNTED else str(number)


def problem_sentence(problem: Problem) -> str:
    """Return what is wrong with a terminal, and what to do."""
    terminal = problem.terminal
    if problem.kind == terminal_problems.UNCHECKED:
        return str(_("It was not checked since it was added or changed."))
    if problem.lost and problem.kind == terminal_problems.LOST:
        return lost_sentence(problem.lost)
    if problem.kind in (terminal_problems.FULL, terminal_problems.CLOCK):
        return _how_full(terminal) if problem.kind == terminal_problems.FULL else clock_warning(terminal)
    if problem.kind == terminal_problems.RESTORED:
        return messages.sentence(NotComparedSinceRestore.code, t=terminal.name)
    if problem.kind == terminal_problems.REPLACED:
        new, old = terminal.serial or "—", terminal.earlier_serial or "—"
        return str(_("Another device answers there: serial number %(new)s, before it %(old)s.", new=new, old=old))
    refused_code = terminal.refused_code or WrongPassword.own_code
    code = refused_code if terminal.refused_since else terminal.last_error_code or Unreachable.own_code
    minutes = connection.locked_minutes(terminal)
    return messages.sentence(code, t=terminal.name, address=terminal.url, n=minutes)


def lost_sentence(lost: LostPeople) -> str:
    """Return how many people a terminal lost, and what has become of them by now."""
    counts = {"again": lost.confirmed, "waiting": lost.waiting, "photo": lost.need_photo}
    state = _("There again: %(again)s, being sent again: %(waiting)s, in need of a new photo: %(photo)s.")
    lost_all = _("The terminal lost all its people: %(n)s.", n=format_decimal(lost.people))
    return f"{lost_all} {state % {name: format_decimal(count) for name, count in counts.items()}}"


@dataclass(frozen=True)
class Room:
    """How many people or faces a terminal has, of how many that fit, with the sentence about them."""

    count: int
    capacity: int
    sentence: str
    is_full: bool
    is_nearly_full: bool


def room_of(terminal: Terminal) -> Room | None:
    """Return how full a terminal is, of people or of faces, whichever is fuller; None up to its half."""
    people, faces = capacity.shares(terminal)
    if max(people, faces) <= SHOWN_FROM:
        return None
    counts = (terminal.faces, terminal.face_capacity) if faces > people else (terminal.people, terminal.people_capacity)
    is_full, is_nearly_full = max(people, faces) >= 1, capacity.is_nearly_full(terminal)
    return Room(counts[0] or 0, counts[1] or 0, _how_full(terminal), is_full, is_nearly_full)


def _how_full(terminal: Terminal) -> str:
    people, faces = capacity.shares(terminal)
    counted = counted_when(terminal)
    if faces > people:
        n, most = format_decimal(terminal.faces), format_decimal(terminal.face_capacity)
        return filled(_("%(n)s of %(max)s faces %(as_of)s."), {"n": n, "max": most, "as_of": counted})
    n, most = format_decimal(terminal.people), format_decimal(terminal.people_capacity)
    return filled(_("%(n)s of %(max)s people %(as_of)s."), {"n": n, "max": most, "as_of": counted})
