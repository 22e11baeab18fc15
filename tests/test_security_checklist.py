"""The checklist of docs/en/security.md: it has every item, and each row names a test that exists, or a reason."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"\| (?P<item>\d[\d.-]*) \| (?P<what>[^|]+) \| (?P<state>[^|]+) \| (?P<why>.+) \|\Z")
TEST = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`")
# Section of ASVS 4.0.3 → its items of level 1, and of level 2 where sign-in, sessions, access, secrets, logs and
# configuration are meant; what the standard has withdrawn is not here.
ITEMS = {
    "1.2": range(1, 5), "1.4": [1, 4, 5], "1.6": range(1, 5), "1.7": [1, 2], "1.14": range(1, 7),
    "2.1": range(1, 13), "2.2": range(1, 4), "2.3": range(1, 4), "2.4": range(1, 6), "2.5": range(1, 8),
    "2.6": range(1, 4), "2.7": range(1, 7), "2.8": range(1, 8), "2.9": range(1, 4), "2.10": range(1, 5),
    "3.1": [1], "3.2": range(1, 5), "3.3": range(1, 5), "3.4": range(1, 6), "3.5": range(1, 4), "3.7": [1],
    "4.1": [1, 2, 3, 5], "4.2": [1, 2], "4.3": range(1, 4),
    "5.1": range(1, 6), "5.2": range(1, 9), "5.3": range(1, 11), "5.5": range(1, 5),
    "6.2": range(1, 7), "6.3": [1, 2], "6.4": [1, 2],
    "7.1": range(1, 5), "7.2": [1, 2], "7.3": [1, 3, 4], "7.4": range(1, 4),
    "8.2": range(1, 4), "8.3": range(1, 6), "9.1": range(1, 4), "10.3": range(1, 4), "11.1": range(1, 6),
    "12.1": [1], "12.3": range(1, 6), "12.4": [1, 2], "12.5": [1, 2], "12.6": [1],
    "13.1": [1, 3], "13.2": range(1, 4), "13.3": [1],
    "14.1": range(1, 5), "14.2": range(1, 7), "14.3": [2, 3], "14.4": range(1, 8), "14.5": range(1, 5),
}  # fmt: skip
STATES = {"yes", "partly", "no", "n/a"}


def rows() -> list[re.Match[str]]:
    """The rows of the checklist."""
    text = (ROOT / "docs/en/security.md").read_text(encoding="utf-8")
    return [found for line in text.splitlines() if (found := ROW.match(line))]


def items(row: re.Match[str]) -> list[str]:
    """The items of a row: 2.7.1-4 are four."""
    section, _, numbers = row["item"].rpartition(".")
    first, _, last = numbers.partition("-")
    return [f"{section}.{number}" for number in range(int(first), int(last or first) + 1)]


@cache
def names_in(path: str) -> set[str]:
    """The names of the tests in a file, those in classes as Class::name."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    methods = {f"{one.name}::{node.name}" for one in classes for node in one.body if isinstance(node, ast.FunctionDef)}
    return {name for name in functions | methods if name.rpartition("::")[2].startswith("test_")}


def test_every_item_is_answered_once() -> None:
    wanted = [f"{section}.{number}" for section, numbers in ITEMS.items() for number in numbers]

    assert [item for row in rows() for item in items(row)] == wanted


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["item"])
def test_row_has_a_state_and_a_test_that_exists_or_a_reason(row: re.Match[str]) -> None:
    named = TEST.findall(row["why"])
    reason = TEST.sub("", row["why"]).strip(" ,;")

    assert row["state"] in STATES
    assert named or len(reason) > 10
    assert row["state"] in {"yes", "n/a"} or reason
    assert row["why"].count("::") == sum(1 + name.count("::") for _, name in named)
    assert [name for path, name in named if name not in names_in(path)] == []


def test_named_rows_are_all_read() -> None:
    text = (ROOT / "docs/en/security.md").read_text(encoding="utf-8")

    assert len(TEST.findall(text)) == sum(len(TEST.findall(row["why"])) for row in rows())
    assert len(re.findall(r"^\| \d", text, re.MULTILINE)) == len(rows())
