"""A worker that is killed, or cannot remove a file, in the middle of deleting a photo: the next pass goes on."""

from pathlib import Path
from unittest.mock import Mock

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Photo, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal
from hikflask.services.photos import storage
from hikflask.services.terminals import registry
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, capture_face
from tests.support.employees import save_with_face, save_with_file
from tests.support.retention import DAY, age, files, forget, photo, reasons, save_and_die, settle
from tests.support.trail import entries

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def keep(app: Flask, policy: str) -> None:
    app.config["PHOTO_RETENTION"] = policy


@pytest.mark.both_databases
def test_file_is_removed_later_when_the_worker_died_before(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    keep(app, "never")
    save_with_face(simulator, terminal)
    settle()
    age(Photo, "forgotten_at", 5.0)
    assert files() != []

    forget()

    assert files() == []
    assert photo().file_deleted_at is not None
    assert reasons() == []


def test_row_says_so_later_when_the_worker_died_after_the_file_was_removed(
    simulator: Simulated, terminal: Terminal
) -> None:
    save_with_face(simulator, terminal)
    age(Photo, "forgotten_at", 5.0)
    storage.unlink(photo().file)

    forget()

    assert photo().file_deleted_at is not None


def test_file_that_cannot_be_removed_is_tried_again_and_stops_nothing(app: Flask) -> None:
    keep(app, "30")
    save_with_file(Draft("1", "Анна"))
    stuck = storage.folder() / photo().file
    save_with_file(Draft("2", "Борис"))
    age(Photo, "created_at", 31 * DAY)
    picture = stuck.read_bytes()
    stuck.unlink()
    stuck.mkdir()

    forget()
    assert files() == [stuck.name]

    stuck.rmdir()
    stuck.write_bytes(picture)
    forget()
    assert files() == []


def test_second_pass_does_nothing_more(app: Flask, simulator: Simulated, terminal: Terminal) -> None:
    keep(app, "never")
    save_with_face(simulator, terminal)
    settle()
    forget()
    first = photo().forgotten_at

    forget()

    assert photo().forgotten_at == first
    assert len(reasons()) == 1


def test_whole_picture_without_a_row_stays() -> None:
    (storage.folder() / "100222_other.jpg").write_bytes(FACE)

    forget()

    assert files() == ["100222_other.jpg"]


def test_picture_whose_process_died_before_it_was_saved_goes_after_an_hour() -> None:
    storage.keep(FACE, "100222")

    forget()
    assert len(files()) == 1

    age(Photo, "forgotten_at", 1)
    forget()
    assert files() == []
    assert db.session.query(Photo).count() == 0


@pytest.mark.both_databases
def test_picture_that_nobody_saved_goes_though_the_clock_was_set_back() -> None:
    storage.keep(FACE, "100222")
    age(Photo, "forgotten_at", -2 * 3600)

    forget()

    assert files() == []


@pytest.mark.both_databases
def test_former_name_goes_with_the_photo_when_the_process_died_before(
    app: Flask, simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    employee = save_and_die(simulator, terminal, monkeypatch)
    keep(app, "never")
    send_to_terminal(employee.id, terminal.id)
    settle()

    forget()

    assert files() == []


@pytest.mark.both_databases
def test_unsaved_picture_goes_later_when_the_process_died_after_its_terminal_was_deleted(
    simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture_face(simulator, terminal)
    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            registry.delete(terminal.id, "test")
    db.session.rollback()
    assert (len(files()), db.session.query(Terminal).count()) == (1, 0)

    forget()

    assert files() == []


@pytest.mark.both_databases
def test_photo_of_somebody_deleted_that_cannot_be_removed_is_tried_again(
    simulator: Simulated, terminal: Terminal
) -> None:
    employee = save_with_face(simulator, terminal)
    stuck = storage.folder() / photo().file
    stuck.unlink()
    stuck.mkdir()

    delete_employee(employee.id)
    assert photo().forgotten_at is not None

    stuck.rmdir()
    forget()
    assert db.session.query(Photo).count() == 0


def test_trail_of_a_forgotten_photo_names_nobody(app: Flask, simulator: Simulated, terminal: Terminal) -> None:
    keep(app, "never")
    save_with_face(simulator, terminal)
    settle()
    name = photo().file

    forget()

    (entry,) = entries("photo.forgotten")
    assert (entry.actor, entry.employee, entry.subject) == ("worker", "100222", name)
    assert "Иван" not in f"{entry.before}{entry.after}"


def test_photo_of_somebody_deleted_goes_later_when_the_process_died_before(
    simulator: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    employee = save_with_face(simulator, terminal)
    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            delete_employee(employee.id)
    db.session.rollback()
    assert files() != []

    forget()

    assert files() == []
    assert db.session.execute(db.select(Photo)).scalars().all() == []
