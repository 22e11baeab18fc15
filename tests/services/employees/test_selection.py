"""Who is meant by a job is fixed when somebody looks at its preview."""

import pytest

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.models.job import DRAFT
from hikflask.services.changes import queries
from hikflask.services.changes.kinds import DEACTIVATE, DEPARTMENT, EXPORT, SEND
from hikflask.services.departments import merging, registry
from hikflask.services.employees import selection as drafts
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.lifecycle import delete_employee
from hikflask.services.employees.selection import make_draft
from tests.support.jobs import add_people, items, run
from tests.support.removals import BY_OPERATOR

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]


def numbers(job_id: int) -> list[str]:
    return [number for number, _, _ in items(job_id)]


def test_chosen_people_are_meant_in_the_order_of_the_list() -> None:
    _, second, third = add_people("3", "1", "2")

    draft = make_draft(DEPARTMENT, EmployeeFilter(q="nobody", sort="number"), [third, second, 999])

    assert (draft.state, draft.total, draft.done, draft.params) == (DRAFT, 2, 0, {})
    assert items(draft.id) == [("1", "waiting", ""), ("2", "waiting", "")]


def test_all_that_match_are_meant_and_nobody_who_comes_later() -> None:
    add_people("1", "2", department="Охрана")
    add_people("3", department="Склад")

    draft = make_draft(DEPARTMENT, EmployeeFilter(department="Охрана", sort="-created_at"))
    add_people("4", department="Охрана")

    assert numbers(draft.id) == ["2", "1"]
    assert draft.total == 2


@pytest.mark.parametrize("kind", [DEACTIVATE, SEND])
def test_who_is_inactive_is_left_out_and_counted(kind: str) -> None:
    active, *_ = add_people("1", "2", "3")
    db.session.execute(db.update(Employee).where(Employee.id != active).values(is_active=False))
    db.session.commit()

    draft = make_draft(kind, EmployeeFilter())

    assert (draft.total, draft.params) == (1, {"left_out": 2})
    assert numbers(draft.id) == ["1"]


def test_nobody_may_be_meant() -> None:
    draft = make_draft(DEACTIVATE, EmployeeFilter(), [])

    assert (draft.total, draft.params) == (0, {"left_out": 0})


def test_job_goes_on_with_its_department_under_another_name_and_fails_without_it() -> None:
    add_people("1", "2")
    old = registry.add("Охрана").id
    claims = []
    for name in ("охрана", "Склад", ""):
        draft = make_draft(DEPARTMENT, EmployeeFilter(sort="number"))
        claim = drafts.start(draft, {"department": name}, BY_OPERATOR)
        assert claim is not None
        claims.append(claim)
    new = registry.id_of("Склад")
    assert new is not None

    merging.rename(old, "Караул")
    renamed = run(claims[0])
    assert (renamed.failed, renamed.params["department_id"]) == (0, old)
    assert set(db.session.scalars(db.select(Employee.department))) == {"Караул"}

    registry.delete(new)
    run(claims[1])
    assert items(claims[1].job_id) == [(number, "failed", "department_unknown") for number in "12"]
    assert set(db.session.scalars(db.select(Employee.department))) == {"Караул"}

    assert run(claims[2]).params["department_id"] is None
    assert set(db.session.scalars(db.select(Employee.department))) == {""}


def test_people_come_in_the_order_of_the_list() -> None:
    people = add_people("1", "2", "3")
    draft = make_draft(EXPORT, EmployeeFilter(sort="-created_at"), people)
    delete_employee(people[1])

    assert [one.number for one in drafts.people(draft.id, 1)] == ["3"]
    assert queries.employee_ids(draft.id) == [people[2], people[0]]
