"""The benchmark runs, and no record is lost; how fast it is depends on the machine and is not tested."""

import re

import pytest

from tests.benchmarks.passages_intake import Measured, main, missed


def test_small_benchmark_loses_no_record(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--count", "61", "--enrolments", "1", "--latency", "none"]) in {0, 1}

    printed = capsys.readouterr().out
    assert re.search(r"^bare \d+ records/s, app \d+ records/s, ratio \d+\.\d\d$", printed, re.MULTILINE)
    assert re.search(r"^enrolment \d+ ms alone, \d+ ms meanwhile, ratio \d+\.\d\d, ", printed, re.MULTILINE)
    assert "lost" not in printed


def test_missed_targets_are_named() -> None:
    slow = Measured(bare=200.0, app=100.0, alone=[10.0, 10.0], meanwhile=[12.0, 12.0], read_meanwhile=3, lost=2)

    assert missed(slow) == [
        "the log was read at 0.50 of bare paging, not 0.8",
        "an enrolment took 1.20 times as long meanwhile, not 1.1",
        "2 records were lost or doubled",
    ]
    assert missed(Measured(bare=200.0, app=180.0, alone=[10.0], meanwhile=[10.5], read_meanwhile=3)) == []
