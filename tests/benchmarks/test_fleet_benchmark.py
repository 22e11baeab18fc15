"""The fleet benchmark measures, and names the targets that were missed."""

import re

import pytest

from tests.benchmarks.fleet import Fleet, main, missed


def test_small_fleet_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--latency", "none", "--terminals", "2", "--people", "2"]) in {0, 1}

    _, head, row, *_ = capsys.readouterr().out.splitlines()
    assert head.split() == ["latency", "terminals", "bare", "app", "share", "MB", "before", "MB", "after"]
    assert re.fullmatch(r" +none +2( +\d+\.\d){2} +\d+\.\d\d( +\d+\.\d){2}", row)


def test_missed_targets_are_named() -> None:
    slow = Fleet("recorded", 32, bare=10.0, app=7.0, before=100.0, after=121.0)
    quick = Fleet("none", 32, bare=10.0, app=3.0, before=100.0, after=101.0)

    assert missed([slow, quick]) == [
        "latency recorded, 32 terminals: 0.70 of the bare rate, not 0.8",
        "latency recorded, 32 terminals: the worker grew by 21.0 MB, not 20",
    ]
