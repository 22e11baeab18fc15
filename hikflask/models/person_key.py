"""The keys that seal what the audit trail says of people."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE


class PersonKey(Base):
    """The pseudonym of a person in audit entries, and the key that opens them. Without this row they stay sealed.

    An employee has one for each number that the employee had. Without `employee_id` it belongs to the
    number alone. There is no foreign key, because entries outlive employees.
    """

    __tablename__ = "person_key"
    __table_args__ = (NO_ID_TWICE,)

    id: Mapped[int] = mapped_column(primary_key=True)
    pseudonym: Mapped[str] = mapped_column(String(32), index=True, unique=True)
    employee_id: Mapped[int | None] = mapped_column(index=True)
    number: Mapped[str] = mapped_column(String(32), index=True)
    key_encrypted: Mapped[str] = mapped_column(String(255))
