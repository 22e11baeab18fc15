"""What the start page says about a refused employee and about a terminal, and the one button beside it."""

from dataclasses import dataclass
from datetime import datetime

from hikflask.isapi.errors import IllegalNumber, WeakDigest
from hikflask.labels.comparisons import drift_summary
from hikflask.labels.enrolments import EnrolmentStatus, status_of
from hikflask.labels.terminals import trouble_sentence
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.models.enrolment import PRESENT
from hikflask.services.attention import terminal_troubles
from hikflask.services.attention.terminal_troubles import Trouble
from hikflask.services.core.errors import NameTooLong
from hikflask.services.state.enrolment import CHANGED_SINCE_BACKUP
from hikflask.services.state.summary import PERSON_ONLY, TAKEN_THERE
from hikflask.services.terminals import people_changes

# What the one button of a line does.
AFTER_RESTORE = "after_restore"
CAPTURE = "capture"
CHECK = "check"
CLOCK = "clock"
DECIDE = "decide"
EMPLOYEES = "employees"
EDIT = "edit"
RESTORE = "restore"
RETRY = "retry"

WRONG_IN_THE_FORM = {NameTooLong.code, IllegalNumber.own_code, "notsupportcharacter"}


@dataclass(frozen=True)
class RefusedLine:
    """A refused employee: the state on the terminal that refused, and what to do."""

    status: EnrolmentStatus
    action: str


@dataclass(frozen=True)
class TroubleLine:
    """A terminal, what is wrong with it and since when, and what to do."""

    terminal: Terminal
    why: str
    since: datetime | None
    action: str


@dataclass(frozen=True)
class DriftLine:
    """A terminal that changed by itself: what was noticed, and since when."""

    terminal: Terminal
    why: str
    since: datetime | None


def of_drift(terminal: Terminal) -> DriftLine:
    """Return the line of a terminal at which something was noticed since its last comparison."""
    found = people_changes.of_terminal(terminal.id)
    return DriftLine(terminal, drift_summary(found), min((one.noticed_at for one in found), default=None))


def of_refused(enrolment: Enrolment) -> RefusedLine:
    """Return the line of an employee for whom nothing is tried any more at this terminal."""
    status = status_of(enrolment)
    return RefusedLine(status, _action_for(status))


def _action_for(status: EnrolmentStatus) -> str:
    if status.detail == TAKEN_THERE or status.enrolment.refusal_code == CHANGED_SINCE_BACKUP:
        return DECIDE
    if status.enrolment.refusal_code in WRONG_IN_THE_FORM:
        return EDIT
    return CAPTURE if status.detail == PERSON_ONLY and not status.lacks_room else RETRY


def round_for(employee: Employee) -> Terminal | None:
    """Return the terminal whose round comes to an employee without a face: the only one of the employee, or None."""
    desired = [one.terminal for one in employee.enrolments if one.desired == PRESENT]
    return desired[0] if len(desired) == 1 and desired[0].is_active else None


def of_trouble(trouble: Trouble) -> TroubleLine:
    """Return the line of a terminal that a person must correct."""
    terminal = trouble.terminal
    since = terminal.refused_since or terminal.offline_since
    if trouble.kind == terminal_troubles.REPLACED:
        since = terminal.device_changed_at
    return TroubleLine(terminal, trouble_sentence(trouble), since, _correction(trouble))


def _correction(trouble: Trouble) -> str:
    """Return CHECK where the terminal itself is set right, EDIT where its record here is, else EMPLOYEES or CLOCK."""
    if trouble.kind == terminal_troubles.FULL:
        return EMPLOYEES
    if trouble.kind == terminal_troubles.CLOCK:
        return CLOCK
    if trouble.kind == terminal_troubles.RESTORED:
        return AFTER_RESTORE
    if trouble.kind == terminal_troubles.REPLACED:
        return RESTORE
    at_the_terminal = {terminal_troubles.OFF, terminal_troubles.UNCHECKED}
    if trouble.kind in at_the_terminal or trouble.terminal.last_error_code == WeakDigest.own_code:
        return CHECK
    return EDIT
