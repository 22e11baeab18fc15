"""The benchmark of pages runs at small numbers on either database; how fast it is depends on the machine."""

import re
import subprocess
import sys

import pytest

from tests.benchmarks.pages import ADDRESSES, DATABASES, Measured, missed
from tests.processes.processes import ROOT
from tests.support.postgresql import programs


@pytest.mark.parametrize("database", DATABASES)
def test_small_benchmark_shows_a_ratio_for_each_question(database: str) -> None:
    if database == "postgresql" and programs() is None:
        pytest.skip("PostgreSQL is not installed")
    counts = ["--people", "60", "120", "--rounds", "1", "--warm-up", "0", "--database", database]
    command = [sys.executable, "-m", "tests.benchmarks.pages", *counts]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=180)

    assert done.returncode in {0, 1}, done.stderr
    rows = done.stdout.splitlines()[1 : len(ADDRESSES) + 1]
    assert [row[:28].rstrip() for row in rows] == list(ADDRESSES)
    assert all(re.search(r"( +\d+\.\d){2} +\d+\.\d\d +\d+\.\d\d$", row) for row in rows)
    assert re.search(r"^load average: \d", done.stdout, re.MULTILINE)


def test_missed_targets_are_named() -> None:
    times = {"empty page": {10: [4.0], 20: [5.0]}, "list": {10: [10.0], 20: [14.0]}, "left": {10: [10.0], 20: [17.0]}}

    assert missed(Measured("sqlite", times)) == [
        "sqlite, left: 1.70 times as long, not 1.5",
        "sqlite, left: 0.29 of the empty page, not 0.3",
    ]
