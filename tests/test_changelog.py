"""CHANGELOG.md is for whoever upgrades: by versions, what they must do first, and each entry short."""

import re
from datetime import date
from pathlib import Path

from hikflask.version import VERSION

TEXT = (Path(__file__).parents[1] / "CHANGELOG.md").read_text(encoding="utf-8")
PARTS = ["What you must do", "Added", "Changed", "Fixed"]


def versions() -> list[tuple[str, str, str]]:
    """Number, day and text of each version, in the order of the page."""
    heads = re.split(r"^## (.*)\n", TEXT, flags=re.MULTILINE)[1:]
    found = []
    for head, text in zip(heads[::2], heads[1::2], strict=True):
        match = re.fullmatch(r"(\d+\.\d+\.\d+) \((\d{4}-\d{2}-\d{2})\)", head)
        assert match, f"“{head}” is no version with its day"
        found.append((match[1], match[2], text))
    return found


def test_versions_come_newest_first_and_the_first_is_this_one() -> None:
    numbers = [tuple(map(int, number.split("."))) for number, _, _ in versions()]
    days = [date.fromisoformat(day) for _, day, _ in versions()]

    assert numbers == sorted(set(numbers), reverse=True)
    assert days == sorted(days, reverse=True)
    assert versions()[0][0] == VERSION


def test_each_version_begins_with_what_one_must_do() -> None:
    for number, _, text in versions():
        parts = re.findall(r"^### (.*)$", text, re.MULTILINE)

        assert text.startswith("\n### What you must do\n\n- "), number
        assert parts == [part for part in PARTS if part in parts], number


def test_an_entry_has_at_most_two_lines() -> None:
    lines = "\n".join(text for _, _, text in versions()).split("\n")
    entries = "\n".join(line for line in lines if line and not line.startswith("### "))

    assert re.sub(r"^- \S.*(\n  \S.*)?$\n?", "", entries, flags=re.MULTILINE) == ""
    assert [line for line in TEXT.split("\n") if len(line) > 130] == []
