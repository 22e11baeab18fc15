"""The dry run of an import: reads the table and the photos, and stores for each row what it would change.

The table is read in portions, and each portion is one short transaction, so that memory stays flat and others save in
between. What a killed worker left is deleted before the dry run begins anew.
"""

import json
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import delete, insert, select, update

from hikflask import text_rules
from hikflask.config import MEGABYTE
from hikflask.extensions import db
from hikflask.models import Employee, ImportBatch, ImportRow
from hikflask.models.columns import database_now
from hikflask.models.import_batch import NEW, VERDICTS, WRONG
from hikflask.models.refusal import Refusal
from hikflask.services.core.db import changed_rows, kept_employees, transaction
from hikflask.services.core.errors import ServiceError
from hikflask.services.core.progress import Progress
from hikflask.services.import_files import stored_files
from hikflask.services.imports import batches, effects, losses, row_check
from hikflask.services.imports.batches import ROWS, ColumnsMissing, ColumnsUnclear, ColumnsUnknown, DaysUnknown
from hikflask.services.imports.classify import Picture, read_spellings
from hikflask.services.imports.photos import photo_names, pictures
from hikflask.services.imports.photos.thumbnails import Thumbnails
from hikflask.services.imports.table import columns, doubts, report_rows
from hikflask.services.imports.table.columns import ACTIVE, DEPARTMENT, LEFT, NAME, NUMBER, PARTS
from hikflask.services.imports.table.options import Options
from hikflask.services.imports.table.unused_columns import UnusedColumns
from hikflask.services.imports.table.values import Values, are_leavers, may_be_leavers
from hikflask.services.photos.inspection import PhotoCheck, PhotoInspectors
from hikflask.services.spreadsheets import reader_process
from hikflask.services.spreadsheets.reader_process import Layout, Row
from hikflask.text_rules import storable

NAMES = {NAME, *PARTS}
BATCH = 500
# Others, who may be in the same process, have their turn after each portion.
PAUSE = 0.01
MAX_LINES = 5
# So many IDs have digits, and at most so many signatures below have none.
MIN_IDS, MAX_SIGNATURES = 2, 3
WITHOUT_DIGITS = Refusal(code="number_without_digits", params={})
# What the rows of an import may take here, in bytes of JSON: so much, and so many times the size of its files, but at
# most the last. Each of the 200,000 people of the longest table takes some 400.
BUDGET, BUDGET_TIMES, MAX_BUDGET = 16 * MEGABYTE, 64, 128 * MEGABYTE
# A row's sheet, "" where only one is read, and line.
RowPosition = tuple[str, int]
Part = TypeVar("Part")


def check(batch: ImportBatch, progress: Progress) -> None:
    """Check an import that was not checked yet: store all rows with their verdicts, and count them.

    No row stays of one that is refused, but for those that were corrected in place before.

    :raises table_unreadable: when the table cannot be read to its end. :raises BadArchive: :raises import_too_large:
    :raises import_file_gone: when a file was removed. :raises import_unknown: when the import was discarded.
    :raises ColumnsUnknown: when nobody said what a column is. The row that asks for it is added to those shown.
    :raises ColumnsMissing: when nobody of the table is here, and no column has their names.
    :raises ClaimLost: when it is not to go on.
    """
    batch_id = batch.id
    while batch.checked_at is None:
        try:
            with closing(PhotoInspectors()) as inspectors, closing(Thumbnails()) as thumbnails:
                _DryRun(batch, progress, inspectors, thumbnails).run()
        except _FilesChanged:
            batch = batches.get_one(batch_id)
        except ColumnsUnknown as error:
            batches.delete_rows(batch_id)
            batches.add_to_sample(batch_id, error.cells)
            raise
        except ServiceError:
            batches.delete_rows(batch_id, corrected=False)
            raise


class _FilesChanged(Exception):
    """Somebody was erased: the table is removed, or the archive written anew without a person."""


class _DryRun:
    """One dry run: which numbers were read so far, and which photos belong to nobody in the table."""

    def __init__(
        self, batch: ImportBatch, progress: Progress, inspectors: PhotoInspectors, thumbnails: Thumbnails
    ) -> None:
        self._batch, self._progress, self._inspectors, self._thumbnails = batch, progress, inspectors, thumbnails
        self._version = pictures.version(batch)
        self._photos = pictures.contents(batch)
        # The first place of each number, and all places of a number that has several.
        self._places: dict[str, RowPosition] = {}
        self._twice: dict[str, list[RowPosition]] = {}
        # What the first row of each number says, as a hash: tables that were joined have the same row twice.
        self._said: dict[str, int] = {}
        # The ids of rows that were corrected before: each stays until it is written anew.
        self._corrected = {place: row.id for place, row in _corrected(batch.id).items()}
        self._known = row_check.read_known(batch)
        self._read = row_check.row_reader(batch)
        # How many rows have an unknown ID and no name, and how many are of somebody who is here, or may be meant.
        self._nameless = self._here = 0
        self._unused = UnusedColumns(batch.layout.get("columns", []), batch.fields)
        # Rows with nothing in the columns that are read.
        self._left_out: list[RowPosition] = []
        self._done = self._bytes = 0
        paths = [stored_files.path_of(name) for name in (batch.table_file, batch.photos_file) if name]
        size = sum(path.stat().st_size for path in paths if path.is_file())
        self._budget = min(BUDGET + BUDGET_TIMES * size, MAX_BUDGET)
        self._counts: Counter[str] = Counter()
        rows = batch.layout["rows"] if batch.table_name else 0
        self._total: int = rows + len(self._photos.pictures) + len(self._photos.others)

    def run(self) -> None:
        replaced = (ImportRow.batch_id == self._batch.id, ImportRow.corrected.is_(False))
        earlier = select(ImportRow.id).where(*replaced).limit(ROWS)
        has_more = True
        while has_more:
            with transaction():
                has_more = changed_rows(delete(ImportRow).where(ImportRow.id.in_(earlier))) > 0
                self._report(0)
        if self._photos.others:
            self._find_photos_by_name()
        if self._batch.table_name:
            with closing(table_rows(self._batch)) as rows:
                for part in _parts(rows, BATCH):
                    self._check_rows(part)
            self._refuse_nameless()
            self._refuse_ids()
        self._check_lonely_photos()
        if self._batch.photos_file:
            self._thumbnails.publish(self._batch.photos_file, self._require_same_archive)
        self._end()

    def _report(self, more: int) -> None:
        self._done += more
        self._progress.report(self._done, self._total)

    # --- the table ---

    def _check_rows(self, part: list[Row]) -> None:
        batch = self._batch
        entries = [(row, self._read(row)) for row in part]
        read = [(row, entry) for row, entry in entries if entry and not self._is_repeated(row, entry)]
        self._left_out += [(row.sheet, row.line) for row, entry in entries if entry is None and any(row.cells)]
        with_photo = [entry.number for _, entry in read if entry.number in self._photos.pictures]
        checked = self._check_pictures(dict.fromkeys(with_photo))
        for row, entry in read:
            self._unused.add(row.cells)
            place = (row.sheet, row.line)
            first = self._places.setdefault(entry.number, place) if entry.number else place
            if first != place:
                self._twice.setdefault(entry.number, [first]).append(place)
        rows = row_check.check_rows(batch, read, checked, self._known)
        for columns_of_row, (row, _) in zip(rows, read, strict=True):
            number = (columns_of_row["errors"] or {}).get(NUMBER, {"code": "", "params": {}})
            self._nameless += number == Refusal(code="number_unknown", params={})
            self._here += columns_of_row["employee_id"] is not None or "meant" in number["params"]
            if (row.sheet, row.line) in self._corrected:
                columns_of_row.update(corrected=True, cells=row.cells)
        self._write(rows, len(part) - len(checked))

    def _refuse_nameless(self) -> None:
        """Refuse a table of people of whom none is here, where no column has names: it was not known, or forgotten.

        :raises ColumnsMissing:
        """
        if self._nameless and not self._here and not NAMES & self._batch.fields.keys():
            raise ColumnsMissing(fields=(NAME,), n=self._nameless)

    def _is_repeated(self, row: Row, entry: Values) -> bool:
        """Return whether the first row of its number is wholly equal to this one, so that both are read once."""
        # Sheets may give equal rows several departments. What was corrected is written anew.
        said, place = hash((*row.cells, entry.texts.get(DEPARTMENT))), (row.sheet, row.line)
        is_first = entry.number not in self._said
        is_equal = self._said.setdefault(entry.number, said) == said
        return is_equal and not is_first and bool(entry.number) and place not in self._corrected

    def _check_pictures(self, numbers: Iterable[str]) -> dict[str, Picture]:
        archive, names = stored_files.path_of(self._batch.photos_file), self._photos.pictures

        def check_picture(check: PhotoCheck, number: str) -> tuple[str, Picture]:
            return number, pictures.check_picture(archive, names[number], check)

        checked = {}
        for number, picture in self._inspectors.map(check_picture, numbers):
            checked[number] = picture
            self._thumbnails.add(row_check.stored_name(picture.name), picture.thumbnail)
            self._report(1)
        return checked

    def _add_thumbnails(self, names: Iterable[str]) -> None:
        """Add the thumbnails of pictures that come to nobody."""
        archive = stored_files.path_of(self._batch.photos_file)

        def thumbnail_of(check: PhotoCheck, name: str) -> tuple[str, bytes]:
            return name, pictures.thumbnail_of(archive, name, check)

        for name, thumbnail in self._inspectors.map(thumbnail_of, names):
            self._thumbnails.add(row_check.stored_name(name), thumbnail)
            self._report(1)

    def _spend(self, rows: list[dict[str, Any]]) -> None:
        """Count what is to be written.

        :raises import_too_large:
        """
        self._bytes += len(json.dumps(rows))
        if self._bytes > self._budget:
            raise ServiceError("import_too_large", n=self._budget // MEGABYTE)

    def _write(self, rows: list[dict[str, Any]], more: int) -> None:
        self._spend(rows)
        with transaction():
            there = kept_employees({row["employee_id"] for row in rows})
            self._lock()
            for row in rows:
                if row["employee_id"] not in there:  # Deleted since the verdict.
                    row["employee_id"] = None
            former = {id_ for row in rows if (id_ := self._corrected.get((row["sheet"], row["line"])))}
            if former:
                changed_rows(delete(ImportRow).where(ImportRow.id.in_(former)))
            if rows:
                db.session.execute(insert(ImportRow), rows)
            self._counts.update(row["verdict"] for row in rows)
            self._report(more)
        time.sleep(PAUSE)

    def _lock(self) -> None:
        """Lock the import's row, to write what was read of its files.

        :raises _FilesChanged: when they are not those any more.
        """
        same = (ImportBatch.id == self._batch.id, ImportBatch.table_file == self._batch.table_file)
        if not changed_rows(update(ImportBatch).where(*same).values(table_file=ImportBatch.table_file)):
            raise _FilesChanged
        self._require_same_archive()

    def _require_same_archive(self) -> None:
        if pictures.version(self._batch) != self._version:
            raise _FilesChanged

    # --- IDs that are wrong beside those of other rows ---

    def _refuse_ids(self) -> None:
        """Make all rows wrong whose ID is in other rows, too, and those of whoever signed the list.

        They need their cells, to be given back.
        """
        refused = {place for places in self._twice.values() for place in places} | self._signatures()
        if not refused:
            return
        with closing(table_rows(self._batch)) as rows:
            for part in _parts((row for row in rows if (row.sheet, row.line) in refused), BATCH):
                self._refuse({(row.sheet, row.line): row for row in part})

    def _signatures(self) -> set[RowPosition]:
        """Return the places of the few new IDs that are words, where all others have digits: “Director;Ray Lee”."""
        words = {number for number in self._places if not any(map(str.isdigit, number))}
        if len(words) > MAX_SIGNATURES or len(self._places) - len(words) < MIN_IDS:
            return set()
        words = {number for number in words if text_rules.is_employee_number(number)}
        here = db.session.execute(select(Employee.number).where(Employee.number.in_(words))).scalars()
        return {self._places[number] for number in words.difference(here)} - self._corrected.keys()

    def _refuse(self, part: dict[RowPosition, Row]) -> None:
        columns_read = (ImportRow.id, ImportRow.sheet, ImportRow.line, ImportRow.number, ImportRow.verdict)
        lines = ImportRow.line.in_({line for _, line in part})
        stored = select(*columns_read, ImportRow.errors).where(ImportRow.batch_id == self._batch.id, lines)
        changes = []
        for row in db.session.execute(stored).all():
            place = (row.sheet, row.line)
            others = (line_of(other, row.sheet) for other in self._twice.get(row.number, ()) if other != place)
            told = ", ".join(islice(others, MAX_LINES))
            if place not in part or not (told or row.verdict == NEW):
                continue
            refusal = Refusal(code="number_twice", params={"lines": told}) if told else WITHOUT_DIGITS
            cells = [storable(cell) for cell in part[place].cells]
            errors = (row.errors or {}) | {NUMBER: refusal}
            wrong = {"verdict": WRONG, "errors": errors, "cells": cells, "before": None, "effects": None}
            changes.append({"id": row.id, **wrong})
            self._counts.subtract([row.verdict])
            self._counts.update([WRONG])
        if not changes:
            return
        self._spend(changes)
        with transaction():
            self._lock()
            db.session.execute(update(ImportRow), changes)
            self._report(0)

    # --- photos that are named by a full name ---

    def _find_photos_by_name(self) -> None:
        """Find whose the photos are that are not named by ID: of people in the table first, then of employees here."""
        if NAMES & self._batch.fields.keys():
            self._photos = photo_names.named_by_name(self._photos, self._people_of_table())
        self._photos = photo_names.named_by_name(self._photos, photo_names.employees())

    def _people_of_table(self) -> Iterator[tuple[str, str]]:
        with closing(table_rows(self._batch)) as rows:
            for part in _parts(rows, BATCH):
                for row in part:
                    entry = self._read(row)
                    if entry and NUMBER not in entry.errors:
                        yield entry.number, entry.texts.get(NAME, "")
                self._report(0)

    # --- photos of people who are not in the table ---

    def _check_lonely_photos(self) -> None:
        refusals = photo_names.refusals(self._photos)
        for names in _parts(refusals, BATCH):
            self._add_thumbnails(names)
            self._write(row_check.unnamed_photos(self._batch.id, {name: refusals[name] for name in names}), 0)
        for numbers in _parts([number for number in self._photos.pictures if number not in self._places], BATCH):
            self._check_lonely(numbers)

    def _check_lonely(self, numbers: list[str]) -> None:
        names = {number: self._photos.pictures[number] for number in numbers}
        rows, checked = row_check.check_photos_alone(self._batch, names, self._check_pictures, self._known)
        self._add_thumbnails(names[number][0] for number in numbers if number not in checked)
        self._write(rows, 0)

    # --- the end ---

    def _write_losses(self) -> None:
        """Write which terminals each employee loses; departments and groups are compared for many rows at once."""
        for ids in _parts(losses.taking_rows(self._batch.id), losses.BATCH):
            losing = losses.of_rows(self._batch.id, ImportRow.id.between(ids[0], ids[-1]))
            with transaction():
                self._lock()
                if losing:
                    db.session.execute(update(ImportRow), losing)
                self._report(0)

    def _not_read(self) -> dict[str, Any]:
        """Return what the layout tells of columns and rows that are not read."""
        # The title of a sheet may be somebody's name.
        lines = [str(line) for sheet, line in self._left_out[:MAX_LINES] if not sheet]
        counted = {"rows_left_out": len(self._left_out), "lines_left_out": lines}
        return {"unused": self._unused.told(), **counted}

    def _end(self) -> None:
        self._write_losses()
        counts = {verdict: self._counts[verdict] for verdict in VERDICTS}
        checked = update(ImportBatch).where(ImportBatch.id == self._batch.id)
        with transaction():
            self._lock()
            counted = effects.count(self._batch.id)
            layout = self._batch.layout | self._not_read() if self._batch.table_name else self._batch.layout
            changed_rows(checked.values(**counts, effects=counted, layout=layout, checked_at=database_now()))
            self._total = self._done
            self._report(0)
        db.session.refresh(self._batch)


def table_rows(batch: ImportBatch) -> Generator[Row, None, None]:
    """Yield the people of the table, as they were corrected. The child process that reads ends when this is closed.

    :raises import_file_gone: :raises table_unreadable:
    :raises table_leavers: when a part of it, or a sheet, has those who left, and no column says so.
    :raises table_second_head: when another table begins below, with the same columns in other places.
    :raises DaysUnknown: when a column has days further down, and nobody said what they are.
    :raises ColumnsUnclear: when a row further down makes a column doubtful.
    """
    if not batch.table_file:
        raise ServiceError("import_file_gone")
    path = stored_files.path_of(batch.table_file)
    layout, options = Layout(**batch.layout), Options.from_json(batch.options)
    undecided = columns.undecided_columns(layout.columns, batch.fields, options.unused_days)
    says_who_left = bool({LEFT, ACTIVE} & batch.fields.keys())
    watch = doubts.Watch(layout.columns, batch.fields, options.unused_days)
    corrected = {place: _as_corrected(row) for place, row in _corrected(batch.id).items()}
    try:
        rows = reader_process.read(path, layout, batch.fields.get(NUMBER))
        working = report_rows.who_works(rows, batch.fields)
        for row in report_rows.people(working, layout, batch.fields, options, read_spellings()):
            if doubts.is_other_head(layout.columns, row.cells, batch.fields[NUMBER]):
                raise ServiceError("table_second_head", line=row.line)
            called = row.sheet or layout.sheet
            if not says_who_left and (are_leavers(called) or may_be_leavers(called)):
                raise ServiceError("table_leavers", line=f"{row.sheet} {row.line - 1}" if row.sheet else row.line - 1)
            if may_be := dict(watch.doubts_in(row.cells)):
                raise ColumnsUnclear(layout.columns, may_be, row.cells)
            if days := columns.day_cells(layout.columns, row.cells, undecided):
                raise DaysUnknown(layout.columns, days, row.cells)
            other = corrected.get((row.sheet, row.line))
            # A column for the departments above may have been added since.
            yield replace(other, cells=[*other.cells, *row.cells[len(other.cells) :]]) if other else row
    except FileNotFoundError as error:  # An erasure removes it at any moment.
        raise ServiceError("import_file_gone") from error


def _corrected(batch_id: int) -> dict[RowPosition, ImportRow]:
    """Return the rows that were corrected in place, by their places."""
    rows = select(ImportRow).where(ImportRow.batch_id == batch_id, ImportRow.corrected)
    return {(row.sheet, row.line or 0): row for row in db.session.execute(rows).scalars()}


def _as_corrected(row: ImportRow) -> Row:
    """Return a corrected row. What it begins with makes no formula of a text in it, unless it is refused as one."""
    is_refused = any(refusal["code"] == "formula" for refusal in (row.errors or {}).values())
    return Row(row.line or 0, row.cells or [], sheet=row.sheet, typed=not is_refused)


def line_of(place: RowPosition, sheet: str) -> str:
    """Return a row's line, after the name of its sheet where that is another one."""
    return str(place[1]) if place[0] == sheet else f"{place[0]} {place[1]}"


def _parts(of: Iterable[Part], size: int) -> Iterator[list[Part]]:
    rows = iter(of)
    while part := list(islice(rows, size)):
        yield part
