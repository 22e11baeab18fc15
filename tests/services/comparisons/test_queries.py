"""Comparisons are read page by page, with what is known of each number."""

import pytest

from hikflask.models import Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.comparisons import queries, reading
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees.save import save_employee
from hikflask.simulator import Terminal as Simulated
from tests.support.comparisons import compare, strangers
from tests.support.enrolments import enrol

pytestmark = pytest.mark.usefixtures("context", "worker_alive")


def test_newest_comparison_and_newest_finished_one(terminal: Terminal) -> None:
    assert (queries.latest(terminal.id), queries.finished(terminal.id)) == (None, None)
    done = compare(terminal)
    begun = reading.start(terminal.id, "Анна")
    newest, finished, running = (found(terminal.id) for found in (queries.latest, queries.finished, queries.reading))
    assert [one.id for one in (newest, finished, running) if one] == [begun.id, done.id, begun.id]
    with pytest.raises(ServiceError, match=r"^comparison_unknown$"):
        queries.get_comparison(begun.id + 1)


def test_rows_come_page_by_page_sorted_by_number(simulator: Simulated, terminal: Terminal) -> None:
    strangers(simulator, ["903", "901", "902"])
    done = compare(terminal)

    first = queries.list_differences(done, "only_there", limit=2)
    second = queries.list_differences(done, "only_there", after=first[-1].id, limit=2)

    assert [row.number for row in (*first, *second)] == ["901", "902", "903"]
    assert queries.list_differences(done, "only_there", after=second[-1].id) == []


def test_row_knows_both_sides(simulator: Simulated, terminal: Terminal) -> None:
    enrolment = enrol(simulator, terminal)
    simulator.people["100222"]["name"] = "Пётр Петров"
    save_employee(Draft("900", "Гость"))
    strangers(simulator, ["900"])
    done = compare(terminal)

    [named], [stranger] = queries.list_differences(done, "name"), queries.list_differences(done, "only_there")

    assert named.there is not None
    assert named.enrolment is not None
    assert (named.there.name, named.name_wanted, named.enrolment.id) == ("Пётр Петров", "Иван Иванов", enrolment.id)
    assert stranger.employee is not None
    assert (stranger.employee.name, stranger.enrolment, stranger.name_wanted) == ("Гость", None, "Гость")
    person = queries.person_there(done.id, "900")
    assert person is not None
    assert person.name == "Гость 900"
    assert queries.person_there(done.id, "1") is None
