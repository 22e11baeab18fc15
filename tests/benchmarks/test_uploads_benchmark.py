"""Uploads of the largest picture stay within the memory that is promised, and leave none behind."""

import re
from collections import Counter

import pytest

from tests.benchmarks.uploads import Measured, main, missed


def test_largest_pictures_at_once_stay_within_700_megabytes_and_leave_none_behind(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status = main(["--count", "2"])

    printed = capsys.readouterr().out
    assert status == 0, printed
    assert re.search(r"^memory: \d+ MB before, \d+ MB at most, \d+ MB after$", printed, re.MULTILINE)


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
