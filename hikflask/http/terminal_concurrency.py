"""How many requests may wait on terminals at a time, so that pages keep threads of their own, and how many of a caller.

A terminal that is silent holds whoever asks it for many seconds. gunicorn has HIKFLASK_TERMINAL_THREADS threads beside
those for pages (deploy/gunicorn.conf.py), and no more requests than that wait in one process.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from flask import Flask, current_app

from hikflask.services import audit
from hikflask.services.core.errors import ServerBusy, TooManyCalls


class TerminalBudget:
    """Counts the requests of one process that wait on terminals.

    :param threads: how many may wait at a time. :param each: how many of one caller.
    """

    def __init__(self, threads: int, each: int) -> None:
        self._threads = threads
        self._each = each
        self._lock = threading.Lock()
        self._waiting: Counter[str] = Counter()

    @contextmanager
    def place(self, caller: str) -> Iterator[None]:
        """Count the caller within the block.

        :raises TooManyCalls: when the caller has its share already. :raises ServerBusy: when all places are taken.
        """
        self._take(caller)
        try:
            yield
        finally:
            self._give_back(caller)

    def _take(self, caller: str) -> None:
        with self._lock:
            if self._waiting[caller] >= self._each:
                raise TooManyCalls(n=self._each)
            if self._waiting.total() >= self._threads:
                raise ServerBusy(n=ServerBusy.retry_after)
            self._waiting[caller] += 1

    def _give_back(self, caller: str) -> None:
        with self._lock:
            self._waiting[caller] -= 1


def init_app(app: Flask) -> None:
    """Give the app's process its budget."""
    budget = TerminalBudget(app.config["TERMINAL_THREADS"], app.config["TERMINAL_CALLS"])
    app.extensions["terminal_budget"] = budget


def place() -> AbstractContextManager[None]:
    """Count the token or operator of this request within the block, which waits on a terminal.

    :raises TooManyCalls: :raises ServerBusy: before anything in the block is done.
    """
    budget: TerminalBudget = current_app.extensions["terminal_budget"]
    return budget.place(audit.present_actor().name)
