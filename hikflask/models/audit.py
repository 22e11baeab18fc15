"""The audit trail: who did what, which is append-only; and the keys that seal what it says of people."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now


class AuditEntry(Base):
    """One action and who did it. The database refuses to change an entry, and to delete one of the last 30 days.

    There are no foreign keys, because an entry outlives the rows that it is about. `before` and `after` hold what
    changed, without secrets: an object, None when there is nothing, or a string when the object was too long and its
    text was cut.

    An entry about a person has a random pseudonym in `employee`, and number, subject and details in `sealed` alone:
    services/audit/sealing.py opens it for as long as the person's key is there.
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
    before: Mapped[dict[str, Any] | str | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | str | None] = mapped_column(JSON(none_as_null=True))
    sealed: Mapped[str | None] = mapped_column(Text)


class PersonKey(Base):
    """The pseudonym of a person in audit entries, and the key that opens them. Without this row they stay sealed.

    An employee has one for each number that the employee had. Without `employee_id` it belongs to the
    number alone. There is no foreign key, because entries outlive employees.
    """

    __tablename__ = "person_key"
    __table_args__ = (NO_ID_TWICE,)

    id: Mapped[int] = mapped_column(primary_key=True)
    pseudonym: Mapped[str] = mapped_column(String(32), index=True, unique=True)
    employee_id: Mapped[int | None] = mapped_column(index=True)
    number: Mapped[str] = mapped_column(String(32), index=True)
    key_encrypted: Mapped[str] = mapped_column(String(255))
