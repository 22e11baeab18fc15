"""People whom other software wrote to a terminal are taken over, and proven by the terminal's own answer."""

import dataclasses
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from hikflask.codes.badges import OLD_FACE_THERE
from hikflask.extensions import db
from hikflask.isapi.errors import Unreachable
from hikflask.models import Employee, Enrolment, Photo, Terminal
from hikflask.models.enrolment import ABSENT, CONFIRMED, PENDING, PRESENT, WAITING
from hikflask.models.people import TAKEN_OVER
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.dates import today
from hikflask.services.core.errors import CaptureSuperseded, NumberTakenThere, ServiceError
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.photos import storage
from hikflask.services.privacy import consents
from hikflask.services.privacy.consents import Given
from hikflask.services.state.badges import badge_of, detail_of
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.faces import NAMES, draw
from hikflask.simulator.profiles import profile_named
from hikflask.simulator.terminal.person_store import Card
from tests.conftest import PASSWORD
from tests.support.captures import FACE, IVAN, OTHER_FACE
from tests.support.comparisons import compare, differences, enrol_with_photo, limit_there, strangers, take_over
from tests.support.employees import save_with_face
from tests.support.enrolments import employee_of, enrol
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


@pytest.fixture
def guest(simulator: Simulated) -> Simulated:
    """Somebody with a face and a card, written by other software."""
    strangers(simulator, ["900"], [FACE])
    simulator.cards["7"] = Card("7", "900")
    simulator.log.clear()
    return simulator


def taken(terminal: Terminal, number: str = "900", name: str = "", **options: Any) -> Enrolment:
    return take_over(terminal.id, number, name or f"Гость {number}", **options)


def employee(number: str = "900") -> Employee:
    found = search.by_number(number)
    db.session.commit()
    assert found is not None
    return found


def photo_of(number: str = "900") -> Photo:
    photo = employee(number).picture
    assert photo is not None
    return photo


def writes(simulator: Simulated) -> list[str]:
    """The requests that change something on the terminal."""
    return [entry.plain_path for entry in simulator.log if entry.method in {"PUT", "DELETE"} or "Record" in entry.path]


def test_person_comes_with_name_and_picture_and_is_proven(guest: Simulated, terminal: Terminal) -> None:
    before = dict(guest.people["900"])

    enrolment = taken(terminal)

    assert enrolment.is_confirmed
    assert (employee().name, photo_of().source) == ("Гость 900", TAKEN_OVER)
    assert storage.read_photo(photo_of()) == FACE
    assert (dict(guest.people["900"]), guest.cards["7"].employee_no, writes(guest)) == (before, "900", [])
    done = compare(terminal)
    assert (done.same, differences(done)) == (1, {})


@pytest.mark.parametrize("shows_face", [True, False])
def test_photo_that_was_still_to_be_sent_is_sent_after_the_days_there_were_taken(
    simulator: Simulated, terminal: Terminal, *, shows_face: bool
) -> None:
    simulator.profile = dataclasses.replace(simulator.profile, face_by_picture=True)
    enrolment = enrol(simulator, terminal)
    checks.check(terminal.id, "test")
    simulator.faults.add("refuse", "notSupport", path="/LOCALS/pic/enrlFace/*")
    save_with_face(simulator, terminal, IVAN, OTHER_FACE)
    if not shows_face:
        simulator.store.unbind(["100222"])
    limit_there(simulator, "100222", "2036-06-30T23:59:59")

    row = taken(terminal, "100222", IVAN.name)

    assert (row.state, row.face, row.next_attempt_at is not None) == (WAITING, PENDING, True)
    assert employee("100222").valid_to == date(2036, 6, 30)
    assert reconcile(enrolment.id, "worker").is_confirmed
    assert simulator.faces["100222"].jpeg == OTHER_FACE


@pytest.mark.parametrize("is_compared", [True, False])
def test_face_that_cannot_be_read_beside_a_name_that_was_taken_over_is_tried_and_said_to_be_there(
    simulator: Simulated, terminal: Terminal, *, is_compared: bool
) -> None:
    enrolment = enrol(simulator, terminal)
    simulator.people["100222"]["name"] = "Пётр Петров"
    simulator.faults.add("refuse", "notSupport", path="/LOCALS/pic/enrlFace/*")
    if is_compared:
        compare(terminal)

    row = taken(terminal, "100222", "Пётр Петров", same_person=True)

    assert (row.state, row.face, row.next_attempt_at is not None) == (WAITING, PENDING, True)
    assert row.written_name == "Пётр Петров"
    simulator.capture_elsewhere(OTHER_FACE)
    with pytest.raises(CaptureSuperseded):
        reconcile(enrolment.id, "worker")
    row = queries.get_one(enrolment.id)
    assert (row.person, badge_of(row, detail_of(row))) == (CONFIRMED, OLD_FACE_THERE)
    assert simulator.faces["100222"].jpeg == FACE


def test_face_of_a_stranger_that_cannot_be_read_is_said_to_be_there(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900"], [FACE])
    simulator.faults.add("refuse", "notSupport", path="/LOCALS/pic/enrlFace/*")

    row = taken(terminal)

    assert (row.person, row.face, badge_of(row, detail_of(row))) == (CONFIRMED, PENDING, OLD_FACE_THERE)


def test_person_without_a_readable_picture_comes_without_a_photo(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900"])

    enrolment = taken(terminal)

    assert (enrolment.person, enrolment.face, enrolment.photo_id, enrolment.next_attempt_at) == (
        CONFIRMED, PENDING, None, None,
    )  # fmt: skip
    assert employee().picture is None
    assert differences(compare(terminal)) == {}


def test_face_that_is_too_large_to_keep_is_not_taken(simulator: Simulated, terminal: Terminal) -> None:
    comment = b"\xff\xfe\xff\xff" + bytes(0xFFFD)
    large = FACE[:2] + comment * 16 + FACE[2:]
    strangers(simulator, ["900"], [large])
    enrol(simulator, terminal)
    simulator.store.bind("100222", large)
    own, there = storage.sha256(FACE), storage.sha256(large)

    assert taken(terminal).face == PENDING
    for faces in (None, (own, there)):
        with pytest.raises(ServiceError, match=r"^face_differs$"):
            taken(terminal, "100222", "Иван Иванов", faces=faces)

    assert employee().picture is None
    assert [photo.sha256 for photo in db.session.scalars(db.select(Photo))] == [own]
    assert len(list(storage.folder().iterdir())) == 1


def test_picture_comes_from_the_library_where_the_list_has_none(guest: Simulated, terminal: Terminal) -> None:
    guest.profile = dataclasses.replace(profile_named("K1T341CMFW"), refuse_after_success=0)

    assert taken(terminal).is_confirmed
    assert differences(compare(terminal)) == {}


@pytest.mark.usefixtures("guest")
def test_second_try_changes_nothing(terminal: Terminal) -> None:
    first = taken(terminal).photo_id

    assert taken(terminal).photo_id == first
    assert (db.session.query(Photo).count(), db.session.query(Employee).count()) == (1, 1)


@pytest.mark.usefixtures("guest")
def test_employee_with_the_same_name_is_joined(terminal: Terminal) -> None:
    known = save_employee(Draft("900", "Гость 900", "Охрана")).row.id

    enrolment = taken(terminal)

    assert (enrolment.employee_id, enrolment.is_confirmed, employee().department) == (known, True, "Охрана")
    assert employee().photo_id == enrolment.photo_id


@pytest.mark.usefixtures("guest")
def test_another_name_asks_and_the_name_there_counts_once_agreed(terminal: Terminal) -> None:
    save_employee(Draft("900", "Иван Иванов"))

    with pytest.raises(ServiceError, match=r"^name_differs$") as asked:
        taken(terminal)

    assert asked.value.params == {"n": "900", "here": "Иван Иванов", "there": "Гость 900"}
    assert employee().name == "Иван Иванов"
    assert taken(terminal, same_person=True).is_confirmed
    assert employee().name == "Гость 900"
    assert differences(compare(terminal)) == {}


@pytest.mark.usefixtures("guest")
def test_both_names_stay_where_that_was_agreed_and_count_as_the_same(simulator: Simulated, terminal: Terminal) -> None:
    save_employee(Draft("900", "Иван Иванов"))

    assert taken(terminal, same_person=True, keeps_name=True).is_confirmed

    assert (employee().name, simulator.people["900"]["name"]) == ("Иван Иванов", "Гость 900")
    assert differences(compare(terminal)) == {}


def test_other_face_there_becomes_the_photo_once_it_is_chosen(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)
    simulator.store.bind("100222", OTHER_FACE)
    assert differences(compare(terminal)) == {"face_other": ["100222"]}
    own, there, third = (storage.sha256(face) for face in (FACE, OTHER_FACE, draw(NAMES[2])))

    # Nobody chose; somebody chose in place of another face; somebody saw another face there.
    for faces in (None, (third, there), (own, third)):
        with pytest.raises(ServiceError, match=r"^face_differs$") as refused:
            taken(terminal, "100222", "Иван Иванов", faces=faces)
        assert refused.value.params == {"n": "100222"}
        assert photo_of("100222").sha256 == own

    assert taken(terminal, "100222", "Иван Иванов", faces=(own, there)).is_confirmed

    assert photo_of("100222").sha256 == storage.sha256(OTHER_FACE)
    assert differences(compare(terminal)) == {}


def test_only_a_face_that_was_chosen_comes_to_other_terminals(
    guest: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    simulated = Simulated(PASSWORD, profile=profile_named("K1T341CMFW"))
    wire.put("second.test", simulated)
    second = checks.check(registry.add(Access("Склад", "http://second.test", "admin", PASSWORD)).id, "test")
    number = save_employee(Draft("900", "Гость 900")).row.number
    send_to_terminal(employee(number).id, second.id)

    def desired_elsewhere() -> str | None:
        enrolment = queries.find(second.id, number)
        db.session.commit()
        return enrolment.photo.sha256 if enrolment and enrolment.photo else None

    assert taken(terminal).is_confirmed  # Nobody was asked about a face, since there is none here.
    assert (photo_of().sha256, desired_elsewhere()) == (storage.sha256(FACE), None)
    guest.store.bind("900", OTHER_FACE)

    taken(terminal, faces=(storage.sha256(FACE), storage.sha256(OTHER_FACE)))

    assert photo_of().sha256 == desired_elsewhere() == storage.sha256(OTHER_FACE)


def test_photo_stays_where_the_terminal_shows_what_counts_as_its_own_encoding(
    simulator: Simulated, terminal: Terminal
) -> None:
    simulator.profile = dataclasses.replace(profile_named("K1T342MFX-E1"), refuse_after_success=0)
    checks.check(terminal.id, "test")
    own = {number: draw(name) for number, name in zip(("300", "301", "302"), NAMES, strict=False)}
    for number, face in own.items():
        enrol_with_photo(terminal, Draft(number, f"Иван {number}"), face)
    for number, name in zip(own, NAMES[3:], strict=False):
        simulator.store.bind(number, draw(name))
    limit_there(simulator, "300", "2036-12-31T23:59:59")
    assert differences(compare(terminal)) == {"validity": ["300"]}

    taken_over = [taken(terminal, number, f"Иван {number}") for number in own]

    assert days_of("300") == (True, "", "2036-12-31")
    for enrolment, (number, face) in zip(taken_over, own.items(), strict=True):
        photo = photo_of(number)
        assert (enrolment.is_confirmed, enrolment.photo, photo.sha256) == (True, photo, storage.sha256(face))
    assert db.session.query(Photo).count() == 3
    assert differences(compare(terminal)) == {}
    simulator.store.remove(list(own))
    compare(terminal)
    for enrolment in taken_over:
        reconcile(enrolment.id, "background")
    assert {number: simulator.store.faces[number].jpeg for number in own} == own


def test_what_is_there_now_decides(guest: Simulated, terminal: Terminal, wire: InProcess) -> None:
    guest.people["900"]["name"] = "Другой"
    with pytest.raises(ServiceError, match=r"^changed_there$"):
        taken(terminal)
    guest.people["900"]["name"] = ""
    with pytest.raises(ServiceError, match=r"^name_not_usable$"):
        take_over(terminal.id, "900", "")
    guest.store.remove(["900"])
    with pytest.raises(ServiceError, match=r"^not_there$"):
        taken(terminal)
    with pytest.raises(ServiceError, match=r"^number_not_usable$"):
        taken(terminal, "a b")
    wire.away.add("terminal.test")
    with pytest.raises(Unreachable):
        taken(terminal)
    assert (search.by_number("900"), db.session.query(Photo).count()) == (None, 0)


def test_who_left_or_still_leaves_is_not_taken_over(guest: Simulated, terminal: Terminal) -> None:
    known = save_employee(Draft("900", "Гость 900")).row.id
    set_active(known, active=False)
    with pytest.raises(ServiceError, match=r"^employee_inactive$"):
        taken(terminal)

    leaving = enrol(guest, terminal, IVAN, OTHER_FACE)
    delete_employee(employee_of(leaving))
    with pytest.raises(ServiceError, match=r"^number_leaving$"):
        taken(terminal, "100222", "Иван Иванов")
    assert db.session.query(Photo).filter_by(source=TAKEN_OVER).count() == 0


@pytest.mark.usefixtures("guest")
def test_face_is_not_kept_without_a_consent_that_is_required(app: Flask, terminal: Terminal) -> None:
    app.config["CONSENT"] = "require"
    known = save_employee(Draft("900", "Гость 900")).row.id
    with pytest.raises(ServiceError, match=r"^consent_missing$"):
        taken(terminal)
    assert db.session.query(Photo).count() == 0

    consents.record(known, Given(date(2026, 1, 1)))

    assert taken(terminal).is_confirmed


# --- the validity there ---


def valid(begin: str, end: str, **more: object) -> dict[str, object]:
    return {"enable": True, "beginTime": begin, "endTime": end, "timeType": "local", **more}


def days_of(number: str) -> tuple[bool, str, str]:
    """Active, the first and the last day of an employee."""
    found = employee(number)
    return found.is_active, str(found.valid_from or ""), str(found.valid_to or "")


def there(simulator: Simulated, number: str) -> str:
    window = simulator.people[number]["Valid"]
    assert isinstance(window, dict)
    return f"{window['beginTime']}/{window['endTime']}"


def yesterday() -> str:
    return (today() - timedelta(days=1)).isoformat()


FIRST = "2000-01-01T00:00:00"
IN_WHOLE_DAYS = {
    "901": (valid(FIRST, "2027-06-30T23:59:59"), "", "2027-06-30"),
    "902": (valid("2029-03-01", "2030-06-30"), "2029-03-01", "2030-06-30"),
    "903": (valid(FIRST, "2036-06-30T23:59"), "", "2036-06-30"),
    "904": (valid("2016-01-01T00:00:00", "2030-12-31T23:59:59"), "2016-01-01", "2030-12-31"),
    "905": (valid(FIRST, "2037-12-31T23:59:59"), "", ""),
    "906": (valid(FIRST, "2025-12-31T23:59:59", enable=False), "", ""),
}


def test_whole_days_come_with_the_person_and_nothing_is_sent(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, IN_WHOLE_DAYS)
    for number, (window, *_) in IN_WHOLE_DAYS.items():
        simulator.people[number]["Valid"] = window

    for number, (_, first, last) in IN_WHOLE_DAYS.items():
        enrolment = taken(terminal, number)
        assert (enrolment.person, enrolment.next_attempt_at) == (CONFIRMED, None)
        assert days_of(number) == (True, first, last)

    assert writes(simulator) == []
    assert differences(compare(terminal)) == {}


def test_of_a_terminal_that_shows_no_validity_nobody_has_a_limit(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900"])
    simulator.profile = dataclasses.replace(simulator.profile, not_in_search=frozenset({"Valid"}))

    assert taken(terminal).person == CONFIRMED

    assert days_of("900") == (True, "", "")


def test_limit_that_was_taken_over_is_lifted_there_once_it_is_lifted_here(
    simulator: Simulated, terminal: Terminal
) -> None:
    strangers(simulator, ["900"], [FACE])
    limit_there(simulator, "900", "2030-12-31T23:59:59")
    known = taken(terminal)

    save_employee(Draft("900", "Гость 900"), employee_id=employee().id)
    reconcile(known.id, "background")

    assert there(simulator, "900") == f"{FIRST}/2037-12-31T23:59:59"


WITHIN_A_DAY = {
    "901": (valid(FIRST, "2036-07-01T18:00:00"), "", "2036-06-30"),
    "902": (valid(FIRST, "2036-07-01T01:00:00", timeType="UTC"), "", "2036-06-30"),
    "903": (valid(FIRST, "2036-07-01T04:00:00-11:00"), "", "2036-06-30"),
    "904": (valid("2016-05-03T14:21:07", "2036-06-30T23:59:59"), "2016-05-03", "2036-06-30"),
}


def test_days_within_a_validity_that_has_others_are_sent_and_proven(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, WITHIN_A_DAY, [draw(name) for name in NAMES[:4]])
    for number, (window, *_) in WITHIN_A_DAY.items():
        simulator.people[number]["Valid"] = window
        simulator.people[number]["RightPlan"] = [{"doorNo": 1, "planTemplateNo": "7"}]

    for number, (_, first, last) in WITHIN_A_DAY.items():
        waiting = taken(terminal, number)
        assert (waiting.person, waiting.face, waiting.in_bulk) == (PENDING, CONFIRMED, True)
        assert days_of(number) == (True, first, last)
        assert reconcile(waiting.id, "background").is_confirmed
        assert there(simulator, number) == f"{first or '2000-01-01'}T00:00:00/{last}T23:59:59"
        assert simulator.people[number]["RightPlan"] == [{"doorNo": 1, "planTemplateNo": "7"}]

    assert {path.rpartition("/")[2] for path in writes(simulator)} == {"Modify"}
    assert differences(compare(terminal)) == {}


OVER = {
    "901": (valid(FIRST, "2025-12-31T23:59:59"), "", "2025-12-31"),
    "902": (valid("2016-01-01T00:00:00", "yesterday"), "2016-01-01", "yesterday"),
    "903": (valid("2025-01-01T00:00:00", "2026-03-01T18:00:00"), "2025-01-01", "2026-02-28"),
    "904": (valid("2026-03-01T08:00:00", "2026-03-01T18:00:00"), "", "2026-02-28"),
}


@pytest.mark.both_databases
def test_whose_time_is_over_comes_in_inactive_and_is_removed_from_this_terminal_alone(
    simulator: Simulated, terminal: Terminal
) -> None:
    strangers(simulator, ["900", *OVER], [FACE, *(draw(name) for name in NAMES[1:5])])
    for number, (window, *_) in OVER.items():
        simulator.people[number]["Valid"] = {
            name: f"{yesterday()}T23:59:59" if value == "yesterday" else value for name, value in window.items()
        }

    for number, (_, first, last) in OVER.items():
        leaving = taken(terminal, number)
        assert days_of(number) == (False, first, yesterday() if last == "yesterday" else last)
        assert (leaving.desired, leaving.is_leaving, leaving.next_attempt_at is not None) == (ABSENT, True, True)
        assert employee(number).left_at is not None
        assert employee(number).picture is not None
    assert taken(terminal, "900").desired == PRESENT
    with pytest.raises(ServiceError, match=r"^validity_over$"):
        set_active(employee("901").id, active=True)

    for number in OVER:
        assert [one.terminal_id for one in queries.of_number(number)] == [terminal.id]
        assert reconcile(queries.of_number(number)[0].id, "background").is_confirmed
        assert not queries.of_number(number)[0].is_leaving
    assert list(simulator.people) == ["900"]


def test_removal_of_whose_time_is_over_asks_where_the_name_is_another_by_then(
    simulator: Simulated, terminal: Terminal
) -> None:
    strangers(simulator, ["901"])
    simulator.people["901"]["Valid"] = OVER["901"][0]
    leaving = taken(terminal, "901")
    simulator.people["901"]["name"] = "Другой"

    with pytest.raises(NumberTakenThere):
        reconcile(leaving.id, "background")

    assert "901" in simulator.people


REFUSED = {
    "901": (valid("2040-01-01T00:00:00", "2045-12-31T23:59:59"), "validity_outside"),
    "902": (valid("1999-12-31T00:00:00", "2030-12-31T23:59:59"), "validity_outside"),
    "903": (valid("2036-03-01T08:00:00", "2036-03-01T18:00:00"), "no_whole_day"),
    "904": (valid(FIRST, "30.06.2036"), "validity_not_readable"),
    "905": ({"enable": True}, "validity_not_readable"),
}


def test_validity_that_no_employee_can_have_is_refused_and_nobody_comes_in(
    simulator: Simulated, terminal: Terminal
) -> None:
    strangers(simulator, REFUSED)
    for number, (window, code) in REFUSED.items():
        simulator.people[number]["Valid"] = window
        with pytest.raises(ServiceError, match=f"^{code}$"):
            taken(terminal, number)

    assert db.session.query(Employee).count() == 0
    assert compare(terminal).people == 5


def test_employee_joins_with_the_days_of_the_terminal(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900", "901"])
    limit_there(simulator, "900", "2030-12-31T23:59:59")
    limit_there(simulator, "901", "2025-12-31T23:59:59")
    for number in ("900", "901"):
        save_employee(Draft(number, f"Гость {number}"))

    assert taken(terminal).person == CONFIRMED
    with pytest.raises(ServiceError, match=r"^over_there$"):
        taken(terminal, "901")

    assert (days_of("900"), days_of("901")) == ((True, "", "2030-12-31"), (True, "", ""))


def test_own_limit_of_an_employee_is_sent_where_the_terminal_has_none(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900"], [FACE])
    limit_there(simulator, "900", "2037-12-31T23:59:59")
    save_employee(Draft("900", "Гость 900", valid_to="2030-12-31"))

    waiting = taken(terminal)

    assert (waiting.person, days_of("900")) == (PENDING, (True, "", "2030-12-31"))
    assert reconcile(waiting.id, "background").is_confirmed
    assert there(simulator, "900") == f"{FIRST}/2030-12-31T23:59:59"


def test_days_that_somebody_set_there_come_in_by_the_choice_of_a_person(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrol(simulator, terminal)
    limit_there(simulator, "100222", "2030-12-31T23:59:59")
    assert differences(compare(terminal)) == {"validity": ["100222"]}

    assert taken(terminal, "100222", "Иван Иванов").is_confirmed

    assert days_of("100222") == (True, "", "2030-12-31")
    assert differences(compare(terminal)) == {}
    limit_there(simulator, "100222", "2025-12-31T23:59:59")
    with pytest.raises(ServiceError, match=r"^over_there$"):
        taken(terminal, "100222", "Иван Иванов")
    assert days_of("100222") == (True, "", "2030-12-31")
