"""The benchmark of pages runs at small numbers, with people made on either database; speed depends on the machine."""

import re
from pathlib import Path

import pytest

from tests.benchmarks.pages import ADDRESSES, Measured, fill, main, missed
from tests.support.postgresql import ROLE, Cluster


def test_small_benchmark_shows_a_ratio_for_each_question(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--people", "60", "120", "--rounds", "1", "--warm-up", "0", "--database", "sqlite"]

    assert main(options) in {0, 1}

    printed = capsys.readouterr().out
    rows = printed.splitlines()[1 : len(ADDRESSES) + 1]
    assert [row[:28].rstrip() for row in rows] == list(ADDRESSES)
    assert all(re.search(r"( +\d+\.\d){2} +\d+\.\d\d +\d+\.\d\d$", row) for row in rows)
    assert re.search(r"^load average: \d", printed, re.MULTILINE)


def test_as_many_people_are_made_on_postgresql(cluster: Cluster, tmp_path: Path) -> None:
    fill(tmp_path, 60, {"DATABASE_URL": cluster.create("people", "migrated")})

    with cluster.connection(ROLE, "people") as connection:
        assert connection.execute("SELECT people FROM employee_count").fetchall() == [(60,)]
        assert connection.execute("SELECT count(*) > 300 FROM enrolment").fetchall() == [(True,)]
        assert connection.execute("SELECT count(DISTINCT changed_at) > 100 FROM enrolment").fetchall() == [(True,)]
    cluster.drop("people")


def test_missed_targets_are_named() -> None:
    times = {"empty page": {10: [4.0], 20: [5.0]}, "list": {10: [10.0], 20: [14.0]}, "left": {10: [10.0], 20: [17.0]}}

    times["API enrolments, at one"] = {10: [10.0], 20: [13.0]}

    assert missed(Measured("sqlite", times)) == [
        "sqlite, left: 1.70 times as long, not 1.5",
        "sqlite, API enrolments, at one: 1.30 times as long, not 1.2",
        "sqlite, left: 0.29 of the empty page, not 0.3",
    ]
