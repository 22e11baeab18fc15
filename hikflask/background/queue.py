"""The queue of background tasks: Huey on SQLite beside the database, or in PostgreSQL when the database is there.

There are three lanes in the same storage, each with its own threads. So captures, which wait for people, leave threads
for all other work with terminals. Jobs for many people, which wait for no terminal, never use more than two threads: a
job may be reading a long file. The queue may be lost: the database says what is due, and the sweep enqueues it again.
"""

import logging
import math
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from flask import Flask, current_app
from huey import Huey, PostgresHuey, SqliteHuey
from huey.consumer import Consumer, Scheduler
from huey.consumer import Worker as TaskRunner
from psycopg.errors import ConnectionTimeout, DuplicateTable, UniqueViolation

from hikflask import request_id
from hikflask.signs_of_life import signs

CAPTURES = "captures"
TERMINALS = "terminals"
JOBS = "jobs"
LANES = (CAPTURES, JOBS, TERMINALS)
log = logging.getLogger(__name__)
POLL_SECONDS = 0.2
# What the storage raises while it is away, damaged, or in use for too long.
STORAGE_ERRORS = (sqlite3.Error, psycopg.Error, OSError)

REPEAT_SECONDS = 60.0

Task = Callable[..., object]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Waiting:
    """The tasks that wait in a lane: how many, and for how many seconds the first has waited."""

    tasks: int
    seconds: float


class OnceAMinute(logging.LoggerAdapter):  # type: ignore[type-arg]
    """Logs each message once a minute: every thread of a consumer repeats what fails five times a second."""

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__(logger, {})
        self._lock = threading.Lock()
        self._logged_at: dict[object, float] = {}

    def log(self, level: int, msg: object, *arguments: object, **about: Any) -> None:
        """Log a message, unless it was logged within the last minute."""
        if level < logging.ERROR or arguments:  # Of one task, for example.
            super().log(level, msg, *arguments, **about)
            return
        now = time.monotonic()
        with self._lock:
            if now - self._logged_at.get(msg, -math.inf) < REPEAT_SECONDS:
                return
            self._logged_at[msg] = now
        super().log(level, msg, *arguments, **about)


class WatchedLoop:
    """The loop of a thread of a consumer. Each pass is a sign of life, and without a task a pass is short."""

    def loop(self, now: datetime | None = None) -> None:
        """Make one pass."""
        signs.watch()
        super().loop(now)  # type: ignore[misc]


class WatchedTaskRunner(WatchedLoop, TaskRunner):  # type: ignore[misc]
    """Runs the tasks of a lane, one after the other."""


class WatchedScheduler(WatchedLoop, Scheduler):  # type: ignore[misc]
    """Moves tasks that were postponed into their lane."""


class LaneConsumer(Consumer):  # type: ignore[misc]
    """A consumer that does not replace the signal handlers of its process, nor fills the log while its storage is away.

    :param log: what its threads log to.
    """

    worker_class, scheduler_class = WatchedTaskRunner, WatchedScheduler

    def __init__(self, huey: Huey, log: OnceAMinute, **options: Any) -> None:
        self._log_of_threads = log
        super().__init__(huey, **options)

    def threads(self) -> list[threading.Thread]:
        """Return its threads, which run until it is stopped."""
        return [self.scheduler, *(thread for _, thread in self.worker_threads)]

    def _set_signal_handlers(self) -> None:
        return

    def _create_worker(self) -> Any:
        return self._logging(super()._create_worker())

    def _create_scheduler(self) -> Any:
        return self._logging(super()._create_scheduler())

    def _logging(self, process: Any) -> Any:
        process._logger = self._log_of_threads
        return process


class TaskQueue:
    """The Flask extension: the registered tasks, and the lanes of each app."""

    def __init__(self) -> None:
        self._tasks: dict[str, tuple[str, Task]] = {}

    def task(self, lane: str) -> Callable[[Task], Task]:
        """Register a function as a task of a lane. It runs in an app context, with the arguments of enqueue()."""

        def register(function: Task) -> Task:
            self._tasks[function.__name__] = (lane, function)
            return function

        return register

    def init_app(self, app: Flask) -> None:
        """Give the app its lanes. Their storage is opened at the first use."""
        app.extensions["task_queue"] = Lanes(app, self._tasks)

    def enqueue(self, function: Task, *arguments: Any) -> None:
        """Put a task into its lane. Call this after the commit of what the task reads.

        What is committed is not said to have failed where the storage takes nothing: the sweep finds it by its rows.
        """
        try:
            self.lanes(current_app).enqueue(function.__name__, *arguments)
        except STORAGE_ERRORS as error:
            log.warning("the queue did not take %s (%s); the sweep finds it", function.__name__, type(error).__name__)

    def answers(self) -> bool:
        """Return True when the storage of the queue answers."""
        return self.waiting() is not None

    def waiting(self) -> dict[str, Waiting] | None:
        """Return what waits in each lane, or None when the storage of the queue does not answer."""
        try:
            return self.lanes(current_app).waiting()
        except STORAGE_ERRORS:
            return None

    def lanes(self, app: Flask) -> "Lanes":
        """Return the app's lanes."""
        lanes: Lanes = app.extensions["task_queue"]
        return lanes


class Lanes:
    """The queue of one app: a Huey for each lane."""

    def __init__(self, app: Flask, tasks: dict[str, tuple[str, Task]]) -> None:
        self._app = app
        self._tasks = tasks
        self._lock = threading.Lock()
        self._log = OnceAMinute(logging.getLogger("huey.consumer"))
        self._hueys: dict[str, Huey] = {}
        self._wrapped: dict[str, Any] = {}

    def enqueue(self, name: str, *arguments: Any) -> None:
        """Put the task with this name into its lane."""
        self._open()
        task, about = self._wrapped[name], {"enqueued_at": time.time(), "by_request": request_id.current()}
        _on_live_connection(lambda: task(*arguments, **about))

    def consumer(self, lane: str, threads: int) -> LaneConsumer:
        """Return a consumer that runs a lane's tasks in so many threads, not started yet."""
        self._open()
        return LaneConsumer(
            self._hueys[lane],
            self._log,
            workers=threads,
            periodic=False,
            initial_delay=POLL_SECONDS,
            backoff=1.0,
            max_delay=POLL_SECONDS,
            check_worker_health=False,
        )

    def run_pending(self) -> int:
        """Run the tasks that are queued now in this thread; return how many ran."""
        self._open()
        ran = 0
        for huey in self._hueys.values():
            while task := huey.dequeue():
                task.execute()
                ran += 1
        return ran

    def waiting(self) -> dict[str, Waiting]:
        """Return what waits in each lane."""
        self._open()
        return {lane: _on_live_connection(partial(_waiting, huey)) for lane, huey in self._hueys.items()}

    def close(self) -> None:
        """Close the connections to the storage."""
        for huey in self._hueys.values():
            huey.storage.close()

    def _open(self) -> None:
        with self._lock:
            if self._hueys:
                return
            hueys = {lane: self._huey(lane) for lane in LANES}
            for name, (lane, function) in self._tasks.items():
                self._wrapped[name] = hueys[lane].task(name=name)(self._in_context(function))
            self._hueys = hueys

    def _huey(self, lane: str) -> Huey:
        url = self._app.config["DATABASE_URL"]
        if url.startswith("postgresql://"):
            try:
                return PostgresHuey(lane, dsn=url, results=False, blocking=False)
            except (UniqueViolation, DuplicateTable):
                # Another process made the queue's tables at the same moment: IF NOT EXISTS does not wait for that.
                return PostgresHuey(lane, dsn=url, results=False, blocking=False)
        file = Path(self._app.config["INSTANCE_PATH"]) / "queue.sqlite3"
        return SqliteHuey(lane, filename=str(file), results=False, fsync=False)

    def _in_context(self, function: Task) -> Task:
        # A task of an earlier version has none of the two.
        def run(*arguments: Any, enqueued_at: float = 0.0, by_request: str = "") -> None:  # noqa: ARG001
            with self._app.app_context(), request_id.working_for(by_request):
                function(*arguments)

        run.__name__ = function.__name__
        return run


def _on_live_connection(call: Callable[[], Result]) -> Result:
    """Call a function of the storage, and once more on a new connection when a restart of PostgreSQL has cut it."""
    try:
        return call()
    except ConnectionTimeout:
        raise
    except psycopg.OperationalError:
        return call()


def _waiting(huey: Huey) -> Waiting:
    first = huey.pending(limit=1)
    # Never below zero, also when the clock was set back.
    seconds = max(0.0, time.time() - first[0].kwargs.get("enqueued_at", time.time())) if first else 0.0
    return Waiting(huey.pending_count(), seconds)
