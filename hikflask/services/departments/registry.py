"""The departments by name: finds one by any spelling of it, adds and deletes.

An employee's row holds the name of the department; resolve() is called in the transaction that writes it there.
"""

from collections.abc import Collection

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy import delete as delete_row

from hikflask import text_rules
from hikflask.extensions import db
from hikflask.models import Department, Employee
from hikflask.models.people import spelling_key
from hikflask.services import audit
from hikflask.services.core.db import changed_rows, transaction, write_first
from hikflask.services.core.errors import DepartmentKnown, NotFound, ServiceError
from hikflask.text_rules import storable

# The name of a department: of the very spelling, else of the oldest with its key. Made once: to make a statement costs
# more than to run it.
STORED = (
    select(Department.name)
    .where(Department.folded == bindparam("key"))
    .order_by(Department.name != bindparam("name"), Department.id)
    .limit(1)
)
# SQLite has no such lock, and does not need it: nobody else writes meanwhile.
KEPT = STORED.with_for_update(read=True, key_share=True)


def resolve(name: str) -> str:
    """Return the stored spelling of a department's name within the caller's transaction; add an unknown department.

    Until that transaction ends, nobody renames, merges or deletes the department. "" stays "".
    """
    wanted = one_spaced(name)
    if text_rules.is_blank(wanted):
        return ""
    write_first()
    spelling = {"name": wanted, "key": spelling_key(wanted)}
    name_here = db.session.execute(KEPT, spelling).scalar_one_or_none()
    if name_here is None:
        lock_spelling(wanted)
        name_here = db.session.execute(KEPT, spelling).scalar_one_or_none()
    return _insert(wanted).name if name_here is None else name_here


def kept_names(names: Collection[str]) -> dict[str, str]:
    """Return what resolve() returns for each of these names, by name; one of an unknown department is left out.

    It is for many names at once: none is added, and the departments are locked in the order in which a merge does.
    """
    spellings = {name: one_spaced(name) for name in names}
    keys = {name: spelling_key(spelling) for name, spelling in spellings.items()}
    kept = select(Department.name, Department.folded).where(Department.folded.in_({*keys.values()}))
    rows = db.session.execute(kept.order_by(Department.id).with_for_update(read=True, key_share=True)).all()
    there, oldest = {row.name for row in rows}, {"": "", **{row.folded: row.name for row in reversed(rows)}}
    return {
        name: spellings[name] if spellings[name] in there else oldest[key]
        for name, key in keys.items()
        if key in oldest
    }


def one_spaced(name: str) -> str:
    """Return a name as it is stored: with one space between its words."""
    return storable(" ".join(name.split()))


def lock_spelling(name: str) -> None:
    """Keep others from adding a department of this name, in whatever spelling, until the transaction ends."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(spelling_key(name), 0))))


def stored_name(name: str) -> Select[str]:
    """Select the stored name of a department: this very spelling, else the oldest of the others."""
    return STORED.params(name=name, key=spelling_key(name))


def find(name: str) -> str | None:
    """Return the stored spelling of a department's name, or None. Nothing is added or locked."""
    return db.session.execute(stored_name(one_spaced(name))).scalar_one_or_none()


def id_of(name: str) -> int | None:
    """Return the id of the department of exactly this name, or None."""
    return db.session.execute(select(Department.id).where(Department.name == name)).scalar_one_or_none()


def keep_name(department_id: int) -> str:
    """Return the name of a department, which stays until the caller's transaction ends.

    :raises department_unknown: when there is no such department any more.
    """
    write_first()
    kept = select(Department.name).where(Department.id == department_id).with_for_update(read=True, key_share=True)
    name = db.session.execute(kept).scalar_one_or_none()
    if name is None:
        raise NotFound("department_unknown")
    return name


def names() -> list[str]:
    """Return the names of all departments, sorted."""
    return list(db.session.execute(select(Department.name).order_by(Department.folded, Department.name)).scalars())


def get(department_id: int) -> Department | None:
    """Return the department, fresh from the database, or None."""
    return db.session.get(Department, department_id, populate_existing=True)


def add(name: str) -> Department:
    """Add a department.

    :raises DepartmentKnown: when there is one of this name, in this or another spelling.
    """
    wanted = one_spaced(name)
    with transaction():
        write_first()
        lock_spelling(wanted)
        refuse_known(wanted)
        added = _insert(wanted)
        audit.record("department.created", subject=added.name)
    return added


def refuse_known(name: str, department_id: int | None = None) -> None:
    """Refuse a name that another department has, in whatever spelling.

    :param department_id: the department that gets the name.
    :raises DepartmentKnown: with the other department's name and id.
    """
    same = select(Department).where(Department.folded == spelling_key(name), Department.id != (department_id or 0))
    other = db.session.execute(same.order_by(Department.name != name, Department.id)).scalars().first()
    if other is not None:
        raise DepartmentKnown(name=other.name, department_id=other.id)


def delete(department_id: int) -> str:
    """Delete a department that nobody is in, and return its name.

    :raises department_unknown: when there is none. :raises department_has_people: when somebody is in it.
    """
    with transaction():
        write_first()
        department = db.session.get(Department, department_id, populate_existing=True, with_for_update=True)
        if department is None:
            raise NotFound("department_unknown")
        if not delete_unused(department.name):
            raise ServiceError("department_has_people")
    return department.name


def delete_unused(name: str) -> bool:
    """Delete the department of exactly this name within the caller's transaction, unless somebody is in it.

    Return False when it stays, or when there is none.
    """
    write_first()
    # Nobody is waited for: a transaction that has the row locked is about to bring somebody in.
    unlocked = select(Department.id).where(Department.name == name).with_for_update(skip_locked=True)
    department_id = db.session.execute(unlocked).scalar_one_or_none()
    people = select(Employee.id).where(Employee.department == name).limit(1)
    if department_id is None or db.session.execute(people).first() is not None:
        return False
    changed_rows(delete_row(Department).where(Department.id == department_id))
    audit.record("department.deleted", subject=name)
    return True


def _insert(name: str) -> Department:
    added = Department(name=name)
    db.session.add(added)
    db.session.flush()
    return added
