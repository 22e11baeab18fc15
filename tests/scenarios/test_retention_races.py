"""Forgetting and somebody else at once: a save has its picture or is refused, and what is wanted keeps its bytes."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import Connection, update

from hikflask.extensions import db
from hikflask.models import Capture, Employee, Enrolment, Photo, Terminal
from hikflask.services.captures import retention
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.employees.sync import sync_employee
from hikflask.services.enrolments import queries
from hikflask.services.photos import deletion
from hikflask.services.photos import retention as photo_retention
from hikflask.simulator import Terminal as Simulated
from tests.scenarios.test_generation_races import meanwhile
from tests.support.captures import IVAN, capture_face
from tests.support.employees import save_with_face
from tests.support.retention import age, files, photo, settle
from tests.support.trail import entries

pytestmark = pytest.mark.usefixtures("context", "worker_alive")
DATABASES = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
ROUNDS = 8


def at_once(app: Flask, *deeds: Callable[[], object]) -> list[object]:
    """Do all at the same moment, each in its own thread; return what each returned or raised."""
    barrier = threading.Barrier(len(deeds))
    results: list[object] = [None] * len(deeds)

    def run(position: int, deed: Callable[[], object]) -> None:
        with app.app_context():
            barrier.wait()
            try:
                results[position] = deed()
            except ServiceError as error:
                results[position] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@DATABASES
def test_save_has_its_picture_or_is_refused(app: Flask, simulator: Simulated, terminal: Terminal) -> None:
    for number in range(1, 1 + ROUNDS):
        draft = Draft(str(number), IVAN.name)
        taken = capture_face(simulator, terminal, draft)
        age(Photo, "created_at", 3601)

        def one_pass() -> int:
            given_up = retention.forget_unsaved()
            deletion.remove_files()
            return given_up

        def one_save(draft: Draft = draft, capture_id: int = taken.id) -> Employee:
            return save_employee(draft, FaceSource(capture_id, take_over=True)).row

        saved, given_up = at_once(app, one_save, one_pass)

        db.session.expire_all()
        employee = search.by_number(draft.number)
        if str(saved) == "not_saved":
            assert (given_up, employee, files()) == (1, None, [])
        else:
            assert given_up == 0
            assert employee is not None
            assert employee.picture is not None
            assert files() == [employee.picture.file]
            delete_employee(employee.id)
        db.session.commit()
        deletion.remove_rows()


@DATABASES
def test_photo_is_forgotten_by_one_of_two_workers(app: Flask, simulator: Simulated, terminal: Terminal) -> None:
    app.config["PHOTO_RETENTION"] = "never"
    save_with_face(simulator, terminal)
    settle()

    first, second = at_once(app, photo_retention.forget_photos, photo_retention.forget_photos)
    at_once(app, deletion.remove_files, deletion.remove_files)

    assert {first, second} == {0, 1}
    assert len(entries("photo.forgotten")) == 1
    assert (files(), photo().file_deleted_at is not None) == ([], True)


@pytest.fixture
def conversation() -> Connection:  # type: ignore[misc]
    """Another process's transaction that is about to commit."""
    with db.engine.connect() as connection:
        yield connection


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_picture_that_is_being_saved_is_not_given_up(
    app: Flask, simulator: Simulated, terminal: Terminal, conversation: Connection
) -> None:
    capture_face(simulator, terminal)
    age(Photo, "created_at", 3601)
    conversation.execute(update(Capture).values(state="used"))

    meanwhile(app, conversation, retention.forget_unsaved)

    assert (photo().forgotten_at, files()) == (None, [photo().file])


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("way", ["page", "program"])
def test_save_of_a_picture_that_is_being_given_up_is_refused(
    app: Flask, simulator: Simulated, terminal: Terminal, conversation: Connection, way: str
) -> None:
    employee_id = save_employee(IVAN).row.id
    taken = capture_face(simulator, terminal)
    conversation.execute(
        update(Capture).values(state="failed", refusal={"code": "not_saved", "params": {}}, photo_id=None)
    )
    refused: list[str] = []

    def one_save() -> None:
        try:
            if way == "page":
                save_employee(IVAN, FaceSource(taken.id, taken.requested_by), employee_id=employee_id)
            else:
                sync_employee(employee_id, terminal.id, "Анна")
        except ServiceError as error:
            refused.append(error.code)

    meanwhile(app, conversation, one_save)

    db.session.expire_all()
    assert refused == ["not_saved"]
    assert db.session.get_one(Employee, employee_id).photo_id is None
    assert queries.of_number(IVAN.number) == []


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_photo_that_is_wanted_again_in_that_moment_is_kept(
    app: Flask, simulator: Simulated, terminal: Terminal, conversation: Connection
) -> None:
    app.config["PHOTO_RETENTION"] = "never"
    save_with_face(simulator, terminal)
    settle()
    conversation.execute(update(Employee).values(is_active=Employee.is_active))
    conversation.execute(update(Enrolment).values(person="pending", face="pending"))

    meanwhile(app, conversation, photo_retention.forget_photos)

    assert (photo().forgotten_at, files()) == (None, [photo().file])
