"""What small files cost is measured at a small number; how long it takes depends on the machine."""

import re

import pytest

from tests.benchmarks.hostile_files import Step, main, missed


def test_small_benchmark_shows_time_memory_disk_and_health(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--count", "2", "--rows", "6100"]) in {0, 1}

    head, *rows = capsys.readouterr().out.splitlines()[:7]
    assert head.startswith("6100 rows, 2 photos")
    assert [row.split()[0] for row in rows] == ["table", "third", "reads", "half", "all", "erasure"]
    assert all(re.search(r" +\d+\.\d +\d+ +\d+\.\d +\d+$", row) for row in rows)


def test_missed_targets_are_named() -> None:
    half, whole = Step("half", 10.0, 120.0, 1.0, 0.1), Step("all", 40.0, 251.0, 2.0, 0.3)
    table = Step("table", 31.0, 200.0, 1800.0, 0.1)

    assert missed([table, half, whole, Step("erasure", 36.0, 200.0, 3200.0, 0.1)]) == [
        "all took 4.0 times as long as half",
        "the erasure took 36.0 s, not 10",
        "the erasure made 3200 MB of 2",
        "table: 1800 MB of the disk, not 64",
        "all: 251 MB, not 250",
        "all: health took 0.30 s, not 0.2",
    ]
    assert missed([half, Step("all", 20.0, 120.0, 2.0, 0.1), Step("erasure", 1.0, 120.0, 4.0, 0.1)]) == []
