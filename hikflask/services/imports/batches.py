"""Makes an import of uploaded files: what is in them, which column is which field, and where people are sent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import IO

from flask import current_app
from sqlalchemy import delete, exists, false, or_, select, update

from hikflask.config import MEGABYTE
from hikflask.extensions import db
from hikflask.models import ImportBatch, ImportRow, Job
from hikflask.models.import_batch import CHANGED, NEW, NOTHING_SHOWN, OPEN, VERDICTS
from hikflask.models.job import OPEN as OPEN_JOB
from hikflask.services import audit
from hikflask.services.core.db import CLEANUP_BATCH, changed_rows, end_read, fresh, transaction, transactional
from hikflask.services.core.errors import NotFound, ServiceError
from hikflask.services.departments import registry as departments
from hikflask.services.import_files import photo_archive, stored_files
from hikflask.services.imports.effects import IS_AGREED
from hikflask.services.imports.table import columns, doubts, report_rows
from hikflask.services.imports.table.columns import PARTS
from hikflask.services.imports.table.options import DEFAULT, Options
from hikflask.services.imports.table.values import says_who_left
from hikflask.services.spreadsheets import reader_process
from hikflask.services.spreadsheets.reader_process import Layout
from hikflask.services.terminals import registry
from hikflask.text_rules import storable

MAX_FILE_NAME_LENGTH = 255
ROWS = 10 * CLEANUP_BATCH
NOT_STARTED = (ImportBatch.import_job_id.is_(None), ImportBatch.checked_at.is_(None))
# So much of a cell is shown when the columns are chosen, as of those that the reader shows.
MAX_SHOWN = 64


class ColumnsAsked(ServiceError):
    """Somebody has to say what columns are; `others` are what is asked at the same time."""

    others: Sequence["ColumnsAsked"] = ()


class ColumnsMissing(ColumnsAsked):
    """A field that is needed has no column. `fields` names it."""

    code = "column_missing"


class ColumnsUnknown(ColumnsAsked):
    """Of columns somebody has to say what they are: `indexes` (params: columns, their names).

    `cells` are those of the row that asks for it, where it is not among the first ones.
    """

    def __init__(self, names: Sequence[str], indexes: Iterable[int], cells: Sequence[str] = ()) -> None:
        self.indexes, self.cells = tuple(indexes), cells
        told = columns.told_apart(names)
        # The words that the question comes from, where they say who left.
        words = {at: f" (“{cells[at][:MAX_SHOWN]}”)" for at in self.indexes if cells and says_who_left(cells[at])}
        super().__init__(columns=", ".join(f"“{told[index]}”{words.get(index, '')}" for index in self.indexes))


class DaysUnknown(ColumnsUnknown):
    """Columns have days of which nobody said what they are."""

    code = "days_column_unknown"


class ColumnsUnclear(ColumnsUnknown):
    """Columns may have a field, or not; `may_be` has it by their indexes."""

    code = "column_unclear"

    def __init__(self, names: Sequence[str], may_be: Mapping[int, str], cells: Sequence[str] = ()) -> None:
        self.may_be = may_be
        super().__init__(names, may_be, cells)


@dataclass(frozen=True)
class Upload:
    """An uploaded file, with the name that it came with."""

    name: str
    stream: IO[bytes]


def make(table: Upload | None, photos: Upload | None, sheet: str = "", *, asks_for_sheet: bool = False) -> ImportBatch:
    """Store the files of an import, inspect them, and recognise the columns of the table.

    :param sheet: the name of the sheet to read, as reader_process.inspect() takes it.
    :param asks_for_sheet: nobody looks which sheet is read, so of several with people one must be named.
    :raises table_sheet_unnamed: when it is not. :raises nothing_uploaded: :raises photos_file_too_large:
    :raises table_unreadable: when the table cannot be read. :raises BadArchive: when the photos cannot.
    :raises tables_waiting: when others are inspected, and its turn does not come.
    """
    if table is None and photos is None:
        raise ServiceError("nothing_uploaded")
    end_read()
    batch = ImportBatch(requested_by=audit.current_actor().name[:128], layout={}, fields={})
    stored: list[str] = []
    try:
        if photos is not None:
            _add_photos(batch, photos, stored)
        if table is not None:
            _add_table(batch, table, sheet, stored)
        if asks_for_sheet and not sheet:
            _refuse_several_sheets(batch)
        with transaction():
            db.session.add(batch)
    except BaseException:
        for name in stored:
            stored_files.remove(name)
        raise
    return batch


def record_new_departments(batch_id: int) -> None:
    """Record which departments the rows that are left are going to add, within the caller's transaction."""
    name = ImportRow.values[columns.DEPARTMENT].as_string()
    left = (ImportRow.batch_id == batch_id, ImportRow.verdict.in_((NEW, CHANGED)), ImportRow.state == OPEN, IS_AGREED)
    named = set(db.session.execute(select(name).where(*left).distinct()).scalars()) - {"", None, *departments.names()}
    batch = db.session.get_one(ImportBatch, batch_id)
    added = [*batch.new_departments, *(name for name in sorted(named) if departments.find(name) is None)]
    batch.new_departments = list(dict.fromkeys(added))


def _add_photos(batch: ImportBatch, photos: Upload, stored: list[str]) -> None:
    most: int = current_app.config["IMPORT_PHOTOS_LIMIT"]
    batch.photos_name = _file_name(photos.name)
    batch.photos_file = stored_files.keep(photos.stream, most * MEGABYTE, ServiceError("photos_file_too_large", n=most))
    stored.append(batch.photos_file)
    with reader_process.wait_for_turn():
        photo_archive.read_contents(stored_files.path_of(batch.photos_file))


def _add_table(batch: ImportBatch, table: Upload, sheet: str, stored: list[str]) -> None:
    most: int = current_app.config["IMPORT_FILE_LIMIT"]
    batch.table_name = _file_name(table.name)
    batch.table_file = stored_files.keep(table.stream, most * MEGABYTE, ServiceError("table_too_large", n=most))
    stored.append(batch.table_file)
    layout, batch.fields = _inspected(batch.table_file, sheet)
    batch.layout = asdict(layout)


def _refuse_several_sheets(batch: ImportBatch) -> None:
    """Refuse a workbook of which the first sheet may be that of who left, or of another month."""
    sheets = batch.layout.get("sheets", [])
    with_people = [sheet["name"] for sheet in sheets if sheet["people"] and sheet["rows"] and not sheet["hidden"]]
    if len(with_people) > 1:
        raise ServiceError("table_sheet_unnamed", sheets=", ".join(f"“{name}”" for name in with_people))


def _inspected(file: str, sheet: str) -> tuple[Layout, dict[str, int]]:
    layout = reader_process.inspect(stored_files.path_of(file), columns.recognised, sheet)
    return report_rows.with_groups(layout, doubts.recognised_fields(layout.columns, layout.sample))


def _file_name(name: str) -> str:
    return storable(name.replace("\\", "/").rpartition("/")[2])[:MAX_FILE_NAME_LENGTH]


@transactional
def choose(
    batch_id: int,
    fields: Mapping[str, int],
    terminal_id: int | None,
    *,
    groups: bool = False,
    options: Options = DEFAULT,
) -> None:
    """Fix which column has which field, and the terminal that everybody in the file is sent to, too.

    :param fields: field → index of its column, from 0.
    :param groups: everybody in the file is also sent to the terminals of their groups.
    :param options: how the cells are read.
    :raises import_unknown: :raises import_checked: when the dry run has begun.
    :raises ColumnsMissing: when no column has the ID, or nothing would be changed. :raises column_twice:
    :raises table_side_by_side: when a row has two people.
    :raises column_unknown: :raises terminal_unknown: when it is not an active terminal.
    :raises ColumnsUnclear: when a column may have a field, and nobody said whether it has.
    :raises DaysUnknown: when a column has days, and nobody said what they are.
    """
    batch = get_one(batch_id)
    # What all rows have alike takes the place of a column.
    replaced = (*(fields[field] for field in options.fixed if field in fields), *left_out(batch, fields))
    fields = {field: index for field, index in fields.items() if field not in options.fixed}
    options = replace(options, unused_days=tuple(dict.fromkeys((*options.unused_days, *replaced))))
    if batch.table_name:
        _refuse_columns(batch, fields)
        missing = _missing(batch, fields)
        if not missing:
            _refuse_side_by_side(batch, fields, options)
        _ask(batch, fields, options, missing)
    if terminal_id is not None:
        registry.active(terminal_id)
    unchecked = update(ImportBatch).where(ImportBatch.id == batch_id, ImportBatch.check_job_id.is_(None), *NOT_STARTED)
    chosen = {"fields": dict(fields) if batch.table_name else {}, "terminal_id": terminal_id, "groups": groups}
    if not changed_rows(unchecked.values(**chosen, options=options.as_json)):
        raise ServiceError("import_checked")
    if batch.table_name and (locked := fresh(ImportBatch, batch_id)):
        # Which rows have a department alone is known now, if ID and name were not recognised before.
        layout, locked.fields = report_rows.with_groups(Layout(**locked.layout), fields)
        locked.layout = asdict(layout)


def left_out(batch: ImportBatch, fields: Mapping[str, int]) -> tuple[int, ...]:
    """Return the indexes of columns that were recognised, and that somebody did not choose; those of days stay open.

    :param fields: field → index of its column, as it was chosen.
    """
    recognised = (index for field, index in batch.fields.items() if field not in columns.DAYS)
    return tuple(index for index in recognised if index not in fields.values())


def choose_sheet(batch_id: int, sheet: str) -> None:
    """Read another sheet of the table, or all that are alike (reader_process.ALL), and recognise its columns.

    :raises import_unknown: :raises import_checked: when the dry run has begun. :raises import_file_gone:
    :raises table_unreadable: when the sheet cannot be read. :raises table_sheet_unknown: when it is not there.
    """
    batch = get_one(batch_id)
    end_read()
    if not batch.table_file or not stored_files.path_of(batch.table_file).is_file():
        raise ServiceError("import_file_gone")
    layout, fields = _inspected(batch.table_file, sheet)
    same = (ImportBatch.id == batch_id, ImportBatch.table_file == batch.table_file)
    unchecked = update(ImportBatch).where(*same, ImportBatch.check_job_id.is_(None), *NOT_STARTED)
    with transaction():
        if not changed_rows(unchecked.values(layout=asdict(layout), fields=fields, options={})):
            raise ServiceError("import_checked")
        # What was corrected was of the other sheet.
        changed_rows(update(ImportRow).where(ImportRow.batch_id == batch_id).values(corrected=False))


@transactional
def reopen(batch_id: int) -> None:
    """Take the dry run of an import back: its columns can be chosen again, and its rows go when it is checked again.

    :raises import_unknown: :raises import_started: when the import itself has begun, and while the dry run goes on.
    :raises import_file_gone: when a file is not stored any more, as after somebody's data was erased.
    """
    batch = get_one(batch_id)
    is_checking = exists().where(Job.id == ImportBatch.check_job_id, Job.state.in_(OPEN_JOB))
    at_rest = update(ImportBatch).where(ImportBatch.id == batch_id, ImportBatch.import_job_id.is_(None), ~is_checking)
    counts = dict.fromkeys(VERDICTS, 0)
    if not changed_rows(at_rest.values(checked_at=None, check_job_id=None, effects={}, **counts)):
        raise ServiceError("import_started")
    if (batch.table_name and not batch.table_file) or (batch.photos_name and not batch.photos_file):
        raise ServiceError("import_file_gone")


def _refuse_columns(batch: ImportBatch, fields: Mapping[str, int]) -> None:
    indexes = range(len(batch.layout["columns"]))
    for field, index in fields.items():
        if field not in columns.FIELDS or index not in indexes:
            raise ServiceError("column_unknown", fields=(field,))
        if list(fields.values()).index(index) != list(fields).index(field):
            raise ServiceError("column_twice", fields=(field,))
    if columns.NAME in fields and (part := next((part for part in PARTS if part in fields), None)):
        raise ServiceError("column_twice", fields=(part,))


def _missing(batch: ImportBatch, fields: Mapping[str, int]) -> str:
    """Return the field that is needed and has no column, or ""."""
    if columns.NUMBER not in fields:
        return columns.NUMBER
    if set(PARTS) & set(fields) and columns.LAST_NAME not in fields:
        return columns.LAST_NAME
    return columns.NAME if set(fields) == {columns.NUMBER} and not batch.photos_name else ""


def _refuse_side_by_side(batch: ImportBatch, fields: Mapping[str, int], options: Options) -> None:
    names: list[str] = batch.layout["columns"]
    if columns.are_side_by_side(names, batch.layout["sample"], fields, options.unused_days):
        raise ServiceError("table_side_by_side", column=names[fields[columns.NUMBER]])


def _ask(batch: ImportBatch, fields: Mapping[str, int], options: Options, missing: str) -> None:
    """Refuse columns of which nobody said what they are, all that is asked at once.

    :param missing: the field that is needed and has no column, or "".
    """
    names, sample = batch.layout["columns"], batch.layout["sample"]
    may_be = doubts.doubtful(names, sample, fields, options.unused_days)
    days = columns.unmapped_days(names, sample, fields, (*options.unused_days, *may_be))
    asked: list[ColumnsAsked] = []
    if missing and missing not in may_be.values():
        asked.append(ColumnsMissing(fields=(missing,)))
    if may_be:
        asked.append(ColumnsUnclear(names, may_be))
    if days:
        asked.append(DaysUnknown(names, days))
    if asked:
        asked[0].others = asked[1:]
        raise asked[0]


def add_to_sample(batch_id: int, cells: Sequence[str]) -> None:
    """Show a row beside the first ones, when the columns are chosen again."""
    kept = (ImportBatch.id == batch_id, ImportBatch.table_file != "")
    with transaction():
        locked = changed_rows(update(ImportBatch).where(*kept).values(table_file=ImportBatch.table_file))
        if locked and (batch := fresh(ImportBatch, batch_id)):
            shown = [cell[:MAX_SHOWN] for cell in cells[: len(batch.layout["columns"])]]
            batch.layout = {**batch.layout, "sample": [*batch.layout["sample"], shown]}


def get(batch_id: int) -> ImportBatch | None:
    """Return the import, fresh from the database, or None."""
    return fresh(ImportBatch, batch_id)


def get_one(batch_id: int) -> ImportBatch:
    """Return the import.

    :raises import_unknown: when there is none.
    """
    batch = get(batch_id)
    if batch is None:
        raise NotFound("import_unknown")
    return batch


def batch_of_job(job_id: int) -> ImportBatch | None:
    """Return the import that a job checks or does, or None."""
    is_of_job = or_(ImportBatch.check_job_id == job_id, ImportBatch.import_job_id == job_id)
    statement = select(ImportBatch).where(is_of_job).order_by(ImportBatch.id)
    return db.session.execute(statement, execution_options={"populate_existing": True}).scalars().first()


def discard(batch_id: int) -> bool:
    """Delete an import that was not started, with its files; False when it was started, or there is none.

    A dry run that still goes on finds nothing to work on any more.
    """
    batch = get(batch_id)
    # Until the last portion of its rows is deleted, nobody starts an import that is not checked.
    given_up = update(ImportBatch).where(ImportBatch.id == batch_id, ImportBatch.import_job_id.is_(None))
    with transaction():
        taken = changed_rows(given_up.values(checked_at=None)) == 1
    if batch is None or not taken:
        return False
    delete_rows(batch_id)
    gone = delete(ImportBatch).where(ImportBatch.id == batch_id, ImportBatch.import_job_id.is_(None))
    with transaction():
        is_gone = changed_rows(gone) == 1
    for name in (batch.table_file, batch.photos_file):
        if is_gone and name:
            stored_files.remove(name)
    return is_gone


def remove_table(batch_id: int) -> None:
    """Remove the table of an import, with what was shown of it to choose the columns by."""
    batch = get(batch_id)
    # Should that fail, retention tries again.
    if batch and batch.table_file and stored_files.remove(batch.table_file):
        with transaction():
            changed_rows(update(ImportBatch).where(ImportBatch.id == batch_id).values(table_file=""))
            if batch := fresh(ImportBatch, batch_id):
                batch.layout = {**batch.layout, **NOTHING_SHOWN}


def remove_photos(batch_id: int) -> None:
    """Remove the archive of photos of an import, which is not needed any more."""
    batch = get(batch_id)
    if batch and batch.photos_file and stored_files.remove(batch.photos_file):
        with transaction():
            changed_rows(update(ImportBatch).where(ImportBatch.id == batch_id).values(photos_file=""))


def delete_rows(batch_id: int, *, corrected: bool = True) -> int:
    """Delete the rows of an import, in portions so that others save meanwhile; return how many.

    :param corrected: False: those that were corrected in place stay.
    """
    kept = ImportRow.corrected if not corrected else false()
    portion = select(ImportRow.id).where(ImportRow.batch_id == batch_id, ~kept).limit(ROWS)
    deleted, changed = 0, 1
    while changed:
        with transaction():
            changed = changed_rows(delete(ImportRow).where(ImportRow.id.in_(portion)))
        deleted += changed
    return deleted
