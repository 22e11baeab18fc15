"""What is typed beside a capture: when it is kept with it, and when not any more."""

from dataclasses import replace

import pytest

from hikflask.models import Terminal
from hikflask.services.captures import deadline, drafts
from hikflask.services.captures.lifecycle import cancel_capture, start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.employees.save import save_employee
from hikflask.simulator import Terminal as Simulated
from tests.conftest import NobodyComes
from tests.support.captures import OLGA, capture_face
from tests.support.erasures import IVAN, every_text

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


@pytest.mark.both_databases
def test_what_is_typed_into_a_capture_after_its_erasure_is_not_kept_with_it(terminal: Terminal) -> None:
    ivan = save_employee(IVAN).row
    running = start_capture(terminal.id, IVAN, "Анна")
    assert erase_employee(ivan.id).row.completed_at is not None

    drafts.keep(running.id, IVAN, "Анна")

    assert "Иван" not in every_text()


@pytest.mark.parametrize("cancelled", [False, True])
def test_what_is_typed_after_a_capture_ended_is_kept_with_it(
    terminal: Terminal, cancelled: bool, nobody_comes: NobodyComes
) -> None:
    with nobody_comes():
        ended = start_capture(terminal.id, IVAN, "Анна")
        if cancelled:
            cancel_capture(ended.id)
        run_capture(ended.id)

    drafts.keep(ended.id, OLGA, "Анна")

    assert deadline.view(ended.id).capture.draft_name == OLGA.name


def test_what_is_typed_is_kept_with_the_callers_own_captures_alone(simulator: Simulated, terminal: Terminal) -> None:
    annas = capture_face(simulator, terminal)
    retake = start_capture(terminal.id, IVAN, "Борис", own=annas.id)

    assert not drafts.keep(annas.id, OLGA, "Борис")
    assert drafts.keep(retake.id, OLGA, "Борис")

    assert [drafts.of(deadline.view(one.id).capture) for one in (annas, retake)] == [IVAN, OLGA]


@pytest.mark.parametrize("groups", [None, (), (3, 1)])
def test_ticked_groups_are_kept_with_the_capture(terminal: Terminal, groups: tuple[int, ...] | None) -> None:
    begun = start_capture(terminal.id, replace(IVAN, groups=groups), "Анна")

    assert drafts.of(deadline.view(begun.id).capture).groups == groups
    drafts.keep(begun.id, replace(IVAN, groups=(2,)), "Анна")
    assert drafts.of(deadline.view(begun.id).capture).groups == (2,)
