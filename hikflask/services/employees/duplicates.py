"""Other employees that a number and a name belong to, of whom a form warns, and an import for many names at once."""

import json
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import JSON, String, TableValuedAlias, cast, func, literal, select

from hikflask.extensions import db
from hikflask.models import Employee, Photo
from hikflask.services.core.errors import ServiceError
from hikflask.services.employees import search, word_index
from hikflask.services.enrolments import desired, queries
from hikflask.text_rules import folded, storable

MAX_NAMESAKES = 3


@dataclass(frozen=True)
class Duplicates:
    """Other employees that a typed number and name belong to: the owner of the number, and a few with the name."""

    owner: Employee | None
    namesakes: list[Employee]


def find_duplicates(number: str, name: str, employee_id: int | None) -> Duplicates:
    """Return who else has this number or name, besides whom the form changes, whose own name is not searched."""
    owner = search.by_number(storable(number))
    changed = search.get(employee_id) if employee_id else None
    owner = None if owner is changed else owner
    if not name or (changed is not None and folded(changed.name) == folded(name)):
        return Duplicates(owner, [])
    # `search` begins with the folded name and the number, which is ASCII.
    begin = literal(f"{folded(name)} ") + func.lower(Employee.number) + literal(" ")
    same = func.substr(Employee.search, 1, func.length(begin)) == begin
    with_name = Employee.id.in_(word_index.ids([f"{folded(name)} "]))
    namesakes = select(Employee).where(with_name, same, Employee.id != (employee_id or 0)).order_by(Employee.id)
    return Duplicates(owner, list(db.session.execute(namesakes.limit(MAX_NAMESAKES)).scalars()))


def refuse_taken(number: str, employee_id: int | None) -> None:
    """Refuse a number for which a face would be captured in vain, since no save takes it.

    :param employee_id: the employee whom the form changes; None for a new one.
    :raises number_known: when another employee has it. :raises number_leaving: when an earlier owner of the number may
        still open doors.
    """
    owner = search.by_number(storable(number))
    if owner and owner.id != employee_id:
        raise ServiceError("number_known", n=owner.number)
    desired.refuse_leaving(queries.of_number(number), employee_id)


def find_namesakes(names: Collection[str]) -> dict[str, tuple[int, str]]:
    """Return an employee, by id and number, with each of these names that somebody has, by its folded name.

    The index of the lists is looked up once for each name: a text of it begins with the name and the number.
    """
    begins = {f"{folded(name)} " for name in names}
    if not begins:
        return {}
    typed = _as_rows(begins)
    next_id = select(Employee.id).where(Employee.search >= typed.c.value).order_by(Employee.search, Employee.id)
    nearest = select(next_id.limit(1).correlate(typed).scalar_subquery().label("id")).select_from(typed).subquery()
    people = select(Employee.id, Employee.number, Employee.name).join(nearest, nearest.c.id == Employee.id)
    found = {folded(row.name): (row.id, row.number) for row in db.session.execute(people)}
    return {name: owner for name, owner in found.items() if f"{name} " in begins}


def find_owners_of_photos(hashes: Collection[str]) -> dict[str, int]:
    """Return the id of the first employee who has each of these pictures as the current photo, by its SHA-256."""
    current = select(Photo.sha256, func.min(Employee.id)).join(Employee, Employee.photo_id == Photo.id)
    known = current.where(Photo.sha256.in_(hashes), Photo.forgotten_at.is_(None)).group_by(Photo.sha256)
    return {sha256: employee_id for sha256, employee_id in db.session.execute(known)}


def _as_rows(texts: Collection[str]) -> TableValuedAlias:
    """Return texts as rows, by one parameter: a statement with one for each would be compiled anew each time."""
    listed = literal(json.dumps([*texts]), String)
    if db.engine.dialect.name == "postgresql":
        return func.json_array_elements_text(cast(listed, JSON)).table_valued("value")
    return func.json_each(listed).table_valued("value")
