"""The words of a terminal's queue: who talks to it and for what, its parts, why somebody waits, and how many."""

from datetime import UTC, datetime

from flask_babel import gettext as _

from hikflask.labels.actors import actor_name
from hikflask.labels.enrolments import status_of
from hikflask.messages import N_
from hikflask.models import Enrolment, Terminal
from hikflask.services.attention.terminal_queue import MANY, MOST_COUNTED, REMOVALS, SINGLE

PARTS = {
    REMOVALS: N_("Removals"),
    SINGLE: N_("Single employees"),
    MANY: N_("From jobs for many"),
}
# What somebody who holds a terminal does there.
PURPOSES = {
    "capture": N_("%(who)s takes a picture there."),
    "save": N_("%(who)s writes employees to it."),
    "check": N_("%(who)s checks it."),
    "edit": N_("%(who)s changes its settings."),
    "retire": N_("%(who)s takes it out of service."),
    "compare": N_("%(who)s compares its people."),
}
TALKS = N_("%(who)s talks to it.")


def now(terminal: Terminal) -> str:
    """Return who talks to a terminal, and for what."""
    return str(_(PURPOSES.get(terminal.lease_purpose, TALKS), who=actor_name(terminal.lease_holder)))


def why(row: Enrolment) -> str:
    """Return why a row waits: what the terminal said, and when it is tried again, or that it waits for its turn."""
    status = status_of(row)
    is_later = row.next_attempt_at is not None and row.next_attempt_at > datetime.now(UTC)
    said = [status.reason] if status.reason else []
    if is_later and not status.says_when:
        said.append(str(_("The next try is %(time)s.", time=status.retry_at)))
    return " ".join(said) or str(_("Waits for its turn."))


def part(name: str) -> str:
    """Return the heading of a part."""
    return str(_(PARTS[name]))


def count(number: int) -> str:
    """Return how many wait, which is counted up to a limit."""
    return f"{MOST_COUNTED}+" if number >= MOST_COUNTED else str(number)
