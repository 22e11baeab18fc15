"""A person whose every trace is being erased."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now


class Erasure(Base):
    """Erasing one employee everywhere: complete, with a certificate, when each terminal confirmed the removal.

    And when nothing is left here: no file, and nothing in the database's own files (see housekeeping.py).

    `terminals` is a JSON list, an object per enrolment: `enrolment` (its id), `terminal` (name), `number`, `at` (when
    it was gone: UTC, ISO 8601; "" while it is not), `by_hand` (a person said so, not the terminal), `said_by` (who) and
    `note` (what became of a terminal that is out of service, or that the record there is somebody else's). `files` is a
    JSON list of pictures that are still to be removed from the uploads folder. Number and name stay here for the
    certificate alone, and go with the row when its retention ends.
    """

    __table_args__ = NO_ID_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    employee_id: Mapped[int | None]
    number: Mapped[str] = mapped_column(String(32), index=True)
    name: Mapped[str] = mapped_column(String(128))
    terminals: Mapped[str] = mapped_column(Text, default="[]")
    photos: Mapped[int] = mapped_column(default=0)
    files: Mapped[str] = mapped_column(Text, default="[]")
    requested_by: Mapped[str] = mapped_column(String(128))
    requested_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    completed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def has_files(self) -> bool:
        """True while pictures are still to be removed."""
        return self.files != "[]"
