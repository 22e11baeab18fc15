"""Every action that is noted anywhere has its words, in both languages."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

from hikflask.web.admin import audit_words

PACKAGE = Path(__file__).resolve().parents[3] / "hikflask"
NOTES = {"note", "note_alone"}
ACTION = re.compile(r"[a-z_]+(\.[a-z_]+)?\Z")
DOTTED = re.compile(r"[a-z_]+\.(?!json\Z)[a-z_]+\Z")
# The ends of file names, which are dotted words, too.
FILES = (".py", ".db", ".ini", ".tflite", ".sql", ".txt", ".pgdump")


def texts(node: ast.AST) -> list[str]:
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """The calls of the audit trail in a module: audit.note(…), and note(…) in its own."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in NOTES and isinstance(function.value, ast.Name):
            if function.value.id == "audit":
                yield node
        elif isinstance(function, ast.Name) and function.id in NOTES:
            yield node


def noted(path: Path) -> set[str]:
    """The actions that a module notes; in the services each dotted word is one."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {text for call in calls(tree) for text in texts(call.args[0]) if ACTION.match(text)}
    if "services" in path.parts:
        found |= {text for text in texts(tree) if DOTTED.match(text) and not text.endswith(FILES)}
    return found


def all_noted() -> set[str]:
    return {action for path in PACKAGE.rglob("*.py") for action in noted(path)}


def test_every_action_that_is_noted_has_its_words() -> None:
    assert all_noted() - set(audit_words.ACTIONS) == set()


def test_no_words_are_for_an_action_that_nobody_notes() -> None:
    assert set(audit_words.ACTIONS) - all_noted() == set()


def test_actions_fit_into_their_column() -> None:
    assert [action for action in audit_words.ACTIONS if len(action) > 48] == []


@pytest.mark.parametrize("action", sorted(audit_words.ACTIONS))
def test_words_are_another_ones_in_russian(app: Flask, action: str) -> None:
    with app.app_context():
        with force_locale("en"):
            english = audit_words.action_text(action)
        with force_locale("ru"):
            russian = audit_words.action_text(action)

    assert english != russian
    assert re.search("[а-яё]", russian)


def test_no_two_actions_are_said_alike() -> None:
    assert len(set(audit_words.ACTIONS.values())) == len(audit_words.ACTIONS)
