"""Imports of tables of people and ZIPs of photos: what each row would do or did, and kept mappings of columns."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from hikflask.extensions import Base
from hikflask.models.columns import NO_ID_TWICE, UTCDateTime, database_now
from hikflask.models.refusal import Refusal

NEW = "new"
CHANGED = "changed"
UNCHANGED = "unchanged"
WRONG = "wrong"
VERDICTS = (NEW, CHANGED, UNCHANGED, WRONG)

OPEN = ""
APPLIED = "applied"
UNDONE = "undone"

# In place of what the layout has of people besides the columns: a sheet may have the name of one.
NOTHING_SHOWN: dict[str, Any] = {"sample": [], "sheet": "", "sheets": []}


class ImportBatch(Base):
    """One import, from the uploaded files to the result of each row.

    `table_file` and `photos_file` are the names of the stored files in the folder of imports, blank once they are
    removed; `table_name` and `photos_name` are the names that the files came with. `layout` says how the table is read,
    `fields` which column has which field (field → index from 0), `options` how the cells are read
    (services/imports/table/options.py). The imported people are also sent to
    the terminal `terminal_id`, and with `groups` to the terminals of their groups.
    `new_departments` are the names that the import adds, as determined at its start. The counts are those of the dry
    run, at `checked_at`; `effects` counts what it will do to people, by the kinds of services/imports/effects.py.

    Three jobs work on it: the dry run, the import itself, and its undo.
    """

    __table_args__ = (NO_ID_TWICE,)

    id: Mapped[int] = mapped_column(primary_key=True)
    requested_by: Mapped[str] = mapped_column(String(128), default="")
    table_name: Mapped[str] = mapped_column(String(255), default="")
    table_file: Mapped[str] = mapped_column(String(80), default="")
    photos_name: Mapped[str] = mapped_column(String(255), default="")
    photos_file: Mapped[str] = mapped_column(String(80), default="")
    layout: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    fields: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    new_departments: Mapped[list[str]] = mapped_column(JSON, default=list)
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    effects: Mapped[dict[str, int]] = mapped_column(JSON, default=dict, server_default="{}")
    terminal_id: Mapped[int | None] = mapped_column(ForeignKey("terminal.id", ondelete="SET NULL"), index=True)
    groups: Mapped[bool] = mapped_column(default=False, server_default=false())
    new: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    wrong: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
    checked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    check_job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"), index=True)
    import_job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"), index=True)
    undo_job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"), index=True)


class ImportRow(Base):
    """A row of an import, or a photo whose employee is not in the table.

    `line` is the row's number in the file, from 1 as a spreadsheet shows it; None for a photo alone. `sheet` is the
    name of its sheet where several are read. `verdict` is that of the dry run. `values` are the texts of the recognised
    columns by field, `cells` the whole row (of one with errors, to give it back, and of one that was `corrected` in
    place). `before` has the fields that change, with the employee's values at the dry run; `written` the same fields as
    they were written. `errors`: field → why it is refused; of a row that is not wrong it is the photo, which is left
    out. `warnings`: field → what to look at, though it comes in. `effects`: kind → what the row will do to its person;
    one that would make another person of somebody is applied only once it is `confirmed`. `photo` is the name of the
    picture in the ZIP, `former_photo_id` the employee's photo before.

    `state` tells whether the row was applied, and whether that was undone.
    """

    __table_args__ = (
        CheckConstraint("verdict IN ('new', 'changed', 'unchanged', 'wrong')", name="verdict"),
        CheckConstraint("state IN ('', 'applied', 'undone')", name="state"),
        Index("ix_import_row_batch_id_verdict_id", "batch_id", "verdict", "id"),
        Index("ix_import_row_batch_id_number", "batch_id", "number"),
        NO_ID_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id", ondelete="CASCADE"))
    line: Mapped[int | None]
    sheet: Mapped[str] = mapped_column(String(64), default="", server_default="")
    number: Mapped[str] = mapped_column(String(64), index=True)
    verdict: Mapped[str] = mapped_column(String(12))
    values: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    cells: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    written: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    errors: Mapped[dict[str, Refusal] | None] = mapped_column(JSON(none_as_null=True))
    warnings: Mapped[dict[str, Refusal] | None] = mapped_column(JSON(none_as_null=True))
    effects: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    confirmed: Mapped[bool] = mapped_column(default=False, server_default=false())
    corrected: Mapped[bool] = mapped_column(default=False, server_default=false())
    photo: Mapped[str] = mapped_column(String(255), default="")
    employee_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id", ondelete="SET NULL"), index=True)
    former_photo_id: Mapped[int | None] = mapped_column(ForeignKey("photo.id", ondelete="SET NULL"), index=True)
    state: Mapped[str] = mapped_column(String(8), default=OPEN)


class ImportMapping(Base):
    """A mapping. `columns` are the heads of the table, `fields` and `options` as those of an import."""

    __table_args__ = (NO_ID_TWICE,)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    columns: Mapped[list[str]] = mapped_column(JSON)
    fields: Mapped[dict[str, int]] = mapped_column(JSON)
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    saved_by: Mapped[str] = mapped_column(String(128), default="")
    saved_at: Mapped[datetime] = mapped_column(UTCDateTime, default=database_now())
