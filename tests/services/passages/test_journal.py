"""What a terminal recorded in its journal is an alarm until somebody has seen it, and is mailed and told once."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from hikflask.background import alarm_mail
from hikflask.extensions import db
from hikflask.isapi.events import EventRecord, event_record
from hikflask.models import Alarm, Terminal, WebhookDelivery
from hikflask.services.alarms import mail_server, watch
from hikflask.services.passages import intake, journal
from hikflask.services.passages.store import store
from hikflask.services.terminals import door
from hikflask.services.webhooks import deliveries, registry
from hikflask.simulator import Terminal as Simulated
from tests.support.between import Between
from tests.support.mail_server import MailServer
from tests.support.mail_server import mail_server as running_mail_server
from tests.support.trail import entries, fields

pytestmark = pytest.mark.usefixtures("context", "worker_alive")
NOW = datetime.now(UTC).replace(microsecond=0)
TAMPERED, PASSED, SWITCHED_ON = (1, 1030), (5, 75), (2, 1024)


@pytest.fixture
def settings() -> dict[str, Any]:
    """Passages are recorded, and mails are on."""
    sent = {"MAIL_SERVER": "127.0.0.1", "MAIL_TLS": "none", "MAIL_FROM": "a@example.com", "MAIL_TO": "b@example.com"}
    return {"PASSAGES": "poll", "BACKUP_MAX_AGE": 0, **sent}


@pytest.fixture
def server(app: Flask) -> Iterator[MailServer]:
    """A mail server that the app knows."""
    with running_mail_server() as running:
        app.config["MAIL_PORT"] = running.port
        yield running


def record(serial_no: int, code: tuple[int, int] = TAMPERED, minutes: int = 0, **fields: Any) -> EventRecord:
    at = (NOW + timedelta(minutes=minutes)).isoformat()
    read = event_record({"major": code[0], "minor": code[1], "time": at, "serialNo": serial_no, **fields})
    assert read is not None
    return read


def recorded(terminal: Terminal, *records: EventRecord, is_new: bool = True) -> list[int]:
    return store(terminal.id, "DS-1", records, 0, is_new=is_new)


def unseen() -> list[tuple[str, int, datetime, datetime]]:
    return [(alarm.code, alarm.count, alarm.first_at, alarm.last_at) for alarm in journal.unseen()]


def told() -> int:
    return len(db.session.scalars(db.select(WebhookDelivery)).all())


def mailed(server: MailServer) -> list[str]:
    """Watch, send what is due, and return the subjects of all mails until now."""
    if watch.refresh():
        alarm_mail.send_due()
    db.session.commit()
    return [str(mail["Subject"]) for mail in server.mails]


@pytest.mark.both_databases
def test_door_that_was_opened_from_here_is_no_alarm_and_any_other_opening_is(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    app.config["DOOR"] = "admin"
    registry.add("https://alarms.example/", frozenset({"alarm"}))
    simulator.press_exit_button()
    intake.claim_due()
    intake.read_log(terminal.id, "test")

    assert door.open_door(terminal.id, "Курьер", "Анна", lambda _: True).opened
    intake.read_log(terminal.id, "test")
    assert (unseen(), told()) == ([], 0)

    simulator.control_door("open")
    simulator.control_door("alwaysOpen")
    intake.read_log(terminal.id, "test")
    assert [alarm[:2] for alarm in unseen()] == [("3/1024", 1), ("3/1026", 1)]
    assert told() == 2


def test_opening_by_somebody_else_in_the_same_moment_is_an_alarm_all_the_same(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    app.config["DOOR"] = "admin"
    simulator.press_exit_button()
    intake.claim_due()
    intake.read_log(terminal.id, "test")
    simulator.after("RemoteControl/door/1", lambda: simulator.control_door("open"))

    assert door.open_door(terminal.id, "Курьер", "Анна", lambda _: True).opened

    intake.read_log(terminal.id, "test")
    assert [alarm[:2] for alarm in unseen()] == [("3/1024", 1)]


@pytest.mark.both_databases
def test_what_was_recorded_again_is_one_alarm_with_its_first_and_last_time(terminal: Terminal) -> None:
    recorded(terminal, record(1), record(2, minutes=1), record(3, PASSED), record(4, SWITCHED_ON, 2))
    recorded(terminal, record(5, minutes=3), record(1))

    assert unseen() == [
        ("1/1030", 3, NOW, NOW + timedelta(minutes=3)),
        ("2/1024", 1, NOW + timedelta(minutes=2), NOW + timedelta(minutes=2)),
    ]


def test_old_records_that_are_read_late_and_usual_events_are_none(app: Flask, terminal: Terminal) -> None:
    recorded(terminal, record(1), is_new=False)
    recorded(terminal, record(2, PASSED), record(3, (5, 76)), record(4, (3, 112)))
    assert unseen() == []

    recorded(terminal, record(5))
    assert len(unseen()) == 1
    app.config["PASSAGES"] = "off"
    assert unseen() == []


def test_passage_under_duress_comes_first_and_stands_under_the_code_of_duress(terminal: Terminal) -> None:
    recorded(terminal, record(1), record(2, PASSED, 1, cardType=5), record(3, (1, 1034), 2))

    assert [alarm[:2] for alarm in unseen()] == [("1/1034", 2), ("1/1030", 1)]


@pytest.mark.both_databases
def test_alarm_ends_when_somebody_has_seen_all_of_it(terminal: Terminal) -> None:
    recorded(terminal, record(1))
    recorded(terminal, record(2, minutes=1))

    assert not journal.mark_seen(terminal.id, TAMPERED, 1)
    assert journal.mark_seen(terminal.id, TAMPERED, 2)
    assert not journal.mark_seen(terminal.id, TAMPERED, 2)

    assert unseen() == []
    (entry,) = entries("alarm.seen")
    after = fields(entry.after)
    assert (entry.terminal, after["code"], after["count"]) == ("Вход", "1/1030", 2)
    recorded(terminal, record(3, minutes=2))
    assert [alarm[:2] for alarm in unseen()] == [("1/1030", 1)]


@pytest.mark.both_databases
def test_alarm_that_is_recorded_while_somebody_says_seen_stays_unseen(terminal: Terminal, between: Between) -> None:
    recorded(terminal, record(1))
    tampering = between(journal, "changed_rows", lambda: recorded(terminal, record(2, minutes=1)), before=True)

    assert journal.mark_seen(terminal.id, TAMPERED, 1)
    tampering.finish()

    assert tampering.error is None
    assert [alarm[:2] for alarm in unseen()] == [("1/1030", 1)]


def test_alarm_is_mailed_once_until_it_was_seen_and_duress_each_time(terminal: Terminal, server: MailServer) -> None:
    tampered = (
        "hikflask: «Вход»: Терминал или считыватель вскрыт либо снят со стены / "
        "“Вход”: Terminal or reader was opened or torn off"
    )
    duress = (
        "hikflask: «Вход»: проход под принуждением, возможно, дверь заставляют открыть / "
        "“Вход”: entry under duress, somebody may be forced to open the door"
    )
    recorded(terminal, record(1))
    assert len(mailed(server)) == 1
    recorded(terminal, record(2, minutes=1))
    assert len(mailed(server)) == 1

    journal.mark_seen(terminal.id, TAMPERED, 2)
    assert (len(mailed(server)), db.session.query(Alarm).count()) == (1, 0)
    recorded(terminal, record(3, minutes=2))
    assert len(mailed(server)) == 2

    recorded(terminal, record(4, PASSED, 3, cardType=5))
    assert len(mailed(server)) == 3
    recorded(terminal, record(5, PASSED, 4, cardType=5))
    assert mailed(server) == [tampered, tampered, duress, duress]
    assert "“Вход”: Terminal or reader was opened or torn off\nSince: " in server.mails[0].get_content()


@pytest.mark.both_databases
def test_webhook_that_asks_for_alarms_is_told_of_each_with_its_code(terminal: Terminal) -> None:
    registry.add("https://alarms.example/", frozenset({"alarm"}))
    registry.add("https://others.example/", frozenset({"enrolled", "passage"}))
    (event_id, passage_id) = recorded(terminal, record(1), record(2, (5, 76), 1))

    rows = db.session.execute(db.select(WebhookDelivery).order_by(WebhookDelivery.id)).scalars().all()
    alarms = [row for row in rows if row.event == "alarm"]
    assert [(row.event, row.event_id) for row in rows if row not in alarms] == [("passage", passage_id)]
    (alarm,) = alarms
    message = json.loads(deliveries.body_of(alarm))
    assert message.pop("delivery") == alarm.message_id
    assert message == {
        "event": "alarm",
        "hikvision_id": None,
        "device": {"id": terminal.id, "name": "Вход"},
        "error": None,
        "at": NOW.strftime("%Y-%m-%dT%H:%M:%S"),
        "event_id": event_id,
        "code": "1/1030",
    }


@pytest.mark.both_databases
def test_alarm_is_mailed_that_is_recorded_while_the_mail_about_one_that_was_seen_is_on_its_way(
    terminal: Terminal, server: MailServer, between: Between
) -> None:
    recorded(terminal, record(1))

    def see_and_record() -> None:
        assert journal.mark_seen(terminal.id, TAMPERED, 1)
        recorded(terminal, record(2))  # In the same second of the terminal's clock.
        watch.refresh()

    other = between(mail_server, "send", see_and_record)
    first = mailed(server)
    other.finish()

    assert (other.error, len(first)) == (None, 2)
    assert len(mailed(server)) == 2
