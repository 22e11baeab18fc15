"""A terminal that lost everybody is said as that, until all are there again; one that lost some of them is not."""

import pytest
from flask import Flask
from flask_babel import force_locale

from hikflask.extensions import db
from hikflask.labels.terminals import lost_sentence
from hikflask.models import Drift, Enrolment, Terminal
from hikflask.models.terminal import BY_PICTURE
from hikflask.services.attention import terminal_problems
from hikflask.services.changes import queries as jobs
from hikflask.services.changes.kinds import SEND
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import checks, lost_people, people_changes
from hikflask.services.terminals.checks import ask_status
from hikflask.simulator import Terminal as Simulated
from tests.support.comparisons import compare
from tests.support.desk import ENGLISH
from tests.support.due import claim_due
from tests.support.filled_forms import words
from tests.support.jobs import add_people, run, started
from tests.support.signed_in import client_of

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


@pytest.fixture
def filled(simulator: Simulated, terminal: Terminal) -> Terminal:
    """A terminal with three people; nobody has a photo."""
    run(started(SEND, add_people("1", "2", "3"), terminal_id=terminal.id, terminal="Вход"))
    sweep()
    assert set(simulator.people) == {"1", "2", "3"}
    return terminal


def sweep() -> None:
    for enrolment_id in claim_due():
        reconcile(enrolment_id, "sweep")


def reset(simulator: Simulated) -> None:
    simulator.people.clear()
    simulator.faces.clear()


def lost_at(terminal: Terminal) -> tuple[int, int, int, int] | None:
    """How many it lost, and how many are there again, wait, and need a photo."""
    lost = lost_people.at(terminal.id)
    db.session.commit()
    return (lost.people, lost.confirmed, lost.waiting, lost.need_photo) if lost else None


def test_everybody_is_missed_until_all_are_there_again(filled: Terminal, simulator: Simulated) -> None:
    reset(simulator)

    checks.check(filled.id, "test")
    assert lost_at(filled) == (3, 0, 3, 0)
    checks.check(filled.id, "test")
    assert lost_at(filled) == (3, 0, 3, 0), "a second look finds the same"
    assert (people_changes.changes_at(filled.id), people_changes.terminals_with_changes()) == ([], [])
    assert {row.refusal_code for row in db.session.scalars(db.select(Enrolment))} == {"lost_by_terminal"}
    sweep()
    checks.check(filled.id, "test")
    assert lost_at(filled) is None


def test_whoever_needs_a_new_photo_keeps_it_said(filled: Terminal, simulator: Simulated) -> None:
    reset(simulator)
    checks.check(filled.id, "test")
    sweep()
    gone = {"code": "file_gone", "params": {}}
    db.session.execute(db.update(Enrolment).where(Enrolment.number == "1").values(refusal=gone))
    db.session.commit()

    checks.check(filled.id, "test")

    assert lost_at(filled) == (3, 0, 0, 1)
    assert ask_status(filled.id, "test").lost == 3


def test_comparison_that_finds_nobody_says_so_too(filled: Terminal, simulator: Simulated) -> None:
    reset(simulator)

    compare(filled)

    assert lost_at(filled) == (3, 0, 3, 0)
    compare(filled)
    assert lost_at(filled) == (3, 0, 3, 0)


def test_loss_of_some_is_no_loss_of_all(filled: Terminal, simulator: Simulated) -> None:
    simulator.store.remove(["2"])

    checks.check(filled.id, "test")

    assert lost_at(filled) is None
    assert not db.session.scalars(db.select(Drift).where(lost_people.EVERYBODY)).all()


def test_pages_jobs_and_the_api_say_it(app: Flask, filled: Terminal, simulator: Simulated) -> None:
    filled.face_mode = BY_PICTURE
    db.session.commit()
    claim = started(SEND, add_people("4"), terminal_id=filled.id, terminal="Вход")
    run(claim)
    reset(simulator)
    checks.check(filled.id, "test")
    (problem,) = terminal_problems.find()
    assert (problem.kind, problem.blocks) == ("lost", False)
    (wait,) = jobs.waited_for(claim.job_id)
    assert wait.lost is not None
    db.session.commit()
    client = client_of(app)

    english = "The terminal lost all its people: 3. There again: 0, being sent again: 4, in need of a new photo: 0."
    with force_locale("ru"):
        russian = lost_sentence(wait.lost)
    assert russian == "Терминал потерял всех людей: 3. Уже снова на нём: 0, отправляются снова: 4, нужно новое фото: 0."
    for page in (f"/terminals/{filled.id}", "/attention", f"/jobs/{claim.job_id}"):
        assert english in words(client.get(page, headers=ENGLISH)), page
    assert (client.get(f"/api/devices/{filled.id}/status").json or {})["lost"] == 3
