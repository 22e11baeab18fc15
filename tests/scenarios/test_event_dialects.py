"""The log, the pushes and the settings of each simulated model, read by the client: nothing is lost or misread."""

from datetime import timedelta

import pytest

from hikflask.isapi import access_config, event_hosts, events
from hikflask.isapi.client import Client
from hikflask.isapi.errors import Refused
from hikflask.isapi.event_push import read_push
from hikflask.isapi.events import EventRecord
from hikflask.simulator import SkippingClock, Terminal, faces
from hikflask.simulator.profiles import PROFILES
from hikflask.simulator.terminal.event_log import Record
from tests.support.wire import InProcess

PASSWORD = "secret-pass"
MINORS = (75, 76, 1, 9, 38, 39)


@pytest.fixture(params=PROFILES)
def simulated(request: pytest.FixtureRequest) -> Terminal:
    """A terminal of each model, with two dozen records, and two in one second."""
    terminal = Terminal(PASSWORD, clock=SkippingClock(), profile=PROFILES[request.param])
    terminal.store.add("001", {"name": "Иванов Иван"})
    terminal.store.bind("001", faces.draw("boris"))
    now = terminal.local_time()
    for n in range(12):
        minor = MINORS[n % len(MINORS)]
        terminal.pass_by("001" if minor in {1, 38, 75} else None, minor, at=now - timedelta(minutes=60 - 3 * n))
    terminal.press_exit_button(at=now - timedelta(minutes=60))
    return terminal


@pytest.fixture
def client(simulated: Terminal) -> Client:
    wire = InProcess()
    wire.put("terminal.test", simulated)
    return Client("http://terminal.test", "admin", PASSWORD, transport=wire)


def read_all(client: Client, major: int, minor: int, limits: events.Limits, **words: object) -> list[EventRecord]:
    """All records of a search, page by page."""
    search_id, records, position = events.new_search(), [], 0
    for _ in range(100):
        page = events.search(
            client,
            search_id=search_id,
            position=position,
            limit=limits.page,
            major=major,
            minor=minor,
            **words,  # type: ignore[arg-type]
        )
        records += page.records
        position += page.received
        if not page.more:
            return records
    raise AssertionError("the list has no end")


def log_of(client: Client, limits: events.Limits, **words: object) -> list[EventRecord]:
    """The whole log: all codes at once, or each of its own where the terminal refuses that."""
    try:
        return read_all(client, 0, 0, limits, **words)
    except Refused:
        codes = [(major, minor) for major, minors in limits.minors.items() for minor in minors]
        return [record for code in codes for record in read_all(client, *code, limits, **words)]


def facts(record: EventRecord | Record) -> tuple[object, ...]:
    return record.serial_no, record.time, record.major, record.minor, record.number


def test_the_whole_log_is_read_and_each_window_of_time(simulated: Terminal, client: Client) -> None:
    limits = events.limits(client)
    hours = timedelta(hours=2)
    times = (simulated.local_time() - hours, simulated.local_time() + hours)
    for words in ({}, {"times": times}):
        # A simulated terminal may record codes that its capabilities do not list.
        listed = {(major, minor) for major, minors in limits.minors.items() for minor in minors}
        expected = [facts(record) for record in simulated.events.records]
        records = log_of(client, limits, **words)
        if simulated.events.traps.refuses_major_0:
            expected = [one for one in expected if one[2:4] in listed]
        assert sorted(map(facts, records)) == sorted(expected)
        moments = {record.serial_no: record.at for record in simulated.events.records}
        names = {record.name for record in records if record.minor == 75}
        assert names == {"" if simulated.events.traps.hides_names else "Иванов Иван"}
        assert all(record.at == moments[record.serial_no or 0] for record in records)


def test_a_picture_of_the_moment_is_fetched(simulated: Terminal, client: Client) -> None:
    if not simulated.access_settings["saveCapPic"]:
        access_config.set_switches(client, {"saveCapPic": True})
        simulated.pass_by("001")
    with_picture = [record for record in log_of(client, events.limits(client)) if record.picture_path]
    assert with_picture
    assert events.picture(client, with_picture[-1].picture_path).startswith(b"\xff\xd8\xff")


def test_a_slot_is_written_read_and_cleared_and_what_it_pushes_is_understood(
    simulated: Terminal, client: Client
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
    assert not [record for record in pushed if (record.major, record.minor) == (3, 112)]
    assert all(read_push(beat.body).is_heartbeat for beat in simulated.push.heartbeats())

    for number in range(1, traps.slots + 1):
        event_hosts.clear_host(client, number)
    assert all(host.is_empty for host in event_hosts.hosts(client))


def test_switches_and_the_mode_of_storing_are_set(simulated: Terminal, client: Client) -> None:
    before = access_config.switches(client)
    access_config.set_switches(client, {"showName": not before["showName"]})
    assert access_config.switches(client) == {**before, "showName": not before["showName"]}
    assert simulated.access_settings["showName"] is not before["showName"]
    access_config.set_storage_mode(client, "regular")
    assert access_config.storage_mode(client) == "regular"
