"""The record of an erasure: what each terminal confirmed, which files are left, and when it was complete.

A complete one is the certificate. It waits for every terminal, for every picture's file, and until what was deleted is
overwritten in the database's own files, too.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Update, delete, func, select, update

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Erasure
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, SOMEBODY_ELSES
from hikflask.services import audit
from hikflask.services.core import secure_delete
from hikflask.services.core.db import changed_rows
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


def begin(
    number: str, name: str, employee: Employee | None, enrolments: Iterable[Enrolment], files: list[str]
) -> Erasure:
    """Write, within the open transaction, what is erased, and what is awaited.

    :param enrolments: those of the person, locked: a terminal that confirms at this moment would be awaited for ever.
    :param files: the pictures that are to be removed, each once.
    """
    erasure = Erasure(
        employee_id=employee.id if employee else None,
        number=number,
        name=name,
        terminals=_json([_removal(enrolment) for enrolment in enrolments]),
        photos=len(files),
        files=json.dumps(files),
        requested_by=audit.present_actor().name[:128],
    )
    db.session.add(erasure)
    db.session.flush()
    # The audit trail outlives the certificate, so the name stays out of it.
    audit.note("employee.erased", employee=employee, number=number, subject=f"erasure {erasure.id}")
    return erasure


def extend(erasure: Erasure, enrolments: Iterable[Enrolment], files: list[str]) -> None:
    """Add, within the open transaction, what came since the erasure began; see begin()."""
    removals = removals_of(erasure)
    awaited = {one.enrolment for one in removals if not one.at}
    removals += [_removal(enrolment) for enrolment in enrolments if enrolment.id not in awaited]
    erasure.terminals = _json(removals)
    erasure.photos += len(files)
    erasure.files = json.dumps(json.loads(erasure.files) + files)
    db.session.flush()
    audit.note("employee.erased", number=erasure.number, subject=f"erasure {erasure.id}")


def unfinished_of(number: str, *, lock: bool = False) -> Erasure | None:
    """Return the latest erasure of a number that is not complete; earlier ones wait for the database alone."""
    return next((erasure for erasure in reversed(_unfinished(lock=lock)) if erasure.number == number), None)


def waits_for_database_alone(erasure: Erasure) -> bool:
    """True when every file and number is gone: from then on nothing is added to this erasure."""
    return not erasure.has_files and _is_gone_everywhere(removals_of(erasure))


def end_removal(enrolment: Enrolment) -> bool:
    """Delete, within the transaction that confirms its removal, the enrolment of a deleted employee.

    The erasures that wait for it are told. False when the employee is there still: then nothing changes.
    """
    mine = Enrolment.id == enrolment.id
    # Read now: the employee may have been deleted while the terminal was asked.
    if db.session.scalar(select(Enrolment.employee_id).where(mine)) is not None:
        return False
    _note_gone(enrolment)
    db.session.execute(delete(Enrolment).where(mine))
    return True


def _note_gone(enrolment: Enrolment) -> None:
    for erasure in _unfinished(lock=True):
        removals = removals_of(erasure)
        awaited = [one for one in removals if one.enrolment == enrolment.id and not one.at]
        for one in awaited:
            removals[removals.index(one)] = replace(one, at=_now().isoformat(), **_word(enrolment))
        if awaited:
            erasure.terminals = _json(removals)


def complete(erasure_id: int) -> Erasure:
    """Do what complete_all() does, and return the erasure as it is then."""
    complete_all()
    return db.session.get_one(Erasure, erasure_id, populate_existing=True)


def complete_all() -> None:
    """Remove the files that are left, and complete the erasures that every terminal confirmed.

    An erasure stays open while a file cannot be removed, or while somebody reads what was in the database before.
    Calling it again is always safe; the worker does so after each sweep.
    """
    for erasure in _unfinished():
        _remove_files(erasure)
    over = [erasure for erasure in _unfinished() if waits_for_database_alone(erasure)]
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


def latest_of(employee_id: int) -> Erasure | None:
    """Return the latest erasure of an employee that had this id."""
    statement = select(Erasure).where(Erasure.employee_id == employee_id).order_by(Erasure.id.desc()).limit(1)
    return db.session.execute(statement).scalar_one_or_none()


def list_page(limit: int, offset: int = 0) -> tuple[list[Erasure], int]:
    """Return a page of erasures, the newest first, and how many there are in all."""
    statement = select(Erasure).order_by(Erasure.id.desc()).limit(limit).offset(offset)
    page = list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())
    total = db.session.execute(select(func.count(Erasure.id))).scalar_one()
    db.session.commit()
    return page, total


def _removal(enrolment: Enrolment) -> Removal:
    is_gone = enrolment.desired == ABSENT and enrolment.is_confirmed
    at = enrolment.confirmed_at.isoformat() if is_gone and enrolment.confirmed_at else ""
    return Removal(enrolment.id, enrolment.terminal.name, enrolment.number, at, **_word(enrolment))


def _word(enrolment: Enrolment) -> dict[str, Any]:
    said_by = enrolment.confirmed_by
    return {"by_hand": bool(said_by), "said_by": said_by, "note": enrolment.confirmation_note}


def _is_gone_everywhere(removals: list[Removal]) -> bool:
    return all(one.at for one in removals)


def _remove_files(erasure: Erasure) -> None:
    """Remove the files that are left and, once every terminal confirmed, those that no row knows."""
    removals = removals_of(erasure)
    left = storage.unlink(*json.loads(erasure.files))
    if not left and _is_gone_everywhere(removals):
        left = storage.unlink(*storage.strays(erasure.number, *(one.number for one in removals)))
    if left != json.loads(erasure.files):
        changed_rows(_as_read(erasure).values(files=json.dumps(left)))
    db.session.commit()


def _complete(erasure: Erasure) -> None:
    if changed_rows(_as_read(erasure).values(completed_at=database_now())) == 1:
        # Whoever looks at the page at this moment has nothing to do with it.
        with audit.acting(audit.WORKER):
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


def _now() -> datetime:
    return db.session.execute(select(database_now())).scalar_one()


def _json(removals: list[Removal]) -> str:
    return json.dumps([asdict(one) for one in removals], ensure_ascii=False)
