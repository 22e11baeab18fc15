"""Employees, their departments, consents and photos."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, event, false
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship

from hikflask.employee_fields import FORM_NAMES, MAX_NAME_LENGTH
from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now, only
from hikflask.text_rules import folded

if TYPE_CHECKING:
    from hikflask.models.capture import Capture
    from hikflask.models.enrolment import Enrolment

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


def spelling_key(name: str) -> str:
    """Return what all spellings of a name have in common: neither case counts, nor ё or е, nor how many spaces."""
    return folded(" ".join(name.split()))


class Department(Base):
    """A department by its name. `folded` is its spelling key: other spellings find it by that, and it sorts lists."""

    __table_args__ = (NO_ID_TWICE,)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(128), unique=True)
    folded: Mapped[str] = mapped_column(String(512), default="", index=True)


def _fold_department(mapper: "Mapper[Department]", connection: object, department: Department) -> None:  # noqa: ARG001
    department.folded = spelling_key(department.name)


event.listen(Department, "before_insert", _fold_department)
event.listen(Department, "before_update", _fold_department)


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


class Card(Base):
    """A card of an employee. `number` is as the terminal reports it: case and leading zeros count.

    `key` is what numbers have in common that may be one card's; see text_rules.card_key(). A card that was taken away
    has no row; on which terminals it may be still says CardThere.
    """

    __table_args__ = (NO_ID_TWICE,)

    id: Mapped[int] = mapped_column(primary_key=True)
    employee_id: Mapped[int] = mapped_column(ForeignKey("employee.id", ondelete="CASCADE"), index=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    key: Mapped[str] = mapped_column(String(32), index=True)
    given_by: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())

    employee: Mapped["Employee"] = relationship(back_populates="cards")


class Employee(Base):
    """A person who may enter, identified by `number`.

    `terminal_name` is the name that terminals show instead of the full one, or an empty text. `search` is the folded
    name, number and department. From `valid_from` to `valid_to`, both whole days, the employee may enter; None: no
    limit. `left_at` is when the employee was deactivated. `has_face`: an enrolment is desired present with a photo;
    triggers on the table of enrolments keep it so, and nothing else writes it. `has_consent`: a consent is recorded;
    triggers on the table of consents keep it so.
    """

    __table_args__ = (
        # The orders of lists, each to its end, so that no list is sorted anew.
        Index("ix_employee_search", "search", "id", "is_active"),
        Index("ix_employee_department", "department", "search", "id"),
        Index("ix_employee_created_at", "created_at", "id"),
        Index("ix_employee_left", "id", **only("is_active = 0", "NOT is_active")),
        Index("ix_employee_no_face", "id", **only("is_active = 1 AND has_face = 0", "is_active AND NOT has_face")),
        Index(
            "ix_employee_no_consent", "id", **only("is_active = 1 AND has_consent = 0", "is_active AND NOT has_consent")
        ),
        # Employees whose validity ends.
        Index(
            "ix_employee_valid_to",
            "valid_to",
            **only("is_active = 1 AND valid_to IS NOT NULL", "is_active AND valid_to IS NOT NULL"),
        ),
        NO_ID_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(MAX_NAME_LENGTH))
    department: Mapped[str] = mapped_column(String(MAX_NAME_LENGTH), default="")
    terminal_name: Mapped[str] = mapped_column(String(MAX_NAME_LENGTH), default="", server_default="")
    search: Mapped[str] = mapped_column(String(1000), default="")
    is_active: Mapped[bool] = mapped_column(default=True)
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    left_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    has_face: Mapped[bool] = mapped_column(server_default=false(), deferred=True)
    has_consent: Mapped[bool] = mapped_column(server_default=false())
    photo_id: Mapped[int | None] = mapped_column(
        ForeignKey("photo.id", name="fk_employee_photo_id_photo", ondelete="SET NULL", use_alter=True), index=True
    )
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())

    photo: Mapped[Photo | None] = relationship(foreign_keys=[photo_id], post_update=True)
    consent: Mapped[Consent | None] = relationship(cascade="all, delete-orphan", passive_deletes=True)
    cards: Mapped[list[Card]] = relationship(
        back_populates="employee", cascade="all, delete-orphan", passive_deletes=True, order_by=Card.id
    )
    enrolments: Mapped[list["Enrolment"]] = relationship(
        back_populates="employee", passive_deletes=True, order_by="Enrolment.terminal_id"
    )

    def typed(self) -> dict[str, Any]:
        """Return the fields of employee_fields.py as they are typed: a day as YYYY-MM-DD, no limit as ""."""
        values = {name: getattr(self, name) for name in FORM_NAMES}
        return {name: value.isoformat() if isinstance(value, date) else value or "" for name, value in values.items()}

    @property
    def picture(self) -> Photo | None:
        """The photo, or None when it was forgotten."""
        return None if self.photo is None or self.photo.forgotten_at else self.photo


def _fold_employee(mapper: "Mapper[Employee]", connection: object, employee: Employee) -> None:  # noqa: ARG001
    employee.search = folded(f"{employee.name} {employee.number} {employee.department or ''}")


event.listen(Employee, "before_insert", _fold_employee)
event.listen(Employee, "before_update", _fold_employee)


class EmployeeCount(Base):
    """A part of the counts; the sums of all rows are the counts. Triggers on the table of employees write them.

    On SQLite it is one row. PostgreSQL adds a row for each change, so that two transactions that add employees
    do not wait for each other, and services/employees/search.py adds them up now and then.

    `no_face` and `no_consent` count active employees without one, `consents` all employees with one.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    people: Mapped[int]
    active: Mapped[int]
    no_face: Mapped[int]
    no_consent: Mapped[int]
    consents: Mapped[int]
