"""A card that is held to a terminal is read there, once and by one at a time."""

from dataclasses import replace
from typing import Any

import pytest

from hikflask.extensions import db
from hikflask.isapi.errors import Busy, CardTimeout, Unreachable
from hikflask.models import Terminal
from hikflask.services.cards.capture import capture_card
from hikflask.services.core.errors import ServiceError, TerminalInUse
from hikflask.services.terminals import leases
from hikflask.simulator import Terminal as Simulated
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context")


@pytest.mark.parametrize("how", ["get", "post"])
def test_number_is_told_letter_by_letter(simulator: Simulated, terminal: Terminal, how: Any) -> None:
    simulator.profile = replace(simulator.profile, card_capture=how)
    simulator.present_card("00aB12", when_asked=True)
    assert capture_card(terminal.id, "Анна") == "00aB12"


@pytest.mark.both_databases
def test_nobody_came_and_the_terminal_is_not_away_by_that(simulator: Simulated, terminal: Terminal) -> None:
    with pytest.raises(CardTimeout):
        capture_card(terminal.id, "Анна")
    simulator.faults.add("lost-after", path="CaptureCardInfo", times=1)
    with pytest.raises(CardTimeout):
        capture_card(terminal.id, "Анна")
    row = db.session.get_one(Terminal, terminal.id, populate_existing=True)
    assert (row.offline_since, row.lease_until) == (None, None)


def test_terminal_that_reads_no_cards_says_so(simulator: Simulated, terminal: Terminal) -> None:
    simulator.profile = replace(simulator.profile, card_capture="none")
    with pytest.raises(ServiceError, match=r"^cards_not_read_here$"):
        capture_card(terminal.id, "Анна")


def test_one_at_a_time(simulator: Simulated, terminal: Terminal) -> None:
    leases.acquire(terminal.id, "Ольга", leases.CAPTURE, 30.0)
    simulator.present_card("7", when_asked=True)
    with pytest.raises(TerminalInUse):
        capture_card(terminal.id, "Анна")


def test_terminal_that_is_away_or_used_by_another_program_is_told(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    simulator.faults.add("refuse", "deviceBusy", path="CaptureCardInfo", times=1)
    with pytest.raises(Busy):
        capture_card(terminal.id, "Анна")
    wire.away.add("terminal.test")
    with pytest.raises(Unreachable):
        capture_card(terminal.id, "Анна")
