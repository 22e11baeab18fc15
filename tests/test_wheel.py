"""The wheel needs what requirements.txt pins, and has one version."""

import tomllib
from pathlib import Path

import click
from flask import Flask

from hikflask.version import VERSION

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FOR_TESTS = {"pytest", "responses"}


def pinned(name: str) -> list[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-r"))]


def test_wheel_needs_what_the_app_needs_and_nothing_of_the_tests() -> None:
    app = [line for line in pinned("requirements.txt") if line.partition("==")[0] not in FOR_TESTS]

    assert PROJECT["dependencies"] == app
    assert PROJECT["optional-dependencies"]["faces"] == pinned("requirements-faces.txt")


def test_version_stands_in_one_place() -> None:
    assert PROJECT["dynamic"] == ["version"]
    assert "version" not in PROJECT
    assert VERSION.count(".") == 2


def test_every_command_is_there_under_the_programs_own_name(app: Flask) -> None:
    ours = set(app.cli.list_commands(click.Context(app.cli)))

    assert {"serve", "ready", "init", "doctor", "worker", "operator", "terminal", "token", "employees"} <= ours
