"""The files of exported lists go when their time is over, whatever was killed before."""

import stat
from pathlib import Path

import pytest
from flask import Flask

from hikflask.extensions import db
from hikflask.models import Job
from hikflask.models.job import DONE, DRAFT, FAILED, RUNNING, STOPPED, WAITING
from hikflask.services.changes.kinds import EXPORT
from hikflask.services.employees import export_files
from hikflask.services.employees.erasure import erase_employee
from tests.support.employees import by_number
from tests.support.jobs import add_people, job, run, started
from tests.support.retention import DAY, age, forget

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def exported() -> Job:
    return run(started(EXPORT, add_people("1", "2"), format="csv", language="ru"))


def names() -> list[str]:
    return sorted(path.name for path in export_files.folder().iterdir())


def half_written(job_id: int) -> Path:
    """A folder as a killed process leaves it."""
    left = export_files.folder() / f".{job_id}.xlsx.k3_x.part"
    left.mkdir()
    (left / "openpyxl.123").write_text("Иван")
    return left


def test_nobody_else_may_look_into_the_folder(exported: Job) -> None:
    path = export_files.find(exported)

    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_file_is_kept_for_a_day_and_its_report_longer(exported: Job) -> None:
    age(Job, "ended_at", DAY - 60)
    forget()
    assert export_files.find(job(exported.id)) is not None

    age(Job, "ended_at", DAY + 1)
    assert export_files.find(job(exported.id)) is None
    assert names() == [f"{exported.id}.csv"]
    forget()

    assert names() == []
    assert job(exported.id).state == DONE


@pytest.mark.both_databases
def test_file_goes_with_its_job(exported: Job, app: Flask) -> None:
    assert names() == [f"{exported.id}.csv"]
    app.config["JOB_RETENTION"] = 0
    age(Job, "ended_at", 60)

    forget()

    assert db.session.query(Job).count() == 0
    assert names() == []


def test_file_goes_at_once_when_somebody_in_it_is_erased(exported: Job) -> None:
    erase_employee(by_number("1").id)

    assert export_files.find(exported) is None
    assert names() == []


@pytest.mark.parametrize(("state", "stay"), [
    (WAITING, True), (RUNNING, True), (DONE, False), (FAILED, False), (STOPPED, False), (DRAFT, False)
])  # fmt: skip
def test_what_a_killed_process_left_goes_once_nobody_works_on_it(exported: Job, state: str, stay: bool) -> None:
    left = half_written(exported.id)
    db.session.execute(db.update(Job).values(state=state))
    db.session.commit()

    export_files.remove_old()

    assert left.exists() == stay


@pytest.mark.both_databases
@pytest.mark.parametrize("state", [FAILED, STOPPED])
def test_file_of_a_job_that_did_not_end_well_goes(exported: Job, state: str) -> None:
    db.session.execute(db.update(Job).values(state=state))
    db.session.commit()
    assert export_files.find(job(exported.id)) is None

    export_files.remove_old()

    assert names() == []


def test_files_that_are_nobodys_export_stay(exported: Job) -> None:
    for name in ("notes.txt", "12", ".12.csv", "x.csv", f"{exported.id}.csv.part", "9" * 30 + ".csv"):
        (export_files.folder() / name).touch()
    before = names()

    export_files.remove_old()

    assert names() == before


def test_new_attempt_removes_what_earlier_ones_left_of_this_job_alone(exported: Job) -> None:
    half_written(exported.id)
    others = half_written(10 * exported.id)

    export_files.remove(exported.id)

    assert names() == [others.name]


def test_file_that_cannot_be_removed_is_logged_and_tried_again(
    exported: Job, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    age(Job, "ended_at", 2 * DAY)
    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", _refused)
        assert export_files.remove_old() == 0
    assert f"the exported file {exported.id}.csv cannot be removed (Permission denied)" in caplog.text

    assert export_files.remove_old() == 1


def _refused(*_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied")
