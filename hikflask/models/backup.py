"""A backup that was made."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now


class Backup(Base):
    """A backup that was finished: the moment whose data it holds, its file's size in bytes, and how much is in it.

    `missing` counts the photos whose files were not there.
    """

    __table_args__ = (NO_ID_TWICE,)

    id: Mapped[int] = mapped_column(primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(UTCDateTime)
    finished_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    size: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    photos: Mapped[int]
    missing: Mapped[int]
    with_keys: Mapped[bool]
