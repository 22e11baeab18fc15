"""Each row is applied once, if its person is still as the dry run saw them, and reaches only the terminals it may."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import delete, event, select

from hikflask.extensions import db
from hikflask.models import Department, Employee, Enrolment, Job, Photo, Terminal
from hikflask.models.columns import database_now
from hikflask.services.changes import lifecycle
from hikflask.services.changes.run import run_slice
from hikflask.services.core.db import transaction
from hikflask.services.departments import merging
from hikflask.services.departments import registry as departments
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.import_files import stored_files
from hikflask.services.imports import batches, queries
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports.apply import apply_together
from tests.support.captures import FACE, OTHER_FACE
from tests.support.employees import by_number
from tests.support.groups import add_terminals, make_group
from tests.support.imports import apply, batch, check, checked, made, rows, started, undo
from tests.support.jobs import LONG, add_people, items, job, run
from tests.support.trail import entries

pytestmark = pytest.mark.usefixtures("context")


def people() -> list[tuple[str, str, str, bool]]:
    """Number, name, department and whether they are active, of everybody."""
    asked = select(Employee.number, Employee.name, Employee.department, Employee.is_active)
    found = db.session.execute(asked.order_by(Employee.number)).all()
    db.session.commit()
    return list(found)


def wanted() -> list[tuple[str, str, bool, bool]]:
    """Number, desired state, whether with a photo, and whether it is one of many, of each enrolment."""
    asked = select(Enrolment.number, Enrolment.desired, Enrolment.photo_id.is_not(None), Enrolment.in_bulk)
    found = db.session.execute(asked.order_by(Enrolment.number)).all()
    db.session.commit()
    return list(found)


@pytest.mark.both_databases
def test_people_are_added_changed_and_deactivated() -> None:
    add_people("1", "2", department="Охрана")

    found = checked("1;Пётр Петров;охрана;", "2;;;да", "3;Ольга Ёлкина;Склад;", header="ID;ФИО;Отдел;Уволен")
    assert [row.verdict for row in rows(found)] == ["changed", "changed", "new"]
    found = checked("1;Пётр Петров;", "3;Ольга Ёлкина;Склад", header="ID;ФИО;Отдел")
    done = apply(found)

    assert (done.state, done.done, done.failed, done.total) == ("done", 2, 0, 2)
    assert people() == [
        ("1", "Пётр Петров", "Охрана", True),
        ("2", "Иван Иванов 2", "Охрана", True),
        ("3", "Ольга Ёлкина", "Склад", True),
    ]
    assert batch(found).new_departments == ["Склад"]
    assert [row.state for row in rows(found)] == ["applied", "applied"]
    assert {(one.actor, one.employee) for one in entries("employee.created")} == {("Анна", "3")}
    leaving = checked("1;да", header="ID;Уволен")
    apply(leaving)
    assert people()[0] == ("1", "Пётр Петров", "Охрана", False)


@pytest.mark.both_databases
def test_row_whose_person_was_changed_since_fails_and_the_others_are_done() -> None:
    ids = add_people("1", "2", "3", "4")
    found = checked(*(f"{n};Пётр Петров {n};" for n in "12345"))
    db.session.execute(db.update(Employee).where(Employee.number == "1").values(name="Кто-то Другой"))
    db.session.commit()
    delete_employee(ids[1])
    add_people("5")

    done = apply(found)

    assert (done.done, done.failed) == (5, 3)
    assert items(done.id) == [
        ("1", "failed", "changed_since"),
        ("2", "failed", "employee_unknown"),
        ("3", "done", ""),
        ("4", "done", ""),
        ("5", "failed", "number_known"),
    ]
    assert [name for _, name, _, _ in people()] == [
        "Кто-то Другой", "Пётр Петров 3", "Пётр Петров 4", "Иван Иванов 5",
    ]  # fmt: skip


@pytest.mark.both_databases
def test_nobody_comes_into_a_department_that_was_renamed_after_the_import_began() -> None:
    add_people("1", "2", department="Охрана")
    known = departments.add("Склад").id
    found = checked("1;Иван Иванов 1;Склад", "2;Иван Иванов 2;Новый")

    job = started(import_jobs.start_import, found)
    merging.rename(known, "Кладовая")
    run(job)

    assert items(job.job_id) == [("1", "failed", "changed_since"), ("2", "done", "")]
    assert [department for _, _, department, _ in people()] == ["Охрана", "Новый"]


@pytest.mark.both_databases
def test_nobody_is_put_on_a_terminal_that_was_not_chosen(terminal: Terminal) -> None:
    ids = add_people("1", "2")
    send_to_terminal(ids[0], terminal.id)

    apply(checked("1;Пётр Петров;", "2;Пётр Чехов;", "3;Ольга Ёлкина;"))

    assert wanted() == [("1", "present", False, True)]


def test_everybody_active_is_sent_to_the_chosen_terminal(terminal: Terminal) -> None:
    set_active(add_people("1", "2")[1], active=False)

    apply(checked("1;Иван Иванов 1;", "2;Пётр Чехов;", "3;Ольга Ёлкина;", terminal_id=terminal.id))

    assert wanted() == [("1", "present", False, True), ("3", "present", False, True)]


@pytest.mark.both_databases
def test_photos_become_those_of_their_people_and_the_archive_is_removed(terminal: Terminal) -> None:
    ids = add_people("1")
    send_to_terminal(ids[0], terminal.id)

    found = checked("2;Ольга Ёлкина;", pictures={"1.jpg": FACE, "2.jpg": OTHER_FACE}, terminal_id=terminal.id)
    done = apply(found)

    assert (done.done, done.failed) == (2, 0)
    photos = db.session.execute(select(Photo).order_by(Photo.id)).scalars().all()
    assert [(photo.file.partition("_")[0], photo.forgotten_at) for photo in photos] == [("2", None), ("1", None)]
    assert by_number("1").photo_id == photos[1].id
    assert wanted()[1] == ("2", "present", True, True)
    assert list(stored_files.folder().iterdir()) == []
    again = checked("2;Ольга Ёлкина;", pictures={"1.jpg": FACE, "2.jpg": OTHER_FACE})
    assert [row.verdict for row in rows(again)] == ["unchanged", "unchanged"]


@pytest.mark.both_databases
def test_people_of_photos_alone_are_sent_to_the_chosen_terminal_and_those_of_their_groups(
    terminal: Terminal,
) -> None:
    ids = add_people("1", "2", "3", "4")
    set_active(ids[2], active=False)
    make_group("Офис", list(add_terminals("Двор").values()), added=["1"])
    db.session.execute(delete(Enrolment))
    db.session.commit()
    apply(checked(pictures={"4.jpg": FACE}))

    found = made(pictures={f"{number}.jpg": FACE for number in "1234"})
    batches.choose(found, {}, terminal.id, groups=True)
    check(found)
    assert queries.sent(found, terminal) == (3, 0)
    done = apply(found)

    assert (done.done, done.failed) == (4, 0)
    assert wanted() == [
        ("1", "present", True, True),
        ("1", "present", True, True),
        ("2", "present", True, True),
        ("4", "present", True, True),
    ]
    again = checked(pictures={"1.jpg": FACE}, terminal_id=terminal.id)
    assert ([row.verdict for row in rows(again)], queries.sent(again, terminal)) == (["unchanged"], (0, 0))


def test_photos_beside_a_table_send_nobody_who_is_not_in_it(terminal: Terminal) -> None:
    add_people("1", "2")

    found = checked("1;Иван Иванов 1;", pictures={"2.jpg": FACE}, terminal_id=terminal.id)
    apply(found)

    assert wanted() == [("1", "present", False, True)]


def test_person_comes_in_without_a_photo_that_was_refused(terminal: Terminal) -> None:
    add_people("1")

    found = checked("1;Анна;", "2;Ольга;", pictures={"1.jpg": b"none", "2.jpg": b"none"}, terminal_id=terminal.id)
    done = apply(found)

    assert (done.done, done.failed) == (2, 0)
    assert [(number, name) for number, name, *_ in people()] == [("1", "Анна"), ("2", "Ольга")]
    assert wanted() == [("1", "present", False, True), ("2", "present", False, True)]


@pytest.mark.both_databases
def test_check_and_import_are_one_job() -> None:
    add_people("3", "4")
    found = made("1;Иван Иванов;", "2;;", "3;Иван Иванов 3;", "4;Иван Иванов 4;")
    claim = started(import_jobs.start_check_and_import, found)
    total = job(claim.job_id).total

    done = run(claim)

    # Those of the four rows that change nothing are done once they are checked.
    assert (total, done.total, done.done) == (4, 4, 4)
    assert (done.state, done.failed) == ("done", 0)
    assert [number for number, *_ in people()] == ["1", "3", "4"]
    assert [(row.verdict, row.state) for row in rows(found)] == [
        ("new", "applied"),
        ("wrong", ""),
        ("unchanged", ""),
        ("unchanged", ""),
    ]


@contextmanager
def written() -> Iterator[list[str]]:
    """The statements that mark items as done, each once."""
    found: list[str] = []

    def look(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        found.extend([statement] if statement.startswith("UPDATE job_item") else [])

    event.listen(db.engine, "before_cursor_execute", look)
    yield found
    event.remove(db.engine, "before_cursor_execute", look)


@pytest.mark.both_databases
def test_new_people_are_added_many_at_once_and_undone_as_any_other() -> None:
    departments.add("Склад")
    found = checked(*(f"{n};Иван Иванов {n};склад" for n in range(9)), "9;Пётр Чехов;Новый")
    add_people("5")

    with written() as marks:
        done = apply(found)

    assert len(marks) == 3, "for eight at once, who is known, and who is in a new department"
    assert (done.done, done.failed) == (10, 1)
    assert items(done.id)[5] == ("5", "failed", "number_known")
    assert people()[4] == ("4", "Иван Иванов 4", "Склад", True)
    assert [row.state for row in rows(found)] == ["applied"] * 5 + [""] + ["applied"] * 4

    assert (undo(found).done, [number for number, *_ in people()]) == (9, ["5"])
    assert departments.names() == ["Склад"]


@pytest.mark.both_databases
def test_many_who_change_are_changed_in_one_transaction_but_those_who_were_changed_since(terminal: Terminal) -> None:
    add_people(*"1234", department="Охрана")
    departments.add("Склад")
    found = checked(*(f"{n};Пётр Иванов {n};Склад" for n in "12345"), terminal_id=terminal.id)
    db.session.execute(db.update(Employee).where(Employee.number == "3").values(department="Кухня"))
    db.session.commit()

    with transaction():
        assert apply_together(found, [*"12345"]) == {*"1245"}

    assert [row.state for row in rows(found)] == ["applied", "applied", "", "applied", "applied"]
    assert [person[1:3] for person in people()] == [
        ("Пётр Иванов 1", "Склад"),
        ("Пётр Иванов 2", "Склад"),
        ("Иван Иванов 3", "Кухня"),
        ("Пётр Иванов 4", "Склад"),
        ("Пётр Иванов 5", "Склад"),
    ]
    assert [number for number, *_ in wanted()] == [*"1245"]


@pytest.mark.both_databases
def test_many_who_are_new_go_to_the_terminals_but_one_whose_name_fits_nowhere(terminal: Terminal) -> None:
    departments.add("Склад")
    make_group("Кладовая", [*add_terminals("Кладовая").values()], "Склад")
    long = "Ё" + "\u0301" * 127
    found = check(
        made(*(f"{n};Иван Иванов {n};Склад" for n in range(4)), f"4;{long};", terminal_id=terminal.id, groups=True)
    )

    done = apply(found)

    assert (done.done, done.failed) == (5, 1)
    assert items(done.id)[4] == ("4", "failed", "name_bytes")
    assert wanted() == [(str(n), "present", False, True) for n in range(4) for _ in range(2)]


@pytest.mark.both_databases
def test_worker_that_is_killed_while_it_adds_many_leaves_nobody_of_them() -> None:
    found = checked(*(f"{n};Иван Иванов {n};" for n in range(9)))
    claim = started(import_jobs.start_import, found)

    def die(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE job_item"):
            raise KeyboardInterrupt

    event.listen(db.engine, "before_cursor_execute", die)
    with pytest.raises(KeyboardInterrupt):
        run_slice(claim, LONG)
    event.remove(db.engine, "before_cursor_execute", die)
    assert (people(), entries("employee.created"), {row.state for row in rows(found)}) == ([], [], {""})
    db.session.execute(db.update(Job).values(claimed_until=database_now(-1.0)))
    db.session.commit()

    (again,) = lifecycle.claim_orphans()
    done = run(again)

    assert (done.done, done.failed, len(people())) == (9, 0, 9)


@pytest.mark.both_databases
def test_import_of_a_killed_worker_goes_on_without_doubling() -> None:
    found = checked(*(f"{n};Иван Иванов {n};Склад" for n in range(9)))
    claim = started(import_jobs.start_import, found)
    seen: list[str] = []

    def die(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.extend([statement] if statement.startswith("UPDATE job_item") else [])
        if len(seen) == 4:
            raise KeyboardInterrupt

    event.listen(db.engine, "before_cursor_execute", die)
    with pytest.raises(KeyboardInterrupt):
        run_slice(claim, LONG)
    event.remove(db.engine, "before_cursor_execute", die)
    assert len(people()) == 3
    db.session.execute(db.update(Job).values(claimed_until=database_now(-1.0)))
    db.session.commit()

    (again,) = lifecycle.claim_orphans()
    done = run(again)

    assert (done.done, done.failed) == (9, 0)
    assert [entry.employee for entry in entries("employee.created")] == [str(n) for n in range(9)]
    assert db.session.execute(select(Department.name)).scalars().all() == ["Склад"]
