"""What is wanted of a number on a terminal, and when it is tried again."""

from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, ScalarResult, Select, case, func, or_, select, update

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Photo, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, CONFIRMED, PENDING, PRESENT, REFUSED
from hikflask.models.photo import UPLOADED
from hikflask.models.terminal import BY_PICTURE
from hikflask.services import audit
from hikflask.services.core.db import changed_rows
from hikflask.services.core.errors import EnrolmentUnknown, NameTooLong, NumberLeaving
from hikflask.services.terminals import leases

# A claimed attempt that nobody finishes (a killed worker, a lost queue) is claimed again after this many seconds.
CLAIM_SECONDS = 60.0


def want_present(terminal: Terminal, employee: Employee, photo: Photo | None) -> Enrolment:
    """Wish, within the caller's transaction, that the employee be on the terminal with this photo's face.

    :raises NameTooLong: when the name has more bytes than this terminal takes.
    """
    fits(terminal, employee.name)
    enrolment = find(terminal.id, employee.number, lock=True)
    if enrolment is None:
        enrolment = Enrolment(terminal_id=terminal.id, number=employee.number, generation=0)
        db.session.add(enrolment)
    kept = _kept_photo(terminal, enrolment, photo)
    face = _face(enrolment) if enrolment.desired == PRESENT and enrolment.photo_id == kept else {}
    _wish(enrolment, PRESENT)
    enrolment.employee_id = employee.id
    enrolment.photo_id = kept
    for column, value in face.items():
        setattr(enrolment, column, value)
    db.session.flush()
    audit.note("enrolment.wanted", employee=employee, terminal=terminal.name)
    return enrolment


def _kept_photo(terminal: Terminal, enrolment: Enrolment, photo: Photo | None) -> int | None:
    """A file never takes the place of a captured face where the terminal takes no files."""
    if photo is None:
        return enrolment.photo_id
    if photo.source == UPLOADED and terminal.face_mode != BY_PICTURE and enrolment.photo_id:
        return enrolment.photo_id
    return photo.id


def _face(enrolment: Enrolment) -> dict[str, Any]:
    """What is known of the face, to be kept when only the person changes."""
    columns = ("face", "confirmed_photo_id", "confirmed_at") if enrolment.face == CONFIRMED else ()
    return {column: getattr(enrolment, column) for column in columns}


def want_renamed(employee: Employee) -> list[Enrolment]:
    """Wish, within the caller's transaction, that terminals learn the new name; the face stays what it is.

    :raises NameTooLong: when a terminal takes no name of so many bytes.
    """
    wanted = [enrolment for enrolment in of_number(employee.number, lock=True) if enrolment.desired == PRESENT]
    for enrolment in wanted:
        fits(enrolment.terminal, employee.name)
        face = _face(enrolment)
        _wish(enrolment, PRESENT)
        for column, value in face.items():
            setattr(enrolment, column, value)
    return wanted


def want_absent(number: str) -> list[Enrolment]:
    """Wish, within the caller's transaction, that nobody has this number on any terminal."""
    known = of_number(number, lock=True)
    for enrolment in known:
        if enrolment.desired == PRESENT:
            _wish(enrolment, ABSENT)
            enrolment.overwrite = False
    return [enrolment for enrolment in known if not enrolment.is_confirmed]


def want_replaced(enrolment_id: int, wish: int) -> bool:
    """Wish that whoever has this number on the terminal be taken off first; False when the wish changed meanwhile."""
    changed = changed_rows(
        update(Enrolment)
        .where(Enrolment.id == enrolment_id, Enrolment.generation == wish)
        .values(
            overwrite=True,
            generation=Enrolment.generation + 1,
            person=PENDING,
            face=case((Enrolment.face == REFUSED, PENDING), else_=Enrolment.face),
            refusal_code="",
            refusal_text="",
            attempts=0,
            next_attempt_at=database_now(),
        )
    )
    if changed == 1:
        _note("enrolment.replaced", enrolment_id)
    db.session.commit()
    return changed == 1


def want_again(enrolment_id: int) -> None:
    """Wish the same again now, as when an operator presses "Try again"; what was refused is pending once more."""
    mine = update(Enrolment).where(Enrolment.id == enrolment_id)
    changed_rows(mine.values(generation=Enrolment.generation + 1, attempts=0, next_attempt_at=database_now()))
    changed_rows(mine.where(Enrolment.person == REFUSED).values(person=PENDING))
    changed_rows(mine.where(Enrolment.face == REFUSED).values(face=PENDING))
    changed_rows(mine.where(Enrolment.face == PENDING).values(refusal_code="", refusal_text=""))
    _note("enrolment.retried", enrolment_id)
    db.session.commit()


def _note(action: str, enrolment_id: int) -> None:
    one = get(enrolment_id)
    if one is None:
        return
    audit.note(action, employee_id=one.employee_id, number=one.number, terminal=one.terminal.name)


def unproven() -> dict[str, Any]:
    """Return the columns of a face that is not proven, or not any more; who writes that must come back to it."""
    return {
        "face": PENDING,
        "confirmed_photo_id": None,
        "confirmed_at": None,
        "next_attempt_at": database_now(CLAIM_SECONDS),
    }


def _wish(enrolment: Enrolment, wanted: str) -> None:
    if enrolment.desired != wanted:
        enrolment.desired_since = database_now()
    enrolment.desired = wanted
    enrolment.confirmed_by = enrolment.confirmation_note = ""
    enrolment.generation += 1
    enrolment.person = enrolment.face = PENDING
    enrolment.confirmed_photo_id = enrolment.confirmed_at = None
    enrolment.refusal_code = enrolment.refusal_text = enrolment.step = ""
    enrolment.attempts = 0
    enrolment.next_attempt_at = database_now()


def fits(terminal: Terminal, name: str) -> None:
    """Check a name against the terminal's limit, counted in bytes of UTF-8.

    :raises NameTooLong: with limit and length in bytes.
    """
    length = len(name.encode())
    if terminal.name_bytes and length > terminal.name_bytes:
        raise NameTooLong(limit=terminal.name_bytes, length=length, t=terminal.name)


def refuse_while_leaving(number: str, employee_id: int | None) -> None:
    """Keep a number from somebody new while a terminal may still open doors to whoever had it.

    :raises NumberLeaving: with the terminal's name.
    """
    for enrolment in of_number(number):
        if enrolment.may_open_doors and (enrolment.employee_id is None or enrolment.employee_id != employee_id):
            raise NumberLeaving(n=number, t=enrolment.terminal.name)


def find(terminal_id: int, number: str, *, lock: bool = False) -> Enrolment | None:
    """Return the enrolment of a number on a terminal, as it is in the database now.

    :param lock: keep conversations from writing to it until the caller's transaction ends: what is unchanged in
        memory is not written again, so a confirmation that came between would outlive the wish it belongs to.
    """
    statement = select(Enrolment).where(Enrolment.terminal_id == terminal_id, Enrolment.number == number)
    return _fresh(statement, lock).one_or_none()


def of_number(number: str, *, lock: bool = False) -> list[Enrolment]:
    """Return the enrolments of a number, as they are in the database now; `lock` as for find()."""
    statement = select(Enrolment).where(Enrolment.number == number).order_by(Enrolment.terminal_id)
    return list(_fresh(statement, lock))


def of_person(number: str, employee_id: int | None, *, lock: bool = False) -> list[Enrolment]:
    """Return those of a number, and of the numbers that the employee had before; `lock` as for find()."""
    mine = or_(Enrolment.number == number, Enrolment.employee_id == employee_id)
    if employee_id is None:
        mine = Enrolment.number == number
    return list(_fresh(select(Enrolment).where(mine).order_by(Enrolment.terminal_id, Enrolment.id), lock))


def get(enrolment_id: int) -> Enrolment | None:
    """Return the enrolment as the database has it now, or None."""
    return db.session.get(Enrolment, enrolment_id, populate_existing=True)


def row(enrolment_id: int) -> Enrolment:
    """Return the enrolment as it is in the database now, without leaving a transaction open.

    :raises EnrolmentUnknown: when it ended, as a removal does that the terminal confirmed.
    """
    enrolment = db.session.get(Enrolment, enrolment_id, populate_existing=True)
    db.session.commit()
    if enrolment is None:
        raise EnrolmentUnknown
    return enrolment


def open_removals() -> list[Enrolment]:
    """Return the removals that no terminal confirmed yet, the oldest wish first: these numbers may still open doors."""
    statement = select(Enrolment).where(Enrolment.desired == ABSENT, Enrolment.person != CONFIRMED)
    return list(_fresh(statement.order_by(func.coalesce(Enrolment.desired_since, Enrolment.created_at), Enrolment.id)))


def count_open_removals() -> int:
    """Return how many removals no terminal confirmed yet."""
    statement = select(func.count()).where(Enrolment.desired == ABSENT, Enrolment.person != CONFIRMED)
    return db.session.execute(statement).scalar_one()


def claim_turns(limit: int = 20) -> list[list[int]]:
    """Claim by compare-and-set the enrolments whose next attempt has come, and return their ids, a list per terminal.

    Who is to leave comes first. A terminal that somebody talks to now has its turn later. A claim is a later next
    attempt, so what a killed worker or a lost queue leaves undone comes up again.
    """
    due = (
        select(Enrolment.id, Enrolment.terminal_id, Enrolment.next_attempt_at, Terminal.offline_since)
        .join(Terminal)
        .where(Enrolment.next_attempt_at <= database_now(), _not_quiet(), leases.free())
    )
    leaving_first = case((Enrolment.desired == ABSENT, 0), else_=1)
    rows = db.session.execute(due.order_by(leaving_first, Enrolment.next_attempt_at)).all()
    db.session.commit()
    turns: dict[int, list[int]] = {}
    for enrolment_id, terminal_id, when, offline_since in rows:
        turn = turns.setdefault(terminal_id, [])
        # One that did not answer is asked with a single wish first, so that it never keeps others waiting.
        if len(turn) < (1 if offline_since else limit) and when and _claim(enrolment_id, when):
            turn.append(enrolment_id)
    return [turn for turn in turns.values() if turn]


def claim_leaving_beside(enrolment_id: int) -> list[int]:
    """Claim in the same way whose removal became due on this one's terminal: they do not wait until its turn ends."""
    here = select(Enrolment.terminal_id).where(Enrolment.id == enrolment_id).scalar_subquery()
    due = (
        select(Enrolment.id, Enrolment.next_attempt_at)
        .join(Terminal)
        .where(Terminal.id == here, Enrolment.desired == ABSENT, Enrolment.next_attempt_at <= database_now())
        .where(_not_quiet())
    )
    rows = db.session.execute(due.order_by(Enrolment.next_attempt_at)).all()
    db.session.commit()
    return [leaving for leaving, when in rows if when and _claim(leaving, when)]


def is_quiet(enrolment_id: int) -> bool:
    """True while the terminal is left alone because it did not answer a moment ago."""
    statement = select(Enrolment.id).join(Terminal).where(Enrolment.id == enrolment_id, _not_quiet())
    found = db.session.execute(statement).first()
    db.session.commit()
    return found is None


def _not_quiet() -> ColumnElement[bool]:
    return or_(Terminal.backoff_until.is_(None), Terminal.backoff_until <= database_now())


def _claim(enrolment_id: int, when: datetime) -> bool:
    statement = update(Enrolment).where(Enrolment.id == enrolment_id, Enrolment.next_attempt_at == when)
    claimed = changed_rows(statement.values(next_attempt_at=database_now(CLAIM_SECONDS))) == 1
    db.session.commit()
    return claimed


def pause(attempts: int) -> float:
    """Return the seconds before the next attempt: RETRY_BASE doubled each time, up to RETRY_MAX."""
    base, most = current_app.config["RETRY_BASE"], current_app.config["RETRY_MAX"]
    return float(min(most, base * 2 ** min(attempts, 20)))


def _fresh(statement: Select[Enrolment], lock: bool = False) -> ScalarResult[Enrolment]:
    statement = statement.with_for_update() if lock else statement
    return db.session.execute(statement, execution_options={"populate_existing": True}).scalars()
