"""What pages list: the imports themselves, and the people whom rows are about."""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import defer

from hikflask.extensions import db
from hikflask.models import Employee, ImportBatch, ImportRow


def list_page(limit: int, offset: int = 0) -> tuple[list[ImportBatch], int]:
    """Return a page of the imports, the newest first, and how many there are in all."""
    newest = select(ImportBatch).options(defer(ImportBatch.layout)).order_by(ImportBatch.id.desc())
    statement = newest.limit(limit).offset(offset)
    page = list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())
    return page, db.session.execute(select(func.count(ImportBatch.id))).scalar_one()


def names(rows: Iterable[ImportRow]) -> dict[int, str]:
    """Return the present names of the employees whom rows are about, by their ids."""
    ids = {row.employee_id for row in rows if row.employee_id is not None}
    found = db.session.execute(select(Employee.id, Employee.name).where(Employee.id.in_(ids)))
    return {employee_id: name for employee_id, name in found}
