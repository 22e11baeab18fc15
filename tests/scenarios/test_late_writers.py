"""Somebody is erased while something about them is on its way: nothing is written behind the erasure."""

import io

import pytest
from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Erasure, JobItem, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes import lifecycle
from hikflask.services.changes import run as job_run
from hikflask.services.changes.kinds import APPLY, PRINT
from hikflask.services.comparisons import plan, take_over
from hikflask.services.employees import erasure, photo_drafts, search, selection
from hikflask.services.employees.erasure import erase_by_number, erase_employee
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.import_files import photo_archive, stored_files
from hikflask.services.imports import apply, classify, dry_run
from hikflask.services.imports import jobs as job_imports
from hikflask.services.photos import storage
from hikflask.simulator import Terminal as Simulated
from tests.support import imports
from tests.support.between import Between
from tests.support.captures import FACE, IVAN, OLGA, OTHER_FACE, capture_face
from tests.support.comparisons import compare
from tests.support.employees import by_number
from tests.support.jobs import run

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


def test_row_of_an_import_brings_nobody_back(between: Between) -> None:
    batch_id = imports.checked("100222;Иван Иванов;Охрана")
    other = between(apply, "lock_numbers", lambda: erase_by_number("100222"), before=True)

    job = imports.apply(batch_id)
    other.finish()

    assert other.result
    assert (job.done, job.failed) == (1, 1)
    assert search.by_number("100222") is None
    assert imports.rows(batch_id) == []


def test_erasure_of_a_number_waits_for_nobody_who_got_it_meanwhile(
    simulator: Simulated, terminal: Terminal, between: Between
) -> None:
    capture = capture_face(simulator, terminal)
    other = between(erasure, "has_data_of", lambda: save_employee(IVAN, FaceSource(capture.id, "Анна")))

    erased = erase_by_number("100222")
    other.finish()

    assert other.error is None
    assert erased is None
    assert db.session.execute(select(Erasure)).first() is None
    ivan = by_number("100222")
    assert ivan.photo is not None


def test_draft_of_a_job_keeps_no_number(between: Between) -> None:
    ivan_id = save_employee(IVAN).row.id
    save_employee(Draft("100333", "Ольга Ёлкина"))
    # The second statement counts the items that were copied.
    other = between(selection, "select", lambda: erase_employee(ivan_id), nth=2)

    job = selection.make_draft(PRINT, EmployeeFilter())
    other.finish()

    assert other.error is None
    numbers = select(JobItem.number).where(JobItem.job_id == job.id).order_by(JobItem.number)
    assert list(db.session.execute(numbers).scalars()) == ["", "100333"]


def test_report_of_a_job_names_nobody(simulator: Simulated, terminal: Terminal, between: Between) -> None:
    ivan_id = save_employee(IVAN).row.id
    simulator.store.add("100222", {"name": "Пётр Чехов"})
    made = plan.make(compare(terminal), plan.Choices(numbers={"100222": plan.TAKE_OVER}, names_seen=False))
    claim = lifecycle.begin(APPLY, made.job_params, terminal_id=terminal.id, items=made.items)
    other = between(job_run, "_mark", lambda: erase_employee(ivan_id), before=True)

    run(claim)
    other.finish()

    assert other.error is None
    columns = (JobItem.state, JobItem.number, JobItem.refusal)
    assert db.session.execute(select(*columns)).all() == [("failed", "", {"code": "name_differs", "params": {}})]


def test_nothing_but_the_certificate_has_the_number(simulator: Simulated, terminal: Terminal) -> None:
    ivan_id = save_employee(IVAN).row.id
    simulator.store.add("100222", {"name": "Пётр Чехов"})
    choices = plan.Choices(numbers={"100222": plan.SEND}, same_person=frozenset(["100222"]))
    made = plan.make(compare(terminal), choices)
    run(lifecycle.begin(APPLY, made.job_params, terminal_id=terminal.id, items=made.items))

    erase_employee(ivan_id)

    kept = {"audit", "enrolment", "erasure", "erasure_removal"}
    tables = [table for table in db.metadata.sorted_tables if table.name not in kept]
    assert [t.name for t in tables for row in db.session.execute(t.select()) if "100222" in str(tuple(row))] == []


@pytest.mark.parametrize("file", ["jpg", "draft"])
def test_file_of_a_photo_that_is_written_at_that_moment_is_gone(between: Between, file: str) -> None:
    ivan_id = save_employee(IVAN).row.id
    moment = "_write" if file == "jpg" else "keep_beside"
    other = between(storage, moment, lambda: erase_employee(ivan_id), before=True)

    photo = photo_drafts.make(io.BytesIO(FACE), "100222", "Анна")
    other.finish()

    assert other.error is None
    assert list(storage.folder().iterdir()) == []
    assert photo_drafts.find(photo.token, "Анна") is None


def test_dry_run_of_a_table_ends_when_somebody_is_erased(between: Between, monkeypatch: pytest.MonkeyPatch) -> None:
    ivan_id = save_employee(IVAN).row.id
    monkeypatch.setattr(dry_run, "BATCH", 1)  # In earnest 500, of longer tables.
    batch_id = imports.made("100333;Ольга Ёлкина;", "100222;Иван Иванов;Охрана")
    other = between(classify, "read_current_data", lambda: erase_employee(ivan_id), nth=2)

    job = run(imports.started(job_imports.start_check, batch_id))
    other.finish()

    assert other.error is None
    assert (job.state, job.params["refusal"]["code"]) == ("failed", "import_file_gone")
    assert imports.rows(batch_id) == []


def test_dry_run_of_photos_goes_on_without_who_is_erased(between: Between, monkeypatch: pytest.MonkeyPatch) -> None:
    ivan_id, olga_id = save_employee(IVAN).row.id, save_employee(OLGA).row.id
    monkeypatch.setattr(dry_run, "BATCH", 1)
    batch_id = imports.made(pictures={"100333.jpg": OTHER_FACE, "100222.jpg": FACE})
    other = between(classify, "read_current_data", lambda: erase_employee(ivan_id), nth=2)

    imports.check(batch_id)
    other.finish()

    assert other.error is None
    assert [(row.number, row.employee_id) for row in imports.rows(batch_id)] == [("100333", olga_id)]


def test_dry_run_ends_though_somebody_in_it_is_deleted(between: Between) -> None:
    ivan_id = save_employee(IVAN).row.id
    batch_id = imports.made("100222;Иван Петров;Охрана")
    other = between(classify, "read_current_data", lambda: delete_employee(ivan_id))

    imports.check(batch_id)
    other.finish()

    assert other.error is None
    assert [(row.number, row.verdict, row.employee_id) for row in imports.rows(batch_id)] == [
        ("100222", "changed", None)
    ]
    assert imports.apply(batch_id).failed == 1
    assert search.by_number("100222") is None


def test_two_who_are_erased_at_once_both_leave_an_archive(between: Between) -> None:
    ivan_id, olga_id = save_employee(IVAN).row.id, save_employee(OLGA).row.id
    batch_id = imports.made(pictures={"100222.jpg": FACE, "100333.jpg": OTHER_FACE, "100444.jpg": FACE})
    other = between(photo_archive, "_copy", lambda: erase_employee(olga_id))

    erase_employee(ivan_id)
    other.finish()

    assert (other.blocked, other.error) == (True, None)
    archive = stored_files.path_of(imports.batch(batch_id).photos_file)
    assert set(photo_archive.read_contents(archive).pictures) == {"100444"}


def test_person_who_is_erased_while_being_taken_over_does_not_come_back(
    simulator: Simulated, terminal: Terminal, between: Between
) -> None:
    ivan_id = save_employee(IVAN).row.id
    simulator.store.add("100222", {"name": IVAN.name})
    made = plan.make(compare(terminal), plan.Choices(numbers={"100222": plan.TAKE_OVER}))
    claim = lifecycle.begin(APPLY, made.job_params, terminal_id=terminal.id, items=made.items)
    other = between(take_over, "_photo", lambda: erase_employee(ivan_id))

    run(claim)
    other.finish()

    assert other.error is None
    assert search.by_number("100222") is None
    assert db.session.execute(select(JobItem.refusal)).scalars().all() == [{"code": "not_there", "params": {}}]


def test_number_is_given_to_nobody_before_its_erasure_ends(
    simulator: Simulated, terminal: Terminal, between: Between
) -> None:
    capture_face(simulator, terminal)
    other = between(search, "by_number", lambda: save_employee(IVAN), nth=2)

    erased = erase_by_number("100222")
    other.finish()

    assert (other.blocked, other.error) == (True, None)
    assert erased is not None
    assert erased.row.removals == []
    assert search.by_number("100222") is not None
