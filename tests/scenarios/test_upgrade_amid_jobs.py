"""An installation of 0.3.0 that was stopped in the middle of a job of each kind goes on with all of them."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade

from hikflask import create_app
from hikflask.extensions import db, vault
from hikflask.models import Consent, Employee, ImportBatch, Job
from hikflask.models.columns import database_now
from hikflask.models.job import DONE, DRAFT
from hikflask.services.changes import lifecycle
from hikflask.services.changes.run import run_to_end
from hikflask.services.comparisons import plan_choices, queries
from hikflask.services.comparisons.plan import REMOVE
from hikflask.services.employees import export_files, selection
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.imports import jobs as import_jobs
from hikflask.simulator import SEED, SkippingClock
from hikflask.simulator import Terminal as Simulated
from tests.support.apps import close
from tests.support.comparisons import strangers
from tests.support.due import claim_due
from tests.support.jobs import items, job
from tests.support.removals import AGREED
from tests.support.wire import InProcess

ROWS = Path(__file__).with_name("upgrade") / "jobs_of_0_3_0.sql"
LAST_OF_0_3_0 = "0041"
PASSWORD = "Abc12345"
TABLES_OF_IMPORTS = {1: "71;Анна Ким;Склад\r\n72;Олег Ли;\r\n", 4: "131;Анна Ким;Склад\r\n"}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """The installation after its upgrade."""
    app = create_app({"INSTANCE_PATH": str(tmp_path), "TESTING": True, "WORKER": "external"})
    app.extensions["terminal_transport"] = InProcess()
    with app.app_context():
        upgrade(revision=LAST_OF_0_3_0)
        for statement in ROWS.read_text(encoding="utf-8").splitlines():
            db.session.connection().exec_driver_sql(statement)
        db.session.commit()
        upgrade()
        password = vault.encrypt(PASSWORD)
        db.session.execute(db.text("UPDATE terminal SET password_encrypted = :password"), {"password": password})
        db.session.commit()
        for batch_id, rows in TABLES_OF_IMPORTS.items():
            name = db.session.get_one(ImportBatch, batch_id).table_file
            (tmp_path / "imports").mkdir(exist_ok=True)
            (tmp_path / "imports" / name).write_text(f"Табельный номер;ФИО;Подразделение\r\n{rows}", encoding="utf-8")
        db.session.commit()
        yield app
    close(app)


def test_jobs_of_each_kind_go_on_after_the_upgrade(app: Flask) -> None:
    simulator = Simulated(PASSWORD, clock=SkippingClock(), profile=dataclasses.replace(SEED, refuse_after_success=0))
    simulator.store.deletion_polls = 0
    strangers(simulator, ["111", "112", "101", "102", "103"])
    app.extensions["terminal_transport"].put("terminal.test", simulator)

    go_on()

    ended = {one.id: (one.kind, one.state, one.done, one.total) for one in jobs() if one.state != DRAFT}
    assert ended == {
        1: ("apply", DONE, 2, 2),
        2: ("apply_undo", DONE, 2, 2),
        3: ("apply", DONE, 2, 2),
        5: ("deactivate", DONE, 3, 3),
        6: ("send", DONE, 2, 2),
        7: ("department", DONE, 2, 2),
        8: ("consent", DONE, 2, 2),
        9: ("groups", DONE, 2, 2),
        10: ("export", DONE, 2, 2),
        11: ("import_check", DONE, 2, 2),
        12: ("import_check", DONE, 3, 3),
        13: ("import", DONE, 3, 3),
        14: ("import_check", DONE, 2, 2),
        15: ("import", DONE, 2, 2),
        16: ("import_undo", DONE, 2, 2),
        17: ("import_check", DONE, 1, 1),
        19: ("delete_passages", DONE, 0, 0),
        20: ("compare", DONE, 9, 9),
    }
    # Nobody has a face, which the report of a sending says; everybody else is done.
    assert {one.id for one in jobs() if one.failed} == {6, 9}
    assert people() == {
        **dict.fromkeys(("101", "102", "21", "22", "41", "42", "61", "62", "83", "121", "122"), (True, "")),
        **dict.fromkeys(("11", "12", "13"), (False, "")),
        **dict.fromkeys(("31", "32", "81"), (True, "Склад")),
        **dict.fromkeys(("51", "52"), (True, "Охрана")),
        "82": (True, "Новый"),
    }
    assert {*simulator.people} == {"101", "102", "103", "111", "112", "21", "22", "51", "52"}
    assert db.session.execute(db.select(db.func.count(Consent.id))).scalar_one() == 2
    assert (export_files.path_of(job(10))).read_text(encoding="utf-8-sig").count("Иван Иванов") == 2


@pytest.mark.usefixtures("app")
def test_drafts_and_what_was_only_checked_can_be_started_after_the_upgrade() -> None:
    """The choices of a plan, people chosen on the list, and an import of which only the dry run was done."""
    comparison = queries.get_comparison(3)
    assert plan_choices.of(comparison).numbers == {"103": REMOVE}
    assert [number for number, *_ in items(18)] == ["121", "122"]

    claim = selection.start(job(18), {"department": "Склад"}, AGREED)
    assert claim
    run_to_end(claim)
    run_to_end(import_jobs.start_import(4, AGREED))

    assert {number: people()[number] for number in ("121", "122", "131")} == dict.fromkeys(
        ("121", "122", "131"), (True, "Склад")
    )


def jobs() -> list[Job]:
    found = list(db.session.execute(db.select(Job).order_by(Job.id)).scalars())
    db.session.commit()
    return found


def people() -> dict[str, tuple[bool, str]]:
    """Number → whether active, and the department."""
    rows = db.session.execute(db.select(Employee.number, Employee.is_active, Employee.department))
    found = {number: (is_active, department) for number, is_active, department in rows}
    db.session.commit()
    return found


def go_on() -> None:
    """Let the worker do all that is due until nothing is."""
    while claims := lifecycle.claim_orphans():
        for claim in claims:
            run_to_end(claim)
            for enrolment_id in claim_due():
                reconcile(enrolment_id, "test")
        db.session.execute(db.update(Job).values(claimed_until=database_now(-1.0)))
        db.session.commit()
