"""A person whose every trace is being erased."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import UTCDateTime, database_now


class Erasure(Base):
    """Erasing one employee everywhere: complete, with a certificate, when each terminal confirmed the removal.

    `terminals` is a JSON object: terminal name → when it confirmed (UTC, ISO 8601), "by_hand" or "". Number and name
    stay here for the certificate alone, and go with the row when its retention ends.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(32), index=True)
    name: Mapped[str] = mapped_column(String(128))
    terminals: Mapped[str] = mapped_column(Text, default="{}")
    photos: Mapped[int] = mapped_column(default=0)
    requested_by: Mapped[str] = mapped_column(String(128))
    requested_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    completed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
