"""Before an import is undone, it is known whose face does not come back, and on which terminals."""

import pytest

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.terminal import BY_PICTURE
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.imports import effects
from hikflask.services.imports.lost_faces import LostFaces
from hikflask.services.imports.queries import undo_preview
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, OTHER_FACE
from tests.support.enrolments import employee_of, enrol
from tests.support.imports import apply, checked
from tests.support.jobs import add_people

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def enrolled(simulator: Simulated, terminal: Terminal) -> tuple[Enrolment, Enrolment]:
    """Two people with faces that were captured at the terminal, which takes no photo files."""
    anna = enrol(simulator, terminal, Draft("1", "Анна Ким"))
    return anna, enrol(simulator, terminal, Draft("2", "Олег Юн"), OTHER_FACE)


def leave(*numbers: str) -> int:
    found = checked(*(f"{number};да" for number in numbers), header="ID;Уволен")
    apply(found)
    return found


def lost(batch_id: int) -> tuple[LostFaces, ...]:
    found = undo_preview(batch_id).lost_faces
    db.session.commit()
    return found


@pytest.mark.both_databases
def test_faces_of_leavers_are_lost_where_no_files_are_taken(
    enrolled: tuple[Enrolment, Enrolment], terminal: Terminal
) -> None:
    batch = leave("1", "2")

    assert lost(batch) == (LostFaces(terminal.id, terminal.name, 2, 2, ("Анна Ким", "Олег Юн"), ("1", "2")),)

    reconcile(enrolled[0].id, "Анна")
    assert [(faces.people, faces.leaving) for faces in lost(batch)] == [(2, 1)]


def test_face_that_is_sent_as_a_file_comes_back(enrolled: tuple[Enrolment, Enrolment], terminal: Terminal) -> None:
    batch = leave("1")
    db.session.execute(db.update(Terminal).where(Terminal.id == terminal.id).values(face_mode=BY_PICTURE))
    db.session.commit()

    assert enrolled
    assert lost(batch) == ()


def test_photo_that_the_terminal_never_took_is_no_lost_face(terminal: Terminal) -> None:
    apply(checked("1;Анна Ким;", pictures={"1.jpg": FACE}, terminal_id=terminal.id))

    assert lost(leave("1")) == ()


def test_somebody_who_is_there_still_or_was_changed_since_loses_no_face(
    enrolled: tuple[Enrolment, Enrolment], terminal: Terminal
) -> None:
    (third,) = add_people("3")
    send_to_terminal(third, terminal.id)
    renamed = checked("1;Анна Цой;", "2;Олег Цой;", "3;Пётр;")
    effects.confirm_numbers(renamed, ["1", "2", "3"])
    apply(renamed)
    assert lost(renamed) == ()

    batch = leave("1", "2", "3")
    set_active(employee_of(enrolled[1]), active=True)
    assert [faces.names for faces in lost(batch)] == [("Анна Цой",)]


def test_only_the_first_are_named(simulator: Simulated, terminal: Terminal) -> None:
    for number in "1234567":
        enrol(simulator, terminal, Draft(number, f"Иванов {number}"))

    (faces,) = lost(leave(*"1234567"))

    assert (faces.people, faces.numbers, faces.unnamed) == (7, ("1", "2", "3", "4", "5"), 2)
