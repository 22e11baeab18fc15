"""A migrated SQLite database, made once in each process that tests, and copied: that is quicker."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from flask_migrate import upgrade

from hikflask import create_app
from tests.support.apps import close

FILE = "hikflask.sqlite3"


def migrate(folder: Path) -> None:
    """Put a migrated database without rows into an instance folder that has none."""
    file = folder / FILE
    file.touch(mode=0o600, exist_ok=False)
    file.write_bytes(_database())


@cache
def _database() -> bytes:
    with TemporaryDirectory() as folder:
        app = create_app({"INSTANCE_PATH": folder, "TESTING": True})
        with app.app_context():
            upgrade()
        close(app)
        assert not (Path(folder) / f"{FILE}-wal").exists()
        return (Path(folder) / FILE).read_bytes()
