"""The benchmark runs, with five requests per enrolment; how fast it is depends on the machine and is not tested."""

import re

import pytest

from tests.benchmarks.enrol import Measured, main, missed


def test_small_benchmark_shows_five_requests_for_each_enrolment_and_a_ratio(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--count", "2", "--skip-recorded"]) in {0, 1}

    printed = capsys.readouterr().out
    head, row = (line.split("  ") for line in printed.splitlines()[:2])
    found = dict(zip(*(filter(None, map(str.strip, cells)) for cells in (head, row)), strict=True))
    assert (found["count"], found["requests"], found["unasked"]) == ("2", "5", "0")
    assert re.fullmatch(r"\d+\.\d\d", found["ratio"])
    assert re.search(r"^worker: \d+\.\d MB at rest$", printed, re.MULTILINE)


def test_missed_targets_are_named() -> None:
    slow = Measured("none", app=[60.0], bare=[10.0], memory=[104.0] * 101 + [107.0], unasked=3)
    slow.on_the_wire[6] += 1

    assert missed(111.0, [slow]) == [
        "111.0 MB at rest, not 110",
        "latency none: ratio 6.00, not 2.5",
        "latency none: [6] requests on the wire, not 5",
        "latency none: 3 requests that belong to no enrolment",
        "latency none: the worker grew by 3.0 MB, not 2",
    ]


def test_reached_targets_are_not_named() -> None:
    good = Measured("recorded", app=[3400.0], bare=[3390.0], memory=[100.0, 104.0])
    good.on_the_wire[5] += 1

    assert missed(97.0, [good]) == []
