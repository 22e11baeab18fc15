"""What is installed: declared once in pyproject.toml, and locked with all that it needs (make lock)."""

import re
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import click
import pytest
from flask import Flask
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hikflask.version import VERSION

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, GROUPS = PYPROJECT["project"], PYPROJECT["dependency-groups"]
# Only what has hashes is a pin.
PIN = re.compile(
    r"^(?P<name>[a-z0-9-]+)(?:\[(?P<extras>[a-z0-9,-]+)\])?==(?P<version>[^ ;\\]+)(?: ; [^\\]+?)?"
    r"(?: \\\n    --hash=sha256:[0-9a-f]{64})+$",
    re.MULTILINE,
)


def group(name: str) -> list[str]:
    """What a group declares, with the groups that it includes."""
    found = []
    for one in GROUPS[name]:
        found += [one] if isinstance(one, str) else group(one["include-group"])
    return found


APP, FACES = PROJECT["dependencies"], PROJECT["optional-dependencies"]["faces"]
DECLARED = {
    "requirements.txt": [*APP, *group("test")],
    "requirements-faces.txt": [*APP, *FACES],
    "requirements-docs.txt": group("docs"),
    "requirements-dev.txt": [*APP, *FACES, *group("dev")],
}


def locked(file: str) -> dict[str, set[str]]:
    """The versions of each package; two where Pythons need different ones."""
    text = (ROOT / file).read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    for pin in PIN.finditer(text):
        found.setdefault(pin["name"], set()).add(pin["version"])
    assert sum(map(len, found.values())) == len(re.findall(r"^\S+==", text, re.MULTILINE))
    return found


def extras_in_lock(file: str) -> dict[str, set[str]]:
    """The extras that each pin names."""
    pins = PIN.finditer((ROOT / file).read_text(encoding="utf-8"))
    return {pin["name"]: set(pin["extras"].split(",")) for pin in pins if pin["extras"]}


def needed(requirement: Requirement, seen: dict[str, Requirement]) -> set[str]:
    """The names of a package and of all that it needs here, as the installed ones say."""
    name = canonicalize_name(requirement.name)
    if (key := str(requirement)) in seen:
        return set()
    seen[key] = requirement
    found: set[str] = {name}
    for line in distribution(name).requires or []:
        need = Requirement(line)
        extras = requirement.extras or {""}
        if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras):
            found |= needed(need, seen)
    return found


@pytest.mark.parametrize("file", DECLARED)
def test_lock_has_what_is_declared_in_the_same_version(file: str) -> None:
    lock = locked(file)
    declared = {canonicalize_name(one.name): str(one.specifier) for one in map(Requirement, DECLARED[file])}

    assert {name: {f"=={version}" for version in lock[name]} for name in declared} == {
        name: {specifier} for name, specifier in declared.items()
    }


@pytest.mark.parametrize("file", DECLARED)
def test_lock_has_all_that_is_needed(file: str) -> None:
    seen: dict[str, Requirement] = {}
    names = set().union(*(needed(Requirement(line), seen) for line in DECLARED[file]))

    assert names - set(locked(file)) == set()
    # Without them pip takes the newest release of such a package for not pinned as soon as there is a newer one.
    extras = extras_in_lock(file)
    assert {key for key, one in seen.items() if one.extras - extras.get(canonicalize_name(one.name), set())} == set()


def test_locks_agree_with_each_other() -> None:
    everything = locked("requirements-dev.txt")

    for file in DECLARED:
        assert {name for name, versions in locked(file).items() if not versions <= everything[name]} == set()


def test_version_stands_in_one_place() -> None:
    assert PROJECT["dynamic"] == ["version"]
    assert "version" not in PROJECT
    assert VERSION.count(".") == 2


def test_every_command_is_there_under_the_programs_own_name(app: Flask) -> None:
    ours = set(app.cli.list_commands(click.Context(app.cli)))

    assert {"serve", "ready", "init", "doctor", "worker", "operator", "terminal", "token", "employees"} <= ours
