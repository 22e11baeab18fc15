"""The benchmark of hostile terminals runs at a small number; how fast it is depends on the machine."""

import re

import pytest

from tests.benchmarks.hostile_terminal import LIMITS, Step, main, missed


def test_small_benchmark_shows_time_memory_and_waiting(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--count", "50", "--seconds", "2"]) in {0, 1}

    head, *rows = capsys.readouterr().out.splitlines()[:5]
    assert head.startswith("50 people")
    assert [row[:18].rstrip() for row in rows] == list(LIMITS)
    assert all(re.search(r"^\w+( +\d+\.\d){2} +-?\d+ +\d+\.\d\d  \w", row) for row in rows)
    outcomes = [row[54:].strip() for row in rows]
    assert outcomes[0].startswith("list_too_long, 0 kept")
    assert outcomes[1] == "0 kept"


def test_missed_targets_are_named() -> None:
    slow = Step("conclude", seconds=31.0, memory=401.0, waited=6.0)

    assert missed([Step("plan", 9.0, 100.0, 0.1), slow]) == [
        "conclude: 31.0 s, not 30",
        "conclude: 401 MB, not 400",
        "conclude: somebody waited for 6.0 s, not 5",
    ]
