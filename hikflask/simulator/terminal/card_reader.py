"""The card reader while it captures: the window of CaptureCardInfo, and the card that is held to it."""

import threading
from dataclasses import dataclass

from hikflask.simulator.terminal.camera import Interrupted
from hikflask.simulator.terminal.clocks import Clock


@dataclass
class CardReader:
    """The state of the reader. The caller holds `condition`; it is released while a request waits."""

    clock: Clock
    condition: threading.Condition
    until: float | None = None
    """When the open window closes, in the clock's seconds; None: none is open."""
    card: str | None = None
    """The card for the window that is open, or for the next one."""
    boot: int = 0

    @property
    def is_waiting(self) -> bool:
        """Whether a window is open that has no card yet."""
        return self.until is not None and self.card is None

    def present(self, number: str) -> None:
        """Hold a card to the reader for the window that is open, or for the next one."""
        self.card = number
        self.condition.notify_all()

    def interrupt(self) -> None:
        """End the request that waits, without an answer."""
        self.boot += 1
        self.condition.notify_all()

    def watch(self, seconds: float) -> str | None:
        """Open a window for `seconds`; return the number of the first card, None when there was none.

        :raises Interrupted:
        """
        self.until = until = self.clock.now() + seconds
        boot = self.boot
        try:
            while self.card is None and (left := until - self.clock.now()) > 0:
                self.clock.wait(self.condition, left)
                if boot != self.boot:
                    raise Interrupted
            return self.card
        finally:
            self.until = self.card = None
