"""The table of transitions: what each may write, who may make it, and which of them turn something green."""

import threading
from itertools import cycle, product

import pytest
from flask import Flask
from sqlalchemy import null

from hikflask.extensions import db
from hikflask.models import Enrolment, Photo, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, CONFIRMED, PENDING, PRESENT, REFUSED, REMOVED
from hikflask.models.people import UPLOADED
from hikflask.models.terminal import BY_PICTURE
from hikflask.services.state import enrolment as state
from hikflask.services.state.enrolment import Transition
from hikflask.services.terminals import leases
from hikflask.services.terminals.leases import Lease
from tests.support.enrolments import desire
from tests.support.events import AT
from tests.support.refusals import refusal

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]

TRANSITIONS = {name: one for name, one in vars(state).items() if isinstance(one, Transition)}
# Only the terminal's own answer, or a person's word about a removal, makes one of these.
CONFIRM_PERSON = {
    "FACE_NOT_SHOWN",
    "CONFIRMED_WITH_FACE",
    "CONFIRMED_AS_BEFORE",
    "PERSON_CONFIRMED",
    "GONE",
    "TAKEN_OVER",
    "REMOVED_BY_HAND",
    "REMOVED_WITH_TERMINAL",
    "REMOVED_AS_SOMEBODY_ELSES",
}
CHANGE_WHAT_IS_DESIRED = {
    "DESIRED_PRESENT",
    "DESIRED_AS_BEFORE",
    "DESIRED_ABSENT",
    "DESIRED_OVERWRITE",
    "AWAITED_ON_NEW_DEVICE",
    "RESTORED",
    "PHOTO_TAKEN_NOW",
    "RETRIED",
    "RETRIED_IN_BULK",
    "ROOM_AGAIN",
    "PEOPLE_LOST",
    "EVERYBODY_LOST",
    "REMOVED_BY_HAND",
    "REMOVED_WITH_TERMINAL",
    "REMOVED_AS_SOMEBODY_ELSES",
    "SOMEBODY_ELSES_HERE",
    "REMOVAL_DOUBTED",
    "FOUND_GONE",
    "FOUND_RENAMED",
    "FOUND_WITHOUT_FACE",
    "FOUND_OTHER_FACE",
    "HELD_SINCE_BACKUP",
    "LEFT_PERSON",
    "LEFT_FACE",
    "TAKEN_OVER",
    "OVER_THERE",
    "REMOVAL_CHOSEN",
}


@pytest.fixture
def enrolment(terminal: Terminal) -> Enrolment:
    """Somebody who is desired on the terminal; nothing is confirmed yet."""
    return desire(terminal)


@pytest.fixture
def lease(enrolment: Enrolment) -> Lease:
    """The right to talk to the enrolment's terminal."""
    return leases.acquire(enrolment.terminal_id, "Анна", "save", 30)


def written(column: str, value: object) -> set[str]:
    return {
        name for name, one in TRANSITIONS.items() if one.writes.get(column) is value or one.writes.get(column) == value
    }


def make(enrolment: Enrolment, transition: Transition, **given: object) -> Enrolment:
    """Let the row make a transition, whatever its generation; return it as it is then."""
    assert state.apply(transition, Enrolment.id == enrolment.id, **given) == 1
    db.session.commit()
    db.session.refresh(enrolment)
    return enrolment


def put(enrolment: Enrolment, **columns: object) -> Enrolment:
    """Write columns by hand, as a row that went its way has them."""
    db.session.execute(db.update(Enrolment).where(Enrolment.id == enrolment.id).values(**columns))
    db.session.commit()
    db.session.refresh(enrolment)
    return enrolment


def confirmed(enrolment: Enrolment) -> Enrolment:
    shown = {"written_name": "Иван Иванов", "valid_there": "", "sent_valid": ""}
    return make(enrolment, state.PERSON_CONFIRMED, face=PENDING, refusal=None, **shown)


def test_only_these_confirm_a_person() -> None:
    assert written("person", CONFIRMED) == CONFIRM_PERSON


def test_only_these_confirm_a_face() -> None:
    assert written("face", CONFIRMED) == {
        "CONFIRMED_WITH_FACE",
        "RIGHTS_NOT_SHOWN_BESIDE_FACE",
        "OLD_FACE_STAYS",  # with the proof that it had
    }


def test_whatever_changes_what_is_desired_begins_a_generation() -> None:
    assert {name for name, one in TRANSITIONS.items() if "generation" in one.writes} == CHANGE_WHAT_IS_DESIRED


def test_whatever_takes_a_green_face_away_comes_back_to_it() -> None:
    """Nobody else would ask for the face again: a killed worker leaves it due."""
    unproven = {name for name, one in TRANSITIONS.items() if one.writes.get("face") in (PENDING, REFUSED)}

    assert {
        name for name in unproven if "next_attempt_at" not in {*TRANSITIONS[name].writes, *TRANSITIONS[name].given}
    } == set()


def test_every_column_that_is_written_is_one_of_the_table() -> None:
    columns = {column.key for column in Enrolment.__table__.columns}

    assert {name for one in TRANSITIONS.values() for name in (*one.writes, *one.given)} <= columns


def test_what_does_not_come_with_a_transition_is_refused(enrolment: Enrolment) -> None:
    with pytest.raises(TypeError, match="next_attempt_at"):
        state.apply(state.POSTPONED, Enrolment.id == enrolment.id)
    with pytest.raises(TypeError, match="person"):
        state.apply(state.ENDED, Enrolment.id == enrolment.id, person=CONFIRMED)


def test_row_of_another_generation_stays(enrolment: Enrolment, lease: Lease) -> None:
    generation = enrolment.generation

    assert not state.apply_under_lease(enrolment, generation + 1, lease.number, state.STEP, step="face")
    assert state.apply_under_lease(enrolment, generation, lease.number, state.STEP, step="face")
    assert enrolment.step == "face"


def test_row_stays_when_its_terminal_has_another_lease(enrolment: Enrolment, lease: Lease) -> None:
    lease.release()
    leases.acquire(enrolment.terminal_id, "Борис", "save", 30)

    assert not state.apply_under_lease(enrolment, enrolment.generation, lease.number, state.SENDING_FACE)
    assert not enrolment.face_unverified


def test_step_comes_along_with_a_transition(enrolment: Enrolment, lease: Lease) -> None:
    assert state.apply_under_lease(enrolment, enrolment.generation, lease.number, state.SENDING_FACE, step="face")
    assert (enrolment.face_unverified, enrolment.step) == (True, "face")
    with pytest.raises(TypeError, match="person"):
        state.apply_under_lease(enrolment, enrolment.generation, lease.number, state.SENDING_FACE, person=CONFIRMED)


def test_face_that_is_not_confirmed_is_not_confirmed_as_before(enrolment: Enrolment) -> None:
    shown = {"written_name": "Иван Иванов", "valid_there": "", "sent_valid": ""}
    assert state.apply(state.CONFIRMED_AS_BEFORE, Enrolment.id == enrolment.id, **shown) == 0


def test_no_other_holder_begins_between_a_write_and_its_commit(
    app: Flask, enrolment: Enrolment, lease: Lease, database: dict[str, str]
) -> None:
    """Whoever takes the terminal waits until the transaction of the holder's write is over, then reads that write."""
    assert state.apply_under_lease(enrolment, enrolment.generation, lease.number, state.SENDING_FACE)
    seen: list[bool] = []

    def take_over() -> None:
        with app.app_context():
            late = db.update(Terminal).where(Terminal.lease_number == lease.number).values(lease_number=99)
            db.session.execute(late)
            seen.append(db.session.get_one(Enrolment, enrolment.id).face_unverified)
            db.session.rollback()

    other = threading.Thread(target=take_over)
    other.start()
    other.join(0.1)
    assert other.is_alive(), database
    db.session.commit()
    other.join()

    assert seen == [True]


def test_row_that_does_not_meet_the_need_stays(enrolment: Enrolment) -> None:
    make(enrolment, state.DESIRED_ABSENT)
    generation = enrolment.generation

    assert state.apply(state.DESIRED_ABSENT, Enrolment.id == enrolment.id) == 0
    assert (enrolment.desired, enrolment.generation) == (ABSENT, generation)


def test_removal_keeps_nothing_of_the_face_and_is_due(enrolment: Enrolment) -> None:
    put(confirmed(enrolment), overwrite=True, next_attempt_at=None, attempts=4)

    gone = make(enrolment, state.DESIRED_ABSENT)

    assert (gone.person, gone.face, gone.confirmed_photo_id, gone.overwrite) == (PENDING, PENDING, None, False)
    assert (gone.attempts, gone.next_attempt_at is not None, gone.is_leaving) == (0, True, True)


def test_desired_since_is_kept_while_the_same_is_desired(enrolment: Enrolment) -> None:
    since = put(enrolment, desired_since=database_now(-3600)).desired_since
    same = {"employee_id": enrolment.employee_id, "photo_id": None}

    assert make(enrolment, state.DESIRED_AS_BEFORE, **same).desired_since == since
    assert make(enrolment, state.DESIRED_ABSENT).desired_since != since


@pytest.mark.parametrize("face", [PENDING, REFUSED])
def test_retry_makes_what_was_refused_pending(enrolment: Enrolment, face: str) -> None:
    put(enrolment, person=REFUSED, face=face, refusal=refusal("deviceuserfull", text="full"), next_attempt_at=None)

    retried = make(enrolment, state.RETRIED)

    assert (retried.person, retried.face, retried.refusal) == (PENDING, PENDING, None)
    assert retried.next_attempt_at is not None


def test_other_device_leaves_who_was_written_on_the_old_one(enrolment: Enrolment) -> None:
    confirmed(enrolment)

    left = make(enrolment, state.LEFT_ON_OLD_DEVICE)
    assert (left.on_old_device, left.name_on_old_device, left.written_name) == (True, "Иван Иванов", "")

    anew = make(enrolment, state.AWAITED_ON_NEW_DEVICE)
    assert (anew.person, anew.desired, anew.is_green) == (PENDING, PRESENT, False)
    assert state.awaits_a_person(anew)


def test_one_row_and_a_statement_are_told_the_same(terminal: Terminal) -> None:
    photo = Photo(file="1.jpg", sha256="1", source=UPLOADED)
    login = {"url": terminal.url, "username": "admin", "password_encrypted": ""}
    checks = product((None, BY_PICTURE), (None, AT))
    terminals = [Terminal(name=str(n), face_mode=one[0], restored_from=one[1], **login) for n, one in enumerate(checks)]
    db.session.add_all([photo, *terminals])
    db.session.flush()
    face = {"photo_id": photo.id, "confirmed_photo_id": photo.id, "confirmed_at": AT, "face": CONFIRMED}
    desired: list[dict[str, object]] = [{"desired": PRESENT}, {"desired": ABSENT}, {"desired": PRESENT, **face}]
    codes = (None, *(refusal(code) for code in (state.NOT_RESTORED, state.CHANGED_SINCE_BACKUP, state.LEFT_ALONE)))
    facts = product(terminals, desired, (PENDING, CONFIRMED, REFUSED), (null(), AT), codes)
    names = cycle(product(("", "А"), ("", "Б")))
    for number, ((one, wish, person, due, why), (written, sent)) in enumerate(zip(facts, names, strict=False)):
        of_row = {"terminal_id": one.id, "number": str(number), "written_name": written, "sent_name": sent}
        db.session.add(Enrolment(**of_row, **wish, person=person, next_attempt_at=due, refusal=why))
    db.session.commit()
    conditions = (
        *(Enrolment.is_confirmed, Enrolment.is_green, Terminal.is_checked, state.AWAITS_A_PERSON),
        *(state.IS_LEAVING, state.IS_LEAVING_UNINDEXED, state.IS_THERE, state.WAS_WRITTEN, state.NAME_THERE),
    )

    rows = db.session.execute(db.select(Enrolment, *conditions).join(Terminal)).all()

    told = [(*row[1:],) for row in rows]
    assert told == [
        (
            *(one.is_confirmed, one.is_green, one.terminal.is_checked, state.awaits_a_person(one)),
            *(one.is_leaving, one.is_leaving, one.state != REMOVED, one.name_there != "", one.name_there),
        )
        for one, *_ in rows
    ]
    assert [len(set(column)) for column in zip(*told, strict=True)] == [*[2] * 8, 3]


def test_who_awaits_a_persons_word_is_made_due_by_nothing_else(enrolment: Enrolment) -> None:
    awaited = make(enrolment, state.AWAITED_ON_NEW_DEVICE)

    assert state.apply(state.MADE_DUE, Enrolment.id == awaited.id) == 0
    assert state.apply(state.FACE_MADE_DUE, Enrolment.id == awaited.id) == 0
    back = make(awaited, state.RESTORED)
    assert (back.refusal_code, back.in_bulk, state.awaits_a_person(back)) == ("", True, False)
    assert back.next_attempt_at is not None


def test_who_is_held_since_a_backup_is_sent_by_nothing_else(enrolment: Enrolment) -> None:
    held = make(put(confirmed(enrolment), overwrite=True), state.HELD_SINCE_BACKUP)
    mine = Enrolment.id == held.id
    due = {"next_attempt_at": database_now()}

    assert (held.person, held.overwrite, held.next_attempt_at) == (CONFIRMED, False, None)
    assert state.awaits_a_person(held)
    for transition, given in (
        (state.MADE_DUE, {}), (state.FACE_MADE_DUE, {}), (state.PEOPLE_LOST, {}), (state.RESTORED, {}),
        (state.PHOTO_TAKEN_NOW, {"photo_id": None}), (state.FOUND_GONE, due), (state.FOUND_RENAMED, due),
        (state.FOUND_WITHOUT_FACE, due), (state.FOUND_OTHER_FACE, {**due, "face_unverified": False}),
    ):  # fmt: skip
        assert state.apply(transition, mine, **given) == 0, transition
    # Another device does not decide either, nor does the one that comes back.
    anew = make(held, state.AWAITED_ON_NEW_DEVICE)
    assert (anew.refusal_code, state.apply(state.RESTORED, mine)) == (state.CHANGED_SINCE_BACKUP, 0)
    assert make(anew, state.RETRIED).next_attempt_at is not None


def test_who_was_left_alone_is_not_held(enrolment: Enrolment) -> None:
    make(enrolment, state.LEFT_PERSON, refusal=refusal(state.LEFT_ALONE, reason="так и надо"))

    assert state.apply(state.HELD_SINCE_BACKUP, Enrolment.id == enrolment.id) == 0


def test_word_about_a_removal_needs_an_open_one(enrolment: Enrolment) -> None:
    assert state.apply(state.REMOVED_BY_HAND, Enrolment.id == enrolment.id, confirmed_by="Анна") == 0

    make(enrolment, state.DESIRED_ABSENT)
    assert state.apply(state.REMOVED_BY_HAND, Enrolment.id == enrolment.id, confirmed_by="Анна") == 0

    put(enrolment, on_old_device=True, name_on_old_device="Иван")
    ended = make(enrolment, state.REMOVED_BY_HAND, confirmed_by="Анна")
    assert (ended.is_confirmed, ended.confirmed_by, ended.on_old_device, ended.next_attempt_at) == (
        True,
        "Анна",
        False,
        None,
    )


def test_postponing_leaves_alone_what_is_done(enrolment: Enrolment) -> None:
    confirmed(enrolment)

    assert state.apply(state.POSTPONED, Enrolment.id == enrolment.id, next_attempt_at=database_now()) == 0


def test_who_is_taken_over_while_something_may_arrive_is_proven_once_it_cannot(terminal: Terminal) -> None:
    enrolment = desire(terminal)
    db.session.execute(db.update(Enrolment).values(may_arrive_until=database_now(60.0)))
    nothing = dict.fromkeys(("photo_id", "confirmed_photo_id", "unanswered", "refusal"))
    words = dict.fromkeys(("face_there", "valid_there", "sent_valid"), "")
    own = {"employee_id": enrolment.employee_id, "face": PENDING, "written_name": "Иван Иванов"}

    state.apply(state.TAKEN_OVER, Enrolment.id == enrolment.id, **nothing, **words, **own)

    db.session.refresh(enrolment)
    assert enrolment.next_attempt_at == enrolment.may_arrive_until
