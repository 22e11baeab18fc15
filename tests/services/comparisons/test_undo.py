"""Taking people over is undone exactly while nobody worked with them, and nothing is done at the terminal."""

import pytest

from hikflask.extensions import db
from hikflask.models import Consent, Employee, Enrolment, Job, Photo, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.cards import registry as cards
from hikflask.services.comparisons import undo
from hikflask.services.employees.lifecycle import delete_employee, send_to_terminal
from hikflask.services.employees.save import save_employee
from hikflask.services.photos import storage
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE, OTHER_FACE
from tests.support.comparisons import compare, differences, limit_there, strangers, taken_over
from tests.support.employees import by_number
from tests.support.enrolments import enrol
from tests.support.jobs import items, run
from tests.support.lock_order import LockOrder
from tests.support.trail import entries

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]

Facts = list[tuple[object, ...]]


def facts() -> tuple[Facts, Facts]:
    """Everybody with the photo, and where they are wanted."""
    people = db.select(Employee.number, Employee.name, Employee.terminal_name, Employee.valid_from, Employee.valid_to,
                       Employee.photo_id).order_by(Employee.number)  # fmt: skip
    wanted = db.select(Enrolment.number, Enrolment.terminal_id, Enrolment.photo_id).where(
        Enrolment.desired == "present"
    )
    found = ([tuple(row) for row in db.session.execute(people)], [tuple(row) for row in db.session.execute(wanted)])
    db.session.commit()
    return found


def undone(job: Job) -> list[tuple[str, str, str]]:
    """Undo a job, and return what came of each."""
    claim = undo.start(job.id)
    assert run(claim).state == "done"
    return items(claim.job_id)


def preview(job: Job) -> tuple[int, int]:
    found = undo.preview(job.id)
    db.session.commit()
    return found


@pytest.fixture
def guests(simulator: Simulated) -> list[str]:
    """Two strangers on the terminal, the first with a face and a card."""
    strangers(simulator, ["900", "901"], [FACE])
    simulator.store.save_card("77", {"employeeNo": "900"})
    return ["900", "901"]


def test_employees_who_came_in_by_it_are_deleted_and_stay_on_the_terminal(
    guests: list[str], simulator: Simulated, terminal: Terminal
) -> None:
    job = taken_over(terminal, *guests)
    assert [row[:2] for row in facts()[0]] == [("900", "Гость 900"), ("901", "Гость 901")]
    assert preview(job) == (2, 0)
    requests = len(simulator.log)

    assert undone(job) == [("901", "done", ""), ("900", "done", "")]

    assert facts() == ([], [])
    assert db.session.execute(db.select(Photo.id).where(Photo.forgotten_at.is_(None))).all() == []
    assert len(simulator.log) == requests
    assert (list(simulator.people), list(simulator.store.cards)) == (["900", "901"], ["77"])
    assert differences(compare(terminal)) == {"only_there": ["900", "901"]}
    assert len(entries("enrolment.taking_over_undone")) == 2
    with pytest.raises(Exception, match="nothing_to_take_back"):
        undo.start(job.id)


def test_who_was_here_before_gets_back_name_days_and_photo(
    guests: list[str], simulator: Simulated, terminal: Terminal
) -> None:
    save_employee(Draft("900", "Иванов Иван", "Охрана", valid_to="2036-12-31", terminal_name="Иванов"))
    save_employee(Draft("901", "Гость 901"))
    limit_there(simulator, "900", "2036-06-30T23:59:59")
    before = facts()
    job = taken_over(terminal, *guests, same_person=frozenset(guests))
    assert facts()[0][0][1:3] == ("Гость 900", "")

    assert undone(job) == [("901", "done", ""), ("900", "done", "")]

    assert facts() == before
    assert simulator.people["900"]["name"] == "Гость 900"
    assert differences(compare(terminal)) == {"only_there": ["900", "901"]}


def test_who_was_worked_with_since_stays_and_the_row_says_so(simulator: Simulated, terminal: Terminal) -> None:
    numbers = [f"90{digit}" for digit in range(7)]
    strangers(simulator, numbers)
    job = taken_over(terminal, *numbers)
    ids = {number: by_number(number).id for number in numbers}
    db.session.commit()
    save_employee(Draft("900", "Гость 900", "Склад"), employee_id=ids["900"])
    delete_employee(ids["901"])
    db.session.add(Consent(employee_id=ids["902"], given_on=db.func.current_date(), recorded_by="Анна"))
    db.session.commit()
    photo = storage.keep(OTHER_FACE, "903")
    storage.save(photo)
    photo.employee_id = ids["903"]
    db.session.commit()
    second = add_terminal()
    send_to_terminal(ids["904"], second.id)
    cards.give(ids["906"], "7")
    # What terminals, consents and cards tell is found by the undo itself.
    assert preview(job) == (5, 1)

    assert undone(job) == [
        ("906", "failed", "changed_since"),
        ("905", "done", ""),
        ("904", "failed", "changed_since"),
        ("903", "failed", "changed_since"),
        ("902", "failed", "changed_since"),
        ("900", "failed", "changed_since"),
    ]
    assert [row[0] for row in facts()[0]] == ["900", "902", "903", "904", "906"]


def add_terminal() -> Terminal:
    terminal = Terminal(name="Склад", url="http://other.test", username="admin", password_encrypted="-")
    db.session.add(terminal)
    db.session.commit()
    return terminal


def test_what_cannot_be_undone_says_why(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["900", "901"])
    limit_there(simulator, "900", "2026-01-31T23:59:59")
    save_employee(Draft("901", "Гость 901", valid_from="2036-01-01"))
    enrol(simulator, terminal, Draft("902", "Анна Ким"))
    simulator.people["902"]["name"] = "Анна Цой"
    job = taken_over(terminal, "900", "901", "902", same_person=frozenset({"902"}))

    assert preview(job) == (0, 3)
    assert undone(job) == [
        ("902", "failed", "was_wanted_before"),
        ("901", "failed", "days_shut_out"),
        ("900", "failed", "leaves_by_take_over"),
    ]


def test_face_that_came_in_place_of_another_one_stays(simulator: Simulated, terminal: Terminal) -> None:
    employee = save_employee(Draft("900", "Гость 900")).row
    photo = storage.keep(FACE, "900")
    storage.save(photo)
    photo.employee_id, employee.photo_id = employee.id, photo.id
    db.session.commit()
    strangers(simulator, ["900"], [OTHER_FACE])
    job = taken_over(terminal, "900", same_face=frozenset({"900"}))

    assert undone(job) == [("900", "failed", "face_was_replaced")]


def test_locks_are_taken_in_their_order(guests: list[str], terminal: Terminal) -> None:
    save_employee(Draft("901", "Иванов Иван"))
    job = taken_over(terminal, *guests, same_person=frozenset(guests))
    order = LockOrder(db.engine)

    undone(job)

    assert order.violations == []
