"""Each deed leaves its entry, in the transaction that does it; what comes to nothing or repeats itself leaves none."""

import dataclasses
import io

import pytest
import requests
from flask import Flask

from hikflask.background import tasks
from hikflask.extensions import db
from hikflask.isapi.errors import CertificateChanged, LoginRefused, TerminalError
from hikflask.models import Capture, Employee, Enrolment, Terminal
from hikflask.models.columns import database_now
from hikflask.services import audit
from hikflask.services.audit import Actor, Entry
from hikflask.services.audit.search import AuditFilter, list_entries
from hikflask.services.captures import deadline
from hikflask.services.captures.drafts import Draft
from hikflask.services.captures.lifecycle import cancel_capture, start_capture
from hikflask.services.captures.runner import run_capture
from hikflask.services.core.errors import GenerationChanged, LoginStopped, NameTooLong, NumberTakenThere, ServiceError
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.employees.sync import sync_employee
from hikflask.services.enrolments import desired, manual_removal, queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.checks import ask_status
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import profile_named
from tests.conftest import HOST, PASSWORD, NobodyComes
from tests.support.captures import FACE, IVAN, OLGA
from tests.support.trail import entries, fields
from tests.support.wire import InProcess

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

ANNA = Actor("Анна", "10.0.0.7", "abc123")
URL = f"http://{HOST}"
ACCESS = Access("Вход", URL, "admin")


@pytest.fixture
def trail(context: None, terminal: Terminal) -> "Trail":  # noqa: ARG001
    """The trail of what the test does; that the terminal was added stands before."""
    newest, _ = list_entries(AuditFilter(), 1)
    return Trail(newest[0].id)


class Trail:
    """What was noted since the test last looked."""

    def __init__(self, since: int) -> None:
        self._since = since

    def new(self) -> list[Entry]:
        found = entries(after=self._since)
        self._since = found[-1].id if found else self._since
        return found

    def actions(self) -> list[str]:
        return [entry.action for entry in self.new()]


def capture(simulator: Simulated, terminal: Terminal, draft: Draft = IVAN, face: bytes = FACE) -> Capture:
    simulator.present_alone(face)
    with audit.acting(ANNA):
        started = start_capture(terminal.id, draft, "Анна", take_over=True)
    return run_capture(started.id)


def enrol(simulator: Simulated, terminal: Terminal, draft: Draft = IVAN) -> Employee:
    employee = save_employee(draft, FaceSource(capture(simulator, terminal, draft).id, "Анна")).row
    settle(employee)
    return employee


def wish_of(employee: Employee) -> Enrolment:
    return queries.of_number(employee.number)[0]


def settle(employee: Employee) -> None:
    tasks.reconcile_enrolment(wish_of(employee).id)


def make_due() -> None:
    db.session.execute(db.update(Enrolment).values(next_attempt_at=database_now()))
    db.session.execute(db.update(Terminal).values(backoff_until=None))
    db.session.commit()


# Employees


def test_employee_is_created_with_a_captured_photo(simulator: Simulated, terminal: Terminal, trail: Trail) -> None:
    taken = capture(simulator, terminal)
    trail.new()

    with audit.acting(ANNA):
        employee = save_employee(IVAN, FaceSource(taken.id, taken.requested_by)).row

    created, used, photo, wanted = trail.new()
    assert [one.action for one in (created, used, photo, wanted)] == [
        "employee.created",
        "capture.used",
        "employee.photo_changed",
        "enrolment.wanted",
    ]
    assert {(one.actor, one.request_id, one.address) for one in (created, used, photo, wanted)} == {
        ("Анна", "abc123", "10.0.0.7")
    }
    assert {(one.employee, one.employee_id) for one in (created, used, photo, wanted)} == {("100222", employee.id)}
    assert created.after == {"number": "100222", "full_name": "Иван Иванов", "department": "Охрана"}
    assert (used.terminal, wanted.terminal) == ("Вход", "Вход")
    assert employee.photo is not None
    assert photo.subject == employee.photo.file
    assert photo.after == {"source": "capture"}


def test_change_says_what_was_before(trail: Trail) -> None:
    employee = save_employee(IVAN).row
    trail.new()

    save_employee(Draft("100222", "Иван Петров", "Охрана"), employee_id=employee.id)

    (changed,) = trail.new()
    assert (changed.action, changed.before) == ("employee.changed", {"full_name": "Иван Иванов"})
    assert changed.after == {"full_name": "Иван Петров"}


def test_another_number_is_found_under_both(trail: Trail) -> None:
    employee = save_employee(IVAN).row
    trail.new()

    save_employee(Draft("100444", "Иван Иванов", "Охрана"), employee_id=employee.id)

    assert [(one.action, one.employee, one.before, one.after) for one in trail.new()] == [
        ("employee.changed", "100444", {"number": "100222"}, {"number": "100444"}),
        ("employee.renumbered", "100222", {"number": "100222"}, {"number": "100444"}),
    ]


def test_save_that_changes_nothing_is_no_entry(trail: Trail) -> None:
    employee = save_employee(IVAN).row
    trail.new()

    save_employee(IVAN, employee_id=employee.id)

    assert trail.actions() == []


def test_uploaded_photo_is_noted(trail: Trail) -> None:
    employee = save_employee(IVAN).row
    trail.new()

    save_employee(IVAN, FaceSource(upload=io.BytesIO(FACE)), employee_id=employee.id)

    (photo,) = trail.new()
    assert (photo.action, photo.after) == ("employee.photo_changed", {"source": "upload"})


def test_refused_save_is_no_entry(terminal: Terminal, trail: Trail) -> None:
    save_employee(IVAN)
    db.session.execute(db.update(Terminal).values(name_bytes=1))
    db.session.commit()
    trail.new()

    with pytest.raises(ServiceError, match=r"^number_known$"):
        save_employee(IVAN)
    with pytest.raises(NameTooLong):
        save_employee(OLGA, FaceSource(upload=io.BytesIO(FACE), terminal_id=terminal.id))

    assert trail.actions() == []


def test_leaving_is_noted_until_the_terminal_confirmed_it(
    simulator: Simulated, terminal: Terminal, trail: Trail
) -> None:
    employee = enrol(simulator, terminal)
    trail.new()

    with audit.acting(ANNA):
        set_active(employee.id, False)
        set_active(employee.id, False)
    settle(employee)

    assert [(one.action, one.actor, one.employee, one.terminal) for one in trail.new()] == [
        ("employee.deactivated", "Анна", "100222", ""),
        ("enrolment.removed", "worker", "100222", "Вход"),
    ]


def test_return_is_noted_with_what_is_wanted_again(simulator: Simulated, terminal: Terminal, trail: Trail) -> None:
    employee = enrol(simulator, terminal)
    set_active(employee.id, False)
    trail.new()

    set_active(employee.id, True)

    assert trail.actions() == ["employee.activated", "enrolment.wanted"]


def test_deletion_outlives_the_employee(simulator: Simulated, terminal: Terminal, trail: Trail) -> None:
    employee = enrol(simulator, terminal)
    employee_id = employee.id
    trail.new()

    (left,) = delete_employee(employee_id).due
    tasks.reconcile_enrolment(left)

    deleted, removed = trail.new()
    assert (deleted.action, deleted.employee_id, deleted.employee) == ("employee.deleted", employee_id, "100222")
    assert deleted.before == {"number": "100222", "full_name": "Иван Иванов", "department": "Охрана"}
    assert (removed.action, removed.employee) == ("enrolment.removed", "100222")


def test_sending_to_one_more_terminal_is_noted(terminal: Terminal, trail: Trail) -> None:
    employee = save_employee(IVAN).row
    trail.new()

    send_to_terminal(employee.id, terminal.id)

    (wanted,) = trail.new()
    assert (wanted.action, wanted.employee, wanted.terminal) == ("enrolment.wanted", "100222", "Вход")


# Captures


def test_capture_of_the_worker_says_who_asked_for_it(simulator: Simulated, terminal: Terminal, trail: Trail) -> None:
    capture(simulator, terminal)

    started, taken = trail.new()
    assert (started.action, started.actor, started.employee, started.terminal) == (
        "capture.started",
        "Анна",
        "100222",
        "Вход",
    )
    assert (taken.action, taken.actor, taken.employee, taken.terminal) == ("capture.taken", "worker", "100222", "Вход")
    assert taken.after == {"requested_by": "Анна"}


def test_capture_that_its_own_actor_runs_does_not_say_so_twice(
    simulator: Simulated, terminal: Terminal, trail: Trail
) -> None:
    simulator.present_alone(FACE)
    with audit.acting(Actor("API HR")):
        run_capture(start_capture(terminal.id, IVAN, "API HR").id)

    assert [(one.actor, one.after) for one in trail.new()] == [("API HR", None), ("API HR", None)]


def test_failed_capture_says_why(terminal: Terminal, trail: Trail, nobody_comes: NobodyComes) -> None:
    with nobody_comes():
        run_capture(start_capture(terminal.id, IVAN, "Анна").id)

    _, failed = trail.new()
    assert failed.action == "capture.failed"
    assert failed.after == {"reason": "captureTimeout", "requested_by": "Анна"}


def test_cancelled_capture_is_noted_once_and_does_not_fail_too(
    simulator: Simulated, terminal: Terminal, trail: Trail
) -> None:
    started = start_capture(terminal.id, IVAN, "Анна")
    simulator.present_alone(FACE)
    with audit.acting(ANNA):
        assert cancel_capture(started.id)
        assert not cancel_capture(started.id)
    run_capture(started.id)

    assert trail.actions() == ["capture.started", "capture.cancelled"]


def test_capture_whose_worker_died_is_ended_by_the_worker_whoever_comes_next(terminal: Terminal, trail: Trail) -> None:
    start_capture(terminal.id, IVAN, "Анна")
    db.session.execute(db.update(Capture).values(deadline=database_now(-60.0)))
    db.session.commit()
    with audit.acting(ANNA):
        deadline.fail_overdue()
        deadline.fail_overdue()

    _, failed = trail.new()
    assert (failed.action, failed.actor, fields(failed.after)["reason"]) == (
        "capture.failed",
        "worker",
        "interrupted",
    )


def test_taking_over_an_unsaved_picture_is_noted(simulator: Simulated, terminal: Terminal, trail: Trail) -> None:
    capture(simulator, terminal)
    trail.new()

    with audit.acting(Actor("Пётр")):
        start_capture(terminal.id, OLGA, "Пётр", take_over=True)

    taken_over, started = trail.new()
    assert (taken_over.action, taken_over.actor, taken_over.employee) == ("capture.taken_over", "Пётр", "100222")
    assert taken_over.after == {"requested_by": "Анна"}
    assert (started.action, started.employee) == ("capture.started", "100333")


def test_picture_that_a_later_one_replaced_is_noted(simulator: Simulated, terminal: Terminal, trail: Trail) -> None:
    capture(simulator, terminal)
    trail.new()

    capture(simulator, terminal)

    # The earlier one is given up as soon as the terminal says that it has another face in its file.
    assert trail.actions() == ["capture.started", "capture.superseded", "capture.taken"]


# Enrolments


def test_confirmation_of_the_terminal_is_noted_once(simulator: Simulated, terminal: Terminal, trail: Trail) -> None:
    employee = save_employee(IVAN, FaceSource(capture(simulator, terminal).id, "Анна")).row
    trail.new()

    settle(employee)
    reconcile(wish_of(employee).id, "test", prove_again=True)

    (confirmed,) = trail.new()
    assert (confirmed.action, confirmed.actor, confirmed.employee, confirmed.terminal) == (
        "enrolment.confirmed",
        "worker",
        "100222",
        "Вход",
    )


def test_person_without_a_face_is_confirmed_as_such(terminal: Terminal, trail: Trail) -> None:
    employee = save_employee(IVAN).row
    send_to_terminal(employee.id, terminal.id)
    trail.new()

    settle(employee)

    assert trail.actions() == ["enrolment.person_confirmed"]


def test_refused_face_is_noted_with_the_code_and_not_with_each_try(
    simulator: Simulated, terminal: Terminal, trail: Trail
) -> None:
    employee = save_employee(IVAN, FaceSource(capture(simulator, terminal).id, "Анна")).row
    simulator.faults.add("refuse", path="FDSetUp", argument="SubpicAnalysisModelingError")
    trail.new()

    settle(employee)
    make_due()
    settle(employee)

    refused, person = trail.new()
    assert (refused.action, person.action) == ("enrolment.refused", "enrolment.person_confirmed")
    assert fields(refused.after)["reason"] == "SubpicAnalysisModelingError"


def test_terminal_that_is_away_fills_no_trail(
    simulator: Simulated, terminal: Terminal, wire: InProcess, trail: Trail
) -> None:
    employee = save_employee(IVAN, FaceSource(capture(simulator, terminal).id, "Анна")).row
    wire.away.add(HOST)
    trail.new()

    for _ in range(3):
        make_due()
        settle(employee)

    assert trail.actions() == []


def test_number_of_somebody_else_is_refused_once_then_replaced(
    simulator: Simulated, terminal: Terminal, trail: Trail
) -> None:
    employee = save_employee(IVAN, FaceSource(capture(simulator, terminal).id, "Анна")).row
    simulator.store.add("100222", {"name": "Пётр"})
    trail.new()
    with pytest.raises(NumberTakenThere):
        reconcile(wish_of(employee).id, "test")

    (refused,) = trail.new()
    assert refused.after == {"reason": "employeeNoAlreadyExist", "text": "Пётр"}

    with audit.acting(ANNA):
        assert desired.desire_overwrite(wish_of(employee).id, wish_of(employee).generation)
        assert not desired.desire_overwrite(wish_of(employee).id, 0)
    settle(employee)

    assert [(one.action, one.actor) for one in trail.new()] == [
        ("enrolment.replaced", "Анна"),
        ("enrolment.confirmed", "worker"),
    ]


def test_try_of_an_operator_is_noted(terminal: Terminal, trail: Trail) -> None:
    employee = save_employee(IVAN).row
    send_to_terminal(employee.id, terminal.id)
    trail.new()

    with audit.acting(ANNA):
        desired.retry(wish_of(employee).id)
        desired.retry(10**6)

    assert [(one.action, one.actor, one.employee) for one in trail.new()] == [("enrolment.retried", "Анна", "100222")]


def test_removal_that_waits_for_a_person_is_noted_once(
    simulator: Simulated, terminal: Terminal, wire: InProcess, trail: Trail
) -> None:
    employee = enrol(simulator, terminal)
    set_active(employee.id, False)
    wire.put("new.test", Simulated(PASSWORD, clock=SkippingClock(), profile=profile_named("K1T341AMF")))
    registry.change(terminal.id, dataclasses.replace(ACCESS, url="http://new.test", password=PASSWORD), "test")
    trail.new()

    for _ in range(3):
        make_due()
        with pytest.raises(ServiceError, match=r"^other_device$"):
            reconcile(wish_of(employee).id, "test")

    device, refused = trail.new()
    assert (device.action, device.terminal) == ("terminal.other_device", "Вход")
    assert list(fields(device.before)) == list(fields(device.after)) == ["serial"]
    assert (refused.action, refused.after) == ("enrolment.refused", {"reason": "other_device"})

    with audit.acting(ANNA):
        manual_removal.confirm_by_hand(wish_of(employee).id, wish_of(employee).generation)

    assert [(one.action, one.actor) for one in trail.new()] == [("enrolment.removed_by_hand", "Анна")]


def test_word_that_a_record_is_somebody_elses_is_noted_and_no_removal(
    simulator: Simulated, terminal: Terminal, trail: Trail
) -> None:
    employee = enrol(simulator, terminal)
    simulator.people["100222"]["name"] = "Пётр"
    set_active(employee.id, False)
    trail.new()

    for _ in range(3):
        make_due()
        with pytest.raises(NumberTakenThere):
            reconcile(wish_of(employee).id, "test")
    with audit.acting(ANNA):
        manual_removal.confirm_as_somebody_elses(wish_of(employee).id, wish_of(employee).generation, "Пётр")

    assert [(one.action, one.actor) for one in trail.new()] == [
        ("enrolment.refused", "worker"),
        ("enrolment.somebody_elses", "Анна"),
    ]


def test_conversation_that_was_too_late_notes_nothing(
    app: Flask, simulator: Simulated, terminal: Terminal, trail: Trail
) -> None:
    employee = save_employee(IVAN, FaceSource(capture(simulator, terminal).id, "Анна")).row
    enrolment = wish_of(employee)
    trail.new()

    def somebody_else() -> None:
        with app.app_context():
            desired.retry(enrolment.id)

    simulator.after("FDSetUp", somebody_else)

    with pytest.raises(GenerationChanged):
        reconcile(enrolment.id, "test")

    assert trail.actions() == ["enrolment.retried"]


def test_sync_of_a_program_is_its_own_deed(simulator: Simulated, terminal: Terminal, trail: Trail) -> None:
    employee = save_employee(IVAN).row
    simulator.present_alone(FACE)
    trail.new()

    with audit.acting(Actor("API HR")):
        run_capture(start_capture(terminal.id, Draft("100222"), "API HR").id)
        reconcile(sync_employee(employee.id, None, "API HR").row.id, "API HR", prove_again=True)

    noted = trail.new()
    assert [one.action for one in noted] == [
        "capture.started",
        "capture.taken",
        "capture.used",
        "employee.photo_changed",
        "enrolment.wanted",
        "enrolment.confirmed",
    ]
    assert {one.actor for one in noted} == {"API HR"}


# Terminals


def test_terminal_is_added_and_its_password_is_not_told(trail: Trail) -> None:
    registry.add(Access("Склад", "http://10.0.0.9", "admin", "Secret123", "ab" * 32))

    (added,) = trail.new()
    assert (added.action, added.terminal) == ("terminal.added", "Склад")
    assert added.after == {
        "name": "Склад",
        "url": "http://10.0.0.9",
        "username": "admin",
        "fingerprint": "ab" * 32,
        "is_active": True,
        "face_by_picture": False,
        "direction": "",
    }


def test_terminal_that_is_not_added_is_no_entry(terminal: Terminal, trail: Trail) -> None:
    with pytest.raises(ServiceError, match=r"^terminal_name_known$"):
        registry.add(Access(terminal.name, URL, "admin", PASSWORD))

    assert trail.actions() == []


def test_change_of_a_terminal_says_what_was_before_and_of_a_password_the_fact(terminal: Terminal, trail: Trail) -> None:
    access = Access("Проходная", URL, "operator", "Secret123", is_active=False)

    registry.change(terminal.id, access, "test")
    registry.change(terminal.id, dataclasses.replace(access, password=None), "test")

    changed, password = trail.new()
    assert (changed.action, changed.terminal) == ("terminal.changed", "Проходная")
    assert changed.before == {"name": "Вход", "username": "admin", "is_active": True}
    assert changed.after == {"name": "Проходная", "username": "operator", "is_active": False}
    assert (password.action, password.before, password.after) == ("terminal.password_changed", None, None)


def test_change_that_is_refused_is_no_entry(terminal: Terminal, trail: Trail) -> None:
    other = registry.add(Access("Склад", "http://10.0.0.9", "admin", PASSWORD))
    trail.new()

    with pytest.raises(ServiceError, match=r"^terminal_name_known$"):
        registry.change(other.id, Access(terminal.name, "http://10.0.0.9", "admin", "Secret123"), "test")

    assert trail.actions() == []


def test_deletion_of_a_terminal_is_noted_when_it_happens(
    simulator: Simulated, terminal: Terminal, trail: Trail
) -> None:
    employee = enrol(simulator, terminal)
    trail.new()
    with pytest.raises(ServiceError, match=r"^terminal_has_people$"):
        registry.delete(terminal.id, "test")
    assert trail.actions() == []
    set_active(employee.id, False)
    settle(employee)
    trail.new()

    registry.delete(terminal.id, "test")

    (deleted,) = trail.new()
    assert (deleted.action, deleted.terminal, fields(deleted.before)["url"]) == ("terminal.deleted", "Вход", URL)


def test_first_refused_password_is_noted_and_a_try_that_was_allowed(terminal: Terminal, trail: Trail) -> None:
    registry.change(terminal.id, dataclasses.replace(ACCESS, password="Another123"), "test")
    trail.new()
    for _ in range(2):
        with pytest.raises((LoginRefused, LoginStopped)):
            checks.check(terminal.id, "test")

    (refused,) = trail.new()
    assert (refused.action, refused.terminal) == ("terminal.password_refused", "Вход")
    assert refused.after == {"reason": "wrong_password"}

    with audit.acting(ANNA):
        assert registry.allow_once(terminal.id)
        assert not registry.allow_once(terminal.id)

    assert [(one.action, one.actor) for one in trail.new()] == [("terminal.try_allowed", "Анна")]


def test_another_certificate_is_noted_when_it_is_seen_first(
    wire: InProcess, terminal: Terminal, trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strange(request: requests.PreparedRequest, **_: object) -> requests.Response:
        raise requests.exceptions.SSLError(request=request)

    with monkeypatch.context() as patched:
        patched.setattr(wire, "send", strange)
        for _ in range(3):
            with pytest.raises(CertificateChanged):
                checks.check(terminal.id, "test")
    checks.check(terminal.id, "test")

    assert [(one.action, one.terminal) for one in trail.new()] == [("terminal.certificate_changed", "Вход")]


def test_conversations_that_teach_nothing_new_are_no_entries(
    simulator: Simulated, terminal: Terminal, trail: Trail
) -> None:
    checks.check(terminal.id, "test")
    ask_status(terminal.id, "test")
    simulator.faults.add("drop")
    with pytest.raises((TerminalError, ServiceError)):
        checks.check(terminal.id, "test")
    tasks.sweep()

    assert trail.actions() == []
