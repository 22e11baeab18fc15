"""One device under two rows is recognised by its serial number, and its people stay as they are."""

from unittest.mock import Mock

import pytest

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.provisioning import same_device
from hikflask.services.terminals import checks, leases, registry
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, IVAN, OLGA, OTHER_FACE
from tests.support.due import claim_due
from tests.support.employees import save_with_file
from tests.support.fleet import add_terminal, device
from tests.support.refusals import refusal
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


@pytest.fixture
def moved() -> Simulated:
    """The device that is moved to another address."""
    return device()


@pytest.fixture
def old(wire: InProcess, moved: Simulated) -> Terminal:
    """The terminal that it was, with a face on it."""
    added = add_terminal(wire, "old.test", "Склад", moved)
    save_with_file(IVAN, added.id, FACE)
    prove()
    return added


@pytest.fixture
def new(wire: InProcess, old: Terminal, moved: Simulated) -> Terminal:  # noqa: ARG001
    """The terminal that somebody added for its new address."""
    wire.away.add("old.test")
    return add_terminal(wire, "new.test", "Новый", moved)


def prove() -> None:
    for enrolment_id in claim_due():
        reconcile(enrolment_id, "test")


def row(terminal_id: int) -> Terminal:
    found = registry.find_terminal(terminal_id)
    assert found is not None
    return found


def told(terminal: Terminal, serial: str) -> None:
    db.session.execute(db.update(Terminal).where(Terminal.id == terminal.id).values(serial=serial))
    db.session.commit()


def test_old_row_gets_the_new_address_and_keeps_what_is_confirmed(
    old: Terminal, new: Terminal, moved: Simulated
) -> None:
    assert same_device.known_as(new) is old
    moved.log.clear()

    same_device.move(old.id, new.id, "Анна")
    checks.check(old.id, "test")

    there = row(old.id)
    assert (there.url, there.awaits_restore, there.name) == ("http://new.test", False, "Склад")
    assert registry.find_terminal(new.id) is None
    assert queries.of_number(IVAN.number)[0].is_green
    assert "Record" not in " ".join(entry.plain_path for entry in moved.log)
    assert same_device.known_as(there) is None


def test_row_with_people_is_not_dropped(old: Terminal, new: Terminal) -> None:
    save_with_file(OLGA, new.id, OTHER_FACE)

    assert not same_device.may_move(old, row(new.id))
    with pytest.raises(ServiceError, match=r"^terminal_has_people$"):
        same_device.move(old.id, new.id, "Анна")
    assert (row(old.id).url, row(new.id).url) == ("http://old.test", "http://new.test")


def test_serial_number_that_is_not_told_is_nobodys(old: Terminal, new: Terminal) -> None:
    for one in (old, new):
        told(one, "")

    assert same_device.known_as(row(new.id)) is None
    with pytest.raises(ServiceError, match=r"^terminal_unknown$"):
        same_device.move(old.id, new.id, "Анна")


def test_device_that_was_replaced_at_its_old_address_is_recognised_at_the_new_one(
    wire: InProcess, old: Terminal, moved: Simulated
) -> None:
    other = device(serial="0000007")
    wire.put("old.test", other)
    checks.check(old.id, "test")
    new = add_terminal(wire, "new.test", "Новый", moved)
    assert same_device.known_as(new) is old

    same_device.move(old.id, new.id, "Анна")
    checks.check(old.id, "test")
    prove()

    assert not row(old.id).awaits_restore
    assert queries.of_number(IVAN.number)[0].is_green
    assert other.people == {}


def test_two_devices_that_were_swapped_get_their_addresses_back(
    wire: InProcess, old: Terminal, moved: Simulated
) -> None:
    second = device(serial="0000007")
    gate = add_terminal(wire, "gate.test", "Ворота", second)
    save_with_file(OLGA, gate.id, OTHER_FACE)
    prove()
    wire.put("old.test", second)
    wire.put("gate.test", moved)
    for one in (old, gate):
        checks.check(one.id, "test")
    assert same_device.known_as(row(old.id)) is row(gate.id)
    assert same_device.is_swapped(row(old.id), row(gate.id))

    same_device.swap(old.id, gate.id, "Анна")
    for one in (old, gate):
        checks.check(one.id, "test")
    prove()

    assert (row(old.id).url, row(gate.id).url) == ("http://gate.test", "http://old.test")
    assert [row(one.id).awaits_restore for one in (old, gate)] == [False, False]
    assert ({*moved.people}, {*second.people}) == ({IVAN.number}, {OLGA.number})
    assert queries.of_number(IVAN.number)[0].is_green
    with pytest.raises(ServiceError, match=r"^terminal_unknown$"):
        same_device.swap(old.id, gate.id, "Анна")


@pytest.mark.both_databases
@pytest.mark.parametrize("is_moved", [True, False], ids=["moved", "swapped"])
def test_what_stopped_at_the_wrong_address_is_due_though_the_process_dies_once_it_is_put_right(
    wire: InProcess, old: Terminal, moved: Simulated, is_moved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = device(serial="0000007")
    other = add_terminal(wire, "gate.test", "Ворота", moved if is_moved else second)
    if not is_moved:
        save_with_file(OLGA, other.id, OTHER_FACE)
        prove()
        wire.put("old.test", second)
        wire.put("gate.test", moved)
        for one in (old, other):
            checks.check(one.id, "test")
    set_active(queries.of_number(IVAN.number)[0].employee_id or 0, active=False)
    # The device at the old address has refused the password.
    stopped = {"next_attempt_at": None, "refusal": refusal("wrong_password")}
    db.session.execute(db.update(Enrolment).values(stopped))
    db.session.commit()

    put_right = same_device.move if is_moved else same_device.swap
    with monkeypatch.context() as killed:
        killed.setattr(leases.Lease, "release", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            put_right(old.id, other.id, "Анна")
    db.session.execute(db.update(Terminal).values(lease_until=None))  # It is over after a while.
    db.session.commit()

    assert queries.of_number(IVAN.number)[0].id in claim_due()


def test_terminal_of_another_device_is_nothing_of_this(old: Terminal, wire: InProcess) -> None:
    other = add_terminal(wire, "gate.test", "Ворота", device(serial="0000007"))

    assert same_device.known_as(other) is None
    assert not same_device.is_swapped(old, other)
    assert save_employee(OLGA).row.id
