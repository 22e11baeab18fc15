"""A group of terminals, such as all those of an office: departments and single employees belong to it."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, String, Table
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now


def _members(name: str, other: str) -> Table:
    """Return the table of what belongs to a group."""
    return Table(
        f"terminal_group_{name}",
        Base.metadata,
        Column("group_id", ForeignKey("terminal_group.id", ondelete="CASCADE"), primary_key=True),
        Column(f"{name}_id", ForeignKey(f"{other}.id", ondelete="CASCADE"), primary_key=True, index=True),
    )


GROUP_TERMINALS = _members("terminal", "terminal")
GROUP_DEPARTMENTS = _members("department", "department")
GROUP_EMPLOYEES = _members("employee", "employee")


class TerminalGroup(Base):
    """A group of terminals by its name. Who belongs to it, alone or by department, is desired on its terminals."""

    __table_args__ = (NO_ID_TWICE,)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
