"""The signs of life of the worker's threads: one that gives none for too long hangs, and the worker ends.

Each statement of the database is a sign, and each request to a terminal. Work that waits for longer than usual, or that
does long without either, gives signs of its own. Threads that nobody watches, such as those of pages, give none.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

# How long a thread may be silent. With the 30 seconds in which a face is awaited that is two minutes.
SECONDS = 90.0
# Whoever looks comes each second. When it is so late, the whole process stood still, as one that was paused.
LATE_SECONDS = 10.0


class Signs:
    """When the next sign of each watched thread of this process is due."""

    def __init__(self) -> None:
        self._due_at: dict[threading.Thread, float] = {}
        self._excused_until = 0.0
        self._looked_at = time.monotonic()

    def watch(self, seconds: float = 0.0) -> None:
        """Watch the current thread from now on, and note that it goes on."""
        self._due_at[threading.current_thread()] = time.monotonic() + SECONDS + seconds

    def goes_on(self, seconds: float = 0.0) -> None:
        """Note that the current thread goes on.

        :param seconds: how long it is about to wait, so that its next sign may come so much later. Call it last: each
            sign replaces the one before.
        """
        if threading.current_thread() in self._due_at:
            self.watch(seconds)

    @contextmanager
    def excused(self, seconds: float) -> Iterator[None]:
        """Within this no thread has to give a sign, as each may wait for what is done; for so many seconds at most."""
        began = time.monotonic()
        self._excused_until = began + seconds
        try:
            yield
        finally:
            self._excused_until = 0.0
            self._wait_longer(time.monotonic() - began)

    def silent(self) -> list[threading.Thread]:
        """Return the threads that hang. Call it each second."""
        now = time.monotonic()
        if now - self._looked_at > LATE_SECONDS:
            self._wait_longer(now - self._looked_at)
        self._looked_at = now
        if now < self._excused_until:
            return []
        for ended in [thread for thread in list(self._due_at) if not thread.is_alive()]:
            self._due_at.pop(ended, None)
        return [thread for thread, due_at in list(self._due_at.items()) if due_at <= now]

    def _wait_longer(self, seconds: float) -> None:
        self._due_at.update({thread: due_at + seconds for thread, due_at in list(self._due_at.items())})


signs = Signs()
