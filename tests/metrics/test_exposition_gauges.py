"""What the database and the queue tell Prometheus: every figure, by an index, and nobody's name or number."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import current_app
from prometheus_client import Metric

from hikflask.background import tasks
from hikflask.extensions import db, task_queue
from hikflask.isapi.errors import TerminalError
from hikflask.metrics import exposition
from hikflask.models import Employee, Enrolment, EventLog, Terminal
from hikflask.models.columns import database_now
from hikflask.services.employees import lifecycle
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import Terminal as Simulated
from tests.support.disk_usage import GIGABYTE, let_be_free
from tests.support.enrolments import enrol_employee
from tests.support.made_backups import add_backup
from tests.support.metrics import name_of
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")
STATES = ("confirmed", "waiting", "refused", "without_face", "leaving")


def told() -> dict[str, float]:
    """Each figure by its name and labels."""
    found: list[Metric] = exposition.read_gauges()
    return {name_of(sample.name, sample.labels): sample.value for metric in found for sample in metric.samples}


def states(found: dict[str, float]) -> tuple[float, ...]:
    """How many enrolments are in each of STATES."""
    return tuple(found[f'hikflask_enrolments{{state="{state}"}}'] for state in STATES)


def put(terminal: Terminal, number: str, **columns: object) -> None:
    """Write an enrolment that is in some state."""
    db.session.add(Enrolment(terminal_id=terminal.id, number=number, next_attempt_at=db.null(), **columns))
    db.session.commit()


@pytest.mark.both_databases
def test_enrolments_and_removals_are_counted_by_state(terminal: Terminal, simulator: Simulated) -> None:
    assert (states(told()), told()["hikflask_removal_oldest_seconds"]) == ((0, 0, 0, 0, 0), 0)
    gone = enrol_employee(simulator, terminal)
    assert states(told()) == (1, 0, 0, 0, 0)
    photo = gone.photo_id

    lifecycle.set_active(gone.id, False)
    put(terminal, "1", person="confirmed", face="refused", photo_id=photo)
    put(terminal, "2", person="confirmed", face="pending")
    db.session.add(Enrolment(terminal_id=terminal.id, number="3", photo_id=photo))
    leaving = db.update(Enrolment).where(Enrolment.desired == "absent")
    db.session.execute(leaving.values(desired_since=database_now(-90)))
    db.session.commit()
    found = told()

    assert states(found) == (0, 1, 1, 1, 1)
    assert found["hikflask_removals_open"] == 1
    assert 90 <= found["hikflask_removal_oldest_seconds"] < 150
    assert [found[f'hikflask_employees{{state="{state}"}}'] for state in ("active", "inactive")] == [0, 1]


def test_terminal_that_stops_answering_and_one_that_refuses_the_password(terminal: Terminal, wire: InProcess) -> None:
    here = f'{{name="Вход",terminal="{terminal.id}"}}'
    first = told()
    assert first[f"hikflask_terminal_reachable{here}"] == 1
    answered = first[f"hikflask_terminal_last_answer_timestamp_seconds{here}"]

    wire.away.add("terminal.test")
    with pytest.raises(TerminalError):
        checks.check(terminal.id, "test")
    away = told()
    wire.away.clear()
    registry.change(terminal.id, Access("Вход", "http://terminal.test", "admin", "Another12"), "test")
    with pytest.raises(TerminalError):
        checks.check(terminal.id, "test")
    refused = told()

    assert away[f"hikflask_terminal_reachable{here}"] == 0
    assert away[f"hikflask_terminal_last_answer_timestamp_seconds{here}"] == answered
    assert away[f"hikflask_terminal_password_refused{here}"] == 0
    assert refused[f"hikflask_terminal_reachable{here}"] == 1
    assert refused[f"hikflask_terminal_last_answer_timestamp_seconds{here}"] > answered
    assert refused[f"hikflask_terminal_password_refused{here}"] == 1


@pytest.mark.both_databases
def test_how_long_passages_were_not_read_is_told_while_they_are_kept(terminal: Terminal) -> None:
    name = f'hikflask_terminal_passages_unread_seconds{{name="Вход",terminal="{terminal.id}"}}'
    db.session.add(EventLog(terminal_id=terminal.id, read_at=database_now(-90)))
    db.session.commit()
    off = told()
    current_app.config["PASSAGES"] = "poll"

    assert name not in off
    assert 90 <= told()[name] < 150


@pytest.mark.both_databases
def test_queue_tells_its_length_and_age_and_the_worker_its_life(
    terminal: Terminal, run_jobs: Callable[[], int]
) -> None:
    run_jobs()
    task_queue.enqueue(tasks.check_terminal, terminal.id)
    task_queue.enqueue(tasks.check_terminal, terminal.id)
    found = told()

    assert found['hikflask_queue_tasks{lane="terminals"}'] == 2
    assert 0 <= found['hikflask_queue_oldest_seconds{lane="terminals"}'] < 60
    assert (found['hikflask_queue_tasks{lane="jobs"}'], found['hikflask_queue_oldest_seconds{lane="jobs"}']) == (0, 0)
    assert (found["hikflask_worker_alive"], found["hikflask_queue_reachable"]) == (1, 1)
    run_jobs()
    assert told()['hikflask_queue_tasks{lane="terminals"}'] == 0


@pytest.mark.both_databases
def test_last_backup_is_told_with_its_time() -> None:
    assert told()["hikflask_backup_last_success_timestamp_seconds"] == 0

    add_backup(hours=5)
    made = add_backup(hours=3)

    assert told()["hikflask_backup_last_success_timestamp_seconds"] == made.finished_at.timestamp()


def test_database_or_queue_that_is_away_is_told(tmp_path: Path) -> None:
    (tmp_path / "queue.sqlite3").mkdir()
    found = told()
    assert (found["hikflask_queue_reachable"], found["hikflask_database_reachable"]) == (0, 1)
    assert not [name for name in found if name.startswith("hikflask_queue_tasks")]

    db.session.execute(db.text("DROP TABLE heartbeat"))
    db.session.commit()

    disk = {f'hikflask_disk_{name}_bytes{{place="data"}}' for name in ("free", "size")}
    away = told()
    assert away.keys() == {"hikflask_database_reachable", *disk}
    assert away["hikflask_database_reachable"] == 0


@pytest.mark.usefixtures("terminal")
def test_every_count_follows_an_index_and_ends_after_some_rows() -> None:
    statements: list[tuple[str, tuple[object, ...]]] = []
    db.event.listen(db.engine, "before_cursor_execute", lambda *given: statements.append((given[2], given[3])))

    told()

    counts = [given for given in statements if "FROM enrolment" in given[0]]
    assert len(counts) == 5
    for statement, values in counts:
        plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
        (reads,) = [row.detail for row in plan if "enrolment" in row.detail]
        assert "INDEX ix_enrolment_" in reads, (statement, reads)
        assert " LIMIT ?" in statement


def test_no_name_or_number_of_a_person_is_a_label(terminal: Terminal, simulator: Simulated) -> None:
    enrol_employee(simulator, terminal)
    assert db.session.query(Employee.number).scalar() == "100222"

    labels = " ".join(told())

    assert "Вход" in labels
    assert not {word for word in ("100222", "Иван", "Охрана", "Анна") if word in labels}


def test_space_on_the_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    let_be_free(monkeypatch, 12 * GIGABYTE)

    found = told()

    assert found['hikflask_disk_free_bytes{place="data"}'] == 12 * GIGABYTE
    assert found['hikflask_disk_size_bytes{place="data"}'] == 100 * GIGABYTE
