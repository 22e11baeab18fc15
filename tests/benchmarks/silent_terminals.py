"""Measures how long /health takes while one caller waits on terminals that take the connection and never answer.

`python -m tests.benchmarks.silent_terminals`: gunicorn with the project's own settings, alone on the loopback. One
token sends many employees to one silent terminal at once, then another one asks for the status of many silent
terminals at once. As many calls that wait on nothing, sent at once, show what the burst itself costs on this machine.
The exit status is 1 when /health took longer than the target beside those that wait.
"""

import argparse
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.processes.processes import Served
from tests.processes.silent import add_unchecked, call, health_seconds, silent_addresses, token_of, worst_health

MAX_SECONDS = 0.2
MAX_CALLS = 100
AT_REST = 20


@dataclass(frozen=True)
class Run:
    """What one run showed: the longest that /health took, in seconds, and how often each status was answered."""

    what: str
    worst: float
    statuses: Counter[int]

    def __str__(self) -> str:
        answered = ", ".join(f"{count} × {status}" for status, count in sorted(self.statuses.items()))
        return f"{self.what}: /health {self.worst:.3f} s at worst; {answered}"


def measure(syncs: int, statuses: int) -> tuple[float, Run, list[Run]]:
    """Return the median of /health at rest, in seconds, what a burst costs, and what both runs showed."""
    with TemporaryDirectory() as folder, silent_addresses(statuses + 1) as addresses:
        served = Served(Path(folder))
        served.start()
        try:
            known = add_unchecked(Path(folder), addresses)
            at_rest = statistics.median(health_seconds(served) for _ in range(AT_REST))
            runs = [_syncs(served, known[0], syncs), _statuses(served, known[1:])]
            return at_rest, _burst(served, syncs), runs
        finally:
            served.kill()


def _syncs(served: Served, device: int, count: int) -> Run:
    users = [_user(served, f"A{number}") for number in range(count)]
    token = token_of(served, "operator")
    calls = [call(served, token, "POST", f"users/{user}/sync-to-device", {"device_id": device}) for user in users]
    return Run(f"{count} × sync-to-device of one silent terminal", *worst_health(served, calls))


def _statuses(served: Served, devices: Sequence[int]) -> Run:
    token = token_of(served, "viewer")
    calls = [call(served, token, "GET", f"devices/{device}/status") for device in devices]
    return Run(f"status of {len(devices)} silent terminals", *worst_health(served, calls))


def _burst(served: Served, count: int) -> Run:
    calls = [call(served, token_of(served, "admin"), "GET", "devices/1")] * count
    return Run(f"{count} × a call that waits on nothing", *worst_health(served, calls))


def _user(served: Served, number: str) -> int:
    wanted = {"hikvision_id": number, "full_name": "Иван Иванов", "department": ""}
    answer = served.http.post(f"{served.url}/api/users/", json=wanted, timeout=20)
    answer.raise_for_status()
    return int(answer.json()["id"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    name = "python -m tests.benchmarks.silent_terminals"
    parser = argparse.ArgumentParser(prog=name, description=__doc__.partition("\n")[0])
    parser.add_argument("--syncs", type=int, default=40, help="calls of sync-to-device at once (default: %(default)s)")
    parser.add_argument("--statuses", type=int, default=24, help="terminals asked for at once (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not (1 <= options.syncs <= MAX_CALLS and 1 <= options.statuses <= MAX_CALLS):
        parser.error(f"1 to {MAX_CALLS} calls at once")
    at_rest, burst, runs = measure(options.syncs, options.statuses)
    print(f"at rest: /health {at_rest:.3f} s (median)", burst, *runs, sep="\n")
    slow = [run for run in runs if run.worst > MAX_SECONDS]
    for run in slow:
        print(f"missed: {run.what}: {run.worst:.3f} s, not {MAX_SECONDS}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
