"""The consent to take and keep a face, or another basis for it: recorded, withdrawn, and required."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import current_app
from sqlalchemy import bindparam, select

from hikflask.extensions import db
from hikflask.models import Consent, Employee
from hikflask.models.columns import database_now
from hikflask.models.people import BY_CONSENT
from hikflask.services import audit
from hikflask.services.core.dates import today
from hikflask.services.core.db import Require, locked_employee, transactional
from hikflask.services.core.errors import ServiceError
from hikflask.text_rules import storable

REQUIRE = "require"
# Made once: to make a statement costs more than to run it.
OF_EMPLOYEE = (
    select(Consent).where(Consent.employee_id == bindparam("employee_id")).execution_options(populate_existing=True)
)
BY_EMPLOYEE = select(Consent.id).where(Consent.employee_id == bindparam("employee_id"))
BY_NUMBER = select(Consent.id).join(Employee, Employee.id == Consent.employee_id)
BY_NUMBER = BY_NUMBER.where(Employee.number == bindparam("number"))


@dataclass(frozen=True)
class Given:
    """The content of a consent: its day, its basis, and a note such as where the signed paper is."""

    given_on: date
    basis: str = BY_CONSENT
    note: str = ""


def get(employee_id: int) -> Consent | None:
    """Return the consent that is recorded of an employee, or None."""
    return db.session.execute(OF_EMPLOYEE, {"employee_id": employee_id}).scalar_one_or_none()


def is_missing(number: str, employee_id: int | None = None) -> bool:
    """True when no consent is recorded of the employee with this id; without an id, with this number."""
    if employee_id is None:
        return db.session.execute(BY_NUMBER, {"number": storable(number)}).first() is None
    return db.session.execute(BY_EMPLOYEE, {"employee_id": employee_id}).first() is None


def is_required() -> bool:
    """True when no face may be taken without a recorded consent (HIKFLASK_CONSENT=require)."""
    return bool(current_app.config["CONSENT"] == REQUIRE)


@transactional
def record(employee_id: int, given: Given, require: Require | None = None) -> Consent:
    """Record the consent of an employee in place of the one that was recorded before.

    :param require: is called once the employee's row is locked, and raises when nothing is to be done.
    :raises employee_unknown: when there is no such employee.
    """
    employee = locked_employee(employee_id)
    if require:
        require()
    return _write(employee, given)


@transactional
def record_missing(employee_id: int, given: Given) -> None:
    """Record the consent of an employee; one that is recorded already stays as it is. :raises employee_unknown:"""
    employee = locked_employee(employee_id)
    if get(employee_id) is None:
        _write(employee, given)


@transactional
def withdraw(employee_id: int) -> bool:
    """Delete the recorded consent; False when there was none.

    Photo and terminals stay as they are: a person decides whether the employee is erased.

    :raises employee_unknown: when there is no such employee.
    """
    employee = locked_employee(employee_id)
    consent = get(employee_id)
    if consent is not None:
        audit.record("consent.withdrawn", employee=employee, before=_about(consent))
        db.session.delete(consent)
    return consent is not None


def require_for_save(employee: Employee, *, given_today: bool = False, with_face: bool) -> None:
    """Refuse, within the caller's transaction, to save a face without a consent, where one is required.

    :param given_today: whether the form says that consent was given today; then it is recorded, unless there is one.
    :param with_face: whether this transaction gives the employee a photo.
    :raises consent_missing: when a consent is required and there is none.
    """
    required = with_face and is_required()
    if not (given_today or required) or get(employee.id):
        return
    if not given_today:
        raise ServiceError("consent_missing")
    _write(employee, Given(today()))


def _write(employee: Employee, given: Given) -> Consent:
    consent = get(employee.id)
    before = _about(consent) if consent else None
    if consent is None:
        consent = Consent(employee_id=employee.id)
        db.session.add(consent)
    consent.given_on, consent.basis, consent.note = given.given_on, given.basis, given.note
    consent.recorded_by, consent.recorded_at = audit.current_actor().name[:128], database_now()
    audit.record("consent.recorded", employee=employee, before=before, after=_about(consent))
    db.session.flush()
    return consent


def _about(consent: Consent) -> dict[str, Any]:
    # The note stays out: it may say more of the person than the audit trail should keep for years.
    return {"given_on": consent.given_on.isoformat(), "basis": consent.basis}
