"""Measures pages while an office works: operators who capture and save, programs that call, terminals that are silent.

`python -m tests.benchmarks.load [--seconds N]`: gunicorn as it is installed, with a worker of its own, on loopback.
Each operator captures at a terminal of their own, asks once a second how far it is, as the page does, and saves;
programs call at a steady rate; the worker goes on asking terminals that never answer. In 1500 seconds the operators
enrol as many people as in an hour in which each of them enrols one a minute. The exit status is 1 when a target is
missed: the 95th percentile of pages, anything lost, or memory that grows.
"""

import argparse
import html
import itertools
import re
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import requests
from requests.adapters import HTTPAdapter

from hikflask import create_app
from hikflask.models.accounts import OPERATOR
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SimulatorServer, Terminal
from hikflask.simulator.faces import NAMES, draw
from tests.benchmarks import memory
from tests.conftest import PASSWORD
from tests.processes import pages
from tests.processes.processes import Served, until
from tests.processes.silent import add_unchecked, silent_addresses
from tests.support.apps import close
from tests.support.signed_in import client_of

MAX_SECONDS = 0.3
# Megabytes that serving process and worker may be larger in the end than after the first quarter.
MAX_GROWTH = 30.0
PROGRAMS = 5
POLL_SECONDS = 1.0
# How long a terminal waits until somebody has walked up to it; to type takes a quarter of that.
WALK_SECONDS = 20.0
FACE = draw(NAMES[2])
SAID = re.compile(r'data-says="([^"]+)"')


@dataclass
class Seen:
    """What came of it: seconds of pages and of calls, statuses, numbers that were saved, and sizes in megabytes."""

    pages: list[float] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    saved: list[str] = field(default_factory=list)
    confirmed: int = 0
    sizes: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Timed(requests.Session):
    """A browser or a program whose requests are timed."""

    def __init__(self, seconds: list[float], statuses: Counter[int]) -> None:
        super().__init__()
        self.trust_env = False
        # As browsers do where the server has closed a connection that was idle.
        self.mount("http://", HTTPAdapter(max_retries=1))
        self._seconds, self._statuses = seconds, statuses

    def request(self, *arguments: object, **named: object) -> requests.Response:
        """Send a request and note how long its answer took."""
        began = time.perf_counter()
        answer = super().request(*arguments, **named)  # type: ignore[arg-type]
        self._seconds.append(time.perf_counter() - began)
        self._statuses[answer.status_code] += 1
        return answer


class Desk:
    """An operator with a terminal; has what tests/processes/pages.py needs."""

    def __init__(self, url: str, cookie: str, terminal_id: int, terminal: Terminal, seen: Seen, walk: float) -> None:
        self.walk = walk
        self.url = url
        self.http: requests.Session = Timed(seen.pages, seen.statuses)
        self.http.cookies.set("hikflask", cookie, domain="127.0.0.1")
        self.terminal_id, self._terminal, self._seen = terminal_id, terminal, seen

    def work(self, number: str) -> None:
        """Capture and save one employee."""
        time.sleep(self.walk / 4)
        form = {"hikvision_id": number, "full_name": f"Иван Иванов {number}", "department": "Охрана"}
        form["terminal_id"] = str(self.terminal_id)
        address = pages.send(self, "/captures", form)
        came = time.monotonic() + self.walk
        capture = address.rpartition("=")[2]
        while 'data-state="captured"' not in (panel := self._panel(capture)):
            if 'data-state="failed"' in panel:
                self._seen.wrong.append(f"{number}: {said(panel)}")
                return
            if came and time.monotonic() >= came:
                self._terminal.present_alone(FACE)
                came = 0.0
            time.sleep(POLL_SECONDS)
        pages.send(self, "/employees/", {**form, "capture_id": capture})
        self._seen.saved.append(number)

    def _panel(self, capture: str) -> str:
        headers = {"HX-Request": "true"}
        return self.http.get(f"{self.url}/captures/{capture}", headers=headers, timeout=60).text


def said(panel: str) -> str:
    """Return why a capture failed, as its panel says it to the operator."""
    found = SAID.search(panel)
    return html.unescape(found[1]) if found else "the capture failed, and its panel does not say why"


def office(folder: Path, operators: int, seconds: float, rate: float, silent: int, walk: float) -> Seen:
    """Let everybody work for so long and return what was seen."""
    seen = Seen()
    served = Served(folder, WORKER="external", PROCESSES="2", SWEEP_INTERVAL="1", API_LIMIT="100000")
    with ExitStack() as stack:
        addresses = stack.enter_context(silent_addresses(silent))
        servers = [stack.enter_context(SimulatorServer(Terminal(PASSWORD))) for _ in range(operators)]
        served.start()
        stack.callback(served.kill)
        add_unchecked(folder, addresses)
        desks = _desks(folder, served.url, servers, seen, walk)
        worker = served.start_worker()
        until(served.has_worker)
        _all_at_once(served, worker.pid, desks, seconds, rate, seen)
        seen.confirmed = _confirmed(served, seen)
    return seen


def _all_at_once(served: Served, worker: int, desks: list[Desk], seconds: float, rate: float, seen: Seen) -> None:
    ends = time.monotonic() + seconds
    sizes = [*memory.children(served.web.pid), worker]
    threads = [threading.Thread(target=_operate, args=(desk, place, ends, seen)) for place, desk in enumerate(desks)]
    threads += [threading.Thread(target=_call, args=(served, rate / PROGRAMS, ends, seen)) for _ in range(PROGRAMS)]
    threads.append(threading.Thread(target=_weigh, args=(sizes, ends, seen)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _operate(desk: Desk, place: int, ends: float, seen: Seen) -> None:
    # Nobody keeps step with the others.
    time.sleep(place * POLL_SECONDS % desk.walk)
    for count in itertools.count():
        if time.monotonic() >= ends:
            return
        number = f"L{place}N{count}"
        try:
            desk.work(number)
        except (AssertionError, requests.RequestException) as error:
            seen.wrong.append(f"{number}: {type(error).__name__} {str(error)[:200]}")


def _call(served: Served, rate: float, ends: float, seen: Seen) -> None:
    """Call at a steady rate, in calls a second."""
    http = Timed(seen.calls, seen.statuses)
    http.auth = served.http.auth
    due = time.monotonic()
    while due < ends:
        time.sleep(max(0.0, due - time.monotonic()))
        http.get(f"{served.url}/api/users/?limit=20", timeout=60)
        due += 1 / rate


def _weigh(processes: list[int], ends: float, seen: Seen) -> None:
    while time.monotonic() < ends:
        seen.sizes.append(sum(map(memory.megabytes, processes)))
        time.sleep(1)


def _desks(folder: Path, url: str, servers: Sequence[SimulatorServer], seen: Seen, walk: float) -> list[Desk]:
    app = create_app({"INSTANCE_PATH": str(folder), "TESTING": True})
    try:
        desks = []
        for place, server in enumerate(servers):
            cookie = client_of(app, OPERATOR, f"Оператор {place}").get_cookie("hikflask")
            assert cookie
            with app.app_context():
                added = registry.add(Access(f"Вход {place}", server.url, "admin", PASSWORD)).id
                checks.check(added, "test")
            desks.append(Desk(url, cookie.value, added, server.terminal, seen, walk))
        return desks
    finally:
        close(app)


def _confirmed(served: Served, seen: Seen) -> int:
    """Wait until every saved person is confirmed, and return how many are."""
    counted = 0
    give_up = time.monotonic() + 60
    while counted < len(seen.saved) and time.monotonic() < give_up:
        url, counted = f"{served.url}/api/enrolments/?state=confirmed&limit=200", 0
        while url:
            answer = served.http.get(url, timeout=60)
            counted += len(answer.json())
            following = answer.links.get("next", {}).get("url", "")
            url = requests.compat.urljoin(url, following) if following else ""
        time.sleep(0.1)
    return counted


def missed(seen: Seen) -> list[str]:
    """Return the targets that were missed."""
    found = []
    if (slow := percentile(seen.pages)) > MAX_SECONDS:
        found.append(f"pages: {slow:.3f} s at the 95th percentile, not {MAX_SECONDS}")
    if seen.confirmed != len(seen.saved):
        found.append(f"{seen.confirmed} of {len(seen.saved)} saved people are confirmed")
    found += seen.wrong[:5]
    failed = sum(count for status, count in seen.statuses.items() if status >= requests.codes.server_error)
    if failed:
        found.append(f"{failed} answers of 5xx")
    if (growth := grown(seen.sizes)) > MAX_GROWTH:
        found.append(f"memory grew by {growth:.0f} MB, not {MAX_GROWTH:.0f}")
    return found


def percentile(seconds: list[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(seconds, n=20)[-1]


def grown(sizes: list[float]) -> float:
    """Return by how much the last quarter is larger than the second, in the median; the first one warms up."""
    quarter = len(sizes) // 4
    if not quarter:
        return 0.0
    return statistics.median(sizes[-quarter:]) - statistics.median(sizes[quarter : 2 * quarter])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--operators", type=int, default=50)
    parser.add_argument("--rate", type=float, default=50.0, help="calls of programs a second, in all")
    parser.add_argument("--silent", type=int, default=20, help="terminals that never answer")
    parser.add_argument("--walk", type=float, default=WALK_SECONDS, help="seconds until somebody is at a terminal")
    asked = parser.parse_args(arguments)
    with TemporaryDirectory() as folder:
        seen = office(Path(folder), asked.operators, asked.seconds, asked.rate, asked.silent, asked.walk)
    print(f"pages {len(seen.pages)}: median {statistics.median(seen.pages):.3f} s, p95 {percentile(seen.pages):.3f} s")
    print(f"calls {len(seen.calls)}: median {statistics.median(seen.calls):.3f} s, p95 {percentile(seen.calls):.3f} s")
    print(f"saved {len(seen.saved)}, confirmed {seen.confirmed}, statuses {dict(seen.statuses)}")
    print(
        f"memory {seen.sizes[0]:.0f} MB at first, {seen.sizes[-1]:.0f} MB in the end, grown {grown(seen.sizes):.0f} MB"
    )
    found = missed(seen)
    print("\n".join(f"MISSED: {one}" for one in found) or "All targets are met.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
