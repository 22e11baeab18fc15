"""The people of a terminal, the worst first, and how many wait or need a person there."""

import pytest

from hikflask.extensions import db
from hikflask.models import Enrolment, Terminal
from hikflask.models.enrolment import CONFIRMED
from hikflask.services.attention import terminal_people
from hikflask.services.attention.terminal_people import Open
from hikflask.services.employees import search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.lifecycle import delete_employee, set_active
from hikflask.simulator import Terminal as Simulated
from tests.support.enrolments import enrol
from tests.support.jobs import add_people

pytestmark = [pytest.mark.usefixtures("context", "worker_alive"), pytest.mark.both_databases]


@pytest.fixture
def people(simulator: Simulated, terminal: Terminal) -> list[int]:
    """One who is confirmed, who waits, who is refused, who leaves, and who leaves without an employee."""
    enrol(simulator, terminal)
    ids = add_people("1", "2", "3", "4")
    for number, employee_id in zip("1234", ids, strict=True):
        db.session.add(Enrolment(terminal_id=terminal.id, number=number, employee_id=employee_id))
    db.session.flush()
    stopped = {"next_attempt_at": None}
    db.session.execute(db.update(Enrolment).where(Enrolment.number == "2").values(**stopped))
    db.session.execute(db.update(Enrolment).where(Enrolment.number.in_(("3", "4"))).values(person=CONFIRMED))
    db.session.commit()
    set_active(ids[2], active=False)
    delete_employee(ids[3])
    return ids


def test_worst_state_comes_first(terminal: Terminal, people: list[int]) -> None:
    rows = terminal_people.worst_first(terminal, 10)

    assert [row.number for row in rows[:3]] == ["3", "2", "1"]
    assert [row.state for row in rows] == ["leaving", "refused", "waiting", "confirmed"]
    assert [row.number for row in terminal_people.worst_first(terminal, 2)] == ["3", "2"]
    assert len(people) == 4


def test_counts_are_those_of_the_list(terminal: Terminal, people: list[int]) -> None:
    assert terminal_people.open_at([terminal]) == {terminal.id: Open(waiting=1, refused=1)}
    for state in ("waiting", "refused"):
        assert search.count(EmployeeFilter(state=state, terminal=terminal.id)) == 1

    # A statement for each state is made once, for all terminals: of hundreds it would take seconds.
    made = search._counting_each_once.cache_info().misses
    for terminal_id, waiting in ((terminal.id, 1), (terminal.id + 1, 0)):
        assert search.count_up_to(EmployeeFilter(state="waiting", terminal=terminal_id)) == waiting
    assert search._counting_each_once.cache_info().misses == made

    db.session.execute(db.delete(Enrolment).where(Enrolment.state.in_(("waiting", "refused"))))
    db.session.commit()
    assert terminal_people.open_at([terminal]) == {}
    unchecked = Terminal(id=terminal.id, face_mode=None)
    db.session.execute(db.update(Terminal).values(face_mode=None))
    assert terminal_people.open_at([unchecked]) == {terminal.id: Open(waiting=0, refused=1)}
    assert len(people) == 4
