"""All metrics in the text format of Prometheus, and the gauges: what the database and the queue tell when it asks.

Every read follows an index and ends at MAX_COUNTED rows, so that it costs the same however many employees there are.
No label has a person's name or number; a terminal is its id and its name.
"""

import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

from prometheus_client import Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import SQLAlchemyError

from hikflask.extensions import db, metrics, task_queue
from hikflask.models import EmployeeCount, Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import CONFIRMED, LEAVING, REFUSED, WAITING
from hikflask.services.backups import records
from hikflask.services.core import heartbeat, no_space
from hikflask.services.core.db import along_indexes, count_rows_up_to
from hikflask.services.employees import filters
from hikflask.services.passages import intake
from hikflask.services.state import clock_jump
from hikflask.services.state.capture import ENDS
from hikflask.services.state.enrolment import IS_LEAVING
from hikflask.services.terminals import lost_people, registry

# One more stands for all that are more.
MAX_COUNTED = 20_000
UP_TO = f"counted up to {MAX_COUNTED}, one more stands for all that are more"
TERMINAL = ("terminal", "name")


def read_gauges() -> list[Metric]:
    """Return all gauges; when the database does not answer, only that, and the disks."""
    reachable = GaugeMetricFamily("hikflask_database_reachable", "1 when the database answers, else 0.")
    try:
        gauges = [_employees(), *_enrolments(), *_terminals(), *_work(), _backup(), _clock()]
    except SQLAlchemyError:
        gauges = []
    reachable.add_metric([], bool(gauges))
    return [reachable, *_disks(), *gauges]


def _employees() -> Metric:
    people = GaugeMetricFamily("hikflask_employees", "Employees by state.", labels=["state"])
    counts = select(func.sum(EmployeeCount.people), func.sum(EmployeeCount.active))
    everybody, active = (count or 0 for count in db.session.execute(counts).one())
    people.add_metric(["active"], active)
    people.add_metric(["inactive"], everybody - active)
    return people


def _enrolments() -> Iterator[Metric]:
    """Yield the enrolments by state, those that were sent without a face apart, and the open removals."""
    # Among the first of both, how many were refused, and how many were sent without a face.
    is_without = filters.IS_PERSON_ONLY.label("is_without_face")
    both = select(is_without).where(filters.IS_REFUSED).limit(MAX_COUNTED + 1).subquery()
    with along_indexes():
        counts = select(both.c.is_without_face, func.count()).group_by(both.c.is_without_face)
        stopped = {bool(without): count for without, count in db.session.execute(counts)}
    states = {
        CONFIRMED: _count(filters.IS_CONFIRMED),
        WAITING: _count(filters.IS_WAITING),
        REFUSED: stopped.get(False, 0),
        "without_face": stopped.get(True, 0),
        LEAVING: _count(IS_LEAVING),
    }
    enrolments = GaugeMetricFamily("hikflask_enrolments", f"Enrolments by state, {UP_TO}.", labels=["state"])
    for state, count in states.items():
        enrolments.add_metric([state], count)
    yield enrolments
    text = f"Removals that no terminal has confirmed, {UP_TO}."
    yield GaugeMetricFamily("hikflask_removals_open", text, value=states[LEAVING])
    first = select(Enrolment.desired_since, database_now()).where(IS_LEAVING).order_by(Enrolment.desired_since)
    row = db.session.execute(first.limit(1)).first()
    # Never below zero, also when the clock was set back.
    age = max(0.0, (row[1] - row[0]).total_seconds()) if row and row[0] else 0.0
    yield GaugeMetricFamily(
        "hikflask_removal_oldest_seconds", "Age of the oldest open removal; 0 without one.", value=age
    )


def _count(*where: ColumnElement[bool]) -> int:
    # A column that the indexes have, so that no more is read than they need.
    with along_indexes():
        return count_rows_up_to(select(Enrolment.employee_id).where(*where), MAX_COUNTED)


def _terminals() -> Iterator[Metric]:
    reachable = GaugeMetricFamily(
        "hikflask_terminal_reachable", "1 when the terminal answered last, 0 when it did not.", labels=TERMINAL
    )
    answered = GaugeMetricFamily(
        "hikflask_terminal_last_answer_timestamp_seconds", "When the terminal answered last.", labels=TERMINAL
    )
    refused = GaugeMetricFamily(
        "hikflask_terminal_password_refused", "1 while nothing is sent, as the password was refused.", labels=TERMINAL
    )
    lost = GaugeMetricFamily(
        "hikflask_terminal_people_lost", "People it lost, until all are there again; else 0.", labels=TERMINAL
    )
    lost_at = lost_people.at_all()
    for terminal in registry.list_active():
        _add(terminal, reachable, None if terminal.reachable is None else float(terminal.reachable))
        _add(terminal, answered, terminal.answered_at.timestamp() if terminal.answered_at else None)
        _add(terminal, refused, float(terminal.refused_since is not None))
        _add(terminal, lost, float(lost_at[terminal.id].people if terminal.id in lost_at else 0))
    unread = GaugeMetricFamily(
        "hikflask_terminal_passages_unread_seconds",
        "For how long its passages were not read; nothing while none are.",
        labels=TERMINAL,
    )
    for log in intake.unread():
        _add(log.terminal, unread, log.seconds)
    yield from (reachable, answered, refused, lost, unread)


def _add(terminal: Terminal, metric: GaugeMetricFamily, value: float | None) -> None:
    """Add what is known of a terminal."""
    if value is not None:
        metric.add_metric([str(terminal.id), terminal.name], value)


def _work() -> Iterator[Metric]:
    alive = heartbeat.alive()
    yield GaugeMetricFamily("hikflask_worker_alive", "1 while a worker is running, else 0.", value=float(alive))
    waiting = task_queue.waiting()
    yield GaugeMetricFamily(
        "hikflask_queue_reachable", "1 when the storage of the queue answers, else 0.", value=float(waiting is not None)
    )
    tasks = GaugeMetricFamily("hikflask_queue_tasks", "Tasks that wait for the worker.", labels=["lane"])
    oldest = GaugeMetricFamily(
        "hikflask_queue_oldest_seconds", "For how long the first waiting task does.", labels=["lane"]
    )
    for lane, queue in (waiting or {}).items():
        tasks.add_metric([lane], queue.tasks)
        oldest.add_metric([lane], queue.seconds)
    yield from (tasks, oldest)


def _backup() -> Metric:
    newest = records.newest(whole=True)
    return GaugeMetricFamily(
        "hikflask_backup_last_success_timestamp_seconds",
        "When the last backup with all photos was finished; 0 without one.",
        value=newest.finished_at.timestamp() if newest else 0.0,
    )


def _clock() -> Metric:
    return GaugeMetricFamily(
        "hikflask_clock_ahead_seconds",
        "By how much the newest entry of the audit trail is ahead of the present time; 0 for less than five minutes.",
        value=clock_jump.seconds_ahead(),
    )


def _disks() -> Iterator[Metric]:
    free = GaugeMetricFamily("hikflask_disk_free_bytes", "Free bytes where this is stored.", labels=["place"])
    size = GaugeMetricFamily("hikflask_disk_size_bytes", "Size of that disk in bytes.", labels=["place"])
    for disk in no_space.disks():
        free.add_metric([disk.place], disk.free)
        size.add_metric([disk.place], disk.size)
    yield from (free, size)


# Every Prometheus reads this one.
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
TRIES, PAUSE = 20, 0.01


class _Gauges(Collector):
    def collect(self) -> Iterable[Metric]:
        """Return what the database and the queue tell now."""
        return read_gauges()


def text() -> bytes:
    """Return what the processes count, and what the database and the queue tell now."""
    # Not at the start: each process would leave files in the folder that they share, commands, too.
    metrics.counted.begin_at_zero(ENDS)
    return _counted() + generate_latest(_Gauges())


def _counted() -> bytes:
    """Return what the processes count. One that begins has made its file, and not yet written to it, for a moment."""
    for _ in range(TRIES):
        with suppress(struct.error):
            return generate_latest(metrics.counted.registry())
        time.sleep(PAUSE)
    return generate_latest(metrics.counted.registry())
