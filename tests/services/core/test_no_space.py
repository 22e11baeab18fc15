"""What becomes of writes without space, as the operating system and SQLite report them; a real full disk is in
tests/scenarios/test_full_disk.py."""

import errno
import os
import sqlite3
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg.errors import DiskFull
from sqlalchemy import event

from hikflask.extensions import db
from hikflask.models import Photo
from hikflask.services.core import no_space
from hikflask.services.core.errors import ServiceError
from hikflask.services.import_files import stored_files
from hikflask.services.photos import storage
from tests.support.captures import FACE
from tests.support.desk import typed
from tests.support.disk_usage import let_be_free


def full(*_: object) -> None:
    """Raise what a write to a full disk raises."""
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.usefixtures("context")
def test_picture_that_does_not_fit_is_refused_and_leaves_no_file(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    let_be_free(monkeypatch, 4096)
    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(ServiceError, match=r"^no_space$"):
        storage.keep(FACE, "100222")

    assert list(storage.folder().iterdir()) == []
    assert db.session.execute(db.select(Photo.forgotten_at)).scalar_one() is not None  # So the row goes in an hour.
    (record,) = caplog.records
    assert record.getMessage() == (
        f"No space left where {storage.folder().parent} is: 4,096 of 107,374,182,400 bytes are free. "
        "Make room elsewhere on this disk, or make it larger; what lies in that folder is needed."
    )


@pytest.mark.usefixtures("context")
def test_file_of_an_import_that_does_not_fit_is_refused_and_removed() -> None:
    class Upload:
        read = full

    with pytest.raises(ServiceError, match=r"^no_space$"):
        stored_files.keep(Upload(), 100, ServiceError("table_too_large"))  # type: ignore[arg-type]

    assert list(stored_files.folder().iterdir()) == []


@pytest.mark.usefixtures("context")
def test_another_error_stays_what_it_is() -> None:
    for block in (no_space.refused, no_space.ignored):
        with pytest.raises(PermissionError), block():
            raise PermissionError(errno.EACCES, "Permission denied")


@pytest.mark.usefixtures("context")
def test_what_failed_on_a_full_disk_is_refused_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    no_space.refuse_on_full_disk()
    let_be_free(monkeypatch, 4096)

    with pytest.raises(ServiceError, match=r"^no_space$"):
        no_space.refuse_on_full_disk()


def sqlite_full() -> Exception:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorname = "SQLITE_FULL"
    return error


@pytest.mark.parametrize(("error", "place"), [
    (sqlite_full, lambda app: app.config["INSTANCE_PATH"]),
    (DiskFull, lambda _: "PostgreSQL"),
])  # fmt: skip
def test_page_and_program_are_told_of_a_database_without_space(
    app: Flask,
    client: FlaskClient,
    error: Callable[[], Exception],
    place: Callable[[Flask], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    let_be_free(monkeypatch, 4096)

    def refuse(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("INSERT INTO employee "):
            raise error()

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", refuse)
    try:
        page = client.post("/employees/", data=typed())
        program = client.post("/api/users/", json={"hikvision_id": "100222", "full_name": "Иван Иванов"})
    finally:
        event.remove(engine, "before_cursor_execute", refuse)

    assert page.status_code == 507
    assert "На диске сервера нет места, и это могло не сохраниться." in page.text
    assert (program.status_code, program.json) == (
        507,
        {
            "error": "no_space",
            "message": f"The server's disk is full ({place(app)}), so this could not be done. "
            "Ask the administrator to make room, then try again.",
        },
    )
