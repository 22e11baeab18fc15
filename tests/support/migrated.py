"""A migrated SQLite database, made once in each process that tests, and copied: that is quicker."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
FILE = "hikflask.sqlite3"


def migrate(folder: Path) -> None:
    """Put a migrated database without rows into an instance folder that has none."""
    file = folder / FILE
    file.touch(mode=0o600, exist_ok=False)
    file.write_bytes(_database())


@cache
def _database() -> bytes:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
    with TemporaryDirectory() as folder:
        environment = {**os.environ, "HIKFLASK_INSTANCE_PATH": folder}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        assert not (Path(folder) / f"{FILE}-wal").exists()
        return (Path(folder) / FILE).read_bytes()
