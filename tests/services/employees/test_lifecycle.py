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
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import NumberLeaving, NumberTakenThere, OtherDevice
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import desired, manual_removal, queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.photos import storage
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, IVAN, OTHER_FACE
from tests.support.enrolments import enrol
from tests.support.wire import InProcess

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def of_enrolment(enrolment: Enrolment) -> int:
    assert enrolment.employee_id is not None
    return enrolment.employee_id


def test_deactivated_employee_is_wanted_nowhere(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)

    left = set_active(of_enrolment(enrolment), active=False).row

    assert left.is_active is False
    assert search.is_synced(left) is False
    assert [one.number for one in queries.open_removals()] == ["100222"]


def test_second_deactivation_changes_nothing(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(of_enrolment(enrolment), active=False)
    reconcile(enrolment.id, "Анна")

    set_active(of_enrolment(enrolment), active=False)

    assert queries.open_removals() == []
    assert queries.row(enrolment.id).is_confirmed


def test_reactivated_employee_is_wanted_again_and_nothing_is_taken_as_proven(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(of_enrolment(enrolment), active=False)
    reconcile(enrolment.id, "Анна")

    set_active(of_enrolment(enrolment), active=True)

    again = queries.row(enrolment.id)
    assert (again.desired, again.person, again.face, again.confirmed_photo_id) == (PRESENT, PENDING, PENDING, None)
    assert reconcile(enrolment.id, "Анна").is_confirmed
    assert simulator.faces["100222"].jpeg == FACE


def test_reactivation_before_the_removal_was_done_is_proven_too(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(of_enrolment(enrolment), active=False)

    set_active(of_enrolment(enrolment), active=True)

    assert queries.row(enrolment.id).face == PENDING
    assert reconcile(enrolment.id, "Анна").is_confirmed
    assert simulator.people["100222"]["name"] == "Иван Иванов"


def test_deleted_employee_takes_all_photos_along(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    employee_id = of_enrolment(enrolment)
    save_employee(IVAN, FaceSource(upload=io.BytesIO(OTHER_FACE)), employee_id=employee_id)
    enrol(simulator, terminal, face=OTHER_FACE)
    assert len(list(storage.folder().iterdir())) == 3

    left = delete_employee(employee_id).due

    assert list(storage.folder().iterdir()) == []
    assert [db.session.query(kind).count() for kind in (Employee, Photo, Capture)] == [0, 0, 0]
    assert left == (enrolment.id,)


def test_deleted_employees_removal_is_done_without_the_row(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)

    delete_employee(of_enrolment(enrolment))

    reconcile(enrolment.id, "Анна")
    assert simulator.people == {}
    assert db.session.query(Enrolment).count() == 0


def test_employee_who_had_left_already_is_deleted_without_a_removal(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(of_enrolment(enrolment), active=False)
    reconcile(enrolment.id, "Анна")

    assert delete_employee(of_enrolment(enrolment)).due == ()

    assert db.session.query(Enrolment).count() == 0


@pytest.fixture
def by_hand(simulator: Simulated, terminal: Terminal) -> Enrolment:
    """Somebody was entered at the terminal by hand under the number, before we could enrol anybody."""
    simulator.store.add("100222", {"name": "Ivanov I.I."})
    with pytest.raises(NumberTakenThere):
        enrol(simulator, terminal)
    return queries.of_number("100222")[0]


@pytest.mark.parametrize("leave", [delete_employee, lambda one: set_active(one, active=False).row])
def test_who_is_there_under_a_name_that_we_never_wrote_keeps_the_removal_open(
    simulator: Simulated, by_hand: Enrolment, leave: Callable[[int], object]
) -> None:
    leave(of_enrolment(by_hand))

    with pytest.raises(NumberTakenThere):
        reconcile(by_hand.id, "sweep")

    left = queries.row(by_hand.id)
    assert (left.may_open_doors, left.refusal_code, left.refusal_text) == (True, NumberTakenThere.code, "Ivanov I.I.")
    assert "100222" in simulator.people


def test_who_is_there_under_our_own_name_is_taken_off_though_we_never_wrote_it(
    simulator: Simulated, terminal: Terminal
) -> None:
    employee = save_employee(IVAN).row
    wished = send_to_terminal(employee.id, terminal.id).row
    simulator.store.add("100222", {"name": "Иван Иванов"})
    set_active(employee.id, active=False)

    assert reconcile(wished.id, "sweep").is_confirmed

    assert simulator.people == {}


def test_who_is_the_same_person_is_removed_all_the_same(simulator: Simulated, by_hand: Enrolment) -> None:
    set_active(of_enrolment(by_hand), active=False)
    with pytest.raises(NumberTakenThere):
        reconcile(by_hand.id, "sweep")

    desired.desire_overwrite(by_hand.id, queries.row(by_hand.id).generation)

    assert reconcile(by_hand.id, "sweep").is_confirmed
    assert simulator.people == {}


def test_number_of_a_stranger_is_free_for_nobody_until_somebody_says_whose_it_is(
    simulator: Simulated, by_hand: Enrolment
) -> None:
    delete_employee(of_enrolment(by_hand))
    with pytest.raises(NumberTakenThere):
        reconcile(by_hand.id, "sweep")
    with pytest.raises(NumberLeaving):
        save_employee(Draft("100222", "Ольга Ёлкина"))

    with audit.acting(Actor("Анна")):
        assert manual_removal.confirm_as_somebody_elses(by_hand.id, queries.row(by_hand.id).generation, "Ivanov I.I.")

    assert (queries.open_removals(), "100222" in simulator.people) == ([], True)
    (entry,) = db.session.query(AuditEntry).filter(AuditEntry.action == "enrolment.somebody_elses")
    assert (entry.actor, entry.employee, entry.after) == ("Анна", "100222", None)
    assert save_employee(Draft("100222", "Ольга Ёлкина")).row.number == "100222"


@pytest.mark.parametrize(("later", "name"), [(1, "Ivanov I.I."), (0, "Petrov P.P.")])
def test_word_about_another_wish_or_another_name_ends_nothing(by_hand: Enrolment, later: int, name: str) -> None:
    set_active(of_enrolment(by_hand), active=False)
    with pytest.raises(NumberTakenThere):
        reconcile(by_hand.id, "sweep")

    assert not manual_removal.confirm_as_somebody_elses(by_hand.id, queries.row(by_hand.id).generation + later, name)

    assert queries.row(by_hand.id).may_open_doors


def test_nobody_can_say_somebody_else_before_the_terminal_named_who_has_the_number(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(of_enrolment(enrolment), active=False)

    assert not manual_removal.confirm_as_somebody_elses(enrolment.id, queries.row(enrolment.id).generation, "")

    assert queries.row(enrolment.id).may_open_doors


def test_word_about_the_present_device_says_nothing_about_the_old_one(by_hand: Enrolment) -> None:
    set_active(of_enrolment(by_hand), active=False)
    db.session.execute(db.update(Enrolment).values(on_old_device=True, sent_name="Иван Иванов"))
    db.session.commit()
    with pytest.raises(NumberTakenThere):
        reconcile(by_hand.id, "sweep")

    assert manual_removal.confirm_as_somebody_elses(by_hand.id, queries.row(by_hand.id).generation, "Ivanov I.I.")

    left = queries.row(by_hand.id)
    assert (left.waits_for_hand, left.refusal_code, left.confirmed_by) == (True, OtherDevice.code, "")


def test_own_record_that_search_missed_once_is_ours_still(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    enrolment = enrol(simulator, terminal)
    save_employee(Draft("100222", "Иван Сидоров"), employee_id=enrolment.employee_id)

    with missed_once(wire):
        assert reconcile(enrolment.id, "Анна").is_confirmed

    assert simulator.people["100222"]["name"] == "Иван Сидоров"
    assert simulator.faces["100222"].jpeg == FACE


def test_own_record_that_search_missed_once_leaves_with_its_employee(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    enrolment = enrol(simulator, terminal)
    save_employee(Draft("100222", "Иван Сидоров"), employee_id=enrolment.employee_id)
    simulator.faults.add("lost-before", path="UserInfo/Record", times=1)
    with missed_once(wire), pytest.raises(NoAnswer):
        reconcile(enrolment.id, "Анна")
    assert simulator.people["100222"]["name"] == "Иван Иванов"

    delete_employee(of_enrolment(enrolment))
    reconcile(enrolment.id, "Анна")

    assert simulator.people == {}
    assert queries.open_removals() == []


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
    other = save_employee(Draft("100333", "Ольга"), FaceSource(upload=io.BytesIO(OTHER_FACE))).row
    enrolment = enrol(simulator, terminal)

    delete_employee(of_enrolment(enrolment))

    assert other.photo is not None
    assert [path.name for path in storage.folder().iterdir()] == [other.photo.file]
