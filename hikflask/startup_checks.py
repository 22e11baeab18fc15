"""Checks before a process serves pages or runs tasks. Other commands run without them, so as to repair things."""

import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask, current_app, has_app_context
from sqlalchemy import inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from hikflask import config, disk_space
from hikflask.config import SHIPPED, ConfigError, instance_path
from hikflask.encryption import key_rotation
from hikflask.extensions import db, vault
from hikflask.services.accounts import operators
from hikflask.services.core import no_space

log = logging.getLogger(__name__)
MAX_NAMES = 3
# The version of the tables in a migration, and the one before it. Alembic itself would take 10 MB of each process.
VERSION = re.compile(r"""^(down_)?revision = ['"](\w+)['"]""", re.MULTILINE)


def prepare(app: Flask) -> None:
    """Check that the database has the tables of this version and that the keys decrypt every terminal's password,
    every operator's second factor and every webhook's secret.

    :raises ConfigError: with a sentence that says what to do.
    """
    with app.app_context():
        check_tables()
        check_keys()


def check_tables() -> None:
    """Check that the database has the tables of this version. Needs an app context.

    :raises ConfigError: with a sentence that says what to do.
    """
    current, needed = usable_version(), needed_version()
    if current != needed:
        raise ConfigError(without_tables(f"version {current or 'none'} instead of {needed}"))


def check_keys() -> None:
    """Check that the keys decrypt what is stored encrypted. Needs an app context.

    :raises ConfigError: with a sentence that says what to do.
    """
    with _answering():
        closed = key_rotation.unreadable()
    if closed:
        more = f" and {len(closed) - MAX_NAMES} more" if len(closed) > MAX_NAMES else ""
        names = ", ".join(f"“{name}”" for name in closed[:MAX_NAMES]) + more
        raise ConfigError(
            f"The password key does not open what is stored for {names}: {vault.keyring.cure}, or type the passwords "
            f"again with `{config.COMMAND} terminal add --replace`, take second factors off with "
            f"`{config.COMMAND} operator second-factor NAME --remove`, "
            f"and delete webhooks with `{config.COMMAND} webhook delete ID`."
        )


def needed_version() -> str:
    """Return the version that this program's tables have: the one that no other one follows."""
    versions = _versions()
    return ", ".join(sorted({name for down, name in versions if not down} - {name for down, name in versions if down}))


def usable_version() -> str:
    """Return the version of the database's tables, or "" where there are none. Needs an app context.

    :raises ConfigError: with a sentence that says what to do, when the database does not answer, or when a newer
        program has made its tables.
    """
    with _answering():
        current = current_version()
    if current and current not in {name for _, name in _versions()}:
        raise ConfigError(
            f"{_database()} has tables of version {current}, which this program does not know: its own are of version "
            f"{needed_version()}. Install the newer program again that made them, or restore the backup of before it."
        )
    return current


def _versions() -> list[tuple[str, str]]:
    """Return each version that a migration names: its own with an empty text, the one before it with "down_"."""
    files = (SHIPPED / "migrations" / "versions").glob("*.py")
    return VERSION.findall("".join(file.read_text(encoding="utf-8") for file in files))


def current_version() -> str:
    """Return the version of the database's tables, or "" where there are none. Needs an app context."""
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return ""
        return ", ".join(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())


@contextmanager
def enough_space() -> Iterator[None]:
    """Name a full disk within the block. :raises ConfigError: with a sentence that says what to do."""
    try:
        yield
    except disk_space.ERRORS as error:
        folder = current_app.config["INSTANCE_PATH"] if has_app_context() else instance_path()
        if not (why := disk_space.explain(error, Path(folder))):
            raise
        raise ConfigError(why) from error


def announce_first_run(app: Flask) -> None:
    """Write the code for creating the first administrator into the log, as long as there are no operators."""
    with app.app_context():
        if operators.exist():
            return
        log.warning("Nobody can sign in yet: open /first-run and give the code %s", operators.setup_code())


def unusable(error: DBAPIError) -> str:
    """Return why a command could not use the database: it does not answer, or lacks tables. Needs an app context."""
    # SQLite has one class for both; of its codes this one is about the statement, and so about tables.
    lacks_tables = isinstance(error, ProgrammingError) or (
        isinstance(error.orig, sqlite3.Error) and error.orig.sqlite_errorcode == sqlite3.SQLITE_ERROR
    )
    return without_tables(str(error.orig)) if lacks_tables else _silent(error)


def without_tables(why: str) -> str:
    """Return the sentence about missing tables. Needs an app context.

    :param why: what was found instead, for the brackets.
    """
    return (
        f"{_database()} does not have the tables that are needed ({why}). "
        f"Run `{config.COMMAND} db upgrade` first, or set HIKFLASK_INSTANCE_PATH (or HIKFLASK_DATABASE_URL) "
        "to what the service uses."
    )


def cannot_be_used(error: DBAPIError) -> str:
    """Return the sentence about any other error of the database, in one line. Needs an app context."""
    return f"{_database()} cannot be used: {' '.join(str(error.orig).split())}"


def _database() -> str:
    # The query may hold a password, too.
    return db.engine.url.set(query={}).render_as_string(hide_password=True)


@contextmanager
def _answering() -> Iterator[None]:
    """Name a database that does not answer within the block. :raises ConfigError:"""
    try:
        yield
    except OperationalError as error:
        raise ConfigError(_silent(error)) from error


def _silent(error: DBAPIError) -> str:
    silent = f"{_database()} does not answer: {' '.join(str(error.orig).split())}"
    return no_space.explain(error) or silent
