"""The report of a job for programs: its failures, and of an import the counts of its rows and those to look at.

All of it is read by pages: these may be many.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select

from hikflask.extensions import db
from hikflask.models import ImportBatch, ImportRow, Job, JobItem
from hikflask.models.import_batch import CHANGED, NEW, OPEN, VERDICTS, WRONG
from hikflask.models.job import DONE, FAILED
from hikflask.models.refusal import Refusal
from hikflask.services.changes.kinds import LOSSES, WITHHELD
from hikflask.services.core.errors import told
from hikflask.services.core.keyset import Keyset
from hikflask.services.enrolments.mass_removals import Losses
from hikflask.services.imports import batches, effects, losses, queries
from hikflask.services.imports.classify import PHOTO
from hikflask.services.imports.effects import KNOWN_ELSEWHERE, PHOTO_REPLACED
from hikflask.services.imports.job_items import CHANGES
from hikflask.services.imports.table.columns import NUMBER

# So many are named who are not in the table.
MAX_ABSENT = 20
# A page begins behind one item that failed, and behind one row with something wrong.
PLACES = Keyset((JobItem.id.asc(), ImportRow.id.asc()), "report of a job")


@dataclass(frozen=True)
class ListedRow:
    """A row with what is wrong with its fields, and its effects (services/imports/effects.py), of which it has one.

    `line` is None for a photo of nobody in the table. Where only the photo is wrong, its person comes in without it.
    Where nothing is wrong, `warnings` say what to look at in the photo that comes in. The employee with the same name
    is given by number.
    """

    line: int | None
    number: str
    photo: str
    errors: dict[str, Refusal]
    effects: dict[str, Any] = field(default_factory=dict)
    warnings: dict[str, Refusal] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadAs:
    """How the table of an import was read: field → the name of its column, or its place where it has none.

    `sheet` is empty for a CSV, and once the table is not stored any more; `hidden_rows` were read, too, and
    `pictures` in or over cells were not. Nor were `unused` columns, with their words where these are few, and
    `rows_left_out`, which have nothing in the columns that are read; `lines_left_out` are the first of them.
    """

    columns: dict[str, str]
    sheet: str
    hidden_rows: int
    pictures: int
    unused: dict[str, list[str]]
    rows_left_out: int
    lines_left_out: list[str]


@dataclass(frozen=True)
class Report:
    """How many rows of an import are new, changed, unchanged and wrong, and the first of those to look at.

    Once the import was started, only those count as new or changed that were imported, and those that could not be
    imported count as wrong. `without_photo`: of the new and changed ones, those whose photo is refused. `leavers` are
    deactivated, and `losses` tell who loses access at which terminals, as it was counted before the import; where that
    is not confirmed, `withheld` rows would take it. `effects` counts rows by the kinds of their effects, as of the dry
    run; `unconfirmed` are left out until they are confirmed. `listed`: how many rows there are to look at. `absent` are
    active here and not in the table: how many, and the first of their numbers. `lost_zeros`: of how many digits IDs
    here are that rows have without the zeros in front, while nothing is imported; 0 where there are none such.
    """

    batch_id: int
    new: int
    changed: int
    unchanged: int
    wrong: int
    without_photo: int
    rows: list[ListedRow]
    leavers: int = 0
    losses: Losses = field(default_factory=Losses)
    effects: dict[str, int] = field(default_factory=dict)
    unconfirmed: int = 0
    withheld: int = 0
    listed: int = 0
    absent: int = 0
    first_absent: list[str] = field(default_factory=list)
    lost_zeros: int = 0


@dataclass(frozen=True)
class Page:
    """A page of the report of a job: number and error code of items that failed, and what came of its import.

    `imported` is None for other jobs, and before the end. `after` leads to the next page; "" when there is none.
    """

    failed: list[tuple[str, str]]
    imported: Report | None
    after: str


def page(job: Job, limit: int, cursor: str = "") -> Page:
    """Return a page of the report of a job: so many items that failed, and rows of its import to look at.

    :raises CursorUnknown:
    """
    last_item, last_row = PLACES.values(cursor) if cursor else (0, 0)
    is_over = job.state in {DONE, FAILED} and job.refusal is None
    batch = batches.batch_of_job(job.id) if is_over else None
    items = _failed(job.id, batch, limit + 1, last_item)
    rows = _listed(batch, limit + 1 - len(items), last_row) if batch else []
    more = len(items) + len(rows) > limit
    if more:
        (rows or items).pop()
    after = [items[-1].id if items else last_item, rows[-1].id if rows else last_row]
    report = _report(batch, rows, items, is_imported=job.id == batch.import_job_id) if batch else None
    failed = [(item.number, told(item.refusal)[0]) for item in items]
    return Page(failed, report, PLACES.cursor(after) if more and limit else "")


def of_batch(batch: ImportBatch, limit: int) -> Report:
    """Return the report of an import that was checked.

    :param limit: the largest number of rows to return.
    """
    rows = _listed(batch, limit)
    items = _failed(batch.import_job_id, batch, limit - len(rows)) if batch.import_job_id else []
    return _report(batch, rows, items, is_imported=batch.import_job_id is not None)


def _report(batch: ImportBatch, rows: Sequence[Row[Any]], items: Iterable[Row[Any]], *, is_imported: bool) -> Report:
    counts = {verdict: getattr(batch, verdict) for verdict in VERDICTS}
    failed = 0
    if is_imported:
        job = db.session.get(Job, batch.import_job_id, populate_existing=True)
        done = (ImportRow.batch_id == batch.id, ImportRow.verdict.in_(CHANGES), ImportRow.state != OPEN)
        imported = select(ImportRow.verdict, func.count(ImportRow.id)).where(*done).group_by(ImportRow.verdict)
        counts |= {NEW: 0, CHANGED: 0, **{verdict: count for verdict, count in db.session.execute(imported)}}
        failed = job.failed if job else 0
        counts[WRONG] += failed
    numbers = queries.namesakes(rows)
    listed = [
        ListedRow(
            row.line,
            row.number,
            row.photo,
            row.errors or {},
            _effects(row.effects or {}, numbers),
            {name: warning for name, warning in (row.warnings or {}).items() if name == PHOTO and not row.errors},
        )
        for row in rows
    ]
    listed += [ListedRow(item.line, item.number, item.photo or "", {NUMBER: item.refusal}) for item in items]
    absent = queries.absent(batch, MAX_ABSENT)
    return Report(
        batch.id,
        **counts,
        without_photo=queries.without_photo(batch.id),
        rows=listed,
        leavers=queries.leavers(batch.id, *((ImportRow.state != OPEN,) if is_imported else ())),
        losses=losses_of(batch),
        effects={kind: batch.effects.get(kind, 0) for kind in effects.KINDS},
        unconfirmed=effects.unconfirmed(batch.id),
        withheld=withheld(batch),
        listed=db.session.execute(select(func.count(ImportRow.id)).where(*_is_listed(batch))).scalar_one() + failed,
        absent=absent.people,
        first_absent=[employee.number for employee in absent.first],
        lost_zeros=0 if is_imported else queries.lost_zeros(batch.id),
    )


def read_as(batch: ImportBatch) -> ReadAs:
    """Return how the table of an import is read."""
    names, layout = batch.layout["columns"], batch.layout
    columns = {field: names[index] or str(index + 1) for field, index in batch.fields.items()}
    # An import of an earlier version has fewer.
    counted = {"sheet": "", "hidden_rows": 0, "pictures": 0, "unused": {}, "rows_left_out": 0, "lines_left_out": []}
    return ReadAs(columns, **{name: layout.get(name, none) for name, none in counted.items()})


def _effects(stored: dict[str, Any], numbers: dict[int, str]) -> dict[str, Any]:
    """Return effects with the numbers of employees with the same name and the same photo, unless they are deleted."""
    number = numbers.get(stored.get(KNOWN_ELSEWHERE, 0))
    others = {kind: effect for kind, effect in stored.items() if kind != KNOWN_ELSEWHERE}
    if type(owner := stored.get(PHOTO_REPLACED)) is int:
        others[PHOTO_REPLACED] = numbers.get(owner, True)
    return others | ({KNOWN_ELSEWHERE: number} if number else {})


def losses_of(batch: ImportBatch) -> Losses:
    """Return who loses access by an import: as it was counted when it was started, else as it would be now."""
    job = db.session.get(Job, batch.import_job_id) if batch.import_job_id else None
    if job and LOSSES in job.params and WITHHELD not in job.params:
        return Losses.from_json(job.params[LOSSES])
    return losses.of_import(batch.id)


def withheld(batch: ImportBatch) -> int:
    """Return how many rows of an import are left out, as many would lose access by them, and nobody confirmed that."""
    job = db.session.get(Job, batch.import_job_id) if batch.import_job_id else None
    return effects.taking_access(batch.id) if job and WITHHELD in job.params else 0


def _listed(batch: ImportBatch, limit: int, after: int = 0) -> list[Row[Any]]:
    """Return rows with something wrong, with effects, or with a photo that is warned of, in the order of the file."""
    columns = (ImportRow.id, ImportRow.line, ImportRow.number, ImportRow.photo, ImportRow.errors, ImportRow.effects)
    rows = select(*columns, ImportRow.warnings).where(*_is_listed(batch), ImportRow.id > after)
    return list(db.session.execute(rows.order_by(ImportRow.id).limit(limit)))


def _is_listed(batch: ImportBatch) -> tuple[ColumnElement[bool], ...]:
    is_warned = ImportRow.warnings[PHOTO].as_string().is_not(None)
    # Digits in names are told with their number alone: where one has them, all may.
    kinds = (effects.has(kind) for kind in effects.KINDS if kind != effects.DIGITS_IN_NAMES)
    has_effects = ImportRow.effects.is_not(None) & or_(*kinds)
    is_odd = or_(ImportRow.errors.is_not(None), has_effects, is_warned)
    return ImportRow.batch_id == batch.id, is_odd


def _failed(job_id: int, batch: ImportBatch | None, limit: int, after: int = 0) -> list[Row[Any]]:
    """Return items that failed; of an import the dry run had no objection to their rows."""
    is_of_batch = ImportRow.batch_id == (batch.id if batch else None)
    statement = (
        select(JobItem.id, JobItem.number, JobItem.refusal, ImportRow.line, ImportRow.photo)
        .outerjoin(ImportRow, and_(is_of_batch, ImportRow.number == JobItem.number, ImportRow.verdict.in_(CHANGES)))
        .where(JobItem.job_id == job_id, JobItem.state == FAILED, JobItem.id > after)
    )
    return list(db.session.execute(statement.order_by(JobItem.id).limit(limit)))
