"""Another device at a terminal's address confirms nothing of what the old one was asked."""

import dataclasses

import pytest

from hikflask.models import Terminal
from hikflask.services import captures, checks, employees, enrolments, settling, terminals
from hikflask.services.captures import Draft
from hikflask.services.employees import FaceSource
from hikflask.services.errors import OtherDevice
from hikflask.services.terminals import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.faces import NAMES, draw
from hikflask.simulator.profiles import profile_named
from tests.conftest import PASSWORD
from tests.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

IVAN = Draft("100222", "Иван Иванов")


@pytest.fixture
def enrolled(simulator: Simulated, terminal: Terminal) -> int:
    """The id of an employee who is confirmed on the old device."""
    simulator.present(draw(NAMES[0]))
    taken = captures.run(captures.start(terminal.id, IVAN, "Анна").id)
    employee = employees.save(IVAN, FaceSource(capture_id=taken.id))
    settling.settle(enrolments.of_number("100222")[0].id, "test")
    return employee.id


@pytest.fixture
def replaced(wire: InProcess, terminal: Terminal, enrolled: int) -> int:  # noqa: ARG001
    """Another device stands at a new address of the same terminal."""
    wire.put("new.test", Simulated(PASSWORD, clock=SkippingClock(), profile=profile_named("K1T341AMF")))
    return terminal.id


def move(terminal_id: int) -> None:
    terminals.change(terminal_id, Access("Вход", "http://new.test", "admin", PASSWORD), "test")


def test_nobody_is_green_after_the_address_changed_until_a_check(replaced: int, enrolled: int) -> None:
    move(replaced)

    employee = employees.get(enrolled)
    assert employee is not None
    assert not employees.is_synced(employee)
    assert not enrolments.of_number("100222")[0].is_green


def test_check_of_another_device_takes_the_confirmations_back(replaced: int) -> None:
    move(replaced)

    checks.check(replaced, "test")

    assert not enrolments.of_number("100222")[0].is_confirmed


def test_same_device_at_a_new_address_is_green_again(wire: InProcess, simulator: Simulated, replaced: int) -> None:
    wire.put("new.test", simulator)
    move(replaced)

    checks.check(replaced, "test")

    assert enrolments.of_number("100222")[0].is_green


def test_open_removal_is_not_confirmed_by_another_device(
    wire: InProcess, simulator: Simulated, replaced: int, enrolled: int
) -> None:
    wire.away.add("terminal.test")
    left = employees.delete(enrolled)
    move(replaced)

    with pytest.raises(OtherDevice):
        settling.settle(left[0], "sweep")
    with pytest.raises(OtherDevice):
        settling.settle(left[0], "sweep")

    assert [one.number for one in enrolments.open_removals()] == ["100222"]
    assert "100222" in simulator.people


def test_person_who_removed_it_by_hand_may_say_so(replaced: int, enrolled: int, wire: InProcess) -> None:
    wire.away.add("terminal.test")
    left = employees.delete(enrolled)
    move(replaced)
    with pytest.raises(OtherDevice):
        settling.settle(left[0], "sweep")

    enrolments.want_replaced(left[0], enrolments.row(left[0]).wish)
    settling.settle(left[0], "operator")

    assert enrolments.open_removals() == []


def test_terminal_that_says_more_than_a_column_holds_is_cut(wire: InProcess) -> None:
    talkative = dataclasses.replace(profile_named("K1T341AMF"), model="M" * 100, firmware="V" * 100)
    wire.put("talkative.test", Simulated(PASSWORD, clock=SkippingClock(), profile=talkative))
    added = terminals.add(Access("Склад", "http://talkative.test", "admin", PASSWORD))

    checked = checks.check(added.id, "test")

    assert (checked.model, len(checked.firmware)) == ("M" * 64, 64)
