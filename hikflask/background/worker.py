"""The worker: threads that run the tasks of the queue, and a thread for the sweep and the clean-up.

By default it is part of the serving process (HIKFLASK_WORKER=embedded). It can also be a separate process
(`flask --app wsgi worker`). An error ends the pass or the task that meets it. A thread that ends all the same, or that
hangs, ends the process, so that systemd or gunicorn starts another one.
"""

import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

import click
from flask import Flask
from gunicorn.systemd import sd_notify

from hikflask.background import alarm_mail, tasks
from hikflask.background.queue import CAPTURES, JOBS, TERMINALS
from hikflask.extensions import db, task_queue
from hikflask.metrics import server as metrics_server
from hikflask.services.accounts import ldap_check
from hikflask.services.alarms import watch as alarm_watch
from hikflask.services.core import heartbeat, no_space
from hikflask.services.state import clock_jump
from hikflask.services.terminals import registry
from hikflask.services.webhooks import deliveries
from hikflask.signs_of_life import signs

log = logging.getLogger(__name__)
STOP_SECONDS = 5.0
# The interval of the clean-up.
FORGET_SECONDS = 60.0
# How often it is checked that all threads live, and that none hangs.
CHECK_SECONDS = 1.0


class NamedThreads:
    """Runs work that waits for other machines in threads of its own, so that a slow machine delays nothing else.

    One thread of each name runs at a time.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._threads: dict[str, threading.Thread] = {}

    def start(self, name: str, work: Callable[..., object], *arguments: Any) -> None:
        """Run the work in a thread of this name, unless one is still running: the next sweep tries again."""
        if name in self.running():
            return

        def watched() -> None:
            signs.watch()
            attempt(self._app, name, work, *arguments)

        thread = threading.Thread(target=watched, name=name, daemon=True)
        thread.start()
        self._threads[name] = thread

    def running(self) -> set[str]:
        """Return the names of the threads that are still at work."""
        return {name for name, thread in list(self._threads.items()) if thread.is_alive()}


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
        self._clock_lead: float | None = None
        loops = {"sweep": self._sweep_until_stopped, "watch": self._watch_until_stopped}
        self._loops = [
            threading.Thread(target=self._run, args=(name, loop), name=name, daemon=True)
            for name, loop in loops.items()
        ]

    def start(self) -> None:
        """Write the first heartbeat, then start all threads."""
        with self._app.app_context(), no_space.ignored():
            heartbeat.beat(heartbeat.name())
        for consumer in self._consumers:
            consumer.start()
        for loop in self._loops:
            loop.start()

    def stop(self) -> None:
        """Wait a few seconds for running tasks to end, then delete the heartbeat."""
        self._stopped.set()
        for consumer in self._consumers:
            consumer.shutdown_timeout = STOP_SECONDS
            consumer.stop(graceful=True)
        for loop in self._loops:
            loop.join(STOP_SECONDS)
        with self._app.app_context(), no_space.ignored():
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

    def _run(self, name: str, loop: Callable[[], None]) -> None:
        try:
            loop()
        finally:
            if not self._stopped.is_set():
                end_process("ended", [name])

    def _sweep_until_stopped(self) -> None:
        interval: float = self._app.config["SWEEP_INTERVAL"]
        forget_at = time.monotonic()
        signs.watch(interval)
        while not self._stopped.wait(interval):
            attempt(self._app, "the sweep", self._sweep_once)
            if time.monotonic() >= forget_at:
                forget_at = time.monotonic() + FORGET_SECONDS
                attempt(self._app, "the clean-up", self._clean_up)
            signs.goes_on(interval)

    def _watch_until_stopped(self) -> None:
        """Tell systemd each second that the worker is at work, until one of its threads has ended or hangs.

        It is a thread of its own, so that a step that takes long on a slow disk is not taken for a process that hangs.
        """
        while not self._stopped.wait(CHECK_SECONDS):
            self._check_threads()
            sd_notify("WATCHDOG=1", log)

    def _check_threads(self) -> None:
        threads = [thread for consumer in self._consumers for thread in consumer.threads()]
        ended = [thread.name for thread in threads if not thread.is_alive()]
        if ended and not self._stopped.is_set():
            end_process("ended", ended)
        hanging = signs.silent()
        if hanging and not self._stopped.is_set():
            frames = sys._current_frames()
            for thread in hanging:
                stack = traceback.format_stack(frames.get(thread.ident or 0))
                log.critical("%s hangs:\n%s", thread.name, "".join(stack))
            end_process("hang", [thread.name for thread in hanging])

    def _sweep_once(self) -> None:
        heartbeat.beat(heartbeat.name())
        self._clock_lead = clock_jump.record_jump(self._clock_lead)
        self.grow()
        tasks.sweep()
        if alarm_watch.refresh():
            self._outside.start("mail", alarm_mail.send_due)
        for webhook_id in deliveries.due_webhooks():
            self._outside.start(f"webhook-{webhook_id}", deliveries.send_due, webhook_id)

    def _clean_up(self) -> None:
        forget_once(signs.goes_on)
        self._outside.start("ldap", ldap_check.check_signed_in)


def attempt(app: Flask, name: str, work: Callable[..., object], *arguments: Any) -> None:
    """Do the work in an app context. An error ends this attempt alone: the rows say what is due in the next one."""
    try:
        with app.app_context():
            work(*arguments)
    except Exception:  # the outermost loop
        # The database, the queue or a folder may be away for a while.
        log.exception("%s failed", name)


def forget_once(after_step: Callable[[], object] = lambda: None) -> None:
    """Delete everything whose retention ended, step by step. A step that fails does not stop the others."""
    for step in tasks.FORGETTING:
        try:
            step()
        except Exception:  # the outermost loop
            log.exception("%s failed", step.__name__)
            db.session.remove()
        after_step()


def end_process(what: str, threads: list[str]) -> None:
    """End this process at once, as some of its threads ended or hang: it would look alive and do nothing without them.

    What it was doing is due again after a while, as with any worker that is killed.
    """
    try:
        names = ", ".join(threads)
        log.critical("threads %s: %s; this process ends with them", what, names, exc_info=sys.exception())
    finally:
        os._exit(1)


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
    sd_notify("READY=1", log)
    is_over.wait()
    worker.stop()
