"""The export of a job's people: a file that is complete, or none, whatever happens to people and worker meanwhile."""

import csv
from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import load_workbook

from hikflask.extensions import db
from hikflask.models import Job
from hikflask.models.columns import database_now
from hikflask.models.job import DONE, FAILED, RUNNING, STOPPED
from hikflask.services.changes import lifecycle
from hikflask.services.changes.kinds import EXPORT
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.changes.run import run_slice, run_to_end
from hikflask.services.core.db import after_commit
from hikflask.services.core.progress import ClaimLost
from hikflask.services.employees import export_columns, export_files, list_export
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.spreadsheets import table_file
from tests.support.jobs import add_people, items, job, started
from tests.support.trail import entries

pytestmark = pytest.mark.usefixtures("context")

NUMBERS = ["007", "2", "3", "4"]


class Interrupted:
    """The progress of a job: once so many people are in the file, something else happens."""

    def __init__(self, claim: Claim, done: int, happens: Callable[[], object]) -> None:
        self.reports: list[tuple[int, int]] = []
        self._claim, self._done, self._happens = claim, done, happens

    def report(self, done: int, total: int) -> None:
        """Report, and let it happen when it is time, once."""
        self._claim.report(done, total)
        self.reports.append((done, total))
        if self.reports.count((done, total)) == 1 and done == self._done:
            after_commit(self._happens)


@pytest.fixture(autouse=True)
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_columns, "BATCH", 1)


@pytest.fixture
def people() -> list[int]:
    return add_people(*NUMBERS, department="Охрана")


def begun(people: list[int], kind: str = "csv", language: str = "ru") -> Claim:
    return started(EXPORT, people, format=kind, language=language)


def files() -> list[str]:
    return sorted(path.name for path in export_files.folder().iterdir())


def rows(job_id: int) -> list[list[Any]]:
    path = export_files.find(job(job_id))
    assert path is not None
    if path.suffix == ".xlsx":
        return [list(row) for row in load_workbook(path).worksheets[0].values]
    return list(csv.reader(path.read_bytes().decode("utf-8-sig").splitlines(), delimiter=";"))


def numbers(job_id: int) -> list[str]:
    return [row[0] for row in rows(job_id)[1:]]


def orphaned() -> Claim:
    """The claim of the next worker, when the one that runs the only job was killed."""
    db.session.rollback()
    db.session.execute(db.update(Job).values(claimed_until=database_now(-1.0)))
    db.session.commit()
    (claim,) = lifecycle.claim_orphans()
    return claim


@pytest.mark.parametrize(("kind", "language", "head"), [
    ("csv", "ru", ["ID сотрудника", "ФИО", "Отдел", "Активен", "Добавлен", "Действует с", "Действует по"]),
    ("xlsx", "en", ["Employee ID", "Full name", "Department", "Active", "Added", "Valid from", "Valid to"]),
])  # fmt: skip
def test_everybody_is_in_the_file_in_the_language_of_who_asked(
    people: list[int], kind: str, language: str, head: list[str]
) -> None:
    claim = begun(people, kind, language)
    assert files() == []

    run_to_end(claim)

    done = job(claim.job_id)
    assert (done.state, done.done, done.total, done.failed) == (DONE, 4, 4, 0)
    assert files() == [f"{claim.job_id}.{kind}"]
    assert rows(claim.job_id)[0] == head
    assert rows(claim.job_id)[1][:3] == ["007", "Иван Иванов 007", "Охрана"]
    assert numbers(claim.job_id) == NUMBERS
    assert items(claim.job_id) == [(number, "done", "") for number in NUMBERS]


def test_start_is_noted_with_how_many_and_in_which_format(people: list[int]) -> None:
    claim = begun(people, "xlsx")

    (entry,) = entries("employees.exported")
    assert (entry.actor, entry.address, entry.subject) == ("Анна", "10.0.0.7", f"job {claim.job_id}")
    assert entry.after == {"people": 4, "format": "xlsx"}


def test_progress_is_reported_for_each_batch_and_no_file_is_there_before_the_end(people: list[int]) -> None:
    claim = begun(people)
    seen: list[list[str]] = []
    progress = Interrupted(claim, 3, lambda: seen.append(files()))

    list_export.write_file(job(claim.job_id), progress)

    assert progress.reports == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4), (4, 4)]
    ((half_written,),) = seen
    assert half_written.startswith(f".{claim.job_id}.csv.")
    assert files() == [f"{claim.job_id}.csv"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_stopped_export_leaves_no_file(people: list[int], kind: str) -> None:
    claim = begun(people, kind)
    progress = Interrupted(claim, 2, lambda: lifecycle.stop_job(claim.job_id))

    with pytest.raises(ClaimLost):
        list_export.write_file(job(claim.job_id), progress)

    assert (job(claim.job_id).state, job(claim.job_id).done) == (STOPPED, 2)
    assert files() == []


def test_killed_worker_leaves_nothing_double(people: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    claim = begun(people)
    left = export_files.folder() / f".{claim.job_id}.csv.abc.part"
    left.mkdir()
    (left / f"{claim.job_id}.csv").write_text("half")

    with monkeypatch.context() as broken:
        broken.setattr(Claim, "report", _killed)
        with pytest.raises(KeyboardInterrupt):
            run_slice(claim)
    assert job(claim.job_id).state == RUNNING
    run_to_end(orphaned())

    assert numbers(claim.job_id) == NUMBERS
    assert (job(claim.job_id).state, job(claim.job_id).total) == (DONE, 4)
    assert files() == [f"{claim.job_id}.csv"]
    assert len(entries("employees.exported")) == 1


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_worker_killed_after_the_file_was_there_writes_it_once_more(people: list[int]) -> None:
    claim = begun(people)
    lifecycle.take(claim)
    list_export.write_file(job(claim.job_id), claim)
    delete_employee(people[0])

    run_to_end(orphaned())

    assert numbers(claim.job_id) == NUMBERS[1:]
    assert (job(claim.job_id).done, job(claim.job_id).total) == (3, 3)


def test_worker_that_was_late_does_not_put_its_file_there(people: list[int]) -> None:
    late = begun(people)
    progress = Interrupted(late, 2, lambda: run_to_end(orphaned()))

    with pytest.raises(ClaimLost):
        list_export.write_file(job(late.job_id), progress)

    assert numbers(late.job_id) == NUMBERS
    assert files() == [f"{late.job_id}.csv"]


@pytest.mark.both_databases
@pytest.mark.parametrize("done", [0, 1, 4])
def test_whoever_is_erased_meanwhile_is_not_in_the_file(people: list[int], done: int) -> None:
    claim = begun(people)
    progress = Interrupted(claim, done, lambda: erase_employee(people[0]))

    list_export.write_file(job(claim.job_id), progress)
    lifecycle.begin_items(claim)
    lifecycle.finish(claim)

    assert numbers(claim.job_id) == NUMBERS[1:]
    assert (job(claim.job_id).done, job(claim.job_id).total) == (3, 3)


def test_whoever_was_erased_before_the_start_is_left_out(people: list[int]) -> None:
    claim = begun(people)
    erase_employee(people[0])
    delete_employee(people[1])

    run_to_end(claim)

    assert numbers(claim.job_id) == NUMBERS[2:]


@pytest.mark.both_databases
def test_erasure_removes_the_files_that_the_person_is_in_at_once(people: list[int]) -> None:
    of_all, of_others = begun(people), begun(people[1:], "xlsx")
    run_to_end(of_all)
    run_to_end(of_others)

    erase_employee(people[0])

    assert files() == [f"{of_others.job_id}.xlsx"]
    assert export_files.find(job(of_all.job_id)) is None
    assert numbers(of_others.job_id) == NUMBERS[1:]
    assert job(of_all.job_id).state == DONE


def test_file_that_cannot_be_written_fails_the_job(people: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_file, "PROGRAM", ["/bin/false"])
    claim = begun(people, "xlsx")

    run_to_end(claim)

    assert (job(claim.job_id).state, job(claim.job_id).params["refusal"]["code"]) == (FAILED, "table_not_written")
    assert files() == []
