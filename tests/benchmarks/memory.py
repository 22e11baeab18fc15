"""What processes take, by Linux's own account (proc(5))."""

from pathlib import Path


def children(pid: int) -> list[int]:
    """Return the processes that a process has started, and that have not ended."""
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += map(int, (thread / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue  # It has just ended.
    return found


def megabytes(pid: int) -> float:
    """Return the resident memory of a process; of one that has ended, none."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:")), 0.0)
