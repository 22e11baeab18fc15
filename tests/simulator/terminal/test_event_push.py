import json
from datetime import UTC, datetime
from typing import Any

import pytest

from hikflask.simulator import SkippingClock, Terminal, faces
from hikflask.simulator.profiles import PROFILES
from hikflask.simulator.terminal.clocks import WallClock
from hikflask.simulator.terminal.event_push import Host, PushRequest
from tests.simulator.conftest import Client

OURS = Host(url="/events/push/secret", address="127.0.0.1", port=8000)


class Listener:
    """Takes what is sent and answers with a status; None stands for nobody there."""

    def __init__(self, status: int | None = 200) -> None:
        self.status = status
        self.requests: list[PushRequest] = []

    def __call__(self, request: PushRequest) -> int | None:
        self.requests.append(request)
        return self.status

    @property
    def serials(self) -> list[int]:
        return [request.serial_no for request in self.requests]


@pytest.fixture
def terminal(clock: SkippingClock) -> Terminal:
    terminal = Terminal("Secret12", clock=clock, serial="0000007")
    noon = datetime(2026, 11, 30, 12, tzinfo=UTC)
    terminal.wall_clock = WallClock(zone="CST-3:00:00", real_time=lambda: noon)
    return terminal


def listen(terminal: Terminal, host: Host = OURS, slot: int = 1) -> None:
    terminal.push.set_host(slot, host, terminal.events.records)


def event_of(body: bytes) -> Any:
    """The outer object in a body, between the first brace and the last."""
    return json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])


def test_event_is_sent_under_the_names_of_a_push(terminal: Terminal) -> None:
    listen(terminal)
    terminal.events.add(5, 22)

    (body,) = terminal.push.bodies()

    event = event_of(body)
    inner = event.pop("AccessControllerEvent")
    assert event == {
        "ipAddress": "192.168.1.67",
        "portNo": 80,
        "protocol": "HTTP",
        "macAddress": "04:03:12:00:00:07",
        "channelID": 1,
        "dateTime": "2026-11-30T15:00:00+03:00",
        "shortSerialNumber": "FH0000007",
        "activePostCount": 1,
        "eventType": "AccessControllerEvent",
        "eventState": "active",
        "eventDescription": "Access Controller Event",
    }
    assert inner == {
        "deviceName": "Access Controller",
        "majorEventType": 5,
        "subEventType": 22,
        "doorNo": 1,
        "currentVerifyMode": "invalid",
        "mask": "unknown",
        "serialNo": 1,
        "frontSerialNo": 0,
        "currentEvent": True,
        "picturesNumber": 0,
    }


def test_proper_framing_has_the_event_and_its_picture(terminal: Terminal) -> None:
    listen(terminal)
    terminal.events.add(5, 75, "1", "Иван", picture=faces.draw("anna"))
    listener = Listener()

    terminal.push.deliver(listener)

    (request,) = listener.requests
    assert request.headers == {"Content-Type": "multipart/form-data; boundary=MIME_boundary"}
    head, event, picture, end = request.body.split(b"--MIME_boundary")
    assert (head, end) == (b"", b"--\r\n")
    assert b'name="AccessControllerEvent"\r\nContent-Type: application/json; charset="UTF-8"\r\n\r\n{' in event
    assert picture.endswith(b"\r\nContent-ID: pictureImage\r\n\r\n" + faces.passage(faces.draw("anna")) + b"\r\n")


def test_framing_without_a_blank_line(terminal: Terminal) -> None:
    terminal.push.set_traps(framing="no blank line")
    listen(terminal)
    terminal.events.add(5, 75)

    (body,) = terminal.push.bodies()

    assert body.startswith(b'--MIME_boundary\r\nContent-Disposition: form-data; name="event_log"\r\n{')
    assert event_of(body)["AccessControllerEvent"]["serialNo"] == 1


def test_framing_with_another_delimiter_than_announced_and_the_event_a_level_deeper(terminal: Terminal) -> None:
    terminal.push.set_traps(framing="other delimiter")
    listen(terminal)
    terminal.events.add(5, 75)
    listener = Listener()

    terminal.push.deliver(listener)

    (request,) = listener.requests
    assert request.headers["Content-Type"].endswith("boundary=mime_boundary")
    assert request.body.startswith(b"--MIME_boundary\r\n")
    assert request.body.endswith(b"}\x00\x00\r\n--MIME_boundary--\r\n--mime_boundary--\r\n")
    assert event_of(request.body)["AccessControllerEvent"]["AccessControllerEvent"]["serialNo"] == 1


def test_event_can_be_plain_json_without_a_picture(terminal: Terminal) -> None:
    terminal.push.set_traps(framing="json")
    listen(terminal)
    terminal.events.add(5, 75, picture=faces.draw("anna"))
    listener = Listener()

    terminal.push.deliver(listener)

    assert listener.requests[0].headers == {"Content-Type": "application/json"}
    assert json.loads(listener.requests[0].body)["AccessControllerEvent"]["serialNo"] == 1


def test_picture_is_not_sent_when_the_settings_or_the_host_forbid_it(terminal: Terminal) -> None:
    listen(terminal, Host(address="127.0.0.1", with_pictures=False), slot=2)
    listen(terminal)
    terminal.access_settings["uploadCapPic"] = False
    terminal.events.add(5, 75, picture=faces.draw("anna"))

    assert [b"Picture.jpg" in body for body in terminal.push.bodies()] == [False, False]
    terminal.access_settings["uploadCapPic"] = True
    assert [b"Picture.jpg" in body for body in terminal.push.bodies()] == [True, False]


def test_what_is_not_answered_with_200_comes_again_and_those_behind_it_wait(terminal: Terminal) -> None:
    listen(terminal)
    for minor in (75, 21, 22):
        terminal.events.add(5, minor)
    listener = Listener(204)

    assert [terminal.push.deliver(listener) for _ in range(2)] == [0, 0]
    listener.status = 200
    assert terminal.push.deliver(listener) == 3

    assert listener.serials == [1, 1, 1, 2, 3]
    assert terminal.push.bodies() == []


def test_answer_is_not_looked_at_where_the_host_was_set_so(terminal: Terminal) -> None:
    listen(terminal, Host(address="127.0.0.1", checks_answer=False))
    terminal.events.add(5, 75)
    listener = Listener(500)

    terminal.push.deliver(listener)

    assert terminal.push.deliver(listener) == 0
    assert listener.serials == [1]


@pytest.mark.parametrize(("keeps", "later"), [(False, [3]), (True, [1, 2, 3])])
def test_what_nobody_took_is_in_the_log_alone_unless_the_host_keeps_it(
    terminal: Terminal, keeps: bool, later: list[int]
) -> None:
    listen(terminal, Host(address="127.0.0.1", keeps=keeps))
    terminal.events.add(5, 75)
    terminal.events.add(5, 76)
    terminal.push.deliver(Listener(None))
    terminal.events.add(5, 9)
    listener = Listener()

    terminal.push.deliver(listener)

    assert listener.serials == later


def test_backlog_comes_before_what_happens_now_and_without_its_mark(terminal: Terminal) -> None:
    terminal.push.set_traps(backlog_first=True)
    terminal.events.add(5, 75)
    listen(terminal)
    terminal.events.add(5, 76)

    events = [event_of(body)["AccessControllerEvent"] for body in terminal.push.bodies()]

    assert [(event["serialNo"], event.get("currentEvent")) for event in events] == [(1, None), (2, True)]


def test_host_is_set_and_nothing_comes(terminal: Terminal) -> None:
    terminal.push.set_traps(never_comes=True)
    listen(terminal)
    terminal.events.add(5, 75)

    assert (terminal.push.bodies(), terminal.push.heartbeats()) == ([], [])


def test_nothing_comes_after_a_restart_until_the_hosts_are_read(terminal: Terminal, client_for: type[Client]) -> None:
    terminal.push.set_traps(lost_after_restart=True)
    listen(terminal)
    terminal.restart()
    terminal.events.add(5, 75)
    listener = Listener()

    assert (terminal.push.deliver(listener), terminal.push.heartbeats()) == (0, [])
    client_for(terminal).ask("GET", "/ISAPI/Event/notification/httpHosts")
    assert terminal.push.deliver(listener) == 2


def test_list_of_events_is_all_that_comes(terminal: Terminal) -> None:
    listen(
        terminal, Host(address="127.0.0.1", event_mode="list", minors=(("minorEvent", "0x4b,76"), ("minorAlarm", "")))
    )
    for code in ((5, 75), (5, 76), (5, 21), (1, 1030)):
        terminal.events.add(*code)
    listener = Listener()

    terminal.push.deliver(listener)

    assert listener.serials == [1, 2]


def test_who_subscribes_to_all_gets_heartbeats_alone_on_some(terminal: Terminal) -> None:
    terminal.push.set_traps(all_sends_no_events=True)
    listen(terminal)
    terminal.events.add(5, 75)

    assert terminal.push.bodies() == []
    (heartbeat,) = terminal.push.heartbeats()
    assert (json.loads(heartbeat.body)["eventType"], heartbeat.serial_no) == ("heartBeat", 0)


def test_host_with_basic_gets_its_login(terminal: Terminal) -> None:
    listen(terminal, Host(address="127.0.0.1", authentication="basic", user="terminal", password="8to16characters"))
    terminal.events.add(5, 75)
    listener = Listener()

    terminal.push.deliver(listener)

    assert listener.requests[0].headers["Authorization"] == "Basic dGVybWluYWw6OHRvMTZjaGFyYWN0ZXJz"


def test_every_model_sends_or_is_known_not_to(clock: SkippingClock) -> None:
    for model, profile in PROFILES.items():
        terminal = Terminal("Secret12", clock=clock, profile=profile)
        slot = 2 if profile.push.needs_ehome else 1
        listen(terminal, Host(address="127.0.0.1", event_mode="list", minors=(("minorEvent", "75"),)), slot)
        terminal.events.add(5, 75)

        assert len(terminal.push.bodies()) == (0 if profile.push.never_comes else 1), model
