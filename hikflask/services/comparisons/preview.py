"""What pages show of differences: the decisions to leave them, with the names of their people, and two faces."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.isapi import faces
from hikflask.models import Employee, LeftAlone, Photo
from hikflask.models.comparison import Comparison
from hikflask.services.comparisons import queries
from hikflask.services.photos import storage
from hikflask.services.terminals import connection

LOOK = "look"
MAX_SECONDS = 10.0


@dataclass(frozen=True)
class Left:
    """A difference that is left as it is, with the name of its person here, else on the terminal, else the number."""

    id: int
    number: str
    kind: str
    name: str
    employee_id: int | None
    decided_by: str
    decided_at: datetime
    reason: str


def left(comparison: Comparison, decisions: Collection[LeftAlone]) -> list[Left]:
    """Return decisions with the names of their people."""
    numbers = [decision.number for decision in decisions]
    there = {person.number: person.name for person in queries.people(comparison.id, numbers)}
    employees = db.session.execute(select(Employee).where(Employee.number.in_(numbers))).scalars()
    here = {employee.number: employee for employee in employees}
    shown = []
    for decision in decisions:
        number, employee = decision.number, here.get(decision.number)
        name = (employee.name if employee else there.get(number)) or number
        shown.append(
            Left(
                id=decision.id,
                number=number,
                kind=decision.kind,
                name=name,
                employee_id=employee.id if employee else None,
                decided_by=decision.decided_by,
                decided_at=decision.decided_at,
                reason=decision.reason,
            )
        )
    return shown


def files_here(shown: Collection[str]) -> Mapping[str, str]:
    """Return the files of kept photos with these SHA-256."""
    kept = select(Photo.sha256, Photo.file).where(Photo.sha256.in_(shown), Photo.forgotten_at.is_(None))
    return {sha256: file for sha256, file in db.session.execute(kept.order_by(Photo.id.desc()))}


def picture_there(comparison: Comparison, number: str, holder: str) -> bytes | None:
    """Ask the terminal for somebody's face; None unless it is the very picture that the comparison read.

    :raises TerminalError: :raises ServiceError: when the terminal refuses, does not answer, or is in use.
    """
    person = queries.person_there(comparison.id, number)
    if person is None or not person.face_url or not person.face_sha256:
        return None
    with connection.converse(comparison.terminal_id, holder, LOOK, total=MAX_SECONDS, yields=True) as talk:
        picture = faces.fetch_picture(talk, person.face_url)
    return picture if storage.sha256(picture) == person.face_sha256 else None
