"""The heartbeats of workers, so that pages can show when no worker runs."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import UTCDateTime


class Heartbeat(Base):
    """One row per worker process: its name (host and process number) and when it was last seen."""

    worker: Mapped[str] = mapped_column(String(128), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
