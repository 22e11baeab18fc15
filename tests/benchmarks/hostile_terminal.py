"""Measures what a terminal costs that lists without end, or a hundred thousand people whom nobody here knows.

`python -m tests.benchmarks.hostile_terminal`: in one process, on SQLite. `endless`: the terminal tells of two billion
people and puts 18,000 of them on each page, for so many seconds at most. `forget`: the list has changed, and what
was read of it is deleted. `conclude`: as many strangers are there as people should be. `plan`: all strangers are taken
over, and twice as many people are sent. Each is measured by its time, by the memory that it adds, and by how long
somebody else waited who wanted to write at the same time. The exit status is 1 when a target is missed.
"""

import argparse
import json
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
from flask import Flask
from sqlalchemy import text
from urllib3 import HTTPResponse

from hikflask import create_app
from hikflask.extensions import db
from hikflask.isapi import persons
from hikflask.models import Comparison
from hikflask.models.comparison import ONLY_HERE, ONLY_THERE, VERDICTS
from hikflask.services.comparisons import differences, plan, plan_choices, queries, reading
from hikflask.services.comparisons.pages import ComparisonFailed
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import TerminalInUse
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import Terminal as Simulated
from tests.benchmarks import made_people, memory
from tests.support.apps import close
from tests.support.migrated import migrate
from tests.support.wire import InProcess

COUNT, SECONDS = 100_000, 20.0
PAGE = 18_000
TOTAL = 2_000_000_000
# The targets: seconds, megabytes, seconds of waiting.
LIMITS = {
    "endless": (SECONDS + 5, 100.0, 1.0),
    "forget": (30.0, 100.0, 1.0),
    "conclude": (30.0, 400.0, 5.0),
    "plan": (10.0, 800.0, 1.0),
}
# A terminal has fewer people than employees: some left, and some have no face.
HERE_OF_ALL = 0.84
SAMPLE_SECONDS = 0.02
HOST, PASSWORD = "terminal.test", "Geheim123"
STRANGERS = """
    INSERT INTO person_there (comparison_id, number, name, valid_there)
    WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < :people)
    SELECT :comparison, 'X' || n, 'Гость ' || n, '2000-01-01T00:00:00/2037-12-31T23:59:59' FROM n
"""


@dataclass
class Step:
    """One piece of work: its seconds, those of the processor, the megabytes that it added, and the outcome.

    `waited` is how long somebody waited who wanted to write meanwhile.
    """

    name: str
    seconds: float = 0.0
    processor: float = 0.0
    memory: float = 0.0
    waited: float = 0.0
    outcome: str = ""


class Endless(InProcess):
    """A terminal that lists people without end, many more on a page than were asked for."""

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        """Answer a search by itself, and let the simulated terminal answer all else."""
        response = super().send(request, *arguments, **options)
        if "UserInfo/Search" in str(request.url) and response.status_code == 200:
            start = json.loads(request.body or b"{}")["UserInfoSearchCond"]["searchResultPosition"]
            people = [{"employeeNo": f"X{start + place}", "name": "Г"} for place in range(PAGE)]
            said = {"responseStatusStrg": "MORE", "numOfMatches": PAGE, "totalMatches": TOTAL, "UserInfo": people}
            body = json.dumps({"UserInfoSearch": said}, ensure_ascii=False, separators=(",", ":")).encode()
            response.raw = HTTPResponse(body=BytesIO(body), status=200, preload_content=False)
        return response


@contextmanager
def installed() -> Iterator[tuple[Flask, Path]]:
    """An installation on SQLite in a folder of its own, and the file of its database."""
    with TemporaryDirectory() as folder:
        migrate(Path(folder))
        app = create_app({"INSTANCE_PATH": folder, "TESTING": True, "WORKER": "external", "SQLALCHEMY_ECHO": False})
        app.extensions["terminal_transport"] = wire = Endless()
        wire.put(HOST, Simulated(PASSWORD))
        with app.test_request_context():
            yield app, Path(str(db.engine.url.database))
        close(app)


@contextmanager
def watched(step: Step, database: Path) -> Iterator[None]:
    """Within the block measure time and memory, and write to the database again and again."""
    done = threading.Event()
    began_with = memory.megabytes(os.getpid())
    watcher = threading.Thread(target=_watch, args=(step, database, done))
    watcher.start()
    began, processor = time.perf_counter(), time.thread_time()
    try:
        yield
    finally:
        step.seconds, step.processor = time.perf_counter() - began, time.thread_time() - processor
        done.set()
        watcher.join()
        step.memory -= began_with


def _watch(step: Step, database: Path, done: threading.Event) -> None:
    connection = sqlite3.connect(database, timeout=600, isolation_level=None)
    while not done.wait(SAMPLE_SECONDS):
        began = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
        step.waited = max(step.waited, time.perf_counter() - began)
        step.memory = max(step.memory, memory.megabytes(os.getpid()))
    step.memory = max(step.memory, memory.megabytes(os.getpid()))
    connection.close()


def endless(seconds: float) -> Step:
    """Read a list without end for so many seconds, or until the comparison ends."""
    step = Step("endless")
    with installed() as (_, database):
        terminal = registry.add(Access("Вход", f"http://{HOST}", "admin", PASSWORD))
        checks.check(terminal.id, "benchmark")
        comparison_id = reading.start(terminal.id, "benchmark").id
        with watched(step, database):
            step.outcome = _read(comparison_id, time.monotonic() + seconds)
        kept = db.session.execute(text("SELECT count(*) FROM person_there")).scalar_one()
        size = sum(file.stat().st_size for file in database.parent.glob(f"{database.name}*")) / 1024**2
        step.outcome += f", {kept} kept, {size:.0f} MB of database"
    return step


def _read(comparison_id: int, until: float) -> str:
    while time.monotonic() < until:
        try:
            reading.read_slice(comparison_id, "benchmark")
        except TerminalInUse:
            time.sleep(SAMPLE_SECONDS)
        except ComparisonFailed as error:
            return error.code
    return f"{queries.get_comparison(comparison_id).read} read so far"


def forget(count: int) -> Step:
    """Read a list again that had so many people when it changed."""
    step = Step("forget")
    with installed() as (_, database):
        terminal = registry.add(Access("Вход", f"http://{HOST}", "admin", PASSWORD))
        checks.check(terminal.id, "benchmark")
        with transaction():
            comparison = _strangers(terminal.id, count)
            comparison.read, comparison.people, comparison.last_number = count, count + 1, f"X{count}"
        comparison_id = comparison.id
        with watched(step, database):
            while queries.get_comparison(comparison_id).restarts == 0 or _left(comparison_id):
                reading.read_slice(comparison_id, "benchmark", 0.0)
        step.outcome = f"{_left(comparison_id)} kept"
    return step


def _left(comparison_id: int) -> int:
    mine = text("SELECT count(*) FROM person_there WHERE comparison_id = :id AND name <> 'Г'")
    left: int = db.session.execute(mine, {"id": comparison_id}).scalar_one()
    return left


def _strangers(terminal_id: int, count: int) -> Comparison:
    comparison = Comparison(terminal_id=terminal_id, requested_by="benchmark", search_id=persons.new_search())
    db.session.add(comparison)
    db.session.flush()
    db.session.execute(text(STRANGERS), {"people": count, "comparison": comparison.id})
    return comparison


def _compared(here: int, there: int) -> int:
    made_people.fill(int(here / HERE_OF_ALL), 1)
    with transaction():
        comparison = _strangers(1, there)
        comparison.read, comparison.people, comparison.step = there, there, VERDICTS
    db.session.expunge_all()
    return comparison.id


def conclude(count: int) -> Step:
    """Conclude that so many strangers are there, and none of as many people here."""
    step = Step("conclude")
    with installed() as (_, database):
        comparison_id = _compared(count, count)
        with watched(step, database):
            differences.conclude(comparison_id)
        step.outcome = f"{sum(queries.counts(queries.get_comparison(comparison_id)).values())} differences"
    return step


def make_plan(count: int) -> Step:
    """Make the plan that takes over so many strangers and sends twice as many people, as its page does."""
    step = Step("plan")
    with installed() as (_, database):
        comparison_id = _compared(2 * count, count)
        differences.conclude(comparison_id)
        db.session.expunge_all()
        comparison = queries.get_comparison(comparison_id)
        plan_choices.choose(comparison, ONLY_THERE, plan.TAKE_OVER)
        plan_choices.choose(comparison, ONLY_HERE, plan.SEND)
        with watched(step, database):
            made = plan.make(comparison, plan_choices.of(comparison))
            assert made.digest
            possible = sum(made.counts.values())
        step.outcome = f"{possible} of {len(made.steps)} steps are possible"
    return step


def report(steps: Sequence[Step], count: int) -> str:
    """The measurements as text."""
    lines = [f"{f'{count} people':<18}{'s':>8}{'CPU, s':>8}{'MB':>8}{'waited, s':>12}"]
    for step in steps:
        times = f"{step.seconds:8.1f}{step.processor:8.1f}{step.memory:8.0f}{step.waited:12.2f}"
        lines.append(f"{step.name:<18}{times}  {step.outcome}")
    return "\n".join(lines)


def missed(steps: Sequence[Step]) -> list[str]:
    """The targets that were missed, each as a sentence."""
    found = []
    for step in steps:
        seconds, megabytes, waited = LIMITS[step.name]
        targets = {
            f"{step.name}: {step.seconds:.1f} s, not {seconds:.0f}": step.seconds <= seconds,
            f"{step.name}: {step.memory:.0f} MB, not {megabytes:.0f}": step.memory <= megabytes,
            f"{step.name}: somebody waited for {step.waited:.1f} s, not {waited:.0f}": step.waited <= waited,
        }
        found += [sentence for sentence, reached in targets.items() if not reached]
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    name = "python -m tests.benchmarks.hostile_terminal"
    parser = argparse.ArgumentParser(prog=name, description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=COUNT, help="of people (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of the endless list (default: %(default)s)")
    parser.add_argument("--only", choices=tuple(LIMITS), help="this step alone")
    options = parser.parse_args(arguments)
    if options.count < 1:
        parser.error("a count of 1 or more")
    steps: dict[str, Callable[[], Step]] = {
        "endless": lambda: endless(options.seconds),
        "forget": lambda: forget(options.count),
        "conclude": lambda: conclude(options.count),
        "plan": lambda: make_plan(options.count),
    }
    measured = [step() for name, step in steps.items() if options.only in {None, name}]
    print(report(measured, options.count))
    wrong = missed(measured)
    for sentence in wrong:
        print(f"missed: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
