"""People whom other software wrote to a terminal are taken over, and proven by the terminal's own answer."""

import dataclasses
from datetime import date, datetime

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.isapi.errors import Unreachable
from hikflask.isapi.persons import Validity
from hikflask.models import Employee, Enrolment, Photo, Terminal
from hikflask.models.enrolment import CONFIRMED, PENDING
from hikflask.models.photo import TAKEN_OVER
from hikflask.services.captures.drafts import Draft
from hikflask.services.comparisons.errors import ChangedThere, IllegalNumber, NameDiffers, NameNotUsable, NotThere
from hikflask.services.comparisons.take_over import limits_of, take_over
from hikflask.services.core.errors import ConsentMissing, EmployeeInactive, NumberLeaving
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import delete_employee, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.photos import storage
from hikflask.services.privacy import consents
from hikflask.services.privacy.consents import Given
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import profile_named
from hikflask.simulator.terminal.person_store import Card
from tests.support.captures import FACE, IVAN, OTHER_FACE
from tests.support.comparisons import compare, differences, strangers
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


def taken(terminal: Terminal, number: str = "900", name: str = "", **options: bool) -> Enrolment:
    return take_over(terminal.id, number, name or f"Гость {number}", "Анна", **options)


def employee(number: str = "900") -> Employee:
    found = search.by_number(number)
    db.session.commit()
    assert found is not None
    return found


def writes(simulator: Simulated) -> list[str]:
    """The requests that change something on the terminal."""
    return [entry.plain_path for entry in simulator.log if entry.method in {"PUT", "DELETE"} or "Record" in entry.path]


def test_person_comes_with_name_and_picture_and_is_proven(guest: Simulated, terminal: Terminal) -> None:
    before = dict(guest.people["900"])

    enrolment = taken(terminal)

    assert enrolment.is_confirmed
    assert (employee().name, employee().picture.source) == ("Гость 900", TAKEN_OVER)
    photo = employee().picture
    assert photo is not None
    assert storage.to_send(photo) == FACE
    assert (dict(guest.people["900"]), guest.cards["7"].employee_no, writes(guest)) == (before, "900", [])
    done = compare(terminal)
    assert (done.same, differences(done)) == (1, {})


def test_face_is_not_kept_where_the_record_has_another_name_than_was_written(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrol(simulator, terminal)
    simulator.people["100222"]["name"] = "Пётр Петров"
    simulator.faults.add("refuse", "notSupport", path="/LOCALS/pic/enrlFace/*")

    enrolment = taken(terminal, "100222", "Пётр Петров", same_person=True)

    assert (enrolment.written_name, enrolment.face, enrolment.is_confirmed) == ("Пётр Петров", PENDING, False)


def test_person_without_a_readable_picture_comes_without_a_photo(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900"])

    enrolment = taken(terminal)

    assert (enrolment.person, enrolment.face, enrolment.photo_id, enrolment.next_attempt_at) == (
        CONFIRMED, PENDING, None, None,
    )  # fmt: skip
    assert employee().picture is None
    assert differences(compare(terminal)) == {}


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

    with pytest.raises(NameDiffers) as asked:
        taken(terminal)

    assert asked.value.params == {"n": "900", "here": "Иван Иванов", "there": "Гость 900"}
    assert employee().name == "Иван Иванов"
    assert taken(terminal, same_person=True).is_confirmed
    assert employee().name == "Гость 900"
    assert differences(compare(terminal)) == {}


def test_other_face_there_becomes_the_photo(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)
    simulator.store.bind("100222", OTHER_FACE)
    assert differences(compare(terminal)) == {"face_other": ["100222"]}

    assert taken(terminal, "100222", "Иван Иванов").is_confirmed

    photo = employee("100222").picture
    assert photo is not None
    assert photo.sha256 == storage.sha256(OTHER_FACE)
    assert differences(compare(terminal)) == {}


def test_what_is_there_now_decides(guest: Simulated, terminal: Terminal, wire: InProcess) -> None:
    guest.people["900"]["name"] = "Другой"
    with pytest.raises(ChangedThere):
        taken(terminal)
    guest.people["900"]["name"] = ""
    with pytest.raises(NameNotUsable):
        take_over(terminal.id, "900", "", "Анна")
    guest.store.remove(["900"])
    with pytest.raises(NotThere):
        taken(terminal)
    with pytest.raises(IllegalNumber):
        taken(terminal, "a b")
    wire.away.add("terminal.test")
    with pytest.raises(Unreachable):
        taken(terminal)
    assert (search.by_number("900"), db.session.query(Photo).count()) == (None, 0)


def test_who_left_or_still_leaves_is_not_taken_over(guest: Simulated, terminal: Terminal) -> None:
    known = save_employee(Draft("900", "Гость 900")).row.id
    set_active(known, active=False)
    with pytest.raises(EmployeeInactive):
        taken(terminal)

    leaving = enrol(guest, terminal, IVAN, OTHER_FACE)
    delete_employee(employee_of(leaving))
    with pytest.raises(NumberLeaving):
        taken(terminal, "100222", "Иван Иванов")
    assert db.session.query(Photo).filter_by(source=TAKEN_OVER).count() == 0


@pytest.mark.usefixtures("guest")
def test_face_is_not_kept_without_a_consent_that_is_required(app: Flask, terminal: Terminal) -> None:
    app.config["CONSENT"] = "require"
    known = save_employee(Draft("900", "Гость 900")).row.id
    with pytest.raises(ConsentMissing):
        taken(terminal)
    assert db.session.query(Photo).count() == 0

    consents.record(known, Given(date(2026, 1, 1)))

    assert taken(terminal).is_confirmed


def window(begin: str, end: str, **more: bool) -> Validity:
    return Validity(datetime.fromisoformat(begin), datetime.fromisoformat(end), **more)


def test_validity_comes_in_whole_days_and_defaults_are_no_limit() -> None:
    first, last = "2026-03-01T00:00:00", "2026-06-30T23:59:59"
    assert limits_of(window(first, last)) == (date(2026, 3, 1), date(2026, 6, 30))
    assert limits_of(window("2000-01-01T00:00:00", last)) == (None, None)
    assert limits_of(window("2024-01-01T00:00:00", last)) == (date(2024, 1, 1), date(2026, 6, 30))
    assert limits_of(window("2030-01-01T00:00:00", "2037-12-31T23:59:59")) == (date(2030, 1, 1), None)
    for unasked in (
        window("2000-01-01T00:00:00", "2037-12-31T23:59:59"),
        window("2025-01-01T00:00:00", "2035-12-31T23:59:59"),
        window("2026-03-01T08:00:00", last),
        window(first, "2026-06-30T18:00:00"),
        window(first, last, enabled=False),
        None,
    ):
        assert limits_of(unasked) == (None, None)


def test_limited_person_comes_with_the_limit(guest: Simulated, terminal: Terminal) -> None:
    guest.people["900"]["Valid"] |= {"beginTime": "2029-03-01T00:00:00", "endTime": "2030-06-30T23:59:59"}

    assert taken(terminal).is_confirmed

    assert (employee().valid_from, employee().valid_to) == (date(2029, 3, 1), date(2030, 6, 30))
    assert differences(compare(terminal)) == {}
