"""Erasing one person everywhere: here at once, on terminals when they confirm.

The certificate comes after the last of them, when what was deleted is overwritten in the database's files, too.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Update, delete, func, select, update

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Erasure, Photo
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, SOMEBODY_ELSES
from hikflask.services import audit
from hikflask.services.captures import personal_data
from hikflask.services.core import employee_lock, secure_delete
from hikflask.services.core.db import changed_rows
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.enrolments import queries
from hikflask.services.photos import storage


@dataclass(frozen=True)
class Removal:
    """One number on one terminal, gone since `at` (ISO 8601, UTC; "" while it is not).

    `by_hand`: the device that knew it did not confirm; `said_by` said so, having taken it off that device, or, with a
    `note` of what became of it, since the terminal is out of service for good, or, with SOMEBODY_ELSES as the note,
    that the number is there still and its record is somebody else's.
    """

    enrolment: int
    terminal: str
    number: str
    at: str = ""
    by_hand: bool = False
    said_by: str = ""
    note: str = ""

    @property
    def is_somebody_elses(self) -> bool:
        """True when a person said that the record under this number there is somebody else's."""
        return self.note == SOMEBODY_ELSES

    @property
    def gone_at(self) -> datetime | None:
        """When it was gone; None while it may still open doors."""
        return datetime.fromisoformat(self.at) if self.at else None


def erase(employee_id: int) -> Erasure:
    """Erase an employee with consent, photos, captures and drafts, and wish to be absent on every terminal.

    What is here goes in one transaction; the files follow, and complete() comes back to those that could not go.

    :raises EmployeeUnknown: when somebody else erased or deleted the employee in this moment.
    """
    employee = employee_lock.locked(employee_id)
    try:
        erasure = _begin(employee.number, employee.name, employee)
        delete_employee(employee_id)  # Commits all of it.
    except BaseException:
        db.session.rollback()
        raise
    return complete(erasure.id)


def erase_number(number: str) -> Erasure | None:
    """Erase whoever had a number that no employee has; None when nothing of it is here.

    Somebody who was deleted before is known by the removals that are open, by captures, and by pictures that could not
    be removed. While an erasure of the number awaits a file or a terminal, what came since is added to it.
    """
    if not knows(number):
        open_still = _open_of(number)
        return complete(open_still.id) if open_still else None
    # Before the erasure's own row, as by whoever notes a removal.
    left = queries.of_number(number, lock=True)
    erasure = _open_of(number, lock=True)
    if erasure is None or _is_over(erasure):
        name = next((enrolment.last_name for enrolment in left if enrolment.last_name), "")
        erasure = _begin(number, name, None)
    else:
        _add(erasure, left)
    db.session.commit()
    return complete(erasure.id)


def knows(number: str) -> bool:
    """True when something of a number that no employee has is here: a removal, a capture, or a picture."""
    kept = (queries.of_number, personal_data.of_number, personal_data.left_over, storage.strays)
    known = search.by_number(number) is None and any(of_number(number) for of_number in kept)
    db.session.commit()
    return known


def end_if_nobodys(enrolment: Enrolment) -> bool:
    """End, within the transaction that notes its removal, an enrolment whose employee is deleted; erasures learn of it.

    Whether the employee is, is read now: who is deleted while the terminal is asked leaves the wish as it is.
    """
    mine = Enrolment.id == enrolment.id
    if db.session.scalar(select(Enrolment.employee_id).where(mine)) is not None:
        return False
    _note_gone(enrolment)
    db.session.execute(delete(Enrolment).where(mine))
    return True


def _word(enrolment: Enrolment) -> dict[str, Any]:
    said_by = enrolment.confirmed_by
    return {"by_hand": bool(said_by), "said_by": said_by, "note": enrolment.confirmation_note}


def _note_gone(enrolment: Enrolment) -> None:
    for erasure in _unfinished(lock=True):
        removals = removals_of(erasure)
        awaited = [one for one in removals if one.enrolment == enrolment.id and not one.at]
        for one in awaited:
            removals[removals.index(one)] = replace(one, at=_now().isoformat(), **_word(enrolment))
        if awaited:
            erasure.terminals = _json(removals)


def complete(erasure_id: int) -> Erasure:
    """Do what complete_open() does, and return the erasure as it is then."""
    complete_open()
    return db.session.get_one(Erasure, erasure_id, populate_existing=True)


def complete_open() -> None:
    """Remove what files are left, and end the erasures that every terminal confirmed; again is the same.

    Those end only when the database's files hold nothing of them any more. Whatever stands in the way, a file that
    cannot be removed or somebody who reads the database, keeps them open until next time.
    """
    for erasure in _unfinished():
        _remove_files(erasure)
    over = [erasure for erasure in _unfinished() if _is_over(erasure)]
    db.session.commit()
    if over and secure_delete.overwrite_deleted():
        for erasure in over:
            _complete(erasure)


def removals_of(erasure: Erasure) -> list[Removal]:
    """Return the terminals of an erasure."""
    return [Removal(**one) for one in json.loads(erasure.terminals)]


def get(erasure_id: int) -> Erasure | None:
    """Return an erasure as the database has it now."""
    return db.session.get(Erasure, erasure_id, populate_existing=True)


def of_employee(employee_id: int) -> Erasure | None:
    """Return the latest erasure of an employee that had this id."""
    statement = select(Erasure).where(Erasure.employee_id == employee_id).order_by(Erasure.id.desc()).limit(1)
    return db.session.execute(statement).scalar_one_or_none()


def everything(limit: int, offset: int = 0) -> tuple[list[Erasure], int]:
    """Return a page of erasures, the newest first, and how many there are in all."""
    statement = select(Erasure).order_by(Erasure.id.desc()).limit(limit).offset(offset)
    page = list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())
    total = db.session.execute(select(func.count(Erasure.id))).scalar_one()
    db.session.commit()
    return page, total


def _begin(number: str, name: str, employee: Employee | None) -> Erasure:
    """Write, within the open transaction, what is erased and what is awaited of which terminal."""
    employee_id = employee.id if employee else None
    # Locked: a terminal that confirms in this moment is waited for, or it would be awaited for ever.
    removals = [_removal(enrolment) for enrolment in queries.of_person(number, employee_id, lock=True)]
    pictures = _forgotten(removals, number, name, employee_id)
    erasure = Erasure(
        employee_id=employee_id,
        number=number,
        name=name,
        terminals=_json(removals),
        photos=len(pictures),
        files=json.dumps(pictures),
        requested_by=audit.present_actor().name[:128],
    )
    db.session.add(erasure)
    db.session.flush()
    # The name stays out of the trail, which outlives it.
    audit.note("employee.erased", employee=employee, number=number, subject=f"erasure {erasure.id}")
    return erasure


def _add(erasure: Erasure, left: list[Enrolment]) -> None:
    """Add, within the open transaction, what came since an erasure began."""
    removals = removals_of(erasure)
    awaited = {one.enrolment for one in removals if not one.at}
    removals += [_removal(enrolment) for enrolment in left if enrolment.id not in awaited]
    pictures = _forgotten(removals, erasure.number, erasure.name, None)
    erasure.terminals = _json(removals)
    erasure.photos += len(pictures)
    erasure.files = json.dumps(json.loads(erasure.files) + pictures)
    db.session.flush()
    audit.note("employee.erased", number=erasure.number, subject=f"erasure {erasure.id}")


def _forgotten(removals: list[Removal], number: str, name: str, employee_id: int | None) -> list[str]:
    """Forget what is kept here, and return the files: of no photo more than one."""
    strays = storage.strays(number, *(one.number for one in removals))
    return strays + personal_data.forget(number, name, employee_id) + _photos(employee_id)


def _is_gone(enrolment: Enrolment) -> bool:
    return enrolment.desired == ABSENT and enrolment.is_confirmed


def _removal(enrolment: Enrolment) -> Removal:
    at = enrolment.confirmed_at.isoformat() if _is_gone(enrolment) and enrolment.confirmed_at else ""
    return Removal(enrolment.id, enrolment.terminal.name, enrolment.number, at, **_word(enrolment))


def _photos(employee_id: int | None) -> list[str]:
    """The files of the employee's own photos, whose rows go with the employee; forgotten ones may be here still."""
    own = select(Photo.file).where(Photo.employee_id == employee_id, Photo.file_deleted_at.is_(None))
    return [] if employee_id is None else list(db.session.execute(own).scalars())


def _remove_files(erasure: Erasure) -> None:
    """Remove what files are left, and those under its numbers once every terminal confirmed."""
    removals = removals_of(erasure)
    left = storage.unlink(*json.loads(erasure.files))
    if not left and _is_gone_everywhere(removals):
        left = storage.unlink(*storage.strays(erasure.number, *(one.number for one in removals)))
    if left != json.loads(erasure.files):
        changed_rows(_as_read(erasure).values(files=json.dumps(left)))
    db.session.commit()


def _is_over(erasure: Erasure) -> bool:
    """True when the database's files are all that it waits for: from then on nothing is added to it."""
    return not erasure.has_files and _is_gone_everywhere(removals_of(erasure))


def _is_gone_everywhere(removals: list[Removal]) -> bool:
    return all(one.at for one in removals)


def _complete(erasure: Erasure) -> None:
    if changed_rows(_as_read(erasure).values(completed_at=database_now())) == 1:
        with audit.acting(audit.WORKER):  # Whoever comes next writes it, and has nothing to do with it.
            audit.note("erasure.completed", number=erasure.number, subject=f"erasure {erasure.id}")
    db.session.commit()


def _as_read(erasure: Erasure) -> Update:
    """Change it only as it was read: files and terminals may have been added meanwhile."""
    return update(Erasure).where(
        Erasure.id == erasure.id,
        Erasure.completed_at.is_(None),
        Erasure.files == erasure.files,
        Erasure.terminals == erasure.terminals,
    )


def _unfinished(*, lock: bool = False) -> list[Erasure]:
    statement = select(Erasure).where(Erasure.completed_at.is_(None)).order_by(Erasure.id)
    statement = statement.with_for_update() if lock else statement
    return list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())


def _open_of(number: str, *, lock: bool = False) -> Erasure | None:
    """Return the latest: earlier ones wait for the database alone."""
    return next((erasure for erasure in reversed(_unfinished(lock=lock)) if erasure.number == number), None)


def _now() -> datetime:
    return db.session.execute(select(database_now())).scalar_one()


def _json(removals: list[Removal]) -> str:
    return json.dumps([asdict(one) for one in removals], ensure_ascii=False)
