"""A test's own thread as one of the worker's, on a clock that the test sets."""

import time

import pytest

from hikflask.signs_of_life import signs


class Watched:
    """The test's thread, watched from now on, and the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.monotonic()
        self.found: list[bool] = []
        monkeypatch.setattr(signs, "_due_at", {})
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        signs.watch()

    @property
    def hangs(self) -> bool:
        """True when a thread is taken for one that hangs."""
        return bool(signs.silent())

    def wait(self, seconds: float) -> None:
        """Let so many seconds pass, and note whether a thread is taken then for one that hangs."""
        self.now += seconds
        self.found.append(self.hangs)
