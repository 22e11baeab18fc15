"""Looks for known holes in the pinned packages: `python deploy/audit_packages.py`.

pip-audit asks the package index for its advisories. An index that has none (a mirror) or is out of reach is said in
capitals, and is no failure: a build without a network would end here. The exit status is 1 when a hole is known.
"""

import json
import subprocess
import sys
from typing import Any

SECONDS = 120
AGAIN = "Nobody looked for known holes there: run `make check` again where the Python package index itself answers."


def main() -> int:
    """Ask, print what came of it, and return the exit status."""
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--format", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        print("\n".join(not_audited("the advisories did not come in time")))
        return 0
    status, lines = judge(done.stdout, done.stderr)
    print("\n".join(lines))
    return status


def judge(answer: str, complaint: str = "") -> tuple[int, list[str]]:
    """Return the exit status and the lines to print for what pip-audit answered (its JSON format) and complained of."""
    try:
        packages: list[dict[str, Any]] = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        said = complaint.strip().rpartition("\n")[2] or "not a word"
        return 0, not_audited(f"the advisories are out of reach ({said})")
    asked = [one for one in packages if "skip_reason" not in one]
    holes = [
        f"{one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for one in asked
        for hole in one["vulns"]
    ]
    found = holes or [f"No known hole in {len(asked)} packages."] if asked else []
    skipped = len(packages) - len(asked)
    unknown = not_audited(f"{skipped} packages, of which this index has no advisories") if skipped else []
    return (1 if holes else 0), [*found, *unknown]


def not_audited(why: str) -> list[str]:
    """Return the lines that say that nobody looked."""
    return [f"NOT AUDITED: {why}.", AGAIN]


if __name__ == "__main__":
    sys.exit(main())
