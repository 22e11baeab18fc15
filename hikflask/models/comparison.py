"""A comparison of a terminal with what is desired there, what it found, and what people decided about that."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now, only
from hikflask.models.refusal import WithRefusal
from hikflask.models.terminal import Terminal

READING = "reading"
DONE = "done"
FAILED = "failed"
# What is read, in this order.
PEOPLE = "people"
MISSING = "missing"
FACES = "faces"
PICTURES = "pictures"
VERDICTS = "verdicts"

NAME = "name"
FACE_MISSING = "face_missing"
FACE_OTHER = "face_other"
ONLY_HERE = "only_here"
ONLY_THERE = "only_there"
VALIDITY = "validity"
# In the order of pages. A person with none of these differences is the same here and there.
KINDS = (NAME, FACE_MISSING, FACE_OTHER, ONLY_HERE, ONLY_THERE, VALIDITY)
# Drift of a terminal's count has no number.
COUNT = "count"


class Comparison(WithRefusal, Base):
    """One reading of the whole list of a terminal, and its counts once it is `done`.

    The list is read page by page, and each page is kept at once, so that another worker can go on after `read` people,
    the last of whom has `last_number`. `people` is the length of the list that the terminal tells, and None once the
    list turned out to leave people out. A list that changed while it was read is read again: `restarts` times by now.
    `serial` is that of the device that was read, and `read_at` when it answered last. `step` is what is read now: the
    people; then, where no count confirms the list, those who are missing in it, by their numbers up to `last_number`;
    then, where the list does not tell who has a face, the list of faces, of which `faces_read` are read, from
    `first_face` to `last_face`; then the pictures that are compared; then nothing more, and the verdicts follow.
    """

    __table_args__ = (
        CheckConstraint("state IN ('reading', 'done', 'failed')", name="state"),
        Index("ix_comparison_terminal_id_id", "terminal_id", "id"),
        # One reading at a time: further requests wait for the same one.
        Index("ix_comparison_reading", "terminal_id", unique=True, **only("state = 'reading'")),
        NO_ID_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(8), default=READING)
    requested_by: Mapped[str] = mapped_column(String(128), default="")
    started_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    serial: Mapped[str] = mapped_column(String(128), default="")
    search_id: Mapped[str] = mapped_column(String(32), default="")
    people: Mapped[int | None]
    read: Mapped[int] = mapped_column(default=0)
    last_number: Mapped[str] = mapped_column(String(32), default="")
    step: Mapped[str] = mapped_column(String(8), default=PEOPLE)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    restarts: Mapped[int] = mapped_column(default=0)
    faces_read: Mapped[int] = mapped_column(default=0)
    first_face: Mapped[str] = mapped_column(String(32), default="")
    last_face: Mapped[str] = mapped_column(String(32), default="")
    same: Mapped[int] = mapped_column(default=0)

    terminal: Mapped[Terminal] = relationship()


class PersonThere(Base):
    """A person as a comparison read them on the terminal.

    `faces` is None when the terminal does not count them; `face_sha256` is that of the enrolled picture, None when it
    was not read, and an empty text when the terminal does not give it. `valid_there` is the terminal's own words for
    the validity, see Enrolment, with the zone where it tells one, and "unreadable" when they are not understood.
    """

    __tablename__ = "person_there"
    __table_args__ = (UniqueConstraint("comparison_id", "number"), NO_ID_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    comparison_id: Mapped[int] = mapped_column(ForeignKey("comparison.id", ondelete="CASCADE"))
    number: Mapped[str] = mapped_column(String(32), index=True)
    name: Mapped[str] = mapped_column(String(255), default="")
    faces: Mapped[int | None]
    face_url: Mapped[str | None] = mapped_column(String(768))
    face_sha256: Mapped[str | None] = mapped_column(String(64))
    valid_there: Mapped[str] = mapped_column(String(48), default="")
    cards: Mapped[int | None]
    fingerprints: Mapped[int | None]


class Difference(Base):
    """One difference of a comparison: a number and its kind. A number may have several.

    `seen` is the SHA-256 of what was there, as in IgnoredDifference.
    """

    __table_args__ = (
        CheckConstraint(
            "kind IN ('name', 'face_missing', 'face_other', 'only_here', 'only_there', 'validity')", name="kind"
        ),
        UniqueConstraint("comparison_id", "kind", "number"),
        NO_ID_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    comparison_id: Mapped[int] = mapped_column(ForeignKey("comparison.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    number: Mapped[str] = mapped_column(String(32), index=True)
    seen: Mapped[str] = mapped_column(String(64), default="")


class IgnoredDifference(Base):
    """A difference that a person decided to leave as it is, and why.

    `seen` is the SHA-256 of what was there then, so that a later change is shown again.
    """

    __tablename__ = "left_alone"
    __table_args__ = (UniqueConstraint("terminal_id", "kind", "number"), NO_ID_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id", ondelete="CASCADE"))
    number: Mapped[str] = mapped_column(String(32), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    seen: Mapped[str] = mapped_column(String(64), default="")
    decided_by: Mapped[str] = mapped_column(String(128), default="")
    reason: Mapped[str] = mapped_column(String(255), default="")
    decided_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())


class Drift(Base):
    """A change at a terminal that was noticed without reading its whole list; the next comparison ends it.

    `kind` is `count` (no number: `expected` people, but `found`), `name` (`found` is the name there) or `only_here`
    (somebody is gone).
    """

    __table_args__ = (
        CheckConstraint("kind IN ('count', 'name', 'only_here')", name="kind"),
        UniqueConstraint("terminal_id", "kind", "number"),
        NO_ID_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    terminal_id: Mapped[int] = mapped_column(ForeignKey("terminal.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    number: Mapped[str] = mapped_column(String(32), default="", index=True)
    expected: Mapped[str] = mapped_column(String(255), default="")
    found: Mapped[str] = mapped_column(String(255), default="")
    noticed_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
