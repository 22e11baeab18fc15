"""Terminals tell by themselves: who is believed, what is answered, and what comes of it."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from hikflask.extensions import db
from hikflask.isapi.event_push import MAX_BYTES
from hikflask.models import Event, EventLog, Terminal, WebhookDelivery
from hikflask.models.alarm import DURESS
from hikflask.models.columns import database_now
from hikflask.models.terminal import WAY_IN
from hikflask.services.core.db import transaction
from hikflask.services.employees.save import save_employee
from hikflask.services.passages import intake, journal, pictures, presence, push_slot, terminal_privacy
from hikflask.services.webhooks import registry
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.event_traps import Framing
from hikflask.web.passages import push
from tests.support.captures import FACE, IVAN

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """Nobody who is signed in."""
    return app.test_client()


@pytest.fixture
def path(app: Flask, simulator: Simulated, terminal: Terminal) -> str:
    """Where the terminal tells, as it is in its slot."""
    app.config |= {"PASSAGES": "push", "PUSH_ADDRESS": "http://192.168.1.5:80", "WTF_CSRF_ENABLED": True}
    with app.app_context():
        terminal_privacy.read(terminal.id, "test")
        with transaction():
            known = {"next_at": database_now(3600.0), "device_serial": terminal.serial}
            db.session.execute(db.update(EventLog).values(**known))
    return simulator.push.hosts[0].url


def is_rung(app: Flask) -> bool:
    """Whether the log is to be read now."""
    with app.app_context():
        return db.session.execute(select(EventLog.next_at <= database_now())).scalar_one()


def stored(app: Flask) -> list[tuple[int, str]]:
    with app.app_context():
        return [(event.serial_no, event.number) for event in db.session.execute(db.select(Event)).scalars()]


def what(answer: TestResponse) -> tuple[int, bytes, str | None]:
    return answer.status_code, answer.data, answer.headers.get("Content-Length")


DONE, UNKNOWN = (200, b"", "0"), (404, b"", "0")


@pytest.mark.parametrize("framing", ["multipart", "no blank line", "other delimiter", "json"])
def test_each_framing_rings_the_bell_and_nothing_of_it_is_stored(
    app: Flask, simulator: Simulated, browser: FlaskClient, path: str, framing: Framing
) -> None:
    simulator.push.set_traps(framing=framing)
    simulator.pass_by(None, minor=76)
    answers = []

    def send(request: object) -> int:
        answers.append(browser.post(path, data=request.body, headers=request.headers))  # type: ignore[attr-defined]
        return answers[-1].status_code

    assert simulator.push.deliver(send) == 1
    assert what(answers[0]) == DONE
    assert "Set-Cookie" not in answers[0].headers
    assert (stored(app), is_rung(app)) == ([], True)


def test_whatever_else_is_asked_below_the_address_is_answered_as_an_unknown_secret(
    browser: FlaskClient, path: str
) -> None:
    others = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"]
    asked = [(path, method) for method in others] + [
        (f"{way}{more}", method)
        for way in (path, "/events/push/")
        for more in ("/", "/x", "/x/y")
        for method in ("GET", "POST")
    ]
    for address, method in [*asked, ("/events/push/unknown", "POST"), ("/events/push/", "GET")]:
        answer = browser.open(address, method=method)

        assert what(answer) == UNKNOWN, (method, address)
        assert not {"Set-Cookie", "Allow", "Location"} & {*answer.headers.keys()}, (method, address)


def test_passage_that_was_pushed_is_here_once_with_its_picture_after_its_log_was_read(
    app: Flask, simulator: Simulated, browser: FlaskClient, path: str
) -> None:
    app.config["PASSAGES_PICTURES"] = 7
    with app.app_context():
        intake.read_log(1, "test")
    simulator.events.add(5, 76, picture=FACE)
    (body,) = simulator.push.bodies()
    assert what(browser.post(path, data=body, headers=JSON)) == DONE

    with app.app_context():
        intake.read_log(1, "test")
        event = db.session.execute(db.select(Event).filter_by(major=5, minor=76)).scalar_one()
        assert (event.record["minor"], pictures.read(event.id) is not None) == (76, True)
    numbers = [number for number, _ in stored(app)]
    assert sorted(numbers) == [record.serial_no for record in simulator.events.records]


# Without a serial number, and without the offset of its time: the log has both.
DOOR = (
    b'{"dateTime": "2026-08-02T10:15:29-04:00", "eventType": "AccessControllerEvent", '
    b'"AccessControllerEvent": {"majorEventType": 5, "subEventType": 22, "doorNo": 1}}'
)
LOCAL = DOOR.replace(b"-04:00", b"").replace(b'"doorNo": 1', b'"serialNo": 7')
# As the log has it, which is the truth.
ROW = b'{"major": 5, "minor": 75, "time": "2037-01-01T00:00:00+03:00", "serialNo": 7, "employeeNoString": "100222"}'


def forged(serial_no: int, major: int = 5, minor: int = 75, number: str = "100222") -> bytes:
    """What somebody tells who has read the secret on the wire, at this moment."""
    inner = {"majorEventType": major, "subEventType": minor, "serialNo": serial_no, "employeeNoString": number}
    at = datetime.now(UTC).isoformat(timespec="seconds")
    told = {"dateTime": at, "eventType": "AccessControllerEvent", "AccessControllerEvent": inner}
    return json.dumps(told).encode()


def test_whoever_knows_the_secret_makes_nobody_present_raises_no_alarm_and_keeps_no_record_out(
    app: Flask, simulator: Simulated, browser: FlaskClient, path: str
) -> None:
    simulator.events.add(5, 76)
    with app.app_context():
        save_employee(IVAN)
        registry.add("http://127.0.0.1:9/", frozenset({"passage", "alarm"}))
        with transaction():
            db.session.execute(db.update(Terminal).values(direction=WAY_IN))
        intake.read_log(1, "test")
        known = [alarm.code for alarm in journal.unseen()]
    # The next numbers of the log, guessed, with whoever and whatever else.
    last = max(record.serial_no for record in simulator.events.records)
    for body in (forged(last + 1), forged(last + 2, *DURESS), forged(last + 3, 1, 1030)):
        assert what(browser.post(path, data=body, headers=JSON)) == DONE

    with app.app_context():
        assert presence.presence().people == []
        assert [alarm.code for alarm in journal.unseen()] == known
        assert db.session.execute(db.select(WebhookDelivery)).first() is None
        db.session.remove()

    simulator.events.add(5, 75, "300111", "Ольга")
    simulator.events.add(5, 76)
    with app.app_context():
        intake.read_log(1, "test")
    there = [(record.serial_no, record.number) for record in simulator.events.records]
    assert sorted(stored(app)) == sorted(there)


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        (lambda serial: serial, DONE),
        (lambda serial: serial.lower(), DONE),
        (lambda serial: serial[-9:], DONE),
        (lambda _: "D", UNKNOWN),
        (lambda serial: serial[:-1], UNKNOWN),
        (lambda serial: serial[-8:], UNKNOWN),
        (lambda serial: serial[5:14], UNKNOWN),
    ],
)
def test_serial_number_that_is_told_is_compared_as_a_whole(
    app: Flask,
    browser: FlaskClient,
    path: str,
    told: Callable[[str], str],
    answer: tuple[int, bytes, str | None],
) -> None:
    with app.app_context():
        serial = db.session.execute(db.select(Terminal.serial)).scalar_one()
    body = json.dumps({"shortSerialNumber": told(serial), "eventType": "other"}).encode()

    assert what(browser.post(path, data=body, headers=JSON)) == answer
    assert is_rung(app) is (answer == DONE)


def test_sign_of_life_is_noted_and_rings_no_bell(
    app: Flask, simulator: Simulated, browser: FlaskClient, path: str
) -> None:
    (beat, *_) = simulator.push.heartbeats()

    assert what(browser.post(path, data=beat.body, headers=beat.headers)) == DONE

    assert (stored(app), is_rung(app)) == ([], False)
    with app.app_context():
        assert db.session.execute(db.select(EventLog.pushed_at)).scalar_one() is not None


@pytest.mark.parametrize(
    "body", [b"", DOOR, LOCAL, ROW, b"\x00\xff{", b'{"eventType": "other"}', b"{" * (MAX_BYTES + 1)]
)
def test_whatever_is_told_rings_the_bell_and_is_not_sent_again(
    app: Flask, browser: FlaskClient, path: str, body: bytes
) -> None:
    assert what(browser.post(path, data=body, headers=JSON)) == DONE

    assert (stored(app), is_rung(app)) == ([], True)


@pytest.mark.parametrize("in_chunks", [False, True])
def test_no_more_of_a_body_is_read_than_a_terminal_sends(browser: FlaskClient, path: str, in_chunks: bool) -> None:
    """Read whole it would be refused, as another device says it."""
    other = json.dumps({"shortSerialNumber": "ZZ7654321"}).encode()

    def answered(body: bytes) -> tuple[int, bytes, str | None]:
        length = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True} if in_chunks else {}
        return what(browser.post(path, data=body, headers=JSON, environ_overrides=length))

    assert answered(other.ljust(MAX_BYTES - 1)) == UNKNOWN
    assert answered(other.ljust(MAX_BYTES + 1)) == DONE


def test_every_refusal_is_the_same(app: Flask, simulator: Simulated, browser: FlaskClient, path: str) -> None:
    simulator.pass_by(None, minor=76)
    (body,) = simulator.push.bodies()
    (other, changes) = re.subn(rb'"shortSerialNumber": "\w+"', b'"shortSerialNumber": "ZZ7654321"', body)
    assert changes == 1

    def refused(address: str = path, sent: bytes = body, peer: str = "127.0.0.1") -> tuple[int, bytes, str | None]:
        return what(browser.post(address, data=sent, headers=JSON, environ_overrides={"REMOTE_ADDR": peer}))

    assert refused(f"{push_slot.PATH}{'a' * 43}") == UNKNOWN
    assert refused(f"{push_slot.PATH}{'a' * 4000}") == UNKNOWN
    assert refused(sent=other) == UNKNOWN
    app.config["TERMINAL_NETWORKS"] = ()
    assert refused(peer="169.254.1.1") == UNKNOWN
    for mode in ("off", "poll"):
        app.config["PASSAGES"] = mode
        assert refused() == UNKNOWN
    app.config["PASSAGES"] = "push"
    with app.app_context(), transaction():
        db.session.execute(db.update(Terminal).values(is_active=False))
    assert refused() == UNKNOWN
    assert (stored(app), is_rung(app)) == ([], False)


def test_calls_are_limited_for_each_terminal_and_for_strangers_by_their_place(
    app: Flask, browser: FlaskClient, simulator: Simulated, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the secret keeps no terminal from being heard by heartbeats, or by what another device says."""
    monkeypatch.setattr(push, "MAX_CALLS", 2)
    monkeypatch.setattr(push, "MAX_REFUSED", 1)

    unknown = [browser.post(f"{push_slot.PATH}unknown{n}").status_code for n in range(2)]
    (beat, *_) = simulator.push.heartbeats()
    bodies = (beat.body, b'{"serialNumber": "DS-K1T0000000000000000000"}')
    known = [browser.post(path, data=body).status_code for body in bodies]

    assert (unknown, known, is_rung(app)) == ([404, 429], [200, 404], False)
    assert (browser.post(path, data=b"{}").status_code, is_rung(app)) == (200, True)
