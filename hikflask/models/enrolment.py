"""One number on one terminal: what is desired there, and what the terminal confirmed."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now
from hikflask.models.photo import Photo
from hikflask.models.terminal import Terminal

if TYPE_CHECKING:
    from hikflask.models.employee import Employee

PRESENT = "present"
ABSENT = "absent"
PENDING = "pending"
CONFIRMED = "confirmed"
REFUSED = "refused"
# A confirmation_note that is no free text: the number is there still, and its record is somebody else's, which stays.
SOMEBODY_ELSES = "somebody_elses_record"


class Enrolment(Base):
    """The desired state of one number on one terminal, and what the terminal confirmed of it.

    Desired: `desired` (present or absent), since `desired_since` (None: before this was recorded), and with which
    photo. `generation` rises with every change of it; a conversation writes only while the generation is still the one
    that it began with. `overwrite`: whoever has the number there under another name is taken off first.

    Confirmed: `person` and `face` are pending, confirmed or refused, each on its own. Where absent is desired, a
    confirmed person means that the terminal answered that nobody is there. `face_unverified` is set before FDSetUp is
    sent and cleared only when its effect is proven or undone. `written_name` is the name that the terminal showed last,
    `sent_name` one that was sent since and may be there; the earlier one stays until the later one is proven.

    `on_old_device`: the number was on a device that was at the terminal's address before, as `name_on_old_device`.
    That device is not asked any more, so only a person can say that the number is gone there. `confirmed_by` is who
    said so, at `confirmed_at`; `confirmation_note` is what became of a terminal that is out of service for good, or
    SOMEBODY_ELSES where the number is not gone. Both are empty where the terminal itself answered.
    """

    __table_args__ = (
        UniqueConstraint("terminal_id", "number"),
        CheckConstraint("desired IN ('present', 'absent')", name="desired"),
        CheckConstraint("person IN ('pending', 'confirmed', 'refused')", name="person"),
        CheckConstraint("face IN ('pending', 'confirmed', 'refused')", name="face"),
        # Green is always about the photo that is desired now, and never unverified.
        CheckConstraint(
            "face <> 'confirmed' OR (desired = 'present' AND photo_id IS NOT NULL AND confirmed_photo_id IS NOT NULL "
            "AND confirmed_photo_id = photo_id AND confirmed_at IS NOT NULL AND NOT face_unverified)",
            name="confirmed_face",
        ),
        Index("ix_enrolment_next_attempt_at", "next_attempt_at"),
        NO_ID_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id"))
    number: Mapped[str] = mapped_column(String(32), index=True)
    employee_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id", ondelete="SET NULL"), index=True)
    desired: Mapped[str] = mapped_column(String(8), default=PRESENT)
    generation: Mapped[int] = mapped_column(default=1)
    photo_id: Mapped[int | None] = mapped_column(ForeignKey("photo.id", ondelete="SET NULL"), index=True)
    overwrite: Mapped[bool] = mapped_column(default=False)

    person: Mapped[str] = mapped_column(String(10), default=PENDING)
    face: Mapped[str] = mapped_column(String(10), default=PENDING)
    confirmed_photo_id: Mapped[int | None] = mapped_column(ForeignKey("photo.id", ondelete="SET NULL"), index=True)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    written_name: Mapped[str] = mapped_column(String(128), default="")
    sent_name: Mapped[str] = mapped_column(String(128), default="")
    face_unverified: Mapped[bool] = mapped_column(default=False)
    on_old_device: Mapped[bool] = mapped_column(default=False)
    name_on_old_device: Mapped[str] = mapped_column(String(128), default="", server_default="")
    confirmed_by: Mapped[str] = mapped_column(String(128), default="", server_default="")
    confirmation_note: Mapped[str] = mapped_column(String(255), default="", server_default="")
    step: Mapped[str] = mapped_column(String(12), default="")

    refusal_code: Mapped[str] = mapped_column(String(64), default="")
    refusal_text: Mapped[str] = mapped_column(String(255), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=database_now())
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    desired_since: Mapped[datetime | None] = mapped_column(UTCDateTime, default=database_now())

    terminal: Mapped[Terminal] = relationship()
    employee: Mapped["Employee | None"] = relationship(back_populates="enrolments")
    photo: Mapped[Photo | None] = relationship(foreign_keys=[photo_id])

    @property
    def is_confirmed(self) -> bool:
        """True when the terminal confirmed all that is wanted: person and face there, or nobody there."""
        if self.desired == ABSENT:
            return self.person == CONFIRMED
        return self.person == CONFIRMED and self.face == CONFIRMED

    @property
    def name_there(self) -> str:
        """The name that we last gave this number there; empty when we never did."""
        return self.sent_name or self.written_name

    @property
    def last_name(self) -> str:
        """The name that we last gave this number, there or on a device that was there before."""
        return self.name_there or self.name_on_old_device

    @property
    def is_green(self) -> bool:
        """True when it is confirmed, and the terminal was checked since the way to it changed."""
        return self.is_confirmed and self.terminal.face_mode is not None

    @property
    def may_open_doors(self) -> bool:
        """True while a removal is not confirmed by the terminal."""
        return self.desired == ABSENT and self.person != CONFIRMED

    @property
    def is_somebody_elses(self) -> bool:
        """True when a person said that the record under this number there is somebody else's."""
        return self.confirmation_note == SOMEBODY_ELSES

    @property
    def waits_for_hand(self) -> bool:
        """True while only a device that is not asked any more may know the number: a person must say it is gone."""
        return self.may_open_doors and self.on_old_device and not self.name_there
