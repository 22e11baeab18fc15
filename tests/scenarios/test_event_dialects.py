"""The log, the pushes and the settings of each simulated model: nothing is lost, doubled or misread."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hikflask.extensions import db
from hikflask.isapi import access_config, event_hosts, events
from hikflask.isapi.client import Client
from hikflask.isapi.event_push import read_push
from hikflask.isapi.events import EventRecord
from hikflask.models import Event, EventLog, Terminal
from hikflask.services.passages import intake
from hikflask.simulator import SkippingClock, faces
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import PROFILES
from hikflask.simulator.terminal.event_log import Record
from tests.conftest import HOST, PASSWORD
from tests.support.wire import InProcess


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"PASSAGES": "poll"}


@pytest.fixture(params=PROFILES)
def simulated(request: pytest.FixtureRequest) -> Simulated:
    """A terminal of each model, at which strangers and one who is known came."""
    simulated = Simulated(PASSWORD, clock=SkippingClock(), profile=PROFILES[request.param])
    simulated.store.add("001", {"name": "Иванов Иван"})
    simulated.store.bind("001", faces.draw("boris"))
    for n in range(16):
        simulated.pass_by("001" if n % 3 else None, at=simulated.local_time() - timedelta(minutes=60 - 3 * n))
    return simulated


@pytest.fixture
def client(simulated: Simulated) -> Client:
    wire = InProcess()
    wire.put(HOST, simulated)
    return Client(f"http://{HOST}", "admin", PASSWORD, transport=wire)


def facts(record: Record | EventRecord) -> tuple[object, ...]:
    return record.serial_no, record.time, record.major, record.minor, record.number


def read_all(terminal: Terminal) -> None:
    """Read the log until nothing is left."""
    for _ in range(100):
        has_more = intake.read_log(terminal.id, "test")
        log = db.session.execute(select(EventLog).execution_options(populate_existing=True)).scalar_one()
        assert log.error_code == ""
        if not has_more and log.older_than is None and "pass" not in log.state:
            return
    raise AssertionError("the log has no end")


@pytest.mark.usefixtures("context", "worker_alive")
def test_each_record_is_stored_once_as_it_is(simulated: Simulated, terminal: Terminal, wire: InProcess) -> None:
    wire.put(HOST, simulated)
    assert intake.claim_due() == [terminal.id]
    read_all(terminal)
    simulated.pass_by("001")
    simulated.pass_by("001")
    read_all(terminal)

    stored = list(db.session.scalars(select(Event).order_by(Event.serial_no)))
    assert [(event.serial_no, event.device_time, event.major, event.minor, event.number) for event in stored] == [
        facts(record) for record in sorted(simulated.events.records, key=lambda record: record.serial_no)
    ]
    expected = "" if simulated.events.traps.hides_names else "Иванов Иван"
    assert {event.name for event in stored if event.minor == 75} == {expected}
    assert {event.name for event in stored if event.minor != 75} == {""}


def test_a_picture_of_the_moment_is_fetched(simulated: Simulated, client: Client) -> None:
    if not simulated.access_settings["saveCapPic"]:
        access_config.set_switches(client, {"saveCapPic": True})
        simulated.pass_by("001")
    page = events.search(client, search_id=events.new_search(), position=0, limit=30, major=5, minor=75)
    assert events.picture(client, page.records[-1].picture_path).startswith(b"\xff\xd8\xff")


def test_a_slot_is_written_read_and_cleared_and_what_it_pushes_is_understood(
    simulated: Simulated, client: Client
) -> None:
    traps = simulated.push.traps
    slot = 2 if traps.needs_ehome else 1
    event_hosts.set_host(client, slot, address="127.0.0.1", port=8080, url="/events/push/SECRET")
    host = next(host for host in event_hosts.hosts(client) if host.slot == slot)
    assert (host.address, host.port, host.protocol) == ("127.0.0.1", 8080, "HTTP")
    assert host.url == ("/events/push/SECRET" if traps.keeps_url else "")

    simulated.pass_by("001")
    passed = next(record for record in reversed(simulated.events.records) if record.minor == 75)
    pushed = [record for body in simulated.push.bodies() for record in read_push(body).records]
    assert [facts(record) for record in pushed if record.serial_no == passed.serial_no] == (
        [] if traps.never_comes else [facts(passed)]
    )
    assert not [record for record in pushed if record.major != 5]
    assert all(read_push(beat.body).is_heartbeat for beat in simulated.push.heartbeats())

    for number in range(1, traps.slots + 1):
        event_hosts.clear_host(client, number)
    assert all(host.is_empty for host in event_hosts.hosts(client))


def test_switches_and_the_mode_of_storing_are_set(simulated: Simulated, client: Client) -> None:
    before = access_config.switches(client)
    access_config.set_switches(client, {"showName": not before["showName"]})
    assert access_config.switches(client) == {**before, "showName": not before["showName"]}
    assert simulated.access_settings["showName"] is not before["showName"]
    access_config.set_storage_mode(client, "regular")
    assert access_config.storage_mode(client) == "regular"
