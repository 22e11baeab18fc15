"""Which employees a filter finds: each state as it comes about at terminals, and that pages say the same."""

import itertools
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import insert

from hikflask.extensions import db
from hikflask.isapi.errors import TerminalError
from hikflask.labels.enrolments import statuses_of
from hikflask.models import Employee, Enrolment, Photo, Terminal
from hikflask.models.columns import database_now
from hikflask.models.enrolment import ABSENT, CONFIRMED, LEAVING, PENDING, PRESENT, REFUSED, WAITING
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.dates import today
from hikflask.services.core.errors import NumberTakenThere, ServiceError
from hikflask.services.employees import search
from hikflask.services.employees.filters import LEFT, NO_FACE, ON_TERMINALS, STATES, EmployeeFilter
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.enrolments.retire_terminal import retire_terminal
from hikflask.services.privacy import consents
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import profile_named
from tests.conftest import HOST, PASSWORD
from tests.support.captures import IVAN, OLGA
from tests.support.employees import save_with_face, save_with_file
from tests.support.enrolments import desire_with_face, employee_of, enrol
from tests.support.refusals import refusal
from tests.support.removals import open_removals
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


@pytest.fixture
def second(wire: InProcess) -> Terminal:
    """A second terminal, which takes pictures."""
    simulated = Simulated(PASSWORD, clock=SkippingClock(), profile=profile_named("K1T341CMFW"))
    simulated.store.deletion_polls = 0
    wire.put("second.test", simulated)
    return checks.check(registry.add(Access("Склад", "http://second.test", "admin", PASSWORD)).id, "test")


def numbers(**wanted: Any) -> list[str]:
    """Return the numbers of those who are found; the count and the page agree."""
    page, total = search.search(EmployeeFilter(**wanted), 100, 0)
    assert total == search.count(EmployeeFilter(**wanted)) == search.count_up_to(EmployeeFilter(**wanted)) == len(page)
    return [employee.number for employee in page]


def states(number: str = IVAN.number, terminal: int | None = None) -> set[str]:
    """Return the states in which an employee is found."""
    return {state for state in STATES if number in numbers(state=state, terminal=terminal)}


def try_all(number: str = IVAN.number) -> None:
    """Reconcile every enrolment of a number, whatever comes of it."""
    for enrolment in queries.of_number(number):
        with suppress(TerminalError, ServiceError):
            reconcile(enrolment.id, "test")


def test_whoever_is_on_no_terminal_has_no_face() -> None:
    save_employee(IVAN)

    assert states() == {NO_FACE}


def test_face_is_waiting_until_the_terminal_confirms_it(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    before = states()

    reconcile(enrolment.id, "test")

    assert (before, states()) == ({WAITING}, {ON_TERMINALS})


TROUBLES: dict[str, tuple[Callable[[Simulated, InProcess], object], str]] = {
    "off": (lambda _, wire: wire.away.add(HOST), WAITING),
    "face refused": (lambda there, _: there.faults.add("refuse", "SubpicAnalysisModelingError", path="FDSetUp"),
                     REFUSED),
    "number taken": (lambda there, _: there.store.add(IVAN.number, {"name": "Чужой Человек"}), REFUSED),
}  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLES)
def test_terminal_that_is_off_is_waited_for_and_one_that_refuses_needs_a_person(
    simulator: Simulated, terminal: Terminal, wire: InProcess, trouble: str
) -> None:
    begin, state = TROUBLES[trouble]
    desire_with_face(simulator, terminal)
    begin(simulator, wire)

    try_all()

    assert states() == {state}


@pytest.mark.both_databases
def test_stopped_login_needs_a_person(simulator: Simulated, terminal: Terminal) -> None:
    desire_with_face(simulator, terminal)
    registry.change(terminal.id, Access("Вход", f"http://{HOST}", "admin", "Changed12"), "test")

    try_all()

    assert simulator.wrong_passwords == 1
    assert states() == {REFUSED}


def test_terminal_that_was_not_checked_needs_a_person(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)

    registry.change(terminal.id, Access("Вход", f"http://{HOST}", "admin", "Changed12"), "test")

    assert states() == {REFUSED}


def test_picture_file_that_the_terminal_does_not_take_needs_a_person(terminal: Terminal) -> None:
    save_with_file(IVAN, terminal.id)

    try_all()

    assert states() == {REFUSED}


def test_person_who_was_sent_without_a_photo_has_no_face(terminal: Terminal) -> None:
    send_to_terminal(save_employee(IVAN).row.id, terminal.id)
    before = states()

    try_all()

    assert (before, states()) == ({NO_FACE, WAITING}, {NO_FACE})


@pytest.mark.both_databases
def test_all_that_is_wanted_must_be_confirmed(
    simulator: Simulated, terminal: Terminal, second: Terminal, wire: InProcess
) -> None:
    employee_id = employee_of(enrol(simulator, terminal))
    wire.away.add("second.test")
    send_to_terminal(employee_id, second.id)
    try_all()

    away = [states(), states(terminal=terminal.id), states(terminal=second.id)]
    wire.away.clear()
    try_all()

    assert away == [{WAITING}, set(), {WAITING}]
    assert states() == states(terminal=terminal.id) == states(terminal=second.id) == {ON_TERMINALS}


@pytest.mark.both_databases
def test_refused_at_one_terminal_and_waiting_at_the_other_is_both(
    simulator: Simulated, terminal: Terminal, second: Terminal, wire: InProcess
) -> None:
    employee = save_with_face(simulator, terminal)
    simulator.faults.add("refuse", path="FDSetUp", argument="SubpicAnalysisModelingError")
    wire.away.add("second.test")
    send_to_terminal(employee.id, second.id)

    try_all()

    assert states() == {REFUSED, WAITING}
    assert (states(terminal=terminal.id), states(terminal=second.id)) == ({REFUSED}, {WAITING})


def test_leaver_is_leaving_until_every_terminal_confirms_it(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    employee_id = employee_of(enrol(simulator, terminal))
    wire.away.add(HOST)
    set_active(employee_id, False)
    try_all()
    away = states()
    wire.away.clear()

    try_all()

    assert (away, states()) == ({LEAVING, LEFT}, {LEFT})
    assert numbers(terminal=terminal.id) == []


@pytest.mark.both_databases
def test_whoever_has_no_face_or_left_is_counted_at_a_terminal_only_where_he_is(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrol(simulator, terminal)
    save_employee(OLGA)
    set_active(save_employee(Draft("100444", "Пётр Ким")).row.id, active=False)

    assert (numbers(state=NO_FACE), numbers(state=LEFT)) == (["100333"], ["100444"])
    assert numbers(state=NO_FACE, terminal=terminal.id) == numbers(state=LEFT, terminal=terminal.id) == []


@pytest.mark.both_databases
def test_retired_terminal_counts_for_nothing(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)

    with audit.acting(Actor("Анна")):
        retire_terminal(terminal.id, "украден", "Анна")

    assert states() == {NO_FACE}
    assert numbers(terminal=terminal.id) == []


@pytest.mark.both_databases
def test_deleted_employee_is_found_nowhere(simulator: Simulated, terminal: Terminal) -> None:
    employee_id = employee_of(enrol(simulator, terminal))

    delete_employee(employee_id)

    assert len(open_removals()) == 1
    assert states() == set()
    assert numbers() == []


@pytest.mark.both_databases
def test_consent_department_terminal_and_words_narrow_together(simulator: Simulated, terminal: Terminal) -> None:
    enrol(simulator, terminal)
    olga = save_employee(OLGA).row
    consents.record(olga.id, consents.Given(today()))

    assert numbers(consent="given") == [OLGA.number]
    assert numbers(consent="missing") == numbers(department="Охрана") == numbers(terminal=terminal.id) == [IVAN.number]
    assert numbers(department="Охрана", consent="missing", state=ON_TERMINALS, q="иван") == [IVAN.number]
    assert numbers(department="Охрана", consent="given") == []


@pytest.mark.both_databases
def test_department_is_found_in_another_spelling() -> None:
    save_employee(Draft("1", "Иван", "Отдел учёта"))
    save_employee(Draft("2", "Пётр", "Склад"))

    assert numbers(department=" отдел  УЧЕТА") == numbers(department="Отдел учёта") == ["1"]
    assert numbers(department="Отдел") == []


# --- pages and filters say the same ---

DUE = {"never": None, "past": database_now(-60), "later": database_now(600)}
BADGE_STATES = {
    "confirmed": {ON_TERMINALS},
    "working": {WAITING},
    "waiting": {WAITING},
    "person_only": {REFUSED},
    "taken": {REFUSED},
    "refused": {REFUSED},
    "leaving": {LEAVING},
    "removed": set(),
}


def combinations() -> Iterable[dict[str, Any]]:
    """Yield the columns of every enrolment that the database accepts."""
    parts = ([PRESENT, ABSENT], [PENDING, CONFIRMED, REFUSED], [PENDING, CONFIRMED, REFUSED], ["", "face"], DUE)
    codes = ["", NumberTakenThere.code, "unreachable"]
    for desired, person, face, step, due, code, photo in itertools.product(*parts, codes, [None, 1]):
        if face == CONFIRMED and (desired == ABSENT or photo is None):
            continue
        confirmed = {"confirmed_photo_id": photo, "confirmed_at": database_now()} if face == CONFIRMED else {}
        row = {"desired": desired, "person": person, "face": face, "step": step, "refusal": refusal(code)}
        yield {"confirmed_photo_id": None, "confirmed_at": None, **row, "photo_id": photo, **confirmed, "due": due}


def said(employee: Employee) -> set[str]:
    """Return the states that the badges of an employee with one enrolment stand for."""
    (line,) = statuses_of(employee)
    one = line.enrolment
    no_face = {NO_FACE} if one.desired == ABSENT or one.photo_id is None else set()
    if line.detail == "unchecked":
        return {WAITING if one.next_attempt_at or one.step else REFUSED}
    if line.detail == "person_only" and one.photo_id is None:
        return {NO_FACE}
    return BADGE_STATES[line.detail] | no_face


@pytest.mark.both_databases
def test_badges_and_filters_never_contradict_each_other(terminal: Terminal) -> None:
    db.session.execute(insert(Photo).values(id=1, file="1.jpg", sha256="0" * 64, source="upload"))
    employees, enrolments = list[dict[str, Any]](), list[dict[str, Any]]()
    for number, columns in enumerate(combinations(), 1):
        due = DUE[columns.pop("due")]
        employees.append({"id": number, "number": str(number), "name": "Иван", "search": str(number)})
        row = {"terminal_id": terminal.id, "number": str(number), "employee_id": number, "next_attempt_at": due}
        enrolments.append({**row, **columns})
    db.session.execute(insert(Employee), employees)
    db.session.execute(insert(Enrolment).values(enrolments))  # The times are the database's.

    for face_mode in (None, "url"):
        db.session.execute(db.update(Terminal).values(face_mode=face_mode))
        db.session.commit()
        shown, total = search.search(EmployeeFilter(), 1000, 0)
        found = {state: {one.id for one in search.search(EmployeeFilter(state=state), 1000, 0)[0]} for state in STATES}

        assert total == len(shown) == len(employees) > 300
        for employee in shown:
            assert {state for state in STATES if employee.id in found[state]} == said(employee), employee.enrolments
