"""Which picture that nobody saved yet a caller, or a form, may save."""

import pytest

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Terminal
from hikflask.models.capture import CAPTURED, FAILED, QUEUED, SUPERSEDED, USED
from hikflask.models.columns import database_now
from hikflask.services.captures import queries
from hikflask.services.core.errors import ServiceError
from hikflask.services.photos import storage

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


def add(terminal: Terminal, number: str = "100222", state: str = CAPTURED, **columns: object) -> Capture:
    """Add a capture of the program HR as its row would be."""
    given = {"requested_by": "HR", "deadline": database_now(), "draft_number": number, "state": state, **columns}
    photo_id = storage.keep(b"a picture", number).id if state in {CAPTURED, USED} else None
    capture = Capture(terminal_id=terminal.id, photo_id=photo_id, **given)
    db.session.add(capture)
    db.session.commit()
    return capture


def latest(terminal: Terminal, number: str = "100222", who: str = "HR") -> Capture | None:
    return queries.latest_unsaved(terminal.id, number, who)


def test_newest_of_the_callers_own_for_this_number_is_meant(terminal: Terminal) -> None:
    add(terminal)
    newest = add(terminal)
    add(terminal, requested_by="Анна")
    add(terminal, "100333")

    assert latest(terminal) == queries.latest_unsaved(None, "100222", "HR") == newest
    assert queries.latest_unsaved(terminal.id + 1, "100222", "HR") is None


def test_path_of_somebody_elses_capture_is_unknown(terminal: Terminal) -> None:
    capture = add(terminal, requested_by="Анна")
    photo = queries.photo_of(capture)
    assert photo is not None
    employee = Employee(number="100222", name="Иван Иванов")

    with pytest.raises(ServiceError, match=r"^capture_unknown$"):
        queries.unsaved_of_path(f"/uploads/{photo.file}", None, employee, "HR")
    assert queries.unsaved_of_path(f"/uploads/{photo.file}", None, employee, "Анна") == capture


def test_picture_for_no_number_is_meant_for_a_quarter_of_an_hour(terminal: Terminal) -> None:
    add(terminal, "", created_at=database_now(-901.0))
    assert latest(terminal) is None

    lately = add(terminal, "", created_at=database_now(-840.0))

    assert latest(terminal) == lately


def test_caller_hears_of_one_that_was_superseded_lately(terminal: Terminal) -> None:
    add(terminal, state=SUPERSEDED, created_at=database_now(-901.0))
    assert latest(terminal) is None

    lately = add(terminal, state=SUPERSEDED)

    assert latest(terminal) == lately


@pytest.mark.parametrize(("number", "state"), [("", CAPTURED), ("", SUPERSEDED), ("100222", SUPERSEDED)])
def test_one_for_no_number_is_not_meant_beside_another_one(terminal: Terminal, number: str, state: str) -> None:
    other = add(terminal, number, state)
    newest = add(terminal, "")

    with pytest.raises(ServiceError, match=r"^capture_not_named$"):
        latest(terminal)

    db.session.execute(db.update(Capture).where(Capture.id == other.id).values(created_at=database_now(-901.0)))
    db.session.commit()
    assert latest(terminal) == newest


def test_one_for_the_number_is_meant_whatever_else_was_taken(terminal: Terminal) -> None:
    add(terminal, "")
    newest = add(terminal)

    assert latest(terminal) == newest


def test_one_for_no_number_is_meant_beside_those_of_others(terminal: Terminal) -> None:
    add(terminal, "100333")
    add(terminal, "", requested_by="Анна")
    add(terminal, "", FAILED)
    add(terminal, "", USED)
    newest = add(terminal, "")

    assert latest(terminal) == newest


def test_one_that_is_saved_is_meant_no_more_and_nor_is_an_earlier_one(terminal: Terminal) -> None:
    add(terminal)
    add(terminal, state=USED)

    assert latest(terminal) is None


@pytest.mark.parametrize("retake", [QUEUED, FAILED])
def test_form_has_the_earlier_picture_until_the_next_one_is_taken(terminal: Terminal, retake: str) -> None:
    earlier = add(terminal)
    again = add(terminal, state=retake, retake_of=earlier.id)
    assert queries.unsaved_of_form(earlier.id) == queries.unsaved_of_form(again.id) == earlier

    again.state, again.photo_id = CAPTURED, storage.keep(b"another", "100222").id
    db.session.commit()

    assert queries.unsaved_of_form(again.id) == again


def test_form_has_no_picture_that_is_saved_or_unknown(terminal: Terminal) -> None:
    saved = add(terminal, state=USED)
    failed = add(terminal, state=FAILED, retake_of=saved.id)

    assert [queries.unsaved_of_form(one) for one in (saved.id, failed.id, failed.id + 1, None)] == [None] * 4
