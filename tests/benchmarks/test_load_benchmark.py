"""The load benchmark measures an office at work, and names the targets that were missed."""

import re
import subprocess
import sys
from collections import Counter

from tests.benchmarks.load import Seen, missed
from tests.processes.processes import ROOT


def test_small_office_is_measured() -> None:
    options = ["--seconds", "4", "--operators", "2", "--rate", "10", "--silent", "2", "--walk", "1"]

    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.load", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )

    assert done.returncode in {0, 1}, done.stderr
    pages, calls, saved, memory, *_ = done.stdout.splitlines()
    assert re.fullmatch(r"pages \d+: median \d\.\d{3} s, p95 \d\.\d{3} s", pages)
    assert re.fullmatch(r"calls (3\d|4\d): median \d\.\d{3} s, p95 \d\.\d{3} s", calls)
    counts = re.match(r"saved ([1-9]\d*), confirmed (\d+), ", saved)
    assert counts, done.stdout
    assert counts[1] == counts[2]
    assert memory.startswith("memory ")
    assert "5xx" not in done.stdout


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
