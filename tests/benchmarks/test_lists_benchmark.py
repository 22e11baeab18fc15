"""The benchmark of lists runs at small numbers on either database; how fast it is depends on the machine."""

import re
import subprocess
import sys

import pytest

from tests.benchmarks.lists import ADDRESSES, DATABASES, Measured, missed
from tests.processes.processes import ROOT
from tests.support.postgresql import programs


@pytest.mark.parametrize("database", DATABASES)
def test_small_benchmark_shows_a_ratio_for_each_question(database: str) -> None:
    if database == "postgresql" and programs() is None:
        pytest.skip("PostgreSQL is not installed")
    counts = ["--counts", "60", "120", "--rounds", "1", "--database", database]
    command = [sys.executable, "-m", "tests.benchmarks.lists", *counts]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode in {0, 1}, done.stderr
    rows = done.stdout.splitlines()[1 : len(ADDRESSES) + 1]
    assert [row[:24].rstrip() for row in rows] == list(ADDRESSES)
    assert all(re.search(r"( +\d+\.\d +\d+\.\d +\d+\.\d\d){2}$", row) for row in rows)
    assert re.search(r"^median of the ratios +\d+\.\d\d +\d+\.\d\d$", done.stdout, re.MULTILINE)


def test_missed_targets_are_named() -> None:
    at = {wall: [{"wall": wall, "cpu": 1.0}] for wall in (10.0, 14.0, 16.0)}
    found = Measured("sqlite", {"all": {2000: at[10], 100_000: at[14]}, "left": {2000: at[10], 100_000: at[16]}})

    assert missed([found]) == ["sqlite, left: 1.60, not 1.5"]
    assert (found.median_ratio("wall"), found.median_ratio("cpu")) == (1.5, 1.0)
