"""What is wrong with a terminal, so that a person must correct it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hikflask.isapi.errors import STOP_CODES, AccountLocked
from hikflask.models import Terminal
from hikflask.services.core.dates import together
from hikflask.services.terminals import capacity, clock, lost_people, registry
from hikflask.services.terminals.lost_people import LostPeople

LOCKED = "locked"
LOGIN = "login"
# Another certificate, an address that is not allowed, a login that would be too weak.
STOPPED = "stopped"
# Another device stands there, and nobody has confirmed yet that the people belong on it.
REPLACED = "replaced"
# Its data came from a backup, and nobody has allowed yet to write to it.
RESTORED = "restored"
OFF = "off"
UNCHECKED = "unchecked"
# It has lost all its people, who are not all there again.
LOST = "lost"
FULL = "full"
# The clock or the zone.
CLOCK = "clock"
# The worst first.
KINDS = (LOCKED, LOGIN, STOPPED, RESTORED, REPLACED, OFF, UNCHECKED, LOST, FULL, CLOCK)
# Nobody can be enrolled there until the terminal is corrected.
BLOCKING = {LOCKED, LOGIN, STOPPED, RESTORED, REPLACED, UNCHECKED}


@dataclass(frozen=True)
class Problem:
    """A terminal in use and the worst of what is wrong with it: one of KINDS. `lost`: the people that it lost."""

    terminal: Terminal
    kind: str
    lost: LostPeople | None = None

    @property
    def blocks(self) -> bool:
        """True when nobody can be enrolled there, whatever is right or wrong with an employee."""
        return self.kind in BLOCKING

    @property
    def went_off(self) -> datetime | None:
        """The moment at which the terminal became silent, where that is what is wrong."""
        return self.terminal.offline_since if self.kind == OFF else None

    @property
    def stops(self) -> bool:
        """True when nothing can be done there for an employee now: it blocks, or does not answer."""
        return self.blocks or self.kind == OFF


def find(terminals: Sequence[Terminal] | None = None) -> list[Problem]:
    """Return the terminals in use that need a person, the worst first, then by name.

    :param terminals: those in use, by name, where they are read already.
    """
    lost = lost_people.at_all()
    in_use = registry.list_active() if terminals is None else terminals
    all_problems = (Problem(row, kind_of(row, lost.get(row.id)), lost.get(row.id)) for row in in_use)
    problems = [problem for problem in all_problems if problem.kind]
    return sorted(problems, key=lambda problem: KINDS.index(problem.kind))


def at_once(problems: Sequence[Problem]) -> list[list[Problem]]:
    """Return problems as they are shown: as one where several terminals became silent at once, as by a power cut."""
    return together(problems, lambda problem: problem.kind, lambda problem: problem.went_off)


def kind_of(terminal: Terminal, lost: LostPeople | None) -> str:
    """Return the worst of what is wrong with a terminal, or an empty text."""
    is_locked = terminal.refused_code == AccountLocked.own_code
    problems = (
        (terminal.refused_since is not None, LOCKED if is_locked else LOGIN),
        (terminal.last_error_code in STOP_CODES, STOPPED),
        (terminal.restored_from is not None, RESTORED),
        (terminal.awaits_restore, REPLACED),
        (terminal.reachable is False, OFF),
        (terminal.face_mode is None, UNCHECKED),
        (lost is not None, LOST),
        (capacity.is_nearly_full(terminal), FULL),
        (clock.is_wrong(terminal), CLOCK),
    )
    return next((kind for is_so, kind in problems if is_so), "")
