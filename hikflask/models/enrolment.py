"""One number on one terminal: its desired state, and what the terminal confirmed."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, CheckConstraint, Computed, ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column, query_expression, relationship

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now, only
from hikflask.models.people import Photo
from hikflask.models.refusal import WithRefusal
from hikflask.models.terminal import Terminal

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from hikflask.models.people import Employee

PRESENT = "present"
ABSENT = "absent"
PENDING = "pending"
CONFIRMED = "confirmed"
REFUSED = "refused"
# A confirmation_note with a fixed meaning: the number is still there, because its record is somebody else's.
SOMEBODY_ELSES = "somebody_elses_record"

# The states, as programs get them too; what a badge shows beyond them is a detail (services/state/badges.py).
WAITING = "waiting"
LEAVING = "leaving"
REMOVED = "removed"
STATES = (CONFIRMED, WAITING, REFUSED, LEAVING, REMOVED)
# A generated column, so that no statement can write a row whose state contradicts its facts. The transitions write
# facts; which state follows is said once, here, and both databases index it.
_STATE = """CASE
    WHEN desired = 'absent' AND person = 'confirmed' THEN 'removed'
    WHEN desired = 'absent' THEN 'leaving'
    WHEN person = 'confirmed' AND face = 'confirmed' THEN 'confirmed'
    WHEN next_attempt_at IS NOT NULL OR step <> '' THEN 'waiting'
    ELSE 'refused' END"""


def names_sent(row: Any) -> set[str]:
    """Return Enrolment.names_sent of an enrolment, or of its columns."""
    return {row.written_name, row.sent_name, row.name_on_old_device, *(row.unanswered or {}).get("names", ())}


class Enrolment(WithRefusal, Base):
    """The desired state of one number on one terminal, and what the terminal confirmed of it.

    `state` is one of STATES, generated from the other columns: waiting while it is tried, refused when it is tried no
    more, confirmed, leaving until nobody is there, and removed.

    Desired: `desired` is present or absent, since `desired_since` (None: before this was recorded; not while leaving),
    with the photo `photo_id`. `generation` rises with every change of the desired state; a conversation writes only
    while the generation is the one with which it began. `overwrite`: a person who has the number there under another
    name is removed first. `in_bulk`: one of many, by a job or after the terminal lost people; a single person comes
    before.
    `request_id` is that of the request that changed the desired state last, or empty.
    `by_group`: desired because of a group of terminals, so it ends with the membership.

    Confirmed: `person` and `face` are pending, confirmed or refused, independently. When absent is desired, a confirmed
    person means that the terminal found nobody. `face_unverified` is set before FDSetUp is sent, and cleared only when
    its effect is verified or undone. `written_name` is the name that the terminal showed last, `sent_name` a later one
    that may be there; both stay until the later one is verified. `valid_there` is the validity that the terminal showed
    last, in its own words ("2000-01-01T00:00:00/2037-12-31T23:59:59", or "off"; empty: not known), and `sent_valid` one
    that was sent and may limit the person there until it is lifted. `rights_before` is what the person could do there
    before a change that is not proven yet, and must be able to do after it (see services/enrolments/rights.py).
    `plans_there` is by which schedules the person may pass there, when somebody asked (services/passages/schedules.py).
    `may_arrive_until`: until then, something that was sent and got no answer may still arrive at the terminal. What it
    is, `unanswered` tells: the `names` that were sent, and whether there is a `face` among it.
    `changed_at` is when desired, person or face were written last. `face_there` is the SHA-256 of the enrolled picture
    as the terminal stores our face, where that differs from the photo.

    `on_old_device`: the number was on an earlier device at the terminal's address, with the name `name_on_old_device`.
    That device cannot be asked, so only a person can state that the number is gone there. `confirmed_by` is that person
    and `confirmed_at` the time. `confirmation_note` is what happened to a terminal that is out of service for good, or
    SOMEBODY_ELSES when the number is not gone. Both are empty when the terminal itself confirmed.
    """

    __table_args__ = (
        UniqueConstraint("terminal_id", "number"),
        CheckConstraint("desired IN ('present', 'absent')", name="desired"),
        CheckConstraint("person IN ('pending', 'confirmed', 'refused')", name="person"),
        CheckConstraint("face IN ('pending', 'confirmed', 'refused')", name="face"),
        # A confirmed face is always the desired photo, and never unverified.
        CheckConstraint(
            "face <> 'confirmed' OR (desired = 'present' AND photo_id IS NOT NULL AND confirmed_photo_id IS NOT NULL "
            "AND confirmed_photo_id = photo_id AND confirmed_at IS NOT NULL AND NOT face_unverified)",
            name="confirmed_face",
        ),
        # What is due at one terminal, the most urgent first: removals, single people, one of many.
        Index(
            "ix_enrolment_due",
            "terminal_id",
            "desired",
            "in_bulk",
            "next_attempt_at",
            "id",
            **only("next_attempt_at IS NOT NULL"),
        ),
        # People without a face on a terminal.
        Index(
            "ix_enrolment_faceless", "terminal_id", "employee_id", **only("desired = 'present' AND face <> 'confirmed'")
        ),
        # People who are at a terminal, or may still be.
        Index("ix_enrolment_there", "terminal_id", "employee_id", **only("state <> 'removed'")),
        # People by state, with all columns that tell whether a person must help, so that no row is read for that.
        Index("ix_enrolment_state", "state", "employee_id", "terminal_id", "person", "photo_id"),
        # People who are leaving, the oldest first. With the state, or SQLite would rather sort those of another index.
        Index("ix_enrolment_removals", "state", "desired_since", "id", **only("state = 'leaving'")),
        # The list for programs, by state, everywhere and at one terminal.
        Index("ix_enrolment_listed", "state", "changed_at", "id"),
        Index("ix_enrolment_listed_at", "terminal_id", "state", "changed_at", "id"),
        NO_ID_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id"))
    number: Mapped[str] = mapped_column(String(32), index=True)
    employee_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id", ondelete="SET NULL"), index=True)
    state: Mapped[str] = mapped_column(String(10), Computed(_STATE))
    desired: Mapped[str] = mapped_column(String(8), default=PRESENT)
    generation: Mapped[int] = mapped_column(default=1)
    request_id: Mapped[str] = mapped_column(String(32), default="", server_default="")
    photo_id: Mapped[int | None] = mapped_column(ForeignKey("photo.id", ondelete="SET NULL"), index=True)
    overwrite: Mapped[bool] = mapped_column(default=False)
    in_bulk: Mapped[bool] = mapped_column(default=False, server_default=false())
    by_group: Mapped[bool] = mapped_column(default=False, server_default=false())

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
    valid_there: Mapped[str] = mapped_column(String(48), default="", server_default="")
    sent_valid: Mapped[str] = mapped_column(String(48), default="", server_default="")
    rights_before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    plans_there: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    may_arrive_until: Mapped[datetime | None] = mapped_column(UTCDateTime)
    unanswered: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    face_there: Mapped[str] = mapped_column(String(64), default="", server_default="")
    step: Mapped[str] = mapped_column(String(12), default="")

    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UTCDateTime, default=database_now())
    tried_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    desired_since: Mapped[datetime | None] = mapped_column(UTCDateTime, default=database_now())
    changed_at: Mapped[datetime] = mapped_column(
        UTCDateTime, default=database_now(), server_default="2000-01-01 00:00:00.000000"
    )

    # Whether the employee has cards, or the terminal may have some that we gave; told where a statement asks for it.
    has_cards: Mapped[bool | None] = query_expression()

    terminal: Mapped[Terminal] = relationship()
    employee: Mapped["Employee | None"] = relationship(back_populates="enrolments")
    photo: Mapped[Photo | None] = relationship(foreign_keys=[photo_id])

    @hybrid_property
    def is_confirmed(self) -> bool:
        """True when the desired state is confirmed: person and face for present, nobody there for absent."""
        return (self.state == CONFIRMED) | (self.state == REMOVED)

    @property
    def name_there(self) -> str:
        """The name that we last sent for this number to the current device, or an empty text."""
        return self.sent_name or self.written_name

    @property
    def last_name(self) -> str:
        """The name that we last sent for this number to the current or an earlier device."""
        return self.name_there or self.name_on_old_device

    @property
    def names_sent(self) -> set[str]:
        """The names under which the terminal may have our record; an empty text among them does not count."""
        return names_sent(self)

    @property
    def may_come_late(self) -> dict[str, Any] | None:
        """What was sent and got no answer, as `unanswered` has it, with what is not noted there yet, or None."""
        if self.may_arrive_until is None:
            return None
        known = self.unanswered or {"names": [], "face": False}
        names = sorted({*known["names"], self.sent_name} - {""})
        return {"names": names, "face": known["face"] or self.face_unverified}

    @hybrid_property
    def is_green(self) -> bool:
        """True when confirmed, by a terminal that is checked. A statement joins the terminal."""
        return self.is_confirmed and self.terminal.is_checked

    @is_green.inplace.expression
    @classmethod
    def _is_green(cls) -> "ColumnElement[bool]":
        return cls.is_confirmed & Terminal.is_checked

    @property
    def is_leaving(self) -> bool:
        """True while a removal is not confirmed."""
        return self.state == LEAVING

    @property
    def is_somebody_elses(self) -> bool:
        """True when a person stated that this number's record on the terminal belongs to somebody else."""
        return self.confirmation_note == SOMEBODY_ELSES

    @property
    def waits_for_hand(self) -> bool:
        """True while only an earlier device may know the number, so a person must state that it is gone."""
        return self.is_leaving and self.on_old_device and not self.name_there


class CardThere(Base):
    """A card that we gave to a number on a terminal: written before it is sent, and gone when the terminal proved that
    the card is.

    `owner` is the employee number there, `confirmed_at` when the terminal showed last that it is this owner's. A card
    that is none of the owner's any more, or `is_lost`, is taken off; a lost one before all else.
    """

    __table_args__ = (
        UniqueConstraint("terminal_id", "number"),
        Index(None, "owner", "terminal_id"),
        Index("ix_card_there_lost", "id", **only("is_lost = 1", "is_lost")),
        NO_ID_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id", ondelete="CASCADE"))
    number: Mapped[str] = mapped_column(String(32))
    owner: Mapped[str] = mapped_column(String(32))
    is_lost: Mapped[bool] = mapped_column(default=False)
    confirmed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    terminal: Mapped[Terminal] = relationship()
