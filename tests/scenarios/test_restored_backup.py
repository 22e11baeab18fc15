"""A restored backup is old: nothing it says reaches a terminal before that was compared and a person decided."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import refresh
from sqlalchemy import select

from hikflask.background import tasks
from hikflask.extensions import db, task_queue
from hikflask.models import Comparison, Employee, Enrolment, Job, Terminal
from hikflask.models.comparison import DONE, FACE_OTHER, ONLY_HERE, ONLY_THERE
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import start_capture
from hikflask.services.changes import lifecycle as jobs
from hikflask.services.changes.kinds import SEND as SEND_JOB
from hikflask.services.comparisons import after_restore
from hikflask.services.comparisons.plan import REMOVE, SEND, Choices, make
from hikflask.services.core import heartbeat
from hikflask.services.core.errors import NotComparedSinceRestore
from hikflask.services.employees import search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.lifecycle import send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.employees.selection import make_draft
from hikflask.services.enrolments import queries as enrolments
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.photos import storage
from hikflask.services.provisioning import bring_people as replacement
from hikflask.services.terminals import checks, clock, connection, recovery
from hikflask.services.terminals.checks import ask_status
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import profile_named
from tests.support.backups import another, back_up, restore
from tests.support.captures import FACE, OTHER_FACE, THIRD_FACE
from tests.support.comparisons import compare, desire_with_photo, differences, enrol_with_photo, take_over
from tests.support.enrolments import employee_of
from tests.support.postgresql import Cluster
from tests.support.removals import open_removals
from tests.support.signed_in import client_of

pytestmark = pytest.mark.both_databases

LEAVER, OLGA, PYOTR, WAITS, SLOW = (
    Draft(number, name)
    for number, name in (
        ("100222", "Иван Иванов"),
        ("100333", "Ольга Ёлкина"),
        ("100444", "Пётр Новый"),
        ("100555", "Семён Ждущий"),
        ("100666", "Юрий Поздний"),
    )
)


@pytest.fixture
def simulator(simulator: Simulated) -> Simulated:
    """A terminal that takes pictures."""
    simulator.profile = dataclasses.replace(profile_named("K1T342MFX-E1"), refuse_after_success=0)
    return simulator


@pytest.fixture
def cluster_of(request: pytest.FixtureRequest, database: dict[str, str]) -> Cluster | None:
    return request.getfixturevalue("cluster") if database else None


@pytest.fixture
def restored(
    app: Flask, terminal: Terminal, simulator: Simulated, tmp_path: Path, cluster_of: Cluster | None
) -> Iterator[Flask]:
    """An installation from a backup. Since it was made somebody left, one was hired, one got another face, and one who
    waited came and left; a job was at work then. Only the terminal knows it now.
    """
    with app.app_context():
        heartbeat.beat("test")
        left = employee_of(enrol_with_photo(terminal, LEAVER))
        olga = employee_of(enrol_with_photo(terminal, OLGA, OTHER_FACE))
        waits = desire_with_photo(terminal, WAITS, THIRD_FACE)
        jobs.start(make_draft(SEND_JOB, EmployeeFilter(), terminal=terminal).id, {})
        compare(terminal)
        db.session.remove()
        file = back_up(app, tmp_path / "backup.tar")

        reconcile(enrolments.find(terminal.id, WAITS.number).id, "test")  # type: ignore[union-attr]
        set_active(employee_of(waits), active=False)
        set_active(left, active=False)
        for row in open_removals():
            reconcile(row.id, "test")
        enrol_with_photo(terminal, PYOTR, THIRD_FACE)
        simulator.store.unbind([OLGA.number])
        simulator.store.bind(OLGA.number, FACE)
        assert search.get(olga)
        assert set(simulator.people) == {OLGA.number, PYOTR.number}
        db.session.remove()
    with another(app, tmp_path / "new", cluster_of) as other:
        done = restore(other, file)
        assert (done.exit_code, done.stderr) == (0, ""), done.output
        simulator.log.clear()
        with other.app_context():
            heartbeat.beat("test")
            yield other


def work(app: Flask, times: int = 3) -> None:
    """Let the worker do whatever it finds."""
    for _ in range(times):
        tasks.sweep()
        while task_queue.lanes(app).run_pending():
            pass
    db.session.commit()


def written(simulator: Simulated) -> list[str]:
    """The requests that may change something at the terminal: all but those that read, as ISAPI has them."""
    asked = [(one.method, one.plain_path) for one in simulator.log]
    return [f"{method} {path}" for method, path in asked if method != "GET" and not path.endswith("/Search")]


def row(number: str) -> Enrolment:
    found = enrolments.find(1, number)
    db.session.commit()
    assert found is not None
    return found


def assert_not_green(app: Flask, enrolment: Enrolment) -> None:
    client = client_of(app)
    user = client.get(f"/api/users/{enrolment.employee_id}").json
    listed = [one["verified"] for one in client.get("/api/enrolments/").get_json() if one["id"] == enrolment.id]
    page = client.get(f"/employees/{enrolment.employee_id}").text
    names = client.get("/employees/?state=on_terminals").text
    db.session.commit()

    assert not enrolment.is_green
    assert user is not None
    assert user["synced_to_device"] is False
    assert listed == [False]
    assert 'data-state="confirmed"' not in page
    assert LEAVER.number not in names


def test_page_says_why_what_was_confirmed_is_not_green(restored: Flask) -> None:
    client, address = client_of(restored), f"/employees/{row(LEAVER.number).employee_id}"

    assert (
        "После восстановления из копии программа ничего не записывает на терминал «Вход». Сверьте его; потом "
        "администратор разрешит запись на его странице."
    ) in client.get(address).text
    refresh()  # The language is kept with the context, which the fixture holds.
    assert (
        "Nothing is written to “Вход” after the restore from a backup. Compare it; then an administrator allows that "
        "on its page."
    ) in client.get(address, headers={"Accept-Language": "en"}).text


def test_nothing_is_written_before_a_person_decides_and_then_everything_converges(
    restored: Flask, simulator: Simulated
) -> None:
    terminal = connection.get_terminal(1)
    late = save_employee(SLOW).row

    # What was at work or read when the backup was made does not go on.
    assert db.session.execute(select(Job.state)).scalars().all() == ["stopped"]
    assert db.session.execute(select(Comparison.id)).scalars().all() == []
    assert after_restore.findings_of(1) is None

    # What the backup has as confirmed is not green: the terminal said so before others told it otherwise.
    leaver = row(LEAVER.number)
    assert leaver.is_confirmed
    assert_not_green(restored, leaver)

    # The worker, the checks, and whoever asks at once: nothing but reading.
    for refused in (
        lambda: reconcile(row(WAITS.number).id, "test"),
        lambda: start_capture(1, LEAVER, "Анна"),
        lambda: clock.set_clock(1, "test"),
        lambda: replacement.begin(1, agreed=None),
    ):
        with pytest.raises(NotComparedSinceRestore):
            refused()
    assert row(WAITS.number).refusal_code == NotComparedSinceRestore.code
    checks.check(1, "test")
    ask_status(1, "test")
    recovery.retry_all(1)
    work(restored)
    assert written(simulator) == []

    # The first comparison was begun by the worker. It holds whom the backup and the terminal do not agree about.
    (comparison,) = db.session.execute(select(Comparison).where(Comparison.state == DONE)).scalars()
    assert differences(comparison) == {
        ONLY_HERE: [LEAVER.number, WAITS.number],
        FACE_OTHER: [OLGA.number],
        ONLY_THERE: [PYOTR.number],
    }
    found = after_restore.findings_of(1)
    assert found is not None
    assert [one.number for one in found.held] == [LEAVER.number, OLGA.number, WAITS.number]
    assert_not_green(restored, row(LEAVER.number))
    assert not after_restore.allow(1, comparison.id + 1)
    for action in (SEND, REMOVE):
        (step,) = make(comparison, Choices({LEAVER.number: action})).steps
        assert step.refusal_code == NotComparedSinceRestore.code
    send_to_terminal(late.id, 1)
    work(restored)
    assert written(simulator) == []

    # Once it is allowed, those are held still, whatever happens; a new one is sent.
    assert after_restore.allow(1, comparison.id)
    assert not after_restore.allow(1, comparison.id)
    work(restored)
    recovery.retry_all(1)
    compare(terminal)
    checks.check(1, "test")
    work(restored)
    assert set(simulator.people) == {OLGA.number, PYOTR.number, SLOW.number}
    assert simulator.store.faces[OLGA.number].jpeg == FACE
    assert {row(number).refusal_code for number in (LEAVER.number, OLGA.number, WAITS.number)} == {
        "changed_since_backup"
    }

    # A person's word: the leaver leaves, the other one is sent, the newer face and the new colleague are taken over.
    set_active(employee_of(row(LEAVER.number)), active=False)
    send_to_terminal(employee_of(row(WAITS.number)), 1)
    olgas = row(OLGA.number).photo
    faces = (olgas.sha256 if olgas else "", storage.sha256(simulator.faces[OLGA.number].jpeg))
    take_over(1, OLGA.number, OLGA.name, faces=faces)
    take_over(1, PYOTR.number, PYOTR.name)
    work(restored)
    assert set(simulator.people) == {OLGA.number, PYOTR.number, WAITS.number, SLOW.number}
    assert open_removals() == []
    assert differences(compare(terminal)) == {}
    assert all(row(number).is_green for number in (OLGA.number, PYOTR.number, WAITS.number))
    assert not db.session.execute(select(Employee.is_active).where(Employee.number == LEAVER.number)).scalar_one()
