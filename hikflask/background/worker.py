"""The worker: threads that run the tasks of the queue, and a thread for the sweep and the clean-up.

By default it is part of the serving process (HIKFLASK_WORKER=embedded). It can also be a separate process
(`flask --app wsgi worker`).
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import click
from flask import Flask

from hikflask.background import alarm_mail, tasks
from hikflask.background.queue import CAPTURES, JOBS, TERMINALS
from hikflask.extensions import db, task_queue
from hikflask.metrics import server as metrics_server
from hikflask.services.accounts import ldap_check
from hikflask.services.alarms import watch as alarm_watch
from hikflask.services.core import heartbeat
from hikflask.services.terminals import registry
from hikflask.services.webhooks import deliveries

log = logging.getLogger(__name__)
STOP_SECONDS = 5.0
# The interval of the clean-up.
FORGET_SECONDS = 60.0


class NamedThreads:
    """Runs work that waits for other machines in threads of its own, so that a slow machine delays nothing else.

    One thread of each name runs at a time.
    """

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


class Worker:
    """The consumers of all lanes and the sweeping thread. start() returns at once.

    There are as many threads for captures, and as many for terminals, as there are active terminals, within
    HIKFLASK_WORKER_TERMINALS: one terminal waits for one face, and is talked to by one thread. They are added when
    terminals are, and end with the process.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._stopped = threading.Event()
        threads: int = app.config["WORKER_THREADS"]
        self._threads = {CAPTURES: threads // 2, TERMINALS: threads - threads // 2}
        counts = {**self._threads, JOBS: 2}
        self._consumers = [task_queue.lanes(app).consumer(lane, count) for lane, count in counts.items()]
        self._outside = NamedThreads(app)
        self._sweeper = threading.Thread(target=self._sweep_until_stopped, name="sweep", daemon=True)

    def start(self) -> None:
        """Write the first heartbeat, then start all threads."""
        with self._app.app_context():
            heartbeat.beat(heartbeat.name())
        for consumer in self._consumers:
            consumer.start()
        self._sweeper.start()

    def stop(self) -> None:
        """Wait a few seconds for running tasks to end, then delete the heartbeat."""
        self._stopped.set()
        for consumer in self._consumers:
            consumer.shutdown_timeout = STOP_SECONDS
            consumer.stop(graceful=True)
        self._sweeper.join(STOP_SECONDS)
        with self._app.app_context():
            heartbeat.leave(heartbeat.name())
        task_queue.lanes(self._app).close()

    def grow(self) -> dict[str, int]:
        """Add the threads that are missing for the active terminals; return how many each lane has then."""
        needed: int = min(registry.count_active(), self._app.config["WORKER_TERMINALS"])
        for lane, threads in self._threads.items():
            if needed > threads:
                more = task_queue.lanes(self._app).consumer(lane, needed - threads)
                more.start()
                self._consumers.append(more)
                self._threads[lane] = needed
        return self._threads

    def _sweep_until_stopped(self) -> None:
        interval = self._app.config["SWEEP_INTERVAL"]
        forget_at = time.monotonic()
        while not self._stopped.wait(interval):
            with self._app.app_context():
                self._sweep_once()
                if time.monotonic() >= forget_at:
                    forget_at = time.monotonic() + FORGET_SECONDS
                    forget_once()
                    self._outside.start("ldap", ldap_check.check_signed_in)

    def _sweep_once(self) -> None:
        try:
            heartbeat.beat(heartbeat.name())
            self.grow()
            tasks.sweep()
            if alarm_watch.refresh():
                self._outside.start("mail", alarm_mail.send_due)
            for webhook_id in deliveries.due_webhooks():
                self._outside.start(f"webhook-{webhook_id}", deliveries.send_due, webhook_id)
        except Exception:  # the outermost loop
            # The database or the queue may be away for a while. The next sweep reads from the rows what is due.
            log.exception("the sweep failed")
            db.session.remove()


def forget_once() -> None:
    """Delete everything whose retention ended, step by step. A step that fails does not stop the others."""
    for step in tasks.FORGETTING:
        try:
            step()
        except Exception:  # the outermost loop
            log.exception("%s failed", step.__name__)
            db.session.remove()


def start_embedded(app: Flask) -> Worker | None:
    """Start a worker in this process and return it; None if this is no server process or the worker is external."""
    if app.config["WORKER"] != "embedded" or not this_process_serves():
        return None
    worker = Worker(app)
    worker.start()
    return worker


def this_process_serves() -> bool:
    """True except for `flask --app wsgi …` commands other than `run`, and in the parent process of the reloader."""
    context = click.get_current_context(silent=True)
    if context is None:
        return True
    return context.info_name == "run" and os.environ.get("WERKZEUG_RUN_MAIN") != "false"


def run_forever(app: Flask) -> None:
    """Run a worker in the foreground until SIGTERM or SIGINT."""
    worker, is_over = Worker(app), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: is_over.set())
    worker.start()
    metrics_server.start(app, metrics_server.worker_port(app))
    is_over.wait()
    worker.stop()
