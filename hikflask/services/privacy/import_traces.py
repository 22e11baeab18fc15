"""The data of imports that is about one person: rows, photos in archives, and tables that were not read yet.

An import is stored for weeks, so a person's rows are exported and erased with everything else. The archives are written
anew without the person's photo. A table that was not read yet is removed as a whole, as anybody may be in it, and
columns that are kept for other imports are deleted where they name the person. A wrong row is the person's where it
contains the ID or the whole name, or is said to mean the ID; a part of the name alone proves nothing.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, delete, false, or_, select, update

from hikflask.extensions import db
from hikflask.models import ImportBatch, ImportMapping, ImportRow
from hikflask.models.import_batch import NOTHING_SHOWN, WRONG
from hikflask.models.refusal import Refusal
from hikflask.services.core.db import changed_rows, end_read, transaction
from hikflask.services.import_files import photo_archive, stored_files
from hikflask.text_rules import folded

BATCH = 500
WORD = re.compile(r"[^\W_]+")
# In place of the name of a file, by which an import knows that it had one.
BLANK = "…"
WRONG_ROWS = (
    select(ImportRow.id, ImportRow.number, ImportRow.values, ImportRow.cells, ImportRow.errors, ImportRow.photo)
    .where(or_(ImportRow.verdict == WRONG, ImportRow.corrected))
    .order_by(ImportRow.id)
)
SHEETS = select(ImportRow.sheet).where(ImportRow.sheet != "").distinct()


@dataclass(frozen=True)
class ErasedPerson:
    """The numbers and the whole names that a person has or had, by which traces are found."""

    numbers: Collection[str]
    names: Collection[str] = ()

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        phrases = [WORD.findall(folded(text)) for text in (*self.numbers, *self.names)]
        either = "|".join(r"[\W_]+".join(words) for words in phrases if words)
        return re.compile(rf"(?<![^\W_])(?:{either or '(?!)'})(?![^\W_])")

    def is_named_in(self, *texts: str) -> bool:
        """True when a number or a name stands there as words of its own, however it is spelled."""
        return self._pattern.search(folded(" ".join(texts))) is not None

    def has_photo(self, name: str) -> bool:
        """True when a file's name in an archive is a number of the person or, if it is none, names the person."""
        number = photo_archive.number_of(name)
        return number in self.numbers if number else self.is_named_in(name)


def of_employee(employee_id: int) -> list[tuple[ImportBatch, ImportRow]]:
    """Return the rows about an employee, each with its import."""
    statement = select(ImportBatch, ImportRow).join(ImportRow, ImportRow.batch_id == ImportBatch.id)
    rows = db.session.execute(statement.where(ImportRow.employee_id == employee_id).order_by(ImportRow.id))
    return [(batch, row) for batch, row in rows]


def of_number(number: str) -> list[int]:
    """Return the ids of the rows with this number."""
    return list(db.session.execute(select(ImportRow.id).where(ImportRow.number == number)).scalars())


def forget_files(person: ErasedPerson) -> None:
    """Remove the person's photos from the stored archives and their thumbnails, and the tables that were not read yet.

    This may take long, so no transaction is open meanwhile. A dry run that has read one of these files writes no row
    any more once this returns: it locks the import's row, and checks that the files are still those that it has read.
    """
    columns = (ImportBatch.id, ImportBatch.table_file, ImportBatch.photos_file, ImportBatch.layout)
    batches = db.session.execute(select(*columns).where(or_(*(column != "" for column in columns[1:3])))).all()
    for batch_id, table, photos, layout in batches:
        same_batch = update(ImportBatch).where(ImportBatch.id == batch_id)
        end_read()  # Others may have the archives locked, and one takes long to write.
        is_written_anew = photos and photo_archive.forget(photos, person.has_photo)
        if photos:
            photo_archive.forget(stored_files.beside(photos), person.has_photo)
        if is_written_anew:
            with transaction():
                changed_rows(same_batch.values(photos_file=ImportBatch.photos_file))
        if table and stored_files.remove(table):
            with transaction():
                changed_rows(same_batch.values(table_file="", layout={**layout, **NOTHING_SHOWN}))


def wrong_rows(person: ErasedPerson) -> list[int]:
    """Return the ids of the wrong rows that name the person.

    There may be very many to read, so nothing is locked, and no transaction is open for long.
    """
    ids: list[int] = []
    last = 0
    while part := db.session.execute(WRONG_ROWS.where(ImportRow.id > last).limit(BATCH)).all():
        end_read()
        last = part[-1].id
        ids += _naming(person, part)
    return ids


def forget_rows(person: ErasedPerson, employee_id: int | None, wrong: list[int]) -> None:
    """Delete a person's rows within the caller's transaction, and blank files, sheets and columns that name the person.

    :param wrong: the ids of wrong_rows(), of which those that still name the person are deleted.
    """
    own: ColumnElement[bool] = false() if employee_id is None else ImportRow.employee_id == employee_id
    changed_rows(delete(ImportRow).where(or_(ImportRow.number.in_(person.numbers), own)))
    for start in range(0, len(wrong), BATCH):
        part = db.session.execute(WRONG_ROWS.where(ImportRow.id.in_(wrong[start : start + BATCH]))).all()
        changed_rows(delete(ImportRow).where(ImportRow.id.in_(_naming(person, part))))
    named = [sheet for sheet in db.session.execute(SHEETS).scalars() if person.is_named_in(sheet)]
    _forget_sheets_in_errors(named)
    changed_rows(update(ImportRow).where(ImportRow.sheet.in_(named)).values(sheet=""))
    # Where a table has no header row, its first person stands in the names of its columns.
    batches = select(ImportBatch).order_by(ImportBatch.id).execution_options(yield_per=BATCH)
    for batch in db.session.execute(batches).scalars():
        columns = batch.layout.get("columns", [])
        if person.is_named_in(*columns):
            batch.layout = {**batch.layout, "columns": [""] * len(columns)}
        unused = batch.layout.get("unused", {})
        nameless = {name: words for name, words in unused.items() if not person.is_named_in(name, *words)}
        if nameless != unused:
            batch.layout = {**batch.layout, "unused": nameless}
        names = (batch.table_name, batch.photos_name)
        batch.table_name, batch.photos_name = (BLANK if person.is_named_in(name) else name for name in names)
    for mapping in db.session.execute(select(ImportMapping).order_by(ImportMapping.id)).scalars():
        if person.is_named_in(mapping.name, *mapping.columns):
            db.session.delete(mapping)
    db.session.flush()


def _forget_sheets_in_errors(sheets: Collection[str]) -> None:
    """Take the names of sheets out of the places where rows say that others have their ID."""
    imports = select(ImportRow.batch_id).where(ImportRow.sheet.in_(sheets))
    twice = ImportRow.errors["number"]["code"].as_string() == "number_twice"
    for row in db.session.execute(select(ImportRow).where(ImportRow.batch_id.in_(imports), twice)).scalars():
        errors = row.errors or {}
        lines = errors["number"]["params"]["lines"]
        for sheet in sheets:
            lines = lines.replace(f"{sheet} ", "")
        row.errors = {**errors, "number": Refusal(code="number_twice", params={"lines": lines})}
    db.session.flush()


def _naming(person: ErasedPerson, rows: Iterable[Any]) -> list[int]:
    ids = []
    for row in rows:
        meant = (refusal["params"].get("meant", "") for refusal in (row.errors or {}).values())
        if person.is_named_in(row.number, *row.values.values(), *(row.cells or ()), row.photo, *meant):
            ids.append(row.id)
    return ids
