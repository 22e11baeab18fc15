"""Measures the list of employees at two thousand and at a hundred thousand people, on SQLite and on PostgreSQL.

`python -m tests.benchmarks.lists`: each filter, each order, the search and a deep page are asked for in turn, as a
browser asks for them, and the medians are compared. The exit status is 1 when a median at the larger count is more than
1.5 times the one at the smaller. The same question is asked at both counts one after the other, in either order, so
that a busy moment of the machine falls on both. `wall` is what somebody waits; `cpu` is the time of this process, which
other programs do not lengthen: all of the work on SQLite, and all but the server's on PostgreSQL.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import text

from hikflask import create_app
from hikflask.extensions import db, task_queue
from hikflask.services.employees.filters import CONSENTS, SORTS, STATES
from hikflask.web.support.pagination import ROWS
from tests.benchmarks import made_people
from tests.support.postgresql import Cluster, programs
from tests.support.signed_in import client_of

MOST_RATIO = 1.5
SMALL, LARGE = 2_000, 100_000
DATABASES = ("sqlite", "postgresql")
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}
# They fill what is kept: compiled statements and templates, and what a database holds in memory.
WARM_UP = 2
DEPARTMENT = made_people.DEPARTMENTS[0].replace(" ", "+")
ADDRESSES = {
    "all": "",
    **{f"state {state}": f"state={state}" for state in STATES},
    **{f"sort {sort}": f"sort={sort}" for sort in SORTS},
    **{f"consent {consent}": f"consent={consent}" for consent in CONSENTS},
    "terminal": "terminal=2",
    "department": f"department={DEPARTMENT}",
    "waiting at a terminal": "state=waiting&terminal=2",
    "several filters": f"state=on_terminals&terminal=2&consent=given&department={DEPARTMENT}",
    "search, one word": "q=кузнецов",
    "search, two words": "q=кузнецов+пётр",
    "search, a fragment": "q=знец",
    "search, a number": "q=101234",
    "search, nobody": "q=нетникого",
    # As their numbers below the list lead to them.
    "the last page": "page={last}",
    "the middle": "page={middle}",
}


@dataclass
class Measured:
    """The milliseconds of each question at each count of people, on one database."""

    database: str
    times: dict[str, dict[int, list[dict[str, float]]]] = field(default_factory=dict)

    def median(self, question: str, count: int, clock: str = "wall") -> float:
        """The median of a question at a count."""
        return statistics.median(took[clock] for took in self.times[question][count])

    def ratio(self, question: str, clock: str = "wall") -> float:
        """The median at the larger count to that at the smaller."""
        small, large = sorted(self.times[question])
        return self.median(question, large, clock) / self.median(question, small, clock)

    def median_ratio(self, clock: str) -> float:
        """The median of the ratios of all questions."""
        return statistics.median(self.ratio(question, clock) for question in self.times)


@contextmanager
def filled(database: str, count: int, cluster: Cluster | None) -> Iterator[Flask]:
    """An app on a database with so many employees."""
    with TemporaryDirectory() as folder:
        address = {"DATABASE_URL": cluster.create(f"people_{count}")} if cluster else {}
        app = create_app({"INSTANCE_PATH": folder, "TESTING": True, "WORKER": "external", **address})
        with app.app_context():
            upgrade()
            made_people.fill(count)
            if database == "postgresql":
                # As the server itself does, by and by.
                with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    connection.execute(text("VACUUM ANALYZE"))
        yield app
        task_queue.lanes(app).close()
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def measure(counts: Sequence[int], databases: Sequence[str], rounds: int) -> list[Measured]:
    """Return what each database showed."""
    return [_measure(database, counts, rounds) for database in databases]


def _measure(database: str, counts: Sequence[int], rounds: int) -> Measured:
    bin_folder = programs() if database == "postgresql" else None
    cluster = Cluster(bin_folder) if bin_folder else None
    if database == "postgresql" and not cluster:
        raise SystemExit("PostgreSQL is not installed")
    if cluster:
        cluster.start()
    try:
        return _compared(database, counts, rounds, cluster)
    finally:
        if cluster:
            cluster.stop()


def _compared(database: str, counts: Sequence[int], rounds: int, cluster: Cluster | None) -> Measured:
    small, large = counts
    found = Measured(database, {question: {count: [] for count in counts} for question in ADDRESSES})
    with filled(database, small, cluster) as one, filled(database, large, cluster) as other:
        clients = {small: client_of(one), large: client_of(other)}
        for turn in range(WARM_UP + rounds):
            for question, query in ADDRESSES.items():
                for count in counts if turn % 2 else reversed(counts):
                    last = -(-count // ROWS)
                    took = _milliseconds(clients[count], query.format(middle=last // 2, last=last))
                    if turn >= WARM_UP:
                        found.times[question][count].append(took)
    return found


def _milliseconds(client: FlaskClient, query: str) -> dict[str, float]:
    began = {clock: now() for clock, now in CLOCKS.items()}
    answer = client.get(f"/employees/?{query}")
    took = {clock: (now() - began[clock]) * 1000 for clock, now in CLOCKS.items()}
    if answer.status_code != 200:
        raise RuntimeError(f"{query}: {answer.status_code}")
    return took


def table(found: Sequence[Measured]) -> str:
    """The measurements as text."""
    lines = []
    for one in found:
        small, large = sorted(next(iter(one.times.values())))
        heads = [f"{f'{clock} {small}':>14}{f'{clock} {large}':>14}{'ratio':>8}" for clock in CLOCKS]
        lines.append(f"{f'{one.database}, ms':<24}{''.join(heads)}")
        for question in one.times:
            lines.append(f"{question:<24}{''.join(_cells(one, question, clock) for clock in CLOCKS)}")
        lines.append(f"{'median of the ratios':<24}{''.join(f'{one.median_ratio(clock):36.2f}' for clock in CLOCKS)}")
    return "\n".join(lines)


def _cells(one: Measured, question: str, clock: str) -> str:
    small, large = (one.median(question, count, clock) for count in sorted(one.times[question]))
    return f"{small:14.1f}{large:14.1f}{one.ratio(question, clock):8.2f}"


def missed(found: Sequence[Measured]) -> list[str]:
    """The targets that were missed, each as a sentence."""
    return [
        f"{one.database}, {question}: {one.ratio(question):.2f}, not {MOST_RATIO}"
        for one in found
        for question in one.times
        if one.ratio(question) > MOST_RATIO
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.lists", description=__doc__.partition("\n")[0])
    parser.add_argument("--counts", type=int, nargs=2, default=[SMALL, LARGE], help="of people (default: %(default)s)")
    parser.add_argument("--database", choices=DATABASES, help="this one alone")
    parser.add_argument("--rounds", type=int, default=11, help="how often each is asked (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not 1 <= options.counts[0] < options.counts[1] or options.rounds < 1:
        parser.error("a smaller count and a larger one, and at least one round")
    found = measure(options.counts, [options.database] if options.database else DATABASES, options.rounds)
    print(table(found))
    wrong = missed(found)
    for sentence in wrong:
        print(f"missed: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
