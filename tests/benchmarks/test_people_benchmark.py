"""The benchmark of imports runs at a small number; how fast it is depends on the machine."""

import csv
import io
import re

import openpyxl
import pytest

from tests.benchmarks.people import Step, main, missed, table


@pytest.mark.child_processes
def test_small_benchmark_shows_time_memory_and_pages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--count", "5", "--format", "xlsx"]) in {0, 1}

    head, *rows = capsys.readouterr().out.splitlines()[:6]
    assert head.startswith("5 people, xlsx")
    assert [row[:24].rstrip() for row in rows] == ["reading alone", "dry run", "few changes", "import", "changes"]
    assert all(re.search(r"( +\d+\.\d){2}( +\d+){9}$", row) for row in rows)


def test_either_format_has_the_same_people() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(table(5, "xlsx"))).worksheets[0]
    rows = csv.reader(table(5, "csv").decode("cp1251").splitlines(), delimiter=";")

    assert [*map(tuple, rows)] == [*sheet.values]
    assert sheet.max_row == 6


def test_missed_targets_are_named() -> None:
    quick = {"page": [0.1], "save": [0.1], "capture": [0.5]}
    slow = Step("dry run", seconds=31.0, process=251.0, reader=260.0, rows=50_000, waits={**quick, "page": [0.1, 4.0]})
    long = Step("import", seconds=361.0, process=150.0, reader=100.0, rows=50_000, waits={**quick, "capture": [3.1]})
    few = Step("import", seconds=36.0, rows=5_000, waits=quick)
    few_changes = Step("few changes", seconds=5.0, rows=500, waits=quick)
    changes, slower = (Step("changes", seconds=seconds, rows=5_000, waits=quick) for seconds in (74.0, 80.0))

    steps = [Step("reading alone", 1.0), slow, few_changes, long, few]
    assert missed([*steps, changes]) == missed([*steps, slower])[:-1]
    assert missed([*steps, slower]) == [
        "dry run: 31.0 s, not 30",
        "dry run: 251 MB, not 250",
        "dry run: 260 MB for the reader, not 250",
        "dry run: a page took 4.0 s, not 3",
        "import: 138.5 rows a second, not 138.9",
        "import: a capture took 3.1 s, not 3",
        "changes: 1.6 times as long for a row as among few, not 1.5",
    ]
