"""What sending many to one terminal would do is counted before anything is done."""

import pytest

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.provisioning import bring_people, send_preview
from hikflask.services.provisioning.send_preview import SendPreview
from hikflask.services.terminals import registry
from tests.support.captures import FACE, IVAN, OLGA, OTHER_FACE
from tests.support.employees import save_with_file
from tests.support.fleet import add_terminal, device
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


@pytest.fixture
def four(context: None, terminal: Terminal) -> None:  # noqa: ARG001
    """Two with a photo, one without, and one with a name that is too long."""
    save_with_file(IVAN, terminal.id, FACE)
    save_with_file(OLGA, terminal.id, OTHER_FACE)
    save_employee(Draft("3", "Пётр Ли"))
    save_employee(Draft("4", "Константинопольский Константин Константинович"))


def limited(terminal: Terminal, **columns: object) -> Terminal:
    unlimited = {"name_bytes": None, "people_capacity": None, "people": 0}
    db.session.execute(db.update(Terminal).where(Terminal.id == terminal.id).values(**{**unlimited, **columns}))
    db.session.commit()
    found = registry.find_terminal(terminal.id)
    assert found is not None
    return found


@pytest.mark.usefixtures("four")
def test_plan_of_a_terminal_that_takes_pictures(wire: InProcess) -> None:
    there = limited(add_terminal(wire, "second.test", "Склад", device()), name_bytes=64, people_capacity=3)

    job = bring_people.draft_from(there.id)

    assert send_preview.of_job(job.id, there) == SendPreview(
        4, by_picture=2, to_camera=2, shortened=1, no_room=1, is_sure=True
    )
    assert (job.terminal_id, job.params["terminal"]) == (there.id, "Склад")


@pytest.mark.both_databases
def test_plan_of_a_terminal_that_takes_none(terminal: Terminal) -> None:
    save_employee(IVAN)
    save_employee(OLGA)
    there = limited(terminal)

    found = send_preview.of_job(bring_people.draft_from(there.id).id, there)

    assert found == SendPreview(2, by_picture=0, to_camera=2, shortened=0, no_room=0, is_sure=True)


@pytest.mark.both_databases
def test_who_is_desired_there_or_inactive_is_not_meant(terminal: Terminal) -> None:
    ivan, olga = save_employee(IVAN).row, save_employee(OLGA).row
    save_employee(Draft("3", "Пётр Ли"))
    send_to_terminal(ivan.id, terminal.id)
    set_active(olga.id, active=False)

    assert send_preview.count_absent(terminal) == 1
    assert bring_people.draft_from(terminal.id).total == 1


def test_room_is_what_neither_the_counted_nor_the_desired_take(terminal: Terminal) -> None:
    for draft in (IVAN, OLGA):
        send_to_terminal(save_employee(draft).row.id, terminal.id)

    assert send_preview.room_left(limited(terminal, people_capacity=5, people=1)) == 3
    assert send_preview.room_left(limited(terminal, people_capacity=5, people=4)) == 1
    assert send_preview.room_left(limited(terminal)) is None
