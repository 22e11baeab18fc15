"""Compares what was read with what is desired, and writes the result of a comparison in one transaction.

What the list proves to be otherwise than confirmed is not shown in green any longer. It is tried again: at once after
the comparison of a night, and after a while when a person compares, who may decide otherwise meanwhile.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.orm import joinedload

from hikflask.extensions import db
from hikflask.models import Comparison, Difference, Drift, Enrolment, LeftAlone, PersonThere, Terminal
from hikflask.models.columns import database_now
from hikflask.models.comparison import (
    DONE,
    FACE_MISSING,
    FACE_OTHER,
    KINDS,
    NAME,
    ONLY_HERE,
    ONLY_THERE,
    READING,
    VALIDITY,
    VERDICTS,
)
from hikflask.models.enrolment import CONFIRMED, PRESENT
from hikflask.models.terminal import BY_PICTURE
from hikflask.services import audit
from hikflask.services.comparisons import left_alone, queries
from hikflask.services.comparisons.limits import validity_of
from hikflask.services.core.db import changed_rows, lock_terminal
from hikflask.services.core.errors import NumberTakenThere
from hikflask.services.enrolments import validity
from hikflask.services.state import enrolment as state

NIGHTLY = "nightly"
# Whoever compares has so long to decide before the program mends by itself.
DECIDE_SECONDS = 600.0
# So many confirmed pictures, none of them the photo's bytes, show that the terminal encodes pictures anew.
FEWEST_REENCODED = 3
# In the audit trail, where "name" is a person's name.
NOTED_AS = {NAME: "names_differ"}
# What the list proves. A validity is for a person to decide.
FOUND = {
    ONLY_HERE: state.FOUND_GONE,
    NAME: state.FOUND_RENAMED,
    FACE_MISSING: state.FOUND_WITHOUT_FACE,
    FACE_OTHER: state.FOUND_OTHER_FACE,
}
# After a restore, what is so is for a person to decide, too.
HELD = (ONLY_HERE, NAME, FACE_OTHER)


@dataclass(frozen=True)
class Here:
    """An enrolment of the terminal, and the SHA-256 of its photo and of its face as the terminal stores it."""

    row: Enrolment
    photo: str
    face_there: str

    @property
    def is_desired(self) -> bool:
        """True when the number is desired present."""
        return self.row.desired == PRESENT


def conclude(comparison_id: int) -> None:
    """Write the differences of a comparison that was read to its end. Nothing happens when that is done already."""
    lock_terminal(select(Comparison.terminal_id).where(Comparison.id == comparison_id).scalar_subquery())
    done = update(Comparison).where(Comparison.id == comparison_id, Comparison.state == READING)
    values = {"state": DONE, "ended_at": database_now()}
    if changed_rows(done.where(Comparison.step == VERDICTS).values(**values)) != 1:
        db.session.rollback()
        return
    comparison = db.session.get_one(Comparison, comparison_id, populate_existing=True)
    terminal = db.session.get_one(Terminal, comparison.terminal_id, populate_existing=True)
    restored = terminal.restored_from is not None
    here, there = _here(comparison.terminal_id), _there(comparison_id)
    # After a restore another picture may be a newer face.
    learnt = {} if restored else _learn_encoding(comparison, here, there)
    found = _differences(comparison, {**here, **learnt}, there)
    _write(comparison, found)
    both = {number for number in there if number in here and here[number].is_desired}
    comparison.same = len(both - {number for _, number in found})
    db.session.flush()
    _doubt(comparison, found, here)
    if restored:
        _hold(comparison, found, here)
    _forget_past(comparison)
    counts = {NOTED_AS.get(kind, kind): sum(1 for one, _ in found if one == kind) for kind in KINDS}
    note = {"same": comparison.same, **counts} | ({"encoded_anew": len(learnt)} if learnt else {})
    audit.note("terminal.compared", terminal=terminal.name, after=note)
    db.session.commit()


def _here(terminal_id: int) -> dict[str, Here]:
    statement = select(Enrolment).where(Enrolment.terminal_id == terminal_id)
    loaded = statement.options(joinedload(Enrolment.employee), joinedload(Enrolment.photo))
    rows = db.session.execute(loaded, execution_options={"populate_existing": True}).scalars()
    return {row.number: Here(row, row.photo.sha256 if row.photo else "", row.face_there) for row in rows}


def _there(comparison_id: int) -> dict[str, PersonThere]:
    statement = select(PersonThere).where(PersonThere.comparison_id == comparison_id).order_by(PersonThere.number)
    return {one.number: one for one in db.session.execute(statement).scalars()}


# --- the verdicts ---


def _differences(
    comparison: Comparison, here: Mapping[str, Here], there: Mapping[str, PersonThere]
) -> dict[tuple[str, str], str]:
    """Return the differences, kind and number, each with what was seen, sorted by number."""
    terminal = db.session.get_one(Terminal, comparison.terminal_id)
    found: dict[tuple[str, str], str] = {}
    for number in sorted({*here, *there}):
        for kind in _kinds(terminal, comparison, here.get(number), there.get(number)):
            found[kind, number] = seen(kind, there.get(number))
    return found


def _kinds(terminal: Terminal, comparison: Comparison, here: Here | None, there: PersonThere | None) -> list[str]:
    if here is None or not here.is_desired:
        # An open removal is known, and its end is not awaited here; one that waits for a decision is shown.
        is_removed = here is not None and here.row.may_open_doors and here.row.refusal_code != NumberTakenThere.code
        return [ONLY_THERE] if there and not is_removed else []
    if there is None:
        return [] if _is_newer(here.row, comparison.started_at) else [ONLY_HERE]
    kinds = []
    if there.name not in names_of(terminal, here.row):
        kinds.append(NAME)
    if here.photo and there.faces == 0:
        kinds.append(FACE_MISSING)
    if validity.differs(here.row, validity_of(there.valid_there)):
        kinds.append(VALIDITY)
    found = [] if kinds and _is_newer(here.row, comparison.started_at) else kinds
    # Pictures are read last, and can be read again: only a proof after all of them counts for more.
    other = here.photo and there.face_sha256 and there.face_sha256 not in {here.photo, here.face_there}
    return [*found, FACE_OTHER] if other and not _is_newer(here.row, comparison.read_at) else found


def _is_newer(row: Enrolment, since: datetime | None) -> bool:
    """True when the terminal confirmed the enrolment after that: its own answer is newer than the list."""
    if since is None or row.confirmed_at is None:
        return False
    return row.person == CONFIRMED and row.confirmed_at >= since


def names_of(terminal: Terminal, row: Enrolment) -> set[str]:
    """Return the names that count as the employee's on a terminal: see reconcile.py. Names there are cut to 255."""
    employee = row.employee
    whole = {employee.name, employee.terminal_name, queries.name_wanted(terminal, employee)} if employee else set()
    return (row.names_sent | whole) - {""}


def seen(kind: str, there: PersonThere | None) -> str:
    """Return the SHA-256 of what is there, as far as it belongs to this kind of difference."""
    if there is None:
        words = [""]
    elif kind == ONLY_THERE:
        words = [there.name, there.valid_there, str(there.faces)]
    else:
        words = {
            NAME: [there.name],
            FACE_MISSING: [str(there.faces)],
            FACE_OTHER: [there.face_sha256 or ""],
            VALIDITY: [there.valid_there],
        }.get(kind, [""])
    return hashlib.sha256("\n".join([kind, *words]).encode()).hexdigest()


# --- terminals that encode pictures anew ---


def _learn_encoding(
    comparison: Comparison, here: Mapping[str, Here], there: Mapping[str, PersonThere]
) -> dict[str, Here]:
    """Remember the enrolled pictures of a terminal that stores faces in an encoding of its own.

    It does when none of at least three confirmed pictures is its photo. For one person it does, too, when the terminal
    showed the same picture before and after the photo was sent to it again.
    """
    shown = {number: one.face_sha256 for number, one in there.items() if one.face_sha256}
    compared = [
        (number, one)
        for number, one in here.items()
        if one.is_desired and one.row.face == CONFIRMED and number in shown
    ]
    others = [(number, one) for number, one in compared if shown[number] != one.photo]
    if len(others) == len(compared) >= FEWEST_REENCODED:
        fresh = [(number, one) for number, one in others if not one.face_there]
    else:
        fresh = _sent_again(comparison, others, shown)
    for number, one in fresh:
        same = (Enrolment.id == one.row.id, Enrolment.generation == one.row.generation)
        state.apply(state.FACE_THERE_LEARNT, *same, face_there=shown[number])
    return {number: Here(one.row, one.photo, shown[number] or "") for number, one in fresh}


def _sent_again(
    comparison: Comparison, others: list[tuple[str, Here]], shown: Mapping[str, str | None]
) -> list[tuple[str, Here]]:
    earlier = queries.before(comparison)
    if earlier is None or not others:
        return []
    before = {one.number: one.face_sha256 for one in queries.people(earlier.id, [number for number, _ in others])}
    return [
        (number, one)
        for number, one in others
        if before.get(number) == shown[number]
        and earlier.ended_at
        and one.row.confirmed_at
        and earlier.ended_at < one.row.confirmed_at
    ]


# --- what is written ---


def _write(comparison: Comparison, found: Mapping[tuple[str, str], str]) -> None:
    rows: list[dict[str, Any]] = [
        {"comparison_id": comparison.id, "kind": kind, "number": number, "seen": what}
        for (kind, number), what in found.items()
    ]
    if rows:
        db.session.execute(insert(Difference), rows)


def _doubt(comparison: Comparison, found: Iterable[tuple[str, str]], here: Mapping[str, Here]) -> None:
    """Show nothing in green that the list contradicts. What a person left alone is not tried again."""
    alone = left_alone.reasons(comparison)
    due = database_now() if comparison.requested_by == NIGHTLY else database_now(DECIDE_SECONDS)
    for kind, number in found:
        if kind not in FOUND or number not in here:
            continue
        row = here[number].row
        if (kind, number) in alone:
            left_alone.stop_trying(row.id, kind, alone[kind, number])
        else:
            replaced = {"face_unverified": _can_replace(row)} if kind == FACE_OTHER else {}
            state.apply(FOUND[kind], Enrolment.id == row.id, next_attempt_at=due, **replaced)


def _hold(comparison: Comparison, found: Iterable[tuple[str, str]], here: Mapping[str, Here]) -> None:
    """Try nothing again by itself, after a restore.

    Who is not there may have left since the backup, another face may be newer, and what was not finished when the
    backup was made may have been done and undone since. Who had no face there then may well have none now.
    """
    other = {here[number].row.id for kind, number in found if kind in HELD and number in here}
    for one in other:
        state.apply(state.HELD_SINCE_BACKUP, Enrolment.id == one)
    state.apply(state.HELD_SINCE_BACKUP, Enrolment.terminal_id == comparison.terminal_id, state.IS_UNFINISHED)


def _can_replace(row: Enrolment) -> bool:
    """True when the photo can be sent again. At other terminals a face is captured anew, and the one there stays."""
    return row.terminal.face_mode == BY_PICTURE and row.photo is not None and row.photo.forgotten_at is None


def _forget_past(comparison: Comparison) -> None:
    """The comparison ends what was noticed before it, and decisions about differences that there are no more."""
    same = (
        Difference.comparison_id == comparison.id,
        Difference.kind == LeftAlone.kind,
        Difference.number == LeftAlone.number,
    )
    over = delete(LeftAlone).where(LeftAlone.terminal_id == comparison.terminal_id, ~exists().where(*same))
    db.session.execute(over, execution_options={"synchronize_session": False})
    db.session.execute(delete(Drift).where(Drift.terminal_id == comparison.terminal_id))
