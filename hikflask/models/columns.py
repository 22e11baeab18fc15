"""The UTC datetime type of all columns, and the database's own clock, which measures leases and deadlines."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BindParameter, Boolean, DateTime, ScalarSelect, literal, select, text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

# SQLite would reuse the id of a deleted row, but a URL or a program may still name that row.
NO_ID_TWICE = {"sqlite_autoincrement": True}


def only(rows: str, postgresql: str = "") -> dict[str, Any]:
    """Return the options of an index on these rows alone; the condition may differ on PostgreSQL."""
    return {"sqlite_where": text(rows), "postgresql_where": text(postgresql or rows)}


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime, stored without a zone."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Convert to naive UTC. :raises ValueError: for a naive value."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime needs its zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Add the zone UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


class _DatabaseNow(FunctionElement[datetime]):
    type = UTCDateTime()
    inherit_cache = True


def database_now(seconds: float | BindParameter[float] = 0.0) -> _DatabaseNow:
    """Return the SQL expression for the database's present time plus `seconds`.

    :param seconds: a number, or a parameter that gets its number when the statement is executed.
    """
    return _DatabaseNow(seconds if isinstance(seconds, BindParameter) else literal(float(seconds)))


@compiles(_DatabaseNow, "sqlite")
def _sqlite_now(element: _DatabaseNow, compiler: Any, **kw: Any) -> str:
    offset = compiler.process(element.clauses, **kw)
    # SQLAlchemy stores microseconds, but SQLite's clock gives milliseconds. The zeros make both comparable as text.
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', printf('%+.3f seconds', {offset})) || '000')"


@compiles(_DatabaseNow, "postgresql")
def _postgresql_now(element: _DatabaseNow, compiler: Any, **kw: Any) -> str:
    offset = compiler.process(element.clauses, **kw)
    return f"((clock_timestamp() AT TIME ZONE 'UTC') + make_interval(secs => CAST({offset} AS double precision)))"


def one_moment(seconds: float = 0.0) -> ScalarSelect[datetime]:
    """Return the database's present time plus `seconds`, read once for a whole statement.

    So rows are found by an index. PostgreSQL's clock_timestamp() alone is read anew for each row, all of them.
    """
    return select(database_now(seconds)).scalar_subquery()


class contains_text(FunctionElement[bool]):  # noqa: N801 - used as a function
    """The SQL expression for: a text contains another one, letter by letter. Quicker than LIKE at very many rows."""

    type = Boolean()
    inherit_cache = True


@compiles(contains_text, "sqlite")
def _sqlite_contains(element: contains_text, compiler: Any, **kw: Any) -> str:
    return f"(instr({compiler.process(element.clauses, **kw)}) > 0)"


@compiles(contains_text, "postgresql")
def _postgresql_contains(element: contains_text, compiler: Any, **kw: Any) -> str:
    return f"(strpos({compiler.process(element.clauses, **kw)}) > 0)"
