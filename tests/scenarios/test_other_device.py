"""Another device at a terminal's address confirms nothing of what the old one was asked."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
import requests
from urllib3 import HTTPResponse

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.services.comparisons import nightly
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.employees.lifecycle import delete_employee, set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import manual_removal, queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.privacy import certificates
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import profile_named
from tests.conftest import PASSWORD
from tests.support.captures import FACE, IVAN
from tests.support.comparisons import compare, differences
from tests.support.enrolments import employee_of, enrol
from tests.support.removals import open_removals
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

MIDDAY = datetime(2030, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def enrolled(simulator: Simulated, terminal: Terminal) -> int:
    """The id of an employee who is confirmed on the old device."""
    return employee_of(enrol(simulator, terminal))


@pytest.fixture
def other() -> Simulated:
    """Another device."""
    return Simulated(PASSWORD, clock=SkippingClock(), profile=profile_named("K1T341AMF"))


def told_before(terminal: Terminal, serial: str) -> None:
    db.session.execute(db.update(Terminal).where(Terminal.id == terminal.id).values(serial=serial))
    db.session.commit()


@contextmanager
def telling(wire: InProcess, serial: str) -> Iterator[None]:
    """The device that answers tells this serial number."""
    answer = wire.send

    def told(request: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = answer(request, **options)
        if response.status_code == 200 and "deviceInfo" in str(request.url):
            body = re.sub(rb"(<serialNumber>)[^<]*", rb"\g<1>" + serial.encode(), response.content)
            response.raw = HTTPResponse(body=BytesIO(body), status=200, preload_content=False)
            response._content, response._content_consumed = False, False  # type: ignore[assignment, attr-defined]
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire, "send", told)
        yield


@pytest.fixture
def replaced(wire: InProcess, terminal: Terminal, enrolled: int, other: Simulated) -> int:  # noqa: ARG001
    """The other device stands at a new address of the same terminal."""
    wire.put("new.test", other)
    return terminal.id


def move(terminal_id: int) -> None:
    registry.change(terminal_id, Access("Вход", "http://new.test", "admin", PASSWORD), "test")


def test_nobody_is_green_after_the_address_changed_until_a_check(replaced: int, enrolled: int) -> None:
    move(replaced)

    assert not queries.synced([enrolled])
    assert not queries.of_number("100222")[0].is_green


@pytest.mark.both_databases
def test_check_of_another_device_takes_the_confirmations_back(replaced: int) -> None:
    move(replaced)

    checks.check(replaced, "test")

    assert not queries.of_number("100222")[0].is_confirmed


@pytest.mark.both_databases
def test_same_device_at_a_new_address_is_green_again(wire: InProcess, simulator: Simulated, replaced: int) -> None:
    wire.put("new.test", simulator)
    move(replaced)

    checks.check(replaced, "test")

    assert queries.of_number("100222")[0].is_green


def test_who_left_and_is_on_the_new_device_is_found_at_once_and_removed(
    simulator: Simulated, other: Simulated, replaced: int, enrolled: int
) -> None:
    other.store.add("100222", simulator.people["100222"])
    set_active(enrolled, active=False)
    reconcile(open_removals()[0].id, "sweep")
    assert nightly.claim_due(MIDDAY) == []
    move(replaced)
    checks.check(replaced, "test")

    assert [nightly.claim_due(MIDDAY), nightly.claim_due(MIDDAY)] == [[replaced], []]

    assert not differences(compare(db.session.get_one(Terminal, replaced)))
    reconcile(open_removals()[0].id, "sweep")
    assert not other.people


def test_open_removal_is_not_confirmed_by_another_device(
    wire: InProcess, simulator: Simulated, replaced: int, enrolled: int
) -> None:
    wire.away.add("terminal.test")
    left = delete_employee(enrolled).due
    move(replaced)

    with pytest.raises(ServiceError, match=r"^other_device$"):
        reconcile(left[0], "sweep")
    with pytest.raises(ServiceError, match=r"^other_device$"):
        reconcile(left[0], "sweep")

    assert [one.number for one in open_removals()] == ["100222"]
    assert "100222" in simulator.people


@pytest.mark.both_databases
def test_person_who_removed_it_by_hand_may_say_so(replaced: int, enrolled: int, wire: InProcess) -> None:
    wire.away.add("terminal.test")
    left = delete_employee(enrolled).due
    move(replaced)
    with pytest.raises(ServiceError, match=r"^other_device$"):
        reconcile(left[0], "sweep")

    assert manual_removal.confirm_by_hand(left[0], queries.get_one(left[0]).generation)

    assert open_removals() == []


@pytest.fixture
def swapped(wire: InProcess, terminal: Terminal, enrolled: int, other: Simulated) -> int:  # noqa: ARG001
    """The other device stands at the same address, takes the same password, and nobody checked it."""
    wire.put("terminal.test", other)
    return enrolled


@pytest.mark.parametrize("leave", [delete_employee, lambda one: set_active(one, active=False).row])
def test_device_that_was_put_in_place_of_the_old_one_confirms_no_removal(
    swapped: int, simulator: Simulated, leave: Callable[[int], object]
) -> None:
    leave(swapped)
    (enrolment,) = open_removals()

    with pytest.raises(ServiceError, match=r"^other_device$"):
        reconcile(enrolment.id, "sweep")

    assert queries.get_one(enrolment.id).waits_for_hand
    assert "100222" in simulator.people


@pytest.mark.both_databases
def test_certificate_waits_for_a_persons_word_about_the_device_that_was_taken_away(swapped: int) -> None:
    erasure = erase_employee(swapped).row
    (enrolment,) = open_removals()
    with pytest.raises(ServiceError, match=r"^other_device$"):
        reconcile(enrolment.id, "sweep")

    assert certificates.complete(erasure.id).completed_at is None


def test_who_was_sent_to_the_other_device_unnoticed_is_taken_off_it_too(
    swapped: int, simulator: Simulated, other: Simulated
) -> None:
    other.people["100222"] = dict(simulator.people["100222"])
    set_active(swapped, active=False)
    (enrolment,) = open_removals()

    with pytest.raises(ServiceError, match=r"^other_device$"):
        reconcile(enrolment.id, "sweep")

    assert other.people == {}
    assert queries.get_one(enrolment.id).waits_for_hand


@pytest.mark.parametrize(("before", "now"), [("DS-1", ""), ("", "DS-1")])
def test_device_that_suddenly_tells_a_serial_number_or_none_confirms_no_removal(
    simulator: Simulated, terminal: Terminal, enrolled: int, wire: InProcess, before: str, now: str
) -> None:
    wire.put("terminal.test", simulator)
    told_before(terminal, before)
    set_active(enrolled, active=False)
    (enrolment,) = open_removals()

    with telling(wire, now), pytest.raises(ServiceError, match=r"^other_device$"):
        reconcile(enrolment.id, "sweep")

    assert queries.get_one(enrolment.id).waits_for_hand


def test_device_that_never_told_a_serial_number_confirms_removals(
    simulator: Simulated, terminal: Terminal, enrolled: int, wire: InProcess
) -> None:
    told_before(terminal, "")
    set_active(enrolled, active=False)
    (enrolment,) = open_removals()

    with telling(wire, ""):
        reconcile(enrolment.id, "sweep")

    assert open_removals() == []
    assert simulator.people == {}


def test_removal_asks_one_question_more(simulator: Simulated, enrolled: int) -> None:
    set_active(enrolled, active=False)
    simulator.log.clear()

    reconcile(open_removals()[0].id, "sweep")

    asked = ["/".join(entry.plain_path.rsplit("/", 2)[1:]) for entry in simulator.log]
    assert asked[:3] == ["System/deviceInfo", "UserInfo/Search", "UserInfoDetail/Delete"]
    assert set(asked[3:-3]) == {"UserInfoDetail/DeleteProcess"}
    assert asked[-3:] == ["UserInfo/Search", "FDLib/FDSearch", "CardInfo/Search"]


@pytest.fixture
def on_both(replaced: int, simulator: Simulated, other: Simulated, enrolled: int) -> Enrolment:
    """The employee was on the old device, and is confirmed on the one that took its place."""
    move(replaced)
    checks.check(replaced, "test")
    other.present(FACE)
    taken = run_capture(start_capture(replaced, IVAN, "Анна").id)
    save_employee(IVAN, FaceSource(taken.id, taken.requested_by), employee_id=enrolled)
    (enrolment,) = queries.of_number("100222")
    reconcile(enrolment.id, "test")
    assert "100222" in simulator.people
    return enrolment


@pytest.mark.both_databases
@pytest.mark.parametrize("leave", [delete_employee, lambda one: set_active(one, active=False).row])
def test_who_was_on_the_old_device_leaves_only_by_a_persons_word(
    replaced: int, enrolled: int, simulator: Simulated, leave: Callable[[int], object]
) -> None:
    move(replaced)
    checks.check(replaced, "test")

    leave(enrolled)
    (enrolment,) = open_removals()
    with pytest.raises(ServiceError, match=r"^other_device$"):
        reconcile(enrolment.id, "test")

    (enrolment,) = open_removals()
    assert enrolment.waits_for_hand
    assert enrolment.last_name == "Иван Иванов"
    assert "100222" in simulator.people


def test_erasure_never_says_that_the_terminal_confirmed_for_the_old_device(replaced: int, enrolled: int) -> None:
    move(replaced)
    checks.check(replaced, "test")
    erasure = erase_employee(enrolled).row
    (enrolment,) = open_removals()
    with pytest.raises(ServiceError, match=r"^other_device$"):
        reconcile(enrolment.id, "test")
    assert certificates.complete(erasure.id).completed_at is None

    with audit.acting(Actor("Анна")):
        manual_removal.confirm_by_hand(enrolment.id, enrolment.generation)

    (removal,) = certificates.complete(erasure.id).removals
    assert (removal.confirmed_by, removal.confirmation_note) == ("Анна", "")


@pytest.mark.both_databases
def test_new_device_makes_green_and_the_old_one_is_not_forgotten(on_both: Enrolment) -> None:
    enrolment = queries.get_one(on_both.id)

    assert enrolment.is_green
    assert (enrolment.on_old_device, enrolment.name_on_old_device) == (True, "Иван Иванов")


def test_leaver_is_taken_off_the_new_device_before_a_person_is_asked_about_the_old_one(
    on_both: Enrolment, other: Simulated, enrolled: int
) -> None:
    set_active(enrolled, active=False)
    assert not queries.get_one(on_both.id).waits_for_hand
    assert not manual_removal.confirm_by_hand(on_both.id, queries.get_one(on_both.id).generation)

    with pytest.raises(ServiceError, match=r"^other_device$"):
        reconcile(on_both.id, "test")

    assert other.people == {}
    assert queries.get_one(on_both.id).waits_for_hand
    assert manual_removal.confirm_by_hand(on_both.id, queries.get_one(on_both.id).generation)
    assert open_removals() == []


def test_strangers_record_on_the_new_device_is_left_alone(replaced: int, enrolled: int, other: Simulated) -> None:
    other.people["100222"] = {"employeeNo": "100222", "name": "Чужой Человек"}
    move(replaced)
    checks.check(replaced, "test")
    delete_employee(enrolled)
    (enrolment,) = open_removals()
    with pytest.raises(ServiceError, match=r"^other_device$"):
        reconcile(enrolment.id, "test")

    manual_removal.confirm_by_hand(enrolment.id, enrolment.generation)

    assert other.people["100222"]["name"] == "Чужой Человек"


def test_word_about_a_deactivated_employee_is_no_confirmation_when_erased_later(replaced: int, enrolled: int) -> None:
    move(replaced)
    checks.check(replaced, "test")
    set_active(enrolled, active=False)
    (enrolment,) = open_removals()
    manual_removal.confirm_by_hand(enrolment.id, enrolment.generation)

    erasure = erase_employee(enrolled).row

    (removal,) = erasure.removals
    assert (removal.confirmed_by, removal.gone_at is None) == ("worker", False)
    assert erasure.completed_at is not None
