"""Measures how many people a second come to 1, 4, 8 and 32 terminals at once, against the same ISAPI calls alone.

`python -m tests.benchmarks.fleet`: the simulated terminals are processes of their own, and take pictures. First a bare
requests.Session for each enrols its people, all at the same time; then the worker (`flask --app wsgi worker`) enrols as
many others there. Terminals and worker share this machine's processors, so at zero latency the terminals are a large
part of what is measured; at the recorded latency both wait most of the time. The exit status is 1 when a target is
missed.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import func, select

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import Enrolment
from hikflask.models.enrolment import CONFIRMED
from hikflask.services.core.db import end_read
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from tests.benchmarks import memory
from tests.benchmarks.bare import Bare
from tests.benchmarks.simulated import ROOT, USER, Simulated
from tests.support.apps import close
from tests.support.crowds import desire_crowd, face_of
from tests.support.migrated import migrate

PROFILE = "K1T342MX-E1"
FLEETS = (1, 4, 8, 32)
# People for each terminal.
PEOPLE = {"none": 60, "recorded": 12}
MIN_SHARE = 0.8
MAX_GROWTH = 20.0
POLL_SECONDS = 0.05
MAX_SECONDS = 600


@dataclass(frozen=True)
class Fleet:
    """What one fleet showed: people a second, and the worker's megabytes when each terminal had one and in the end."""

    latency: str
    terminals: int
    bare: float
    app: float
    before: float
    after: float

    @property
    def share(self) -> float:
        """The app's rate to the bare one."""
        return self.app / self.bare


def measure(latency: str, terminals: int, people: int) -> Fleet:
    """Enrol so many people on each of so many terminals, in either way."""
    with ExitStack() as stack:
        simulated = [stack.enter_context(Simulated(latency, PROFILE)) for _ in range(terminals)]
        folder = Path(stack.enter_context(TemporaryDirectory()))
        bare = _bare_rate(simulated, people)
        migrate(folder)
        app = create_app({"INSTANCE_PATH": str(folder), "WORKER": "external"})
        with app.app_context():
            _prepare(simulated, people)
            rate, before, after = _app_rate(folder, terminals, terminals * people)
        close(app)
        return Fleet(latency, terminals, bare, rate, before, after)


def _bare_rate(simulated: Sequence[Simulated], people: int) -> float:
    def enrol(terminal: Simulated) -> None:
        with closing(Bare(terminal)) as bare:
            for number in range(people):
                bare.enrol_picture(f"B{number:05d}", f"Иванов Иван {number}", face_of(number))

    began = time.perf_counter()
    with ThreadPoolExecutor(len(simulated)) as threads:
        list(threads.map(enrol, simulated))
    return len(simulated) * people / (time.perf_counter() - began)


def _prepare(simulated: Sequence[Simulated], people: int) -> None:
    """Add the terminals, and the wishes for as many people on each."""
    ids = []
    for number, one in enumerate(simulated):
        access = Access(f"T{number}", one.url, USER, one.password, one.fingerprint, face_by_picture=True)
        ids.append(checks.check(registry.add(access).id, "benchmark").id)
    desire_crowd(len(ids) * people, lambda place: [ids[place % len(ids)]])


def _app_rate(folder: Path, terminals: int, total: int) -> tuple[float, float, float]:
    """Let the worker enrol everybody; measured from the moment when as many are done as there are terminals."""
    environment = {**os.environ, "HIKFLASK_INSTANCE_PATH": str(folder), "HIKFLASK_SWEEP_INTERVAL": "1"}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    worker = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        first = _wait_until(terminals)
        began, before = time.perf_counter(), memory.megabytes(worker.pid)
        _wait_until(total)
        seconds = time.perf_counter() - began
        return (total - first) / seconds, before, memory.megabytes(worker.pid)
    finally:
        worker.terminate()
        worker.wait(30)


def _wait_until(count: int) -> int:
    """Return how many are confirmed as soon as it is so many."""
    give_up = time.monotonic() + MAX_SECONDS
    while time.monotonic() < give_up:
        done = db.session.scalar(select(func.count()).where(Enrolment.face == CONFIRMED)) or 0
        end_read()
        if done >= count:
            return done
        time.sleep(POLL_SECONDS)
    raise RuntimeError(f"only {done} of {count} are confirmed")


def row(one: Fleet) -> str:
    """One measurement as a line."""
    rates = f"{one.bare:10.1f}{one.app:10.1f}{one.share:10.2f}"
    return f"{one.latency:>10}{one.terminals:10}{rates}{one.before:10.1f}{one.after:10.1f}"


def missed(found: Sequence[Fleet]) -> list[str]:
    """The targets that were missed, each as a sentence. At zero latency there is none for the rate."""
    wrong = []
    for one in found:
        about = f"latency {one.latency}, {one.terminals} terminals"
        if one.latency == "recorded" and one.share < MIN_SHARE:
            wrong.append(f"{about}: {one.share:.2f} of the bare rate, not {MIN_SHARE}")
        if one.after - one.before > MAX_GROWTH:
            wrong.append(f"{about}: the worker grew by {one.after - one.before:.1f} MB, not {MAX_GROWTH:.0f}")
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.fleet", description=__doc__.partition("\n")[0])
    parser.add_argument("--latency", choices=tuple(PEOPLE), help="this one alone")
    parser.add_argument("--terminals", type=int, nargs="+", default=FLEETS, help="how many (default: 1 4 8 32)")
    parser.add_argument("--people", type=int, help="for each terminal (default: 60, with recorded latency 12)")
    options = parser.parse_args(arguments)
    print(f"{os.cpu_count()} processors, which the simulated terminals use, too; people a second:")
    columns = ("latency", "terminals", "bare", "app", "share", "MB before", "MB after")
    print("".join(f"{column:>10}" for column in columns), flush=True)
    found = []
    for latency in [options.latency] if options.latency else PEOPLE:
        for terminals in options.terminals:
            found.append(measure(latency, terminals, options.people or PEOPLE[latency]))
            print(row(found[-1]), flush=True)
    wrong = missed(found)
    for sentence in wrong:
        print(f"missed: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
