"""What a person may do at a terminal stays as it was there, or as it is asked for; otherwise nothing is green."""

import json
from dataclasses import replace
from typing import Any

import pytest

from hikflask.extensions import db
from hikflask.isapi.errors import NoAnswer
from hikflask.isapi.persons import FIRST_MOMENT, LAST_MOMENT, Rights, Validity
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.models.enrolment import CONFIRMED, PENDING, REFUSED
from hikflask.services.captures import drafts
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import desired, queries, rights
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import IVAN
from tests.support.enrolments import desire_with_face, employee_of, enrol
from tests.support.trail import entries

pytestmark = [pytest.mark.usefixtures("context", "worker_alive")]
on_both = pytest.mark.both_databases

SET_THERE = {
    "Valid": {"enable": True, "beginTime": "2026-02-03T04:05:06", "endTime": "2030-01-01T12:00:00", "timeType": "UTC"},
    "doorRight": "1,2",
    "RightPlan": [{"doorNo": 1, "planTemplateNo": "7"}, {"doorNo": 2, "planTemplateNo": "1"}],
    "userType": "visitor",
}
OURS = {
    "Valid": {
        "enable": True,
        "beginTime": "2000-01-01T00:00:00",
        "endTime": "2037-12-31T23:59:59",
        "timeType": "local",
    },
    "doorRight": "1",
    "RightPlan": [{"doorNo": 1, "planTemplateNo": "1"}],
    "userType": "normal",
}


@pytest.fixture
def replacing(simulator: Simulated) -> Simulated:
    """A terminal on which a change loses the rights that it does not send."""
    simulator.profile = replace(simulator.profile, modify_replaces=True)
    return simulator


def rights_there(simulator: Simulated) -> dict[str, object]:
    return {name: simulator.people["100222"].get(name) for name in OURS}


def rename(enrolment: Enrolment, **changed: str) -> None:
    saved = drafts.of_saved(db.session.get_one(Employee, employee_of(enrolment)))
    save_employee(replace(saved, **{"name": "Иван Петров", **changed}), employee_id=enrolment.employee_id)  # type: ignore[arg-type]


@pytest.mark.parametrize("lost", ["numOfCard", "numOfFP"])
def test_change_that_loses_cards_or_fingerprints_is_said_until_somebody_has_seen_it(
    simulator: Simulated, terminal: Terminal, lost: str
) -> None:
    enrolment = enrol(simulator, terminal)
    simulator.store.save_card("4711", {"employeeNo": "100222"})
    simulator.people["100222"]["numOfFP"] = 1
    change = simulator.store.change

    def change_and_lose(employee_no: str, fields: dict[str, Any]) -> None:
        change(employee_no, fields)
        if lost == "numOfCard":
            simulator.store.cards.clear()
        else:
            simulator.people[employee_no]["numOfFP"] = 0

    simulator.store.change = change_and_lose  # type: ignore[method-assign]
    rename(enrolment)

    with pytest.raises(ServiceError, match=r"^cards_lost$"):
        reconcile(enrolment.id, "operator")

    after = queries.get_one(enrolment.id)
    assert (after.state, after.face, after.next_attempt_at) == (REFUSED, CONFIRMED, None)
    assert [entry.after for entry in entries("enrolment.refused")] == [{"reason": "cards_lost"}]
    desired.retry(enrolment.id)
    assert reconcile(enrolment.id, "operator").is_confirmed


def test_change_that_keeps_cards_and_one_by_hand_between_two_proofs_are_green(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    simulator.store.save_card("4711", {"employeeNo": "100222"})
    rename(enrolment)
    assert reconcile(enrolment.id, "operator").is_confirmed

    simulator.store.cards.clear()

    assert reconcile(enrolment.id, "operator", prove_again=True).is_confirmed


def sent(simulator: Simulated) -> list[str]:
    return [entry.plain_path.rpartition("/")[2].partition("@")[0] for entry in simulator.log]


@on_both
@pytest.mark.parametrize("before", [OURS, SET_THERE])
def test_new_name_leaves_what_a_person_may_do_where_the_terminal_loses_it(
    replacing: Simulated, terminal: Terminal, before: dict[str, object]
) -> None:
    enrolment = enrol(replacing, terminal)
    replacing.people["100222"].update(before)
    rename(enrolment)
    replacing.log.clear()

    proven = reconcile(enrolment.id, "Анна")

    assert (proven.is_confirmed, proven.rights_before) == (True, None)
    assert (replacing.people["100222"]["name"], rights_there(replacing)) == ("Иван Петров", before)
    assert sent(replacing) == ["Search", "Modify", "Search", "Modify", "Search"]
    assert set(json.loads(replacing.log[3].body)["UserInfo"]) == {"employeeNo", "name", *OURS}


def test_new_limit_leaves_doors_and_plans(replacing: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(replacing, terminal)
    replacing.people["100222"].update(SET_THERE)

    rename(enrolment, valid_to="2036-06-30")

    assert reconcile(enrolment.id, "Анна").is_confirmed
    valid = OURS["Valid"] | {"endTime": "2036-06-30T23:59:59"}  # type: ignore[operator]
    assert rights_there(replacing) == SET_THERE | {"Valid": valid}


def test_limit_that_a_new_name_lost_is_set_again(replacing: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(replacing, terminal, replace(IVAN, valid_to="2036-06-30"))
    before = rights_there(replacing)

    rename(enrolment)

    assert reconcile(enrolment.id, "Анна").is_confirmed
    assert rights_there(replacing) == before


@on_both
@pytest.mark.parametrize("path", ["UserInfo/Modify", "UserInfo/Search"])
def test_rights_from_before_are_kept_while_nothing_proves_them(
    replacing: Simulated, terminal: Terminal, path: str
) -> None:
    enrolment = enrol(replacing, terminal)
    replacing.people["100222"].update(SET_THERE)
    rename(enrolment)
    replacing.after("UserInfo/Modify", lambda: replacing.faults.add("lost-after", path=path, times=1))
    with pytest.raises(NoAnswer):
        reconcile(enrolment.id, "Анна")
    replacing.clear_hooks()
    replacing.faults.clear()
    assert not queries.get_one(enrolment.id).is_confirmed

    rename(enrolment, name="Иван Сидоров")

    assert reconcile(enrolment.id, "Анна").is_confirmed
    assert rights_there(replacing) == SET_THERE


@on_both
def test_rights_that_do_not_come_back_are_not_green_and_come_again(
    replacing: Simulated, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolment = enrol(replacing, terminal)
    replacing.people["100222"].update(SET_THERE)
    rename(enrolment)
    lose(replacing, monkeypatch, "RightPlan")

    for _ in range(2):
        with pytest.raises(ServiceError, match=r"^rights_not_verified$"):
            reconcile(enrolment.id, "Анна")

    row = queries.get_one(enrolment.id)
    assert (row.person, row.face, row.refusal_code) == (PENDING, CONFIRMED, "rights_not_verified")
    assert row.next_attempt_at is not None
    monkeypatch.undo()
    assert reconcile(enrolment.id, "Анна").is_confirmed
    assert rights_there(replacing) == SET_THERE


def lose(simulator: Simulated, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the terminal lose this right with each change, whatever is sent."""
    replaced = simulator.store.replace

    def losing(number: str, fields: dict[str, object]) -> None:
        replaced(number, {field: value for field, value in fields.items() if field != name})

    monkeypatch.setattr(simulator.store, "replace", losing)


def test_right_that_the_terminal_takes_otherwise_is_set_again_after_the_person_is_added(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = desire_with_face(simulator, terminal)
    simulator.after("UserInfo/Record", lambda: simulator.people["100222"].update(doorRight=""))

    assert reconcile(enrolment.id, "Анна").is_confirmed

    assert rights_there(simulator) == OURS


def test_right_that_stays_otherwise_after_the_person_is_added_is_not_green(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = desire_with_face(simulator, terminal)
    simulator.after("UserInfo/Record", lambda: simulator.people["100222"].update(doorRight=""))
    simulator.faults.add("ok-without-effect", path="UserInfo/Modify")
    for _ in range(2):
        with pytest.raises(ServiceError, match=r"^rights_not_verified$"):
            reconcile(enrolment.id, "Анна")

    simulator.faults.clear()
    assert reconcile(enrolment.id, "Анна").is_confirmed
    assert rights_there(simulator) == OURS


def test_terminal_that_shows_no_rights_has_lost_none(simulator: Simulated, terminal: Terminal) -> None:
    simulator.profile = replace(simulator.profile, not_in_search=frozenset(OURS))

    enrolment = enrol(simulator, terminal)
    rename(enrolment)
    simulator.log.clear()

    assert reconcile(enrolment.id, "Анна").is_confirmed
    assert sent(simulator) == ["Search", "Modify", "Search"]
    assert rights_there(simulator) == OURS


def test_repeated_proof_changes_no_right_and_is_not_green_while_it_changes_something(
    replacing: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(replacing, terminal)
    replacing.people["100222"].update(SET_THERE)
    replacing.log.clear()

    assert reconcile(enrolment.id, "Анна", prove_again=True).is_confirmed
    assert "Modify" not in sent(replacing)

    replacing.people["100222"]["name"] = "Иван Старый"
    db.session.execute(db.update(Enrolment).values(sent_name="Иван Старый"))
    db.session.commit()
    replacing.faults.add("lost-after", path="UserInfo/Modify", times=1)
    with pytest.raises(NoAnswer):
        reconcile(enrolment.id, "Анна", prove_again=True)
    assert not queries.get_one(enrolment.id).is_confirmed
    assert reconcile(enrolment.id, "Анна").is_confirmed
    assert rights_there(replacing) == SET_THERE


WINDOW = Validity(FIRST_MOMENT, LAST_MOMENT)
LIMIT = Validity(FIRST_MOMENT, FIRST_MOMENT)
OFF = Validity(None, None, enabled=False)


def test_what_is_lost() -> None:
    for expected, shown, lost in [
        (Rights(), Rights(), set()),
        (Rights(LIMIT, "1", ((1, "1"),)), Rights(LIMIT, "1", ((1, "1"),)), set()),
        (Rights(LIMIT, "1", ((1, "1"),)), Rights(), {"valid", "doors", "plans"}),
        (Rights(doors="1", plans=()), Rights(doors="", plans=((1, "1"),)), {"doors", "plans"}),
        (Rights(user_type="visitor"), Rights(user_type="normal"), {"user_type"}),
        (Rights(WINDOW), Rights(OFF), set()),
        (Rights(OFF), Rights(WINDOW), set()),
        (Rights(OFF), Rights(LIMIT), {"valid"}),
        (Rights(LIMIT), Rights(OFF), {"valid"}),
        (Rights(), Rights(LIMIT, "1"), set()),
    ]:
        assert rights.lost(expected, shown) == lost
