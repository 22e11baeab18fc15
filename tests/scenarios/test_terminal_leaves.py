"""On PostgreSQL a terminal is retired or deleted while somebody is desired there: one of the two comes first."""

from collections.abc import Callable

import pytest

from hikflask.background.tasks import enqueue_job
from hikflask.models import Terminal
from hikflask.models.enrolment import PRESENT
from hikflask.services.employees import save
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.retire_terminal import retire_terminal
from hikflask.services.groups import changing, membership
from hikflask.services.groups import registry as groups
from hikflask.services.groups.registry import Wanted
from hikflask.services.terminals import registry
from hikflask.simulator import Terminal as Simulated
from tests.support.between import Between
from tests.support.captures import IVAN, capture_face
from tests.support.enrolments import employee_of, enrol
from tests.support.groups import make_group
from tests.support.removals import AGREED

pytestmark = [
    pytest.mark.usefixtures("context", "worker_alive"),
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
]


def retire(terminal_id: int) -> None:
    retire_terminal(terminal_id, "украден", "Борис")


def delete(terminal_id: int) -> None:
    registry.delete(terminal_id, "Борис")


def nobody_is_left_there() -> bool:
    return all(row.is_confirmed and row.desired != PRESENT for row in queries.of_number(IVAN.number))


def test_somebody_sent_to_a_terminal_is_not_wanted_there_once_it_is_retired(
    terminal: Terminal, between: Between
) -> None:
    ivan = save_employee(IVAN).row.id
    other = between(registry, "active", lambda: retire(terminal.id))

    send_to_terminal(ivan, terminal.id)
    other.finish()

    assert (other.blocked, other.error) == (True, None)
    assert nobody_is_left_there()


def test_terminal_is_not_deleted_while_somebody_is_sent_there(terminal: Terminal, between: Between) -> None:
    ivan = save_employee(IVAN).row.id
    other = between(registry, "active", lambda: delete(terminal.id))

    send_to_terminal(ivan, terminal.id)
    other.finish()

    assert str(other.error) == "terminal_has_people"
    assert [row.desired for row in queries.of_number(IVAN.number)] == [PRESENT]


def test_somebody_activated_again_is_not_wanted_on_a_terminal_that_is_retired_at_that_moment(
    simulator: Simulated, terminal: Terminal, between: Between
) -> None:
    ivan = employee_of(enrol(simulator, terminal))
    set_active(ivan, active=False)
    other = between(queries, "of_number", lambda: retire(terminal.id))

    set_active(ivan, active=True)
    other.finish()

    assert other.error is None
    assert nobody_is_left_there()


@pytest.mark.parametrize("leave", [retire, delete])
def test_group_gives_no_terminal_that_leaves_at_that_moment(
    terminal: Terminal, between: Between, leave: Callable[[int], None]
) -> None:
    make_group("Охрана", [terminal.id], "Охрана")
    other = between(membership, "_difference", lambda: leave(terminal.id))

    save_employee(IVAN)
    other.finish()

    assert other.error is None
    assert queries.of_number(IVAN.number) == []


def test_terminal_is_not_deleted_from_under_a_group_that_is_changed(terminal: Terminal, between: Between) -> None:
    group_id = make_group("Охрана", [terminal.id], "Охрана")
    other = between(groups, "_hold_known", lambda: delete(terminal.id))

    changing.change(group_id, Wanted("Охрана", [terminal.id]), enqueue_job, AGREED)
    other.finish()

    assert (other.blocked, other.error) == (True, None)


def test_terminal_is_not_deleted_while_a_face_that_was_captured_there_is_saved(
    simulator: Simulated, terminal: Terminal, between: Between
) -> None:
    capture = capture_face(simulator, terminal)
    other = between(save, "_use", lambda: delete(terminal.id))

    save_employee(IVAN, FaceSource(capture.id, capture.requested_by))
    other.finish()

    assert str(other.error) == "terminal_has_people"
    assert [row.desired for row in queries.of_number(IVAN.number)] == [PRESENT]
