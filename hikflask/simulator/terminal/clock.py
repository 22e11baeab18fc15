"""Time for a terminal: passed in, so that a test never sleeps."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds that only move forward, and a way to wait for them."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        ...

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        """Let `seconds` pass, or less when `condition` is notified. The caller holds the condition."""
        ...


class SystemClock:
    """Real time."""

    def now(self) -> float:
        return time.monotonic()

    def wait(self, condition: threading.Condition, seconds: float) -> None:
        condition.wait(seconds)


class SkippingClock:
    """Every wait is over at once and the time jumps ahead: for tests in one thread."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def wait(self, condition: threading.Condition, seconds: float) -> None:  # noqa: ARG002
        self._now += seconds

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass between two requests."""
        self._now += seconds
