"""Every action that is noted anywhere has its words, in both languages."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

from hikflask.labels import audit
from hikflask.messages import actor_name
from hikflask.services.audit import Entry
from hikflask.services.changes.kinds import EXPORT

PACKAGE = Path(__file__).resolve().parents[2] / "hikflask"
RECORDS = {"record", "record_alone"}
ACTION = re.compile(r"[a-z_]+(\.[a-z_]+)?\Z")
DOTTED = re.compile(r"[a-z_]+\.(?!json\Z)[a-z_]+\Z")
# The ends of file names, which are dotted words, too.
FILES = (".py", ".db", ".ini", ".tflite", ".sql", ".txt", ".pgdump", ".xml")


def texts(node: ast.AST) -> list[str]:
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """The calls of the audit trail in a module: audit.record(…), and note(…) in its own."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in RECORDS and isinstance(function.value, ast.Name):
            if function.value.id == "audit":
                yield node
        elif isinstance(function, ast.Name) and function.id in RECORDS:
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
    assert all_noted() - set(audit.ACTIONS) == set()


def test_no_words_are_for_an_action_that_nobody_notes() -> None:
    assert set(audit.ACTIONS) - all_noted() == set()


def test_actions_fit_into_their_column() -> None:
    assert [action for action in audit.ACTIONS if len(action) > 48] == []


def test_words_are_another_ones_in_russian(app: Flask) -> None:
    for action in audit.ACTIONS:
        with app.app_context():
            with force_locale("en"):
                english = audit.action_label(action)
            with force_locale("ru"):
                russian = audit.action_label(action)

        assert english != russian
        assert re.search("[а-яё]", russian)


def test_no_two_actions_are_said_alike() -> None:
    assert len(set(audit.ACTIONS.values())) == len(audit.ACTIONS)


def test_kind_of_a_job_is_said_in_words(app: Flask) -> None:
    after = {"job": EXPORT}
    started = Entry(1, datetime.now(UTC), "Анна", "", "", "job.started", None, "", "", "job 1", None, after, True)
    with app.app_context():
        for language, job, export in (("en", "Job", "Export"), ("ru", "Задание", "Выгрузка")):
            with force_locale(language):
                assert audit.changes(started) == [audit.Change(job, None, export)]


@pytest.mark.parametrize("name", ["nobody", "command line", "worker"])
@pytest.mark.parametrize("language", ["ru", "en"])
def test_actor_that_a_page_shows_is_found_by_that_name(app: Flask, name: str, language: str) -> None:
    with app.app_context(), force_locale(language):
        assert audit.stored_actor(actor_name(name)) == name
        assert audit.stored_actor("Ольга") == actor_name("Ольга") == "Ольга"
