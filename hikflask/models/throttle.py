"""Counts recent tries for rate limits. The counts are in the database, so that all processes share them."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import UTCDateTime


class Throttle(Base):
    """The number of tries for one key (an account, an address, a token) since its window began."""

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    since: Mapped[datetime] = mapped_column(UTCDateTime)
    count: Mapped[int]
