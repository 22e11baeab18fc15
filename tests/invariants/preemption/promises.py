"""What must be true when nothing is open any more: rows and files, compared with the terminals' memory."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, select

from hikflask.extensions import db
from hikflask.models import (
    Employee,
    Enrolment,
    Erasure,
    Event,
    EventCoverage,
    Job,
    JournalAlarm,
    PersonKey,
    Photo,
    Terminal,
    WebhookDelivery,
)
from hikflask.models.enrolment import CONFIRMED, LEAVING, PRESENT, REFUSED, REMOVED
from hikflask.models.event import PASSED
from hikflask.models.job import OPEN
from hikflask.models.webhook import PASSAGE
from hikflask.services.core.errors import NumberTakenThere
from hikflask.services.passages import switch
from hikflask.services.passages.store import LOCAL_TIME_LENGTH
from hikflask.services.photos import storage
from hikflask.simulator import Terminal as Simulated
from hikflask.text_rules import folded
from tests.invariants.preemption.actors import PYOTR
from tests.invariants.preemption.laboratory import Laboratory
from tests.invariants.preemption.passages import ALARM
from tests.invariants.properties import LAST, is_ours

# What may hold the number of somebody who was erased: the certificate, the removals, and the trail, which is sealed.
MAY_TELL = {"audit", "employee", "enrolment", "erasure", "erasure_file", "erasure_removal", "webhook_delivery"}
# These numbers are somebody else's on the terminal, so a person has to look.
NOT_OURS = (NumberTakenThere.code, "other_device")


def broken_promises(lab: Laboratory) -> list[str]:
    """Return what is not as it must be."""
    with lab.app.app_context():
        broken = sorted({*Promises(lab).broken(), *PassagePromises(lab).broken()})
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
                yield from _of_green(employee, simulated.people.get(row.number), row)

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
        rows = self._enrolments.values()
        by_hand = {row.number for row in rows if row.waits_for_hand or row.refusal_code in NOT_OURS}
        if by_hand & {removal.number for removal in erasure.removals}:
            return
        if erasure.completed_at is None:
            yield "an erasure is never completed"
        has_it_now = self._numbers.get(erasure.number)
        had_it = {key.employee_id for key in _all(PersonKey) if key.number == erasure.number}
        if (has_it_now and has_it_now.name == PYOTR.name) or (not has_it_now and had_it & self._employees.keys()):
            return
        if has_it_now:
            yield "whoever was erased is an employee again"
        for table in db.metadata.sorted_tables:
            if table.name not in MAY_TELL and any(erasure.number in str(row) for row in _all(table)):
                yield f"something of the erased person is left ({table.name})"


class PassagePromises:
    """The passages at the second terminal as they are in the end, and its log."""

    def __init__(self, lab: Laboratory) -> None:
        self._happened = lab.passages
        self._store = db.session.get_one(Terminal, lab.store.id, populate_existing=True)
        self._log = lab.simulated[lab.store.id].events.records
        self._events = _all(Event)
        self._employees = {employee.number: employee for employee in _all(Employee)}

    def broken(self) -> Iterator[str]:
        """Return what is wrong, and the same thing several times if it is so of several rows."""
        if not switch.is_on():
            if self._events or _all(EventCoverage) or _all(JournalAlarm):
                yield "passages were deleted, and something of them is left"
            return
        stored = Counter((event.device_serial, *_key(event)) for event in self._events)
        if any(count > 1 for count in stored.values()):
            yield "an event is stored twice"
        if not self._happened.are_forgotten:
            yield from self._of_log()
        # Of a number that somebody had before who stays, only what is here by then is erased.
        theirs = {key.number for key in _all(PersonKey) if key.employee_id in {one.id for one in _all(Employee)}}
        erased = {erasure.number for erasure in _all(Erasure)} - self._employees.keys() - theirs
        for event in self._events:
            if event.number in erased:
                yield "an event names a person who was erased"
            owner = self._employees.get(event.number)
            if owner and folded(event.name) == folded(owner.name) and event.employee_id != owner.id:
                yield "an event of the present owner of its number is nobody's"
        yield from self._of_webhooks()

    def _of_log(self) -> Iterator[str]:
        stored = {_key(event) for event in self._events if event.device_serial == self._store.serial}
        recorded = {(record.serial_no, record.time[:LOCAL_TIME_LENGTH]) for record in self._log}
        if recorded - stored and self._store.retired_at is None:
            yield "a record of the log is not here"

    def _of_webhooks(self) -> Iterator[str]:
        told = Counter(delivery.event_id for delivery in _all(WebhookDelivery) if delivery.event == PASSAGE)
        if any(count > 1 for count in told.values()):
            yield "an event is told twice"
        after, happened = self._happened.told_after, self._happened
        if after is None or happened.are_forgotten or happened.is_new_log:
            return
        new = [event for event in self._events if event.serial_no > after]
        if any(event.kind == PASSED and event.id not in told for event in new):
            yield "a new passage is not told"
        alarms = sum((event.major, event.minor) == ALARM for event in new)
        if alarms != sum(alarm.count for alarm in _all(JournalAlarm)):
            yield "alarms are not counted as often as they were recorded"


def _key(event: Event) -> tuple[int, str]:
    return event.serial_no, event.device_time[:LOCAL_TIME_LENGTH]


def _of_green(employee: Employee, person: Mapping[str, Any] | None, row: Enrolment) -> Iterator[str]:
    if person is None:
        yield "green, and not there"
        return
    if person["name"] != employee.name:
        yield "green under another name"
    end = person["Valid"]["endTime"]
    # Who has no last day keeps the one that other software gave; a comparison tells it.
    is_kept = employee.valid_to is None and row.valid_there.endswith(end)
    if end != (f"{employee.valid_to}T23:59:59" if employee.valid_to else LAST) and not is_kept:
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
