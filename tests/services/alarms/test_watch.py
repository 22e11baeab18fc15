"""Alarms begin once and end once, and every mail about them is due until it is sent."""

import socket
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from hikflask.config import WEEKDAYS
from hikflask.extensions import db
from hikflask.models import Alarm, Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.services.alarms import watch
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from tests.support.disk_usage import GIGABYTE, let_be_free

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


@pytest.fixture
def settings() -> dict[str, Any]:
    """Mails are on, and nobody watches backups."""
    return {"BACKUP_MAX_AGE": 0, "MAIL_SERVER": "mail.test", "MAIL_FROM": "a@example.com", "MAIL_TO": "b@example.com"}


def let(terminal: Terminal, **columns: object) -> None:
    """Write to the terminal's row."""
    db.session.execute(db.update(Terminal).where(Terminal.id == terminal.id).values(**columns))
    db.session.commit()


def tell(key: str) -> bool:
    """Send the mail that is due; True when it is about the end."""
    alarm = watch.get(key)
    assert alarm is not None
    over = alarm.told_at is not None
    watch.mark_sent(key, alarm.next_try_at, over=over)
    return over


def due() -> list[str]:
    """Watch, and claim all mails that are due."""
    is_due = watch.refresh()
    claimed = sorted(iter(watch.claim, None))
    assert is_due == bool(claimed)
    return claimed


def rows() -> int:
    found = db.session.query(Alarm).count()
    db.session.commit()
    return found


def test_silent_terminal_is_told_once_and_once_more_when_it_answers(terminal: Terminal) -> None:
    silent = f"silent:{terminal.id}"
    let(terminal, reachable=False, offline_since=database_now(-3590))
    assert due() == []
    let(terminal, offline_since=database_now(-3610))
    assert due() == [silent]
    assert due() == []  # It is on its way.
    assert not tell(silent)
    assert due() == []

    let(terminal, reachable=True, offline_since=None)
    assert due() == [silent]
    assert tell(silent)

    assert (due(), rows(), watch.get(silent)) == ([], 0, None)


def test_refused_password_is_told_at_once_and_a_terminal_that_is_not_used_tells_nothing(terminal: Terminal) -> None:
    let(terminal, refused_since=database_now(), refused_code="wrong_password")

    assert due() == [f"password:{terminal.id}"]
    assert not tell(f"password:{terminal.id}")
    let(terminal, is_active=False)
    assert due() == [f"password:{terminal.id}"]
    assert tell(f"password:{terminal.id}")
    let(terminal, reachable=False, offline_since=database_now(-9999))
    assert due() == []


def test_removal_that_is_open_for_too_long_is_told_for_its_terminal(app: Flask, terminal: Terminal) -> None:
    app.config["MAIL_REMOVAL_HOURS"] = 2
    leaving = {"desired": "absent", "terminal_id": terminal.id}
    for number, age in (("1", 7190), ("2", 7210), ("3", 9000)):
        db.session.add(Enrolment(number=number, desired_since=database_now(-age), **leaving))
    db.session.commit()

    assert due() == [f"removals:{terminal.id}"]
    assert not tell(f"removals:{terminal.id}")
    db.session.execute(db.update(Enrolment).where(Enrolment.number == "3").values(person="confirmed"))
    db.session.commit()
    assert due() == []
    db.session.execute(db.update(Enrolment).where(Enrolment.number == "2").values(person="confirmed"))
    db.session.commit()
    assert due() == [f"removals:{terminal.id}"]
    assert tell(f"removals:{terminal.id}")
    assert rows() == 0


def test_later_removals_are_told_in_one_more_mail_and_not_in_one_for_each_person(
    app: Flask, terminal: Terminal
) -> None:
    app.config["MAIL_REMOVAL_HOURS"] = 2
    key = f"removals:{terminal.id}"

    def leave(number: str, hours: float) -> None:
        row = {"number": number, "terminal_id": terminal.id, "desired": "absent"}
        db.session.add(Enrolment(desired_since=database_now(-hours * 3600), **row))
        db.session.commit()

    def told(hours_ago: float) -> None:
        db.session.execute(db.update(Alarm).values(told_at=database_now(-hours_ago * 3600)))
        db.session.commit()

    leave("1", 9)
    assert due() == [key]
    tell(key)
    told(hours_ago=6)
    assert due() == []  # Nobody else since then.
    leave("2", 5)
    leave("3", 4)
    told(hours_ago=1.9)
    assert due() == []  # The last mail is too young.
    told(hours_ago=2.1)
    assert due() == [key]  # The last of them became overdue two hours ago, a moment after that mail.
    assert not tell(key)
    assert due() == []
    told(hours_ago=2.1)
    leave("4", 3)
    assert due() == [key]


def test_mail_that_was_not_sent_is_due_again_later_each_time(app: Flask, terminal: Terminal) -> None:
    app.config["RETRY_BASE"] = 30.0
    key = f"password:{terminal.id}"
    let(terminal, refused_since=database_now())
    waits = []
    for _ in range(3):
        db.session.execute(db.update(Alarm).values(next_try_at=database_now()))
        db.session.commit()
        assert due() == [key]
        watch.mark_unsent(key)
        left = db.session.execute(db.select(Alarm.next_try_at, database_now())).one()
        waits.append(round((left[0] - left[1]).total_seconds(), -1))

    assert waits == [30, 60, 120]
    # What nobody followed up, as the worker was killed, is due again by itself.
    db.session.execute(db.update(Alarm).values(next_try_at=database_now()))
    db.session.commit()
    due()
    left = db.session.execute(db.select(Alarm.next_try_at, database_now())).one()
    assert 100 < (left[0] - left[1]).total_seconds() <= 120


def test_mail_that_was_not_sent_lets_all_others_wait_and_goes_after_them(terminal: Terminal) -> None:
    let(terminal, refused_since=database_now(), reachable=False, offline_since=database_now(-9999))
    watch.refresh()
    first = watch.claim()
    assert first == f"password:{terminal.id}"
    watch.mark_unsent(first)

    assert due() == []
    db.session.execute(db.update(Alarm).values(next_try_at=database_now()))
    db.session.commit()
    assert [watch.claim(), watch.claim(), watch.claim()] == [f"silent:{terminal.id}", first, None]


def test_both_mails_are_sent_when_the_alarm_was_over_before_the_first_one(terminal: Terminal) -> None:
    key = f"password:{terminal.id}"
    let(terminal, refused_since=database_now())
    assert due() == [key]
    let(terminal, refused_since=None)
    assert due() == []  # The first one is on its way.
    assert not tell(key)
    assert due() == [key]
    assert tell(key)
    assert rows() == 0


def test_alarm_that_comes_back_before_its_end_was_told_goes_on(terminal: Terminal) -> None:
    key = f"password:{terminal.id}"
    let(terminal, refused_since=database_now())
    due()
    tell(key)
    let(terminal, refused_since=None)
    due()
    let(terminal, refused_since=database_now())
    assert due() == []
    assert watch.get(key) is None

    # The mail about its end was on its way already: so it is told anew.
    watch.mark_sent(key, datetime.now(UTC), over=True)
    assert due() == [key]
    assert not tell(key)


def test_two_workers_note_an_alarm_once_and_one_of_them_mails_it(app: Flask, terminal: Terminal) -> None:
    let(terminal, refused_since=database_now())
    both = threading.Barrier(2)
    claimed: list[str] = []

    def sweep() -> None:
        with app.app_context():
            both.wait()
            watch.refresh()
            claimed.extend(iter(watch.claim, None))

    for _ in range(4):
        workers = [threading.Thread(target=sweep) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert claimed == [f"password:{terminal.id}"]
        assert rows() == 1
        claimed.clear()
        db.session.execute(db.delete(Alarm))
        db.session.commit()


def test_nothing_is_noted_while_mails_are_off(app: Flask, terminal: Terminal) -> None:
    let(terminal, refused_since=database_now())
    for name, nothing in (("MAIL_SERVER", ""), ("MAIL_TO", [])):
        usual, app.config[name] = app.config[name], nothing
        assert (due(), rows()) == ([], 0)
        app.config[name] = usual

    assert len(due()) == 1


def test_silence_is_told_in_working_hours_alone_and_not_at_all_when_it_ended_before(
    app: Flask, terminal: Terminal
) -> None:
    away = {"reachable": False, "offline_since": database_now(-7200.0)}
    let(terminal, **away)
    now = datetime.now(UTC)
    app.config["TIMEZONE"] = "UTC"
    app.config["WORKING_HOURS"] = f"{WEEKDAYS[(now.weekday() + 2) % 7]} 08:00-18:00"
    assert due() == []
    assert rows() == 1

    let(terminal, reachable=True, offline_since=None)
    assert (due(), rows()) == ([], 0)

    let(terminal, **away)
    app.config["WORKING_HOURS"] = ""
    assert len(due()) == 1


@pytest.mark.both_databases
def test_machine_tells_of_its_own_disk_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def on(machine: str, free: int) -> list[str]:
        monkeypatch.setattr(socket, "gethostname", lambda: machine)
        let_be_free(monkeypatch, free)
        return due()

    assert on("first", GIGABYTE) == ["disk:first"]
    assert not tell("disk:first")
    assert on("second", 50 * GIGABYTE) == []
    assert on("second", GIGABYTE) == ["disk:second"]
    assert not tell("disk:second")
    assert on("second", 50 * GIGABYTE) == ["disk:second"]
    assert tell("disk:second")
    assert rows() == 1
    assert on("first", 50 * GIGABYTE) == ["disk:first"]


def test_same_alarm_of_several_terminals_waits_for_the_others_and_is_one_mail(terminal: Terminal) -> None:
    other = registry.add(Access("Склад", "http://store.test", "admin", "x"))
    away = {"reachable": False, "offline_since": database_now(-9999)}
    let(terminal, **away)
    assert due() == []  # Others may be silent, too.
    let(other, **away)
    assert due() == []
    keys = [f"silent:{terminal.id}", f"silent:{other.id}"]

    def pass_time() -> None:
        db.session.execute(db.update(Alarm).where(Alarm.key == keys[0]).values(next_try_at=database_now()))
        db.session.commit()

    def all_of(first: str | None) -> list[str]:
        assert first is not None
        alarm = watch.get(first)
        assert alarm is not None
        return [first, *watch.claim_same(alarm)]

    pass_time()
    assert all_of(watch.claim()) == keys
    assert watch.claim() is None
    for key in keys:
        assert not tell(key)

    db.session.execute(db.update(Terminal).values(reachable=True, offline_since=None))
    db.session.commit()
    assert due() == []
    pass_time()
    assert all_of(watch.claim()) == keys
    for key in keys:
        assert tell(key)
    assert rows() == 0
