"""The log of a terminal is read whole, from the anchor on and backwards, whatever happens to it meanwhile."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask, current_app
from sqlalchemy import func, select, update

from hikflask.background import tasks
from hikflask.extensions import db
from hikflask.models import ChangedSetting, Event, EventCoverage, EventLog, Terminal
from hikflask.models.columns import database_now
from hikflask.models.event import NEW_LOG, NOT_READ, OFF, OTHER_DEVICE, OVERWRITTEN, TOO_MANY
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import DELETE_PASSAGES, NEWEST
from hikflask.services.changes.run import run_to_end
from hikflask.services.core.dates import today
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import TerminalInUse
from hikflask.services.passages import coverage, intake, journal, log_row, queries, retention
from hikflask.services.settings import stored
from hikflask.services.terminals import connection, leases
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST, PASSWORD
from tests.support.between import Between
from tests.support.events import spans_of
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")
SEARCH = "POST /ISAPI/AccessControl/AcsEvent?format=json"


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"PASSAGES": "poll", "FACE_DETECTION": "off"}


@pytest.fixture(autouse=True)
def known_log(context: None, terminal: Terminal) -> None:  # noqa: ARG001
    """The terminal has a log, as the first sweep writes."""
    assert intake.claim_due() == [terminal.id]


@pytest.fixture
def log(simulator: Simulated) -> Any:
    """The log at the terminal, with pages of five records."""
    simulator.events.set_traps(page_limit=5)
    return simulator.events


def happen(log: Any, count: int, **about: Any) -> None:
    for _ in range(count):
        log.add(5, 75, "100222", **about)


def kept(device: str = "") -> list[int]:
    statement = select(Event.serial_no).where(Event.device_serial.endswith(device)).order_by(Event.serial_no)
    return list(db.session.execute(statement).scalars())


def row_of(terminal: Terminal) -> EventLog:
    statement = select(EventLog).where(EventLog.terminal_id == terminal.id)
    return db.session.execute(statement, execution_options={"populate_existing": True}).scalar_one()


def read_all(terminal: Terminal) -> EventLog:
    """Read until nothing is left."""
    for _ in range(100):
        has_more = intake.read_log(terminal.id, "test")
        row = row_of(terminal)
        assert row.error_code == ""
        if not has_more and row.older_than is None and "pass" not in row.state:
            return row
    raise AssertionError("it never ends")


def sent(simulator: Simulated) -> list[str]:
    requests = [f"{entry.method} {entry.path}" for entry in simulator.log]
    simulator.log.clear()
    return requests


def reasons(terminal: Terminal) -> list[str]:
    return [span.reason for span in spans_of(terminal.id)]


def switch_off_elsewhere() -> None:
    """Switch passages off as another process does it: this one reads its settings again within two seconds."""
    stored.of_app().defaults["PASSAGES"] = "poll"
    with transaction():
        db.session.add(ChangedSetting(name="PASSAGES", value="off", set_by="Анна"))


def make_due(**values: Any) -> None:
    db.session.execute(update(EventLog).values(next_at=database_now(-1), **values))
    db.session.commit()


def test_log_is_read_from_its_newest_record_and_backwards_to_its_first_one(terminal: Terminal, log: Any) -> None:
    happen(log, 23)

    intake.read_log(terminal.id, "test")
    newest = kept()
    intake.read_log(terminal.id, "test")
    with_a_page = kept()
    read_all(terminal)

    assert (newest, with_a_page, kept()) == ([23], [19, 20, 21, 22, 23], [*range(1, 24)])
    assert reasons(terminal) == [NEW_LOG, "", NOT_READ]


def test_log_without_a_record_is_read_and_nothing_is_missing_of_it(terminal: Terminal, log: Any) -> None:
    first, second = read_all(terminal).complete_to, read_all(terminal).complete_to
    assert [(span.from_at, span.to_at) for span in spans_of(terminal.id) if span.is_complete] == [(first, second)]
    assert queries.missing_since() == []

    happen(log, 7)
    row = read_all(terminal)

    assert kept() == [*range(1, 8)]
    assert [(span.from_at, span.to_at) for span in spans_of(terminal.id) if span.is_complete] == [
        (first, row.complete_to)
    ]


def test_log_that_was_reset_and_has_no_record_leaves_a_gap(terminal: Terminal, log: Any) -> None:
    happen(log, 3)
    read_all(terminal)
    log.reset()

    read_all(terminal)
    read_all(terminal)

    assert reasons(terminal) == [NEW_LOG, "", NEW_LOG, "", NOT_READ]


def test_of_what_is_recorded_without_an_end_so_much_is_stored_in_a_day(
    terminal: Terminal, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_row, "MOST", {log_row.NEW: 10, log_row.OLD: 20})
    happen(log, 40)
    for _ in range(10):
        intake.read_log(terminal.id, "test")
    assert kept() == [*range(20, 41)]

    happen(log, 12)
    intake.read_log(terminal.id, "test")
    happen(log, 5)
    assert not intake.read_log(terminal.id, "test")

    assert kept() == [*range(20, 53)]
    assert reasons(terminal)[-1] == TOO_MANY
    assert coverage.why_unknown(terminal, datetime.now(UTC) - timedelta(hours=1)) == TOO_MANY

    state = row_of(terminal).state
    make_due(state=state | {"today": state["today"] | {"day": "2020-01-01"}})
    read_all(terminal)
    assert kept() == [*range(1, 58)]
    assert reasons(terminal) == [NEW_LOG, "", NOT_READ]

    # In one of these zones it is another day than in UTC.
    for zone in ("Etc/GMT+12", "Pacific/Kiritimati"):
        current_app.config["TIMEZONE"] = zone
        intake.read_log(terminal.id, "test")
        assert row_of(terminal).state["today"]["day"] == today().isoformat()


def test_log_that_goes_on_and_has_nothing_new_takes_one_request(
    terminal: Terminal, simulator: Simulated, log: Any
) -> None:
    happen(log, 7)
    before = read_all(terminal).complete_to
    sent(simulator)

    assert not intake.read_log(terminal.id, "test")

    assert sent(simulator) == [SEARCH]
    after = row_of(terminal).complete_to
    assert before is not None
    assert after is not None
    assert after > before
    assert [span.to_at for span in spans_of(terminal.id) if span.is_complete] == [after]


def test_what_is_new_is_read_in_windows_as_narrow_as_a_page(terminal: Terminal, simulator: Simulated, log: Any) -> None:
    happen(log, 3)
    read_all(terminal)
    happen(log, 10)
    sent(simulator)

    assert not intake.read_log(terminal.id, "test")

    # A page, two windows that begin at the anchor, the whole rest; and the clock once.
    assert sorted(sent(simulator)) == ["GET /ISAPI/System/time", *[SEARCH] * 4]
    assert kept() == [*range(1, 14)]


def test_numbers_that_are_missing_in_the_log_hold_nothing_up(terminal: Terminal, log: Any) -> None:
    happen(log, 3)
    log.next_serial = 5000
    happen(log, 3)
    read_all(terminal)
    log.next_serial = 90_000
    happen(log, 8)

    read_all(terminal)

    assert kept() == [1, 2, 3, 5000, 5001, 5002, *range(90_000, 90_008)]


def test_log_that_began_anew_leaves_a_gap(terminal: Terminal, log: Any) -> None:
    happen(log, 8)
    read_all(terminal)
    happen(log, 2)
    log.reset()
    happen(log, 12, at=datetime.now(UTC) + timedelta(seconds=2))

    row = read_all(terminal)

    assert (row.anchor_serial, len(kept())) == (12, 20)
    assert reasons(terminal) == [NEW_LOG, "", NEW_LOG, "", NOT_READ]


def test_log_that_overwrote_what_was_not_read_leaves_a_gap(terminal: Terminal, log: Any) -> None:
    happen(log, 8)
    read_all(terminal)
    log.set_ring(10)
    happen(log, 20)

    read_all(terminal)

    assert kept() == [*range(1, 9), *range(19, 29)]
    assert reasons(terminal) == [NEW_LOG, "", OVERWRITTEN, "", NOT_READ]


def test_other_device_has_a_log_of_its_own_and_leaves_a_gap(terminal: Terminal, log: Any, wire: InProcess) -> None:
    happen(log, 4)
    read_all(terminal)
    other = Simulated(PASSWORD, serial="0000007")
    wire.put(HOST, other)
    # Two devices with the same record in the same second cannot be told apart.
    happen(other.events, 9, at=datetime.now(UTC) + timedelta(seconds=2))

    row = read_all(terminal)

    assert (kept("0000007"), kept("0000000")) == ([*range(1, 10)], [1, 2, 3, 4])
    assert row.device_serial.endswith("0000007")
    assert reasons(terminal) == [NEW_LOG, "", OTHER_DEVICE, "", NOT_READ]


def test_ring_that_overwrites_while_it_is_read_backwards_ends_there(terminal: Terminal, log: Any) -> None:
    happen(log, 30)
    intake.read_log(terminal.id, "test")
    log.set_ring(12)

    read_all(terminal)

    assert kept() == [*range(19, 31)]
    assert reasons(terminal)[0] == OVERWRITTEN


def test_log_is_read_backwards_no_further_than_records_are_kept(terminal: Terminal, log: Any) -> None:
    happen(log, 50, at=datetime.now(UTC) - timedelta(days=100))
    happen(log, 3)

    read_all(terminal)

    assert kept() == [51, 52, 53]


def test_records_before_and_after_a_jump_of_the_clock_have_the_times_when_they_were_made(
    terminal: Terminal, simulator: Simulated, log: Any
) -> None:
    happen(log, 2)
    read_all(terminal)
    happen(log, 2)
    simulator.wall_clock.drift = timedelta(days=-20_000)
    happen(log, 2)
    simulator.wall_clock.zone = "CST-8:00:00"

    row = read_all(terminal)

    assert abs((row.clock_offset or 0) + 20_000 * 24 * 3600) <= 1
    now = datetime.now(UTC)
    ages = [now - at for at in db.session.execute(select(Event.occurred_at)).scalars()]
    assert len(ages) == 6
    assert all(timedelta(seconds=-3) < age < timedelta(minutes=1) for age in ages)


@pytest.mark.parametrize("ignores_serials", [False, True])
def test_records_without_an_offset_of_a_terminal_without_a_zone_have_the_times_of_its_clock(
    terminal: Terminal, simulator: Simulated, log: Any, monkeypatch: pytest.MonkeyPatch, ignores_serials: bool
) -> None:
    log.set_traps(ignores_serials=ignores_serials)
    unmarked = property(lambda record: record.at.replace(tzinfo=None).isoformat(timespec="seconds"))
    monkeypatch.setattr(type(log.add(5, 75)), "time", unmarked)
    monkeypatch.setattr(
        simulator.wall_clock, "fields", lambda *_, **__: {"localTime": simulator.wall_clock.shown("none")}
    )
    begun = datetime.now(UTC)
    for hours in (3, 2, 1):
        happen(log, 1, at=begun - timedelta(hours=hours))

    read_all(terminal)

    ages = [begun - at for at in db.session.execute(select(Event.occurred_at).order_by(Event.occurred_at)).scalars()]
    assert [round(age / timedelta(hours=1)) for age in ages] == [3, 2, 1, 0]


@pytest.mark.parametrize("ignores_serials", [False, True])
def test_nothing_is_said_to_be_here_by_the_time_of_a_record_that_a_jump_of_the_clock_left_unknown(
    terminal: Terminal, simulator: Simulated, log: Any, ignores_serials: bool
) -> None:
    log.set_traps(page_limit=5, ignores_serials=ignores_serials)
    now = datetime.now(UTC)
    empty, happened = now - timedelta(hours=3), now - timedelta(hours=2)
    state = read_all(terminal).state | dict.fromkeys(("empty", "since"), empty.isoformat())
    make_due(state=state, complete_to=empty)
    happen(log, 30, at=happened)
    simulator.wall_clock.drift = timedelta(hours=5)
    happen(log, 1)
    intake.read_log(terminal.id, "test")
    intake.read_log(terminal.id, "test")
    log.set_ring(10)

    read_all(terminal)

    assert kept()[-5:] == [27, 28, 29, 30, 31]
    assert 12 not in kept()
    assert not any(span.is_complete and span.from_at <= happened < span.to_at for span in spans_of(terminal.id))


def test_firmware_that_ignores_serial_numbers_is_read_by_time(terminal: Terminal, log: Any) -> None:
    log.set_traps(page_limit=5, ignores_serials=True, ignores_reverse=True)
    happen(log, 13)
    read_all(terminal)
    happen(log, 9)

    row = read_all(terminal)

    assert (row.honours_serials, kept()) == (False, [*range(1, 23)])
    assert reasons(terminal) == [NEW_LOG, "", NOT_READ]


def test_number_that_is_missing_by_time_is_looked_for_in_the_whole_log(terminal: Terminal, log: Any) -> None:
    log.set_traps(page_limit=5, ignores_serials=True)
    happen(log, 8)
    read_all(terminal)
    happen(log, 1, at=datetime(1970, 1, 1, 8, 0, tzinfo=UTC))
    happen(log, 1)

    intake.read_log(terminal.id, "test")
    between = reasons(terminal)
    read_all(terminal)

    assert between == [NEW_LOG, "", NOT_READ]
    assert kept() == [*range(1, 11)]
    assert reasons(terminal) == [NEW_LOG, "", NOT_READ]


def test_numbers_that_begin_again_at_1_are_read(terminal: Terminal, log: Any) -> None:
    log.set_traps(max_serial=1000)
    log.next_serial = 996
    happen(log, 3)
    read_all(terminal)

    happen(log, 2)
    read_all(terminal)
    happen(log, 2)
    read_all(terminal)
    happen(log, 1)
    read_all(terminal)

    assert kept() == [1, 2, 3, *range(996, 1001)]
    assert reasons(terminal) == [OVERWRITTEN, "", NOT_READ]


def test_numbers_that_begin_again_at_1_are_noticed_where_windows_of_them_are_taken(
    terminal: Terminal, log: Any
) -> None:
    log.next_serial = 100_000
    happen(log, 3)
    read_all(terminal)
    log.next_serial = 1
    happen(log, 2, at=datetime.now(UTC) + timedelta(seconds=1))
    row = read_all(terminal)
    assert kept() == [100_000, 100_001, 100_002]

    state = {**row.state, "looked_at": (datetime.now(UTC) - timedelta(seconds=601)).isoformat()}
    make_due(state=state)
    row = read_all(terminal)

    assert (kept(), row.honours_serials) == ([1, 2, 100_000, 100_001, 100_002], False)


def test_firmware_that_began_to_ignore_serial_numbers_is_noticed(terminal: Terminal, log: Any) -> None:
    happen(log, 8)
    read_all(terminal)
    log.set_traps(ignores_serials=True)
    happen(log, 3)

    row = read_all(terminal)

    assert (row.honours_serials, kept()) == (False, [*range(1, 12)])


@pytest.mark.parametrize("refuses_minor_0", [False, True])
def test_terminal_that_does_not_tell_all_at_once_is_asked_one_by_one(
    terminal: Terminal, log: Any, refuses_minor_0: bool
) -> None:
    log.set_traps(refuses_major_0=True, refuses_minor_0=refuses_minor_0)
    for major, minor in ((5, 75), (1, 1028), (2, 39), (3, 1024), (5, 76), (3, 1024)):
        log.add(major, minor)

    row = read_all(terminal)

    assert row.codes is not None
    assert row.codes[0][0] == 5
    assert kept() == [1, 2, 3, 4, 5, 6]


def test_terminal_that_says_more_for_ever_is_left_alone(terminal: Terminal, simulator: Simulated, log: Any) -> None:
    happen(log, 8)
    read_all(terminal)
    log.set_traps(more_without_records=True)
    sent(simulator)

    assert not intake.read_log(terminal.id, "test")

    row = row_of(terminal)
    assert row.error_code == "nonsense"
    assert len(sent(simulator)) < 10
    assert intake.claim_due() == []


def test_terminal_that_says_more_behind_its_last_record_is_left_alone(
    terminal: Terminal, log: Any, wire: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    happen(log, 2)
    read_all(terminal)
    answers, honest = count(), wire.send

    def send(request: Any, **given: Any) -> Any:
        assert next(answers) < 100, "it is asked for ever"
        answer = honest(request, **given)
        answer._content = answer.content.replace(b'"OK"', b'"MORE"')
        return answer

    monkeypatch.setattr(wire, "send", send)

    assert not intake.read_log(terminal.id, "test")

    assert row_of(terminal).error_code == "nonsense"


def test_terminal_that_tells_other_times_with_each_answer_is_not_asked_without_end(
    terminal: Terminal, log: Any, wire: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    happen(log, 2)
    answers, honest = count(10), wire.send

    def send(request: Any, **given: Any) -> Any:
        answer = honest(request, **given)
        answer._content = re.sub(rb'"time":\s*"\d{4}-', b'"time": "20%d-' % next(answers), answer.content)
        return answer

    monkeypatch.setattr(wire, "send", send)

    conversations = [intake.read_log(terminal.id, "test") for _ in range(5)]

    assert False in conversations


def test_terminal_that_has_records_at_any_position_is_left_alone(
    terminal: Terminal, log: Any, wire: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    happen(log, 8)
    log.set_traps(page_limit=5, ignores_reverse=True)
    answers, honest = count(), wire.send

    def send(request: Any, **given: Any) -> Any:
        assert next(answers) < 100, "it is asked for ever"
        if request.body:
            request.body = re.sub(rb'"searchResultPosition": ?\d+', b'"searchResultPosition": 0', request.body)
            request.headers["Content-Length"] = str(len(request.body))
        return honest(request, **given)

    monkeypatch.setattr(wire, "send", send)

    assert not intake.read_log(terminal.id, "test")

    assert row_of(terminal).error_code == "nonsense"


def test_terminal_without_a_log_is_asked_later_and_later(
    terminal: Terminal,
    simulator: Simulated,
    log: Any,  # noqa: ARG001
) -> None:
    simulator.faults.add("refuse", "notSupport", path="AccessControl/AcsEvent", status=404)
    sent(simulator)

    assert not intake.read_log(terminal.id, "test")

    assert row_of(terminal).error_code == "function_not_supported"
    assert len(sent(simulator)) == 2


def test_login_that_was_refused_ends_it(terminal: Terminal, simulator: Simulated, log: Any) -> None:
    happen(log, 2)
    simulator.login.password = "another"
    intake.read_log(terminal.id, "test")
    simulator.log.clear()
    make_due()

    assert intake.claim_due() == []
    intake.read_log(terminal.id, "test")

    assert (sent(simulator), row_of(terminal).error_code) == ([], "wrong_password")


def test_terminal_that_was_away_is_read_soon_after_it_answered_somebody(
    terminal: Terminal, wire: InProcess, log: Any
) -> None:
    happen(log, 2)
    read_all(terminal)
    wire.away.add(HOST)
    intake.read_log(terminal.id, "test")
    away = (row_of(terminal).error_code, intake.claim_due(), reasons(terminal)[-1])
    wire.away.clear()
    db.session.execute(update(Terminal).values(backoff_until=None))
    db.session.commit()
    with connection.converse(terminal.id, "Анна", "check") as conversation:
        conversation.request("GET", "/ISAPI/System/deviceInfo")

    assert away == ("unreachable", [], OFF)
    assert intake.claim_due() == [terminal.id]


def test_terminal_whose_log_takes_too_long_is_not_away(terminal: Terminal, simulator: Simulated, log: Any) -> None:
    happen(log, 2)
    simulator.faults.add("lost-after", path="AccessControl/AcsEvent")

    assert not intake.read_log(terminal.id, "test")

    row = connection.get_terminal(terminal.id)
    assert (row.reachable is False, row.offline_since, row.backoff_until) == (False, None, None)
    assert (row_of(terminal).error_code, intake.claim_due()) == ("no_answer", [])


def test_span_in_which_passages_were_switched_off_is_complete_once_the_log_proved_it(
    app: Flask, terminal: Terminal, simulator: Simulated, log: Any
) -> None:
    happen(log, 2)
    read_all(terminal)
    app.config["PASSAGES"] = "off"
    happen(log, 9)
    make_due()
    sent(simulator)
    assert (intake.claim_due(), intake.read_log(terminal.id, "test"), sent(simulator)) == ([], False, [])
    app.config["PASSAGES"] = "poll"

    read_all(terminal)

    assert kept() == [*range(1, 12)]
    assert reasons(terminal) == [NEW_LOG, "", NOT_READ]


@pytest.mark.both_databases
def test_log_is_claimed_by_one_worker_when_it_is_due(terminal: Terminal, log: Any) -> None:
    happen(log, 1)
    assert intake.claim_due() == []
    make_due()

    assert (intake.claim_due(), intake.claim_due()) == ([terminal.id], [])


def test_log_is_not_read_while_somebody_has_or_awaits_the_terminal(
    terminal: Terminal, simulator: Simulated, log: Any
) -> None:
    happen(log, 1)
    make_due()
    lease = leases.acquire(terminal.id, "Анна", leases.CAPTURE, 30, urgent=True)

    assert (intake.claim_due(), intake.read_log(terminal.id, "test"), sent(simulator)) == ([], False, [])
    lease.release()
    db.session.execute(update(Terminal).values(wanted_until=database_now(1)))
    db.session.commit()
    make_due()
    assert (intake.claim_due(), intake.read_log(terminal.id, "test"), sent(simulator)) == ([], False, [])


def test_whoever_writes_to_the_terminal_takes_it_from_a_reading_at_once(
    app: Flask, terminal: Terminal, simulator: Simulated, log: Any
) -> None:
    happen(log, 1)
    read_all(terminal)
    happen(log, 12)
    taken: list[leases.Lease] = []

    def take() -> None:
        if not taken:
            with app.app_context():
                taken.append(leases.acquire(terminal.id, "Анна", "save", 30))

    simulator.after("AccessControl/AcsEvent", take)

    assert not intake.read_log(terminal.id, "test")

    assert kept() == [1]
    assert intake.claim_due() == []
    taken[0].release()
    assert read_all(terminal)
    assert kept() == [*range(1, 14)]


def test_log_that_was_not_read_for_long_is_not_given_up_to_a_job(
    app: Flask, terminal: Terminal, simulator: Simulated, log: Any
) -> None:
    happen(log, 1)
    read_all(terminal)
    happen(log, 2)
    make_due(read_at=database_now(-301))
    refused: list[str] = []

    def take() -> None:
        with app.app_context():
            try:
                leases.acquire(terminal.id, "background", "save", 30)
            except TerminalInUse as error:
                refused.append(error.code)

    simulator.after("AccessControl/AcsEvent", take)

    intake.read_log(terminal.id, "test")

    assert (refused[0], kept()) == ("terminal_in_use", [1, 2, 3])


def test_logs_are_read_every_few_seconds_while_somebody_looks(terminal: Terminal, log: Any) -> None:
    happen(log, 1)
    read_all(terminal)
    intake.watch()
    at_once = intake.claim_due()
    db.session.execute(update(EventLog).values(read_at=database_now(-4.5)))
    db.session.commit()

    intake.watch()

    assert (at_once, intake.claim_due()) == ([], [terminal.id])


def test_terminal_that_rang_is_read_with_the_next_sweep(
    terminal: Terminal, log: Any, run_jobs: Callable[[], int]
) -> None:
    happen(log, 30)
    read_all(terminal)
    happen(log, 3)

    intake.wake(terminal.id)
    tasks.sweep()
    while run_jobs():
        pass

    assert kept() == [*range(1, 34)]


@pytest.mark.both_databases
def test_what_happens_is_new_though_another_worker_read_the_log_just_before_the_lease(
    terminal: Terminal, log: Any, between: Between
) -> None:
    happen(log, 3)

    def read_and_happen() -> None:
        read_all(terminal)
        happen(log, 1)
        log.add(1, 1030)

    other = between(connection, "converse", read_and_happen, before=True)
    intake.read_log(terminal.id, "first")
    other.finish()
    assert other.error is None
    read_all(terminal)

    assert kept() == [1, 2, 3, 4, 5]
    assert [alarm.code for alarm in journal.unseen()] == ["1/1030"]


@pytest.mark.both_databases
def test_reading_ends_when_all_passages_are_deleted_and_leaves_nothing(
    app: Flask, terminal: Terminal, log: Any, between: Between
) -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    happen(log, 23, at=hour_ago)
    intake.read_log(terminal.id, "test")
    make_due(complete_to=hour_ago)
    for minute in range(40):
        happen(log, 1, at=hour_ago + timedelta(minutes=minute))

    def delete_all() -> None:
        app.config["PASSAGES"] = "off"
        run_to_end(lifecycle.begin(DELETE_PASSAGES, {NEWEST: retention.count()[1]}))

    other = between(log_row, "store", delete_all, before=True, nth=2)
    intake.read_log(terminal.id, "test")
    other.finish()
    deleted_during_a_write = other.blocked
    assert other.error is None

    assert (kept(), db.session.execute(select(EventCoverage)).all()) == ([], [])
    assert row_of(terminal).error_code == ""
    # What is read from then on says nothing of what was deleted.
    app.config["PASSAGES"] = "poll"
    read_all(terminal)
    assert deleted_during_a_write
    first_kept = db.session.execute(select(func.min(Event.occurred_at)).where(Event.serial_no > 23)).scalar_one()
    complete = [span.from_at for span in spans_of(terminal.id) if span.is_complete]
    last_deleted = first_kept - timedelta(minutes=1)
    assert hour_ago < last_deleted
    assert [last_deleted < since < first_kept for since in complete] == [True]


@pytest.mark.both_databases
def test_worker_that_has_not_heard_yet_that_passages_are_off_writes_nothing(terminal: Terminal, log: Any) -> None:
    happen(log, 3)
    read_all(terminal)
    happen(log, 3)
    switch_off_elsewhere()

    intake.read_log(terminal.id, "test")

    assert kept() == [1, 2, 3]


@pytest.mark.both_databases
def test_worker_that_has_not_heard_yet_that_passages_are_off_deletes_them_all(terminal: Terminal, log: Any) -> None:
    happen(log, 3)
    read_all(terminal)
    claim = lifecycle.begin(DELETE_PASSAGES, {NEWEST: 1})
    switch_off_elsewhere()

    run_to_end(claim)

    assert (kept(), db.session.execute(select(EventCoverage)).all()) == ([], [])
