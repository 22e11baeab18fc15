"""How many employees there are: kept by the database, so that no page counts them."""

from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base


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
