"""Who leaves: wanted nowhere, forgotten here with all photos, and proven again on the way back."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pytest
import requests
from urllib3 import HTTPResponse

from hikflask.extensions import db
from hikflask.isapi.errors import NoAnswer
from hikflask.models import Capture, Employee, Enrolment, Photo, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import PENDING, PRESENT
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.dates import SECONDS_PER_DAY
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.photos import storage
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, IVAN, OTHER_FACE
from tests.support.enrolments import employee_of, enrol
from tests.support.removals import open_removals
from tests.support.retention import age
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def test_deactivated_employee_is_wanted_nowhere(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)

    left = set_active(employee_of(enrolment), active=False).row

    assert left.is_active is False
    assert not queries.synced([left.id])
    assert [one.number for one in open_removals()] == ["100222"]


def test_second_deactivation_changes_nothing(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(employee_of(enrolment), active=False)
    reconcile(enrolment.id, "Анна")

    set_active(employee_of(enrolment), active=False)

    assert open_removals() == []
    assert queries.get_one(enrolment.id).is_confirmed


def test_reactivated_employee_is_wanted_again_and_nothing_is_taken_as_proven(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(employee_of(enrolment), active=False)
    reconcile(enrolment.id, "Анна")

    set_active(employee_of(enrolment), active=True)

    again = queries.get_one(enrolment.id)
    assert (again.desired, again.person, again.face, again.confirmed_photo_id) == (PRESENT, PENDING, PENDING, None)
    assert reconcile(enrolment.id, "Анна").is_confirmed
    assert simulator.faces["100222"].jpeg == FACE


@pytest.mark.both_databases
def test_reactivation_before_the_removal_was_done_is_proven_too(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(employee_of(enrolment), active=False)

    set_active(employee_of(enrolment), active=True)

    assert queries.get_one(enrolment.id).face == PENDING
    assert reconcile(enrolment.id, "Анна").is_confirmed
    assert simulator.people["100222"]["name"] == "Иван Иванов"


@pytest.mark.both_databases
def test_deleted_employee_takes_all_photos_along(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    employee_id = employee_of(enrolment)
    save_employee(IVAN, FaceSource(upload=io.BytesIO(OTHER_FACE)), employee_id=employee_id)
    enrol(simulator, terminal, IVAN, OTHER_FACE)
    assert len(list(storage.folder().iterdir())) == 3

    left = delete_employee(employee_id).due

    assert list(storage.folder().iterdir()) == []
    assert [db.session.query(kind).count() for kind in (Employee, Photo, Capture)] == [0, 0, 0]
    assert left == (enrolment.id,)


@pytest.mark.both_databases
def test_employee_who_had_left_already_is_deleted_without_a_removal(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(employee_of(enrolment), active=False)
    reconcile(enrolment.id, "Анна")

    assert delete_employee(employee_of(enrolment)).due == ()

    assert db.session.query(Enrolment).count() == 0


@pytest.mark.both_databases
def test_removal_that_was_confirmed_long_ago_is_confirmed_once_more_before_somebody_is_deleted(
    simulator: Simulated, terminal: Terminal
) -> None:
    """The terminal was put back to an earlier state since, with the person."""
    enrolment = enrol(simulator, terminal)
    record = simulator.people["100222"]
    set_active(employee_of(enrolment), active=False)
    reconcile(enrolment.id, "Анна")
    simulator.people["100222"] = record
    db.session.execute(db.update(Enrolment).values(confirmed_at=database_now(-SECONDS_PER_DAY - 60)))
    db.session.commit()

    assert delete_employee(employee_of(enrolment)).due == (enrolment.id,)
    reconcile(enrolment.id, "sweep")

    assert simulator.people == {}
    assert db.session.query(Enrolment).count() == 0


@pytest.mark.both_databases
def test_who_is_there_under_our_own_name_is_taken_off_though_we_never_wrote_it(
    simulator: Simulated, terminal: Terminal
) -> None:
    employee = save_employee(IVAN).row
    wished = send_to_terminal(employee.id, terminal.id).row
    simulator.store.add("100222", {"name": "Иван Иванов"})
    set_active(employee.id, active=False)

    assert reconcile(wished.id, "sweep").is_confirmed

    assert simulator.people == {}


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

    delete_employee(employee_of(enrolment))
    with pytest.raises(ServiceError, match=r"^removal_asked_again$"):
        reconcile(enrolment.id, "Анна")
    age(Enrolment, "may_arrive_until", 1.0)
    reconcile(enrolment.id, "Анна")

    assert simulator.people == {}
    assert open_removals() == []


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

    delete_employee(employee_of(enrolment))

    assert other.photo is not None
    assert [path.name for path in storage.folder().iterdir()] == [other.photo.file]
