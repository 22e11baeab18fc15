"""What is wrong with a terminal, so that a person must correct it."""

from dataclasses import dataclass

from hikflask.isapi.errors import STOP_CODES, AccountLocked
from hikflask.models import Terminal
from hikflask.services.terminals import registry

LOCKED = "locked"
LOGIN = "login"
# Another certificate, an address that is not allowed, a login that would be too weak.
STOPPED = "stopped"
OFF = "off"
UNCHECKED = "unchecked"
FULL = "full"
# The worst first.
KINDS = (LOCKED, LOGIN, STOPPED, OFF, UNCHECKED, FULL)
# Nobody can be enrolled there, and nothing helps but a correction of the terminal.
BLOCKING = {LOCKED, LOGIN, STOPPED, UNCHECKED}
# Of the people or of the faces that a terminal can hold.
NEARLY_FULL = 0.9


@dataclass(frozen=True)
class Trouble:
    """A terminal in use and the worst of what is wrong with it: one of KINDS."""

    terminal: Terminal
    kind: str

    @property
    def blocks(self) -> bool:
        """True when whoever cannot be enrolled there has no mistake of their own."""
        return self.kind in BLOCKING


def find() -> list[Trouble]:
    """Return the terminals in use that need a person, the worst first, then by name."""
    found = [Trouble(terminal, kind) for terminal in registry.list_active() if (kind := kind_of(terminal))]
    return sorted(found, key=lambda trouble: KINDS.index(trouble.kind))


def kind_of(terminal: Terminal) -> str:
    """Return the worst of what is wrong with a terminal, or an empty text."""
    if terminal.refused_since is not None:
        return LOCKED if terminal.refused_code == AccountLocked.own_code else LOGIN
    if terminal.last_error_code in STOP_CODES:
        return STOPPED
    if terminal.reachable is False:
        return OFF
    if terminal.face_mode is None:
        return UNCHECKED
    return FULL if is_nearly_full(terminal) else ""


def is_nearly_full(terminal: Terminal) -> bool:
    """True when the last check counted almost as many people or faces as the terminal can hold."""
    return max(shares(terminal)) >= NEARLY_FULL


def shares(terminal: Terminal) -> tuple[float, float]:
    """Return which share of a terminal's room the counted people and the counted faces take; 0 where unknown."""
    people = (terminal.people or 0) / (terminal.people_capacity or float("inf"))
    faces = (terminal.faces or 0) / (terminal.face_capacity or float("inf"))
    return people, faces
