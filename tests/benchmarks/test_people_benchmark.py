"""The benchmark of imports runs at a small number; how fast it is depends on the machine."""

import re
import subprocess
import sys

import pytest

from tests.benchmarks.people import FORMATS, Step, missed
from tests.processes.processes import ROOT


@pytest.mark.parametrize("form", FORMATS)
def test_small_benchmark_shows_time_memory_and_pages(form: str) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.people", "--count", "50", "--format", form]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode in {0, 1}, done.stderr
    head, *rows = done.stdout.splitlines()[:4]
    assert head.startswith(f"50 people, {form}")
    assert [row[:24].rstrip() for row in rows] == ["reading alone", "dry run", "import"]
    assert all(re.search(r"( +\d+\.\d){2}( +\d+){4}$", row) for row in rows)


def test_missed_targets_are_named() -> None:
    slow = Step("dry run", seconds=31.0, process=251.0, reader=260.0, pages=[0.1, 4.0])
    long = Step("import", seconds=900.0, process=150.0, reader=100.0, pages=[0.1])

    assert missed([Step("reading alone", 1.0), slow, long]) == [
        "dry run: 31.0 s, not 30",
        "dry run: 251 MB, not 250",
        "dry run: 260 MB for the reader, not 250",
        "dry run: a page took 4.0 s, not 3",
    ]
