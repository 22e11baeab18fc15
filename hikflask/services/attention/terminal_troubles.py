"""What is wrong with a terminal, so that a person must correct it."""

from dataclasses import dataclass

from hikflask.isapi.errors import STOP_CODES, AccountLocked
from hikflask.models import Terminal
from hikflask.services.terminals import clock, registry, room

LOCKED = "locked"
LOGIN = "login"
# Another certificate, an address that is not allowed, a login that would be too weak.
STOPPED = "stopped"
# Another device stands there, and nobody said yet that the people belong on it.
REPLACED = "replaced"
# Its data came from a backup, and nobody allowed yet to write to it.
RESTORED = "restored"
OFF = "off"
UNCHECKED = "unchecked"
FULL = "full"
# The clock or the zone.
CLOCK = "clock"
# The worst first.
KINDS = (LOCKED, LOGIN, STOPPED, RESTORED, REPLACED, OFF, UNCHECKED, FULL, CLOCK)
# Nobody can be enrolled there, and nothing helps but a correction of the terminal.
BLOCKING = {LOCKED, LOGIN, STOPPED, RESTORED, REPLACED, UNCHECKED}


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
    if terminal.restored_from is not None or terminal.awaits_restore:
        return RESTORED if terminal.restored_from is not None else REPLACED
    if terminal.reachable is False:
        return OFF
    if terminal.face_mode is None:
        return UNCHECKED
    return _of_its_check(terminal)


def _of_its_check(terminal: Terminal) -> str:
    if room.is_nearly_full(terminal):
        return FULL
    return CLOCK if clock.is_wrong(terminal) else ""
