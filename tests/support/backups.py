"""Backups of the app under test, and another installation to restore them into."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from click.testing import Result
from flask import Flask

from hikflask import create_app
from tests.support.apps import close
from tests.support.postgresql import Cluster

PASSPHRASE = "правильная лошадь"
RESTORED = "restored"


def run(app: Flask, *arguments: object, given: str = "") -> Result:
    """Run a command of the app, with this text on its standard input."""
    return app.test_cli_runner().invoke(args=[str(one) for one in arguments], input=given, catch_exceptions=False)


def back_up(app: Flask, file: Path) -> Path:
    """Back up everything, with the keys."""
    done = run(app, "backup", file, "--with-keys", "--passphrase-stdin", given=f"{PASSPHRASE}\n")
    assert (done.exit_code, done.stderr) == (0, ""), done.output
    return file


def restore(app: Flask, file: Path, *options: str) -> Result:
    """Restore everything, with the keys."""
    return run(app, "restore", file, "--passphrase-stdin", *options, given=f"{PASSPHRASE}\n")


@contextmanager
def another(
    app: Flask, folder: Path, cluster: Cluster | None = None, *, migrated: Path | None = None
) -> Iterator[Flask]:
    """Another installation of the same kind, on the same wire: an empty folder, and a database without tables.

    :param migrated: the database of SQLite that is copied, so that it has the tables; PostgreSQL has a template.
    """
    given = {"INSTANCE_PATH": str(folder), "TESTING": True, "WORKER": "external", "WTF_CSRF_ENABLED": False}
    template = "migrated" if migrated else "template1"
    on = {"DATABASE_URL": cluster.create(RESTORED, template)} if cluster else {}
    other = create_app({**given, **on, "BACKUP_MAX_AGE": 0, "LEASE_WAIT": 0.2, "CAPTURE_PAUSE": 0.001})
    other.extensions["terminal_transport"] = app.extensions["terminal_transport"]
    if migrated and not cluster:
        (folder / "hikflask.sqlite3").write_bytes(migrated.read_bytes())
    try:
        yield other
    finally:
        close(other)
        if cluster:
            cluster.drop(RESTORED)
