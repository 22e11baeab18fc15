"""The jobs of an import: each is started once, and two imports at once do not mix."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from hikflask.extensions import db
from hikflask.models import Department, Employee, ImportRow, Job
from hikflask.models.import_batch import APPLIED
from hikflask.models.job import FAILED, STOPPED
from hikflask.services.changes import lifecycle
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.changes.run import run_to_end
from hikflask.services.core.errors import PlanChanged, ServiceError
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.services.import_files import stored_files
from hikflask.services.imports import effects, losses
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.spreadsheets import reader_process
from tests.support.between import Between
from tests.support.captures import FACE
from tests.support.imports import apply, batch, check, checked, made, rows, started, undo
from tests.support.jobs import items, job, run
from tests.support.removals import AGREED
from tests.support.trail import entries

pytestmark = pytest.mark.usefixtures("context")

NUMBERS = [f"{number:02}" for number in range(12)]


def test_each_is_started_once() -> None:
    found = made("1;Иван;")
    with pytest.raises(ServiceError, match=r"^import_not_checked$"):
        started(import_jobs.start_import, found)
    check_job = started(import_jobs.start_check, found)
    with pytest.raises(ServiceError, match=r"^import_started$") as refused:
        started(import_jobs.start_check, found)
    assert refused.value.params == {"job": check_job.job_id}
    with pytest.raises(ServiceError, match=r"^import_started$"):
        started(import_jobs.start_check_and_import, found)
    run(check_job)
    with pytest.raises(ServiceError, match=r"^import_checked$"):
        started(import_jobs.start_check, found)

    import_job = started(import_jobs.start_import, found)
    with pytest.raises(ServiceError, match=r"^import_started$"):
        started(import_jobs.start_import, found)
    with pytest.raises(ServiceError, match=r"^import_started$"):
        started(import_jobs.start_undo, found)
    run(import_job)
    undo(found)

    for start, code in ((import_jobs.start_undo, "nothing_to_undo"), (import_jobs.start_import, "import_started")):
        with pytest.raises(ServiceError, match=f"^{code}$"):
            started(start, found)
    assert batch(found).import_job_id == import_job.job_id
    assert [entry.after for entry in entries("job.started")] == [
        {"job": "import_check", "people": 1},
        {"job": "import", "people": 1},
        {"job": "import_undo", "people": 1},
    ]
    with pytest.raises(ServiceError, match=r"^import_unknown$"):
        started(import_jobs.start_check, 99)


def test_stopped_import_goes_on_with_what_is_left_and_can_be_undone_instead() -> None:
    found = checked("1;Иван;", "2;Пётр;")
    lifecycle.stop_job(started(import_jobs.start_import, found).job_id)
    assert job(batch(found).import_job_id or 0).state == STOPPED
    with pytest.raises(ServiceError, match=r"^nothing_to_undo$"):
        started(import_jobs.start_undo, found)

    assert apply(found).done == 2


def test_import_that_goes_on_counts_what_is_left_from_its_beginning() -> None:
    found = checked("1;Иван;", "2;Пётр;", "3;Ольга;")
    lifecycle.stop_job(started(import_jobs.start_import, found).job_id)
    db.session.execute(update(ImportRow).where(ImportRow.number == "1").values(state=APPLIED))
    db.session.commit()

    claim = started(import_jobs.start_import, found)

    assert (job(claim.job_id).total, run(claim).total) == (2, 2)


@pytest.mark.parametrize("when", ["before", "as it is opened"])
def test_import_whose_table_is_gone_fails_and_says_why(monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    found, read = made("1;Иван;"), reader_process.read

    def read_after_an_erasure(*about: Any) -> Any:
        stored_files.remove(batch(found).table_file)
        return read(*about)

    if when == "before":
        stored_files.remove(batch(found).table_file)
    else:
        monkeypatch.setattr(reader_process, "read", read_after_an_erasure)

    ended = run(started(import_jobs.start_check, found))

    assert (ended.state, ended.params["refusal"]["code"]) == (FAILED, "import_file_gone")
    assert rows(found) == []


def at_once(app: Flask, *work: Callable[[], Any]) -> list[Any]:
    """Do these at once, each in a thread of its own; return what they returned, or the error."""
    barrier = threading.Barrier(len(work))
    results: list[Any] = [None] * len(work)

    def do(place: int) -> None:
        with app.app_context():
            barrier.wait()
            try:
                results[place] = work[place]()
            except Exception as error:  # noqa: BLE001 - told to the test
                results[place] = error

    threads = [threading.Thread(target=do, args=(place,)) for place in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.both_databases
def test_two_imports_at_once_do_not_mix(app: Flask) -> None:
    first = made(*(f"{number};Иван Иванов {number};Склад" for number in NUMBERS))
    second = made(*(f"{number};Пётр Чехов {number};Охрана" for number in NUMBERS[::-1]))
    check(first)
    check(second)
    claims = [started(import_jobs.start_import, found) for found in (first, second)]

    at_once(app, *(lambda claim=claim: run_to_end(claim) for claim in claims))

    people = db.session.execute(select(Employee).order_by(Employee.number)).scalars().all()
    assert [one.number for one in people] == NUMBERS
    assert {(one.name.removesuffix(f" {one.number}"), one.department) for one in people} <= {
        ("Иван Иванов", "Склад"),
        ("Пётр Чехов", "Охрана"),
    }
    done = [{number for number, state, _ in items(claim.job_id) if state == "done"} for claim in claims]
    assert done[0].isdisjoint(done[1])
    assert done[0] | done[1] == set(NUMBERS)
    assert {error for claim in claims for *_, error in items(claim.job_id)} <= {"", "number_known"}
    assert {one.number for one in people if one.name.startswith("Иван Иванов ")} == done[0]
    undo(second)
    assert {one for one in db.session.execute(select(Employee.number)).scalars()} == done[0]
    assert set(db.session.execute(select(Department.name)).scalars()) <= {"Склад"}


@pytest.mark.both_databases
def test_two_undos_at_once_are_one(app: Flask) -> None:
    found = checked(*(f"{number};Иван Иванов {number};" for number in NUMBERS))
    apply(found)

    results = at_once(app, *[lambda: import_jobs.start_undo(found, AGREED)] * 2)

    (claim,) = [one for one in results if isinstance(one, Claim)]
    assert [str(one) for one in results if not isinstance(one, Claim)] == ["import_started"]
    assert run(claim).done == len(NUMBERS)
    assert db.session.execute(select(Employee.id)).first() is None
    assert db.session.execute(db.select(db.func.count(Job.id)).where(Job.kind == "import_undo")).scalar_one() == 1


def test_what_was_not_checked_yet_is_not_mended() -> None:
    """Its columns are not chosen."""
    with pytest.raises(ServiceError, match=r"^import_not_checked$"):
        import_jobs.start_fixing(made("1;Oтдел;"))


@pytest.mark.both_databases
def test_leaver_who_is_confirmed_while_the_import_starts_is_counted_first(between: Between) -> None:
    apply(checked("1;Иванов Иван;", pictures={"1.jpg": FACE}))
    found = checked("1;Сидоров Олег;да", "2;Анна;", header="Табельный номер;ФИО;Уволен")
    seen, leaver = batch(found).checked_at, rows(found)[0].id
    other = between(losses, "of_import", lambda: effects.confirm_rows(found, [leaver], [leaver]))

    with pytest.raises(PlanChanged):
        import_jobs.start_import(found, Confirmation(None, by_admin=False))

    other.finish()
    assert (other.error, rows(found)[0].confirmed) == (None, True)
    with pytest.raises(PlanChanged):
        import_jobs.start_import(found, Confirmation(None, by_admin=False), seen)
    assert job(import_jobs.start_import(found, AGREED, batch(found).checked_at).job_id).kind == "import"
