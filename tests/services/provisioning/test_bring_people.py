"""A new device gets everybody by an administrator's word, and another terminal's people by a draft first."""

import pytest

from hikflask.extensions import db
from hikflask.isapi.errors import Unreachable
from hikflask.models import AuditEntry, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes import lifecycle
from hikflask.services.core.errors import GenerationChanged
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.enrolments.retire_terminal import retire_terminal
from hikflask.services.provisioning import bring_people, without_face
from hikflask.services.terminals import checks, registry
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, IVAN, OLGA, OTHER_FACE
from tests.support.due import claim_due
from tests.support.employees import save_with_file
from tests.support.fleet import BY_PICTURE, BY_URL, add_terminal, device
from tests.support.jobs import items, run
from tests.support.removals import open_removals
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

PETER = Draft("100444", "Пётр Ли")


@pytest.fixture
def old() -> Simulated:
    """The device that takes pictures, before it is replaced."""
    return device()


@pytest.fixture
def warehouse(wire: InProcess, old: Simulated) -> Terminal:
    """A terminal with two faces on it, and one person without."""
    added = add_terminal(wire, "second.test", "Склад", old)
    save_with_file(IVAN, added.id, FACE)
    save_with_file(OLGA, added.id, OTHER_FACE)
    send_to_terminal(save_employee(PETER).row.id, added.id)
    prove()
    return added


@pytest.fixture
def new(wire: InProcess, warehouse: Terminal) -> Simulated:
    """Another device at its address, and the check that noticed it."""
    put = device(serial="0000007")
    wire.put("second.test", put)
    checks.check(warehouse.id, "test")
    return put


def prove() -> None:
    for enrolment_id in claim_due():
        reconcile(enrolment_id, "test")


def row(terminal: Terminal) -> Terminal:
    found = registry.find_terminal(terminal.id)
    assert found is not None
    return found


@pytest.mark.both_databases
def test_nobody_is_sent_to_another_device_by_itself(warehouse: Terminal, new: Simulated, old: Simulated) -> None:
    there = row(warehouse)

    assert (there.awaits_restore, there.device_changed_at is not None) == (True, True)
    assert old.people.keys() == {IVAN.number, OLGA.number, PETER.number}
    assert claim_due() == []
    checks.check(warehouse.id, "test")
    assert (claim_due(), new.people) == ([], {})
    (ivan,) = queries.of_number(IVAN.number)
    assert (ivan.is_green, ivan.refusal_code) == (False, "not_restored")
    assert reconcile(ivan.id, "test").person == "pending"
    assert (without_face.count_by_itself(there), [one.number for one in without_face.page(there)]) == (
        2,
        [PETER.number],
    )


@pytest.mark.both_databases
def test_restore_brings_everybody_once(warehouse: Terminal, new: Simulated) -> None:
    claim = bring_people.begin(warehouse.id, bring_people.digest(row(warehouse)))
    assert claim is not None
    assert bring_people.begin(warehouse.id, bring_people.digest(row(warehouse))) is None
    run(claim)
    prove()

    assert new.faces.keys() == {IVAN.number, OLGA.number}
    assert new.people.keys() == {IVAN.number, OLGA.number, PETER.number}
    assert queries.of_number(IVAN.number)[0].is_green
    assert not row(warehouse).awaits_restore
    assert {number for number, _, _ in items(claim.job_id)} == new.people.keys()
    assert db.session.query(AuditEntry).filter(AuditEntry.action == "terminal.restored").count() == 1


def test_restore_of_a_process_that_is_killed_is_not_begun(
    warehouse: Terminal, new: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(lifecycle, "start", killed)
        with pytest.raises(KeyboardInterrupt):
            bring_people.begin(warehouse.id, bring_people.digest(row(warehouse)))
    db.session.rollback()

    assert row(warehouse).awaits_restore
    claim = bring_people.begin(warehouse.id, bring_people.digest(row(warehouse)))
    assert claim is not None
    run(claim)
    prove()
    assert new.people.keys() == {IVAN.number, OLGA.number, PETER.number}


def test_one_person_may_be_sent_before_the_restore(warehouse: Terminal, new: Simulated) -> None:
    (ivan,) = queries.of_number(IVAN.number)

    send_to_terminal(ivan.employee_id or 0, warehouse.id)
    prove()

    assert new.people.keys() == {IVAN.number}
    assert row(warehouse).awaits_restore


@pytest.mark.both_databases
def test_old_device_that_comes_back_is_verified_by_itself(
    warehouse: Terminal, new: Simulated, old: Simulated, wire: InProcess
) -> None:
    wire.put("second.test", old)
    old.log.clear()

    checks.check(warehouse.id, "test")
    prove()

    assert not row(warehouse).awaits_restore
    assert queries.of_number(IVAN.number)[0].is_green
    assert new.people == {}
    assert old.faces.keys() == {IVAN.number, OLGA.number}


@pytest.mark.both_databases
def test_who_left_meanwhile_waits_for_a_persons_word(warehouse: Terminal, new: Simulated) -> None:
    (ivan,) = queries.of_number(IVAN.number)
    delete_employee(ivan.employee_id or 0)

    claim = bring_people.begin(warehouse.id, bring_people.digest(row(warehouse)))
    assert claim is not None
    run(claim)

    assert IVAN.number not in new.people
    assert [one.number for one in open_removals()] == [IVAN.number]


@pytest.mark.both_databases
def test_replaced_device_is_noticed_when_the_terminal_comes_back(
    warehouse: Terminal, wire: InProcess, old: Simulated
) -> None:
    wire.away.add("second.test")
    changed = save_with_file(Draft("100555", "Анна Ли"), warehouse.id)
    (anna,) = queries.of_number(changed.number)
    with pytest.raises(Unreachable):
        reconcile(anna.id, "test")
    put = device(BY_URL)
    wire.put("second.test", put)
    wire.away.clear()

    with pytest.raises(GenerationChanged):
        reconcile(anna.id, "test")

    assert row(warehouse).awaits_restore
    assert (put.people, old.people.keys() >= {IVAN.number}) == ({}, True)


@pytest.mark.both_databases
def test_people_of_a_terminal_that_is_out_of_service_come_to_another_one(warehouse: Terminal, wire: InProcess) -> None:
    anna = save_with_file(Draft("100555", "Анна Ли"), warehouse.id)
    prove()
    set_active(anna.id, active=False)
    prove()
    retire_terminal(warehouse.id, "украден", "Анна")
    put = device(BY_PICTURE)
    there = add_terminal(wire, "third.test", "Ворота", put)

    assert [(one.name, people) for one, people in bring_people.sources(there.id)] == [("Склад", 3)]
    job = bring_people.draft_from(there.id, warehouse.id)

    assert {number for number, _, _ in items(job.id)} == {IVAN.number, OLGA.number, PETER.number}
    assert (job.state, job.terminal_id) == ("draft", there.id)
