"""Who ends a transaction: its owner alone, which the source shows."""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "hikflask"
ENDS = {"commit", "rollback"}


def ends_of_sessions() -> Iterator[str]:
    """Yield the modules with a call of session.commit() or session.rollback(), however the session is reached."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ENDS:
                owner = ast.unparse(node.func.value)
                if "session" in owner or owner == "super()":
                    yield path.relative_to(PACKAGE).as_posix()


def test_nobody_but_the_owner_ends_a_transaction() -> None:
    assert {*ends_of_sessions()} == {"owned_session.py"}
