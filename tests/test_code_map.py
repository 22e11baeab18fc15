"""docs/code-map.md: each file that it names exists, and defines the name beside it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| (?P<question>.+) \| `(?P<file>[\w/]+\.py)` \| `(?P<name>\w+)` \|$", re.MULTILINE)
ROWS = list(ROW.finditer((ROOT / "docs/code-map.md").read_text(encoding="utf-8")))


def names_in(path: Path) -> set[str]:
    """Functions, classes, methods and constants that a file defines."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    methods = [inner for node in body if isinstance(node, ast.ClassDef) for inner in node.body]
    defined = {node.name for node in [*body, *methods] if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    targets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    targets += [node.target for node in body if isinstance(node, ast.AnnAssign)]
    return defined | {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


def test_there_are_twenty_five_different_questions() -> None:
    assert len({row["question"] for row in ROWS}) == len(ROWS) == 25


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_file_defines_the_name(row: re.Match[str]) -> None:
    assert row["name"] in names_in(ROOT / row["file"])
