"""Somebody else who acts at one moment of a transaction, in a thread and a session of their own."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, has_app_context

from hikflask.extensions import db

# Whoever has not finished after so many seconds waits for a lock of the first one.
PATIENCE = 1.0
MAX_SECONDS = 20.0
Deed = Callable[[], Any]


class Other:
    """Does one deed, once. `blocked` tells whether it had to wait; `error` and `result` what came of it."""

    def __init__(self, app: Flask, deed: Deed) -> None:
        self._app = app
        self._deed = deed
        self._thread: threading.Thread | None = None
        self.blocked = False
        self.result: Any = None
        self.error: BaseException | None = None

    @property
    def began(self) -> bool:
        """True once the moment has come."""
        return self._thread is not None

    def act(self) -> None:
        """Do the deed, and return when it is done or waits for a lock."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._thread.join(PATIENCE)
        self.blocked = self._thread.is_alive()

    def finish(self) -> None:
        """Wait for the end of the deed, and forget what this thread's session has read."""
        assert self._thread is not None, "the moment never came"
        self._thread.join(MAX_SECONDS)
        assert not self._thread.is_alive(), "the other one waits still"
        if has_app_context():
            db.session.rollback()

    def _run(self) -> None:
        with self._app.app_context():
            try:
                self.result = self._deed()
            except BaseException as error:  # noqa: BLE001 - the test looks at it
                self.error = error
                db.session.rollback()


class Between:
    """Hooks a function, so that somebody else acts before or after one of its calls."""

    def __init__(self, app: Flask, patch: pytest.MonkeyPatch) -> None:
        self._app = app
        self._patch = patch

    def __call__(self, owner: object, name: str, deed: Deed, *, before: bool = False, nth: int = 1) -> Other:
        """Let `deed` happen after the nth call of a function of a module or class, or before it.

        :param before: True: before that call.
        """
        other, real, calls = Other(self._app, deed), getattr(owner, name), iter(range(1, 1_000_000))

        def hooked(*args: Any, **given: Any) -> Any:
            now = next(calls) == nth
            if now and before:
                other.act()
            answer = real(*args, **given)
            if now and not before:
                other.act()
            return answer

        self._patch.setattr(owner, name, hooked)
        return other
