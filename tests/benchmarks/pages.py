"""Measures pages at a thousand, a hundred thousand and a million employees, on SQLite and on PostgreSQL.

`python -m tests.benchmarks.pages`: the list with each filter and each order, pages deep in it, searches, an employee,
what needs attention, jobs, the audit trail and the API's lists are asked for one after the other, of gunicorn, with ten
enrolments to an employee. The exit status is 1 when a median at the largest count is more than 1.5 times the one at the
smallest (of the API's enrolments 1.2 times: ten million rows to ten thousand; of its search 2 times), or when it
answers less than 0.3 times as often as an empty page of the same app. The same question is asked at all counts one
after the other, in either order, so that a busy moment of the machine falls on all.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from flask_migrate import upgrade
from sqlalchemy import text

from hikflask import create_app
from hikflask.extensions import db
from hikflask.services.employees.filters import CONSENTS, SORTS, STATES
from tests.benchmarks import made_people
from tests.processes.processes import Served
from tests.support.apps import close
from tests.support.migrated import migrate
from tests.support.postgresql import Cluster, programs

MAX_RATIO, MIN_OF_EMPTY = 1.5, 0.3
ENROLMENTS, SEARCH = "API enrolments", "API search"
# Of questions that begin so. A search finds 65 of a thousand people, and counts 501 of a million.
MAX_RATIOS = {ENROLMENTS: 1.2, SEARCH: 2.0}
PEOPLE = (1_000, 100_000, 1_000_000)
DATABASES = ("sqlite", "postgresql")
WARM_UP = 3
# The page that with_empty_page.py adds.
EMPTY = "/benchmark/empty"
DEPARTMENT = made_people.DEPARTMENTS[0].replace(" ", "+")
# So many pages on from the first, by the link to the next one.
DEEP = 5
# Its X-Total-Count is exact, so it grows with those who are found. It is shown, and has no target.
COUNTS_EXACTLY = f"{SEARCH}, exact"
ADDRESSES = {
    "empty page": EMPTY,
    "list": "/employees/",
    **{f"state {state}": f"/employees/?state={state}" for state in STATES},
    **{f"sort {sort}": f"/employees/?sort={sort}" for sort in SORTS},
    **{f"consent {consent}": f"/employees/?consent={consent}" for consent in CONSENTS},
    "terminal": "/employees/?terminal=2",
    "department": f"/employees/?department={DEPARTMENT}",
    "waiting at a terminal": f"/employees/?state=waiting&terminal={made_people.TERMINALS}",
    "several filters": f"/employees/?state=on_terminals&terminal=2&consent=given&department={DEPARTMENT}",
    "search, one word": "/employees/?q=кузнецов",
    "search, two words": "/employees/?q=кузнецов+вич",
    "search, middle of the name": "/employees/?q=знец",
    "search, two letters": "/employees/?q=юр",
    "search, a number": "/employees/?q=100734",
    "search, nobody": "/employees/?q=нетникого",
    "search and department": f"/employees/?q=пётр&department={DEPARTMENT}",
    f"page {DEEP + 1}": "",
    "employee": "/employees/{middle}",
    "needs attention": "/attention",
    "open removals": "/removals/",
    "jobs": "/jobs/",
    "audit trail": "/audit/",
    "API list": "/api/users/",
    SEARCH: "/api/users/?q=знец&limit=50",
    COUNTS_EXACTLY: "/api/users/?q=знец&limit=50&count=exact",
    "API, offset 500": "/api/users/?offset=500",
    ENROLMENTS: "/api/enrolments/",
    f"{ENROLMENTS}, refused": "/api/enrolments/?state=refused",
    f"{ENROLMENTS}, at one": "/api/enrolments/?terminal=2",
    f"{ENROLMENTS}, both": f"/api/enrolments/?state=waiting&terminal={made_people.TERMINALS}",
    f"{ENROLMENTS}, since": f"/api/enrolments/?since={made_people.CHANGED}",
    f"{ENROLMENTS}, deep": "",
}


@dataclass
class Measured:
    """The milliseconds of each question at each count of people, on one database."""

    database: str
    times: dict[str, dict[int, list[float]]] = field(default_factory=dict)

    def median(self, question: str, count: int) -> float:
        """The median of a question at a count."""
        return statistics.median(self.times[question][count])

    def ratio(self, question: str) -> float:
        """The median at the largest count to that at the smallest."""
        counts = sorted(self.times[question])
        return self.median(question, counts[-1]) / self.median(question, counts[0])

    def of_empty(self, question: str) -> float:
        """How often a question is answered at the largest count, to how often an empty page is."""
        largest = max(self.times[question])
        return self.median("empty page", largest) / self.median(question, largest)


@contextmanager
def served(count: int, cluster: Cluster | None) -> Iterator[Served]:
    """The app with so many employees, under gunicorn."""
    with TemporaryDirectory() as folder:
        address = {"DATABASE_URL": cluster.create(f"people_{count}")} if cluster else {}
        if not cluster:
            migrate(Path(folder))
        fill(Path(folder), count, address)
        with serve(Path(folder), address) as app:
            yield app


def fill(folder: Path, count: int, address: dict[str, str]) -> None:
    """Add so many employees to an installation."""
    app = create_app({"INSTANCE_PATH": str(folder), "TESTING": True, "WORKER": "external", **address})
    with app.app_context():
        upgrade()
        made_people.fill(count)
        # As PostgreSQL does by itself, by and by; of SQLite's log nothing is left to read.
        settle = "VACUUM ANALYZE" if address else "PRAGMA wal_checkpoint(TRUNCATE)"
        db.session.remove()
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(settle))
    close(app)


@contextmanager
def serve(folder: Path, address: dict[str, str]) -> Iterator[Served]:
    """Serve an installation with gunicorn."""
    app = Served(folder, WORKER="external", **address)
    try:
        app.serve("tests.benchmarks.with_empty_page:app")
        yield app
    finally:
        app.kill()


def measure(counts: Sequence[int], database: str, rounds: int, warm_up: int = WARM_UP, about: str = "") -> Measured:
    """Return what a database showed."""
    bin_folder = programs() if database == "postgresql" else None
    if database == "postgresql" and not bin_folder:
        raise SystemExit("PostgreSQL is not installed")
    with ExitStack() as stack:
        cluster = Cluster(bin_folder) if bin_folder else None
        if cluster:
            cluster.start()
            stack.callback(cluster.stop)
        apps = {count: stack.enter_context(served(count, cluster)) for count in counts}
        return compared(database, apps, rounds, warm_up, about)


def compared(database: str, apps: dict[int, Served], rounds: int, warm_up: int = WARM_UP, about: str = "") -> Measured:
    """Ask each app each question whose name has this in it, and for an empty page, in turn."""
    asked = {count: _addresses(app, count) for count, app in apps.items()}
    questions = [question for question in ADDRESSES if about in question or question == "empty page"]
    found = Measured(database, {question: {count: [] for count in apps} for question in questions})
    for turn in range(warm_up + rounds):
        for question in questions:
            for count in apps if turn % 2 else reversed(apps):
                took = _milliseconds(apps[count], asked[count][question])
                if turn >= warm_up:
                    found.times[question][count].append(took)
    return found


def _addresses(app: Served, count: int) -> dict[str, str]:
    """Return the addresses at a count; the way to a deep page is the one that a person goes."""
    addresses = {question: address.format(middle=count // 2) for question, address in ADDRESSES.items()}
    after = ""
    for _ in range(DEEP):
        link = app.http.get(f"{app.url}/api/users/?limit=50{after}", timeout=60).links.get("next")
        after = f"&after={link['url'].partition('after=')[2]}" if link else after
    addresses[f"page {DEEP + 1}"] = f"/employees/?{after}"
    following = addresses[ENROLMENTS]
    for _ in range(DEEP):
        following = app.http.get(f"{app.url}{following}", timeout=60).links.get("next", {}).get("url", following)
    addresses[f"{ENROLMENTS}, deep"] = following
    return addresses


def _milliseconds(app: Served, address: str) -> float:
    began = time.perf_counter()
    answer = app.http.get(f"{app.url}{address}", timeout=600)
    took = (time.perf_counter() - began) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{address}: {answer.status_code}")
    return took


def table(found: Measured) -> str:
    """The measurements as text."""
    counts = sorted(next(iter(found.times.values())))
    heads = "".join(f"{count:>12,}" for count in counts)
    lines = [f"{f'{found.database}, ms':<28}{heads}{'ratio':>8}{'of empty':>10}"]
    for question in found.times:
        cells = "".join(f"{found.median(question, count):12.1f}" for count in counts)
        lines.append(f"{question:<28}{cells}{found.ratio(question):8.2f}{found.of_empty(question):10.2f}")
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return "\n".join([*lines, f"load average: {load}"])


def missed(found: Measured) -> list[str]:
    """The targets that were missed, each as a sentence."""
    asked = [question for question in found.times if question != COUNTS_EXACTLY]
    slower = [
        f"{found.database}, {question}: {found.ratio(question):.2f} times as long, not {most}"
        for question in asked
        if found.ratio(question) > (most := _max_ratio(question))
    ]
    return slower + [
        f"{found.database}, {question}: {found.of_empty(question):.2f} of the empty page, not {MIN_OF_EMPTY}"
        for question in asked
        if found.of_empty(question) < MIN_OF_EMPTY
    ]


def _max_ratio(question: str) -> float:
    return next((most for name, most in MAX_RATIOS.items() if question.startswith(name)), MAX_RATIO)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.pages", description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, nargs="+", default=list(PEOPLE), help="counts (default: %(default)s)")
    parser.add_argument("--database", choices=DATABASES, help="this one alone")
    parser.add_argument("--rounds", type=int, default=11, help="how often each is asked (default: %(default)s)")
    parser.add_argument("--warm-up", type=int, default=WARM_UP, help="rounds before (default: %(default)s)")
    parser.add_argument("--about", default="", metavar="TEXT", help="only questions with this in their name")
    options = parser.parse_args(arguments)
    counts = sorted(set(options.people))
    if len(counts) < 2 or counts[0] < 1 or options.rounds < 1:
        parser.error("two or more counts of people, and at least one round")
    wrong = []
    for database in [options.database] if options.database else DATABASES:
        found = measure(counts, database, options.rounds, options.warm_up, options.about)
        print(table(found), flush=True)
        wrong += missed(found)
    for sentence in wrong:
        print(f"missed: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
