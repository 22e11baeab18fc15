"""Alembic's environment: the app's engine and tables, for `flask --app wsgi db …`."""

import logging

from alembic import context
from flask import current_app
from sqlalchemy import Connection

log = logging.getLogger("alembic.env")

database = current_app.extensions["migrate"].db
# Huey keeps its own tables beside ours when the database is PostgreSQL; they are not ours to migrate.
# The index of names (0017) is made by hand: a table of FTS5 with its own tables on SQLite, an index on PostgreSQL.
FOREIGN_TABLES = ("huey_", "employee_words", "employee_terms")
OWN_INDEX = "ix_employee_words"


def include_name(name: str | None, kind: str, parent_names: object) -> bool:  # noqa: ARG001
    """Leave the queue's tables and the index of names alone."""
    return not (kind == "table" and (name or "").startswith(FOREIGN_TABLES)) and name != OWN_INDEX


def render_item(kind: str, item: object, autogen_context: object) -> str | bool:  # noqa: ARG001
    """Write our datetime type as what it is in the database, so that old migrations never import today's code."""
    return "sa.DateTime()" if kind == "type" and type(item).__name__ == "UTCDateTime" else False


def run_offline() -> None:
    """Print the SQL instead of executing it."""
    url = database.engine.url.render_as_string(hide_password=False)
    context.configure(url=url, target_metadata=database.metadata, literal_binds=True, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Migrate the app's database, or the one that the app is copied to."""
    with context.config.attributes.get("engine", database.engine).connect() as connection:
        if connection.dialect.name == "sqlite":
            # A batch migration copies and drops tables; references must not be followed meanwhile.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.commit()
        try:
            with connection.begin():
                if connection.dialect.name == "sqlite":
                    # Its driver begins none by itself before CREATE or ALTER. So all versions come in one transaction.
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                _run(connection)
        finally:
            connection.invalidate()


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=database.metadata,
        include_name=include_name,
        render_item=render_item,
        render_as_batch=True,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online()
