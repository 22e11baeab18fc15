"""Imports as somebody makes them: files, the dry run, the import, and its undo."""

import io
from collections.abc import Mapping
from typing import Any
from zipfile import ZipFile

from sqlalchemy import select

from hikflask.extensions import db
from hikflask.models import ImportBatch, ImportRow, Job
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.imports import batches
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports.batches import Upload
from hikflask.services.imports.table.options import DEFAULT, Options
from tests.support.jobs import run
from tests.support.removals import AGREED

HEADER = "Табельный номер;ФИО;Подразделение"


def table(*rows: str, header: str = HEADER, encoding: str = "utf-8") -> Upload:
    """A CSV file with these rows."""
    return Upload("люди.csv", io.BytesIO("\r\n".join([header, *rows, ""]).encode(encoding)))


def photos(pictures: Mapping[str, bytes]) -> Upload:
    """A ZIP file with these pictures by name."""
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        for name, picture in pictures.items():
            archive.writestr(name, picture)
    file.seek(0)
    return Upload("фото.zip", file)


def checked(
    *rows: str, terminal_id: int | None = None, pictures: Mapping[str, bytes] | None = None, **given: Any
) -> int:
    """Make an import of these rows, check it, and return its id."""
    return check(made(*rows, terminal_id=terminal_id, pictures=pictures, **given))


def made(
    *rows: str,
    terminal_id: int | None = None,
    pictures: Mapping[str, bytes] | None = None,
    groups: bool = False,
    options: Options = DEFAULT,
    **given: Any,
) -> int:
    """Make an import of these rows; `groups`: people come to the terminals of their groups."""
    batch = batches.make(table(*rows, **given) if rows else None, photos(pictures) if pictures else None)
    batches.choose(batch.id, batch.fields, terminal_id, groups=groups, options=options)
    return batch.id


def check(batch_id: int) -> int:
    """Check an import."""
    run(started(import_jobs.start_check, batch_id))
    return batch_id


def started(start: Any, batch_id: int) -> Claim:
    """Start a job of an import, as Анна, who confirmed who loses access by it."""
    agreed = () if start is import_jobs.start_check else (AGREED,)
    with audit.acting(Actor("Анна", "10.0.0.7")):
        claim: Claim = start(batch_id, *agreed)
    return claim


def apply(batch_id: int) -> Job:
    """Import what was checked."""
    return run(started(import_jobs.start_import, batch_id))


def undo(batch_id: int) -> Job:
    """Undo an import."""
    return run(started(import_jobs.start_undo, batch_id))


def batch(batch_id: int) -> ImportBatch:
    """The import, as the database has it."""
    found = batches.get_one(batch_id)
    db.session.commit()
    return found


def counts(batch_id: int) -> tuple[int, int, int, int]:
    """How many are new, changed, unchanged and wrong."""
    one = batch(batch_id)
    return one.new, one.changed, one.unchanged, one.wrong


def rows(batch_id: int) -> list[ImportRow]:
    """The rows of an import, as the database has them."""
    statement = select(ImportRow).where(ImportRow.batch_id == batch_id).order_by(ImportRow.id)
    found = list(db.session.execute(statement, execution_options={"populate_existing": True}).scalars())
    db.session.commit()
    return found


def errors(batch_id: int) -> dict[str, Any]:
    """What is wrong with each wrong row, by number."""
    return {row.number: row.errors for row in rows(batch_id) if row.errors}
