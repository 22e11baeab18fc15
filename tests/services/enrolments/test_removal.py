"""What a terminal must show before a removal is over."""

import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import requests
from flask import Flask

from hikflask.extensions import db
from hikflask.isapi.errors import NoAnswer, NotSupported, Refused, TerminalError, Unreachable
from hikflask.models import Enrolment, Terminal
from hikflask.models.enrolment import LEAVING, REMOVED
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import NumberTakenThere, ServiceError
from hikflask.services.employees.lifecycle import delete_employee, set_active
from hikflask.services.enrolments import desired, queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.state import enrolment as state
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.terminal.person_store import blank_person
from tests.support.captures import OTHER_FACE
from tests.support.enrolments import desire_with_face, employee_of, enrol
from tests.support.removals import open_removals
from tests.support.retention import age
from tests.support.wire import InProcess

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def test_removal_is_open_until_the_terminal_says_nobody_is_there(
    simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    enrolment = enrol(simulator, terminal)
    wire.away.add("terminal.test")
    set_active(employee_of(enrolment), active=False)

    with pytest.raises(Unreachable):
        reconcile(enrolment.id, "operator")

    assert [open_one.number for open_one in open_removals()] == ["100222"]
    wire.away.clear()
    assert reconcile(enrolment.id, "operator").is_confirmed
    assert open_removals() == []
    assert "100222" not in simulator.people
    assert "100222" not in simulator.faces


@pytest.mark.both_databases
@pytest.mark.parametrize("call", ["UserInfo/Record", "FDLib/FDSetUp"])
def test_removal_is_proven_once_more_when_what_got_no_answer_cannot_arrive_any_more(
    simulator: Simulated, terminal: Terminal, call: str
) -> None:
    enrolment = desire_with_face(simulator, terminal)
    simulator.faults.add("lost-before", path=call, times=1)
    with pytest.raises(NoAnswer):
        reconcile(enrolment.id, "worker")
    set_active(employee_of(enrolment), active=False)

    with pytest.raises(ServiceError, match=r"^removal_asked_again$"):
        reconcile(enrolment.id, "worker")

    # Somebody presses the button.
    desired.retry(enrolment.id)
    with pytest.raises(ServiceError, match=r"^removal_asked_again$"):
        reconcile(enrolment.id, "operator")

    waiting = queries.get_one(enrolment.id)
    assert (waiting.state, waiting.refusal_code) == (LEAVING, "removal_asked_again")
    assert waiting.next_attempt_at == waiting.may_arrive_until
    simulator.store.add("100222", {**blank_person("100222"), "name": "Иван Иванов"})  # It came.

    age(Enrolment, "may_arrive_until", 1.0)

    assert reconcile(enrolment.id, "worker").state == REMOVED
    assert "100222" not in simulator.people


@pytest.mark.both_databases
def test_who_is_deactivated_while_an_answer_is_awaited_is_removed_twice(
    app: Flask, simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = desire_with_face(simulator, terminal)
    ivan = employee_of(enrolment)

    def deactivate() -> None:
        with app.app_context():
            set_active(ivan, active=False)

    simulator.before("UserInfo/Record", deactivate)
    simulator.faults.add("lost-before", path="UserInfo/Record", times=1)
    with pytest.raises(NoAnswer):
        reconcile(enrolment.id, "worker")

    with pytest.raises(ServiceError, match=r"^removal_asked_again$"):
        reconcile(enrolment.id, "worker")

    age(Enrolment, "may_arrive_until", 1.0)
    assert reconcile(enrolment.id, "worker").state == REMOVED


def test_what_the_terminal_refused_does_not_arrive_later(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = desire_with_face(simulator, terminal)
    simulator.faults.add("refuse", "deviceError", path="UserInfo/Record", status=500, times=1)
    with pytest.raises(Refused):
        reconcile(enrolment.id, "worker")
    set_active(employee_of(enrolment), active=False)

    assert reconcile(enrolment.id, "worker").state == REMOVED


def test_removal_without_effect_stays_open(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(employee_of(enrolment), active=False)
    simulator.faults.add("ok-without-effect", path="UserInfoDetail/Delete", times=1)

    with pytest.raises(ServiceError, match=r"^removal_not_verified$"):
        reconcile(enrolment.id, "operator")

    assert queries.get_one(enrolment.id).is_leaving
    assert reconcile(enrolment.id, "operator").is_confirmed


# Answers to a search from which nobody can tell who is there.
UNREADABLE = [("refuse", "notSupport", 404), ("refuse", "deviceError", 500), ("ok-without-effect", "", 200)]


@pytest.mark.parametrize(("fault", "code", "status"), UNREADABLE)
def test_who_leaves_is_removed_although_the_list_cannot_be_read_and_that_stays_unproven(
    simulator: Simulated, terminal: Terminal, fault: str, code: str, status: int
) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(employee_of(enrolment), active=False)
    simulator.faults.add(fault, code, path="UserInfo/Search", status=status)

    with pytest.raises(ServiceError, match=r"^removal_not_shown$"):
        reconcile(enrolment.id, "operator")

    assert "100222" not in simulator.people
    left = queries.get_one(enrolment.id)
    assert (left.is_leaving, left.refusal_code, left.next_attempt_at is not None) == (
        True,
        "removal_not_shown",
        True,
    )
    simulator.faults.clear()
    assert reconcile(enrolment.id, "operator").is_confirmed


def test_removal_that_was_accepted_is_not_sent_again_before_the_list_shows_the_person(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(employee_of(enrolment), active=False)
    unreadable(simulator)
    simulator.faults.add("ok-without-effect", path="UserInfoDetail/Delete", times=1)
    for _ in range(3):
        with pytest.raises(ServiceError, match=r"^removal_not_shown$"):
            reconcile(enrolment.id, "operator")
    assert [entry.plain_path for entry in simulator.log].count("/ISAPI/AccessControl/UserInfoDetail/Delete") == 1
    assert "100222" in simulator.people

    simulator.faults.clear()

    assert reconcile(enrolment.id, "operator").is_confirmed
    assert simulator.people == {}


def unreadable(simulator: Simulated) -> None:
    simulator.faults.add("refuse", "notSupport", path="UserInfo/Search", status=404)


@pytest.mark.both_databases
def test_who_was_never_shown_is_removed_unseen_on_a_persons_word_alone(
    simulator: Simulated, terminal: Terminal
) -> None:
    unreadable(simulator)
    enrolment = desire_with_face(simulator, terminal)
    with pytest.raises(NotSupported):
        reconcile(enrolment.id, "operator")
    assert "100222" in simulator.people
    set_active(employee_of(enrolment), active=False)

    with pytest.raises(ServiceError, match=r"^holder_not_shown$"):
        reconcile(enrolment.id, "operator")

    assert "100222" in simulator.people
    desired.desire_overwrite(enrolment.id, queries.get_one(enrolment.id).generation)
    with pytest.raises(ServiceError, match=r"^removal_not_shown$"):
        reconcile(enrolment.id, "operator")
    assert "100222" not in simulator.people
    assert queries.get_one(enrolment.id).is_leaving


@pytest.mark.parametrize("leaving", [False, True])
def test_number_that_somebody_else_had_when_it_was_last_shown_is_not_removed_unseen(
    simulator: Simulated, terminal: Terminal, leaving: bool
) -> None:
    enrolment = enrol(simulator, terminal)
    simulator.store.change("100222", {"name": "Чужой Человек"})
    if leaving:
        set_active(employee_of(enrolment), active=False)
    with pytest.raises(NumberTakenThere):
        reconcile(enrolment.id, "operator", prove_again=True)
    set_active(employee_of(enrolment), active=False)
    unreadable(simulator)

    with pytest.raises(ServiceError, match=r"^holder_not_shown$"):
        reconcile(enrolment.id, "operator")

    assert simulator.people["100222"]["name"] == "Чужой Человек"
    simulator.faults.clear()
    simulator.store.change("100222", {"name": "Иван Иванов"})
    assert reconcile(enrolment.id, "operator").is_confirmed


def keep_numbers_without_zeros(wire: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """A firmware for which 007 and 7 are the same number, and which shows 7."""
    plain = wire.send

    def send(request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if isinstance(request.body, bytes):
            request.body = re.sub(rb'("(?:employeeNo|FPID)":")0+', rb"\1", request.body)
            request.headers["Content-Length"] = str(len(request.body))
        return plain(request, **options)

    monkeypatch.setattr(wire, "send", send)


def test_whom_a_terminal_shows_without_leading_zeros_is_not_removed_in_place_of_who_was_never_there(
    simulator: Simulated, terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.store.add("7", {**blank_person("7"), "name": "Чужой Человек"})
    enrolment = desire_with_face(simulator, terminal, Draft("007", "Ольга Орлова"))
    keep_numbers_without_zeros(wire, monkeypatch)
    with pytest.raises(ServiceError, match=r"^person_not_verified$"):
        reconcile(enrolment.id, "worker")
    set_active(employee_of(enrolment), active=False)

    with pytest.raises(NumberTakenThere) as taken:
        reconcile(enrolment.id, "worker")

    assert taken.value.params == {"n": "7", "name": "Чужой Человек"}
    assert simulator.people["7"]["name"] == "Чужой Человек"
    assert queries.get_one(enrolment.id).state == LEAVING


def test_who_is_shown_without_leading_zeros_only_is_not_called_removed_while_so(
    simulator: Simulated, terminal: Terminal, wire: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolment = desire_with_face(simulator, terminal, Draft("007", "Ольга Орлова"))
    keep_numbers_without_zeros(wire, monkeypatch)
    with pytest.raises(ServiceError, match=r"^person_not_verified$"):
        reconcile(enrolment.id, "worker")
    set_active(employee_of(enrolment), active=False)
    simulator.faults.add("ok-without-effect", path="UserInfoDetail/Delete", times=1)

    with pytest.raises(ServiceError, match=r"^removal_not_verified$"):
        reconcile(enrolment.id, "worker")

    assert "7" in simulator.people
    assert reconcile(enrolment.id, "worker").state == REMOVED
    assert "7" not in simulator.people


@pytest.mark.parametrize(
    ("number", "shown"), [("007", "7"), ("ab1", "AB1"), ("71", "00000071"), ("AB1", "ab1"), ("123456789", "12345678")]
)
def test_whom_a_firmware_keeps_in_another_form_since_is_not_called_removed(
    simulator: Simulated, terminal: Terminal, number: str, shown: str
) -> None:
    enrolment = enrol(simulator, terminal, Draft(number, "Ольга Орлова"))
    simulator.people[shown] = {**simulator.people.pop(number), "employeeNo": shown}
    set_active(employee_of(enrolment), active=False)

    with pytest.raises(ServiceError, match=r"^removal_not_verified$"):
        reconcile(enrolment.id, "worker")

    assert queries.get_one(enrolment.id).state == LEAVING
    simulator.people[shown]["name"] = "Чужой Человек"
    assert reconcile(enrolment.id, "worker").state == REMOVED
    assert simulator.people[shown]["name"] == "Чужой Человек"


def test_whom_a_firmware_keeps_in_another_form_is_not_called_removed_though_a_check_missed_the_person(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal, Draft("71", "Ольга Орлова"))
    simulator.people["00000071"] = {**simulator.people.pop("71"), "employeeNo": "00000071"}
    state.apply(state.PEOPLE_LOST, Enrolment.id == enrolment.id)
    db.session.commit()
    set_active(employee_of(enrolment), active=False)

    with pytest.raises(ServiceError, match=r"^removal_not_verified$"):
        reconcile(enrolment.id, "worker")


def test_who_leaves_is_gone_though_a_namesake_with_the_number_in_another_form_stays(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal, Draft("007", "Ольга Орлова"))
    enrol(simulator, terminal, Draft("7", "Ольга Орлова"), OTHER_FACE)
    set_active(employee_of(enrolment), active=False)

    assert reconcile(enrolment.id, "worker").state == REMOVED
    assert list(simulator.people) == ["7"]


def requests_to(simulator: Simulated) -> list[str]:
    return [entry.plain_path.removeprefix("/ISAPI/").partition("/")[2] for entry in simulator.log]


def test_face_that_a_firmware_keeps_of_whom_it_removes_is_removed_too(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(employee_of(enrolment), active=False)
    simulator.store.keeps_faces = True
    simulator.log.clear()

    assert reconcile(enrolment.id, "worker").state == REMOVED
    assert simulator.faces == {}
    assert requests_to(simulator) == [
        "deviceInfo",
        "UserInfo/Search",
        "UserInfoDetail/Delete",
        "UserInfoDetail/DeleteProcess",
        "UserInfo/Search",
        "FDLib/FDSearch",
        "FDLib/FDSearch/Delete",
        "FDLib/FDSearch",
        "CardInfo/Search",
    ]


class TestCards:
    """UserInfo/Delete removes the person alone: a card that is left would be that of whoever gets the number next."""

    @pytest.fixture(autouse=True)
    def only_the_person_is_removed(self, simulator: Simulated) -> None:
        simulator.profile = replace(
            simulator.profile, missing=simulator.profile.missing | {"AccessControl/UserInfoDetail/Delete"}
        )

    @pytest.fixture
    def leaving(self, simulator: Simulated, terminal: Terminal) -> Enrolment:
        """Somebody with two cards, and another one with one."""
        enrolment = enrol(simulator, terminal)
        enrol(simulator, terminal, Draft("5", "Анна Ким"), OTHER_FACE)
        for number, owner in (("004A", "100222"), ("4A", "5"), ("777", "100222")):
            simulator.store.save_card(number, {"employeeNo": owner})
        set_active(employee_of(enrolment), active=False)
        return enrolment

    def test_cards_of_who_is_removed_are_removed_too_and_no_other(
        self, simulator: Simulated, leaving: Enrolment
    ) -> None:
        assert reconcile(leaving.id, "worker").state == REMOVED
        assert list(simulator.cards) == ["4A"]
        simulator.store.add("100222", {"name": "Иван Орлов"})
        assert not any(card.employee_no == "100222" for card in simulator.cards.values())

    @pytest.mark.parametrize("fault", [("ok-without-effect",), ("refuse", "badParameters")])
    def test_card_that_stays_leaves_the_removal_open(
        self, simulator: Simulated, leaving: Enrolment, fault: tuple[str, ...]
    ) -> None:
        simulator.faults.add(*fault, path="CardInfo/Delete", times=2 if len(fault) == 1 else 1)

        with pytest.raises(ServiceError, match=r"^cards_left$"):
            reconcile(leaving.id, "worker")

        left = queries.get_one(leaving.id)
        assert (left.state, left.refusal_code, left.next_attempt_at is not None) == (LEAVING, "cards_left", True)
        assert reconcile(leaving.id, "worker").state == REMOVED
        assert list(simulator.cards) == ["4A"]

    def test_lost_answer_about_a_card_leaves_the_removal_open(self, simulator: Simulated, leaving: Enrolment) -> None:
        simulator.faults.add("lost-after", path="CardInfo/Delete", times=1)

        with pytest.raises(NoAnswer):
            reconcile(leaving.id, "worker")

        assert queries.get_one(leaving.id).state == LEAVING

    def test_terminal_without_cards_is_not_asked_to_remove_any(self, simulator: Simulated, terminal: Terminal) -> None:
        enrolment = enrol(simulator, terminal)
        missing = {f"AccessControl/CardInfo/{call}" for call in ("Search", "Delete")}
        simulator.profile = replace(simulator.profile, missing=simulator.profile.missing | missing)
        set_active(employee_of(enrolment), active=False)

        assert reconcile(enrolment.id, "worker").state == REMOVED

    @pytest.mark.parametrize("stopped_before", ["UserInfo/Delete", "CardInfo/Delete", "UserInfo/Record"])
    def test_cards_of_a_stranger_who_is_replaced_are_not_those_of_who_comes(
        self, simulator: Simulated, terminal: Terminal, stopped_before: str
    ) -> None:
        simulator.store.add("100222", {**blank_person("100222"), "name": "Чужой Человек"})
        simulator.store.save_card("777", {"employeeNo": "100222"})
        enrolment = desire_with_face(simulator, terminal)
        with pytest.raises(NumberTakenThere):
            reconcile(enrolment.id, "operator")
        desired.desire_overwrite(enrolment.id, queries.get_one(enrolment.id).generation)
        simulator.faults.add("lost-before", path=stopped_before, times=1)
        with suppress(TerminalError):
            reconcile(enrolment.id, "operator")

        reconcile(enrolment.id, "worker")

        assert simulator.people["100222"]["name"] == "Иван Иванов"
        assert simulator.cards == {}


@pytest.mark.usefixtures("no_removal")
def test_removal_is_open_while_the_face_of_who_is_gone_stays(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(employee_of(enrolment), active=False)
    simulator.store.keeps_faces = True

    with pytest.raises(ServiceError, match=r"^face_left$"):
        reconcile(enrolment.id, "worker")

    left = queries.get_one(enrolment.id)
    assert (left.state, left.refusal_code, left.next_attempt_at is not None) == (LEAVING, "face_left", True)
    simulator.faces.clear()
    assert reconcile(enrolment.id, "worker").state == REMOVED


def test_face_that_a_terminal_says_it_removed_and_keeps_leaves_the_removal_open(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(employee_of(enrolment), active=False)
    simulator.store.keeps_faces = True
    simulator.faults.add("ok-without-effect", path="FDSearch/Delete", times=1)

    with pytest.raises(ServiceError, match=r"^face_left$"):
        reconcile(enrolment.id, "worker")

    assert reconcile(enrolment.id, "worker").state == REMOVED


def test_terminal_whose_faces_cannot_be_searched_confirms_by_its_people(
    simulator: Simulated, terminal: Terminal
) -> None:
    enrolment = enrol(simulator, terminal)
    set_active(employee_of(enrolment), active=False)
    simulator.profile = replace(simulator.profile, missing=frozenset({"Intelligent/FDLib/FDSearch"}))

    assert reconcile(enrolment.id, "worker").state == REMOVED


def test_face_of_a_stranger_who_is_replaced_does_not_stay_for_who_comes(
    simulator: Simulated, terminal: Terminal
) -> None:
    simulator.store.add("100222", {**blank_person("100222"), "name": "Чужой Человек"})
    simulator.store.bind("100222", OTHER_FACE)
    simulator.store.keeps_faces = True
    enrolment = desire_with_face(simulator, terminal)
    with pytest.raises(NumberTakenThere):
        reconcile(enrolment.id, "operator")
    desired.desire_overwrite(enrolment.id, queries.get_one(enrolment.id).generation)
    simulator.faults.add("ok-without-effect", path="FDLib/FDSetUp", times=1)

    with pytest.raises(ServiceError, match=r"^face_not_verified$"):
        reconcile(enrolment.id, "operator")

    assert simulator.faces == {}


@pytest.mark.both_databases
def test_nobody_is_removed_unseen_from_another_device(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    db.session.execute(db.update(Terminal).values(serial="another one"))
    db.session.commit()
    set_active(employee_of(enrolment), active=False)
    unreadable(simulator)

    with pytest.raises(ServiceError, match=r"^other_device$"):
        reconcile(enrolment.id, "operator")

    assert "100222" in simulator.people


@pytest.mark.both_databases
def test_deleted_employee_outlives_in_the_removal(simulator: Simulated, terminal: Terminal, wire: InProcess) -> None:
    enrolment = enrol(simulator, terminal)
    wire.away.add("terminal.test")
    delete_employee(employee_of(enrolment))

    with pytest.raises(Unreachable):
        reconcile(enrolment.id, "operator")

    left = open_removals()
    assert [(one.number, one.written_name, one.employee_id) for one in left] == [("100222", "Иван Иванов", None)]
    wire.away.clear()
    reconcile(enrolment.id, "operator")
    assert open_removals() == []
    assert db.session.query(Enrolment).count() == 0
    assert "100222" not in simulator.people
