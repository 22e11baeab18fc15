"""Departments as their page shows them: with how many people are in each, and which look like the same one."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Select, func, select

from hikflask.extensions import db
from hikflask.models import Department, Employee


@dataclass(frozen=True)
class Counted:
    """A department, and how many people are in it, active or not."""

    id: int
    name: str
    people: int


def page(limit: int, offset: int) -> tuple[list[Counted], int]:
    """Return one page of the departments, sorted by name, and how many there are on all pages."""
    rows = _counted(_with_people().limit(limit).offset(offset))
    return rows, db.session.execute(select(func.count()).select_from(Department)).scalar_one()


def list_all() -> list[Counted]:
    """Return all departments, sorted by name."""
    return _counted(_with_people())


def of_ids(department_ids: Collection[int]) -> list[Counted]:
    """Return those of these departments that there are, sorted by name."""
    return _counted(_with_people().where(Department.id.in_(department_ids)))


def people_of(department_ids: Collection[int]) -> Select[int]:
    """Return the statement for the ids of the employees in these departments."""
    names = select(Department.name).where(Department.id.in_(department_ids))
    return select(Employee.id).where(Employee.department.in_(names))


def lookalikes() -> list[list[Counted]]:
    """Return the groups of departments whose names differ in signs and spaces only; in each, the largest is first."""
    groups: dict[str, list[int]] = defaultdict(list)
    for department_id, folded in db.session.execute(select(Department.id, Department.folded)):
        groups[_letters(folded)].append(department_id)
    alike = [ids for letters, ids in groups.items() if letters and len(ids) > 1]
    counted = {one.id: one for one in of_ids([one for ids in alike for one in ids])}
    found = [sorted((counted[one] for one in ids), key=lambda one: (-one.people, one.id)) for ids in alike]
    return sorted(found, key=lambda group: group[0].name)


def _letters(folded: str) -> str:
    """Return a folded name without all that is neither a letter nor a digit. Abbreviations are not guessed."""
    return "".join(filter(str.isalnum, folded))


def _with_people() -> Select[int, str, int]:
    people = select(func.count()).select_from(Employee).where(Employee.department == Department.name).scalar_subquery()
    return select(Department.id, Department.name, people).order_by(Department.folded, Department.name)


def _counted(statement: Select[int, str, int]) -> list[Counted]:
    return [Counted(*row) for row in db.session.execute(statement)]
