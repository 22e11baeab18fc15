"""Looks for known holes in the pinned packages: `python deploy/audit_packages.py`.

pip-audit asks the package index for its advisories. An index that has none (a mirror) or is out of reach is said, and
is no failure: then nothing was audited. The exit status is 1 when a hole is known.
"""

import json
import subprocess
import sys
from typing import Any

SECONDS = 120


def main() -> int:
    """Ask, print what came of it, and return the exit status."""
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--format", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        print("Not audited: the advisories did not come in time.")
        return 0
    status, lines = judge(done.stdout)
    print("\n".join(lines))
    return status


def judge(answer: str) -> tuple[int, list[str]]:
    """Return the exit status and the lines to print for what pip-audit answered (its JSON format)."""
    try:
        packages: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return 0, ["Not audited: the advisories are out of reach."]
    asked = [one for one in packages if "skip_reason" not in one]
    if not asked:
        return 0, ["Not audited: this package index has no advisories."]
    holes = [
        f"{one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for one in asked
        for hole in one["vulns"]
    ]
    return (1, holes) if holes else (0, [f"No known hole in {len(asked)} packages."])


if __name__ == "__main__":
    sys.exit(main())
