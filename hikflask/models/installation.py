"""What an installation keeps of itself: changed settings, backups that were made, and workers that run."""

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now

MAX_SETTING_LENGTH = 200


class ChangedSetting(Base):
    """One setting by its name in config.SETTINGS, and its value as a text, which is parsed there."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(String(MAX_SETTING_LENGTH))
    set_by: Mapped[str] = mapped_column(String(128))
    set_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())


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


class Heartbeat(Base):
    """One row per worker process: its name (host and process number) and when it was last seen."""

    worker: Mapped[str] = mapped_column(String(128), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UTCDateTime)
