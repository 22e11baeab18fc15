"""The benchmark of who is inside runs at small numbers; how fast it is depends on the machine."""

import re

import pytest

from tests.benchmarks.presence import main


def test_small_benchmark_shows_a_ratio_for_each_question(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--events", "50", "100", "--rounds", "1", "--database", "sqlite"]) in {0, 1}

    _, *rows = capsys.readouterr().out.splitlines()[:4]
    assert [row[:22].rstrip() for row in rows] == ["service", "page", "evacuation list"]
    assert all(re.search(r"( +\d+\.\d){2} +\d+\.\d\d$", row) for row in rows)
