"""The rooms of the simulator import each other in one direction."""

import ast
from collections.abc import Iterator
from pathlib import Path

import hikflask.simulator

FOLDER = Path(hikflask.simulator.__file__).parent
ORDER = (
    ("recordings", "event_traps", "faces"),
    ("profiles",),
    ("errors",),
    ("terminal",),
    ("http",),
    ("isapi", "screen"),
    ("certificate", "company_day"),
    ("server",),
    ("__init__", "__main__"),
)
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}


def room_of(path: Path) -> str:
    return path.relative_to(FOLDER).parts[0].removesuffix(".py")


def rooms_imported(path: Path) -> Iterator[str]:
    """The rooms in `from hikflask.simulator… import …`, the only form of import that is used here."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("hikflask"):
            below = node.module.removeprefix("hikflask.simulator").lstrip(".")
            yield from [below.split(".")[0]] if below else [alias.name for alias in node.names]


def test_each_room_imports_only_itself_and_the_rooms_before_it() -> None:
    paths = list(FOLDER.rglob("*.py"))
    assert {room_of(path) for path in paths} == set(RANK)
    for path in paths:
        room = room_of(path)
        for imported in rooms_imported(path):
            assert imported == room or RANK[imported] < RANK[room], f"{path.name} imports {imported}"
