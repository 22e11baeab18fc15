"""What imports hold of one person: rows, photos in archives, and tables that were not read yet.

An import is stored for weeks, so a person's rows are exported and erased with everything else. The archives are written
anew without the person's photo. Nobody can say who is in a table that was not read yet, so it is removed as a whole.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, delete, false, or_, select, update

from hikflask.extensions import db
from hikflask.models import ImportBatch, ImportRow
from hikflask.models.employee import folded
from hikflask.models.import_batch import WRONG
from hikflask.services.core import import_files, photo_archive
from hikflask.services.core.db import changed_rows

BATCH = 500


def of_employee(employee_id: int) -> list[tuple[ImportBatch, ImportRow]]:
    """Return the rows about an employee, each with its import."""
    statement = select(ImportBatch, ImportRow).join(ImportRow, ImportRow.batch_id == ImportBatch.id)
    rows = db.session.execute(statement.where(ImportRow.employee_id == employee_id).order_by(ImportRow.id))
    return [(batch, row) for batch, row in rows]


def of_number(number: str) -> list[int]:
    """Return the ids of the rows with this number."""
    return list(db.session.execute(select(ImportRow.id).where(ImportRow.number == number)).scalars())


def forget_files(numbers: Collection[str]) -> None:
    """Take the photos of these numbers out of the stored archives, and remove the tables that were not read yet.

    This may take long, so no transaction is open meanwhile. A dry run that has read one of these files writes no row
    any more once this returns: it locks the import's row, and looks whether the files are still those that it has read.
    """
    columns = (ImportBatch.id, ImportBatch.table_file, ImportBatch.photos_file, ImportBatch.layout)
    found = db.session.execute(select(*columns).where(or_(*(column != "" for column in columns[1:3])))).all()
    db.session.commit()
    for batch_id, table, photos, layout in found:
        mine = update(ImportBatch).where(ImportBatch.id == batch_id)
        if photos and photo_archive.forget(photos, numbers):
            changed_rows(mine.values(photos_file=ImportBatch.photos_file))
            db.session.commit()
        if table and import_files.remove(table):
            changed_rows(mine.values(table_file="", layout={**layout, "sample": []}))
            db.session.commit()


def forget_rows(numbers: Collection[str], name: str, employee_id: int | None) -> None:
    """Delete a person's rows within the caller's transaction, also the wrong ones that have the name.

    :param numbers: the numbers that the person has or had.
    """
    own: ColumnElement[bool] = false() if employee_id is None else ImportRow.employee_id == employee_id
    named = _named(folded(name)) if name else []
    changed_rows(delete(ImportRow).where(or_(ImportRow.number.in_(numbers), own)))
    for start in range(0, len(named), BATCH):
        changed_rows(delete(ImportRow).where(ImportRow.id.in_(named[start : start + BATCH])))
    if name:
        _blank_columns(folded(name))


def _blank_columns(name: str) -> None:
    """Blank the names of columns where a table had none, so that its first person stands there."""
    for batch in db.session.execute(select(ImportBatch)).scalars():
        columns = batch.layout.get("columns", [])
        if name in folded(" ".join(columns)):
            batch.layout = {**batch.layout, "columns": [""] * len(columns)}
    db.session.flush()


def _named(name: str) -> list[int]:
    """Return the ids of the wrong rows with this folded name somewhere in them."""
    columns = (ImportRow.id, ImportRow.values, ImportRow.cells, ImportRow.photo)
    found = db.session.execute(select(*columns).where(ImportRow.verdict == WRONG).execution_options(yield_per=BATCH))
    return [row.id for row in found if name in folded(" ".join(_texts(row)))]


def _texts(row: Any) -> list[str]:
    return [*row.values.values(), *(row.cells or ()), row.photo]
