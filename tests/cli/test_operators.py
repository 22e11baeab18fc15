"""The command line: operators are created; passwords come from standard input and are never printed."""

import re
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import AuditEntry, Operator
from hikflask.models.accounts import ROLES
from hikflask.services.accounts import operators, sessions
from tests.support.apps import close

GOOD = "четыре слова без связи"


def run(app: Flask, *arguments: str, password: str = GOOD) -> Result:
    return app.test_cli_runner().invoke(args=list(arguments), input=f"{password}\n")


def create(app: Flask, *more: str, name: str = "Анна", role: str = "admin", password: str = GOOD) -> Result:
    return run(app, "operator", "create", name, "--role", role, "--password-stdin", *more, password=password)


@pytest.mark.parametrize("role", ROLES)
def test_operator_is_made_and_may_sign_in(app: Flask, role: str) -> None:
    result = create(app, role=role)

    assert (result.exit_code, result.stdout) == (0, f"Operator “Анна” ({role}) added.\n")
    with app.app_context():
        found = sessions.find(sessions.sign_in("Анна", GOOD, "10.0.0.1"))
        assert found is not None
        assert (found.role, found.must_change_password) == (role, False)
        noted = db.session.execute(db.select(AuditEntry).where(AuditEntry.action == "operator.created")).scalar_one()
        assert (noted.actor, noted.subject) == ("command line", "Анна")


def test_bad_ones_are_refused_without_showing_the_password(app: Flask) -> None:
    for given, sentence in [
        ({"password": "kurz"}, "The password is too short: at least 12 characters."),
        ({"password": "password1234"}, "too easy to guess"),
        ({"name": " "}, "NAME must be 1 to 64 characters"),
        ({"name": "a\nb"}, "NAME must be 1 to 64 characters"),
        ({"name": "Ан\u202eна"}, "NAME must be 1 to 64 characters"),
        ({"name": "Ан\u200bна"}, "NAME must be 1 to 64 characters"),
        ({"name": "x" * 65}, "NAME must be 1 to 64 characters"),
        ({"role": "root"}, "Invalid value for '--role'"),
    ]:
        result = create(app, **given)

        assert result.exit_code != 0
        assert sentence in result.stderr
        assert given.get("password", GOOD) not in result.output
        with app.app_context():
            assert not operators.exist()


def test_role_must_be_said(app: Flask) -> None:
    assert "Missing option '--role'" in run(app, "operator", "create", "Анна", "--password-stdin").stderr


def test_replace_gives_role_and_password_and_lets_in_again(app: Flask) -> None:
    create(app)
    create(app, name="Ольга")
    with app.app_context():
        anna = operators.by_name("Анна")
        assert anna is not None
        operators.change(anna.id, "viewer", False)

    result = create(app, "--replace", name="АННА", password="другие четыре слова здесь")

    assert (result.exit_code, result.stdout) == (0, "Operator “Анна” (admin) changed.\n")
    with app.app_context():
        found = sessions.find(sessions.sign_in("Анна", "другие четыре слова здесь", "10.0.0.1"))
        assert found is not None
        assert found.role == "admin"
        assert len(operators.list_all()) == 2


@pytest.mark.parametrize("command", [
    ["operator", "create", "Анна", "--role", "admin", "--password-stdin"],
    ["token", "create", "Кадры"],
    ["secrets", "rotate"],
    ["terminal", "check", "1"],
])  # fmt: skip
def test_missing_tables_are_said_in_one_sentence(tmp_path: Path, command: list[str]) -> None:
    app = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True})

    result = run(app, *command)
    close(app)

    assert (result.exit_code, isinstance(result.exception, SystemExit)) == (1, True)
    assert "flask --app wsgi db upgrade" in result.stderr
    assert "hikflask.sqlite3" in result.stderr
    assert "Traceback" not in result.stderr


def test_name_is_taken_once(app: Flask) -> None:
    create(app)

    assert "Another operator has this name." in create(app, name="АННА").stderr


def test_password_is_asked_for_without_being_shown(app: Flask) -> None:
    result = run(app, "operator", "create", "Анна", "--role", "viewer")

    assert result.exit_code == 0
    assert GOOD not in result.output


def test_forgotten_password_is_replaced(app: Flask) -> None:
    create(app)
    new = "совсем другие пять слов"

    result = run(app, "operator", "password", "анна", "--password-stdin", password=new)

    assert result.exit_code == 0
    with app.app_context():
        assert sessions.sign_in("Анна", new, "10.0.0.1")
    assert "There is no operator “Никто”." in run(app, "operator", "password", "Никто", "--password-stdin").stderr


def test_operators_are_listed_with_role_state_and_last_sign_in(app: Flask) -> None:
    create(app)
    create(app, name="Пётр Длинный", role="viewer")
    with app.app_context():
        sessions.sign_in("Анна", GOOD, "10.0.0.1")
        gone = operators.by_name("пётр длинный")
        assert gone is not None
        operators.change(gone.id, "viewer", False)

    result = run(app, "operator", "list")

    head, first, second = result.stdout.splitlines()
    assert head == "NAME          ROLE    STATE            LAST SIGN-IN"
    assert re.fullmatch(r"Анна          admin   active           \d{4}-\d\d-\d\d \d\d:\d\d UTC", first)
    assert second == "Пётр Длинный  viewer  may not sign in  never"
    with app.app_context():
        hashes = db.session.execute(db.select(Operator.password_hash)).scalars()
        assert not [one for one in hashes if one in result.output]


@pytest.mark.parametrize("group", ["operator", "token"])
def test_nobody_is_a_head_alone(app: Flask, group: str) -> None:
    assert run(app, group, "list").stdout.count("\n") == 1
