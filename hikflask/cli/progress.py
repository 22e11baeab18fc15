"""Shows in a terminal window how far a job is."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from flask import Flask, current_app

from hikflask.services.core.db import end_read
from hikflask.services.jobs import queries

SECONDS = 0.5


@contextmanager
def shown(job_id: int, stream: TextIO | None = None, seconds: float = SECONDS) -> Iterator[None]:
    """Within its block show how far a job is, on standard error when that is a terminal window; a log stays clean."""
    out = stream or sys.stderr
    if not out.isatty():
        yield
        return
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    ended = threading.Event()
    thread = threading.Thread(target=_watch, args=(app, job_id, out, seconds, ended))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _watch(app: Flask, job_id: int, out: TextIO, seconds: float, ended: threading.Event) -> None:
    with app.app_context():
        while not ended.wait(seconds):
            job = queries.find_job(job_id)
            if job is not None:
                out.write(f"\r{job.done} of {job.total} ")
                out.flush()
            end_read()
        out.write("\r\x1b[K")
        out.flush()
