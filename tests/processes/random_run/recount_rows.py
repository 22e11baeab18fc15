"""The recount of rows, files and the audit trail: see recount.py."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from hikflask.codes.refusals import REFUSALS
from hikflask.extensions import db
from hikflask.models import (
    AuditEntry,
    Employee,
    Erasure,
    ErasureFile,
    Event,
    Job,
    JobItem,
    PersonKey,
    Photo,
    Terminal,
)
from hikflask.models.columns import database_now
from hikflask.models.job import DONE, FAILED, WAITING
from hikflask.services.audit import sealing
from hikflask.services.photos import storage
from tests.processes.random_run.world import NAME, World, key_in

# What may name an erased person: the certificate, and messages of which programs are still to be told.
KEPT = {"audit", "erasure", "erasure_removal", "webhook_delivery"}
# A lease ends with the conversation, or so long after its holder was killed at the latest.
MAX_LEASE_SECONDS = 300.0


def files(_: World) -> Iterator[str]:
    """Yield photos without a file, and files without a photo."""
    photos = db.session.execute(select(Photo.id, Photo.file, Photo.forgotten_at)).all()
    there = {path.name for path in storage.folder().iterdir() if not path.name.startswith(".")}
    for photo_id, file, forgotten_at in photos:
        if forgotten_at is None and file not in there:
            yield f"photo {photo_id} has lost its file {file}"
    known = {photo.file for photo in photos}
    for column in (ErasureFile.file, Event.picture):
        known |= {*db.session.execute(select(column)).scalars()}
    yield from (f"the file {file} belongs to nothing" for file in sorted(there - known))


def erased(world: World) -> Iterator[str]:
    """Yield what is left of people who were erased: their names, and numbers that nobody else has got since."""
    done = select(Erasure.employee_id, Erasure.number).where(Erasure.completed_at.is_not(None))
    ids, numbers = map(set, zip(*db.session.execute(done).all(), strict=True)) if _any(done) else (set(), set())
    owned = {*db.session.execute(select(Employee.number)).scalars()}
    owned |= {
        *db.session.execute(select(PersonKey.number).join(Employee, Employee.id == PersonKey.employee_id)).scalars()
    }
    # Where a renumbering was cut off, a table may have made somebody else of the same name.
    named_so = {key_in(name) for name in db.session.execute(select(Employee.name)).scalars()}
    marks = []
    for one in world.erased:
        later = [(keys, named) for keys, named, upload in world.named if upload.ended > one.begun]
        person = one.person
        kept = named_so.union(*(keys for keys, _ in later))
        if person and person.id in ids and person.key not in kept:
            marks.append(f"{NAME} {person.key}")
        gone = (one.numbers & numbers) - owned if not person or person.id in ids else set()
        gone -= set().union(*(named for _, named in later))
        marks += [number for number in gone if not world.is_given_to_others(number, one)]
    if not marks:
        return
    mark = re.compile("|".join(rf"{re.escape(one)}(?![0-9])" for one in sorted(marks)))
    for table in db.metadata.sorted_tables:
        if table.name not in KEPT:
            for row in db.session.execute(table.select()):
                if found := mark.search(str(tuple(row))):
                    yield f"{found[0]} was erased, and is in {table.name}: {str(tuple(row))[:200]}"


def _any(statement: Any) -> bool:
    return db.session.execute(statement.limit(1)).first() is not None


def trail(_: World) -> Iterator[str]:
    """Yield employees who are not as the audit trail says that they were made and changed."""
    told: dict[int, dict[str, Any]] = {}
    of_people = select(AuditEntry).where(AuditEntry.action.startswith("employee."), AuditEntry.employee_id.is_not(None))
    for entry in sealing.opened(db.session.execute(of_people.order_by(AuditEntry.id)).scalars().all()):
        before, after = ((part if isinstance(part, dict) else {}) for part in (entry.before, entry.after))
        fields = told.setdefault(entry.employee_id or 0, {})
        if entry.action in {"employee.created", "employee.changed"}:
            fields |= {name: after.get(name, "") for name in {*before, *after}}
        elif entry.action in {"employee.activated", "employee.deactivated", "employee.validity_over"}:
            fields["is_active"] = entry.action == "employee.activated"
    for employee in db.session.execute(select(Employee), execution_options={"populate_existing": True}).scalars():
        fields = {"is_active": True} | told.get(employee.id, {})
        names = {"full_name": "name", "number": "number", "department": "department", "valid_to": "valid_to"}
        row: dict[str, Any] = {name: employee.typed()[field] for name, field in names.items()}
        for name, value in (row | {"is_active": employee.is_active}).items():
            if fields.get(name, "") != value:
                yield f"{employee.number}: {name} is {value!r}, and the trail says {fields.get(name, '')!r}"


def jobs(_: World) -> Iterator[str]:
    """Yield jobs that were given up or do not count as their items, and items that failed without a sentence."""
    states: dict[int, Counter[str]] = defaultdict(Counter)
    for job_id, state, code in db.session.execute(select(JobItem.job_id, JobItem.state, JobItem.refusal_code)):
        states[job_id][state] += 1
        if state == FAILED and code not in REFUSALS:
            yield f"an item of job {job_id} failed without a sentence ({code})"
    for job in db.session.execute(select(Job), execution_options={"populate_existing": True}).scalars():
        items = states[job.id]
        if job.state == FAILED and job.refusal is None:
            yield f"job {job.id} ({job.kind}) was given up"
        if job.state == DONE and items and (job.failed != items[FAILED] or items[WAITING]):
            yield f"job {job.id} ({job.kind}) is done with {job.failed} failed, and its items are {dict(items)}"


def leases(_: World) -> Iterator[str]:
    """Yield terminals that are held for longer than anybody talks."""
    held = select(Terminal.id, Terminal.lease_purpose).where(Terminal.lease_until > database_now(MAX_LEASE_SECONDS))
    for terminal_id, purpose in db.session.execute(held):
        yield f"terminal {terminal_id} is held for too long ({purpose})"


CHECKS = (files, erased, trail, jobs, leases)
