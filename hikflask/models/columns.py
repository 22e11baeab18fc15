"""The one UTC datetime type, and the database's own clock, which leases and deadlines are measured by."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

# An address or a program may still name a row that was deleted: SQLite would give its id to the next one.
NO_ID_TWICE = {"sqlite_autoincrement": True}


def storable(text: str) -> str:
    """Return a text as both databases take it, to be kept or looked for: PostgreSQL knows no zero character."""
    return text.replace("\0", "\ufffd")


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime, stored without zone."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Store as naive UTC; a naive value is a mistake of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime needs its zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Give the stored UTC its zone back."""
        return None if value is None else value.replace(tzinfo=UTC)


class _DatabaseNow(FunctionElement[datetime]):
    type = UTCDateTime()
    inherit_cache = True


def database_now(seconds: float = 0.0) -> _DatabaseNow:
    """Return the SQL expression for the database's own present time, `seconds` later."""
    return _DatabaseNow(literal(float(seconds)))


@compiles(_DatabaseNow, "sqlite")
def _sqlite_now(element: _DatabaseNow, compiler: Any, **kw: Any) -> str:
    offset = compiler.process(element.clauses, **kw)
    # SQLAlchemy stores microseconds; SQLite knows milliseconds: pad, so that texts compare and parse alike.
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', printf('%+.3f seconds', {offset})) || '000')"


@compiles(_DatabaseNow, "postgresql")
def _postgresql_now(element: _DatabaseNow, compiler: Any, **kw: Any) -> str:
    offset = compiler.process(element.clauses, **kw)
    return f"((clock_timestamp() AT TIME ZONE 'UTC') + make_interval(secs => CAST({offset} AS double precision)))"
