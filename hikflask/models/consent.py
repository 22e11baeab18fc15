"""The consent to take and keep an employee's face, or another legal basis."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import UTCDateTime, database_now

BY_CONSENT = "consent"


class Consent(Base):
    """One employee's consent, or another legal basis. A withdrawn consent has no row."""

    __table_args__ = (CheckConstraint("basis IN ('consent', 'contract', 'law')", name="basis"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    employee_id: Mapped[int] = mapped_column(ForeignKey("employee.id", ondelete="CASCADE"), unique=True)
    given_on: Mapped[date]
    basis: Mapped[str] = mapped_column(String(8), default=BY_CONSENT)
    note: Mapped[str] = mapped_column(String(500), default="")
    recorded_by: Mapped[str] = mapped_column(String(128))
    recorded_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
