"""Who leaves: wanted nowhere, forgotten here with all photos, and proven again on the way back."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pytest
import requests
from urllib3 import HTTPResponse

from hikflask.extensions import db
from hikflask.isapi.errors import NoAnswer
from hikflask.models import AuditEntry, Capture, Employee, Enrolment, Photo, Terminal
from hikflask.models.enrolment import PENDING, PRESENT
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.captures import runner
from hikflask.services.captures.runner import Draft
from hikflask.services.core.errors import NumberLeaving, NumberTakenThere, OtherDevice
from hikflask.services.employees import save
from hikflask.services.employees.save import FaceSource
from hikflask.services.enrolments import desired, manual_removal, reconcile
from hikflask.services.photos import storage
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.faces import NAMES, draw
from tests.support.wire import InProcess

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

IVAN = Draft("100222", "Иван Иванов", "Охрана")
FACE, OTHER_FACE = (draw(name) for name in NAMES[:2])


def enrol(simulator: Simulated, terminal: Terminal, face: bytes = FACE, employee_id: int | None = None) -> Enrolment:
    simulator.present_alone(face)
    taken = runner.run(runner.start(terminal.id, IVAN, "Анна").id)
    save.save(IVAN, FaceSource(taken.id, taken.requested_by), employee_id=employee_id)
    return reconcile.settle(desired.of_number("100222")[0].id, "Анна")


def of_enrolment(enrolment: Enrolment) -> int:
    assert enrolment.employee_id is not None
    return enrolment.employee_id


def test_deactivated_employee_is_wanted_nowhere(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)

    left = save.set_active(of_enrolment(enrolment), active=False)

    assert left.is_active is False
    assert save.is_synced(left) is False
    assert [one.number for one in desired.open_removals()] == ["100222"]


def test_second_deactivation_changes_nothing(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    save.set_active(of_enrolment(enrolment), active=False)
    reconcile.settle(enrolment.id, "Анна")

    save.set_active(of_enrolment(enrolment), active=False)

    assert desired.open_removals() == []
    assert desired.row(enrolment.id).is_confirmed


def test_reactivated_employee_is_wanted_again_and_nothing_is_taken_as_proven(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    save.set_active(of_enrolment(enrolment), active=False)
    reconcile.settle(enrolment.id, "Анна")

    save.set_active(of_enrolment(enrolment), active=True)

    again = desired.row(enrolment.id)
    assert (again.desired, again.person, again.face, again.confirmed_photo_id) == (PRESENT, PENDING, PENDING, None)
    assert reconcile.settle(enrolment.id, "Анна").is_confirmed
    assert simulator.faces["100222"].jpeg == FACE


def test_reactivation_before_the_removal_was_done_is_proven_too(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    save.set_active(of_enrolment(enrolment), active=False)

    save.set_active(of_enrolment(enrolment), active=True)

    assert desired.row(enrolment.id).face == PENDING
    assert reconcile.settle(enrolment.id, "Анна").is_confirmed
    assert simulator.people["100222"]["name"] == "Иван Иванов"


def test_deleted_employee_takes_all_photos_along(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    employee_id = of_enrolment(enrolment)
    save.save(IVAN, FaceSource(upload=io.BytesIO(OTHER_FACE)), employee_id=employee_id)
    enrol(simulator, terminal, OTHER_FACE, employee_id)
    assert len(list(storage.folder().iterdir())) == 3

    left = save.delete(employee_id)

    assert list(storage.folder().iterdir()) == []
    assert [db.session.query(kind).count() for kind in (Employee, Photo, Capture)] == [0, 0, 0]
    assert left == [enrolment.id]


def test_deleted_employees_removal_is_done_without_the_row(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)

    save.delete(of_enrolment(enrolment))

    reconcile.settle(enrolment.id, "Анна")
    assert simulator.people == {}
    assert db.session.query(Enrolment).count() == 0


def test_employee_who_had_left_already_is_deleted_without_a_removal(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    save.set_active(of_enrolment(enrolment), active=False)
    reconcile.settle(enrolment.id, "Анна")

    assert save.delete(of_enrolment(enrolment)) == []

    assert db.session.query(Enrolment).count() == 0


@pytest.fixture
def by_hand(simulator: Simulated, terminal: Terminal) -> Enrolment:
    """Somebody was entered at the terminal by hand under the number, before we could enrol anybody."""
    simulator.register.add("100222", {"name": "Ivanov I.I."})
    with pytest.raises(NumberTakenThere):
        enrol(simulator, terminal)
    return desired.of_number("100222")[0]


@pytest.mark.parametrize("leave", [save.delete, lambda one: save.set_active(one, active=False)])
def test_who_is_there_under_a_name_that_we_never_wrote_keeps_the_removal_open(
    simulator: Simulated, by_hand: Enrolment, leave: Callable[[int], object]
) -> None:
    leave(of_enrolment(by_hand))

    with pytest.raises(NumberTakenThere):
        reconcile.settle(by_hand.id, "sweep")

    left = desired.row(by_hand.id)
    assert (left.may_open_doors, left.refusal_code, left.refusal_text) == (True, NumberTakenThere.code, "Ivanov I.I.")
    assert "100222" in simulator.people


def test_who_is_there_under_our_own_name_is_taken_off_though_we_never_wrote_it(
    simulator: Simulated, terminal: Terminal
) -> None:
    employee = save.save(IVAN)
    wished = save.send(employee.id, terminal.id)
    simulator.register.add("100222", {"name": "Иван Иванов"})
    save.set_active(employee.id, active=False)

    assert reconcile.settle(wished.id, "sweep").is_confirmed

    assert simulator.people == {}


def test_who_is_the_same_person_is_removed_all_the_same(simulator: Simulated, by_hand: Enrolment) -> None:
    save.set_active(of_enrolment(by_hand), active=False)
    with pytest.raises(NumberTakenThere):
        reconcile.settle(by_hand.id, "sweep")

    desired.want_replaced(by_hand.id, desired.row(by_hand.id).generation)

    assert reconcile.settle(by_hand.id, "sweep").is_confirmed
    assert simulator.people == {}


def test_number_of_a_stranger_is_free_for_nobody_until_somebody_says_whose_it_is(
    simulator: Simulated, by_hand: Enrolment
) -> None:
    save.delete(of_enrolment(by_hand))
    with pytest.raises(NumberTakenThere):
        reconcile.settle(by_hand.id, "sweep")
    with pytest.raises(NumberLeaving):
        save.save(Draft("100222", "Ольга Ёлкина"))

    with audit.acting(Actor("Анна")):
        assert manual_removal.end_as_somebody_elses(by_hand.id, desired.row(by_hand.id).generation, "Ivanov I.I.")

    assert (desired.open_removals(), "100222" in simulator.people) == ([], True)
    (entry,) = db.session.query(AuditEntry).filter(AuditEntry.action == "enrolment.somebody_elses")
    assert (entry.actor, entry.employee, entry.after) == ("Анна", "100222", None)
    assert save.save(Draft("100222", "Ольга Ёлкина")).number == "100222"


@pytest.mark.parametrize(("later", "name"), [(1, "Ivanov I.I."), (0, "Petrov P.P.")])
def test_word_about_another_wish_or_another_name_ends_nothing(by_hand: Enrolment, later: int, name: str) -> None:
    save.set_active(of_enrolment(by_hand), active=False)
    with pytest.raises(NumberTakenThere):
        reconcile.settle(by_hand.id, "sweep")

    assert not manual_removal.end_as_somebody_elses(by_hand.id, desired.row(by_hand.id).generation + later, name)

    assert desired.row(by_hand.id).may_open_doors


def test_nobody_can_say_somebody_else_before_the_terminal_named_who_has_the_number(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    save.set_active(of_enrolment(enrolment), active=False)

    assert not manual_removal.end_as_somebody_elses(enrolment.id, desired.row(enrolment.id).generation, "")

    assert desired.row(enrolment.id).may_open_doors


def test_word_about_the_present_device_says_nothing_about_the_old_one(by_hand: Enrolment) -> None:
    save.set_active(of_enrolment(by_hand), active=False)
    db.session.execute(db.update(Enrolment).values(on_old_device=True, sent_name="Иван Иванов"))
    db.session.commit()
    with pytest.raises(NumberTakenThere):
        reconcile.settle(by_hand.id, "sweep")

    assert manual_removal.end_as_somebody_elses(by_hand.id, desired.row(by_hand.id).generation, "Ivanov I.I.")

    left = desired.row(by_hand.id)
    assert (left.waits_for_hand, left.refusal_code, left.confirmed_by) == (True, OtherDevice.code, "")


def test_own_record_that_search_missed_once_is_ours_still(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    enrolment = enrol(simulator, terminal)
    save.save(Draft("100222", "Иван Сидоров"), employee_id=enrolment.employee_id)

    with missed_once(wire):
        assert reconcile.settle(enrolment.id, "Анна").is_confirmed

    assert simulator.people["100222"]["name"] == "Иван Сидоров"
    assert simulator.faces["100222"].jpeg == FACE


def test_own_record_that_search_missed_once_leaves_with_its_employee(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    enrolment = enrol(simulator, terminal)
    save.save(Draft("100222", "Иван Сидоров"), employee_id=enrolment.employee_id)
    simulator.faults.add("lost-before", path="UserInfo/Record", times=1)
    with missed_once(wire), pytest.raises(NoAnswer):
        reconcile.settle(enrolment.id, "Анна")
    assert simulator.people["100222"]["name"] == "Иван Иванов"

    save.delete(of_enrolment(enrolment))
    reconcile.settle(enrolment.id, "Анна")

    assert simulator.people == {}
    assert desired.open_removals() == []


@contextmanager
def missed_once(wire: InProcess) -> Iterator[None]:
    """The terminal's first Search finds nobody, whoever is there."""
    answer = wire.send
    left = [True]

    def missing(request: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = answer(request, **options)
        if left and response.status_code == 200 and "UserInfo/Search" in str(request.url):
            left.clear()
            body = b'{"UserInfoSearch":{"responseStatusStrg":"NO MATCH","numOfMatches":0,"totalMatches":0}}'
            response.raw = HTTPResponse(body=BytesIO(body), status=200, preload_content=False)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire, "send", missing)
        yield


def test_photos_of_others_stay(simulator: Simulated, terminal: Terminal) -> None:
    other = save.save(Draft("100333", "Ольга"), FaceSource(upload=io.BytesIO(OTHER_FACE)))
    enrolment = enrol(simulator, terminal)

    save.delete(of_enrolment(enrolment))

    assert other.photo is not None
    assert [path.name for path in storage.folder().iterdir()] == [other.photo.file]
