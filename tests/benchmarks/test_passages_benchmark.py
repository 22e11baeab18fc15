"""The benchmark of pages of passages runs at small numbers; how fast it is depends on the machine."""

import re

import pytest

from tests.benchmarks import passages


def test_small_benchmark_shows_a_ratio_for_each_question(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passages, "PEOPLE", 20)
    monkeypatch.setattr(passages, "TERMINALS", 2)
    monkeypatch.setattr(
        passages, "ADDRESSES", {"list": "/passages/", "employee": "/employees/7", "API, first": "/api/events/"}
    )
    assert passages.main(["--events", "50", "400", "--rounds", "1", "--database", "sqlite"]) in {0, 1}

    _, *rows = capsys.readouterr().out.splitlines()[:6]
    assert [row[:22].rstrip() for row in rows] == ["list", "employee", "API, first", "deep", "API, middle"]
    assert all(re.search(r"( +\d+\.\d){2} +\d+\.\d\d$", row) for row in rows)
