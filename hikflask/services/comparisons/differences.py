"""Compares what was read with what is desired, and writes the result of a comparison in short transactions.

What the list proves to be otherwise than confirmed is not shown in green any longer. It is tried again: at once after
the comparison of a night, and after a while when a person compares and may decide otherwise meanwhile.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy import Table, delete, exists, insert, select, update

from hikflask.extensions import db
from hikflask.models import Comparison, Difference, Drift, Enrolment, IgnoredDifference, PersonThere, Terminal
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
from hikflask.models.enrolment import CONFIRMED, LEAVING, PRESENT, REMOVED
from hikflask.models.terminal import BY_PICTURE
from hikflask.services import audit
from hikflask.services.comparisons import ignored, queries, validity_there
from hikflask.services.comparisons.queries import There
from hikflask.services.core.db import changed_rows, let_others_write, lock_terminal, transaction
from hikflask.services.core.errors import NumberTakenThere
from hikflask.services.core.similar_names import are_similar
from hikflask.services.state import columns
from hikflask.services.state import enrolment as state
from hikflask.services.state.columns import EnrolmentColumns
from hikflask.services.terminals import lost_people
from hikflask.text_rules import with_plain_apostrophes

Listed = TypeVar("Listed")

NIGHTLY = "nightly"
# So many are decided in one transaction.
NUMBERS_AT_ONCE = 2000
_DIFFERENCES = cast("Table", Difference.__table__)
_PICTURE = (PersonThere.number, PersonThere.face_sha256)
# A person who compares has this long to decide before the program mends by itself.
DECIDE_SECONDS = 600.0
# So many confirmed pictures, none of them the photo's bytes, show that the terminal encodes pictures anew.
MIN_REENCODED = 3
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


def conclude(comparison_id: int) -> None:
    """Write the differences of a comparison that was read to its end. Nothing happens when that is done already.

    Some numbers come after others, each in a short transaction, so that nobody waits who wants to write. Nothing of it
    is shown before the comparison is done; what a killed process left of it is written again.
    """
    comparison = _awaited(comparison_id)
    if comparison is None:
        return
    # After a restore another picture may be a newer face.
    encoded_anew = 0 if comparison.terminal.restored_from is not None else _learn_encoding(comparison)
    counts, same = Counter[str](), 0
    there = select(PersonThere.number).where(PersonThere.comparison_id == comparison.id)
    here = select(Enrolment.number).where(Enrolment.terminal_id == comparison.terminal_id)
    everybody = sorted({*db.session.execute(there).scalars(), *db.session.execute(here).scalars()})
    for numbers in _in_batches(everybody, NUMBERS_AT_ONCE):
        with transaction():
            if not _is_locked(comparison):
                return
            same += _conclude_some(comparison, numbers, counts)
    with transaction():
        if _is_locked(comparison):
            _end(comparison, same, counts, encoded_anew)


def _awaited(comparison_id: int) -> Comparison | None:
    """Return a comparison whose differences are to be written, as it is now, or None."""
    comparison = queries.find_comparison(comparison_id)
    return comparison if comparison and comparison.state == READING and comparison.step == VERDICTS else None


def _is_locked(comparison: Comparison) -> bool:
    """Lock the terminal, and read it and the comparison again; False when somebody else has ended the comparison."""
    lock_terminal(comparison.terminal_id)
    if _awaited(comparison.id) is None:
        return False
    db.session.get_one(Terminal, comparison.terminal_id, populate_existing=True)
    return True


def _conclude_some(comparison: Comparison, numbers: Sequence[str], counts: Counter[str]) -> int:
    """Write what differs about some numbers, and count it by kind; return how many are the same here and there."""
    earlier = (Difference.comparison_id == comparison.id, Difference.number.in_(numbers))
    changed_rows(delete(Difference).where(*earlier))  # Of a process that was killed.
    at_terminal = (Enrolment.terminal_id == comparison.terminal_id, Enrolment.number.in_(numbers))
    state.lock_many(*at_terminal)
    here = {row.number: row for row in columns.enrolments(*at_terminal)}
    there = {person.number: person for person in queries.there(comparison.id, PersonThere.number.in_(numbers))}
    different: list[tuple[str, str]] = []
    for number in sorted({*here, *there} - _doubt_removals(comparison, here, there)):
        different += [(kind, number) for kind in _kinds(comparison, here.get(number), there.get(number))]
    rows: list[dict[str, Any]] = [
        {"comparison_id": comparison.id, "kind": kind, "number": number, "seen": seen(kind, there.get(number))}
        for kind, number in different
    ]
    if rows:
        db.session.execute(insert(_DIFFERENCES), rows)
    _doubt(comparison, different, here)
    if comparison.terminal.restored_from is not None:
        held = {here[number].id for kind, number in different if kind in HELD and number in here}
        state.apply(state.HELD_SINCE_BACKUP, Enrolment.id.in_(held))
    counts.update(kind for kind, _ in different)
    both = {number for number in there if number in here and here[number].is_desired}
    return len(both - {number for _, number in different})


def _end(comparison: Comparison, same: int, counts: Mapping[str, int], encoded_anew: int) -> None:
    """End the comparison, and with it what was noticed before, and decisions about differences that there are no more.

    After a restore nothing is tried again by itself: somebody who is not there may have left since the backup, another
    face may be newer, and what was not finished when the backup was made may have been done and undone since. Somebody
    without a face there then may well have none now.
    """
    unended = update(Comparison).where(Comparison.id == comparison.id, Comparison.state == READING)
    changed_rows(unended.values(state=DONE, ended_at=database_now(), same=same))
    if comparison.terminal.restored_from is not None:
        state.lock_many(Enrolment.terminal_id == comparison.terminal_id)
        state.apply(state.HELD_SINCE_BACKUP, Enrolment.terminal_id == comparison.terminal_id, state.IS_UNFINISHED)
    still = (
        Difference.comparison_id == comparison.id,
        Difference.kind == IgnoredDifference.kind,
        Difference.number == IgnoredDifference.number,
    )
    changed_rows(
        delete(IgnoredDifference).where(
            IgnoredDifference.terminal_id == comparison.terminal_id, ~exists().where(*still)
        )
    )
    # The comparison tells nothing of when the people are back whom the terminal has lost.
    changed_rows(delete(Drift).where(Drift.terminal_id == comparison.terminal_id, ~lost_people.EVERYBODY))
    is_expected = comparison.terminal.restored_from is not None or comparison.terminal.awaits_restore
    if counts.get(ONLY_HERE) and not comparison.read and not is_expected:
        lost_people.record(comparison.terminal_id, counts[ONLY_HERE])
    counted = {NOTED_AS.get(kind, kind): counts.get(kind, 0) for kind in KINDS}
    after = {"same": same, **counted} | ({"encoded_anew": encoded_anew} if encoded_anew else {})
    audit.record("terminal.compared", terminal=comparison.terminal.name, after=after)


def _in_batches(rows: Sequence[Listed], length: int) -> Iterator[Sequence[Listed]]:
    for start in range(0, len(rows), length):
        if start:
            let_others_write()
        yield rows[start : start + length]


def _kinds(comparison: Comparison, here: EnrolmentColumns | None, there: There | None) -> list[str]:
    if here is None or not here.is_desired:
        # An open removal is known, and its end is not awaited here; one that waits for a decision is shown.
        is_removed = here is not None and here.state == LEAVING and here.refusal_code != NumberTakenThere.code
        return [ONLY_THERE] if there and not is_removed else []
    if there is None:
        return [] if _is_newer(here, comparison.started_at) else [ONLY_HERE]
    kinds = []
    # Any name that was sent, or a form of the employee's own, is the employee's; names there are cut to 255.
    ours = here.names_sent | {queries.name_wanted(comparison.terminal, here.employee)}
    if here.employee:
        ours |= {here.employee.name, here.employee.terminal_name}
    if with_plain_apostrophes(there.name) not in map(with_plain_apostrophes, ours - {""}):
        kinds.append(NAME)
    if here.photo_sha256 and there.faces == 0:
        kinds.append(FACE_MISSING)
    if validity_there.differs(here, validity_there.validity_of(there.valid_there)):
        kinds.append(VALIDITY)
    if _is_newer(here, comparison.started_at):
        kinds = []
    # Pictures are read last, and can be read again: only a proof after all of them counts for more.
    other = here.photo_sha256 and there.face_sha256 and there.face_sha256 not in {here.photo_sha256, here.face_there}
    return [*kinds, FACE_OTHER] if other and not _is_newer(here, comparison.read_at) else kinds


def _is_newer(row: EnrolmentColumns, since: datetime | None) -> bool:
    """True when the terminal confirmed the enrolment after that: its own answer is newer than the list."""
    if since is None or row.confirmed_at is None:
        return False
    return row.person == CONFIRMED and row.confirmed_at >= since


def seen(kind: str, there: There | None) -> str:
    """Return the SHA-256 of what is there, as far as it belongs to this kind of difference."""
    if there is None:
        words = [""]
    elif kind == ONLY_THERE:
        words = [there.name, there.valid_there, str(there.faces)]
    else:
        by_kind = {
            NAME: there.name,
            FACE_MISSING: str(there.faces),
            FACE_OTHER: there.face_sha256,
            VALIDITY: there.valid_there,
        }
        words = [by_kind.get(kind) or ""]
    return hashlib.sha256("\n".join([kind, *words]).encode()).hexdigest()


def _learn_encoding(comparison: Comparison) -> int:
    """Remember the enrolled pictures of a terminal that stores faces in an encoding of its own; return how many.

    It does when none of at least three confirmed pictures is its photo. For one person it does, too, when the terminal
    showed the same picture before and after the photo was sent to it again. A picture that it shows for several people
    is no encoding of their photos.
    """
    pictures = (PersonThere.comparison_id == comparison.id, PersonThere.face_sha256 != "")
    shown = {number: sha256 or "" for number, sha256 in db.session.execute(select(*_PICTURE).where(*pictures))}
    with_picture = Enrolment.number.in_(select(PersonThere.number).where(*pictures))
    here = (Enrolment.terminal_id == comparison.terminal_id, Enrolment.desired == PRESENT, Enrolment.face == CONFIRMED)
    compared = list(columns.enrolments(*here, with_picture))
    others = [row for row in compared if shown[row.number] != row.photo_sha256]
    people_of = Counter(shown.values())
    unshared = [row for row in others if people_of[shown[row.number]] == 1]
    if len(others) == len(compared) and len(unshared) >= MIN_REENCODED:
        fresh = [row for row in unshared if not row.face_there]
    else:
        fresh = _sent_again(comparison, unshared, shown)
    for some in _in_batches(fresh, NUMBERS_AT_ONCE):
        with transaction():
            state.lock_many(Enrolment.id.in_([row.id for row in some]))
            for row in some:
                unchanged = (Enrolment.generation == row.generation, Enrolment.confirmed_at == row.confirmed_at)
                face_there = shown[row.number]
                state.apply(state.FACE_THERE_LEARNT, Enrolment.id == row.id, *unchanged, face_there=face_there)
    return len(fresh)


def _sent_again(
    comparison: Comparison, others: list[EnrolmentColumns], shown: Mapping[str, str]
) -> list[EnrolmentColumns]:
    earlier = queries.before(comparison)
    if earlier is None or earlier.ended_at is None or not others:
        return []
    people = queries.people(earlier.id, [row.number for row in others])
    before = {person.number: person.face_sha256 for person in people}
    unchanged = [row for row in others if before.get(row.number) == shown[row.number]]
    return [row for row in unchanged if row.confirmed_at and earlier.ended_at < row.confirmed_at]


def _doubt_removals(
    comparison: Comparison, here: Mapping[str, EnrolmentColumns], there: Mapping[str, There]
) -> set[str]:
    """Remove those who left once more who were removed there before and are on the list; return their numbers.

    So it is where a terminal was put back to an earlier state. What somebody left alone is left alone, as is a record
    that may be somebody else's; after a restore of our own a person decides.
    """
    if comparison.terminal.restored_from is not None:
        return set()
    found = {
        row.id: there[number]
        for number, row in here.items()
        if number in there and row.state == REMOVED and not _is_newer(row, comparison.started_at)
        if row.employee and not row.employee.is_active
        if any(are_similar(there[number].name, name) for name in (row.employee.name, row.employee.terminal_name))
    }
    alone = ignored.of_strangers(comparison.terminal_id, [person.number for person in found.values()])
    doubted = {
        row_id: person for row_id, person in found.items() if (person.number, seen(ONLY_THERE, person)) not in alone
    }
    for row_id, person in doubted.items():
        state.apply(state.REMOVAL_DOUBTED, Enrolment.id == row_id, written_name=person.name[:128])
    return {person.number for person in doubted.values()}


def _doubt(
    comparison: Comparison, different: Collection[tuple[str, str]], here: Mapping[str, EnrolmentColumns]
) -> None:
    """Show nothing in green that the list contradicts. What a person left alone is not tried again."""
    alone = ignored.reasons(comparison, {number for _, number in different})
    due = database_now() if comparison.requested_by == NIGHTLY else database_now(DECIDE_SECONDS)
    alike: dict[tuple[str, str | None, bool], list[int]] = defaultdict(list)
    for kind, number in different:
        if kind in FOUND and number in here:
            # The photo can be sent again. At other terminals a face is captured anew, and the one there stays.
            replaced = kind == FACE_OTHER and comparison.terminal.face_mode == BY_PICTURE and here[number].has_picture
            alike[kind, alone.get((kind, number)), replaced].append(here[number].id)
    # Of somebody with several differences, the first of KINDS comes first.
    for (kind, reason, replaced), ids in sorted(alike.items(), key=lambda group: KINDS.index(group[0][0])):
        unverified = {"face_unverified": replaced} if kind == FACE_OTHER else {}
        if reason is not None:
            ignored.stop_trying(kind, reason, Enrolment.id.in_(ids))
        else:
            state.apply(FOUND[kind], Enrolment.id.in_(ids), next_attempt_at=due, **unverified)
