"""Files go when they are read, or after a day; imports that nobody started after a day, the others with their jobs."""

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import ImportBatch, ImportRow, Job, Photo
from hikflask.services.import_files import stored_files
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports import retention
from tests.support.captures import FACE, OTHER_FACE
from tests.support.imports import apply, batch, checked, made, started, undo
from tests.support.jobs import add_people, items
from tests.support.retention import DAY, age, forget

pytestmark = pytest.mark.usefixtures("context")


def left() -> tuple[int, int, int]:
    """How many imports, rows and files there are."""
    counts = db.session.query(ImportBatch).count(), db.session.query(ImportRow).count()
    db.session.commit()
    return *counts, len(list(stored_files.folder().iterdir()))


def test_import_that_nobody_started_goes_after_a_day_with_its_files() -> None:
    checked("1;Иван Иванов;", pictures={"1.jpg": FACE})
    made("2;Ольга Ёлкина;")
    forget()
    assert left() == (2, 1, 4)

    age(ImportBatch, "created_at", 1.1 * DAY)
    forget()

    assert left() == (0, 0, 0)


def test_import_that_is_being_checked_stays() -> None:
    started(import_jobs.start_check, made("1;Иван Иванов;"))
    age(ImportBatch, "created_at", 1.1 * DAY)

    forget()

    assert left() == (1, 0, 1)


@pytest.mark.both_databases
def test_import_goes_with_its_jobs() -> None:
    found = checked("1;Иван Иванов;")
    apply(found)
    age(ImportBatch, "created_at", 31 * DAY)
    age(Job, "ended_at", 29 * DAY)
    forget()
    assert left() == (1, 1, 0)
    undo(found)
    db.session.execute(db.delete(Job).where(Job.id == batch(found).import_job_id))
    db.session.commit()
    forget()
    assert left() == (1, 1, 0)

    age(Job, "ended_at", 31 * DAY)
    forget()

    assert left() == (0, 0, 0)


def test_rows_go_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    checked("1;Иван Иванов;", "2;Ольга Ёлкина;", "3;Пётр Чехов;")
    age(ImportBatch, "created_at", 1.1 * DAY)
    monkeypatch.setattr(retention, "ROWS", 2)

    assert retention.forget_imports() == 0
    assert left() == (1, 1, 0)
    assert retention.forget_imports() == 1


def test_file_without_an_import_goes_after_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    (stored_files.folder() / "left").write_bytes(b"1;2")
    forget()
    assert left() == (0, 0, 1)

    monkeypatch.setattr(retention, "STRAY_SECONDS", -1.0)
    forget()

    assert left() == (0, 0, 0)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("policy", "outcome"), [("employed", ("1", "done", "")), ("never", ("1", "failed", "photo_forgotten"))]
)
def test_former_photo_stays_while_it_can_come_back_unless_photos_are_never_kept(
    app: Flask, policy: str, outcome: tuple[str, str, str]
) -> None:
    add_people("1")
    apply(checked(pictures={"1.jpg": FACE}))
    app.config["PHOTO_RETENTION"] = policy
    found = checked(pictures={"1.jpg": OTHER_FACE})
    apply(found)
    for _ in range(2):
        forget()

    assert items(undo(found).id) == [outcome]
    for _ in range(2):
        forget()
    assert db.session.query(Photo).count() == 1
