"""A save is one transaction with its photo and wishes; who leaves is wanted nowhere; search knows no case."""

import io
import os
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from unittest.mock import Mock

import pytest
from sqlalchemy import func, select

from hikflask.extensions import Base, db
from hikflask.models import Employee, Enrolment, Photo, Terminal
from hikflask.models.capture import CAPTURED, USED
from hikflask.models.enrolment import CONFIRMED, PENDING
from hikflask.services.captures import deadline
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.services.core.errors import BadPhoto, CaptureSuperseded, NameTooLong, ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.employees import photo_drafts, search
from hikflask.services.employees.lifecycle import delete_employee, set_active
from hikflask.services.employees.save import FaceSource, add_many, save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.photos import storage
from hikflask.simulator import Terminal as Simulated
from tests.conftest import HOST, NobodyComes
from tests.support.captures import FACE, IVAN, OTHER_FACE, capture_face
from tests.support.enrolments import enrol_employee
from tests.support.trail import entries, fields
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

OLGA = Draft("100333", "Ольга Ёлкина", "Бухгалтерия")
# One letter with so many accents that no terminal takes it.
LONG = Draft("100222", "Ё" + "\u0301" * 127)


def upload(terminal: Terminal | None = None, picture: bytes = OTHER_FACE) -> FaceSource:
    return FaceSource(upload=io.BytesIO(picture), terminal_id=terminal.id if terminal else None)


def files() -> list[str]:
    return sorted(path.name for path in storage.folder().iterdir())


def count(kind: type[Base]) -> int:
    found = db.session.execute(select(func.count()).select_from(kind)).scalar_one()
    db.session.commit()
    return found


Row = TypeVar("Row", bound=Base)


def row(kind: type[Row], row_id: int) -> Row:
    found = db.session.get_one(kind, row_id, populate_existing=True)
    db.session.commit()
    return found


def test_save_writes_employee_photo_and_wish_together(simulator: Simulated, terminal: Terminal) -> None:
    taken = capture_face(simulator, terminal)

    saved = save_employee(IVAN, FaceSource(taken.id, taken.requested_by)).row

    assert (saved.number, saved.name, saved.department, saved.is_active) == ("100222", "Иван Иванов", "Охрана", True)
    assert saved.photo is not None
    assert storage.read_photo(saved.photo) == FACE
    assert deadline.view(taken.id).state == USED
    wish = queries.of_number("100222")[0]
    assert (wish.photo_id, wish.person, wish.face, wish.employee_id) == (saved.photo_id, PENDING, PENDING, saved.id)


def test_number_of_the_save_counts_and_names_the_file(simulator: Simulated, terminal: Terminal) -> None:
    taken = capture_face(simulator, terminal, Draft())
    assert files()[0].startswith("capture_")

    saved = save_employee(IVAN, FaceSource(taken.id, taken.requested_by)).row

    assert saved.photo is not None
    assert files() == [saved.photo.file]
    assert saved.photo.file.startswith("100222_")


@pytest.mark.parametrize(
    ("draft", "code"), [(OLGA, "number_known"), (LONG, "name_bytes")], ids=["number known", "name too long"]
)
def test_save_that_fails_leaves_no_row_and_no_file_and_the_capture_as_it_was(
    simulator: Simulated, terminal: Terminal, draft: Draft, code: str
) -> None:
    save_employee(OLGA)
    taken = capture_face(simulator, terminal, Draft())
    before = files()

    with pytest.raises(ServiceError, match=f"^{code}$"):
        save_employee(draft, FaceSource(taken.id, taken.requested_by))

    assert deadline.view(taken.id).state == CAPTURED
    assert (count(Employee), count(Enrolment), count(Photo)) == (1, 0, 1)
    assert files() == before
    saved = save_employee(IVAN, FaceSource(taken.id, taken.requested_by)).row
    assert saved.photo is not None
    assert storage.read_photo(saved.photo) == FACE


def test_upload_of_a_save_that_fails_is_not_kept(terminal: Terminal) -> None:
    with pytest.raises(NameTooLong):
        save_employee(LONG, upload(terminal))

    assert (files(), count(Employee), count(Photo)) == ([], 0, 0)


def test_upload_that_is_no_picture_saves_nothing() -> None:
    with pytest.raises(BadPhoto):
        save_employee(IVAN, upload(picture=b"text"))

    assert (files(), count(Employee)) == ([], 0)


@pytest.mark.both_databases
def test_upload_for_an_unknown_terminal_saves_nothing(terminal: Terminal) -> None:
    with pytest.raises(ServiceError, match=r"^terminal_unknown$"):
        save_employee(IVAN, FaceSource(upload=io.BytesIO(OTHER_FACE), terminal_id=terminal.id + 1))

    assert (files(), count(Employee), count(Enrolment)) == ([], 0, 0)


def test_captured_file_that_is_gone_saves_nothing(simulator: Simulated, terminal: Terminal) -> None:
    taken = capture_face(simulator, terminal, Draft())
    storage.unlink(*files())

    with pytest.raises(CaptureSuperseded, match=r"^file_gone$"):
        save_employee(IVAN, FaceSource(taken.id, taken.requested_by))

    assert count(Employee) == 0


def test_double_save_is_one_save(simulator: Simulated, terminal: Terminal) -> None:
    source = FaceSource(capture_face(simulator, terminal).id, "Анна")

    first, second = save_employee(IVAN, source).row, save_employee(IVAN, source).row

    assert first.id == second.id
    assert (count(Employee), count(Photo), count(Enrolment)) == (1, 1, 1)
    assert queries.of_number("100222")[0].generation == 1


def test_second_employee_cannot_be_saved_with_the_same_capture(simulator: Simulated, terminal: Terminal) -> None:
    source = FaceSource(capture_face(simulator, terminal).id, "Анна")
    save_employee(IVAN, source)

    with pytest.raises(CaptureSuperseded):
        save_employee(OLGA, source)

    assert count(Employee) == 1


@pytest.mark.both_databases
def test_second_capture_before_the_save_supersedes_the_first(simulator: Simulated, terminal: Terminal) -> None:
    first = capture_face(simulator, terminal)
    capture_face(simulator, terminal, OLGA, OTHER_FACE)

    with pytest.raises(CaptureSuperseded):
        save_employee(IVAN, FaceSource(first.id, first.requested_by))

    assert count(Employee) == 0


def test_form_that_still_shows_the_saved_capture_saves_what_is_typed(simulator: Simulated, terminal: Terminal) -> None:
    source = FaceSource(capture_face(simulator, terminal).id, "Анна")
    saved = save_employee(IVAN, source).row

    save_employee(Draft("100222", "Иван Иванов", "Склад"), source, employee_id=saved.id)

    assert row(Employee, saved.id).department == "Склад"
    assert row(Employee, saved.id).photo_id == saved.photo_id


@pytest.mark.both_databases
def test_running_capture_is_waited_for(terminal: Terminal) -> None:
    started = start_capture(terminal.id, IVAN, "Анна")

    with pytest.raises(ServiceError, match=r"^capture_running$"):
        save_employee(IVAN, FaceSource(started.id, started.requested_by))

    assert count(Employee) == 0


@pytest.mark.both_databases
@pytest.mark.usefixtures("simulator")
def test_capture_that_failed_is_as_none(terminal: Terminal, nobody_comes: NobodyComes) -> None:
    with nobody_comes():
        failed = run_capture(start_capture(terminal.id, IVAN, "Анна").id)

    saved = save_employee(IVAN, FaceSource(failed.id, failed.requested_by)).row

    assert saved.photo is None
    assert queries.of_number("100222") == []


def test_upload_is_wanted_at_the_selected_terminal_alone(terminal: Terminal) -> None:
    save_employee(IVAN, upload())
    assert queries.of_number("100222") == []

    save_employee(OLGA, upload(terminal))

    assert [wish.terminal_id for wish in queries.of_number("100333")] == [terminal.id]


def test_new_photo_takes_the_place_of_the_old_one(simulator: Simulated, terminal: Terminal) -> None:
    saved = save_employee(IVAN, upload(picture=OTHER_FACE)).row

    save_employee(IVAN, FaceSource(capture_face(simulator, terminal).id, "Анна"), employee_id=saved.id)

    photo = row(Employee, saved.id).photo
    assert photo is not None
    assert storage.read_photo(photo) == FACE


def test_photo_is_renamed_with_the_number(terminal: Terminal) -> None:  # noqa: ARG001
    saved = save_employee(IVAN, upload()).row

    changed = save_employee(Draft("100999", "Иван Иванов"), employee_id=saved.id).row

    assert changed.photo is not None
    assert files() == [changed.photo.file]
    assert changed.photo.file.startswith("100999_")


def test_number_in_use_is_refused_to_somebody_else() -> None:
    save_employee(IVAN)
    olga = save_employee(OLGA).row

    with pytest.raises(ServiceError, match=r"^number_known$") as refused:
        save_employee(Draft("100222", "Ольга Новая"), employee_id=olga.id)

    assert refused.value.params == {"n": "100222"}
    assert row(Employee, olga.id).name == "Ольга Ёлкина"


@pytest.mark.both_databases
def test_many_are_added_as_each_would_be_alone() -> None:
    departments.add("Склад")
    drafts = [
        Draft("1", "Иван Иванов", "склад"),
        Draft("2", "Ольга Ёлкина", terminal_name="Оля", valid_from="2020-01-31", valid_to="2999-01-31"),
    ]

    many = add_many(drafts)
    alone = [save_employee(replace(draft, number=f"1{draft.number}")).row for draft in drafts]

    assert [*many] == ["1", "2"]
    for employee, other in zip(many.values(), alone, strict=True):
        assert {**employee.typed(), "number": other.number} == other.typed()
        assert (employee.is_active, employee.photo_id) == (other.is_active, other.photo_id)
        assert search.by_number(employee.number) == employee
    first, second, third, fourth = entries("employee.created")
    assert (first.employee, first.after) == ("1", {**fields(third.after), "number": "1"})
    assert (second.employee, second.after) == ("2", {**fields(fourth.after), "number": "2"})


def test_nobody_is_added_when_the_validity_of_one_is_over() -> None:
    with pytest.raises(ServiceError, match=r"^validity_over$"):
        add_many([Draft("1", "Пётр Чехов"), Draft("2", "Ольга Ёлкина", valid_to="2020-01-31")])

    assert count(Employee) == 0


@pytest.mark.both_databases
def test_those_of_whom_more_is_to_be_decided_are_not_among_the_many(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    ivan = enrol_employee(simulator, terminal)
    wire.away.add(HOST)
    delete_employee(ivan.id)
    save_employee(OLGA)
    leaving, known = Draft("100222", "Новый Человек"), replace(OLGA, department="")

    added = add_many([leaving, known, Draft("2", "Пётр Чехов", "Неизвестный"), Draft("3", "Пётр Чехов")])

    assert [*added] == ["3"]
    assert count(Employee) == 2
    assert departments.find("Неизвестный") is None


def test_number_that_is_leaving_is_refused_to_a_new_owner_until_it_left(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    ivan = enrol_employee(simulator, terminal)
    wire.away.add(HOST)
    left = delete_employee(ivan.id).due
    newcomer = Draft("100222", "Новый Человек")

    with pytest.raises(ServiceError, match=r"^number_leaving$") as refused:
        save_employee(newcomer)

    assert refused.value.params == {"n": "100222", "t": "Вход"}
    assert count(Employee) == 0
    wire.away.clear()
    reconcile(left[0], "Анна")
    assert save_employee(newcomer).row.name == "Новый Человек"


@pytest.mark.both_databases
def test_rename_is_wanted_where_the_employee_is(simulator: Simulated, terminal: Terminal) -> None:
    ivan = enrol_employee(simulator, terminal)

    save_employee(Draft("100222", "Иван Петров"), employee_id=ivan.id)

    wish = queries.of_number("100222")[0]
    assert (wish.person, wish.face) == (PENDING, CONFIRMED)
    assert not queries.synced([ivan.id])


def test_rename_that_a_terminal_does_not_take_changes_nothing(simulator: Simulated, terminal: Terminal) -> None:
    ivan = enrol_employee(simulator, terminal)

    with pytest.raises(NameTooLong) as refused:
        save_employee(LONG, employee_id=ivan.id)

    assert (refused.value.params["length"], refused.value.params["t"]) == (256, "Вход")
    assert row(Employee, ivan.id).name == "Иван Иванов"
    assert queries.of_number("100222")[0].is_confirmed


def test_somebody_inactive_gets_no_face_on_a_terminal(simulator: Simulated, terminal: Terminal) -> None:
    ivan = save_employee(IVAN).row
    set_active(ivan.id, active=False)
    taken = capture_face(simulator, terminal)

    with pytest.raises(ServiceError, match=r"^employee_inactive$"):
        save_employee(IVAN, FaceSource(taken.id, taken.requested_by), employee_id=ivan.id)

    assert deadline.view(taken.id).state == CAPTURED
    assert queries.of_number("100222") == []


def draft_of_photo(owner: str = "Анна", number: str = "1") -> FaceSource:
    """An upload that was looked at, for a number that was typed wrong at first."""
    made = photo_drafts.make(io.BytesIO(OTHER_FACE), number, owner)
    return FaceSource(saved_by=owner, photo_draft=made.token)


def test_draft_of_a_photo_is_saved_under_the_number_and_nothing_else_is_left() -> None:
    source = draft_of_photo()
    picture = photo_drafts.picture(source.photo_draft, "Анна")

    saved = save_employee(IVAN, source).row

    assert saved.photo is not None
    assert storage.read_photo(saved.photo) == picture
    assert files() == [saved.photo.file]
    assert saved.photo.file.startswith("100222_")
    assert photo_drafts.find(source.photo_draft, "Анна") is None


def test_draft_that_is_sent_twice_is_saved_once_and_to_nobody_else() -> None:
    source = draft_of_photo()
    saved = save_employee(IVAN, source).row

    again = save_employee(IVAN, source).row

    assert again.id == saved.id
    with pytest.raises(ServiceError, match=r"^photo_draft_gone$"):
        save_employee(OLGA, source)
    assert count(Employee) == 1
    assert row(Photo, saved.photo_id or 0).employee_id == saved.id


def test_draft_stays_when_the_save_fails() -> None:
    save_employee(IVAN)
    source = draft_of_photo()

    with pytest.raises(ServiceError, match=r"^number_known$"):
        save_employee(IVAN, source)

    assert photo_drafts.find(source.photo_draft, "Анна") is not None
    assert save_employee(OLGA, source).row.photo is not None


@pytest.mark.both_databases
def test_nobody_saves_the_draft_of_another_operator() -> None:
    source = replace(draft_of_photo(), saved_by="Борис")

    with pytest.raises(ServiceError, match=r"^photo_draft_gone$"):
        save_employee(IVAN, source)

    assert count(Employee) == 0


@pytest.mark.both_databases
def test_file_beside_a_draft_that_a_killed_save_left_is_removed_later(monkeypatch: pytest.MonkeyPatch) -> None:
    source = draft_of_photo()
    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            save_employee(IVAN, source)
    (left,) = storage.files_beside()
    os.utime(left, (0, 0))

    storage.remove_half_written()

    assert storage.files_beside() == []


@pytest.mark.both_databases
def test_department_is_saved_in_the_known_spelling() -> None:
    save_employee(OLGA)

    added = save_employee(Draft("1", "Иван", " бухгалтерия")).row
    assert (added.department, added.search) == ("Бухгалтерия", "иван 1 бухгалтерия")
    changed = save_employee(Draft("1", "Иван", "БУХГАЛТЕРИЯ"), employee_id=added.id).row
    assert (changed.department, changed.search) == ("Бухгалтерия", "иван 1 бухгалтерия")
    assert departments.names() == ["Бухгалтерия"]


def test_refused_save_adds_no_department() -> None:
    save_employee(OLGA)

    with pytest.raises(ServiceError, match=r"^number_known$"):
        save_employee(Draft(OLGA.number, "Иван", "Охрана"))

    assert departments.names() == ["Бухгалтерия"]


@pytest.mark.both_databases
def test_capture_saved_twice_with_another_spelling_of_the_department_counts_once(
    simulator: Simulated, terminal: Terminal
) -> None:
    save_employee(OLGA)
    capture = capture_face(simulator, terminal)
    typed = replace(IVAN, department="бухгалтерия")
    source = FaceSource(capture.id, capture.requested_by)

    first, second = save_employee(typed, source), save_employee(typed, source)

    assert first.row.id == second.row.id
    assert first.row.department == "Бухгалтерия"
