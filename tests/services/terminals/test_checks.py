"""What a check learns is written to the terminal's row."""

import dataclasses

import pytest

from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import profile_named
from tests.conftest import PASSWORD
from tests.support.wire import InProcess

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def test_terminal_that_says_more_than_a_column_holds_is_cut(wire: InProcess) -> None:
    talkative = dataclasses.replace(profile_named("K1T341AMF"), model="M" * 100, firmware="V" * 100)
    wire.put("talkative.test", Simulated(PASSWORD, clock=SkippingClock(), profile=talkative))
    added = registry.add(Access("Склад", "http://talkative.test", "admin", PASSWORD))

    checked = checks.check(added.id, "test")

    assert (checked.model, len(checked.firmware)) == ("M" * 64, 64)
