"""The door: the last command it was given, and whether it is unlocked by it. Nothing moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hikflask.simulator.terminal.clock import Clock

Command = Literal["open", "close", "alwaysOpen", "alwaysClose"]
OPEN_SECONDS = 5.0
"""After `open` it locks again by itself."""


@dataclass
class Door:
    """One door. The caller holds the terminal's lock."""

    clock: Clock
    command: Command = "close"
    """What it was told last."""
    told_at: float = 0.0

    def tell(self, command: Command) -> None:
        """Do what RemoteControl says."""
        self.command, self.told_at = command, self.clock.now()

    @property
    def is_unlocked(self) -> bool:
        """Whoever stands there can go through."""
        just_opened = self.command == "open" and self.clock.now() - self.told_at < OPEN_SECONDS
        return just_opened or self.command == "alwaysOpen"
