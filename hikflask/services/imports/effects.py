"""What an import does to people beyond the fields that it writes: what somebody must know before it begins.

A row that would make another person of somebody whose face is enrolled is applied only once it is confirmed.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from hikflask import text_rules
from hikflask.extensions import db
from hikflask.models import ImportBatch, ImportRow
from hikflask.models.columns import database_now
from hikflask.models.import_batch import CHANGED, NEW, OPEN, WRONG
from hikflask.services.core.db import changed_rows, transactional
from hikflask.services.core.errors import ServiceError
from hikflask.services.core.similar_names import are_wholly_other, has_fewer_words, have_other_given_names
from hikflask.services.imports.classify import PHOTO, CurrentData, KnownEmployee, Verdict
from hikflask.services.imports.table.columns import DEPARTMENT, LEFT, NAME, NUMBER, VALID_TO
from hikflask.services.imports.table.values import Values
from hikflask.text_rules import LAST_DAY, folded

# Kind → what a row has of it: the former name; the names of terminals; the last day before, twice; True; the ID here
# that may be meant, or ""; the fields with such signs, as they would be without; the id of the employee with that name;
# the name of the employee; the id of the employee whose photo it is, or True; the former name; True.
(
    OTHER_PERSON,
    LOSE_TERMINALS,
    VALIDITY_LIFTED,
    VALIDITY_EXTENDED,
    LEAVING,
    UNKNOWN_IDS,
    LOOK_ALIKES,
    KNOWN_ELSEWHERE,
    STAYS_INACTIVE,
    PHOTO_REPLACED,
    NAMES_SHORTENED,
    DIGITS_IN_NAMES,
) = KINDS = (
    "other_person",
    "lose_terminals",
    "validity_lifted",
    "validity_extended",
    "leaving",
    "unknown_ids",
    "look_alikes",
    "known_elsewhere",
    "stays_inactive",
    "photo_replaced",
    "names_shortened",
    "digits_in_names",
)
TEXTS = (NAME, DEPARTMENT)
BATCH = 500
NO_LIMIT = {"", LAST_DAY.isoformat()}


def has(kind: str) -> ColumnElement[bool]:
    """The condition that a row has an effect of a kind."""
    effect: ColumnElement[bool] = ImportRow.effects[kind].as_string().is_not(None)
    return effect


# Rows that are applied.
IS_AGREED = or_(ImportRow.confirmed, ImportRow.effects.is_(None), ~has(OTHER_PERSON))
# Rows that are not, as nobody confirmed that the person is the same.
IS_UNCONFIRMED = ImportRow.verdict.in_((NEW, CHANGED)) & ~ImportRow.confirmed & has(OTHER_PERSON)


# Rows that take somebody's terminal, and would be applied. None of a table is once that is withheld.
TAKES_ACCESS = and_(ImportRow.verdict == CHANGED, IS_AGREED, has(LOSE_TERMINALS))


def fix(values: Values) -> None:
    """Replace letters of the other alphabet and invisible signs in the texts of a row."""
    for field in TEXTS:
        if field in values.texts:
            values.texts[field] = text_rules.mended(values.texts[field])


def of_row(values: Values, verdict: Verdict, now: CurrentData) -> dict[str, Any] | None:
    """Return the effects of a row as they are stored; losing_terminals is written later, for many rows at once."""
    person = now.people.get(values.number)
    if person is None:
        effects = _unknown(values, verdict, now)
    else:
        effects = _changes(values, verdict.before or {}, person, now)
        if not (person.is_active or values.leaves or verdict.verdict == WRONG):
            effects[STAYS_INACTIVE] = person.name
    written = _written(verdict)
    is_new_with_digits = NAME in written and _has_digits(values.texts.get(NAME, ""))
    if is_new_with_digits and KNOWN_ELSEWHERE not in effects and not (person and _has_digits(person.name)):
        effects[DIGITS_IN_NAMES] = True
    odd = {field: mended for field in written if (mended := _mended(values.texts.get(field, "")))}
    return effects | ({LOOK_ALIKES: odd} if odd else {}) or None


def _unknown(values: Values, verdict: Verdict, now: CurrentData) -> dict[str, Any]:
    if NUMBER not in values.errors and now.needs_employee(values):
        return {UNKNOWN_IDS: now.meant(values)}
    if verdict.verdict != NEW:
        return {}
    owner = now.namesakes.get(folded(values.texts.get(NAME, "")))
    effects: dict[str, Any] = {KNOWN_ELSEWHERE: owner[0]} if owner else {}
    # Spreadsheets take the zeros away when they open a CSV.
    meant = now.meant(values)
    return effects | ({UNKNOWN_IDS: meant} if meant != values.number == meant.lstrip("0") else {})


def _changes(values: Values, before: Mapping[str, Any], person: KnownEmployee, now: CurrentData) -> dict[str, Any]:
    effects = _other_name(values.texts[NAME], person, now) if NAME in before else {}
    if before.get(VALID_TO) and values.texts[VALID_TO] in NO_LIMIT:
        effects[VALIDITY_LIFTED] = person.valid_to
    elif before.get(VALID_TO) and values.texts[VALID_TO] > person.valid_to:
        effects[VALIDITY_EXTENDED] = person.valid_to
    if LEFT in before:
        effects[LEAVING] = True
    if PHOTO in before and person.sha256 is not None:
        effects[PHOTO_REPLACED] = now.photo_owners.get(values.number, True)
    return effects


def _other_name(name: str, person: KnownEmployee, now: CurrentData) -> dict[str, Any]:
    """Return what another name means: that of another ID here is another person's, as of a column sorted apart."""
    owner = now.namesakes.get(folded(name))
    effects: dict[str, Any] = {KNOWN_ELSEWHERE: owner[0]} if owner else {}
    has_face = person.sha256 is not None or person.has_face
    is_other = are_wholly_other(person.name, name) or have_other_given_names(person.name, name)
    if has_face and (owner or is_other):
        effects[OTHER_PERSON] = person.name
    elif not is_other and has_fewer_words(name, person.name):
        effects[NAMES_SHORTENED] = person.name
    return effects


def _written(verdict: Verdict) -> Collection[str]:
    return TEXTS if verdict.verdict == NEW else [field for field in TEXTS if field in (verdict.before or {})]


def _has_digits(name: str) -> bool:
    return any(map(str.isdigit, name))


def _mended(text: str) -> str:
    """Return a text without the signs that do not belong there; "" when it has none."""
    mended = text_rules.mended(text)
    return mended if mended != text else ""


def count(batch_id: int) -> dict[str, int]:
    """Return how many rows of an import have each kind of effect."""
    counts = [func.count(ImportRow.effects[kind].as_string()) for kind in KINDS]
    rows = select(*counts).where(ImportRow.batch_id == batch_id, ImportRow.effects.is_not(None))
    return dict(zip(KINDS, db.session.execute(rows).one(), strict=True))


def unconfirmed(batch_id: int) -> int:
    """Return how many rows stay as they are here, as nobody confirmed that the person is the same."""
    return _count_open(batch_id, IS_UNCONFIRMED)


def taking_access(batch_id: int) -> int:
    """Return how many rows that are left take somebody's terminal."""
    return _count_open(batch_id, TAKES_ACCESS)


def _count_open(batch_id: int, condition: ColumnElement[bool]) -> int:
    rows = select(func.count(ImportRow.id)).where(ImportRow.batch_id == batch_id, ImportRow.effects.is_not(None))
    return db.session.execute(rows.where(condition, ImportRow.state == OPEN)).scalar_one()


@transactional
def confirm_rows(batch_id: int, shown: Collection[int], confirmed: Collection[int]) -> None:
    """Confirm that rows are about the people who are here, though the names are wholly other; no others of those shown.

    :param shown: the ids of rows. :raises import_started: when the import began already.
    """
    not_begun = (ImportBatch.import_job_id.is_(None), ImportBatch.checked_at.is_not(None))
    batch = update(ImportBatch).where(ImportBatch.id == batch_id, *not_begun)
    # Whoever starts it at this moment has counted without these people who loses access.
    if not changed_rows(batch.values(checked_at=database_now())):
        raise ServiceError("import_started")
    rows = update(ImportRow).where(ImportRow.batch_id == batch_id, ImportRow.id.in_(shown), has(OTHER_PERSON))
    changed_rows(rows.values(confirmed=ImportRow.id.in_(confirmed)))


@transactional
def confirm_numbers(batch_id: int, numbers: Sequence[str]) -> None:
    """Confirm that the rows with these numbers are about the people who are here, though the names are wholly other."""
    rows = update(ImportRow).where(ImportRow.batch_id == batch_id, has(OTHER_PERSON))
    for start in range(0, len(numbers), BATCH):
        changed_rows(rows.where(ImportRow.number.in_(numbers[start : start + BATCH])).values(confirmed=True))
