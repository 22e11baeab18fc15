"""What an import wrote is undone exactly, or the row says why not."""

import pytest
from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import Department, Employee, Enrolment, Photo, Terminal
from hikflask.models.terminal import BY_PICTURE
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.employees.save import save_employee
from hikflask.services.enrolments import queries
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports.queries import Undoable, undo_preview
from hikflask.services.state import enrolment as state
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, OTHER_FACE
from tests.support.employees import by_number
from tests.support.enrolments import enrol
from tests.support.imports import apply, checked, rows, started, undo
from tests.support.jobs import add_people, items
from tests.support.retention import forget
from tests.support.trail import entries

pytestmark = pytest.mark.usefixtures("context")

Facts = list[tuple[object, ...]]


def facts() -> tuple[Facts, Facts, list[str]]:
    """Everybody with the photo, where they are wanted, and the departments."""
    people = select(Employee.number, Employee.name, Employee.department, Employee.is_active, Employee.left_at,
                    Employee.valid_from, Employee.valid_to, Employee.photo_id)  # fmt: skip
    wanted = select(Enrolment.number, Enrolment.terminal_id, Enrolment.photo_id).where(Enrolment.desired == "present")
    found: tuple[Facts, Facts, list[str]] = (
        [tuple(row) for row in db.session.execute(people.order_by(Employee.number))],
        [tuple(row) for row in db.session.execute(wanted.order_by(Enrolment.id))],
        list(db.session.execute(select(Department.name).order_by(Department.name)).scalars()),
    )
    db.session.commit()
    return found


@pytest.mark.both_databases
def test_all_is_as_it_was(terminal: Terminal, simulator: Simulated) -> None:
    enrol(simulator, terminal)  # 100222 Иван Иванов, Охрана
    send_to_terminal(add_people("1", "2", department="Охрана")[0], terminal.id)
    before = facts()
    found = checked(
        "1;Пётр Петров;Склад;;30.06.2036", "2;Иван Иванов 2;Охрана;;01.01.2036", "3;Ольга Ёлкина;Цех;;31.12.2037",
        "100222;Иван Иванов;Охрана;да;", header="ID;ФИО;Отдел;Уволен;Действует до",
        pictures={"2.jpg": FACE, "3.jpg": OTHER_FACE}, terminal_id=terminal.id,
    )  # fmt: skip
    assert apply(found).failed == 0
    assert [(row[0], str(row[6])) for row in facts()[0]][:3] == [
        ("1", "2036-06-30"), ("100222", "None"), ("2", "2036-01-01"),
    ]  # fmt: skip

    done = undo(found)

    assert (done.state, done.done, done.failed) == ("done", 4, 0)
    assert facts() == before
    assert [row.state for row in rows(found)] == ["undone"] * 4
    assert [number for number, *_ in items(done.id)] == ["100222", "3", "2", "1"]
    assert [entry.subject for entry in entries("import.undone")] == [f"import {found}"]


@pytest.mark.both_databases
def test_who_was_changed_since_stays_and_the_row_says_so() -> None:
    add_people("1", "2", "3")
    found = checked(*(f"{n};Пётр Петров {n};" for n in "12345"))
    apply(found)
    for number, name in (("1", "Кто-то Другой"), ("4", "Кто-то Ещё")):
        save_employee(Draft(number, name), employee_id=_id(number))
    delete_employee(_id("2"))
    assert undo_preview(found) == Undoable(can=2, changed=3)

    done = undo(found)

    assert done.failed == 3
    assert items(done.id) == [
        ("5", "done", ""),
        ("4", "failed", "changed_since"),
        ("3", "done", ""),
        ("2", "failed", "employee_unknown"),
        ("1", "failed", "changed_since"),
    ]
    assert [(row[0], row[1]) for row in facts()[0]] == [
        ("1", "Кто-то Другой"), ("3", "Иван Иванов 3"), ("4", "Кто-то Ещё"),
    ]  # fmt: skip


def _id(number: str) -> int:
    found = search.by_number(number)
    db.session.commit()
    assert found is not None
    return found.id


def test_added_person_who_was_sent_to_a_terminal_since_stays(terminal: Terminal) -> None:
    found = checked("1;Пётр Петров;")
    apply(found)
    send_to_terminal(_id("1"), terminal.id)

    assert items(undo(found).id) == [("1", "failed", "changed_since")]


def test_new_person_is_removed_from_the_chosen_terminal(terminal: Terminal) -> None:
    found = checked("1;Пётр Петров;", terminal_id=terminal.id)
    apply(found)

    undo(found)

    assert facts()[0] == []
    assert [one.is_leaving for one in queries.of_number("1")] == [True]


def test_terminal_that_an_undone_import_chose_is_not_where_somebody_comes_back_to(terminal: Terminal) -> None:
    (person,) = add_people("1")
    found = checked("1;Иван Иванов 1;", terminal_id=terminal.id)
    apply(found)
    undo(found)
    assert facts()[1] == []

    set_active(person, active=False)
    set_active(person, active=True)

    assert facts()[1] == []


@pytest.mark.both_databases
def test_former_photo_is_kept_while_it_can_come_back(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    former = enrolment.photo_id
    found = checked(pictures={"100222.jpg": OTHER_FACE})
    apply(found)
    forget()

    undo(found)

    assert by_number("100222").photo_id == former
    forget()
    forget()
    assert db.session.execute(select(Photo.id)).scalars().all() == [former]


@pytest.mark.both_databases
def test_former_photo_that_is_deleted_is_said(simulator: Simulated, terminal: Terminal) -> None:
    former = enrol(simulator, terminal).photo_id
    found = checked(pictures={"100222.jpg": OTHER_FACE})
    apply(found)
    db.session.execute(db.update(Photo).where(Photo.id == former).values(forgotten_at=db.func.now()))
    db.session.commit()

    assert items(undo(found).id) == [("100222", "failed", "photo_forgotten")]


@pytest.fixture
def takes_pictures(terminal: Terminal) -> Terminal:
    """The terminal, as if it took pictures of faces."""
    db.session.execute(db.update(Terminal).values(face_mode=BY_PICTURE))
    db.session.commit()
    return terminal


def test_former_photo_comes_back_to_the_terminals_too(takes_pictures: Terminal) -> None:
    apply(checked("1;Иван Иванов;", pictures={"1.jpg": FACE}, terminal_id=takes_pictures.id))
    before = facts()
    found = checked(pictures={"1.jpg": OTHER_FACE})
    apply(found)
    assert facts()[1] != before[1]

    assert items(undo(found).id) == [("1", "done", "")]

    assert facts() == before


@pytest.mark.both_databases
def test_first_photo_is_taken_back_unless_a_terminal_has_it(takes_pictures: Terminal) -> None:
    apply(checked("1;Иван Иванов;", "2;Ольга Ёлкина;", terminal_id=takes_pictures.id))
    before = facts()
    found = checked(pictures={"1.jpg": FACE, "2.jpg": OTHER_FACE})
    apply(found)
    (first, second) = (queries.of_number(number)[0] for number in "12")
    state.apply(state.SENDING_FACE, Enrolment.id == second.id)
    db.session.commit()

    done = undo(found)

    assert items(done.id) == [("2", "failed", "face_stays"), ("1", "done", "")]
    assert facts()[1][0] == before[1][0]
    assert queries.get_one(first.id).photo_id is None
    assert queries.get_one(second.id).photo_id is not None


@pytest.mark.both_databases
def test_former_terminal_that_is_out_of_service_is_said(terminal: Terminal) -> None:
    send_to_terminal(add_people("1")[0], terminal.id)
    found = checked("1;да", header="ID;Уволен")
    apply(found)
    db.session.execute(db.update(Terminal).values(retired_at=db.func.now()))
    db.session.commit()

    assert items(undo(found).id) == [("1", "failed", "terminal_retired")]
    assert facts()[0][0][3] is False


def test_second_undo_finds_nothing() -> None:
    found = checked("1;Пётр Петров;")
    apply(found)
    undo(found)

    with pytest.raises(ServiceError, match=r"^nothing_to_undo$"):
        started(import_jobs.start_undo, found)
