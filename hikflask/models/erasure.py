"""The erasure of one person: the record that becomes the certificate."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now
from hikflask.models.enrolment import SOMEBODY_ELSES


class ErasureRemoval(Base):
    """One number that an erasure removes from one terminal; gone since `gone_at`, which is None until then.

    The enrolment's row is deleted when the number is gone, so this one keeps the terminal's name and the number for the
    certificate. `confirmed_by` and `confirmation_note` are the enrolment's: who said that the number is gone, and why,
    where the terminal itself did not answer.
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
        """True when a person said that the record under this number there is somebody else's."""
        return self.confirmation_note == SOMEBODY_ELSES


class ErasureFile(Base):
    """A picture of an erased person that is still to be removed from the uploads folder."""

    __table_args__ = NO_ID_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    erasure_id: Mapped[int] = mapped_column(ForeignKey("erasure.id", ondelete="CASCADE"), index=True)
    file: Mapped[str] = mapped_column(String(80))


class Erasure(Base):
    """The erasure of one person everywhere.

    It is complete, and the certificate, when each terminal confirmed its removal and nothing is left here: no file, and
    nothing in the database's own files (see secure_delete.py). `photos` counts the erased pictures. `version` rises
    with every change, so that an erasure is completed only as it was read. Number and name stay for the certificate
    alone, and go with the row when its retention ends.
    """

    __table_args__ = NO_ID_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    employee_id: Mapped[int | None]
    number: Mapped[str] = mapped_column(String(32), index=True)
    name: Mapped[str] = mapped_column(String(128))
    photos: Mapped[int] = mapped_column(default=0)
    requested_by: Mapped[str] = mapped_column(String(128))
    requested_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    completed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=0, server_default="0")

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
        """True when every file and number is gone, and nothing but the database's own files is waited for.

        From then on nothing is added to this erasure.
        """
        return self.completed_at is None and not self.files and not self.waits_for_terminal
