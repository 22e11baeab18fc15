"""Who belongs to a group is desired on its terminals, and on no terminal any more that no group asks for."""

import random
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from hikflask.extensions import db
from hikflask.models import Department, Employee, Enrolment, Terminal, TerminalGroup
from hikflask.models.terminal import BY_URL
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes.run import run_to_end
from hikflask.services.core.errors import NameTooLong, ServiceError
from hikflask.services.employees import lifecycle, search
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import queries
from hikflask.services.groups import changing, differences, membership
from hikflask.services.groups.differences import Scope
from hikflask.services.groups.registry import Wanted
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, IVAN, capture_face
from tests.support.employees import by_number, save_with_file
from tests.support.groups import (
    ENTRANCE,
    STORE,
    YARD,
    add_terminals,
    change_group,
    make_group,
    wishes,
)
from tests.support.removals import AGREED
from tests.support.trail import entries

pytestmark = pytest.mark.usefixtures("context", "worker_alive")

GUARD = Draft("100222", "Иван Иванов", "Охрана")
# One letter with so many accents that no terminal takes it.
LONG_LETTER = "Ё" + "\u0301" * 60


@pytest.fixture
def ids(context: None) -> dict[str, int]:  # noqa: ARG001
    """Three terminals that take pictures."""
    return add_terminals(ENTRANCE, STORE, YARD)


def save(draft: Draft, **given: Any) -> Employee:
    known = search.by_number(draft.number)
    return save_employee(draft, employee_id=known.id if known else None, **given).row


def test_without_groups_nobody_is_desired_anywhere_by_a_save(ids: dict[str, int]) -> None:
    save(GUARD)

    assert ids
    assert wishes("100222") == {}


def test_saved_employee_is_desired_on_the_terminals_of_the_department_and_moves_with_it(ids: dict[str, int]) -> None:
    make_group("Офис", [ids[ENTRANCE], ids[YARD]], "Охрана")
    make_group("Склад", [ids[STORE], ids[YARD]], "Кладовая")

    saved = save(GUARD)
    assert wishes("100222") == {ENTRANCE: True, YARD: True}
    assert membership.terminals_of(saved) == [db.session.get(Terminal, ids[name]) for name in (ENTRANCE, YARD)]
    yard = queries.find(ids[YARD], "100222")
    assert yard is not None
    generation = yard.generation

    save(Draft("100222", "Иван Иванов", "кладовая"))

    assert wishes("100222") == {STORE: True, YARD: True}
    db.session.refresh(yard)
    assert yard.generation == generation  # Nothing is sent there anew.
    assert [entry.terminal for entry in entries("enrolment.unwanted")] == [ENTRANCE]


def test_employee_who_belongs_alone_is_desired_there_until_the_group_lets_go(ids: dict[str, int]) -> None:
    group_id = make_group("Двор", [ids[YARD]])

    save(Draft("1", "Анна", groups=(group_id, 99)))
    assert wishes("1") == {YARD: True}
    save(Draft("1", "Анна Ли"))  # Groups are not asked for, as by a program.
    assert wishes("1") == {YARD: True}
    save(Draft("1", "Анна Ли", groups=()))

    assert wishes("1") == {}
    noted = [(entry.employee, entry.before, entry.after) for entry in entries("employee.groups_changed")]
    assert noted == [("1", {"groups": ""}, {"groups": "Двор"}), ("1", {"groups": "Двор"}, {"groups": ""})]


def test_wish_made_by_hand_stays_when_the_group_lets_go(ids: dict[str, int]) -> None:
    saved = save(GUARD)
    lifecycle.send_to_terminal(saved.id, ids[ENTRANCE])
    make_group("Офис", [ids[ENTRANCE], ids[STORE]], "Охрана")
    assert wishes("100222") == {ENTRANCE: False, STORE: True}

    save(Draft("100222", "Иван Иванов", ""))

    assert wishes("100222") == {ENTRANCE: False}


def test_terminal_of_the_photo_is_left_with_the_group_that_asks_for_it(ids: dict[str, int]) -> None:
    make_group("Офис", [ids[ENTRANCE], ids[STORE]], "Охрана")

    saved = save_with_file(GUARD, ids[ENTRANCE])

    assert wishes("100222") == {ENTRANCE: True, STORE: True}
    assert {one.photo_id for one in queries.of_number("100222")} == {saved.photo_id}
    assert len(entries("enrolment.wanted")) == 2
    save(Draft("100222", "Иван Иванов", ""))
    assert wishes("100222") == {}


def test_sent_by_hand_after_a_group_let_go_is_by_hand(ids: dict[str, int]) -> None:
    make_group("Офис", [ids[ENTRANCE]], "Охрана")
    saved = save(GUARD)
    save(Draft("100222", "Иван Иванов", ""))

    lifecycle.send_to_terminal(saved.id, ids[ENTRANCE])

    assert wishes("100222") == {ENTRANCE: False}


@pytest.mark.both_databases
def test_terminal_that_takes_only_its_own_capture_gets_the_person_without_a_face(ids: dict[str, int]) -> None:
    db.session.execute(update(Terminal).where(Terminal.id == ids[STORE]).values(face_mode=BY_URL))
    db.session.commit()
    make_group("Офис", [ids[ENTRANCE], ids[STORE]], "Охрана")

    saved = save_with_file(GUARD)

    assert {one.terminal.name: one.photo_id for one in queries.of_number("100222")} == {
        ENTRANCE: saved.photo_id,
        STORE: None,
    }


@pytest.mark.both_databases
def test_terminal_that_cannot_show_a_letter_of_the_name_is_left_out_and_the_others_are_not(
    ids: dict[str, int],
) -> None:
    db.session.execute(update(Terminal).where(Terminal.id == ids[ENTRANCE]).values(name_bytes=32))
    db.session.commit()
    make_group("Офис", [ids[ENTRANCE], ids[STORE]], "Охрана")

    save(Draft("100222", LONG_LETTER, "Охрана"))

    assert wishes("100222") == {STORE: True}
    assert [(one.terminal, one.after) for one in entries("enrolment.refused")] == [(ENTRANCE, {"reason": "name_bytes"})]
    with pytest.raises(NameTooLong):  # Asked for by a person, it is refused as before.
        lifecycle.send_to_terminal(save(Draft("100222", LONG_LETTER, "Охрана")).id, ids[ENTRANCE])


def test_deactivated_is_desired_nowhere_and_comes_back_to_what_groups_say_by_then(ids: dict[str, int]) -> None:
    office = make_group("Офис", [ids[ENTRANCE], ids[STORE]], "Охрана")
    saved = save(GUARD)
    lifecycle.send_to_terminal(saved.id, ids[YARD])
    lifecycle.set_active(saved.id, active=False)
    assert wishes("100222") == {}
    save(Draft("100222", "Иван И.", "Охрана"))
    assert wishes("100222") == {}

    change_group(office, Wanted("Офис", [ids[ENTRANCE]], ["Охрана"]))
    assert wishes("100222") == {}
    lifecycle.set_active(saved.id, active=True)

    assert wishes("100222") == {ENTRANCE: True, YARD: False}


@pytest.mark.both_databases
def test_terminal_that_is_not_in_use_gets_nobody_and_keeps_those_it_has(ids: dict[str, int]) -> None:
    make_group("Офис", [ids[ENTRANCE]], "Охрана")
    save(GUARD)
    db.session.execute(update(Terminal).where(Terminal.id == ids[ENTRANCE]).values(is_active=False))
    db.session.commit()

    save(Draft("100222", "Иван И.", "Охрана"))
    save(Draft("2", "Анна", "Охрана"))

    assert (wishes("100222"), wishes("2")) == ({ENTRANCE: True}, {})
    save(Draft("100222", "Иван И.", ""))
    assert wishes("100222") == {}


@pytest.mark.both_databases
def test_new_number_takes_the_groups_along(ids: dict[str, int]) -> None:
    make_group("Офис", [ids[ENTRANCE]], "Охрана")
    saved = save(GUARD)
    lifecycle.set_active(saved.id, active=False)
    db.session.execute(update(Enrolment).values(person="confirmed"))
    db.session.commit()
    save_employee(Draft("7", "Иван Иванов", "Охрана"), employee_id=saved.id, active=True)

    assert (wishes("100222"), wishes("7")) == ({}, {ENTRANCE: True})


@pytest.mark.both_databases
def test_number_of_somebody_who_is_leaving_is_refused(ids: dict[str, int]) -> None:
    make_group("Офис", [ids[ENTRANCE]], "Охрана")
    saved = save(Draft("1", "Анна"))
    db.session.add(Enrolment(terminal_id=ids[STORE], number="1", desired="absent"))
    db.session.commit()

    with pytest.raises(ServiceError, match=r"^number_leaving$"):
        lifecycle.apply_department(saved, "Охрана")
    db.session.rollback()


@pytest.mark.both_databases
def test_changes_are_told_before_they_are_made(ids: dict[str, int]) -> None:
    make_group("Офис", [ids[ENTRANCE], ids[YARD]], "Охрана")
    store = make_group("Склад", [ids[STORE], ids[YARD]], "Кладовая")
    saved = save(GUARD)

    def told(employee: Employee | None, department: str, groups: list[int] | None) -> tuple[list[str], list[str]]:
        found = membership.changes(employee, department, groups)
        return [one.name for one in found.gets], [one.name for one in found.loses]

    assert told(saved, "кладовая", None) == ([STORE], [ENTRANCE])
    assert told(saved, "Охрана", [store]) == ([STORE], [])
    assert told(saved, "Охрана", None) == ([], [])
    assert told(None, "Кладовая", []) == ([YARD, STORE], [])
    assert wishes("100222") == {ENTRANCE: True, YARD: True}
    lifecycle.set_active(saved.id, active=False)
    assert told(search.get(saved.id), "Кладовая", None) == ([], [])


def test_face_and_wish_are_one_save(ids: dict[str, int]) -> None:
    make_group("Офис", [ids[ENTRANCE]], "Охрана")

    first = save_with_file(GUARD, face=FACE)
    second = save_employee(GUARD, FaceSource(), employee_id=first.id)

    assert second.due == tuple(one.id for one in queries.of_number("100222"))


@pytest.mark.both_databases
def test_groups_ticked_after_a_save_count_although_the_photo_was_saved_already(
    simulator: Simulated, terminal: Terminal
) -> None:
    group_id = make_group("Двор", list(add_terminals(YARD).values()))
    taken = capture_face(simulator, terminal)
    face = FaceSource(taken.id, taken.requested_by)
    saved = save_employee(replace(IVAN, groups=()), face).row

    save_employee(replace(IVAN, groups=()), face, employee_id=saved.id)
    save_employee(replace(IVAN, groups=(group_id,)), face, employee_id=saved.id)

    assert wishes(IVAN.number) == {"Вход": False, YARD: True}


@pytest.mark.both_databases
@pytest.mark.parametrize("seed", range(3))
def test_after_any_order_of_changes_wishes_are_what_groups_say(ids: dict[str, int], seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    departments, numbers, names = ["", "A", "B"], ["1", "2", "3"], ["Офис", "Склад"]
    for number in numbers:
        save(Draft(number, "Анна", chance.choice(departments)))
    for _ in range(25):
        groups = list(db.session.execute(select(TerminalGroup.id).order_by(TerminalGroup.id)).scalars())
        employee = by_number(chance.choice(numbers))
        step = chance.randrange(7)
        if step in (0, 1):
            mine = tuple(chance.sample(groups, chance.randint(0, len(groups))))
            save(Draft(employee.number, "Анна", chance.choice(departments), groups=chance.choice([None, mine])))
        elif step == 2:
            lifecycle.set_active(employee.id, chance.random() < 0.6)
        elif step == 3 and employee.is_active:
            lifecycle.send_to_terminal(employee.id, chance.choice(list(ids.values())))
        elif step in (4, 5):
            wanted = Wanted(
                "",
                chance.sample(list(ids.values()), chance.randint(0, 3)),
                chance.sample(["A", "B"], chance.randint(0, 2)),
                chance.sample(numbers, chance.randint(0, 1)),
                [employee.id],
            )
            _write(groups, names, wanted, chance)
        elif groups:
            changing.change(chance.choice(groups), None, run_to_end, AGREED)
        _assert_equal()
    assert db.session.execute(select(Department.id)).first()


def _write(groups: list[int], names: list[str], wanted: Wanted, chance: random.Random) -> None:
    place = chance.randrange(len(names))
    group_id = groups[place] if place < len(groups) else None
    taken = {one.name for one in db.session.execute(select(TerminalGroup)).scalars() if one.id != group_id}
    name = next(name for name in names if name not in taken)
    if group_id is None:
        make_group(name, list(wanted.terminal_ids), *wanted.departments, added=wanted.added)
    else:
        change_group(group_id, Wanted(name, wanted.terminal_ids, wanted.departments, wanted.added, wanted.removed))


def _assert_equal() -> None:
    for employee in db.session.execute(select(Employee)).scalars():
        asked = {one.name for one in membership.terminals_of(employee)} if employee.is_active else set()
        found = wishes(employee.number)
        assert asked <= found.keys()
        assert {name for name, by_group in found.items() if by_group} <= asked
    # The same by the statements for many.
    assert not differences.count(Scope())
