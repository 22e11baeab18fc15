"""Measures how fast the log of a terminal is read, against bare paging of the same one, and an enrolment meanwhile.

`python -m tests.benchmarks.passages_intake`: a simulated terminal in a process of its own, on loopback. The log is read
with nothing around it (a requests.Session with Digest, page after page), and by the app, which stores each record with
its person. Then people are enrolled while its log is at rest, and while there is always more to be read. The exit
status is 1 when a target is missed, at the latency that was recorded of a terminal.
"""

import argparse
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import requests
from flask import Flask
from requests.auth import HTTPDigestAuth
from sqlalchemy import func, select, update

from hikflask import create_app
from hikflask.background.queue import POLL_SECONDS
from hikflask.extensions import db
from hikflask.models import Event, EventLog
from hikflask.services.captures.drafts import Draft
from hikflask.services.core import heartbeat
from hikflask.services.core.db import transaction
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.passages import intake
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SimulatorServer, Terminal
from hikflask.simulator.faces import NAMES, draw
from hikflask.simulator.profiles import profile_named
from tests.support.apps import close
from tests.support.migrated import migrate

PASSWORD, USER = "Abc12345", "admin"
SEARCH = "/ISAPI/AccessControl/AcsEvent?format=json"
PAGE, SECONDS = 30, 30
MIN_RATIO, MAX_SLOWER = 0.8, 1.1
PEOPLE = 50


@dataclass
class Measured:
    """What one run showed: records a second, bare and by the app; milliseconds of enrolments, at rest and meanwhile.

    `lost` counts the records that are not stored, or more than once.
    """

    bare: float
    app: float
    alone: list[float]
    meanwhile: list[float]
    read_meanwhile: int
    lost: int = 0

    @property
    def ratio(self) -> float:
        """The app's records a second to the bare session's."""
        return self.app / self.bare

    @property
    def slower(self) -> float:
        """The median of enrolments meanwhile to the one of those at rest."""
        return statistics.median(self.meanwhile) / statistics.median(self.alone)


class Device:
    """The simulated terminal in a process of its own; a context manager. It writes records when it is told to."""

    def __init__(self, latency: str) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.passages_intake", "--device", latency]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self._line()

    def record(self, count: int) -> None:
        """Write so many records."""
        assert self._process.stdin
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        self._line()

    def _line(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline().strip()
        if not line:
            raise RuntimeError("the simulated terminal did not start")
        return line

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def be_device(latency: str) -> int:
    """Be the simulated terminal, until standard input ends: each line is how many records it writes."""
    terminal = Terminal(PASSWORD, profile=profile_named("K1T341CMFW"), latency=latency)  # type: ignore[arg-type]
    with SimulatorServer(terminal) as server:
        print(server.url, flush=True)
        for line in sys.stdin:
            for number in range(int(line)):
                terminal.events.add(5, 75, f"P{number % PEOPLE}", f"Иванов Иван {number % PEOPLE}")
            print("done", flush=True)
    return 0


def read_bare(url: str) -> float:
    """Read the whole log page by page and return the records a second."""
    with requests.Session() as http:
        http.trust_env = False
        http.auth = HTTPDigestAuth(USER, PASSWORD)
        position, total, began = 0, 1, time.perf_counter()
        while position < total:
            condition = {"searchID": "a1b2c3d4e5f60718", "searchResultPosition": position, "maxResults": PAGE}
            body = {"AcsEventCond": {**condition, "major": 0, "minor": 0}}
            answer = http.post(url + SEARCH, json=body, timeout=SECONDS)
            answer.raise_for_status()
            found = answer.json()["AcsEvent"]
            position, total = position + found["numOfMatches"], found["totalMatches"]
        return position / (time.perf_counter() - began)


@contextmanager
def installed() -> Iterator[Flask]:
    """An installation on SQLite in a folder of its own."""
    with TemporaryDirectory() as folder:
        migrate(Path(folder))
        given = {"INSTANCE_PATH": folder, "TESTING": True, "WORKER": "external", "PASSAGES": "poll"}
        app = create_app({**given, "FACE_DETECTION": "off", "CONSENT_REQUIRED": False})
        with app.app_context():
            heartbeat.beat("benchmark")
            yield app
        close(app)


def read_to_end(terminal_id: int) -> None:
    """Read the log of a terminal until nothing is left."""
    while True:
        has_more = intake.read_log(terminal_id, "benchmark")
        row = db.session.execute(select(EventLog.older_than, EventLog.error_code)).one()
        if row.error_code:
            raise RuntimeError(f"the log was not read: {row.error_code}")
        if not has_more and row.older_than is None:
            return


def read_by_app(terminal_id: int, device: Device, count: int) -> float:
    """Let the terminal write so many records, read them, and return the records a second."""
    read_to_end(terminal_id)
    device.record(count)
    began = time.perf_counter()
    read_to_end(terminal_id)
    return count / (time.perf_counter() - began)


class Reader:
    """Reads the log again and again from its newest record on and backwards, in a thread, while `is_on`."""

    def __init__(self, app: Flask, terminal_id: int) -> None:
        self._app, self._terminal_id = app, terminal_id
        self.is_on = threading.Event()
        self._ended = threading.Event()
        self.conversations = 0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
        self.is_on.set()
        self._thread.join()

    def _run(self) -> None:
        while self.is_on.wait() and not self._ended.is_set():
            with self._app.app_context():
                intake.read_log(self._terminal_id, "background")
                self.conversations += 1
                with transaction():
                    db.session.execute(update(EventLog).where(EventLog.older_than.is_(None)).values(anchor_serial=None))
            time.sleep(POLL_SECONDS)  # As the queue does.


def enrol(number: int, terminal_id: int, picture: bytes) -> float:
    """Save an employee with a picture, bring both to the terminal, and return the milliseconds of that."""
    draft = Draft(f"E{number}", f"Петров Пётр {number}")
    employee = save_employee(draft, FaceSource(upload=BytesIO(picture), terminal_id=terminal_id)).row
    (enrolment,) = queries.of_person(employee.number, employee.id)
    began = time.perf_counter()
    row = reconcile(enrolment.id, "benchmark")
    if not row.is_confirmed:
        raise RuntimeError(f"not confirmed: {row.refusal_code}")
    return (time.perf_counter() - began) * 1000


def measure(count: int, enrolments: int, latency: str) -> Measured:
    """Read so many records either way, and enrol so many people at rest and meanwhile."""
    with Device(latency) as device, installed() as app:
        terminal_id = _added(device)
        device.record(count)
        bare = read_bare(device.url)
        app_rate = read_by_app(terminal_id, device, count)
        stored = db.session.execute(select(func.count(Event.id), func.count(Event.serial_no.distinct()))).one()
        lost = 2 * count + 1 - stored[1] + stored[0] - stored[1]
        reader = Reader(app, terminal_id)
        picture, alone, meanwhile = draw(NAMES[0]), [], []
        try:
            enrol(0, terminal_id, picture)
            for number in range(1, enrolments + 1):
                alone.append(enrol(2 * number, terminal_id, picture))
                reader.is_on.set()
                meanwhile.append(enrol(2 * number + 1, terminal_id, picture))
                reader.is_on.clear()
        finally:
            reader.stop()
    return Measured(bare, app_rate, alone, meanwhile, reader.conversations, lost)


def _added(device: Device) -> int:
    device.record(1)
    terminal = registry.add(Access("Вход", device.url, USER, PASSWORD, face_by_picture=True))
    checks.check(terminal.id, "benchmark")
    intake.claim_due()
    return terminal.id


def missed(found: Measured) -> list[str]:
    """The targets that were missed, each as a sentence."""
    targets = {
        f"the log was read at {found.ratio:.2f} of bare paging, not {MIN_RATIO}": found.ratio >= MIN_RATIO,
        f"an enrolment took {found.slower:.2f} times as long meanwhile, not {MAX_SLOWER}": found.slower <= MAX_SLOWER,
        f"{found.lost} records were lost or doubled": not found.lost,
    }
    return [sentence for sentence, is_reached in targets.items() if not is_reached]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.passages_intake", description=__doc__)
    parser.add_argument("--count", type=int, default=1500, help="records that are read (default: %(default)s)")
    parser.add_argument("--enrolments", type=int, default=5, help="of either kind (default: %(default)s)")
    parser.add_argument("--latency", choices=("none", "recorded"), default="recorded", help="of the terminal")
    parser.add_argument("--device", metavar="LATENCY", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.device:
        return be_device(options.device)
    found = measure(options.count, options.enrolments, options.latency)
    print(f"bare {found.bare:.0f} records/s, app {found.app:.0f} records/s, ratio {found.ratio:.2f}")
    print(
        f"enrolment {statistics.median(found.alone):.0f} ms alone, {statistics.median(found.meanwhile):.0f} ms "
        f"meanwhile, ratio {found.slower:.2f}, {found.read_meanwhile} conversations with its log"
    )
    wrong = missed(found)
    for sentence in wrong:
        print(f"missed: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
