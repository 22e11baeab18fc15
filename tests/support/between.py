"""Somebody else who acts at one moment of a transaction, in a thread and a session of their own."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from flask import Flask, has_app_context

from hikflask import owned_session
from hikflask.extensions import db

# Who waits for a lock of the first one is mostly told by the lock. Else it is whoever has not finished after so long.
LOOK_EVERY, PATIENCE = 0.01, 1.0
MAX_SECONDS = 20.0
SOMEBODY_WAITS = """
    SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())
"""
Deed = Callable[[], Any]


class WatchedLock:
    """A lock for owned_session.WRITER that tells who waits for it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.waiting: set[threading.Thread] = set()

    def acquire(self, timeout: float) -> bool:
        """Acquire the lock at once, or wait for it."""
        if self._lock.acquire(blocking=False):
            return True
        self.waiting.add(threading.current_thread())
        try:
            return self._lock.acquire(timeout=timeout)
        finally:
            self.waiting.remove(threading.current_thread())

    def release(self) -> None:
        """Let the next one have it."""
        self._lock.release()


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
        thread = self._thread = threading.Thread(target=self._run, daemon=True)
        until = time.monotonic() + PATIENCE
        with self._told_by_the_lock() as waits:
            thread.start()
            thread.join(LOOK_EVERY)
            while thread.is_alive() and not waits() and time.monotonic() < until:
                thread.join(LOOK_EVERY)
        self.blocked = thread.is_alive()

    def finish(self) -> None:
        """Wait for the end of the deed, and forget what this thread's session has read."""
        assert self._thread is not None, "the moment never came"
        self._thread.join(MAX_SECONDS)
        assert not self._thread.is_alive(), "the other one waits still"
        if has_app_context():
            db.session.rollback()

    @contextmanager
    def _told_by_the_lock(self) -> Iterator[Callable[[], bool]]:
        """Yield what tells whether the other one waits for a lock of the database."""
        with self._app.app_context():
            url = db.engine.url
        if url.get_backend_name() == "sqlite":
            writer = owned_session.WRITER
            yield lambda: isinstance(writer, WatchedLock) and self._thread in writer.waiting
            return
        address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as watcher:
            yield lambda: watcher.execute(SOMEBODY_WAITS).fetchone() == (True,)

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
