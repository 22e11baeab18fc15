"""What the processes count for Prometheus: requests, captures, waits for leases, calls to terminals.

Several processes on one machine count together where PROMETHEUS_MULTIPROC_DIR names a folder that they share. Without
it each counts for itself, which is right for one process. No label has a person's name or number.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from flask import Flask, current_app
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector

from hikflask.config import ConfigError

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
REQUEST_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
WAIT_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
# A terminal is given 8 seconds for most answers, and the time of a capture for that.
CALL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
TAKEN, GIVEN_UP = "taken", "given_up"


class Counted:
    """What the processes count, each by its labels."""

    def __init__(self) -> None:
        self._own = CollectorRegistry()
        self._requests = Counter(
            "hikflask_requests", "Answered requests.", ["group", "method", "status"], registry=self._own
        )
        self._request_seconds = Histogram(
            "hikflask_request_seconds",
            "How long requests took.",
            ["group"],
            registry=self._own,
            buckets=REQUEST_SECONDS,
        )
        self._captures = Counter("hikflask_captures", "Captures by how they ended.", ["end"], registry=self._own)
        self._lease_waits = Histogram(
            "hikflask_lease_wait_seconds",
            "How long the right to talk to a terminal was waited for.",
            ["outcome"],
            registry=self._own,
            buckets=WAIT_SECONDS,
        )
        self._calls = Histogram(
            "hikflask_isapi_seconds",
            "How long terminals took for a call, whether they answered or not.",
            ["call"],
            registry=self._own,
            buckets=CALL_SECONDS,
        )

    def registry(self) -> CollectorRegistry:
        """Return what was counted: by all processes on this machine that share a folder, or by this one."""
        if not os.environ.get(FOLDER):
            return self._own
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return together

    def begin_at_zero(self, capture_ends: Iterable[str]) -> None:
        """Tell captures and waits before the first one: Prometheus sees no increase where a series begins with 1."""
        for end in capture_ends:
            self._captures.labels(end)
        for outcome in (TAKEN, GIVEN_UP):
            self._lease_waits.labels(outcome)

    def request(self, group: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._requests.labels(group, method, str(status)).inc()
        self._request_seconds.labels(group).observe(seconds)

    def captures(self, end: str, count: int) -> None:
        """Count captures that ended in this state."""
        self._captures.labels(end).inc(count)

    def lease_wait(self, outcome: str, seconds: float) -> None:
        """Count a wait for a terminal: it was TAKEN or GIVEN_UP."""
        self._lease_waits.labels(outcome).observe(seconds)

    def call(self, name: str, seconds: float) -> None:
        """Count a call to a terminal."""
        self._calls.labels(name).observe(seconds)


class Metrics:
    """The Flask extension: what an app counts."""

    def init_app(self, app: Flask) -> None:
        """Give the app its counters.

        :raises ConfigError: when the folder that processes share is not writable; each request would fail there.
        """
        if folder := os.environ.get(FOLDER):
            advice = f"The folder {folder} is not writable: set {FOLDER} to a folder that this account owns."
            try:
                Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigError(advice) from error
            if not os.access(folder, os.W_OK | os.X_OK):
                raise ConfigError(advice)
        # Twice as many series otherwise, which nobody asks for; several processes together have none either.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        app.extensions["metrics"] = Counted()

    @property
    def counted(self) -> Counted:
        """What the current app counts."""
        counted: Counted = current_app.extensions["metrics"]
        return counted
