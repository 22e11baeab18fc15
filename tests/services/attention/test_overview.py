"""What needs attention: each group as real work leaves it, and the number that is their sum."""

from datetime import UTC, datetime

import pytest
from flask import Flask, current_app

from hikflask.extensions import db
from hikflask.models import Capture, Heartbeat, Terminal
from hikflask.models.capture import CAPTURED
from hikflask.models.columns import database_now
from hikflask.services.attention import overview
from hikflask.services.attention.overview import Counts, Overview
from hikflask.services.backups import records
from hikflask.services.backups.archive import Manifest
from hikflask.services.captures.drafts import Draft
from hikflask.services.core import heartbeat
from hikflask.services.core.dates import today
from hikflask.services.employees import search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.photos import storage
from hikflask.services.privacy import consents
from hikflask.services.privacy.consents import Given
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, IVAN, OLGA, capture_face
from tests.support.disk_usage import let_be_free
from tests.support.enrolments import desire_with_face, employee_of, enrol, let_fail
from tests.support.made_backups import run_without_backup
from tests.support.removals import open_removals
from tests.support.wire import InProcess

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

MODELING = "SubpicAnalysisModelingError"


def seen(caller: str = "Анна") -> Overview:
    """What the page would show; the header's number is that of its rows."""
    found = overview.overview(overview.count(), caller)
    rows = [
        *found.counts.problems,
        *found.counts.drift,
        *found.counts.doors,
        *found.people,
        *found.unsaved,
        *found.failed_jobs,
    ]
    of_all = (found.counts.nowhere, found.counts.consents, not found.counts.worker_runs, found.counts.backup_overdue)
    assert found.counts.total == len(rows) + sum(map(bool, of_all)) + len(found.counts.low_disks)
    assert [len(row.enrolments) for row in found.people] == [min(row.problem.count, 4) for row in found.people]
    return found


def counted(counts: Counts) -> dict[str, int]:
    """What there is to do, with how many people each row of people has."""
    rows = {f"{row.cause} {row.terminal.name}": row.count for row in counts.people}
    rows |= {f"{problem.kind} {problem.terminal.name}": 1 for problem in counts.problems}
    rows |= {f"door {terminal.name}": 1 for terminal in counts.doors}
    rows |= {name: getattr(counts, name) for name in ("nowhere", "unsaved", "consents")}
    rows |= {"worker": int(not counts.worker_runs)}
    rows |= {"backup": int(counts.backup_overdue), "disks": len(counts.low_disks)}
    return {name: count for name, count in rows.items() if count}


def listed(state: str = "", terminal: int | None = None, consent: str = "") -> int:
    """How many the list of employees shows with this filter, to which the group leads."""
    return search.search(EmployeeFilter(state=state, terminal=terminal, consent=consent), 1, 0)[1]


def test_nothing_is_to_be_done_when_all_is_confirmed(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)

    found = seen()

    assert counted(found.counts) == {}
    assert found.all_is_well
    assert found.without_consent_count == 1
    assert found.front is not None
    assert (found.front.active, found.front.confirmed, listed("on_terminals")) == (1, 1, 1)
    assert [one.number for one in found.front.newest] == ["100222"]


def test_door_that_stands_open_counts_beside_what_else_is_wrong_with_its_terminal(terminal: Terminal) -> None:
    door = db.update(Terminal).where(Terminal.id == terminal.id)
    db.session.execute(door.values(door_mode="free", awaits_restore=True))
    db.session.commit()

    assert counted(seen().counts) == {"replaced Вход": 1, "door Вход": 1}

    db.session.execute(door.values(is_active=False))
    db.session.commit()
    assert counted(seen().counts) == {}


def test_whoever_left_is_to_be_looked_after_until_the_terminal_confirms(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    ivan, olga = enrol(simulator, terminal), enrol(simulator, terminal, OLGA)
    wire.away.add("terminal.test")
    set_active(employee_of(ivan), active=False)
    let_fail(queries.get_one(ivan.id))
    kept = seen()
    delete_employee(employee_of(olga))
    both = seen()
    wire.away.clear()
    for one in open_removals():
        reconcile(one.id, "test")

    assert counted(kept.counts) == {"leaving Вход": 1, "off Вход": 1}
    assert kept.front is None
    assert listed("leaving") == 0
    assert (counted(both.counts), both.counts.removals) == ({"leaving Вход": 2, "off Вход": 1}, 2)
    (row,) = both.people
    assert [one.number for one in row.enrolments] == ["100222", "100333"]
    assert seen().all_is_well


def test_who_is_on_no_terminal_and_has_no_photo_is_counted_apart(terminal: Terminal) -> None:
    for number in range(7):
        save_employee(Draft(f"N{number}", "Иван Иванов"))
    left = save_employee(OLGA).row
    set_active(left.id, active=False)
    there = send_to_terminal(save_employee(IVAN).row.id, terminal.id).row
    reconcile(there.id, "test")

    found = seen()

    assert counted(found.counts) == {"nowhere": 7, "photo Вход": 1}
    assert found.counts.total == 2
    assert [one.number for one in found.nowhere] == ["N0", "N1", "N2", "N3"]
    assert listed("no_face") == 8


def test_all_who_wait_for_one_terminal_are_one_line_and_not_counted(
    simulator: Simulated, terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    ivan, olga = desire_with_face(simulator, terminal), desire_with_face(simulator, terminal, OLGA)
    sending = seen()
    wire.away.add("terminal.test")
    for one in (ivan, olga):
        let_fail(one)

    found = seen()

    assert counted(sending.counts) == {}
    assert not sending.all_is_well
    assert counted(found.counts) == {"off Вход": 1}
    assert (found.waiting_count, listed("waiting"), listed("waiting", terminal.id)) == (2, 2, 2)
    line = found.waiting[terminal.id]
    assert (line.terminal.name, line.employees) == ("Вход", 2)
    assert line.terminal.offline_since is not None
    assert line.since == min(one.desired_since for one in (ivan, olga) if one.desired_since)
    monkeypatch.setattr(overview, "MAX_COUNTED", 1)
    many = seen().waiting[terminal.id]
    assert (many.employees, many.failed, many.since) == (2, 2, line.since)


def test_people_of_a_terminal_that_refuses_the_password_are_part_of_its_trouble(
    simulator: Simulated, terminal: Terminal
) -> None:
    refused = desire_with_face(simulator, terminal, OLGA)
    simulator.faults.add("refuse", MODELING)
    let_fail(refused)
    simulator.faults.clear()
    reconcile(send_to_terminal(save_employee(Draft("9", "Пётр Ли")).row.id, terminal.id).row.id, "test")
    wanted = desire_with_face(simulator, terminal)
    simulator.login.password = "Changed99"
    let_fail(wanted)

    found = seen()

    assert counted(found.counts) == {"login Вход": 1}
    assert found.affected == {terminal.id: 2}
    assert listed("refused", terminal.id) == 2


def test_refusal_elsewhere_is_shown_beside_a_terminal_in_trouble(simulator: Simulated, terminal: Terminal) -> None:
    simulator.faults.add("refuse", MODELING)
    let_fail(desire_with_face(simulator, terminal))
    registry.add(Access("Новый", "http://new.test", "admin", "x"))

    found = seen()

    assert counted(found.counts) == {"photo Вход": 1, "unchecked Новый": 1}
    assert found.affected == {}


def test_missing_consent_is_shown_of_whom_the_list_shows_and_counts_where_it_is_required(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    save_employee(OLGA)
    set_active(save_employee(Draft("9", "Пётр Ли")).row.id, active=False)
    enrol(simulator, terminal)
    by_default = seen()
    missing = listed(consent="missing")
    app.config["CONSENT"] = "require"
    required = seen()
    for one in required.without_consent:
        consents.record(one.id, Given(today()))
    recorded = listed(consent="missing")

    assert counted(by_default.counts) == {"nowhere": 1}
    assert (by_default.without_consent_count, by_default.without_consent) == (2, [])
    assert [one.number for one in required.without_consent] == ["100333", "100222"]
    assert (missing, recorded) == (2, 0)
    assert (counted(required.counts), required.counts.total) == ({"nowhere": 1, "consents": 2}, 2)
    assert counted(seen().counts) == {"nowhere": 1}


def test_unsaved_pictures_are_shown_the_callers_own_first(simulator: Simulated, terminal: Terminal) -> None:
    ivan = save_employee(IVAN).row
    of_anna = capture_face(simulator, terminal, IVAN)
    # Taken as from a terminal that keeps no file, so it does not supersede the first.
    of_boris = Capture(terminal_id=terminal.id, state=CAPTURED, requested_by="Борис", deadline=database_now())
    of_boris.photo_id = storage.keep(FACE, "").id
    db.session.add(of_boris)
    db.session.commit()

    found = seen("Борис")

    assert counted(found.counts) == {"nowhere": 1, "unsaved": 2}
    assert [(one.capture.id, one.employee_id) for one in found.unsaved] == [(of_boris.id, None), (of_anna.id, ivan.id)]


def test_number_says_that_no_worker_is_running() -> None:
    heartbeat.leave("test")

    assert counted(seen().counts) == {"worker": 1}
    assert not seen().all_is_well


def test_full_disk_is_one_thing_and_a_worker_that_can_give_no_sign_on_it_none(monkeypatch: pytest.MonkeyPatch) -> None:
    db.session.execute(db.delete(Heartbeat))
    db.session.commit()
    assert counted(seen().counts) == {"worker": 1}

    let_be_free(monkeypatch, 0)

    assert counted(seen().counts) == {"disks": 1}


def test_backup_that_is_missing_is_one_thing_where_that_is_watched() -> None:
    assert (counted(seen().counts), seen().last_backup) == ({}, None)

    current_app.config["BACKUP_MAX_AGE"] = 48
    assert counted(seen().counts) == {}
    run_without_backup(hours=49)

    assert counted(seen().counts) == {"backup": 1}
    made = records.add(Manifest(datetime.now(UTC), "0018", "sqlite", ""), 1000)
    assert (counted(seen().counts), seen().last_backup) == ({}, made)
