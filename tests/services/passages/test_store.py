"""Each record is stored once, in an order that readers can rely on, and never about the wrong person."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hikflask.extensions import db
from hikflask.isapi.events import EventRecord, event_record
from hikflask.models import Employee, Event, Terminal, WebhookDelivery
from hikflask.models.enrolment import LEAVING, REMOVED
from hikflask.services import audit
from hikflask.services.captures.drafts import Draft
from hikflask.services.cards import registry as cards
from hikflask.services.core.db import transaction
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.employees.lifecycle import delete_employee, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.passages import store as store_module
from hikflask.services.passages.store import store
from hikflask.services.privacy import passage_traces
from hikflask.services.terminals import registry
from hikflask.services.webhooks import registry as webhooks
from hikflask.simulator import Terminal as Simulated
from tests.support.between import Between
from tests.support.captures import IVAN
from tests.support.enrolments import employee_of, enrol
from tests.support.lock_order import LockOrder

pytestmark = pytest.mark.usefixtures("context", "worker_alive")
SERIAL = "DS-1"
NOW = datetime.now(UTC).replace(microsecond=0)
LATER = timedelta(hours=1)


def record(serial_no: int | None = 1, at: datetime = NOW + LATER, **fields: Any) -> EventRecord:
    row = {"major": 5, "minor": 75, "time": at.isoformat(timespec="seconds"), "serialNo": serial_no} | fields
    read = event_record({name: value for name, value in row.items() if value is not None})
    assert read is not None
    return read


def of_ivan(at: datetime = NOW + LATER, name: str | None = None, serial_no: int = 1) -> EventRecord:
    return record(serial_no, at, employeeNoString=IVAN.number, name=name)


def kept() -> list[Event]:
    return list(db.session.execute(select(Event).order_by(Event.id)).scalars())


def owner_of(terminal: Terminal, stored: EventRecord) -> int | None:
    (event_id,) = store(terminal.id, SERIAL, [stored], 0, is_new=True)
    return db.session.execute(select(Event.employee_id).where(Event.id == event_id)).scalar_one()


@pytest.mark.both_databases
def test_record_is_stored_once_however_often_and_in_whatever_order_it_comes(terminal: Terminal) -> None:
    second, first, third = record(2), record(1), record(3)

    ids = store(terminal.id, SERIAL, [second, first, second], 0, is_new=True)
    again = store(terminal.id, SERIAL, [third, first], 0, is_new=False)

    assert [(event.id, event.serial_no) for event in kept()] == [(ids[0], 1), (ids[1], 2), (again[0], 3)]
    assert kept()[0].record == first.raw


def test_log_brings_nobody_back_who_was_erased(terminal: Terminal) -> None:
    of_log = record(employeeNoString="7", name="Ольга")
    store(terminal.id, SERIAL, [of_log], 0, is_new=True)
    with transaction():
        passage_traces.forget(["7"], None)

    store(terminal.id, SERIAL, [of_log], 0, is_new=True)

    (event,) = kept()
    assert (event.number, event.name) == ("", "")
    assert "7" not in event.record.values()
    assert "Ольга" not in str(event.record)


@pytest.mark.both_databases
def test_two_who_store_the_same_records_at_once_store_them_once_and_in_order(
    terminal: Terminal, between: Between
) -> None:
    other = between(store_module, "_insert", lambda: store(terminal.id, SERIAL, [record(1), record(3)], 0, is_new=True))

    ids = store(terminal.id, SERIAL, [record(1), record(2)], 0, is_new=True)
    other.finish()

    # The other one's came after the first one's commit, so their ids are higher.
    assert (other.blocked, other.error) == (True, None)
    assert [event.serial_no for event in kept()] == [1, 2, 3]
    assert other.result == [kept()[2].id] > ids


def test_same_number_and_time_of_another_device_or_another_log_is_another_record(terminal: Terminal) -> None:
    store(terminal.id, SERIAL, [record(1)], 0, is_new=True)

    assert len(store(terminal.id, "DS-2", [record(1)], 0, is_new=True)) == 1
    assert len(store(terminal.id, SERIAL, [record(1, NOW + 2 * LATER)], 0, is_new=True)) == 1


def test_record_is_known_when_its_time_is_written_anew_in_another_zone(terminal: Terminal) -> None:
    """Some firmware keeps local times, and writes them with the offset of the zone that it has now."""
    before = record(1, time="2026-11-30T09:00:00+03:00")
    store(terminal.id, SERIAL, [before], 0, is_new=True)

    assert store(terminal.id, SERIAL, [record(1, time="2026-11-30T09:00:00+05:00")], 0, is_new=True) == []
    assert store(terminal.id, SERIAL, [record(1, time="2026-11-30T11:00:00+05:00")], 0, is_new=True) == []


def test_record_without_a_number_is_known_by_its_content(terminal: Terminal) -> None:
    ids = store(terminal.id, SERIAL, [record(None), record(None, minor=76)], 0, is_new=True)

    assert len(ids) == 2
    assert all(event.serial_no < 0 for event in kept())
    assert store(terminal.id, SERIAL, [record(None)], 0, is_new=True) == []


def test_time_is_corrected_by_how_wrong_the_clock_was(terminal: Terminal) -> None:
    store(terminal.id, SERIAL, [record(1)], 92, is_new=True)

    (event,) = kept()
    assert (event.device_at, event.occurred_at) == (NOW + LATER, NOW + LATER - timedelta(seconds=92))


def test_record_that_would_be_deleted_at_once_is_not_stored(terminal: Terminal) -> None:
    assert store(terminal.id, SERIAL, [record(1, NOW - timedelta(days=91))], 0, is_new=False) == []
    # A clock that was reset tells nothing of when it was.
    assert len(store(terminal.id, SERIAL, [record(2, datetime(1970, 1, 1, tzinfo=UTC))], 0, is_new=False)) == 1


@pytest.mark.parametrize("is_new", [True, False])
def test_webhooks_are_told_of_what_is_new(terminal: Terminal, is_new: bool) -> None:
    webhooks.add("http://127.0.0.1:9/", frozenset({"passage"}))

    (event_id,) = store(terminal.id, SERIAL, [record(1)], 0, is_new=is_new)

    told = db.session.execute(select(WebhookDelivery.event_id)).scalars().all()
    assert told == ([event_id] if is_new else [])


@pytest.mark.both_databases
def test_record_of_a_card_without_a_number_is_about_whose_it_is(simulator: Simulated, terminal: Terminal) -> None:
    ivan = employee_of(enrol(simulator, terminal))
    cards.give(ivan, "00aB12")
    reconcile(queries.of_number(IVAN.number)[0].id, "worker")
    other = save_employee(Draft("5", "Анна Ким")).row.id
    cards.give(other, "7")

    assert owner_of(terminal, record(1, minor=1, cardNo="00aB12")) == ivan
    # In another case, before it was given, of a card that is not there, and of none.
    assert owner_of(terminal, record(2, minor=1, cardNo="00AB12")) is None
    assert owner_of(terminal, record(3, NOW - timedelta(days=1), minor=1, cardNo="00aB12")) is None
    assert owner_of(terminal, record(4, minor=1, cardNo="7")) is None
    assert owner_of(terminal, record(5, minor=1)) is None
    # What the terminal says of the number counts.
    assert owner_of(terminal, record(6, minor=1, cardNo="00aB12", employeeNoString="5")) == other
    assert not [event for event in kept() if "aB12" in str(event.record)]


def test_record_is_about_the_employee_who_has_the_number(terminal: Terminal) -> None:
    ivan = save_employee(IVAN).row

    assert owner_of(terminal, of_ivan()) == ivan.id
    assert owner_of(terminal, of_ivan(name="И*** И*****", serial_no=2)) == ivan.id
    assert owner_of(terminal, record(3, employeeNoString="100999")) is None
    assert owner_of(terminal, record(4)) is None


def test_number_that_a_face_was_captured_for_before_it_was_saved_had_no_other_owner(terminal: Terminal) -> None:
    with transaction():
        audit.record("capture.started", number=IVAN.number)
    ivan = save_employee(IVAN).row

    assert owner_of(terminal, of_ivan(name="И*** И*****")) == ivan.id


def test_record_from_before_the_employee_was_added_counts_only_with_the_name(terminal: Terminal) -> None:
    ivan = save_employee(IVAN).row
    before = ivan.created_at.replace(microsecond=0) - LATER

    assert owner_of(terminal, of_ivan(before)) is None
    assert owner_of(terminal, of_ivan(before, "Пётр Ли", 2)) is None
    assert owner_of(terminal, of_ivan(before, "иван иванов", 3)) == ivan.id


def test_record_of_an_earlier_owner_of_the_number_never_names_the_present_one(terminal: Terminal) -> None:
    left = save_employee(Draft(IVAN.number, "Пётр Ли")).row
    delete_employee(left.id)
    ivan = save_employee(IVAN).row

    assert owner_of(terminal, of_ivan(name="Пётр Ли")) is None
    assert owner_of(terminal, of_ivan(serial_no=2)) is None
    assert owner_of(terminal, of_ivan(name=IVAN.name, serial_no=3)) == ivan.id


def test_record_of_a_number_that_an_employee_got_later_counts_only_with_the_name(terminal: Terminal) -> None:
    ivan = save_employee(Draft("100111", IVAN.name)).row
    save_employee(IVAN, employee_id=ivan.id)

    assert owner_of(terminal, of_ivan()) is None
    assert owner_of(terminal, of_ivan(name=IVAN.name, serial_no=2)) == ivan.id


def test_terminal_that_hides_names_tells_of_whom_it_has_confirmed_under_a_number_that_changed_hands(
    simulator: Simulated, terminal: Terminal
) -> None:
    delete_employee(save_employee(Draft(IVAN.number, "Пётр Ли")).row.id)
    enrolment = enrol(simulator, terminal)
    assert enrolment.confirmed_at is not None

    assert owner_of(terminal, of_ivan()) == enrolment.employee_id
    assert owner_of(terminal, of_ivan(enrolment.confirmed_at - LATER, serial_no=2)) is None


def test_record_of_an_erased_person_that_comes_late_names_nobody(terminal: Terminal) -> None:
    ivan = save_employee(IVAN).row
    erase_employee(ivan.id)
    before = ivan.created_at.replace(microsecond=0) - LATER

    store(terminal.id, SERIAL, [of_ivan(before, IVAN.name)], 0, is_new=False)

    (event,) = kept()
    written = {"major": 5, "minor": 75, "time": event.device_time, "serialNo": 1}
    assert (event.number, event.name, event.employee_id, event.record) == ("", "", None, written)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("remove", [erase_employee, delete_employee])
def test_employee_who_is_removed_at_the_same_moment_stays_removed(
    terminal: Terminal, between: Between, remove: Any
) -> None:
    ivan = save_employee(IVAN).row.id
    order = LockOrder(db.engine)
    other = between(passage_traces, "leave_out_erased", lambda: remove(ivan))

    (event_id,) = store(terminal.id, SERIAL, [of_ivan(name=IVAN.name)], 0, is_new=True)
    other.finish()

    assert (other.blocked, other.error, order.violations) == (True, None, [])
    assert db.session.get(Employee, ivan) is None
    assert db.session.get_one(Event, event_id, populate_existing=True).employee_id is None


@pytest.mark.both_databases
def test_nothing_is_stored_of_a_terminal_that_was_deleted(terminal: Terminal) -> None:
    registry.delete(terminal.id, "Анна")

    assert store(terminal.id, SERIAL, [record()], 0, is_new=True) == []


def test_records_are_stored_with_what_claims_them_or_not_at_all(terminal: Terminal) -> None:
    def store_and_fail() -> None:
        with transaction():
            store(terminal.id, SERIAL, [record()], 0, is_new=True)
            raise KeyError

    with pytest.raises(KeyError):
        store_and_fail()

    assert kept() == []


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("later", "name", "state"),
    [
        (LATER, "Иван Иванов", LEAVING),
        (LATER, None, LEAVING),
        (LATER, "Олег Чужой", REMOVED),
        (timedelta(seconds=30), "Иван Иванов", REMOVED),
        (-LATER, "Иван Иванов", REMOVED),
    ],
)
def test_passage_after_a_confirmed_removal_opens_it_again(
    simulator: Simulated, terminal: Terminal, later: timedelta, name: str | None, state: str
) -> None:
    """A passage just after it may be from before it, and another name is somebody else's."""
    enrolment = enrol(simulator, terminal)
    record = simulator.people[IVAN.number]
    set_active(employee_of(enrolment), active=False)
    assert reconcile(enrolment.id, "Анна").state == REMOVED
    simulator.people[IVAN.number] = record

    store(terminal.id, SERIAL, [of_ivan(datetime.now(UTC) + later, name)], 0, is_new=True)

    db.session.refresh(enrolment)
    assert enrolment.state == state
    if state == LEAVING:
        reconcile(enrolment.id, "sweep")
        assert simulator.people == {}
