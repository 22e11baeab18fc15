"""The door: its last command, and whether that unlocks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hikflask.simulator.terminal.clock import Clock

Command = Literal["open", "close", "alwaysOpen", "alwaysClose"]
OPEN_SECONDS = 5.0
"""So long after `open` the door locks again by itself."""


@dataclass
class Door:
    """One door. The caller holds the terminal's lock."""

    clock: Clock
    command: Command = "close"
    """The last command."""
    commanded_at: float = 0.0
    """In the clock's seconds."""

    def control(self, command: Command) -> None:
        """Carry out a command of RemoteControl."""
        self.command, self.commanded_at = command, self.clock.now()

    @property
    def is_unlocked(self) -> bool:
        """Whether people can go through."""
        just_opened = self.command == "open" and self.clock.now() - self.commanded_at < OPEN_SECONDS
        return just_opened or self.command == "alwaysOpen"
