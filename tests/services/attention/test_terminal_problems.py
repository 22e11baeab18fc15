"""What is wrong with a terminal, as its own answers left it in its row."""

from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from hikflask.extensions import db
from hikflask.isapi.errors import TerminalError
from hikflask.models import Terminal
from hikflask.services.attention import terminal_problems
from hikflask.services.attention.terminal_problems import (
    CLOCK,
    FULL,
    KINDS,
    LOCKED,
    LOGIN,
    LOST,
    OFF,
    REPLACED,
    RESTORED,
    STOPPED,
    UNCHECKED,
)
from hikflask.services.core.errors import ServiceError
from hikflask.services.terminals import checks, lost_people, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import Terminal as Simulated
from tests.support.wire import InProcess

pytestmark = [pytest.mark.usefixtures("context")]

WELL = {"face_mode": "url", "reachable": True, "people": 10, "people_capacity": 100}
BROKEN: dict[str, dict[str, Any]] = {
    CLOCK: {"clock_offset": -60},
    FULL: {"people": 90},
    UNCHECKED: {"face_mode": None},
    OFF: {"reachable": False},
    REPLACED: {"awaits_restore": True},
    RESTORED: {"restored_from": datetime.now(UTC)},
    STOPPED: {"last_error_code": "certificate_changed"},
    LOGIN: {"refused_since": datetime.now(UTC), "refused_code": "wrong_password"},
    LOCKED: {"refused_since": datetime.now(UTC), "refused_code": "locked"},
}


def found() -> list[tuple[str, str]]:
    return [(problem.terminal.name, problem.kind) for problem in terminal_problems.find()]


def check(terminal: Terminal) -> None:
    """Check the terminal; what went wrong is in its row."""
    try:
        checks.check(terminal.id, "test")
    except (TerminalError, ServiceError):
        return


def test_terminal_that_answers_is_no_trouble(terminal: Terminal) -> None:
    check(terminal)

    assert found() == []


def test_terminal_that_is_away_is_off_until_it_answers(terminal: Terminal, wire: InProcess) -> None:
    wire.away.add("terminal.test")
    check(terminal)
    while_away = found()
    wire.away.clear()
    check(terminal)

    assert while_away == [("Вход", OFF)]
    assert found() == []


def test_refused_password_and_locked_account_are_different_troubles(terminal: Terminal, simulator: Simulated) -> None:
    simulator.login.password = "Changed99"
    check(terminal)
    refused = found()
    registry.allow_once(terminal.id)
    simulator.trigger("lock")
    check(terminal)

    assert refused == [("Вход", LOGIN)]
    assert found() == [("Вход", LOCKED)]


def test_other_certificate_is_a_trouble_of_its_own(
    terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_certificate(request: requests.PreparedRequest, **_: Any) -> requests.Response:
        raise requests.exceptions.SSLError(request=request)

    monkeypatch.setattr(wire, "send", other_certificate)
    check(terminal)

    assert found() == [("Вход", STOPPED)]


def test_terminal_that_was_never_checked_is_a_trouble_unless_it_is_not_in_use() -> None:
    registry.add(Access("Новый", "http://new.test", "admin", "x"))
    registry.add(Access("Запасной", "http://spare.test", "admin", "x", is_active=False))

    assert found() == [("Новый", UNCHECKED)]


def test_clock_and_fullness_block_nobody(terminal: Terminal, simulator: Simulated) -> None:
    simulator.trigger("clock-fast")
    check(terminal)

    assert found() == [("Вход", CLOCK)]
    assert [kind for kind in KINDS if kind not in terminal_problems.BLOCKING] == [OFF, LOST, FULL, CLOCK]


def test_worst_comes_first_and_of_one_terminal_only_the_worst_counts() -> None:
    for number, broken in enumerate(BROKEN.values()):
        one = registry.add(Access(f"T{number}", "http://one.test", "admin", "x"))
        for name, value in {**WELL, **broken}.items():
            setattr(one, name, value)
        db.session.commit()
    all_at_once = {name: value for broken in BROKEN.values() for name, value in broken.items()}

    lost_people.record(registry.add(Access("Пустой", "http://two.test", "admin", "x")).id, 40)
    db.session.execute(db.update(Terminal).where(Terminal.name == "Пустой").values(**WELL))
    db.session.commit()

    assert [kind for _, kind in found()] == list(KINDS)
    lost = lost_people.LostPeople(40, datetime.now(UTC), 0, 40, 0)
    assert terminal_problems.kind_of(Terminal(**{**WELL, **all_at_once}), lost) == LOCKED
