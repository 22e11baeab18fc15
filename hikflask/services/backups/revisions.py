"""The revisions of the tables that this version knows, and the way to the newest."""

from contextlib import suppress

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import Engine

from hikflask.services.backups import BackupError


def heads() -> list[str]:
    """Return the newest revision, in a list."""
    return ScriptDirectory.from_config(_config()).get_heads()


def refuse_unknown(revision: str) -> None:
    """Refuse tables of another program, or of a newer version. :raises BackupError: when this version lacks it."""
    script = None
    with suppress(CommandError):
        script = ScriptDirectory.from_config(_config()).get_revision(revision)
    if script is None or script.revision != revision:
        raise BackupError(
            f"This backup has tables of revision {revision or 'none'}, which this version does not know: "
            "install the version that made it, or a newer one."
        )


def migrate(engine: Engine, revision: str) -> None:
    """Bring the tables of an older revision to the newest."""
    if heads() == [revision]:
        return
    config = _config()
    # migrations/env.py migrates this database instead of the app's.
    config.attributes["engine"] = engine
    command.upgrade(config, "head")


def _config() -> Config:
    config: Config = current_app.extensions["migrate"].migrate.get_config()
    return config
