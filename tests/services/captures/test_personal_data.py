"""One person's captures: which they are, and what is left of them once they are forgotten."""

import pytest

from hikflask.extensions import db
from hikflask.models import Capture, Photo, Terminal
from hikflask.models.capture import CANCELLED
from hikflask.services.captures import personal_data, queries
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.photos import storage
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import IVAN, capture_face

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

OLGA = Draft("100333", "Ольга Ёлкина")


def forget(employee_id: int | None = None) -> list[str]:
    """Forget Ivan, and return the files that are to be removed."""
    files = personal_data.forget_person(IVAN.number, IVAN.name, employee_id)
    db.session.commit()
    return files


def ids(found: list[Capture]) -> list[int]:
    return [capture.id for capture in found]


def test_captures_are_found_by_the_number_they_were_taken_for_and_by_whom_they_were_saved_to(
    simulator: Simulated, terminal: Terminal
) -> None:
    unsaved = capture_face(simulator, terminal)
    other = capture_face(simulator, terminal, OLGA)
    ivan = save_employee(IVAN, FaceSource(other.id, other.requested_by)).row

    assert ids(personal_data.find_by_number("100222")) == [unsaved.id]
    assert ids(personal_data.find_by_number("100222", ivan.id)) == [unsaved.id, other.id]


def test_typed_name_is_forgotten_under_a_number_that_nobody_has(simulator: Simulated, terminal: Terminal) -> None:
    ivan = save_employee(IVAN).row
    slip = capture_face(simulator, terminal, Draft("100999", "  иван ИВАНОВ "))
    save_employee(Draft("100444", "Иван Иванов"))
    theirs = capture_face(simulator, terminal, Draft("100444", "Иван Иванов"))

    assert ids(personal_data.find_by_name("100222", "Иван Иванов")) == [slip.id]
    assert forget(ivan.id) == [slip.photo.file if slip.photo else ""]
    assert queries.get(slip.id) is None
    assert queries.get(theirs.id) is not None


def test_capture_that_was_begun_for_this_number_and_saved_to_somebody_else_stays_theirs(
    simulator: Simulated, terminal: Terminal
) -> None:
    taken = capture_face(simulator, terminal, IVAN)
    olga = save_employee(OLGA, FaceSource(taken.id, taken.requested_by)).row
    ivan = save_employee(IVAN).row

    assert forget(ivan.id) == []

    kept = queries.get(taken.id)
    assert kept is not None
    assert (kept.draft_number, kept.draft_name, kept.photo_id) == ("", "", olga.photo_id)


def test_capture_that_runs_is_cancelled_and_says_nothing_any_more(terminal: Terminal) -> None:
    ivan = save_employee(IVAN).row
    running = start_capture(terminal.id, IVAN, "Анна")

    assert forget(ivan.id) == []

    left = queries.get(running.id)
    assert left is not None
    assert (left.state, left.draft_number, left.draft_name, left.draft_department) == (CANCELLED, "", "", "")


def test_unsaved_picture_goes_with_its_capture(simulator: Simulated, terminal: Terminal) -> None:
    taken = capture_face(simulator, terminal)
    assert taken.photo is not None

    assert forget() == [taken.photo.file]
    assert (db.session.query(Capture).count(), db.session.query(Photo).count()) == (0, 0)


def test_photo_that_belongs_to_nobody_is_known_by_its_number_until_its_file_is_removed() -> None:
    picture = storage.keep(b"a picture", "100222")
    storage.keep(b"another", "100333")

    assert personal_data.leftover_photos("100222") == [picture.id]
    assert forget() == [picture.file]
    assert personal_data.leftover_photos("100222") == []
