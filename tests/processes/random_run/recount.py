"""Compares the program's rows and files with what the world knows. Nobody acts meanwhile. Needs an app context."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment
from hikflask.models.enrolment import ABSENT, CONFIRMED, LEAVING, PRESENT
from hikflask.services.core.db import end_read
from hikflask.services.core.errors import NumberTakenThere
from hikflask.simulator import Terminal as Simulated
from tests.invariants.properties import LAST
from tests.processes.random_run import recount_passages, recount_rows
from tests.processes.random_run.world import Person, World, key_of

# For what a person is asked, so no attempt goes on by itself.
FOR_A_PERSON = (NumberTakenThere.code, "other_device", "not_restored", "changed_since_backup", "left_alone")
Check = Callable[[World], Iterator[str]]


def fresh(kind: Any, *which: Any) -> Sequence[Any]:
    """Return the rows as they are now."""
    return db.session.execute(select(kind).where(*which), execution_options={"populate_existing": True}).scalars().all()


def facts(world: World) -> Iterator[str]:
    """Yield what is not as it was saved last."""
    rows = {row.id: row for row in fresh(Employee)}
    for person in [one for one in world.people if one.id]:
        row, who = rows.get(person.id), f"person {person.key} ({person.number})"
        if person.writes.get("there") and (row is not None) not in person.allowed("there"):
            yield f"{who}: {'is there again' if row else 'is lost'}"
        if row is None:
            continue
        person.number = row.number
        shown = {"full_name": row.name, "department": row.department, "is_active": row.is_active, "number": row.number}
        shown["valid_to"] = row.valid_to.isoformat() if row.valid_to else ""
        for fact, value in shown.items():
            if person.writes.get(fact) and value not in person.allowed(fact):
                yield f"{who}: {fact} is {value!r}, not {person.allowed(fact)}: " + "; ".join(
                    map(str, person.writes[fact])
                )


def terminals(world: World) -> Iterator[str]:
    """Yield what a terminal has, and no row says so; and what a row says that its terminal has not."""
    people = {person.id: person for person in world.people if person.id}
    for terminal_id, simulated in world.terminals.items():
        rows = {row.number: row for row in fresh(Enrolment, Enrolment.terminal_id == terminal_id)}
        for number in simulated.people.keys() - world.strangers:
            row = rows.get(number)
            if row is None or (row.desired == ABSENT and row.person == CONFIRMED):
                name = simulated.people[number]["name"]
                yield f"{number} ({name}) is at terminal {terminal_id}, and nothing says so"
        for row in rows.values():
            for problem in (
                *_of_row(row, simulated, world.limited),
                *_of_face(row, simulated, people.get(row.employee_id or 0)),
            ):
                yield f"{row.number} at terminal {terminal_id}: {problem}"
        if simulated.wrong_passwords:
            yield f"terminal {terminal_id} refused a password"


def _of_row(row: Enrolment, simulated: Simulated, limited: set[tuple[int, str, str]]) -> Iterator[str]:
    there = simulated.people.get(row.number)
    waits = row.next_attempt_at is not None or row.step or row.refusal_code in FOR_A_PERSON or row.waits_for_hand
    if row.state == LEAVING and not waits:
        yield f"a removal has no next attempt ({row.refusal_code})"
    if row.desired != PRESENT or not row.employee:
        return
    if not row.employee.is_active:
        yield "wanted, and inactive"
    if row.person != CONFIRMED:
        return
    if not there or there["name"] != row.employee.name:
        yield f"confirmed, and not so there: {there and there['name']}"
        return
    last, valid = row.employee.valid_to, there.get("Valid") or {}
    end = valid.get("endTime", LAST)
    # What other software wrote since the proof is for the next comparison to find.
    is_others = (row.terminal_id, row.number, end) in limited
    if valid.get("enable", True) and end != (f"{last}T23:59:59" if last else LAST) and not is_others:
        yield f"confirmed until {last}, and may pass there until {end}"


def _of_face(row: Enrolment, simulated: Simulated, person: Person | None) -> Iterator[str]:
    """Whoever stands under a number has no other face than the person's, green or not."""
    face = simulated.faces.get(row.number)
    if row.face == CONFIRMED and face is None:
        yield "green with no face"
    if person and face and row.desired == PRESENT and key_of(face.jpeg) != person.key:
        yield f"the face of person {key_of(face.jpeg)}, not of person {person.key}, {row.state}"


CHECKS: tuple[Check, ...] = (facts, terminals, *recount_rows.CHECKS, *recount_passages.CHECKS)


def broken(world: World) -> list[str]:
    """Return everything that is not as it must be."""
    db.session.expire_all()
    found = [problem for check in CHECKS for problem in check(world)]
    end_read()
    return found
