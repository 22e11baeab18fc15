"""Corrects wrong rows of an import that was checked: their cells are read and checked again, as in the dry run.

What follows from another ID is checked with them: other rows with the former ID or the new one, and their photos.
"""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import delete, func, insert, select, update

from hikflask import text_rules
from hikflask.config import MEGABYTE
from hikflask.extensions import db
from hikflask.models import ImportBatch, ImportRow
from hikflask.models.columns import database_now
from hikflask.models.import_batch import NEW, VERDICTS, WRONG
from hikflask.models.refusal import Refusal
from hikflask.services.core.db import changed_rows, end_read, kept_employees, transaction
from hikflask.services.core.errors import PlanChanged, ServiceError
from hikflask.services.import_files import stored_files
from hikflask.services.import_files.photo_archive import Contents
from hikflask.services.imports import batches, dry_run, effects, losses, row_check
from hikflask.services.imports.batches import Upload
from hikflask.services.imports.classify import Picture
from hikflask.services.imports.dry_run import MAX_LINES, WITHOUT_DIGITS, RowPosition, line_of
from hikflask.services.imports.photos import photo_names, pictures
from hikflask.services.imports.table.columns import NAME, NUMBER, PARTS
from hikflask.services.imports.table.values import Values
from hikflask.services.photos.inspection import PhotoInspector
from hikflask.services.spreadsheets import reader_process
from hikflask.services.spreadsheets.csv_writer import with_formula_mark_removed
from hikflask.services.spreadsheets.reader_process import Row
from hikflask.text_rules import folded

# In characters, as the reader has it.
MAX_CELL = 256
# Rows of a file that are corrected at once, and in one transaction.
MAX_CORRECTIONS, PORTION = 5_000, 100
# A request ends after a minute, and a photo takes up to 0.1 s. Rows that are left stay wrong, for the next press.
MAX_SECONDS = 20.0
# The head of the column of places, in both languages.
PLACE_HEADS = {"row", "строка"}
Read = tuple[Row, Values]


@dataclass(frozen=True)
class _Affected:
    """Rows that are checked together: those of the table by their place, and the ids of photos alone."""

    of_table: Mapping[RowPosition, ImportRow]
    photos: Collection[int]

    @property
    def ids(self) -> set[int]:
        return {row.id for row in self.of_table.values()} | {*self.photos}


def correct(
    batch_id: int,
    cells: Mapping[int, Sequence[str]],
    formulas: Mapping[int, Collection[int]] | None = None,
    *,
    typed: bool = True,
) -> int:
    """Put other cells in place of those of wrong rows, and check them again; return how many rows are wrong now.

    A row that has nothing in the columns of people any more is left out.

    :param cells: the id of a row → all its cells.
    :param formulas: the id of a row → the indexes of the cells that have a formula or an error in place of a value.
    :param typed: a cell is a text, whatever it begins with: somebody typed it, or a workbook says so.
    :raises import_unknown: :raises import_not_checked: :raises import_started: when the import has begun.
    :raises PlanChanged: when somebody else corrects the same import at this moment, or such a row is gone.
    """
    batch = batches.get_one(batch_id)
    if batch.checked_at is None:
        raise ServiceError("import_not_checked")
    if batch.import_job_id is not None:
        raise ServiceError("import_started", job=batch.import_job_id)
    seen = batch.checked_at
    wrong = (ImportRow.batch_id == batch_id, ImportRow.line.is_not(None), ImportRow.cells.is_not(None))
    rows = _by_place(db.session.execute(select(ImportRow).where(*wrong, ImportRow.id.in_(cells))).scalars())
    formulas = formulas or {}
    corrected = _read(
        batch, (_row(batch, row, cells[row.id], formulas.get(row.id, ()), typed=typed) for row in rows.values())
    )
    numbers = {row.number for row in rows.values()} | {entry.number for _, entry in corrected}
    others, photos = _others(batch_id, numbers - {""}, cells)
    read = corrected + _read(batch, _rows_of_file(batch, others))
    archive = _contents(batch, corrected, cells)
    photos |= _unnamed(batch_id, (name for number in numbers for name in archive.pictures.get(number, ())))
    with closing(PhotoInspector()) as inspector:
        checked = _check(batch, read, numbers, archive, inspector)
    former = {row.photo for row in (*rows.values(), *others.values())}
    lost = {name: why for name, why in photo_names.refusals(archive).items() if row_check.stored_name(name) in former}
    checked += row_check.unnamed_photos(batch_id, lost)
    changed = {place for place, row in rows.items() if not _is_same(row, cells[row.id])}
    signed = {place for place, row in rows.items() if (row.errors or {}).get(NUMBER) == WITHOUT_DIGITS}
    _refuse_signatures(checked, read, signed - changed)
    _keep_corrections(checked, read, {*changed, *(place for place, row in (rows | others).items() if row.corrected)})
    _store(batch_id, seen, _Affected(rows | others, photos), checked)
    return batches.get_one(batch_id).wrong


def take_similar_ids(batch_id: int) -> set[int]:
    """Put the ID here that is meant in place of each that nobody has; return the ids of the rows checked again.

    :raises import_not_checked: and whatever else correct() raises.
    """
    batch = batches.get_one(batch_id)
    meant = ImportRow.effects[effects.UNKNOWN_IDS].as_string()
    rows = select(ImportRow.id, ImportRow.cells, meant.label("meant")).where(
        ImportRow.batch_id == batch_id, ImportRow.cells.is_not(None), meant != ""
    )
    cells = [(row.id, with_number(batch, row.cells, row.meant)) for row in db.session.execute(rows)]
    return {row_id for row_id, _ in _correct_in_time(batch_id, cells)}


def _correct_in_time(
    batch_id: int, cells: Sequence[tuple[int, Sequence[str]]], **about: Any
) -> Sequence[tuple[int, Sequence[str]]]:
    """Correct rows in portions while there is time, and return those that were checked again.

    :param about: what correct() takes beside the cells.
    """
    until, done = time.monotonic() + MAX_SECONDS, 0
    while done < len(cells) and (not done or time.monotonic() < until):
        correct(batch_id, dict(cells[done : done + PORTION]), **about)
        done += PORTION
    return cells[:done]


def with_number(batch: ImportBatch, cells: Sequence[str], number: str) -> list[str]:
    """Return the cells of a row with another ID."""
    at = batch.fields[NUMBER]
    return [number if index == at else cell for index, cell in enumerate(cells)]


@dataclass(frozen=True)
class FromFile:
    """How many rows of a file were checked again, how many rows of the import are wrong now, and the first of those
    places in the file that are of no wrong row."""

    checked: int
    wrong: int
    unknown: tuple[str, ...]


def correct_from_file(batch_id: int, table: Upload) -> FromFile:
    """Take the file of wrong rows back, corrected; each of its rows has the place of the one that it corrects.

    :raises wrong_rows_unlike: when its columns are not those of the import.
    :raises too_many_corrections: when it has more than MAX_CORRECTIONS rows. :raises table_unreadable: and whatever
        else reader_process.inspect() and correct() raise.
    """
    batch = batches.get_one(batch_id)
    most: int = current_app.config["IMPORT_FILE_LIMIT"]
    width = len(batch.layout["columns"])
    end_read()
    stored = stored_files.keep(table.stream, most * MEGABYTE, ServiceError("table_too_large", n=most))
    try:
        corrected = _read_file(batch.layout["columns"], stored_files.path_of(stored))
    finally:
        stored_files.remove(stored)
    # Not their cells: there may be very many.
    columns = (ImportRow.id, ImportRow.sheet, ImportRow.line)
    wrong = select(*columns).where(ImportRow.batch_id == batch_id, ImportRow.cells.is_not(None))
    ids = {written_place(row.sheet, row.line): row.id for row in db.session.execute(wrong)}
    unknown = tuple(place for place in corrected if place not in ids)
    known = {ids[place]: row for place, row in corrected.items() if place in ids}
    cells = _with_zeros({row_id: row.cells[:width] for row_id, row in known.items()})
    formulas = {row_id: row.formulas for row_id, row in known.items()}
    typed = all(row.typed for row in known.values())
    done = _correct_in_time(batch_id, [*cells.items()], formulas=formulas, typed=typed)
    return FromFile(len(done), batches.get_one(batch_id).wrong, unknown[:MAX_LINES])


def _read_file(heads: Sequence[str], path: Path) -> dict[str, Row]:
    """Return each row by the place that it has in the table."""
    width = len(heads)

    def known(cells: Sequence[str]) -> dict[str, int]:
        names = [with_formula_mark_removed(" ".join(cell.split())) for cell in cells]
        places = [index for index, name in enumerate(names) if folded(name) in PLACE_HEADS]
        return {str(index): index for index in range(width)} if names[:width] == [*heads] and places else {}

    layout = reader_process.inspect(path, known)
    if not known(layout.columns):
        raise ServiceError("wrong_rows_unlike")
    at = max(index for index, name in enumerate(layout.columns) if folded(name) in PLACE_HEADS)
    read = islice(reader_process.read(path, layout), MAX_CORRECTIONS + 1)
    rows = {with_formula_mark_removed(row.cells[at]): row for row in read}
    if len(rows) > MAX_CORRECTIONS:
        raise ServiceError("too_many_corrections", n=MAX_CORRECTIONS)
    return rows


def _with_zeros(cells: Mapping[int, list[str]]) -> dict[int, list[str]]:
    """Return the cells with the zeros in front of numbers that Excel takes away when it opens a CSV.

    :param cells: the id of a row → its cells in the file.
    """
    former = db.session.execute(select(ImportRow.id, ImportRow.cells).where(ImportRow.id.in_(cells)))
    return {
        row_id: [
            was if was.isdecimal() and now and now == was.lstrip("0") else now
            for now, was in zip_longest(cells[row_id], (before or [])[: len(cells[row_id])], fillvalue="")
        ]
        for row_id, before in former
    }


def written_place(sheet: str, line: int | None) -> str:
    """Return the place of a row as the file of wrong rows has it: its line, after the sheet where there are several."""
    return f"{sheet}!{line}" if sheet else str(line or "")


def _is_same(row: ImportRow, cells: Sequence[str]) -> bool:
    """True for a row that was only sent along, as all wrong rows of a page are."""
    return [*cells] == (row.cells or [])[: len(cells)]


def _row(
    batch: ImportBatch, row: ImportRow, cells: Sequence[str], formulas: Collection[int] = (), *, typed: bool = True
) -> Row:
    refused = {field: refusal["code"] for field, refusal in (row.errors or {}).items()}
    # Nobody saw the cells that were left out, or put those back that stand in the wrong columns.
    left_as_it_was = set(refused.values()) if _is_same(row, cells) else set()
    # What is refused as a formula, and was not changed, is one still.
    same = {index for index, (now, former) in enumerate(zip(cells, row.cells or (), strict=False)) if now == former}
    left = {at for name, at in batch.fields.items() if refused.get(NAME if name in PARTS else name) == "formula"} & same
    return Row(
        row.line or 0,
        [cell[:MAX_CELL] for cell in cells],
        frozenset(left.union(formulas)),
        "row_too_long" in left_as_it_was,
        row.sheet,
        typed=typed,
        shifted="row_shifted" in left_as_it_was,
    )


def _by_place(rows: Iterable[ImportRow]) -> dict[RowPosition, ImportRow]:
    return {(row.sheet, row.line or 0): row for row in rows}


def _read(batch: ImportBatch, rows: Iterable[Row]) -> list[Read]:
    read = row_check.row_reader(batch)
    return [(row, entry) for row in rows if (entry := read(row))]


def _others(
    batch_id: int, numbers: Collection[str], corrected: Collection[int]
) -> tuple[dict[RowPosition, ImportRow], set[int]]:
    """Return the other rows of the table with these numbers, and the ids of their photos that are not in the table."""
    theirs = (ImportRow.batch_id == batch_id, ImportRow.number.in_(numbers), ImportRow.id.not_in(corrected))
    rows = db.session.execute(select(ImportRow).where(*theirs)).scalars().all()
    photos = {row.id for row in rows if row.line is None}
    return _by_place(row for row in rows if row.line is not None), photos


def _contents(batch: ImportBatch, corrected: Sequence[Read], ids: Collection[int]) -> Contents:
    """Return the pictures of the archive, also those that are named by the full name of somebody, as they are now.

    :param ids: those of the rows that are corrected.
    """
    archive = pictures.contents(batch)
    if not archive.others:
        return archive
    names = select(ImportRow.number, ImportRow.values[NAME].as_string())
    others = names.where(ImportRow.batch_id == batch.id, ImportRow.line.is_not(None), ImportRow.id.not_in(ids))
    people = [(entry.number, entry.texts.get(NAME, "")) for _, entry in corrected]
    people += [(number, name or "") for number, name in db.session.execute(others)]
    in_table = ((number, name) for number, name in people if text_rules.is_employee_number(number))
    return photo_names.named_by_name(photo_names.named_by_name(archive, in_table), photo_names.employees())


def _unnamed(batch_id: int, names: Iterable[str]) -> set[int]:
    """Return the ids of the photos of nobody with these names."""
    stored = {row_check.stored_name(name) for name in names}
    theirs = (ImportRow.batch_id == batch_id, ImportRow.line.is_(None), ImportRow.number == "")
    return {*db.session.execute(select(ImportRow.id).where(*theirs, ImportRow.photo.in_(stored))).scalars()}


def _rows_of_file(batch: ImportBatch, rows: Mapping[RowPosition, ImportRow]) -> list[Row]:
    """Return rows with their cells; those of right ones are in the file alone."""
    found = [_row(batch, row, row.cells) for row in rows.values() if row.cells is not None]
    missing = {place for place, row in rows.items() if row.cells is None}
    if missing:
        with closing(dry_run.table_rows(batch)) as table:
            found += islice((row for row in table if (row.sheet, row.line) in missing), len(missing))
    return found


def _check(
    batch: ImportBatch, read: Sequence[Read], numbers: Collection[str], archive: Contents, inspector: PhotoInspector
) -> list[dict[str, Any]]:
    """Return the columns of the rows that there are now."""
    in_table = {entry.number for _, entry in read}
    names = {number: archive.pictures[number] for number in numbers if number in archive.pictures}

    archived = stored_files.path_of(batch.photos_file)

    def check(numbers: Iterable[str]) -> dict[str, Picture]:
        return {number: pictures.check_picture(archived, names[number], inspector.check) for number in numbers}

    checked = check(number for number in names if number in in_table)
    known = row_check.read_known(batch)
    rows = row_check.check_rows(batch, read, checked, known)
    _refuse_twice(rows, read)
    alone = {number: its_names for number, its_names in names.items() if number not in in_table}
    return rows + row_check.check_photos_alone(batch, alone, check, known)[0]


def _refuse_twice(rows: Sequence[dict[str, Any]], read: Sequence[Read]) -> None:
    places = defaultdict[str, list[RowPosition]](list)
    for row, entry in read:
        places[entry.number].append((row.sheet, row.line))
    for columns_of_row, (row, entry) in zip(rows, read, strict=True):
        others = [line_of(place, row.sheet) for place in places[entry.number] if place != (row.sheet, row.line)]
        if entry.number and others:
            refusal = Refusal(code="number_twice", params={"lines": ", ".join(others[:MAX_LINES])})
            errors = (columns_of_row["errors"] or {}) | {NUMBER: refusal}
            columns_of_row.update(verdict=WRONG, errors=errors, before=None, effects=None, cells=row.cells)


def _refuse_signatures(rows: Sequence[dict[str, Any]], read: Sequence[Read], places: Collection[RowPosition]) -> None:
    """Keep what was only sent along as wrong as it was: only the whole table tells a signature."""
    for columns_of_row, (row, _) in zip(rows, read, strict=False):
        if (row.sheet, row.line) in places and columns_of_row["verdict"] == NEW:
            errors = (columns_of_row["errors"] or {}) | {NUMBER: WITHOUT_DIGITS}
            columns_of_row.update(verdict=WRONG, errors=errors, effects=None, cells=row.cells)


def _keep_corrections(rows: Sequence[dict[str, Any]], read: Sequence[Read], corrected: Collection[RowPosition]) -> None:
    """Mark the rows that were corrected, so that another check of the table reads them as they are now."""
    for columns_of_row, (row, _) in zip(rows, read, strict=False):  # Photos alone come behind the rows of the table.
        if (row.sheet, row.line) in corrected:
            columns_of_row.update(corrected=True, cells=row.cells)


def _store(batch_id: int, seen: datetime, affected: _Affected, rows: Sequence[dict[str, Any]]) -> None:
    """Write the rows in their places, and count anew.

    :raises PlanChanged: when the import or such a row is not as it was read.
    """
    same = (ImportBatch.id == batch_id, ImportBatch.checked_at == seen, ImportBatch.import_job_id.is_(None))
    ids = {place: row.id for place, row in affected.of_table.items()}
    for row in rows:
        row["id"], row["confirmed"] = ids.get((row["sheet"], row["line"])), False
    changed = [row for row in rows if row["id"] is not None]
    new = [{name: value for name, value in row.items() if name != "id"} for row in rows if row["id"] is None]
    gone = affected.ids - {row["id"] for row in changed}
    with transaction():
        there = kept_employees({row["employee_id"] for row in rows})
        # Two who correct the same import do it in turn, and who starts it is not surprised.
        if not changed_rows(update(ImportBatch).where(*same).values(checked_at=database_now())):
            raise PlanChanged
        locked = select(ImportRow.id).where(ImportRow.id.in_(affected.ids)).with_for_update()
        if {*db.session.execute(locked).scalars()} != affected.ids:
            raise PlanChanged
        for row in rows:
            row["employee_id"] = row["employee_id"] if row["employee_id"] in there else None
        if changed:
            db.session.execute(update(ImportRow), changed)
        if new:
            db.session.execute(insert(ImportRow), new)
        changed_rows(delete(ImportRow).where(ImportRow.id.in_(gone)))
        losing = losses.of_rows(batch_id, ImportRow.number.in_({row["number"] for row in rows}))
        if losing:
            db.session.execute(update(ImportRow), losing)
        _count(batch_id)


def _count(batch_id: int) -> None:
    counted = select(ImportRow.verdict, func.count(ImportRow.id)).where(ImportRow.batch_id == batch_id)
    counts = dict.fromkeys(VERDICTS, 0)
    counts |= {verdict: count for verdict, count in db.session.execute(counted.group_by(ImportRow.verdict))}
    changed_rows(
        update(ImportBatch).where(ImportBatch.id == batch_id).values(**counts, effects=effects.count(batch_id))
    )
