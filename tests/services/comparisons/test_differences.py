"""What differs between here and there, and what that changes: nothing stays green that the list contradicts."""

import dataclasses
from datetime import date

import pytest

from hikflask.extensions import db
from hikflask.models import Comparison, Drift, Employee, Enrolment, JobItem, Terminal
from hikflask.models.columns import database_now
from hikflask.models.comparison import COUNT, DONE, FACE_MISSING, FACE_OTHER, NAME, ONLY_THERE, READING
from hikflask.models.enrolment import CONFIRMED, LEAVING, PENDING, REFUSED, REMOVED
from hikflask.services.captures.drafts import Draft
from hikflask.services.comparisons import differences as module
from hikflask.services.comparisons import ignored, plan, queries, reading
from hikflask.services.comparisons.plan import REMOVE, SEND, TAKE_OVER, Choices
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries as enrolments
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.state import enrolment as state
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.faces import NAMES, draw
from hikflask.simulator.profiles import profile_named
from tests.support.captures import IVAN, OTHER_FACE
from tests.support.comparisons import carry_out, compare, desire_with_photo, differences, enrol_with_photo, strangers
from tests.support.enrolments import employee_of
from tests.support.refusals import refusal

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

FACES = [draw(name) for name in NAMES[:6]]
PEOPLE = [Draft(f"10{number}", f"Иван Иванов {number}") for number in range(6)]


@pytest.fixture
def simulator(simulator: Simulated) -> Simulated:
    """A terminal that takes pictures."""
    simulator.profile = dataclasses.replace(profile_named("K1T342MFX-E1"), refuse_after_success=0)
    return simulator


@pytest.fixture
def enrolled(terminal: Terminal) -> list[Enrolment]:
    """Six people with a face each."""
    return [enrol_with_photo(terminal, draft, face) for draft, face in zip(PEOPLE, FACES, strict=True)]


def row(number: str, terminal: Terminal) -> Enrolment:
    found = enrolments.find(terminal.id, number)
    db.session.commit()
    assert found is not None
    return found


def test_nothing_differs_after_the_terminal_confirmed(terminal: Terminal, enrolled: list[Enrolment]) -> None:
    done = compare(terminal)

    assert (done.same, differences(done)) == (6, {})
    assert all(row(one.number, terminal).is_confirmed for one in enrolled)


def limit(enrolment: Enrolment, last: date) -> None:
    db.session.execute(db.update(Employee).where(Employee.id == enrolment.employee_id).values(valid_to=last))
    db.session.commit()


@pytest.fixture
def changed(simulator: Simulated, terminal: Terminal, enrolled: list[Enrolment]) -> Terminal:
    """All seven verdicts at one terminal."""
    simulator.people["101"]["name"] = "Пётр Петров"
    simulator.store.unbind(["102"])
    simulator.store.bind("103", OTHER_FACE)
    simulator.store.remove(["104"])
    limit(enrolled[5], date(2030, 6, 30))
    strangers(simulator, ["900", "A-1"])
    return terminal


def test_all_seven_verdicts(changed: Terminal) -> None:
    done = compare(changed)

    assert done.same == 1
    assert queries.numbers(done) == {
        "name": ["101"],
        "face_missing": ["102"],
        "face_other": ["103"],
        "only_here": ["104"],
        "only_there": ["900", "A-1"],
        "validity": ["105"],
    }
    assert queries.counts(done) == {
        "name": 1, "face_missing": 1, "face_other": 1, "only_here": 1, "only_there": 2, "validity": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("begin", "end", "differs"),
    [
        ("2000-01-01T00:00:00", "2025-12-31T23:59:59", True),
        ("2036-01-01T00:00:00", "2037-12-31T23:59:59", True),
        ("2016-05-03T14:21:07", "2037-12-31T23:59:59", False),
    ],
)
def test_limit_that_the_employee_does_not_have_differs_although_it_was_there_at_the_last_proof(
    simulator: Simulated, terminal: Terminal, begin: str, end: str, differs: bool
) -> None:
    enrolled = enrol_with_photo(terminal, PEOPLE[0], FACES[0])
    simulator.people["100"]["Valid"] = {"enable": True, "beginTime": begin, "endTime": end, "timeType": "local"}
    assert reconcile(enrolled.id, "Анна", prove_again=True).valid_there == f"{begin}/{end}"

    assert queries.numbers(compare(terminal))["validity"] == (["100"] if differs else [])

    assert row("100", terminal).is_confirmed


def test_second_comparison_finds_the_same(changed: Terminal) -> None:
    assert differences(compare(changed)) == differences(compare(changed))


def test_what_the_list_contradicts_is_green_no_longer_and_tried_again_after_a_while(changed: Terminal) -> None:
    compare(changed)

    states = {number: row(number, changed) for number in ("100", "101", "102", "103", "104", "105")}
    assert {number: (one.person, one.face) for number, one in states.items()} == {
        "100": (CONFIRMED, CONFIRMED),
        "101": (PENDING, PENDING),
        "102": (CONFIRMED, PENDING),
        "103": (CONFIRMED, PENDING),
        "104": (PENDING, PENDING),
        "105": (CONFIRMED, CONFIRMED),
    }
    waiting = {number for number, one in states.items() if one.next_attempt_at is not None}
    assert waiting == {"101", "102", "103", "104"}
    now = db.session.execute(db.select(database_now())).scalar_one()
    assert all(states[number].next_attempt_at > now for number in waiting)


def mark_as_restored() -> None:
    db.session.execute(db.update(Terminal).values(restored_from=database_now(-60)))
    db.session.commit()


def test_after_a_restore_whatever_differs_waits_for_a_person(changed: Terminal) -> None:
    mark_as_restored()
    unfinished = desire_with_photo(changed, Draft("106", "Ждёт Ждущий"), OTHER_FACE)

    for by in ("Анна", module.NIGHTLY):  # The second one changes nothing more.
        compare(changed, by)
        states = {number: row(number, changed) for number in ("100", "101", "102", "103", "104", "105", "106")}
        held = {number for number, one in states.items() if state.awaits_a_person(one)}
        assert held == {"101", "102", "103", "104", unfinished.number}
        assert {states[number].refusal_code for number in held} == {state.CHANGED_SINCE_BACKUP}
        assert [number for number, one in states.items() if one.next_attempt_at] == []
        assert {number for number, one in states.items() if one.is_confirmed} == {"100", "105"}


def test_after_a_restore_other_faces_are_no_other_encoding(
    simulator: Simulated, terminal: Terminal, enrolled: list[Enrolment]
) -> None:
    mark_as_restored()
    for enrolment, face in zip(enrolled, FACES[1:] + FACES[:1], strict=True):
        simulator.store.bind(enrolment.number, face)

    compare(terminal)

    for enrolment in enrolled:
        one = row(enrolment.number, terminal)
        assert (one.face_there, one.is_green, state.awaits_a_person(one)) == ("", False, True)


def test_after_a_restore_who_had_no_face_then_and_has_none_now_stays_as_it_was(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrol_with_photo(terminal, PEOPLE[0])
    simulator.store.unbind(["100"])
    refused = {
        "face": REFUSED,
        "confirmed_photo_id": None,
        "refusal": refusal("facelowqulity"),
        "next_attempt_at": None,
    }
    db.session.execute(db.update(Enrolment).values(**refused))
    db.session.commit()
    mark_as_restored()

    assert differences(compare(terminal)) == {FACE_MISSING: ["100"]}
    assert row("100", terminal).refusal_code == "facelowqulity"


def test_comparison_of_the_night_lets_everything_be_tried_at_once(changed: Terminal, simulator: Simulated) -> None:
    compare(changed, module.NIGHTLY)

    for number in ("102", "103", "104"):
        assert reconcile(row(number, changed).id, "Анна").is_confirmed
    assert [simulator.faces[number].jpeg for number in ("102", "103", "104")] == FACES[2:5]


def test_number_with_two_differences_has_both(simulator: Simulated, terminal: Terminal) -> None:
    enrol_with_photo(terminal)
    simulator.people["100222"]["name"] = "Пётр Петров"
    simulator.store.unbind(["100222"])

    done = compare(terminal)

    assert differences(done) == {"name": ["100222"], "face_missing": ["100222"]}
    assert queries.list_differences(done, NAME)[0].kinds == ("name", "face_missing")
    assert (row("100222", terminal).person, row("100222", terminal).face) == (PENDING, PENDING)


def test_names_that_were_written_or_are_whole_are_the_same(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol_with_photo(terminal)
    save_employee(Draft("100222", "Иван Сидоров", "Охрана"), employee_id=employee_of(enrolment))

    assert differences(compare(terminal)) == {}

    simulator.people["100222"]["name"] = "Иван Сидоров"
    assert differences(compare(terminal)) == {}


def test_apostrophe_of_another_kind_makes_no_other_name(simulator: Simulated, terminal: Terminal) -> None:
    enrol_with_photo(terminal, Draft("100222", "Oʻktamov Gʻani"))

    simulator.people["100222"]["name"] = "O'ktamov G‘ani"

    assert differences(compare(terminal)) == {}


def test_open_removal_is_neither_here_nor_a_stranger(terminal: Terminal) -> None:
    enrolment = enrol_with_photo(terminal)
    set_active(employee_of(enrolment), active=False)

    assert differences(compare(terminal)) == {}


def test_employee_who_is_not_desired_there_is_a_stranger_there(simulator: Simulated, terminal: Terminal) -> None:
    save_employee(IVAN)
    strangers(simulator, ["100222"])

    done = compare(terminal)

    assert differences(done) == {"only_there": ["100222"]}
    found = queries.list_differences(done, ONLY_THERE)[0]
    assert found.employee is not None
    assert (found.employee.name, found.there.name if found.there else "") == ("Иван Иванов", "Гость 100222")


def test_who_waits_for_the_terminal_is_only_here(terminal: Terminal) -> None:
    desire_with_photo(terminal)

    assert differences(compare(terminal)) == {"only_here": ["100222"]}


def test_what_the_terminal_confirmed_since_is_newer_than_the_list(terminal: Terminal) -> None:
    waiting = desire_with_photo(terminal)
    comparison_id = reading.start(terminal.id, "Анна").id
    while queries.get_comparison(comparison_id).step == "people":
        reading.read_slice(comparison_id, "Анна", 0.0)
    reconcile(waiting.id, "Анна")
    while reading.read_slice(comparison_id, "Анна", 0.0):
        pass

    assert (differences(queries.get_comparison(comparison_id)), row("100222", terminal).is_confirmed) == ({}, True)


def encoded(face: bytes) -> bytes:
    """The face as a terminal stores it that encodes pictures anew."""
    return face[:-2] + b"\x00\xff\xd9"


def test_terminal_that_encodes_pictures_anew_shows_no_other_faces(
    simulator: Simulated, terminal: Terminal, enrolled: list[Enrolment]
) -> None:
    for one, face in zip(enrolled, FACES, strict=True):
        simulator.store.bind(one.number, encoded(face))

    first = compare(terminal)

    assert (first.same, differences(first)) == (6, {})
    assert all(row(one.number, terminal).face_there for one in enrolled)
    simulator.store.bind("100", encoded(OTHER_FACE))
    assert differences(compare(terminal)) == {"face_other": ["100"]}


def test_other_faces_of_a_few_are_not_taken_for_another_encoding(
    simulator: Simulated, terminal: Terminal, enrolled: list[Enrolment]
) -> None:
    for one in enrolled[:5]:
        simulator.store.bind(one.number, encoded(OTHER_FACE))

    assert differences(compare(terminal)) == {"face_other": [one.number for one in enrolled[:5]]}


@pytest.mark.both_databases
@pytest.mark.parametrize("own", [2, 4])
def test_one_picture_of_several_people_is_nobodys_encoding(
    simulator: Simulated, terminal: Terminal, enrolled: list[Enrolment], own: int
) -> None:
    numbers = [one.number for one in enrolled]
    for number, face in zip(numbers, FACES[:own] + FACES[4:5] * (6 - own), strict=True):
        simulator.store.bind(number, encoded(face))

    learnt = own if own >= module.MIN_REENCODED else 0
    assert differences(compare(terminal)) == {"face_other": numbers[learnt:]}
    assert [number for number in numbers if row(number, terminal).face_there] == numbers[:learnt]


def test_one_picture_of_several_people_is_nobodys_encoding_after_their_photos_were_sent_again(
    simulator: Simulated, terminal: Terminal, enrolled: list[Enrolment]
) -> None:
    def swap() -> None:
        for one in enrolled:
            simulator.store.bind(one.number, encoded(OTHER_FACE))

    swap()
    swapped = {"face_other": [one.number for one in enrolled]}
    assert differences(compare(terminal)) == swapped
    assert all(reconcile(one.id, "Анна").is_confirmed for one in enrolled)
    swap()

    assert differences(compare(terminal)) == swapped


def test_picture_that_stays_the_same_after_the_photo_was_sent_again_is_its_encoding(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol_with_photo(terminal)
    simulator.store.bind("100222", encoded(FACES[0]))
    assert differences(compare(terminal)) == {"face_other": ["100222"]}

    simulator.after("FDSetUp", lambda: simulator.store.bind("100222", encoded(FACES[0])))
    assert reconcile(enrolment.id, "Анна").is_confirmed

    assert differences(compare(terminal)) == {}
    assert differences(compare(terminal)) == {}


def test_own_face_in_an_encoding_of_the_terminal_keeps_its_record_when_it_was_renamed(
    simulator: Simulated, terminal: Terminal, enrolled: list[Enrolment]
) -> None:
    for one, face in zip(enrolled, FACES, strict=True):
        simulator.store.bind(one.number, encoded(face))
    compare(terminal)
    simulator.people["100"] |= {"name": "Пётр Петров", "numOfCard": 2}
    renamed = compare(terminal)
    assert differences(renamed) == {"name": ["100"]}
    simulator.after("FDSetUp", lambda: simulator.store.bind("100", encoded(FACES[0])))

    same_person = {"same_person": True}
    item = JobItem(number="100", action="send", employee_id=enrolled[0].employee_id, confirmed=same_person)
    carry_out(item, {"comparison": renamed.id})
    assert reconcile(enrolled[0].id, "Анна").is_confirmed

    assert (simulator.people["100"]["name"], simulator.people["100"]["numOfCard"]) == ("Иван Иванов 0", 2)


def test_renamed_record_of_somebody_who_is_to_be_sent_again_is_proven_anew(
    simulator: Simulated, terminal: Terminal, enrolled: list[Enrolment]
) -> None:
    db.session.execute(db.update(Enrolment).values(person=PENDING))
    db.session.commit()
    simulator.people["100"]["name"] = "Пётр Петров"
    simulator.store.remove(["101"])

    compare(terminal)

    assert [row(one.number, terminal).face for one in enrolled[:3]] == [PENDING, PENDING, CONFIRMED]


def test_refused_face_is_not_sent_again_because_the_record_was_renamed(
    simulator: Simulated, terminal: Terminal, enrolled: list[Enrolment]
) -> None:
    first = enrolled[0].number
    db.session.execute(db.update(Enrolment).values(face=REFUSED, confirmed_photo_id=None, confirmed_at=None))
    db.session.commit()
    simulator.people[first]["name"] = "Пётр Петров"

    compare(terminal)

    assert (row(first, terminal).person, row(first, terminal).face) == (PENDING, REFUSED)


def test_face_that_was_exchanged_after_a_proof_while_the_terminal_was_read_is_another(
    simulator: Simulated, terminal: Terminal, enrolled: list[Enrolment]
) -> None:
    comparison = reading.start(terminal.id, "Анна")
    later = Enrolment.confirmed_at > database_now(-60.0)
    db.session.execute(db.update(Comparison).values(started_at=database_now(-120.0)))
    db.session.commit()
    assert db.session.query(Enrolment).filter(later).count() == len(enrolled)
    simulator.store.bind("100", OTHER_FACE)
    while reading.read_slice(comparison.id, "Анна", 60.0):
        pass

    assert differences(queries.get_comparison(comparison.id)) == {"face_other": ["100"]}
    assert row("100", terminal).face == PENDING


def test_decision_keeps_what_was_left_from_being_tried(simulator: Simulated, terminal: Terminal) -> None:
    enrol_with_photo(terminal)
    simulator.store.bind("100222", OTHER_FACE)
    first = compare(terminal)
    assert ignored.ignore(first, FACE_OTHER, ["100222"], "двойник")

    left = row("100222", terminal)
    assert (left.face, left.next_attempt_at) == (REFUSED, None)
    assert left.refusal == refusal(state.LEFT_ALONE, reason="двойник")
    assert differences(compare(terminal, module.NIGHTLY)) == {}
    assert row("100222", terminal).next_attempt_at is None


@pytest.mark.both_databases
def test_leaver_who_is_there_again_is_removed_once_more(simulator: Simulated, terminal: Terminal) -> None:
    """A record of another name is somebody else's."""
    enrolment = enrol_with_photo(terminal)
    record = simulator.people["100222"]
    set_active(employee_of(enrolment), active=False)
    assert reconcile(enrolment.id, "Анна").state == REMOVED
    simulator.people["100222"] = {**record, "name": "Олег Чужой"}
    assert differences(compare(terminal)) == {"only_there": ["100222"]}
    assert row("100222", terminal).state == REMOVED

    simulator.people["100222"] = record
    assert differences(compare(terminal)) == {}
    assert row("100222", terminal).state == LEAVING

    reconcile(enrolment.id, "sweep")
    assert simulator.people == {}


@pytest.mark.both_databases
def test_leaver_whom_somebody_left_there_on_purpose_stays(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["100222"])
    simulator.people["100222"]["name"] = IVAN.name
    record = simulator.people["100222"]
    first = compare(terminal)
    assert ignored.ignore(first, ONLY_THERE, ["100222"], "охранник")
    simulator.store.remove(["100222"])
    enrolment = enrol_with_photo(terminal)
    set_active(employee_of(enrolment), active=False)
    reconcile(enrolment.id, "Анна")
    simulator.people["100222"] = record

    compare(terminal)

    assert row("100222", terminal).state == REMOVED
    assert record in simulator.people.values()


def test_finished_comparison_ends_what_was_noticed_before(terminal: Terminal) -> None:
    db.session.add(Drift(terminal_id=terminal.id, kind=COUNT, expected="1", found="0"))
    db.session.commit()

    compare(terminal)

    assert db.session.query(Drift).count() == 0


@pytest.mark.both_databases
def test_very_many_are_decided_and_planned_in_parts_and_once_more_after_a_kill(
    simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolled = enrol_with_photo(terminal)
    simulator.store.remove(["100222"])
    desire_with_photo(terminal, Draft("100333", "Ольга"), OTHER_FACE)
    strangers(simulator, [f"9{number:02}" for number in range(7)])
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 2)
    monkeypatch.setattr(queries, "MANY", 3)
    done = compare(terminal)
    found = {"only_here": ["100222", "100333"], "only_there": [f"9{number:02}" for number in range(7)]}
    assert (differences(done), enrolments.get_one(enrolled.id).is_confirmed) == (found, False)

    # Killed before its end: all is decided again.
    db.session.execute(db.update(Comparison).values(state=READING, ended_at=None, same=5))
    db.session.commit()
    module.conclude(done.id)

    done = queries.get_comparison(done.id)
    assert (done.state, done.same, differences(done)) == (DONE, 0, found)
    made = plan.make(done, Choices(kinds={"only_here": SEND, "only_there": TAKE_OVER}, numbers={"901": REMOVE}))
    assert [(step.number, step.action) for step in made.steps] == [
        *((number, SEND) for number in found["only_here"]),
        *((number, REMOVE if number == "901" else TAKE_OVER) for number in found["only_there"]),
    ]
