"""Which column of a table has which field, kept under a name for the next table with the same heads."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now


class ImportMapping(Base):
    """A mapping. `columns` are the heads of the table, `fields` and `options` as those of an import."""

    __table_args__ = (NO_ID_TWICE,)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    columns: Mapped[list[str]] = mapped_column(JSON)
    fields: Mapped[dict[str, int]] = mapped_column(JSON)
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    saved_by: Mapped[str] = mapped_column(String(128), default="")
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
