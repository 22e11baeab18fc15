"""No import loses a person, gives a number to two, or deactivates who was not named; its undo restores exactly."""

import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from hikflask import create_app
from hikflask.extensions import db
from hikflask.models import Department, Employee, Enrolment, ImportRow, Job, JobItem, Photo, Terminal
from hikflask.models.columns import database_now
from hikflask.models.import_batch import APPLIED, UNDONE
from hikflask.models.terminal import BY_PICTURE
from hikflask.services.captures.drafts import Draft
from hikflask.services.changes import lifecycle
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.changes.run import run_to_end
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.services.imports import batches, losses
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports.batches import Upload
from hikflask.services.imports.effects import IS_UNCONFIRMED
from hikflask.services.imports.table.doubts import TOO_MANY_NAMESAKES
from tests.support.apps import close
from tests.support.captures import FACE, OTHER_FACE
from tests.support.imports import photos
from tests.support.removals import AGREED

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("app")]

NUMBERS = ("1", "2", "3", "a4", "A4")
NAMES = ("Иван Иванов", "Ольга Ёлкина", "Пётр Чехов")
DEPARTMENTS = ("", "Склад", "склад", "Охрана")
WRITTEN = (*NUMBERS, "№5", "")
ENCODINGS = ("utf-8", "utf-8-sig", "cp1251", "utf-16")
TERMINALS = (1, 2)
EXAMPLES = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


@dataclass(frozen=True)
class Person:
    """Somebody who is there before."""

    number: str
    name: str
    department: str
    active: bool
    terminals: frozenset[int]
    photo: bool


@dataclass(frozen=True)
class Line:
    """A row of the table."""

    number: str
    name: str
    department: str
    left: str


@dataclass(frozen=True)
class File:
    """What is imported, and how it is written."""

    lines: tuple[Line, ...]
    encoding: str
    separator: str
    terminal_id: int | None
    photos: frozenset[str]


@dataclass
class Facts:
    """What somebody sees of everybody, by number, and the departments."""

    people: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    departments: list[str] = field(default_factory=list)


def is_one_name_for_all(found: list[Line]) -> bool:
    names = [line.name for line in found if line.name]
    return len(names) >= TOO_MANY_NAMESAKES and len({*names}) == 1


people = st.lists(
    st.builds(
        Person,
        st.sampled_from(NUMBERS),
        st.sampled_from(NAMES),
        st.sampled_from(DEPARTMENTS),
        st.sampled_from((True, True, False)),
        st.frozensets(st.sampled_from(TERMINALS)),
        st.sampled_from((False, False, True)),
    ),
    max_size=4,
    unique_by=lambda one: one.number,
)
lines = st.builds(
    Line,
    st.sampled_from(WRITTEN),
    st.sampled_from((*NAMES, *NAMES, "")),
    st.sampled_from(DEPARTMENTS),
    st.sampled_from(("", "", "нет", "да", "уволен", "31.01.2020", "31.01.2999", "?")),
)
files = st.builds(
    File,
    # A table without a single filled row is refused as a whole, and one with a single name for all is asked about.
    st.lists(lines, min_size=1, max_size=6)
    .filter(lambda found: any(any(astuple(line)) for line in found) and not is_one_name_for_all(found))
    .map(tuple),
    st.sampled_from(ENCODINGS),
    st.sampled_from(";,\t"),
    st.sampled_from((None, None, *TERMINALS)),
    st.sampled_from((frozenset(), frozenset(), frozenset(), frozenset({"1"}), frozenset({"1", "2"}))),
)
in_between = st.lists(
    st.tuples(st.sampled_from(("rename", "move", "leave", "return", "delete", "send")), st.sampled_from(NUMBERS)),
    max_size=3,
)


@pytest.fixture(scope="module")
def app(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """One server process, for all examples."""
    folder = tmp_path_factory.mktemp("imports")
    (folder / "hikflask.sqlite3").write_bytes(migrated.read_bytes())
    app = create_app({"INSTANCE_PATH": str(folder), "TESTING": True, "WORKER": "external"})
    with app.app_context():
        yield app
    close(app)


def begin(known: list[Person]) -> None:
    """Begin anew with these people, and two terminals that are asked nothing."""
    db.session.rollback()
    db.session.execute(db.update(Employee).values(photo_id=None))
    for table in reversed(db.metadata.sorted_tables):
        if table.name != "audit":
            db.session.execute(table.delete())
    for number in TERMINALS:
        terminal = Terminal(name=f"T{number}", url=f"http://192.0.2.{number}", username="admin", password_encrypted="")
        terminal.id, terminal.face_mode = number, BY_PICTURE if number == 1 else None
        db.session.add(terminal)
    db.session.commit()
    for person in known:
        photo = FaceSource(upload=io.BytesIO(FACE)) if person.photo else FaceSource()
        saved = save_employee(Draft(person.number, person.name, person.department), photo).row
        for terminal_id in sorted(person.terminals):
            send_to_terminal(saved.id, terminal_id)
        if not person.active:
            set_active(saved.id, active=False)
    db.session.expunge_all()


def facts() -> Facts:
    """Everybody as the database has them: with the photo's picture, and where they are wanted with which."""
    pictures = dict(db.session.execute(db.select(Photo.id, Photo.sha256)).all())
    wanted: dict[str, list[Any]] = {}
    present = db.select(Enrolment.number, Enrolment.terminal_id, Enrolment.photo_id)
    for number, terminal_id, photo_id in db.session.execute(present.where(Enrolment.desired == "present")):
        wanted.setdefault(number, []).append((terminal_id, pictures.get(photo_id)))
    found = Facts(departments=sorted(db.session.execute(db.select(Department.name)).scalars()))
    for one in db.session.execute(db.select(Employee), execution_options={"populate_existing": True}).scalars():
        enrolled = tuple(sorted(wanted.get(one.number, [])))
        told = (one.name, one.department, one.is_active, one.left_at, pictures.get(one.photo_id), enrolled)
        found.people[one.number] = told
        found.ids[one.id] = one.number
    assert len(found.people) == len(found.ids), "two have the same number"
    db.session.commit()
    db.session.expunge_all()
    return found


def made(file: File, *, backwards: bool = False) -> int:
    """Make an import of the file, or of its rows in the opposite order."""
    ordered = file.lines[::-1] if backwards else file.lines
    header = ("Табельный номер", "ФИО", "Подразделение", "Уволен")
    rows = [header, *((one.number, one.name, one.department, one.left) for one in ordered)]
    text = "\r\n".join(file.separator.join(row) for row in rows) + "\r\n"
    # Otherwise an encoding of one byte would have too few letters to be told from another.
    written = text.replace("№", "N") if file.encoding == "cp1251" else text
    pictures = {f"{number}.jpg": OTHER_FACE for number in file.photos}
    table = Upload("люди.csv", io.BytesIO(written.encode(file.encoding)))
    batch = batches.make(table, photos(pictures) if pictures else None)
    batches.choose(batch.id, batch.fields, file.terminal_id)
    return batch.id


def seen(batch_id: int) -> Confirmation:
    """Check an import, and agree to it as an administrator who saw the dry run."""
    run_to_end(import_jobs.start_check(batch_id))
    return Confirmation(losses.of_import(batch_id).people, by_admin=True)


def imported(file: File) -> int:
    """Check and apply the file, as on the page."""
    batch_id = made(file)
    run_to_end(import_jobs.start_import(batch_id, seen(batch_id)))
    return batch_id


def states(batch_id: int) -> dict[str, str]:
    """The state of each row that has one, by number."""
    mine = db.select(ImportRow.number, ImportRow.state).where(ImportRow.batch_id == batch_id, ImportRow.state != "")
    return dict(db.session.execute(mine).all())


def named_once(file: File) -> dict[str, Line]:
    """The lines whose number no other line has."""
    counts = Counter(line.number for line in file.lines)
    return {line.number: line for line in file.lines if counts[line.number] == 1}


LEAVES = {"да", "уволен", "31.01.2020"}


@EXAMPLES
@given(known=people, file=files)
def test_import_does_what_it_says_to_whom_it_names(known: list[Person], file: File) -> None:
    begin(known)
    before = facts()

    batch_id = imported(file)

    after, done = facts(), states(batch_id)
    assert before.ids.items() <= after.ids.items(), "somebody is lost, or has another number"
    mentioned = named_once(file)
    for number, told in after.people.items():
        if number not in done:
            assert told == before.people.get(number), "somebody was changed who is in no right row"
            continue
        line = mentioned.get(number)
        active = before.people[number][2] if number in before.people else True
        if line:
            # An empty cell leaves what is here.
            name, department = before.people[number][:2] if number in before.people else ("", "")
            assert told[0] == (line.name or name)
            assert told[1].casefold() == (line.department or department).casefold()
            active = active and line.left not in LEAVES
        assert told[2] == active, "somebody was deactivated, or activated, who was not named so"
        former = {terminal for terminal, _ in before.people[number][5]} if number in before.people else set()
        assert {terminal for terminal, _ in told[5]} <= former | {file.terminal_id}, "on a terminal that nobody chose"
    assert {*before.departments} <= {*after.departments}
    assert len({name.casefold() for name in after.departments}) == len(after.departments)

    again = made(file, backwards=True)
    run_to_end(import_jobs.start_check(again))
    repeated = batches.get_one(again)
    unconfirmed = db.select(db.func.count(ImportRow.id)).where(ImportRow.batch_id == again, IS_UNCONFIRMED)
    left_out = db.session.execute(unconfirmed).scalar_one()
    assert repeated.new + repeated.changed == left_out, "the same file changes something again"


@EXAMPLES
@given(known=people, file=files, others=in_between)
def test_undo_restores_exactly_or_says_why_not(known: list[Person], file: File, others: list[tuple[str, str]]) -> None:
    begin(known)
    before = facts()
    batch_id = imported(file)
    applied = states(batch_id)
    touched = {number for action, number in others if meddle(action, number)}
    between = facts()
    if not applied:
        return

    claim = import_jobs.start_undo(batch_id, AGREED)
    run_to_end(claim)

    after, done = facts(), states(batch_id)
    said = JobItem.refusal_code
    refused = dict(db.session.execute(db.select(JobItem.number, said).where(JobItem.job_id == claim.job_id)).all())
    assert refused.keys() == applied.keys()
    for number in {*before.people, *between.people, *after.people}:
        told = after.people.get(number)
        if done.get(number) != UNDONE:
            assert told == between.people.get(number), "changed by the undo, which says that it was not"
            assert number not in applied or refused[number], "not undone, and nothing says why"
        elif number not in touched:
            assert told == before.people.get(number), "not as before"
        if number in applied and number not in touched:
            assert done[number] == UNDONE, f"nobody touched it: {refused[number]}"
    assert all(state in {APPLIED, UNDONE} for state in done.values())
    if not touched:
        assert after.departments == before.departments


def meddle(action: str, number: str) -> bool:
    """Let somebody else change one person; False when nothing came of it."""
    person = search.by_number(number)
    db.session.commit()
    if person is None:
        return False
    employee_id, name, department = person.id, person.name, person.department
    actions: dict[str, Callable[[], object]] = {
        "rename": lambda: save_employee(Draft(number, "Кто-то Другой", department), employee_id=employee_id),
        "move": lambda: save_employee(Draft(number, name, "Цех"), employee_id=employee_id),
        "leave": lambda: set_active(employee_id, active=False),
        "return": lambda: set_active(employee_id, active=True),
        "delete": lambda: delete_employee(employee_id),
        "send": lambda: send_to_terminal(employee_id, 2),
    }
    try:
        actions[action]()
    except ServiceError:
        db.session.rollback()
        return False
    return True


@EXAMPLES
@given(known=people, file=files, deaths=st.lists(st.integers(1, 60), min_size=1, max_size=3))
def test_killed_worker_makes_no_difference(known: list[Person], file: File, deaths: list[int]) -> None:
    begin(known)
    batch_id = made(file)
    agreed = seen(batch_id)
    run_to_end(import_jobs.start_import(batch_id, agreed))
    expected = facts()
    begin(known)

    claim: Claim | None = import_jobs.start_check_and_import(made(file), agreed)
    for statements in deaths:
        claim = killed_after(statements, claim) if claim else None
    if claim:
        run_to_end(claim)

    found = facts()
    assert without_times(found) == without_times(expected)
    counted = Counter(db.session.execute(db.select(ImportRow.line).where(ImportRow.line.is_not(None))).scalars())
    assert set(counted.values()) <= {1}, "a row is stored twice"
    assert set(db.session.execute(db.select(Job.state)).scalars()) == {"done"}


def killed_after(statements: int, claim: Claim) -> Claim | None:
    """Let a worker run and die at its so-manieth statement; return the claim of the next one, or None at the end."""
    left = [statements]

    def die(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    event.listen(db.engine, "before_cursor_execute", die)
    try:
        run_to_end(claim)
        return None
    except KeyboardInterrupt:
        db.session.rollback()
    finally:
        event.remove(db.engine, "before_cursor_execute", die)
    db.session.expunge_all()
    db.session.execute(db.update(Job).values(claimed_until=database_now(-1.0)))
    db.session.commit()
    return next(iter(lifecycle.claim_orphans()), None)


def without_times(found: Facts) -> tuple[Any, ...]:
    """The facts that are the same whenever it was done."""
    told = {number: (*one[:3], bool(one[3]), *one[4:]) for number, one in found.people.items()}
    return told, found.departments
