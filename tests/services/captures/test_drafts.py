"""What is typed travels with a capture, and nobody else writes it."""

import pytest

from hikflask.models import Terminal
from hikflask.services.captures import drafts, progress
from hikflask.services.captures.start import start_capture
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import IVAN, OLGA, capture_face

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def test_what_is_typed_is_kept_with_the_callers_own_captures_alone(simulator: Simulated, terminal: Terminal) -> None:
    annas = capture_face(simulator, terminal)
    retake = start_capture(terminal.id, IVAN, "Борис", own=annas.id)

    assert not drafts.keep(annas.id, OLGA, "Борис")
    assert drafts.keep(retake.id, OLGA, "Борис")

    assert [drafts.of(progress.view(one.id).capture) for one in (annas, retake)] == [IVAN, OLGA]
