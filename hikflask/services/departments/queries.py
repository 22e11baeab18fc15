"""Departments as their page shows them: with how many people are in each, and which look like the same one."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import Select, func, select

from hikflask.extensions import db
from hikflask.models import Department, Employee

PEOPLE = select(func.count()).select_from(Employee).where(Employee.department == Department.name).scalar_subquery()
WITH_PEOPLE = select(Department.id, Department.name, PEOPLE).order_by(Department.folded, Department.name)


@dataclass(frozen=True)
class Counted:
    """A department, and how many people are in it, active or not."""

    id: int
    name: str
    people: int


def page(limit: int, offset: int) -> tuple[list[Counted], int]:
    """Return one page of the departments, sorted by name, and how many there are on all pages."""
    rows = _counted(WITH_PEOPLE.limit(limit).offset(offset))
    return rows, db.session.execute(select(func.count()).select_from(Department)).scalar_one()


def list_all() -> list[Counted]:
    """Return all departments, sorted by name."""
    return _counted(WITH_PEOPLE)


def of_ids(department_ids: Collection[int]) -> list[Counted]:
    """Return those of these departments that exist, sorted by name."""
    return _counted(WITH_PEOPLE.where(Department.id.in_(department_ids)))


def people_of(department_ids: Collection[int]) -> Select[int]:
    """Return the statement for the ids of the employees in these departments."""
    names = select(Department.name).where(Department.id.in_(department_ids))
    return select(Employee.id).where(Employee.department.in_(names))


def lookalikes() -> list[list[Counted]]:
    """Return the groups of departments whose names differ in signs and spaces only; in each, the largest is first."""
    groups: dict[str, list[int]] = defaultdict(list)
    for department_id, folded in db.session.execute(select(Department.id, Department.folded)):
        # Without all that is neither a letter nor a digit. Abbreviations are not guessed.
        groups["".join(filter(str.isalnum, folded))].append(department_id)
    alike = [ids for letters, ids in groups.items() if letters and len(ids) > 1]
    by_id = {department.id: department for department in of_ids(list(chain(*alike)))}
    lists = [sorted((by_id[row_id] for row_id in ids), key=lambda row: (-row.people, row.id)) for ids in alike]
    return sorted(lists, key=lambda group: group[0].name)


def _counted(statement: Select[int, str, int]) -> list[Counted]:
    return [Counted(*row) for row in db.session.execute(statement)]
