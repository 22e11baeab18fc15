"""The load benchmark measures an office at work, and names the targets that were missed."""

import re
from collections import Counter

import pytest

from tests.benchmarks import load
from tests.benchmarks.load import Seen, main, missed


def test_small_office_is_measured(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "POLL_SECONDS", 0.1)
    options = ["--seconds", "1", "--operators", "2", "--rate", "10", "--silent", "2", "--walk", "0.2"]

    assert main(options) in {0, 1}

    printed = capsys.readouterr().out
    pages, calls, saved, memory, *_ = printed.splitlines()
    assert re.fullmatch(r"pages \d+: median \d\.\d{3} s, p95 \d\.\d{3} s", pages)
    assert re.fullmatch(r"calls \d+: median \d\.\d{3} s, p95 \d\.\d{3} s", calls)
    counts = re.match(r"saved ([1-9]\d*), confirmed (\d+), ", saved)
    assert counts, printed
    assert counts[1] == counts[2]
    assert memory.startswith("memory ")
    assert "5xx" not in printed


def test_missed_targets_are_named() -> None:
    sizes = [100.0] * 40 + [180.0] * 20
    bad = Seen([0.4] * 40, [0.1] * 40, Counter({200: 70, 503: 2}), ["L1", "L2"], 1, sizes, ["L3: the capture failed"])
    good = Seen([0.1] * 40, [0.1] * 40, Counter({200: 80}), ["L1"], 1, [100.0] * 60)

    assert missed(bad) == [
        "pages: 0.400 s at the 95th percentile, not 0.3",
        "1 of 2 saved people are confirmed",
        "L3: the capture failed",
        "2 answers of 5xx",
        "memory grew by 80 MB, not 30",
    ]
    assert missed(good) == []
