"""A door is opened by one request for each press, never sent again, and only the terminal's own word counts."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from requests import PreparedRequest, Response
from sqlalchemy import select, update
from urllib3 import HTTPResponse

from hikflask.extensions import db
from hikflask.isapi.errors import NotSupported, Refused, Unreachable
from hikflask.models import DoorOpening, Terminal
from hikflask.models.accounts import ADMIN, OPERATOR, VIEWER
from hikflask.models.accounts import may as role_may
from hikflask.models.columns import database_now
from hikflask.services.core.errors import NotComparedSinceRestore, ServiceError, TerminalInUse, TerminalRetired
from hikflask.services.terminals import checks, door, leases
from hikflask.services.terminals.door import Outcome
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST
from tests.support.trail import entries, fields
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")
REASON = "Курьер с посылкой"
CONTROL = "/ISAPI/AccessControl/RemoteControl/door/1"
STATE, LOG, TIME = "AccessControl/AcsWorkStatus", "AccessControl/AcsEvent", "System/time"
OPENED, NOT_KNOWN = Outcome(opened=True), Outcome(opened=False)
DAY = timedelta(days=1)


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"DOOR": "operator"}


def may_as(role: str) -> Callable[[str], bool]:
    return lambda needed: role_may(role, needed)


def press(terminal: Terminal, role: str = OPERATOR, **about: Any) -> Outcome:
    return door.open_door(terminal.id, REASON, "Анна", may_as(role), **about)


def requests(simulator: Simulated) -> list[tuple[bytes, int | None]]:
    """What was sent to the door itself, with a login: the body, and the status of the answer."""
    return [(entry.body, entry.status) for entry in simulator.log if entry.method == "PUT" and entry.logged_in]


def openings(simulator: Simulated) -> int:
    return sum((record.major, record.minor) == (3, 1024) for record in simulator.events.records)


def trail() -> list[tuple[str, dict[str, Any]]]:
    found = [entry for entry in entries() if entry.action.startswith("terminal.door")]
    assert {entry.terminal for entry in found} <= {"Вход"}
    return [(entry.action.rpartition("_")[2], fields(entry.after)) for entry in found]


def rows() -> list[DoorOpening]:
    return list(db.session.scalars(select(DoorOpening).execution_options(populate_existing=True)))


def leave_out(simulator: Simulated, *paths: str) -> None:
    simulator.profile = replace(simulator.profile, missing=frozenset(paths))


@pytest.mark.both_databases
def test_door_opens_by_one_request_which_the_log_proves(simulator: Simulated, terminal: Terminal) -> None:
    assert press(terminal) == OPENED

    ((body, status),) = requests(simulator)
    assert (body.count(b"<cmd>open</cmd>"), status, openings(simulator)) == (1, 200, 1)
    (command,) = [record for record in simulator.events.records if record.minor == 1024]
    (row,) = rows()
    assert (row.terminal_id, row.opened, row.serial_no, row.is_matched) == (terminal.id, True, command.serial_no, False)


def test_press_is_in_the_audit_trail_before_it_is_sent_and_with_its_outcome(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    before: list[object] = []

    def look() -> None:
        with app.app_context():
            before.extend(trail())

    simulator.before("RemoteControl/door/1", look)

    press(terminal)

    assert before == [("asked", {"reason": REASON})]
    assert trail() == [("asked", {"reason": REASON}), ("opened", {"reason": REASON})]


@pytest.mark.parametrize("missing", [(LOG,), (STATE,), (TIME,)], ids=["the state", "the log", "the state without time"])
def test_one_proof_is_enough(simulator: Simulated, terminal: Terminal, missing: tuple[str, ...]) -> None:
    leave_out(simulator, *missing)

    assert press(terminal) == OPENED
    assert len(requests(simulator)) == 1


def test_lock_that_was_open_before_is_no_proof(simulator: Simulated, terminal: Terminal) -> None:
    leave_out(simulator, LOG)
    simulator.control_door("alwaysOpen")

    assert press(terminal) == NOT_KNOWN


def test_command_in_the_log_without_a_lock_that_opened_is_no_proof(simulator: Simulated, terminal: Terminal) -> None:
    leave_out(simulator, STATE)
    simulator.faults.add("ok-without-effect", path="RemoteControl/door/1")
    simulator.after("RemoteControl/door/1", lambda: simulator.record_operation(1024))

    assert press(terminal) == NOT_KNOWN


def test_records_of_earlier_openings_are_no_proof(simulator: Simulated, terminal: Terminal) -> None:
    leave_out(simulator, STATE)
    simulator.control_door("open")
    simulator.faults.add("ok-without-effect", path="RemoteControl/door/1")

    assert press(terminal) == NOT_KNOWN


@pytest.mark.both_databases
def test_without_proof_it_is_not_known_and_nothing_is_sent_again(simulator: Simulated, terminal: Terminal) -> None:
    simulator.faults.add("ok-without-effect", path="RemoteControl/door/1")

    assert press(terminal) == NOT_KNOWN

    assert len(requests(simulator)) == 1
    assert trail()[-1] == ("known", {"reason": REASON})
    assert [(row.opened, row.serial_no) for row in rows()] == [(None, None)]


@pytest.mark.parametrize(("moment", "outcome"), [("lost-before", NOT_KNOWN), ("lost-after", OPENED)])
def test_lost_answer_is_looked_after_and_never_sent_again(
    simulator: Simulated, terminal: Terminal, moment: str, outcome: Outcome
) -> None:
    simulator.faults.add(moment, path="RemoteControl/door/1")

    assert press(terminal) == outcome
    assert len(requests(simulator)) == 1


@pytest.mark.parametrize(("status", "body"), [(500, b""), (503, b"<html/>"), (200, b"<html/>"), (200, b"")])
def test_answer_that_says_nothing_leaves_it_to_the_log(
    simulator: Simulated, terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes
) -> None:
    def send(request: PreparedRequest, *_: Any, **__: Any) -> Response:
        answer = InProcess.send(wire, request)
        if request.method == "PUT" and answer.status_code == 200:
            answer.status_code, answer.raw = status, HTTPResponse(body=BytesIO(body), preload_content=False)
        return answer

    monkeypatch.setattr(wire, "send", send)

    assert press(terminal) == OPENED
    assert (len(requests(simulator)), openings(simulator)) == (1, 1)


def test_terminal_that_is_silent_from_then_on_leaves_it_unknown(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    simulator.faults.add("lost-after", path="RemoteControl/door/1")
    simulator.after("RemoteControl/door/1", lambda: wire.away.add(HOST))

    assert press(terminal) == NOT_KNOWN
    assert (openings(simulator), trail()[-1][0]) == (1, "known")


def test_expired_nonce_costs_no_second_opening(simulator: Simulated, terminal: Terminal) -> None:
    for uses in (1, 2, 3, 4, 5):
        simulator.login.nonce_uses = uses
        simulator.log.clear()
        before = openings(simulator)

        assert press(terminal) == OPENED
        assert (len(requests(simulator)), openings(simulator) - before) == (1, 1), uses


@pytest.mark.both_databases
def test_refused_press_says_why_and_leaves_no_opening(simulator: Simulated, terminal: Terminal) -> None:
    simulator.profile = replace(simulator.profile, remote_door="off")

    with pytest.raises(Refused) as refused:
        press(terminal)

    assert refused.value.sub_status == "remoteDoorFunctionDisable"
    assert (len(requests(simulator)), openings(simulator), rows()) == (1, 0, [])
    assert trail()[-1] == ("refused", {"reason": REASON, "text": "remoteDoorFunctionDisable"})


def test_terminal_without_the_function_is_sent_nothing(simulator: Simulated, terminal: Terminal) -> None:
    simulator.profile = replace(simulator.profile, remote_door="none")

    with pytest.raises(NotSupported):
        press(terminal)

    assert (requests(simulator), trail(), rows()) == ([], [], [])


def test_terminal_that_is_away_is_sent_nothing(simulator: Simulated, terminal: Terminal, wire: InProcess) -> None:
    wire.away.add(HOST)

    with pytest.raises(Unreachable):
        press(terminal)

    assert (requests(simulator), trail(), rows()) == ([], [], [])


@pytest.mark.parametrize(
    ("setting", "allowed"), [("off", []), ("admin", [ADMIN]), ("operator", [OPERATOR, ADMIN])], ids=str
)
def test_setting_says_who_may_and_viewers_never_may(
    app: Flask, simulator: Simulated, terminal: Terminal, setting: str, allowed: list[str]
) -> None:
    app.config["DOOR"] = setting

    for role in (VIEWER, OPERATOR, ADMIN):
        assert door.may_open(may_as(role)) == (role in allowed)
        if role in allowed:
            assert press(terminal, role) == OPENED
        else:
            with pytest.raises(ServiceError) as refused:
                press(terminal, role)
            assert (refused.value.code, refused.value.meaning.api_status) == ("door_off", 403)
    assert openings(simulator) == len(allowed)


def test_nobody_may_by_default(app: Flask) -> None:
    app.config["DOOR"] = "off"

    assert not door.may_open(may_as(ADMIN))


def test_terminal_that_is_not_in_use_is_not_opened(simulator: Simulated, terminal: Terminal) -> None:
    for values, kind in (
        ({"is_active": False}, ServiceError),
        ({"retired_at": database_now()}, TerminalRetired),
        ({"retired_at": None, "is_active": True, "restored_from": database_now()}, NotComparedSinceRestore),
    ):
        db.session.execute(update(Terminal).values(**values))
        db.session.commit()
        with pytest.raises(kind):
            press(terminal)
    assert (requests(simulator), rows()) == ([], [])


def test_two_operators_at_once_open_twice_one_after_the_other(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    app.config["LEASE_WAIT"] = 10.0
    outcomes: list[Outcome] = []

    def second() -> None:
        with app.app_context():
            outcomes.append(press(terminal))

    other = threading.Thread(target=second)
    started = False

    def begin() -> None:
        nonlocal started
        if not started:
            started = True
            other.start()

    simulator.before("RemoteControl/door/1", begin)

    outcomes.append(press(terminal))
    other.join(20)

    assert outcomes == [OPENED, OPENED]
    assert (openings(simulator), len(rows())) == (2, 2)
    sent = [entry.plain_path for entry in simulator.log if entry.logged_in]
    first, then = (index for index, path in enumerate(sent) if path == CONTROL)
    assert any(path.endswith("AcsEvent") for path in sent[first:then])


def test_terminal_that_somebody_holds_is_not_opened_behind_their_back(simulator: Simulated, terminal: Terminal) -> None:
    leases.acquire(terminal.id, "Мария", leases.CAPTURE, 60.0)

    with pytest.raises(TerminalInUse):
        press(terminal)

    assert (requests(simulator), trail()) == ([], [])


@pytest.mark.both_databases
def test_same_press_opens_once_and_another_one_again(simulator: Simulated, terminal: Terminal) -> None:
    key = door.key_of("call", "1:a")

    assert press(terminal, call_key=key) == OPENED
    assert press(terminal, call_key=key) == Outcome(opened=True, is_repeated=True)
    assert openings(simulator) == 1
    assert press(terminal, call_key=door.key_of("call", "2:a")) == OPENED
    assert openings(simulator) == 2


def test_press_that_died_midway_is_not_sent_again(simulator: Simulated, terminal: Terminal) -> None:
    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    simulator.after("RemoteControl/door/1", die)
    with pytest.raises(Killed):
        press(terminal, call_key="k")
    simulator.clear_hooks()

    assert press(terminal, call_key="k") == Outcome(opened=False, is_repeated=True)
    assert (openings(simulator), trail()) == (1, [("asked", {"reason": REASON})])


def test_press_that_was_refused_may_come_again(simulator: Simulated, terminal: Terminal) -> None:
    simulator.faults.add("refuse", "deviceBusy", path="RemoteControl/door/1", times=1)
    with pytest.raises(Refused):
        press(terminal, call_key="k")

    assert press(terminal, call_key="k") == OPENED


def add(terminal: Terminal, **values: Any) -> None:
    db.session.add(DoorOpening(terminal_id=terminal.id, **values))
    db.session.commit()


@pytest.mark.both_databases
def test_each_request_explains_the_one_event_with_its_number(terminal: Terminal) -> None:
    now = datetime.now(UTC)
    add(terminal, sent_at=now, serial_no=57)

    assert not door.match_event(terminal.id, 56, now)
    assert not door.match_event(terminal.id + 1, 57, now)
    assert not door.match_event(terminal.id, 57, now - 2 * DAY)  # The log has begun anew since.
    assert door.match_event(terminal.id, 57, now + timedelta(minutes=5))
    assert not door.match_event(terminal.id, 57, now)
    db.session.commit()


@pytest.mark.both_databases
def test_request_without_a_known_event_explains_one_at_its_time(terminal: Terminal) -> None:
    now = datetime.now(UTC)
    add(terminal, sent_at=now)

    assert not door.match_event(terminal.id, 1, now + timedelta(minutes=2))
    assert not door.match_event(terminal.id, 1, now - timedelta(minutes=2))
    assert door.match_event(terminal.id, 1, now + timedelta(seconds=20))
    assert not door.match_event(terminal.id, 2, now)
    db.session.commit()


def test_requests_are_forgotten_after_a_month(terminal: Terminal) -> None:
    now = datetime.now(UTC)
    add(terminal, sent_at=now - 31 * DAY)
    add(terminal, sent_at=now - 29 * DAY)

    press(terminal)

    assert sorted((now - row.sent_at).days for row in rows() if row.opened is None) == [29]


def test_check_and_status_read_the_door(simulator: Simulated, terminal: Terminal) -> None:
    checked = checks.check(terminal.id, "test")
    assert (checked.door_lock, checked.door_mode, checked.door_contact) == ("locked", "normal", "")

    simulator.control_door("alwaysOpen")
    status = checks.ask_status(terminal.id, "test")

    assert (status.door_lock, status.door_mode, status.door_contact) == ("unlocked", "free", None)
    leave_out(simulator, STATE)
    unknown = checks.check(terminal.id, "test")
    assert (unknown.reachable, unknown.door_lock, unknown.door_mode) == (True, "", "")


@pytest.mark.parametrize(
    ("mode", "needs_it"), [("", False), ("normal", False), ("sleeping", False), ("free", True), ("disabled", True)]
)
def test_door_that_stands_open_or_lets_nobody_in_needs_attention(mode: str, needs_it: bool) -> None:
    assert door.needs_attention(Terminal(is_active=True, door_mode=mode)) == needs_it
    assert not door.needs_attention(Terminal(is_active=False, door_mode=mode))
