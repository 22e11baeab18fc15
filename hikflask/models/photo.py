"""One stored picture of a face."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now

if TYPE_CHECKING:
    from hikflask.models.capture import Capture

CAPTURED = "capture"
UPLOADED = "upload"
# The picture of a person who was enrolled on a terminal before.
TAKEN_OVER = "terminal"


class Photo(Base):
    """A JPEG in the uploads folder. Everything that needs a face refers to a photo.

    A forgotten photo (its retention ended) is not shown or sent any more; its SHA-256 still identifies the face.
    `file_deleted_at` is when its file was certainly gone, too. A new photo has a `forgotten_at` in the future, which
    saving clears.
    """

    __table_args__ = (CheckConstraint("source IN ('capture', 'upload', 'terminal')", name="source"), NO_ID_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    file: Mapped[str] = mapped_column(String(80), unique=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    source: Mapped[str] = mapped_column(String(8))
    employee_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    forgotten_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    file_deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    capture: Mapped["Capture | None"] = relationship(back_populates="photo", passive_deletes=True)

    @property
    def path(self) -> str:
        """The path of the photo's URL on this server."""
        return f"/uploads/{self.file}"

    @property
    def small_path(self) -> str:
        """The path of the photo as lists show it; browsers keep it for some minutes."""
        return f"{self.path}?size=small"
