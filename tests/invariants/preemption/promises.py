"""What must be true when nothing is open any more: rows and files, compared with the terminals' memory."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, select

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Erasure, Job, Photo, Terminal
from hikflask.models.enrolment import CONFIRMED, LEAVING, PRESENT, REFUSED, REMOVED
from hikflask.models.job import OPEN
from hikflask.services.core.errors import NumberTakenThere
from hikflask.services.photos import storage
from hikflask.simulator import Terminal as Simulated
from tests.invariants.preemption.actors import PYOTR
from tests.invariants.preemption.laboratory import Laboratory
from tests.invariants.properties import LAST, is_ours

# What may hold the number of somebody who was erased: the certificate, the removals, and the trail, which is sealed.
MAY_TELL = {"audit", "employee", "enrolment", "erasure", "erasure_file", "erasure_removal", "webhook_delivery"}
# These numbers are somebody else's on the terminal, so a person has to look.
NOT_OURS = (NumberTakenThere.code, "other_device")


def broken_promises(lab: Laboratory) -> list[str]:
    """Return what is not as it must be."""
    with lab.app.app_context():
        broken = sorted({*Promises(lab).broken()})
        db.session.remove()
    return broken


class Promises:
    """The rows as they are in the end."""

    def __init__(self, lab: Laboratory) -> None:
        self._saved = lab.saved
        self._employees = {employee.id: employee for employee in _all(Employee)}
        self._numbers = {employee.number: employee for employee in self._employees.values()}
        self._enrolments = {(row.terminal_id, row.number): row for row in _all(Enrolment)}
        retired = {terminal.id for terminal in _all(Terminal) if terminal.retired_at}
        self._simulated = {its_id: device for its_id, device in lab.simulated.items() if its_id not in retired}
        self._faces = defaultdict(set)
        for photo in _all(Photo):
            self._faces[photo.employee_id].add(photo.sha256)

    def broken(self) -> Iterator[str]:
        """Return what is wrong, and the same thing several times if it is so of several rows."""
        for terminal_id, simulated in self._simulated.items():
            for number, person in simulated.people.items():
                if is_ours(person):
                    yield from self._of_person(terminal_id, number)
        for row in self._enrolments.values():
            yield from self._of_wish(row) if row.desired == PRESENT else self._of_removal(row)
        for (employee_id, name), values in self._saved.items():
            employee = self._employees.get(employee_id)
            if employee and str(getattr(employee, name)) not in values:
                yield f"what was saved is undone ({name})"
        yield from _of_files()
        yield from (f"a job never ends ({job.kind})" for job in _all(Job) if job.state in OPEN)
        for erasure in _all(Erasure):
            yield from self._of_erasure(erasure)

    def _of_person(self, terminal_id: int, number: str) -> Iterator[str]:
        row = self._enrolments.get((terminal_id, number))
        if row is None:
            yield "somebody is on a terminal, and nothing says so"
        elif row.state == REMOVED:
            yield "somebody is on a terminal, and the removal counts as confirmed"
        elif row.state == LEAVING and row.next_attempt_at is None:
            yield "somebody is on a terminal, and nobody tries the removal any more"

    def _of_wish(self, row: Enrolment) -> Iterator[str]:
        employee = self._employees.get(row.employee_id or 0)
        if employee is None or not employee.is_active or employee.number != row.number:
            yield "somebody is wanted on a terminal who is not here, inactive, or has another number"
        if row.refusal_code == "terminal_retired":
            yield "somebody is wanted on a retired terminal"
        if row.state == REFUSED and not row.refusal_code:
            yield "a wish is forgotten without a reason"
        if employee and (simulated := self._simulated.get(row.terminal_id)):
            yield from self._of_face(row, simulated)
            if row.state == CONFIRMED:
                yield from _of_green(employee, simulated.people.get(row.number))

    def _of_face(self, row: Enrolment, simulated: Simulated) -> Iterator[str]:
        face = simulated.faces.get(row.number)
        if row.state == CONFIRMED and face is None:
            yield "green without a face"
        if face and is_ours(simulated.people.get(row.number)) and face.sha256 not in self._faces[row.employee_id]:
            yield "somebody else's face is under the number"

    def _of_removal(self, row: Enrolment) -> Iterator[str]:
        if row.state == LEAVING and row.refusal_code not in NOT_OURS:
            yield f"a removal stays open ({row.refusal_code or 'without a reason'})"

    def _of_erasure(self, erasure: Erasure) -> Iterator[str]:
        if erasure.completed_at is None:
            yield "an erasure is never completed"
        has_it_now = self._numbers.get(erasure.number)
        if has_it_now and has_it_now.name == PYOTR.name:
            return
        if has_it_now:
            yield "whoever was erased is an employee again"
        for table in db.metadata.sorted_tables:
            if table.name not in MAY_TELL and any(erasure.number in str(row) for row in _all(table)):
                yield f"something of the erased person is left ({table.name})"


def _of_green(employee: Employee, person: Mapping[str, Any] | None) -> Iterator[str]:
    if person is None:
        yield "green, and not there"
    elif person["name"] != employee.name:
        yield "green under another name"
    elif person["Valid"]["endTime"] != (f"{employee.valid_to}T23:59:59" if employee.valid_to else LAST):
        yield "green with another last day"


def _of_files() -> Iterator[str]:
    there = {path.name for path in storage.folder().iterdir()}
    photos = _all(Photo)
    if there - {photo.file for photo in photos}:
        yield "a file belongs to no photo"
    if any(photo.forgotten_at is None and photo.file not in there for photo in photos):
        yield "a photo has lost its file"


def _all(kind: Any) -> Sequence[Any]:
    found = db.session.execute(select(kind))
    return found.all() if isinstance(kind, Table) else found.scalars().all()
