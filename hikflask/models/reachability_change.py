"""When a terminal began to answer, and when it stopped."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now


class ReachabilityChange(Base):
    """A terminal answers, or does not, from this moment until its next row; None: that is not known.

    Nothing is known before its first row.
    """

    __table_args__ = (Index("ix_reachability_change_terminal_id_at", "terminal_id", "at"), NO_ID_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    is_reachable: Mapped[bool | None]
