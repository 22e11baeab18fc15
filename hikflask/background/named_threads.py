"""Threads for work that waits for other machines, so that a slow machine delays nothing else."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from flask import Flask

log = logging.getLogger(__name__)


class NamedThreads:
    """Runs work in threads that have names, one of each name at a time; start() returns at once."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._running: set[str] = set()

    def start(self, name: str, work: Callable[..., object], *arguments: Any) -> None:
        """Run the work in a thread of this name, unless one is still running: the next sweep tries again."""
        with self._lock:
            if name in self._running:
                return
            self._running.add(name)
        threading.Thread(target=self._run, args=(name, work, arguments), name=name, daemon=True).start()

    def running(self) -> set[str]:
        """Return the names of the threads that are still at work."""
        with self._lock:
            return set(self._running)

    def _run(self, name: str, work: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        try:
            with self._app.app_context():
                work(*arguments)
        except Exception:  # the outermost loop
            log.exception("%s failed", name)
        finally:
            with self._lock:
                self._running.discard(name)
