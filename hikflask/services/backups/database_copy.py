"""Moves an installation between SQLite and PostgreSQL: copies every table, and compares both sides row by row.

The source is locked against changes meanwhile, so what is copied is one moment of it. All rows are written in one
transaction, which is rolled back when a table differs in the end. PostgreSQL stores no zero characters: storable()
replaces them on the way, as wherever else the app stores texts. The queue is not copied: the rows say what is due.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from alembic.migration import MigrationContext
from sqlalchemy import (
    JSON,
    URL,
    Column,
    Connection,
    Engine,
    String,
    Table,
    bindparam,
    cast,
    create_engine,
    delete,
    func,
    insert,
    inspect,
    null,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.exc import DBAPIError, OperationalError

from hikflask.extensions import db
from hikflask.models import EmployeeCount, Terminal
from hikflask.models.columns import database_now
from hikflask.services.backups import revisions
from hikflask.services.core import heartbeat
from hikflask.text_rules import storable

ROWS = 2000
# How the tables of the queue begin, and those of SQLite's index of names, which its triggers fill.
NOT_OURS = ("huey_", "employee_words", "employee_terms")
# Two tables refer to each other: these columns are written once both are there.
LATER = {("employee", "photo_id")}


class CopyError(RuntimeError):
    """The installation is not copied. The text says why, and what to do."""


def copy_to(url: URL, report: Callable[[str, int], None]) -> None:
    """Copy everything from the app's database to an empty one of the other kind, SQLite or PostgreSQL.

    :param url: where to, as HIKFLASK_DATABASE_URL has it.
    :param report: is called with each table's name and the number of its rows, once they are copied and compared.
    :raises CopyError: when it is not done; the target has no rows then.
    """
    target = _engine(url)
    try:
        _refuse_source()
        with _locked_source() as source:
            _prepare(target)
            with _errors_named("the target"), target.begin() as written:
                _copy(source, written, report)
    finally:
        target.dispose()


def _engine(url: URL) -> Engine:
    kind, here = url.get_backend_name(), db.engine.dialect.name
    if here == "sqlite" and kind != "postgresql":
        raise CopyError("The target must be PostgreSQL: an address like postgresql://user@host/database.")
    if here == "postgresql" and kind != "sqlite":
        raise CopyError(
            "The target must be SQLite: an address like sqlite:////folder/file. Between two databases of PostgreSQL "
            "its own programs copy: pg_dump and pg_restore."
        )
    return create_engine(url.set(drivername="postgresql+psycopg") if kind == "postgresql" else url)


def _refuse_source() -> None:
    with db.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_heads()
    if set(current) != set(revisions.heads()):
        raise CopyError("This installation has tables of another version. Run `flask --app wsgi db upgrade` first.")
    leased = select(Terminal.id).where(Terminal.lease_until > database_now()).limit(1)
    if heartbeat.alive() or db.session.execute(leased).first():
        raise CopyError("The installation is in use: stop the service and its workers, wait a minute, and try again.")


@contextmanager
def _locked_source() -> Iterator[Connection]:
    """Lock the source against changes within the block."""
    tables = ", ".join(f'"{table.name}"' for table in db.metadata.sorted_tables)
    lock = "BEGIN IMMEDIATE" if _is_sqlite(db.engine) else f"BEGIN; LOCK TABLE {tables} IN SHARE MODE NOWAIT"
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        try:
            connection.exec_driver_sql(lock)
        except OperationalError as error:
            raise CopyError("Somebody writes to the installation: stop the service, and try again.") from error
        try:
            yield connection
        finally:
            connection.exec_driver_sql("ROLLBACK")


def _is_sqlite(of: Engine | Connection) -> bool:
    return of.dialect.name == "sqlite"


def _prepare(target: Engine) -> None:
    """Check that the target is empty, and make the tables."""
    with _errors_named("the target"), target.connect() as connection:
        names = {name for name in inspect(connection).get_table_names() if not name.startswith(NOT_OURS)}
        current = set(MigrationContext.configure(connection).get_current_heads())
        ours = names == {"alembic_version", *(table.name for table in db.metadata.sorted_tables)}
        is_new = ours and current == set(revisions.heads())
        tables = [table for table in db.metadata.sorted_tables if is_new and table is not EmployeeCount.__table__]
        has_rows = any(connection.execute(select(1).select_from(table).limit(1)).first() for table in tables)
        if names and (has_rows or not is_new):
            raise CopyError("The target is not empty. Make a new database for it.")
    if not names:
        with _errors_named("the target"):
            revisions.migrate(target, "")


@contextmanager
def _errors_named(what: str) -> Iterator[None]:
    """Name in an error of the database what it is about, without what was sent to it. :raises CopyError:"""
    try:
        yield
    except DBAPIError as error:
        # The first line says what is wrong; the others may quote rows.
        why = str(error.orig).strip().partition("\n")[0]
        raise CopyError(f"{what[0].upper()}{what[1:]} answers: {why}") from None


def _copy(source: Connection, target: Connection, report: Callable[[str, int], None]) -> None:
    # SQLite's triggers count the employees that come in, so the row of the counts comes last.
    tables = sorted(db.metadata.sorted_tables, key=lambda table: table is EmployeeCount.__table__)
    _set_triggers(target, tables, "DISABLE")
    target.execute(delete(EmployeeCount))
    for table in tables:
        with _errors_named(f"the table {table.name}"):
            _copy_rows(source, target, table)
    for table in tables:
        with _errors_named(f"the table {table.name}"):
            _write_later(source, target, table)
            _continue_ids(source, target, table)
    for table in tables:
        here, there = _digest(source, table), _digest(target, table)
        if here != there:
            raise CopyError(
                f"The table {table.name} differs: {here[0]} rows here, {there[0]} there. Nothing is copied."
            )
        report(table.name, here[0])
    _set_triggers(target, tables, "ENABLE")


def _set_triggers(target: Connection, tables: list[Table], how: str) -> None:
    """Switch the triggers of PostgreSQL off or on: they keep columns and counts that are copied, too.

    Those of SQLite cannot be switched off. They find what they keep as it should be, and fill the index of names.
    """
    if _is_sqlite(target):
        return
    for table in tables:
        target.exec_driver_sql(f'ALTER TABLE "{table.name}" {how} TRIGGER USER')


def _copy_rows(source: Connection, target: Connection, table: Table) -> None:
    # The database derives the others, which are compared as all are.
    values = {column.name: _written(target, table, column) for column in table.columns if column.computed is None}
    statement = insert(table).values(values)
    with source.execute(_read(table), execution_options={"stream_results": True}) as result:
        for rows in result.partitions(ROWS):
            pairs = [map(_stored, zip(table.columns, row, strict=True)) for row in rows]
            given = [
                {
                    f"new_{column.name}": value
                    for column, value in row
                    if column.computed is None and (table.name, column.name) not in LATER
                }
                for row in pairs
            ]
            target.execute(statement, given)


def _written(target: Connection, table: Table, column: Column[Any]) -> Any:
    if (table.name, column.name) in LATER:
        return null()
    if isinstance(column.type, JSON):
        given = bindparam(f"new_{column.name}", type_=String())
        # To SQLite JSON is a text, and what it would cast to JSON becomes a number.
        return given if _is_sqlite(target) else cast(given, JSON)
    return bindparam(f"new_{column.name}", type_=column.type)


def _stored(pair: tuple[Column[Any], Any]) -> tuple[Column[Any], Any]:
    column, value = pair
    return column, storable(value) if isinstance(value, str) else value


def _write_later(source: Connection, target: Connection, table: Table) -> None:
    for column in (table.c[name] for owner, name in LATER if owner == table.name):
        statement = update(table).where(table.c.id == bindparam("row_id")).values({column: bindparam("new_value")})
        for rows in source.execute(select(table.c.id, column).where(column.is_not(None))).partitions(ROWS):
            target.execute(statement, [{"row_id": row_id, "new_value": value} for row_id, value in rows])


def _continue_ids(source: Connection, target: Connection, table: Table) -> None:
    """Let the next row get an id that no row had before, not even a deleted one."""
    column = table.autoincrement_column
    if column is None:
        return
    name = {"name": table.name}
    given: Any = select(func.pg_sequence_last_value(_sequence(table, column)))
    if _is_sqlite(source):
        given = text("SELECT seq FROM sqlite_sequence WHERE name = :name").bindparams(**name)
    last = max(source.execute(statement).scalar() or 0 for statement in (given, select(func.max(column))))
    if not _is_sqlite(target):
        target.execute(select(func.setval(_sequence(table, column), max(last, 1), last > 0)))
    elif table.dialect_options["sqlite"]["autoincrement"]:
        target.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), name)
        target.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), {**name, "last": last})


def _sequence(table: Table, column: Column[Any]) -> Any:
    """Return the sequence of PostgreSQL that gives a column its numbers. Without one it is NULL, and does nothing."""
    return cast(func.pg_get_serial_sequence(table.name, column.name), REGCLASS)


def _digest(connection: Connection, table: Table) -> tuple[int, int]:
    """Return how many rows a table has, and a digest of them all, in whatever order they come."""
    count = total = 0
    with connection.execute(_read(table), execution_options={"stream_results": True}) as result:
        for rows in result.partitions(ROWS):
            count += len(rows)
            for row in rows:
                # JSONB has its own order of the keys.
                values = [
                    json.dumps(json.loads(value), sort_keys=True) if value and isinstance(column.type, JSON) else value
                    for column, value in map(_stored, zip(table.columns, row, strict=True))
                ]
                total += int.from_bytes(hashlib.sha256(repr(values).encode()).digest())
    return count, total % 2**256


def _read(table: Table) -> Any:
    """Select all columns, JSON as the text that it is stored as."""
    is_json = {column: isinstance(column.type, JSON) for column in table.columns}
    return select(*(cast(type_coerce(one, String), String) if is_json[one] else one for one in table.columns))
