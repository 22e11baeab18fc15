"""What `make test` says of its time."""

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support import machine_speed

ROOT = Path(__file__).parents[2]
SAID = (
    "Tests: 700 s on 2 processors. This machine's loop (Python, SQLite, SHA-256; tests/support/machine_speed.py): "
    "1.25 s. Tests: 560 loops."
)


class Terminal:
    """What pytest writes on."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write_line(self, line: str) -> None:
        self.lines.append(line)


def test_time_is_told_in_seconds_and_in_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal: Any = Terminal()
    monkeypatch.setattr(machine_speed, "STARTED", time.monotonic() - 700)
    monkeypatch.setattr(machine_speed, "loop", lambda: 1.25)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})

    machine_speed.pytest_terminal_summary(terminal)

    assert terminal.lines == [SAID]


def test_loop_takes_time() -> None:
    assert 0 < machine_speed.loop(1) < 1


def test_tests_are_run_so() -> None:
    done = subprocess.run(
        ["make", "--dry-run", "--old-file=.venv/dev", "test"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "--durations=15 --durations-min=5 -p tests.support.machine_speed" in done.stdout
