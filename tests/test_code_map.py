"""docs/code-map.md: each file that it names exists, and defines the name beside it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| (?P<question>.+) \| `(?P<file>[\w/]+\.py)` \| `(?P<name>\w+)` \|$", re.MULTILINE)
TEXT = (ROOT / "docs/code-map.md").read_text(encoding="utf-8")
ROWS = list(ROW.finditer(TEXT))


def names_in(path: Path) -> set[str]:
    """Functions, classes, methods and constants that a file defines."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    methods = [inner for node in body if isinstance(node, ast.ClassDef) for inner in node.body]
    defined = {node.name for node in [*body, *methods] if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    targets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    targets += [node.target for node in body if isinstance(node, ast.AnnAssign)]
    return defined | {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


def test_there_are_forty_different_questions_or_more() -> None:
    assert len({row["question"] for row in ROWS}) == len(ROWS) >= 40


def test_words_that_a_stranger_does_not_know_are_explained() -> None:
    words = set(re.findall(r"^\| ([a-z ]+) \| [^`|]", TEXT, re.MULTILINE))

    assert {"number", "desired", "drift", "lane", "lease", "claim", "draft", "change set"} < words
    assert all(word in TEXT for word in ("employeeNo", "hikvision_id"))


def test_each_room_says_what_it_owns_and_each_service_besides_which_room_begins_its_work() -> None:
    said = {
        str(path.parent.relative_to(ROOT)): ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for room in ("services", "web")
        for path in (ROOT / "hikflask" / room).glob("*/__init__.py")
    }

    assert len(said) > 30
    assert [room for room, docstring in said.items() if not docstring] == []
    paragraphs = {room: len(docstring.split("\n\n")) for room, docstring in said.items() if "services" in room}
    assert [room for room, count in paragraphs.items() if count < 2] == []


def test_steps_of_a_change_are_functions_of_the_files_beside_them() -> None:
    steps = re.findall(r"`(\w+/\w+\.py)` `(\w+)`", TEXT)

    assert len(steps) > 15
    services = ROOT / "hikflask" / "services"
    assert [step for step in steps if step[1] not in names_in(services / step[0])] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_file_defines_the_name(row: re.Match[str]) -> None:
    assert row["name"] in names_in(ROOT / row["file"])
