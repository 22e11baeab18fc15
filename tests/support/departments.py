"""The list of departments."""

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Department


def department_id(name: str) -> int:
    """The id of the department with this very name."""
    return db.session.execute(select(Department.id).where(Department.name == name)).scalar_one()
