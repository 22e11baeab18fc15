"""What `make check` says of known holes in packages."""

import json
from typing import Any

import pytest

from deploy.audit_packages import AGAIN, judge

SKIPPED = {"name": "flask", "skip_reason": "Dependency not found on PyPI"}
CLEAN = {"name": "flask", "version": "3.1.3", "vulns": []}
HOLE = {"name": "jinja2", "version": "3.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1"]}]}
NO_HOLE, A_HOLE = "No known hole in 1 packages.", "jinja2 3.0: PYSEC-1, mended in 3.1"


def not_audited(count: int) -> list[str]:
    return [f"NOT AUDITED: {count} packages, of which this index has no advisories.", AGAIN]


@pytest.mark.parametrize(
    ("packages", "status", "lines"),
    [
        ([CLEAN], 0, [NO_HOLE]),
        ([CLEAN, HOLE], 1, [A_HOLE]),
        ([CLEAN, HOLE, SKIPPED], 1, [A_HOLE, *not_audited(1)]),
        ([CLEAN, SKIPPED, SKIPPED], 0, [NO_HOLE, *not_audited(2)]),
        ([SKIPPED], 0, not_audited(1)),
    ],
)
def test_holes_are_told_and_fail_and_what_nobody_looked_at_is_told_too(
    packages: list[dict[str, Any]], status: int, lines: list[str]
) -> None:
    assert judge(json.dumps({"dependencies": packages})) == (status, lines)


@pytest.mark.parametrize("answer", ["", "no json", "[]", "{}"])
def test_advisories_out_of_reach_are_said_with_the_reason_and_do_not_fail(answer: str) -> None:
    said = "Traceback\nNo module named pip_audit\n"

    assert judge(answer, said) == (
        0,
        ["NOT AUDITED: the advisories are out of reach (No module named pip_audit).", AGAIN],
    )
