"""A test's own thread as one of the worker's, on a clock that the test sets."""

import time

import pytest

from hikflask.signs_of_life import LATE_SECONDS, signs


class Watched:
    """The test's thread, watched from now on, and the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # Whole seconds, so that steps are exactly as long as they say.
        self.now = float(int(time.monotonic()))
        self.found: list[bool] = []
        monkeypatch.setattr(signs, "_due_at", {})
        monkeypatch.setattr(signs, "_looked_at", self.now)
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        signs.watch()

    def pass_by(self, seconds: float) -> None:
        """Let so many seconds pass, in which the worker looks for threads that hang."""
        until = self.now + seconds
        while self.now < until:
            signs.silent()
            self.now = min(self.now + LATE_SECONDS, until)

    def wait(self, seconds: float) -> None:
        """Let so many seconds pass, and note whether a thread is taken then for one that hangs."""
        self.pass_by(seconds)
        self.found.append(bool(signs.silent()))
