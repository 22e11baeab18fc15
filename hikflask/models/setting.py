"""The settings that an administrator changed on the page of settings."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import UTCDateTime, database_now

MAX_LENGTH = 200


class ChangedSetting(Base):
    """One setting by its name in config.SETTINGS, and its value as a text, which is parsed there."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(String(MAX_LENGTH))
    set_by: Mapped[str] = mapped_column(String(128))
    set_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
