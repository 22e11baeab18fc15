"""Uploads of the largest picture stay within the memory that is promised, and leave none behind."""

import re
import subprocess
import sys
from collections import Counter

from tests.benchmarks.uploads import Measured, missed
from tests.processes.processes import ROOT


def test_largest_pictures_at_once_stay_within_700_megabytes_and_leave_none_behind() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.uploads", "--count", "3"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^memory: \d+ MB before, \d+ MB at most, \d+ MB after$", done.stdout, re.MULTILINE)


def test_missed_targets_are_named() -> None:
    wrong = Measured(before=144.0, peak=5400.0, after=4344.0, statuses=Counter({500: 16}))

    assert missed(wrong) == [
        "5400 MB at most, not 700",
        "4200 MB more afterwards, not 50",
        "answers [500], not 200 or 503",
        "no picture was taken",
    ]


def test_reached_targets_are_not_named() -> None:
    assert missed(Measured(before=105.0, peak=497.0, after=119.0, statuses=Counter({200: 9, 503: 7}))) == []
