"""Says whether a row is new, changed, unchanged or wrong, by comparing it with the employees as they are now."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import joinedload

from hikflask import text_rules
from hikflask.extensions import db
from hikflask.models import Consent, Department, Employee, Enrolment, Photo
from hikflask.models.enrolment import PRESENT
from hikflask.models.import_batch import CHANGED, NEW, UNCHANGED, WRONG
from hikflask.models.people import spelling_key
from hikflask.models.refusal import Refusal
from hikflask.services.core.dates import today
from hikflask.services.core.similar_names import are_wholly_other, has_initials_of
from hikflask.services.groups import differences
from hikflask.services.imports.table import broken_letters
from hikflask.services.imports.table.columns import DAYS, DEPARTMENT, LEFT, NAME, NUMBER, VALID_FROM, VALID_TO
from hikflask.services.imports.table.options import ONLY_CHANGES, ONLY_NEW, Options
from hikflask.services.imports.table.values import DITTO, Values, are_leavers, is_day, may_be_leavers, said_in
from hikflask.services.privacy import consents
from hikflask.services.spreadsheets.csv_writer import with_formula_mark_removed
from hikflask.services.state.enrolment import IS_LEAVING_UNINDEXED
from hikflask.text_rules import folded

PHOTO, TERMINAL, GROUPS = "photo", "terminal", "groups"
# In place of a field, for what is said of the row as a whole.
ROW = "row"
# The oldest one first, where several have the same key.
Spellings = dict[str, list[str]]


@dataclass(frozen=True)
class KnownEmployee:
    """An employee as the database has it. `sha256` is that of the current photo, `sent`: wanted on the terminal.

    `has_face`: wanted on some terminal with a face.

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
    has_face: bool = False


@dataclass(frozen=True)
class Leaving:
    """A number that may still open doors at a terminal, and whose it is."""

    terminal: str
    employee_id: int | None


@dataclass(frozen=True)
class Picture:
    """A picture of the archive that was checked; `error` says what is wrong with it, `warning` what to look at."""

    name: str
    sha256: str = ""
    error: Refusal | None = None
    warning: Refusal | None = None
    thumbnail: bytes = b""


@dataclass(frozen=True)
class Verdict:
    """What comes of a row; `before` has the fields that change, with the current values.

    `warnings` say what to look at, though the row is not wrong.
    """

    verdict: str
    before: dict[str, Any] | None = None
    errors: dict[str, Refusal] | None = None
    employee_id: int | None = None
    warnings: dict[str, Refusal] | None = None


@dataclass
class CurrentData:
    """What the rows are compared with: the employees with some numbers, and what applies to all.

    `lacking` are the numbers whose employees are not on all terminals of their groups, where those are asked for.
    `with_names`: the table has names. `namesakes` are the employees with the name that a row brings, by the folded
    name; `similar` has the number here that an unknown one may mean, with the name there. `photo_owners` has, by the
    number of a row, the employee whose present photo its picture is.
    """

    terminal_id: int | None
    people: dict[str, KnownEmployee] = field(default_factory=dict)
    leaving: dict[str, list[Leaving]] = field(default_factory=dict)
    spellings: Spellings = field(default_factory=dict)
    lacking: Collection[str] = ()
    with_names: bool = False
    namesakes: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    similar: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    photo_owners: Mapping[str, int] = field(default_factory=dict)

    def spelling(self, department: str) -> str:
        """Return a department as resolve() would find it (departments/registry.py), or as it is when it is new."""
        names = self.spellings.get(spelling_key(department), [department])
        return department if department in names else names[0]

    def meant(self, values: Values) -> str:
        """Return the number here that a row's unknown number may mean: a similar one, or that of the same name; or "".

        A similar number of somebody with a wholly other name is not meant.
        """
        name = values.texts.get(NAME, "")
        similar, owner = self.similar.get(values.number, ("", ""))
        if similar and not (name and are_wholly_other(owner, name)):
            return similar
        _, number = self.namesakes.get(folded(name), (0, ""))
        return number

    def needs_employee(self, values: Values) -> bool:
        """Return True for a row that makes sense only for somebody who is here: a leaver, or without a name.

        Where the table has names, that of somebody new may be forgotten.
        """
        has_no_name = NAME not in values.texts and NAME not in values.errors
        return bool(values.leaves) or (has_no_name and (not self.with_names or bool(self.meant(values))))


def read_spellings(*, fix: bool = False) -> Spellings:
    """Return the names of all departments by their spelling keys.

    :param fix: by those that they would have without letters of the other alphabet and invisible signs.
    """
    names: Spellings = {}
    for row in db.session.execute(select(Department.folded, Department.name).order_by(Department.id)):
        names.setdefault(spelling_key(text_rules.mended(row.name)) if fix else row.folded, []).append(row.name)
    return names


def read_current_data(
    numbers: Collection[str], terminal_id: int | None, spellings: Spellings, *, groups: bool = False
) -> CurrentData:
    """Read what the rows with these numbers are compared with.

    :param groups: everybody is sent to the terminals of their groups, too.
    """
    lacking = differences.lacking(numbers) if groups else ()
    current = CurrentData(terminal_id, _read_people(numbers, terminal_id), spellings=spellings, lacking=lacking)
    leaving = select(Enrolment).where(IS_LEAVING_UNINDEXED, Enrolment.number.in_(numbers))
    for enrolment in db.session.execute(leaving.options(joinedload(Enrolment.terminal))).scalars():
        removal = Leaving(enrolment.terminal.name, enrolment.employee_id)
        current.leaving.setdefault(enrolment.number, []).append(removal)
    return current


def _read_people(numbers: Collection[str], terminal_id: int | None) -> dict[str, KnownEmployee]:
    columns = (
        *(Employee.number, Employee.id, Employee.name, Employee.department, Employee.is_active, Employee.photo_id),
        *(Employee.valid_from, Employee.valid_to, Employee.has_face, Photo.sha256, Photo.forgotten_at),
        Enrolment.desired,
        Consent.id.label("consent"),
    )
    rows = db.session.execute(
        select(*columns)
        .outerjoin(Photo, Photo.id == Employee.photo_id)
        .outerjoin(Enrolment, and_(Enrolment.number == Employee.number, Enrolment.terminal_id == (terminal_id or 0)))
        .outerjoin(Consent, Consent.employee_id == Employee.id)
        .where(Employee.number.in_(numbers))
    )
    return {
        row.number: KnownEmployee(
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
            row.has_face,
        )
        for row in rows
    }


def classify(values: Values, picture: Picture | None, now: CurrentData, options: Options) -> Verdict:
    """Return what a row would change, or what is wrong with it; the department in `values` gets its current spelling.

    A refused picture does not keep its person out. It makes the row wrong only if the row changes nothing else. A row
    of somebody whom the mode leaves out changes nothing, and nothing is wrong with it but its ID.
    """
    verdict = _compared(values, picture, now)
    is_known = verdict.employee_id is not None
    is_other_meant = not is_known and now.needs_employee(values) and now.meant(values)
    if verdict.verdict == UNCHANGED or NUMBER in values.errors or is_other_meant:
        return verdict
    if options.mode == (ONLY_NEW if is_known else ONLY_CHANGES):
        code = "employee_known" if is_known else "employee_new"
        return Verdict(UNCHANGED, employee_id=verdict.employee_id, warnings={ROW: Refusal(code=code, params={})})
    if picture and picture.warning and _comes_in(verdict):
        return replace(verdict, warnings={PHOTO: picture.warning})
    return verdict


def _comes_in(verdict: Verdict) -> bool:
    """True when the picture of a row becomes the photo of its person."""
    is_new = verdict.verdict == NEW or PHOTO in (verdict.before or {})
    return verdict.verdict != WRONG and is_new and PHOTO not in (verdict.errors or {})


def _compared(values: Values, picture: Picture | None, now: CurrentData) -> Verdict:
    person = now.people.get(values.number)
    employee_id = person.id if person else None
    if values.texts.get(DEPARTMENT):
        values.texts[DEPARTMENT] = now.spelling(values.texts[DEPARTMENT])
    refused = _refused_photo(picture, person)
    if errors := _read_errors(values, person) | _wrong_department(values, now) | _errors(values, person, now):
        return Verdict(WRONG, errors=errors | refused, employee_id=employee_id)
    if person is None and values.leaves:
        return Verdict(UNCHANGED)
    before = None if person is None else _before(values, None if refused else picture, person, now)
    if person and not before:
        return Verdict(WRONG if refused else UNCHANGED, errors=refused or None, employee_id=employee_id)
    # As desired.refuse_while_leaving().
    for removal in now.leaving.get(values.number, ()):
        if person is None or removal.employee_id != person.id:
            leaving = Refusal(code="number_leaving", params={"n": values.number, "t": removal.terminal})
            return Verdict(WRONG, errors={NUMBER: leaving} | refused, employee_id=employee_id)
    return Verdict(CHANGED if person else NEW, before, refused or None, employee_id)


def _refused_photo(picture: Picture | None, person: KnownEmployee | None) -> dict[str, Refusal]:
    if picture and picture.error:
        return {PHOTO: picture.error}
    if picture and consents.is_required() and not (person and person.consented):
        return {PHOTO: Refusal(code="consent_missing", params={})}
    return {}


def _wrong_department(values: Values, now: CurrentData) -> dict[str, Refusal]:
    """Refuse what is no department here: “as above”, who left, a day, as spreadsheets make of 1/2, broken letters."""
    department = values.texts.get(DEPARTMENT, "")
    if not department or spelling_key(department) in now.spellings:
        return {}
    if are_leavers(department) and not values.leaves:
        return {DEPARTMENT: Refusal(code="department_left", params={})}
    if may_be_leavers(department) and values.leaves is None:
        return {DEPARTMENT: Refusal(code="department_archive", params={})}
    if broken_letters.are_in(department):
        return {DEPARTMENT: Refusal(code="letters_broken", params={})}
    if DITTO.match(department):
        return {DEPARTMENT: Refusal(code="department_ditto", params={})}
    return {DEPARTMENT: Refusal(code="department_day", params={})} if is_day(department) else {}


def _read_errors(values: Values, person: KnownEmployee | None) -> dict[str, Refusal]:
    """Return what is wrong with the texts alone. A name that is here as it is is right, whatever stands in it."""
    refusal = values.errors.get(NAME)
    is_text = refusal is not None and refusal["code"] in {"name_note", "letters_broken"}
    if is_text and person and _is_said(values.texts[NAME], NAME, person.name):
        return {name: error for name, error in values.errors.items() if name != NAME}
    return values.errors


def _errors(values: Values, person: KnownEmployee | None, now: CurrentData) -> dict[str, Refusal]:
    errors = {} if values.leaves else _wrong_days(values, person)
    number = _unknown_number(values, now) if person is None else None
    if number:
        errors[NUMBER] = number
    if person is None and not values.leaves and NAME not in values.texts and (not number or NUMBER in values.errors):
        errors[NAME] = Refusal(code="text_empty", params={})
    if person and not person.is_active and values.leaves is False:
        errors[LEFT] = Refusal(code="inactive_here", params={})
    return errors


def _unknown_number(values: Values, now: CurrentData) -> Refusal | None:
    """Return what is wrong with a number that nobody here has, and which one may be meant; None where it may be new.

    Most leavers who are not here left before anybody used this program. They need no correction.
    """
    meant = now.meant(values)
    may_mean = {"meant": meant} if meant else {}
    if NUMBER in values.errors:
        return Refusal(code=values.errors[NUMBER]["code"], params=values.errors[NUMBER]["params"] | may_mean)
    if now.needs_employee(values) and (meant or not values.leaves):
        return Refusal(code="number_unknown", params=may_mean)
    return None


def _wrong_days(values: Values, person: KnownEmployee | None) -> dict[str, Refusal]:
    """Return what is wrong with the validity that there would be."""
    if values.errors.keys() & set(DAYS):
        return {}
    before = {VALID_FROM: person.valid_from, VALID_TO: person.valid_to} if person else {}
    first, last = (values.texts.get(name, before.get(name, "")) for name in DAYS)
    if not last or (last == before.get(VALID_TO) and first == before.get(VALID_FROM)):
        return {}
    if first > last:
        return {VALID_TO if VALID_TO in values.texts else VALID_FROM: Refusal(code="days_order", params={})}
    is_new_end = last != before.get(VALID_TO) and (person is None or person.is_active)
    return {VALID_TO: Refusal(code="validity_over", params={})} if is_new_end and last < today().isoformat() else {}


def _is_said(text: str, name: str, value: str) -> bool:
    """Return whether a row says what is here: a text that is read in the same way, no day in place of “no limit”, or
    initials, as in a roster, which are less than the name here.
    """
    if name == VALID_TO and {text, value} == {"", text_rules.LAST_DAY.isoformat()}:
        return True
    said = {value, with_formula_mark_removed(said_in(name, value))}
    if name == NAME:
        if has_initials_of(text, value):
            return True
        return text_rules.with_plain_apostrophes(text) in map(text_rules.with_plain_apostrophes, said)
    return text in said


def _before(values: Values, picture: Picture | None, person: KnownEmployee, now: CurrentData) -> dict[str, Any]:
    """Return the fields that change, with their current values."""
    compared = (NAME, DEPARTMENT) if values.leaves else (NAME, DEPARTMENT, *DAYS)
    current = {name: getattr(person, name) for name in compared}
    before = {
        name: value for name, value in current.items() if not _is_said(values.texts.get(name, value), name, value)
    }
    if values.leaves and person.is_active:
        before[LEFT] = False
    if picture and picture.sha256 != person.sha256:
        before[PHOTO] = person.photo_id
    if now.terminal_id and person.is_active and not values.leaves and not person.sent:
        before[TERMINAL] = False
    if values.number in now.lacking and not values.leaves:
        before[GROUPS] = False
    return before
