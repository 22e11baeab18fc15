"""Who did what; append-only."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import UTCDateTime, database_now


class AuditEntry(Base):
    """One deed. The database itself refuses to change an entry, and to delete one that is younger than 30 days.

    No foreign keys: an entry outlives what it tells of. `before` and `after` are JSON objects without secrets.
    """

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now(), index=True)
    actor: Mapped[str] = mapped_column(String(128), index=True)
    address: Mapped[str] = mapped_column(String(64), default="")
    request_id: Mapped[str] = mapped_column(String(32), default="")
    action: Mapped[str] = mapped_column(String(48), index=True)
    employee_id: Mapped[int | None]
    employee: Mapped[str] = mapped_column(String(32), default="", index=True)
    terminal: Mapped[str] = mapped_column(String(64), default="")
    subject: Mapped[str] = mapped_column(String(128), default="")
    before: Mapped[str] = mapped_column(Text, default="")
    after: Mapped[str] = mapped_column(Text, default="")
