"""The erasure of one person. Its row becomes the certificate."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now, only
from hikflask.models.enrolment import SOMEBODY_ELSES


class ErasureRemoval(Base):
    """One number that an erasure removes from one terminal. `gone_at` is None until the removal is confirmed.

    The enrolment's row is deleted then, so this row keeps the terminal's name and the number for the certificate.
    `confirmed_by` and `confirmation_note` are copies of the enrolment's: the person who stated that the number is gone,
    and why, if the terminal itself did not confirm.
    """

    __table_args__ = NO_ID_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    erasure_id: Mapped[int] = mapped_column(ForeignKey("erasure.id", ondelete="CASCADE"), index=True)
    enrolment_id: Mapped[int] = mapped_column(index=True)
    terminal: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(32))
    gone_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    confirmed_by: Mapped[str] = mapped_column(String(128), default="")
    confirmation_note: Mapped[str] = mapped_column(String(255), default="")

    @property
    def is_somebody_elses(self) -> bool:
        """True when a person stated that this number's record on the terminal belongs to somebody else."""
        return self.confirmation_note == SOMEBODY_ELSES


class ErasureFile(Base):
    """A picture of an erased person that must still be removed from the uploads folder."""

    __table_args__ = NO_ID_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    erasure_id: Mapped[int] = mapped_column(ForeignKey("erasure.id", ondelete="CASCADE"), index=True)
    file: Mapped[str] = mapped_column(String(80))


class Erasure(Base):
    """The erasure of one person everywhere.

    It is complete, and becomes the certificate, when every terminal has confirmed its removal and nothing is left here:
    no file, and nothing in the database's own files (see secure_delete.py). `photos` counts the erased pictures,
    and `passages` the records of terminals that do not name the person any more.
    `other_names` are those under which records of the person may still come; none once all that came is forgotten.
    `version` rises with every change, so that completion is a compare-and-set. Number and name stay only for the
    certificate, and some weeks longer. Then they are blank, and `digest` is the HMAC of both, for checking a printed
    certificate, with a separate key.
    """

    __table_args__ = (
        # Each sweep selects the erasures that are not complete, among the certificates of years.
        Index("ix_erasure_open", "id", **only("completed_at IS NULL")),
        NO_ID_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    employee_id: Mapped[int | None]
    number: Mapped[str] = mapped_column(String(32), index=True)
    name: Mapped[str] = mapped_column(String(128))
    other_names: Mapped[list[Any]] = mapped_column(JSON, default=list, server_default="[]")
    photos: Mapped[int] = mapped_column(default=0)
    passages: Mapped[int] = mapped_column(default=0, server_default="0")
    requested_by: Mapped[str] = mapped_column(String(128))
    requested_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    completed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=0, server_default="0")
    check_key_encrypted: Mapped[str] = mapped_column(String(255), default="", server_default="")
    digest: Mapped[str] = mapped_column(String(64), default="", server_default="")

    removals: Mapped[list[ErasureRemoval]] = relationship(
        order_by=ErasureRemoval.id, lazy="selectin", passive_deletes="all"
    )
    files: Mapped[list[ErasureFile]] = relationship(order_by=ErasureFile.id, lazy="selectin", passive_deletes="all")

    @property
    def waits_for_terminal(self) -> bool:
        """True while a terminal has not confirmed that the number is gone."""
        return any(removal.gone_at is None for removal in self.removals)

    @property
    def waits_for_database(self) -> bool:
        """True when every file and number is gone, and only the database's own files must still be cleaned.

        From then on nothing is added to this erasure.
        """
        return self.completed_at is None and not self.files and not self.waits_for_terminal
