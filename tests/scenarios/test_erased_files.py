"""Files of the erased: whatever a killed process, or retention on its way, left of them goes before the certificate."""

import io
from contextlib import suppress
from pathlib import Path
from unittest.mock import Mock

import pytest
from flask import Flask
from sqlalchemy import Connection, event, insert, select, update

from hikflask.background import tasks
from hikflask.extensions import db
from hikflask.models import Capture, Erasure, ErasureFile, Photo, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import transaction
from hikflask.services.core.errors import CaptureSuperseded
from hikflask.services.employees.erasure import erase_by_number, erase_employee, has_data_of
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.employees.save import save_employee
from hikflask.services.photos import deletion, storage
from hikflask.services.photos.retention import forget_photos
from hikflask.services.privacy import certificates
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, IVAN, OTHER_FACE, capture_face
from tests.support.database_readers import somebody_reads
from tests.support.employees import save_with_face, save_with_file
from tests.support.erasures import count, erase_number, every_text, fresh, settle_all
from tests.support.retention import age, files, save_and_die, settle
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

OLGA = Draft("100333", "Ольга Ёлкина")


def stray(name: str = f"100222_{'x' * 22}.jpg") -> Path:
    """A picture that no row knows, as after a backup of the folder alone."""
    path = storage.folder() / name
    path.write_bytes(FACE)
    return path


def test_picture_of_a_capture_that_retention_has_only_marked(simulator: Simulated, terminal: Terminal) -> None:
    capture_face(simulator, terminal)
    ivan = save_employee(IVAN).row
    olgas = capture_face(simulator, terminal, OLGA, OTHER_FACE)
    age(Capture, "hold_until", 1)
    assert forget_photos() == 1

    erasure = erase_employee(ivan.id).row

    assert erasure.completed_at is not None
    assert olgas.photo is not None
    assert (files(), erasure.photos) == ([olgas.photo.file], 1)


@pytest.mark.both_databases
def test_photo_that_retention_has_only_marked_is_counted_and_removed(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    app.config["PHOTO_RETENTION"] = "never"
    ivan = save_with_face(simulator, terminal)
    settle()
    assert forget_photos() == 1

    erasure = erase_employee(ivan.id).row

    assert (files(), erasure.photos) == ([], 1)


def test_photo_that_retention_has_removed_is_not_counted(app: Flask, simulator: Simulated, terminal: Terminal) -> None:
    app.config["PHOTO_RETENTION"] = "never"
    ivan = save_with_face(simulator, terminal)
    settle()
    forget_photos()
    deletion.remove_files()

    assert erase_employee(ivan.id).row.photos == 0


def test_former_name_that_a_killed_save_left(
    simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    ivan = save_and_die(simulator, terminal, monkeypatch)

    erasure = erase_employee(ivan.id).row

    assert (files(), erasure.photos) == ([], 1)


@pytest.mark.both_databases
def test_name_that_a_save_gave_and_was_killed_before_its_commit(simulator: Simulated, terminal: Terminal) -> None:
    ivan = save_with_face(simulator, terminal)
    picture = db.session.get_one(Photo, ivan.photo_id)
    with suppress(ZeroDivisionError), transaction():
        storage.Files().rename(picture, "100555")
        raise ZeroDivisionError
    assert len(files()) == 2

    erase_employee(ivan.id)

    assert files() == []


@pytest.mark.parametrize("known", [True, False])
def test_picture_whose_process_died_before_it_was_saved(known: bool) -> None:
    ivan = save_employee(IVAN).row
    storage.keep_upload(io.BytesIO(FACE), "100222")
    another = storage.keep_upload(io.BytesIO(FACE), "10022")
    if not known:
        delete_employee(ivan.id)

    erasure = erase_employee(ivan.id).row if known else erase_number()

    assert erasure is not None
    assert erasure.completed_at is not None
    assert (files(), erasure.photos) == ([another.file], 1)
    assert [photo.id for photo in db.session.query(Photo)] == [another.id]


@pytest.mark.both_databases
def test_picture_that_was_erased_while_it_was_saved_is_refused(simulator: Simulated, terminal: Terminal) -> None:
    save_with_face(simulator, terminal, OLGA)
    picture = storage.keep_upload(io.BytesIO(FACE), "100222")
    erase_by_number("100222")

    with pytest.raises(CaptureSuperseded):
        storage.save(picture)


def test_picture_that_no_row_knows() -> None:
    ivan = save_with_file()
    stray()
    stray(f".100222_{'y' * 22}.jpg.part")
    others = [stray(f"1002222_{'z' * 22}.jpg").name, stray("100222_notes.jpg").name]

    erasure = erase_employee(ivan.id).row

    assert erasure.completed_at is not None
    assert (files(), erasure.photos) == (sorted(others), 3)


def test_picture_that_no_row_knows_is_found_by_number() -> None:
    stray()

    assert has_data_of("100222")
    erasure = erase_number()

    assert (files(), erasure.photos) == ([], 1)


def test_picture_of_somebody_deleted_that_could_not_be_removed_is_found_by_number() -> None:
    stuck = storage.folder() / storage.find_by_file(_file_of(save_with_file().photo_id)).file  # type: ignore[union-attr]
    stuck.unlink()
    stuck.mkdir()
    delete_employee(1)

    erasure = erase_number()
    assert erasure.completed_at is None

    stuck.rmdir()
    certificates.complete_all()
    assert fresh(erasure).completed_at is not None


def _file_of(photo_id: int | None) -> str:
    return db.session.get_one(Photo, photo_id).file


def test_certificate_waits_while_a_picture_under_the_number_cannot_be_removed(
    simulator: Simulated, terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    ivan = save_with_face(simulator, terminal)
    settle()
    wire.away.add("terminal.test")
    erasure = erase_employee(ivan.id).row
    wire.away.clear()
    settle_all()
    came_back = stray()
    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", Mock(side_effect=PermissionError(1, "Operation not permitted")))
        certificates.complete_all()

    assert fresh(erasure).completed_at is None
    assert came_back.exists()
    certificates.complete_all()
    assert fresh(erasure).completed_at is not None
    assert files() == []


@pytest.mark.both_databases
def test_erasing_the_number_again_adds_what_came_since(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    ivan = save_with_face(simulator, terminal)
    settle()
    wire.away.add("terminal.test")
    erasure = erase_employee(ivan.id).row
    wire.away.clear()
    capture_face(simulator, terminal, IVAN, OTHER_FACE)
    assert len(files()) == 1

    again = erase_number()

    assert (again.id, again.photos, again.completed_at) == (erasure.id, 2, None)
    assert (files(), count(Capture), count(Erasure)) == ([], 0, 1)
    settle_all()
    assert certificates.complete(erasure.id).completed_at is not None
    assert "Иван" not in every_text()


def test_erasing_the_number_again_awaits_terminals_that_came_since(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    ivan = save_with_file()
    stuck = storage.folder() / _file_of(ivan.photo_id)
    stuck.unlink()
    stuck.mkdir()
    erasure = erase_employee(ivan.id).row
    second = save_with_face(simulator, terminal)
    settle()
    wire.away.add("terminal.test")
    delete_employee(second.id)

    again = erase_number()

    assert again.id == erasure.id
    stuck.rmdir()
    assert certificates.complete(erasure.id).completed_at is None
    assert [removal.terminal for removal in fresh(erasure).removals] == ["Вход"]
    wire.away.clear()
    settle_all()
    assert certificates.complete(erasure.id).completed_at is not None


@pytest.mark.both_databases
def test_open_erasure_takes_nothing_of_the_numbers_next_owner(simulator: Simulated, terminal: Terminal) -> None:
    ivan = save_with_file()
    stuck = storage.folder() / _file_of(ivan.photo_id)
    stuck.unlink()
    stuck.mkdir()
    erasure = erase_employee(ivan.id).row
    save_with_face(simulator, terminal, Draft("100222", "Пётр Петров"))

    again = erase_number()

    assert (again.id, again.photos, count(Capture)) == (erasure.id, 1, 1)


@pytest.mark.both_databases
def test_what_is_added_while_the_database_is_written_anew_waits_for_the_next_time() -> None:
    ivan = save_with_file()
    added: list[Path] = []
    another_erasure = insert(Erasure).values(number="7", name="Пётр Петров", requested_by="Анна")

    @event.listens_for(db.engine, "after_cursor_execute")
    def add(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("VACUUM") and not added:
            added.append(stray())
            with db.engine.begin() as another:
                another.execute(update(Erasure).values(version=Erasure.version + 1))
                another.execute(insert(ErasureFile).values(erasure_id=1, file=added[0].name))
                another.execute(another_erasure)

    erasure = erase_employee(ivan.id).row

    assert (fresh(erasure).completed_at, files()) == (None, [added[0].name])
    later = db.session.execute(select(Erasure).where(Erasure.number == "7")).scalar_one()
    assert later.completed_at is None
    assert certificates.complete(erasure.id).completed_at is not None
    assert fresh(later).completed_at is not None
    assert files() == []


@pytest.mark.both_databases
def test_certificate_waits_while_somebody_reads_what_was_there_before() -> None:
    ivan = save_with_file()

    with somebody_reads():
        erasure = erase_employee(ivan.id).row
        assert (erasure.completed_at, files()) == (None, [])

    tasks.sweep()
    assert fresh(erasure).completed_at is not None


@pytest.mark.both_databases
def test_what_comes_while_an_erasure_waits_for_the_database_alone_is_another_erasure(
    simulator: Simulated, terminal: Terminal
) -> None:
    ivan = save_with_file()

    with somebody_reads():
        erasure = erase_employee(ivan.id).row
        capture_face(simulator, terminal, IVAN, OTHER_FACE)
        another = erase_number()

    assert (another.id != erasure.id, another.photos, count(Capture)) == (True, 1, 0)
    certificates.complete_all()
    assert None not in {fresh(erasure).completed_at, fresh(another).completed_at}


@pytest.mark.both_databases
def test_what_comes_then_is_added_to_the_latest_erasure(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    ivan = save_with_file()

    with somebody_reads():
        erase_employee(ivan.id)
        second = save_with_face(simulator, terminal)
        settle()
        wire.away.add("terminal.test")
        delete_employee(second.id)
        awaiting = erase_number()
        storage.keep_upload(io.BytesIO(FACE), "100222")
        again = erase_number()

    assert awaiting is not None
    assert again is not None
    assert (again.id, again.photos, count(Erasure)) == (awaiting.id, 1, 2)
