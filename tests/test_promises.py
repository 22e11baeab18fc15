"""What the files around the package promise: safety is checked, privacy is no claim, a try says who signs in."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Folder of a language → what its privacy page says: that no law is promised to be kept, and the heading of what is left
# to the owner.
PRIVACY = {
    "en": ("It promises no compliance with any law", "## What you must decide"),
    "ru": ("Соответствия какому-либо закону (152-ФЗ, GDPR или другому) она не обещает", "## Что решать вам"),
}


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def recipe(target: str) -> list[str]:
    """The commands of a target of the Makefile."""
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", text("Makefile"), re.MULTILINE)
    assert found is not None
    return [line.strip() for line in found[1].splitlines()]


def test_ruff_looks_for_what_is_not_safe() -> None:
    lint = tomllib.loads(text("pyproject.toml"))["tool"]["ruff"]["lint"]

    assert "S" in lint["select"]
    assert [rule for rule in lint["ignore"] if re.fullmatch(r"S\d*", rule)] == []
    ours = {path: rules for path, rules in lint["per-file-ignores"].items() if path.startswith(("hikflask", "*"))}
    assert {rule for rules in ours.values() for rule in rules} == {"PLC0415"}


def test_check_asks_for_packages_with_known_holes() -> None:
    commands = recipe("check")

    assert "$(BIN)/ruff check ." in commands
    assert "$(BIN)/python deploy/audit_packages.py" in commands


@pytest.mark.parametrize("language", PRIVACY)
def test_privacy_is_no_claim_and_says_what_is_left_to_the_owner(language: str) -> None:
    claim, heading = PRIVACY[language]
    page = text(f"docs/{language}/privacy.md")

    assert claim in page
    assert page.partition(f"{heading}\n")[2].strip().count("\n* ") >= 2


def test_a_try_prints_who_signs_in_with_what() -> None:
    script = text("deploy/run.sh")

    name = re.search(r"operator create (\w+) --role admin", script)
    assert name is not None
    assert re.search(rf'^echo " *sign in as: +{name[1]}"$', script, re.MULTILINE)
    assert re.search(r'^echo " *password: +\$password"$', script, re.MULTILINE)
