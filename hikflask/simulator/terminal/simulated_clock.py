"""The clock of a simulated terminal. It is passed in, so that a test never sleeps."""

import threading
import time


class Clock:
    """Real time: seconds that only go forward, and a way to wait."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Wait `seconds`, or less when `condition` is notified. The caller holds the condition."""
        condition.wait(seconds)


class SkippingClock(Clock):
    """A wait returns at once and moves the time forward: for tests in one thread."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def wait(self, condition: threading.Condition, seconds: float) -> None:  # noqa: ARG002
        self._now += seconds

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        self._now += seconds
