"""Whether a face is desired for an employee, as triggers keep it: after whatever services and statements write."""

import io
import random
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from flask import Flask
from sqlalchemy import delete, func, insert, select, text, update

from hikflask.background import worker
from hikflask.extensions import db
from hikflask.isapi.errors import TerminalError
from hikflask.models import Employee, EmployeeCount, Enrolment, Photo, Terminal
from hikflask.models.enrolment import ABSENT, PRESENT
from hikflask.models.people import UPLOADED
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees import search
from hikflask.services.employees.erasure import erase_employee
from hikflask.services.employees.filters import NO_FACE, ON_TERMINALS, EmployeeFilter
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal, set_active
from hikflask.services.employees.save import FaceSource, save_employee
from hikflask.services.enrolments import desired, queries
from hikflask.services.enrolments.reconcile import reconcile
from hikflask.services.enrolments.retire_terminal import retire_terminal
from hikflask.services.terminals import checks, registry
from hikflask.services.terminals.registry import Access
from hikflask.simulator import SkippingClock
from hikflask.simulator import Terminal as Simulated
from hikflask.simulator.profiles import profile_named
from tests.conftest import HOST, PASSWORD
from tests.support.captures import FACE, OTHER_FACE, THIRD_FACE, capture_face
from tests.support.retention import DAY, age
from tests.support.wire import InProcess

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

NUMBERS = ("1001", "1002", "1003")
PHOTO = {"sha256": "0" * 64, "source": UPLOADED}
ENDS = ("UPDATE enrolment SET desired = 'absent'", "UPDATE enrolment SET photo_id = NULL", "DELETE FROM enrolment")


def flags() -> dict[str, bool]:
    """Return who has a face, by number: the kept answer."""
    return {number: has_face for number, has_face in db.session.execute(select(Employee.number, Employee.has_face))}


def facts() -> dict[str, bool]:
    """Return who has a face, by number: what the enrolments say."""
    mine = (Enrolment.employee_id == Employee.id, Enrolment.desired == PRESENT, Enrolment.photo_id.is_not(None))
    has_face = select(Enrolment.id).where(*mine).exists()
    return {number: has for number, has in db.session.execute(select(Employee.number, has_face))}


def found(state: str) -> set[str]:
    """Return the numbers of those who are found in a state; the count and the page agree."""
    page, _ = search.search(EmployeeFilter(state=state), 100, 0)
    assert search.count(EmployeeFilter(state=state)) == len(page)
    return {employee.number for employee in page}


def counts() -> list[int]:
    """Return how many there are, are active, and are active without a face: as the database keeps it."""
    columns = (EmployeeCount.people, EmployeeCount.active, EmployeeCount.no_face)
    return [int(total or 0) for total in db.session.execute(select(*(func.sum(column) for column in columns))).one()]


def everybody() -> int:
    """Return how many there are."""
    return db.session.execute(select(func.count(Employee.id))).scalar_one()


class Days:
    """What people and the worker do, drawn by chance; whatever is refused is an answer."""

    def __init__(self, app: Flask, simulator: Simulated, terminals: list[Terminal], wire: InProcess) -> None:
        self.chance = random.Random(0)  # noqa: S311 - the same days each time
        self.app, self.simulator, self.wire = app, simulator, wire
        self.ids = [terminal.id for terminal in terminals]
        self.captured_at = terminals[0]
        self.retired = False

    def act(self) -> str:
        """Do one of them, and return its name."""
        often = (self.file, self.face, self.send, self.reconcile)
        seldom = (self.plain, self.renumber, self.activate, self.deactivate, self.replace, self.delete, self.erase)
        done: Callable[[], None] = self.chance.choice((*often, *often, *seldom, self.forget, self.switch, self.retire))
        with suppress(ServiceError, TerminalError), audit.acting(Actor("Анна")):
            done()
        db.session.rollback()
        return done.__name__

    def _employee(self) -> Employee | None:
        return search.by_number(self.chance.choice(NUMBERS))

    def _id(self) -> int:
        employee = self._employee()
        return employee.id if employee else 0

    def _save(self, number: str, source: FaceSource, employee: Employee | None) -> None:
        name = self.chance.choice(("Иван Иванов", "Ольга Ёлкина"))
        save_employee(Draft(number, name), source, employee_id=employee.id if employee else None)

    def _picture(self) -> FaceSource:
        picture = io.BytesIO(self.chance.choice((FACE, OTHER_FACE, THIRD_FACE)))
        return FaceSource(upload=picture, terminal_id=self.chance.choice([None, *self.ids]))

    def plain(self) -> None:
        number = self.chance.choice(NUMBERS)
        self._save(number, FaceSource(), search.by_number(number))

    def file(self) -> None:
        number = self.chance.choice(NUMBERS)
        self._save(number, self._picture(), search.by_number(number))

    def face(self) -> None:
        if self.wire.away:
            return
        number = self.chance.choice(NUMBERS)
        taken = capture_face(self.simulator, self.captured_at, Draft(number, "Иван Иванов"))
        self._save(number, FaceSource(taken.id, taken.requested_by), search.by_number(number))

    def renumber(self) -> None:
        self._save(self.chance.choice(NUMBERS), self._picture(), self._employee())

    def activate(self) -> None:
        set_active(self._id(), True)

    def deactivate(self) -> None:
        set_active(self._id(), False)

    def send(self) -> None:
        send_to_terminal(self._id(), self.chance.choice(self.ids))

    def delete(self) -> None:
        delete_employee(self._id())

    def erase(self) -> None:
        erase_employee(self._id())

    def replace(self) -> None:
        for enrolment in queries.of_number(self.chance.choice(NUMBERS)):
            desired.desire_overwrite(enrolment.id, enrolment.generation)

    def reconcile(self) -> None:
        for enrolment_id in db.session.execute(select(Enrolment.id)).scalars().all():
            with suppress(ServiceError, TerminalError):
                reconcile(enrolment_id, "test")

    def forget(self) -> None:
        self.app.config["PHOTO_RETENTION"] = self.chance.choice(("never", "employed", "1"))
        age(Photo, "created_at", 9 * DAY)
        db.session.execute(update(Photo).where(Photo.forgotten_at.is_not(None)).values(forgotten_at=Photo.created_at))
        db.session.commit()
        worker.forget_once()

    def switch(self) -> None:
        """Turn the first terminal off or on."""
        self.wire.away ^= {HOST}

    def retire(self) -> None:
        if not self.retired and self.chance.random() < 0.2:
            self.retired = True
            retire_terminal(self.ids[1], "украден", "Анна")


def test_flag_is_what_the_enrolments_say_after_any_sequence(
    app: Flask, simulator: Simulated, terminal: Terminal, wire: InProcess
) -> None:
    wire.put("second.test", Simulated(PASSWORD, clock=SkippingClock(), profile=profile_named("K1T341CMFW")))
    second = checks.check(registry.add(Access("Склад", "http://second.test", "admin", PASSWORD)).id, "test")
    days = Days(app, simulator, [terminal, second], wire)
    seen: set[bool] = set()

    for _ in range(60):
        action = days.act()
        has_face = facts()
        assert flags() == has_face, action
        active = [employee for employee in search.search(EmployeeFilter(), 100, 0)[0] if employee.is_active]
        synced = queries.synced([one.id for one in active])
        assert found(ON_TERMINALS) == {one.number for one in active if one.id in synced}, action
        assert found(NO_FACE) == {one.number for one in active if not has_face[one.number]}, action
        assert counts() == [everybody(), len(active), len(found(NO_FACE))], action
        seen |= set(has_face.values())
        db.session.rollback()

    assert seen == {True, False}


@pytest.fixture
def two_faces(context: None, terminal: Terminal) -> None:  # noqa: ARG001
    """Иван, 1, with a face under two numbers at a terminal, and Ольга, 2, without one."""
    db.session.execute(insert(Employee), [{"id": 1, "number": "1", "name": "И"}, {"id": 2, "number": "2", "name": "О"}])
    db.session.execute(insert(Photo).values(id=1, file="1.jpg", **PHOTO))
    for number in ("1", "11"):
        row = {"terminal_id": terminal.id, "number": number, "employee_id": 1, "photo_id": 1}
        db.session.execute(insert(Enrolment).values(**row))
    db.session.commit()


@pytest.mark.usefixtures("two_faces")
@pytest.mark.parametrize("statement", ENDS)
def test_flag_falls_with_the_last_face_alone(statement: str) -> None:
    before = flags()
    db.session.execute(text(f"{statement} WHERE number = '1'"))
    between = flags()
    db.session.execute(text(f"{statement} WHERE number = '11'"))

    assert (before, between, flags()) == ({"1": True, "2": False}, {"1": True, "2": False}, {"1": False, "2": False})


@pytest.mark.usefixtures("two_faces")
def test_flag_follows_a_photo_that_is_deleted_and_a_record_that_is_given_on() -> None:
    db.session.execute(update(Enrolment).values(employee_id=2))
    given_on = flags()
    db.session.execute(delete(Photo))
    deleted = flags()
    db.session.execute(insert(Photo).values(id=2, file="2.jpg", **PHOTO))
    db.session.execute(update(Enrolment).where(Enrolment.number == "1").values(employee_id=1, photo_id=2))

    assert given_on == {"1": False, "2": True}
    assert deleted == {"1": False, "2": False}
    assert flags() == {"1": True, "2": False}


@pytest.mark.usefixtures("two_faces")
def test_flag_is_right_when_one_face_comes_while_the_other_goes() -> None:
    db.session.execute(update(Enrolment).where(Enrolment.number == "11").values(desired=ABSENT))
    db.session.commit()
    engine, going = db.engine, db.engine.connect()
    going.execute(update(Enrolment).where(Enrolment.number == "1").values(desired=ABSENT))

    def come() -> None:
        with engine.begin() as coming:
            coming.execute(update(Enrolment).where(Enrolment.number == "11").values(desired=PRESENT))

    other = threading.Thread(target=come)
    other.start()
    other.join(0.2)
    waited = other.is_alive()
    going.commit()
    going.close()
    other.join()

    assert waited
    assert flags() == {"1": True, "2": False}
