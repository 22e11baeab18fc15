"""The row of an employee, held by one transaction: it is locked before any other row that belongs to the employee."""

from sqlalchemy import update

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.services.core.db import changed_rows
from hikflask.services.core.errors import EmployeeUnknown


def lock(employee_id: int) -> bool:
    """Keep the employee's row as it is to the end of the transaction; False when there is none."""
    same = update(Employee).where(Employee.id == employee_id).values(is_active=Employee.is_active)
    return changed_rows(same) == 1


def locked(employee_id: int) -> Employee:
    """Return the employee as it is now, and keep it so to the end of the transaction: who leaves is not sent.

    :raises EmployeeUnknown: when somebody deleted it meanwhile; then the transaction is over.
    """
    if not lock(employee_id):
        db.session.rollback()
        raise EmployeeUnknown
    return db.session.get_one(Employee, employee_id, populate_existing=True)
