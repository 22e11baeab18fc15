"""A limit on the requests that wait on terminals at the same time, in all and for each caller.

A silent terminal blocks the thread that asks it for many seconds. gunicorn has HIKFLASK_TERMINAL_THREADS threads for
that beside those for pages (deploy/gunicorn.conf.py); no more requests than that may wait in one process, so that pages
always find a free thread.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from flask import Flask, current_app

from hikflask.codes import refusals
from hikflask.services import audit
from hikflask.services.core.errors import ServiceError


class ConcurrencyLimit:
    """Counts the requests of one process that wait on terminals.

    :param threads: how many may wait at the same time. :param each: how many of one caller may.
    """

    def __init__(self, threads: int, each: int) -> None:
        self._threads = threads
        self._each = each
        self._lock = threading.Lock()
        self._waiting: Counter[str] = Counter()

    @contextmanager
    def slot(self, caller: str) -> Iterator[None]:
        """Hold one slot for the caller within the block.

        :raises too_many_calls: when this caller holds as many as allowed. :raises server_busy: when all slots are
            taken.
        """
        with self._lock:
            if self._waiting[caller] >= self._each:
                raise ServiceError("too_many_calls", n=self._each)
            if self._waiting.total() >= self._threads:
                raise ServiceError("server_busy", n=refusals.type_of("server_busy").retry_after)
            self._waiting[caller] += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting[caller] -= 1


def init_app(app: Flask) -> None:
    """Give the app's process its limit."""
    limit = ConcurrencyLimit(app.config["TERMINAL_THREADS"], app.config["TERMINAL_CALLS"])
    app.extensions["terminal_concurrency"] = limit


def slot() -> AbstractContextManager[None]:
    """Hold a slot for the operator or token of this request within the block, which waits on a terminal.

    :raises too_many_calls: :raises server_busy: before anything in the block is done.
    """
    limit: ConcurrencyLimit = current_app.extensions["terminal_concurrency"]
    return limit.slot(audit.current_actor().name)
