"""Measures who is inside among ten thousand events and among a million, on SQLite and on PostgreSQL.

`python -m tests.benchmarks.presence`: the same number of people pass each day at twenty entrances and exits, so a
million events are the record of four months. The service is asked, and the page and the evacuation list are opened by a
client within the process. The exit status is 1 when a median among the most events is more than 1.2 times the one among
the fewest. The same is asked at all counts one after the other, in either order.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import text

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import Employee, EventLog, Terminal
from hikflask.models.columns import database_now
from hikflask.services.core.db import transaction
from hikflask.services.passages import presence
from tests.support.apps import close
from tests.support.migrated import migrate
from tests.support.postgresql import Cluster, programs
from tests.support.signed_in import client_of

MAX_RATIO = 1.2
EVENTS = (10_000, 1_000_000)
DATABASES = ("sqlite", "postgresql")
PEOPLE, EVENTS_A_DAY, TERMINALS = 2_000, 8_000, 20
WARM_UP = 2
NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :count)"
    " SELECT n FROM numbers",
    "postgresql": "SELECT generate_series(CAST(0 AS bigint), CAST(:count AS bigint) - 1) AS n",
}
# So many seconds before now.
AGO = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S', 'now', '-' || ({seconds}) || ' seconds') || '.000000'",
    "postgresql": "date_trunc('second', now() AT TIME ZONE 'UTC') - make_interval(secs => {seconds})",
}
FILL = """
    INSERT INTO event (terminal_id, employee_id, device_serial, serial_no, device_at, device_time, occurred_at, major,
        minor, kind, number, name, received_at, record)
    SELECT terminal, person, CAST(terminal AS varchar(8)), n, at, '', at, 5, 75, 'passed',
        CAST(100000 + person AS varchar(32)), '', at, '{{}}'
    FROM (
        SELECT n, 1 + n * 7919 / 11 % :terminals AS terminal, 1 + n * 48271 % :people AS person, {at} AS at
        FROM ({numbers}) AS numbers
    ) AS made ORDER BY n
"""


class Questions(Protocol):
    """What a benchmark of passages fills a database with, and asks of it."""

    def fill(self, count: int) -> None:
        """Add so many events and what belongs to them."""

    def questions(self, app: Flask) -> dict[str, Callable[[], object]]:
        """Return what is asked, by name."""


def fill(count: int) -> None:
    """Add people, entrances and exits, and so many passages, the last of them now."""
    dialect = db.engine.dialect.name
    seconds = f"(:count - 1 - n) * 86400 / {EVENTS_A_DAY}"
    statement = FILL.format(at=AGO[dialect].format(seconds=seconds), numbers=NUMBERS[dialect])
    with transaction():
        for number in range(1, TERMINALS + 1):
            access = {"url": "http://nobody.test", "username": "admin", "password_encrypted": "x"}
            direction = "in" if number % 2 else "out"
            db.session.add(Terminal(name=f"Терминал {number}", serial=str(number), direction=direction, **access))
        for number in range(1, PEOPLE + 1):
            db.session.add(
                Employee(number=str(100000 + number), name=f"Иванов {number}", department=f"Цех {number % 8}")
            )
        db.session.flush()
        for number in range(1, TERMINALS + 1):
            db.session.add(EventLog(terminal_id=number, complete_to=database_now()))
        db.session.execute(text(statement), {"count": count, "terminals": TERMINALS, "people": PEOPLE})


@contextmanager
def filled(asked: Questions, count: int, cluster: Cluster | None) -> Iterator[Flask]:
    """The app with so many events."""
    with TemporaryDirectory() as folder:
        address = {"DATABASE_URL": cluster.create(f"events_{count}")} if cluster else {}
        if not cluster:
            migrate(Path(folder))
        given = {"INSTANCE_PATH": folder, "TESTING": True, "WORKER": "external", "PASSAGES": "poll", **address}
        app = create_app(given)
        with app.app_context():
            upgrade()
            asked.fill(count)
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE" if cluster else "PRAGMA wal_checkpoint(TRUNCATE)"))
        yield app
        close(app)


def questions(app: Flask) -> dict[str, Callable[[], object]]:
    """What is asked, by name."""
    client = client_of(app)

    def ask() -> None:
        with app.app_context():
            assert presence.presence(datetime.now(UTC)).people

    return {
        "service": ask,
        "page": lambda: client.get("/presence/").text,
        "evacuation list": lambda: client.get("/presence/evacuation").text,
    }


def measure(asked: Questions, counts: Sequence[int], database: str, rounds: int) -> dict[str, dict[int, float]]:
    """Return the median milliseconds of each question at each count of events."""
    bin_folder = programs() if database == "postgresql" else None
    if database == "postgresql" and not bin_folder:
        raise SystemExit("PostgreSQL is not installed")
    with ExitStack() as stack:
        cluster = Cluster(bin_folder) if bin_folder else None
        if cluster:
            cluster.start()
            stack.callback(cluster.stop)
        apps = {count: asked.questions(stack.enter_context(filled(asked, count, cluster))) for count in counts}
        times: dict[str, dict[int, list[float]]] = {}
        for place in range(WARM_UP + rounds):
            for count in counts if place % 2 else reversed(counts):
                for name, ask in apps[count].items():
                    began = time.perf_counter()
                    ask()
                    if place >= WARM_UP:
                        taken = (time.perf_counter() - began) * 1000
                        times.setdefault(name, {}).setdefault(count, []).append(taken)
    return {name: {count: statistics.median(some) for count, some in by.items()} for name, by in times.items()}


def main(arguments: Sequence[str] | None = None, asked: Any = sys.modules[__name__]) -> int:
    """Measure, print the medians and their ratio, and return 1 when a target is missed.

    :param asked: the module of the benchmark: Questions.
    """
    parser = argparse.ArgumentParser(description=(asked.__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, nargs="+", default=EVENTS)
    parser.add_argument("--database", choices=DATABASES, nargs="+", default=DATABASES)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args(arguments)
    counts, missed = sorted(options.events), []
    for database in options.database:
        medians = measure(asked, counts, database, options.rounds)
        print(f"{database:22} {' '.join(f'{count:>12,}' for count in counts)}   ratio  (milliseconds)")
        for name, by in medians.items():
            ratio = by[counts[-1]] / by[counts[0]]
            print(f"{name:22} {' '.join(f'{by[count]:12.1f}' for count in counts)} {ratio:7.2f}")
            if ratio > MAX_RATIO:
                missed.append(f"{database}, {name}: {ratio:.2f} times as long, not {MAX_RATIO}")
    print(f"load average: {os.getloadavg()[0]:.1f}", *missed, sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
