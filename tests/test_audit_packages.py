"""What `make check` says of known holes in packages."""

import json
from typing import Any

import pytest

from deploy.audit_packages import judge

SKIPPED = {"name": "flask", "skip_reason": "Dependency not found on PyPI"}
CLEAN = {"name": "flask", "version": "3.1.3", "vulns": []}
HOLE = {"name": "jinja2", "version": "3.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1"]}]}


@pytest.mark.parametrize(
    ("packages", "status", "line"),
    [
        ([CLEAN], 0, "No known hole in 1 packages."),
        ([CLEAN, HOLE, SKIPPED], 1, "jinja2 3.0: PYSEC-1, mended in 3.1"),
        ([SKIPPED], 0, "Not audited: this package index has no advisories."),
    ],
)
def test_holes_are_told_and_fail(packages: list[dict[str, Any]], status: int, line: str) -> None:
    assert judge(json.dumps({"dependencies": packages})) == (status, [line])


@pytest.mark.parametrize("answer", ["", "no json", "[]", "{}"])
def test_advisories_out_of_reach_are_said_and_do_not_fail(answer: str) -> None:
    assert judge(answer) == (0, ["Not audited: the advisories are out of reach."])
