"""Measures one enrolment through the app against the same five ISAPI calls with nothing around them.

`python -m tests.benchmarks.enrol`: gunicorn with the project's own settings and a bare requests.Session talk in turn to
one simulated terminal over https, at zero latency and with `--latency recorded`. Captures and new employees are made
outside the measured time. The exit status is 1 when a target is missed.
"""

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hikflask.simulator.faces import NAMES
from tests.benchmarks import memory
from tests.benchmarks.bare import Bare
from tests.benchmarks.simulated import USER, Simulated
from tests.processes.processes import Served

REQUESTS = 5
RATIO_AT_ZERO = 2.5
RATIO_AT_RECORDED = 1.1
MAX_MEGABYTES = 110.0
# A worker settles while its threads, statements and pages are first used; what comes after that would go on for ever.
SETTLED_AFTER = 100
MAX_GROWTH = 2.0
RECORDED_COUNT = 5
MAX_COUNT = 740
# The terminal refuses the login that captured last for a moment (0.3 s).
BETWEEN_CAPTURES = 0.32
SECONDS = 60


@dataclass
class Measured:
    """What one run at one latency showed; times in milliseconds, memory in megabytes.

    `unasked` counts the requests about people and faces that belong to neither enrolment, such as a second try behind
    the first one's back.
    """

    latency: str
    app: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    on_the_wire: Counter[int] = field(default_factory=Counter)
    unasked: int = 0
    memory: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The app's median to the bare session's."""
        return statistics.median(self.app) / statistics.median(self.bare)

    @property
    def growth(self) -> float:
        """Megabytes that came after the worker had settled."""
        settled = self.memory[min(SETTLED_AFTER, len(self.memory) - 1)]
        return self.memory[-1] - settled


class Gunicorn(Served):
    """The app as it is served, and the memory that it takes."""

    def megabytes(self) -> float:
        """Return the resident memory of gunicorn's one worker process."""
        (worker,) = memory.children(self._processes[0].pid)
        return memory.megabytes(worker)


class Bench:
    """The app, the bare session and the terminal between them."""

    def __init__(self, served: Gunicorn, terminal: Simulated, latency: str) -> None:
        self._served = served
        # The caller's own library is no part of an enrolment, so it is the quickest that there is.
        self._http = HTTPConnection("127.0.0.1", served.port, timeout=SECONDS)
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {served.token}"}
        self._terminal = terminal
        self._bare = Bare(terminal)
        self._captured = 0.0
        self._measured = Measured(latency)
        self._device = self._added()

    def run(self, count: int) -> Measured:
        """Enrol so many people in either way, in turn; the first of each connects and logs in, and does not count."""
        with closing(self._bare), closing(self._http):
            self._pair(0)
            found = self._measured = Measured(self._measured.latency)
            found.memory.append(self._served.megabytes())
            for number in range(1, count + 1):
                self._pair(number)
                found.memory.append(self._served.megabytes())
        return found

    def _pair(self, number: int) -> None:
        user, face_url = self._employee(f"A{number:05d}"), self._capture(NAMES[number % len(NAMES)])
        self._measured.unasked += sum(is_about_people(path) for path in self._terminal.requests_since())
        began = time.perf_counter()
        answer = self._post(f"users/{user}/sync-to-device")
        self._measured.app.append((time.perf_counter() - began) * 1000)
        self._measured.on_the_wire[len(self._terminal.requests_since())] += 1
        if not answer["verified"]:
            raise RuntimeError(f"not verified: {answer}")
        began = time.perf_counter()
        self._bare.enrol(f"B{number:05d}", name_of(number), face_url)
        self._measured.bare.append((time.perf_counter() - began) * 1000)
        self._measured.unasked += len(self._terminal.requests_since()) - REQUESTS

    def _added(self) -> int:
        access = {
            "name": f"{self._measured.latency} latency",
            "url": self._terminal.url,
            "username": USER,
            "password": self._terminal.password,
            "fingerprint": self._terminal.fingerprint,
        }
        return int(self._post("devices/", access)["id"])

    def _employee(self, number: str) -> int:
        wanted = {"hikvision_id": f"{number}L{self._device}", "full_name": name_of(int(number[1:])), "department": ""}
        return int(self._post("users/", wanted)["id"])

    def _capture(self, face: str) -> str:
        time.sleep(max(0.0, self._captured + BETWEEN_CAPTURES - time.monotonic()))
        self._terminal.show_face(face)
        answer = self._post(f"devices/{self._device}/start-face-capture")
        self._captured = time.monotonic()
        return str(answer["face_data_url"])

    def _post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        self._http.request("POST", f"/api/{path}", json.dumps(body or {}), self._headers)
        answer = self._http.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{path}: {answer.status} {text.decode()}")
        found: dict[str, Any] = json.loads(text)
        return found


def is_about_people(path: str) -> bool:
    """True for a request that no capture makes."""
    return "/UserInfo/" in path or "/FDLib/" in path


def name_of(number: int) -> str:
    """A name of usual length."""
    return f"Иванов Иван {number}"


def measure(count: int, latencies: Sequence[str]) -> tuple[float, list[Measured]]:
    """Return the worker's megabytes at rest, and what each latency showed."""
    with TemporaryDirectory() as folder:
        served = Gunicorn(Path(folder))
        served.start()
        try:
            at_rest = served.megabytes()
            return at_rest, [_measure(served, latency, count) for latency in latencies]
        finally:
            served.kill()


def _measure(served: Gunicorn, latency: str, count: int) -> Measured:
    with Simulated(latency) as terminal:
        return Bench(served, terminal, latency).run(count if latency == "none" else min(count, RECORDED_COUNT))


def table(at_rest: float, found: Sequence[Measured]) -> str:
    """The measurements as text."""
    columns = ("latency", "count", "app ms", "app p95", "bare ms", "ratio", "requests", "unasked")
    lines = ["".join(f"{column:>10}" for column in columns), *map(_row, found)]
    lines += [f"worker: {at_rest:.1f} MB at rest"]
    for one in found:
        every = " ".join(f"{megabytes:.1f}" for megabytes in one.memory[::SETTLED_AFTER])
        lines += [
            f"worker: {one.memory[-1]:.1f} MB after {len(one.app)} enrolments at latency {one.latency}, "
            f"{one.growth:+.1f} MB since it settled; every {SETTLED_AFTER}: {every}"
        ]
    return "\n".join(lines)


def _row(one: Measured) -> str:
    slow = sorted(one.app)[int(len(one.app) * 0.95)]
    times = f"{statistics.median(one.app):10.1f}{slow:10.1f}{statistics.median(one.bare):10.1f}{one.ratio:10.2f}"
    wire = "/".join(map(str, sorted(one.on_the_wire)))
    return f"{one.latency:>10}{len(one.app):10}{times}{wire:>10}{one.unasked:10}"


def missed(at_rest: float, found: Sequence[Measured]) -> list[str]:
    """The targets that were missed, each as a sentence."""
    wrong = [f"{at_rest:.1f} MB at rest, not {MAX_MEGABYTES:.0f}"] if at_rest > MAX_MEGABYTES else []
    for one in found:
        wrong += [f"latency {one.latency}: {sentence}" for sentence in _missed(one)]
    return wrong


def _missed(one: Measured) -> list[str]:
    most = RATIO_AT_ZERO if one.latency == "none" else RATIO_AT_RECORDED
    targets = {
        f"ratio {one.ratio:.2f}, not {most}": one.ratio <= most,
        f"{sorted(one.on_the_wire)} requests on the wire, not {REQUESTS}": set(one.on_the_wire) == {REQUESTS},
        f"{one.unasked} requests that belong to no enrolment": not one.unasked,
        f"the worker grew by {one.growth:.1f} MB, not {MAX_GROWTH:.0f}": one.growth <= MAX_GROWTH,
    }
    return [sentence for sentence, reached in targets.items() if not reached]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.enrol", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=500, help="enrolments at zero latency (default: %(default)s)")
    parser.add_argument("--latency", choices=("none", "recorded"), help="this one alone")
    parser.add_argument("--skip-recorded", action="store_true", help="zero latency alone")
    options = parser.parse_args(arguments)
    if not 1 <= options.count <= MAX_COUNT:
        parser.error(f"a count of 1 to {MAX_COUNT}: the simulated terminal holds 1500 people")
    latencies = [options.latency] if options.latency else ["none", "recorded"]
    if options.skip_recorded:
        latencies = ["none"]
    at_rest, found = measure(options.count, latencies)
    print(table(at_rest, found))
    wrong = missed(at_rest, found)
    for sentence in wrong:
        print(f"missed: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
