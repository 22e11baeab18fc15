"""What a row would change: new, changed, unchanged or wrong, compared with the employees as they are now."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import joinedload

from hikflask import text_rules
from hikflask.extensions import db
from hikflask.models import Consent, Department, Employee, Enrolment, Photo
from hikflask.models.department import spelling_key
from hikflask.models.enrolment import PRESENT
from hikflask.models.import_batch import CHANGED, NEW, UNCHANGED, WRONG
from hikflask.models.refusal import Refusal
from hikflask.services.core.dates import today
from hikflask.services.groups import differences
from hikflask.services.imports.values import DAYS, DEPARTMENT, LEFT, NAME, NUMBER, VALID_FROM, VALID_TO, Values
from hikflask.services.privacy import consents
from hikflask.services.state.enrolment import IS_LEAVING_BY_FACTS

PHOTO, TERMINAL, GROUPS = "photo", "terminal", "groups"
# The oldest one first, where several have the same key.
Spellings = dict[str, list[str]]


@dataclass(frozen=True)
class Known:
    """An employee as the database has it. `sha256` is that of the present photo, `sent`: wanted on the terminal.

    The days of the validity are as YYYY-MM-DD, "" for no limit.
    """

    id: int
    name: str
    department: str
    is_active: bool
    photo_id: int | None
    sha256: str | None
    sent: bool
    consented: bool
    valid_from: str = ""
    valid_to: str = ""


@dataclass(frozen=True)
class Leaving:
    """A number that may still open doors at a terminal, and whose it is."""

    terminal: str
    employee_id: int | None


@dataclass(frozen=True)
class Picture:
    """A picture of the archive that was looked at; `error` says what is wrong with it."""

    name: str
    sha256: str = ""
    error: Refusal | None = None


@dataclass(frozen=True)
class Verdict:
    """What comes of a row; `before` has the fields that change, with the present values."""

    verdict: str
    before: dict[str, Any] | None = None
    errors: dict[str, Refusal] | None = None
    employee_id: int | None = None


@dataclass
class Present:
    """What the rows are compared with: the employees with some numbers, and what applies to all.

    `lacking` are the numbers whose employees are not on all terminals of their groups, where those are asked for.
    """

    terminal_id: int | None
    people: dict[str, Known] = field(default_factory=dict)
    leaving: dict[str, list[Leaving]] = field(default_factory=dict)
    spellings: Spellings = field(default_factory=dict)
    lacking: Collection[str] = ()

    def spelling(self, department: str) -> str:
        """Return a department as resolve() would find it (departments/registry.py), or as it is when it is new."""
        found = self.spellings.get(spelling_key(department), [department])
        return department if department in found else found[0]


def spellings() -> Spellings:
    """Return the names of the known departments by their spelling keys."""
    found: Spellings = {}
    for row in db.session.execute(select(Department.folded, Department.name).order_by(Department.id)):
        found.setdefault(row.folded, []).append(row.name)
    return found


def present(numbers: Collection[str], terminal_id: int | None, known: Spellings, *, groups: bool = False) -> Present:
    """Read what the rows with these numbers are compared with.

    :param groups: everybody is sent to the terminals of their groups, too.
    """
    sent = and_(Enrolment.number == Employee.number, Enrolment.terminal_id == (terminal_id or 0))
    statement = (
        select(
            Employee.number,
            Employee.id,
            Employee.name,
            Employee.department,
            Employee.is_active,
            Employee.valid_from,
            Employee.valid_to,
            Employee.photo_id,
            Photo.sha256,
            Photo.forgotten_at,
            Enrolment.desired,
            Consent.id.label("consent"),
        )
        .outerjoin(Photo, Photo.id == Employee.photo_id)
        .outerjoin(Enrolment, sent)
        .outerjoin(Consent, Consent.employee_id == Employee.id)
        .where(Employee.number.in_(numbers))
    )
    found = Present(terminal_id, spellings=known, lacking=differences.lacking(numbers) if groups else ())
    for row in db.session.execute(statement):
        found.people[row.number] = Known(
            row.id,
            row.name,
            row.department,
            row.is_active,
            row.photo_id,
            None if row.forgotten_at else row.sha256,
            row.desired == PRESENT,
            row.consent is not None,
            text_rules.written_day(row.valid_from),
            text_rules.written_day(row.valid_to),
        )
    leaving = (
        select(Enrolment)
        .where(IS_LEAVING_BY_FACTS, Enrolment.number.in_(numbers))
        .options(joinedload(Enrolment.terminal))
    )
    for one in db.session.execute(leaving).scalars():
        found.leaving.setdefault(one.number, []).append(Leaving(one.terminal.name, one.employee_id))
    return found


def verdict(values: Values, picture: Picture | None, now: Present) -> Verdict:
    """Return what a row would change, or what is wrong with it. The department gets its known spelling.

    A picture that is refused does not keep its person out. It makes a row wrong of which nothing else would come.
    """
    person = now.people.get(values.number)
    if values.texts.get(DEPARTMENT):
        values.texts[DEPARTMENT] = now.spelling(values.texts[DEPARTMENT])
    refused = _refused_photo(picture, person)
    if errors := values.errors | _errors(values, person):
        return Verdict(WRONG, errors=errors | refused, employee_id=person.id if person else None)
    if person is None and values.leaves:
        return Verdict(UNCHANGED)
    before = None if person is None else _before(values, None if refused else picture, person, now)
    if person and not before:
        return Verdict(WRONG if refused else UNCHANGED, errors=refused or None, employee_id=person.id)
    removals = now.leaving.get(values.number, ())
    # As desired.refuse_while_leaving().
    others = (leaving for leaving in removals if person is None or leaving.employee_id != person.id)
    if leaving := next(others, None):
        said = Refusal(code="number_leaving", params={"n": values.number, "t": leaving.terminal})
        return Verdict(WRONG, errors={NUMBER: said} | refused, employee_id=person.id if person else None)
    return Verdict(CHANGED if person else NEW, before, refused or None, person.id if person else None)


def _refused_photo(picture: Picture | None, person: Known | None) -> dict[str, Refusal]:
    if picture and picture.error:
        return {PHOTO: picture.error}
    if picture and consents.is_required() and not (person and person.consented):
        return {PHOTO: Refusal(code="consent_missing", params={})}
    return {}


def _errors(values: Values, person: Known | None) -> dict[str, Refusal]:
    errors: dict[str, Refusal] = {}
    if person is None and not values.leaves and NAME not in values.texts:
        errors[NAME] = Refusal(code="text_empty", params={})
    errors |= _wrong_days(values, person)
    if person and not person.is_active and values.leaves is False:
        errors[LEFT] = Refusal(code="inactive_here", params={})
    return errors


def _wrong_days(values: Values, person: Known | None) -> dict[str, Refusal]:
    """Return what is wrong with the validity that there would be. For somebody who leaves it does not matter."""
    if values.leaves or values.errors.keys() & set(DAYS):
        return {}
    before = {VALID_FROM: person.valid_from, VALID_TO: person.valid_to} if person else {}
    first, last = (values.texts.get(name, before.get(name, "")) for name in DAYS)
    if not last or (last == before.get(VALID_TO) and first == before.get(VALID_FROM)):
        return {}
    if first > last:
        return {VALID_TO if VALID_TO in values.texts else VALID_FROM: Refusal(code="days_order", params={})}
    is_new_end = last != before.get(VALID_TO) and (person is None or person.is_active)
    return {VALID_TO: Refusal(code="validity_over", params={})} if is_new_end and last < today().isoformat() else {}


def _before(values: Values, picture: Picture | None, person: Known, now: Present) -> dict[str, Any]:
    """Return the fields that change, with their present values."""
    said: Mapping[str, str] = values.texts
    before: dict[str, Any] = {}
    facts = {NAME: person.name, DEPARTMENT: person.department}
    if not values.leaves:
        facts |= {VALID_FROM: person.valid_from, VALID_TO: person.valid_to}
    for name, value in facts.items():
        if name in said and said[name] != value:
            before[name] = value
    if values.leaves and person.is_active:
        before[LEFT] = False
    if picture and picture.sha256 != person.sha256:
        before[PHOTO] = person.photo_id
    if now.terminal_id and person.is_active and not values.leaves and not person.sent:
        before[TERMINAL] = False
    if values.number in now.lacking and not values.leaves:
        before[GROUPS] = False
    return before
