"""One attempt to take a face at a terminal, with the draft of the form."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now, only
from hikflask.models.people import Photo
from hikflask.models.refusal import WithRefusal
from hikflask.models.terminal import Terminal

QUEUED = "queued"
WAITING = "waiting"
CAPTURED = "captured"
USED = "used"
FAILED = "failed"
CANCELLED = "cancelled"
SUPERSEDED = "superseded"
RUNNING = (QUEUED, WAITING)


class Capture(WithRefusal, Base):
    """A capture: queued → waiting → captured → used, or failed, cancelled or superseded.

    `refusal` is why it failed; when nobody came, its `after` is for how many seconds the terminal waited: some give up
    before the deadline. Until `hold_until`, other numbers may not overwrite the terminal's
    one file while it is needed. `draft_consent` is the tick of the form's consent box,
    `draft_groups` the JSON list of the ids of the ticked groups ("": not shown), `draft_version` the version of the
    form's page.
    `request_id` is that of the request that started the capture.
    `retake_of` is the id of the capture that the form showed before: its picture stays usable until this one is taken.
    """

    __table_args__ = (
        CheckConstraint(
            "state IN ('queued', 'waiting', 'captured', 'used', 'failed', 'cancelled', 'superseded')", name="state"
        ),
        CheckConstraint("state NOT IN ('captured', 'used') OR photo_id IS NOT NULL", name="photo_when_captured"),
        Index("uq_capture_running", "terminal_id", unique=True, **only("state IN ('queued', 'waiting')")),
        NO_ID_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(12), default=QUEUED, index=True)
    requested_by: Mapped[str] = mapped_column(String(128))
    request_id: Mapped[str] = mapped_column(String(32), default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    deadline: Mapped[datetime] = mapped_column(UTCDateTime)
    draft_number: Mapped[str] = mapped_column(String(255), default="")
    draft_name: Mapped[str] = mapped_column(String(255), default="")
    draft_department: Mapped[str] = mapped_column(String(255), default="")
    draft_terminal_name: Mapped[str] = mapped_column(String(255), default="", server_default="")
    draft_valid_from: Mapped[str] = mapped_column(String(255), default="", server_default="")
    draft_valid_to: Mapped[str] = mapped_column(String(255), default="", server_default="")
    draft_consent: Mapped[bool] = mapped_column(default=False)
    draft_groups: Mapped[str] = mapped_column(String(255), default="", server_default="")
    draft_version: Mapped[str] = mapped_column(String(255), default="", server_default="")
    face_url: Mapped[str | None] = mapped_column(String(768))
    photo_id: Mapped[int | None] = mapped_column(ForeignKey("photo.id", ondelete="CASCADE"), unique=True)
    hold_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    lease_number: Mapped[int | None]
    # No foreign key: the earlier row may be deleted at any time, and its id is never used again.
    retake_of: Mapped[int | None]

    terminal: Mapped[Terminal] = relationship()
    photo: Mapped[Photo | None] = relationship(back_populates="capture")
