"""A terminal that does not come back: its removals end by a person's word, and nothing is claimed of it any more."""

import pytest

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import TerminalInUse, TerminalRetired
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.employees.lifecycle import delete_employee, set_active
from hikflask.services.enrolments import desired, queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.enrolments.retire_terminal import count_numbers_on, retire_terminal
from hikflask.services.privacy import certificates
from hikflask.services.terminals import checks, leases, registry
from hikflask.services.terminals.checks import ask_status
from hikflask.services.terminals.registry import Access
from hikflask.simulator import Terminal as Simulated
from tests.support.due import claim_due
from tests.support.enrolments import enrol_employee
from tests.support.erasures import settle_all
from tests.support.removals import open_removals
from tests.support.trail import entries, fields
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

IVAN = Draft("100222", "Иван Иванов")
NOTE = "сгорел на складе"


@pytest.fixture
def enrolled(simulator: Simulated, terminal: Terminal) -> Employee:
    return enrol_employee(simulator, terminal, IVAN)


@pytest.fixture
def gone(terminal: Terminal, wire: InProcess, enrolled: Employee) -> Terminal:  # noqa: ARG001
    """The terminal, which never answers again."""
    wire.away.add("terminal.test")
    return terminal


def retire(terminal: Terminal) -> None:
    with audit.acting(Actor("Анна")):
        retire_terminal(terminal.id, NOTE, "Анна")


def test_erasure_completes_by_the_word_of_who_took_it_out_of_service(gone: Terminal, enrolled: Employee) -> None:
    erasure = erase_employee(enrolled.id).row
    settle_all()
    assert certificates.complete(erasure.id).completed_at is None

    retire(gone)

    done = certificates.complete(erasure.id)
    (removal,) = done.removals
    assert done.completed_at is not None
    assert (removal.confirmed_by, removal.confirmation_note) == ("Анна", NOTE)
    assert open_removals() == []


@pytest.mark.both_databases
def test_nobody_is_green_there_any_more(gone: Terminal, enrolled: Employee) -> None:
    assert count_numbers_on(gone.id) == 1

    retire(gone)

    (enrolment,) = queries.of_number("100222")
    assert (enrolment.desired, enrolment.confirmed_by, enrolment.next_attempt_at) == ("absent", "Анна", None)
    assert not queries.synced([enrolled.id])
    assert count_numbers_on(gone.id) == 0


@pytest.mark.both_databases
def test_erasure_later_shows_the_word_too(gone: Terminal, enrolled: Employee) -> None:
    retire(gone)

    erasure = erase_employee(enrolled.id).row

    (removal,) = erasure.removals
    assert (removal.confirmed_by, removal.confirmation_note, erasure.completed_at is not None) == ("Анна", NOTE, True)


def test_trail_says_who_stated_what(gone: Terminal, enrolled: Employee) -> None:
    set_active(enrolled.id, active=False)

    retire(gone)

    (retired,), (removed,) = entries("terminal.retired"), entries("enrolment.removed_by_hand")
    assert (retired.actor, retired.terminal, fields(retired.after)["note"]) == ("Анна", "Вход", NOTE)
    assert (removed.actor, removed.employee, removed.after) == ("Анна", "100222", {"note": NOTE})


@pytest.mark.both_databases
def test_nothing_is_sent_to_it_any_more(terminal: Terminal, simulator: Simulated, enrolled: Employee) -> None:
    retire(terminal)
    simulator.log.clear()

    with pytest.raises(TerminalRetired):
        checks.check(terminal.id, "test")
    ask_status(terminal.id, "test")
    set_active(enrolled.id, active=False)
    set_active(enrolled.id, active=True)
    for enrolment_id in claim_due():
        reconcile(enrolment_id, "test")

    assert simulator.log == []
    assert registry.list_active() == []


def test_nobody_is_desired_there_any_more(terminal: Terminal, enrolled: Employee) -> None:
    retire(terminal)

    with pytest.raises(TerminalRetired):
        desired.desire_present(terminal, enrolled, None)

    assert queries.desired_of("100222") == []


@pytest.mark.both_databases
def test_it_can_be_deleted_afterwards(gone: Terminal, enrolled: Employee) -> None:
    delete_employee(enrolled.id)
    retire(gone)

    registry.delete(gone.id, "test")

    assert registry.list_all() == []
    assert db.session.query(Enrolment).all() == []


@pytest.mark.both_databases
def test_who_switches_it_on_again_is_asked_for_nothing_old(
    terminal: Terminal, simulator: Simulated, enrolled: Employee
) -> None:
    retire(terminal)
    simulator.people.clear()

    registry.change(terminal.id, Access("Вход", "http://terminal.test", "admin", is_active=True), "test")

    again = checks.check(terminal.id, "test")
    assert (again.retired_at, again.retired_note, again.is_active, again.people) == (None, "", True, 0)
    assert queries.of_number(enrolled.number)[0].desired == "absent"


@pytest.mark.both_databases
def test_conversation_that_goes_on_is_waited_for(gone: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hikflask.services.enrolments.retire_terminal.WAIT_SECONDS", 0.0)
    lease = leases.acquire(gone.id, "Борис", "check", 30.0)

    with pytest.raises(TerminalInUse):
        retire(gone)

    lease.release()
    retire(gone)
    assert entries("terminal.retired")[0].actor == "Анна"
