"""Imports of users: a table, photos, or both, checked and done before the answer, or by a job when there are many."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Blueprint, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from hikflask import messages
from hikflask.api import import_parts
from hikflask.api.import_parts import FLAG_PART, flag
from hikflask.api.openapi.described import FILE, WHOLE, Files, component, described
from hikflask.api.support import body, error_json
from hikflask.api.support.body import InputError
from hikflask.background import tasks
from hikflask.http import bearer_token, body_limits
from hikflask.http.permissions import ADMIN, OPERATOR, allow
from hikflask.models import ImportBatch, Job
from hikflask.services.changes import queries
from hikflask.services.changes.kinds import IMPORT, IMPORT_CHECK
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.changes.run import run_to_end
from hikflask.services.core.errors import ServiceError, UnsafePlan
from hikflask.services.enrolments.mass_removals import Confirmation, Losses
from hikflask.services.imports import batches, effects
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports import report as import_report
from hikflask.services.imports.batches import ColumnsAsked, ColumnsUnclear, DaysUnknown, Upload
from hikflask.services.imports.classify import PHOTO
from hikflask.services.imports.effects import LOOK_ALIKES
from hikflask.services.imports.photos import pictures
from hikflask.services.imports.report import ListedRow, Report
from hikflask.services.imports.table.columns import told_apart
from hikflask.text_rules import is_employee_number

bp = Blueprint("api_imports", __name__, url_prefix="/api/users")
error_json.answer_in_json(bp)

# So many rows are done before the answer; a photo takes as long as twenty rows.
MAX_ROWS, ROWS_OF_A_PHOTO = 2_000, 20
# An import keeps a thread of the pages for up to a minute.
AT_ONCE, WAIT = 2, 5
_TURNS = threading.BoundedSemaphore(AT_ONCE)
MEGABYTE = 1024 * 1024
FILES = Files(
    {
        "file": {**FILE, "description": "A table: CSV, XLSX, XLS or ODS."},
        "photos": {**FILE, "description": "A ZIP archive of photos that are named by ID or full name."},
        "dry_run": FLAG_PART,
        "device_id": {
            **WHOLE,
            "description": "Everybody in the table is sent to this device; without a table, everybody with a photo.",
        },
        "groups": FLAG_PART,
        **import_parts.PARTS,
        "confirm_names": {
            "type": "string",
            "description": "IDs that get a wholly other name, separated by commas; without it these rows are left out.",
        },
        "confirm": {**WHOLE, "description": "How many people lose access, where that is refused as `unsafe_plan`."},
    }
)
NAMES_OF_FIELDS = {field: name for name, field in import_parts.FIELDS_OF_API.items()}
# The name of a field in a row → in the API.
API_NAMES = {"number": "hikvision_id", "name": "full_name", "active": "left", "terminal": "device_id"}


def longest_upload() -> int:
    """Return how large a table and an archive of photos may be together, in bytes."""
    return MEGABYTE * int(current_app.config["IMPORT_FILE_LIMIT"] + current_app.config["IMPORT_PHOTOS_LIMIT"])


@bp.post("/import", strict_slashes=False)
@allow(OPERATOR)
@body_limits.takes(longest_upload)
@described(component("Import"), other={202: component("ImportBegun")}, body=FILES, refusals=(409, 503))
def import_users() -> ResponseReturnValue:
    """Import the table in the part `file`, the photos in `photos`, or both; with `dry_run` nothing is changed.

    Where many lose access through it, an administrator's token confirms how many. Rows that would make another person
    of somebody whose face is enrolled are left out, unless `confirm_names` has their IDs.
    """
    table, photos = _upload("file"), _upload("photos")
    if table is None and photos is None:
        raise InputError({"file": "A CSV, XLSX, XLS or ODS file is expected in the part “file”."})
    dry_run, groups = flag("dry_run"), flag("groups")
    # Programs may use its name of the command line, too.
    device_id = body.row_id(request.form, "device_id" if "device_id" in request.form else "terminal_id")
    agreed = Confirmation(body.number(request.form, "confirm"), by_admin=bearer_token.may(ADMIN))
    confirmed = _confirmed_names()
    batch = batches.make(table, photos, request.form.get("sheet", ""), asks_for_sheet=True)
    try:
        fields, options = import_parts.read(batch)
        batches.choose(batch.id, fields, device_id, groups=groups, options=options)
        if batch.layout.get("rows", 0) + ROWS_OF_A_PHOTO * len(pictures.contents(batch).pictures) > MAX_ROWS:
            begin = import_jobs.start_check_and_import
            start = import_jobs.start_check(batch.id) if dry_run else begin(batch.id, agreed, confirmed)
            read = _read_as(batches.get_one(batch.id))
            tasks.enqueue_job(start)
            return jsonify({"job": start.job_id, **read}), 202
        with _turn():
            return _at_once(batch.id, dry_run, agreed, confirmed)
    except ColumnsAsked as error:
        import_jobs.forget_dry_run(batch.id)
        why = " ".join(_question(batch, asked) for asked in (error, *error.others))
        raise InputError({"file": why}, error.code) from error
    except (ServiceError, InputError):
        import_jobs.forget_dry_run(batch.id)
        raise


def of_job(job: Job, report: Report | None) -> dict[str, Any] | None:
    """Return what came of the import that a job checked or did: what a short one is answered with; None before."""
    if job.kind in {IMPORT, IMPORT_CHECK} and (refusal := job.refusal):
        code = refusal["code"]
        count = {"count": refusal["params"]["count"]} if code == UnsafePlan.code else {}
        return {"error": code, "message": messages.english_of(refusal), **count}
    if report is None:
        return None
    return _shape(report, job.kind == IMPORT_CHECK) | _read_as(batches.get_one(report.batch_id))


def _at_once(batch_id: int, dry_run: bool, agreed: Confirmation, confirmed: list[str]) -> ResponseReturnValue:
    _run(import_jobs.start_check(batch_id))
    # The name of the sheet is kept no longer than the table.
    read = _read_as(batches.get_one(batch_id))
    effects.confirm_numbers(batch_id, confirmed)
    if not dry_run:
        _run(import_jobs.start_import(batch_id, agreed))
    answer = jsonify(_shape(import_report.of_batch(batches.get_one(batch_id), MAX_ROWS), dry_run) | read)
    if dry_run:
        import_jobs.forget_dry_run(batch_id)
    return answer


def _run(claim: Claim) -> None:
    run_to_end(claim)
    job = queries.find_job(claim.job_id) or abort(404, "The import was deleted meanwhile.")
    if job.refusal:
        raise ServiceError(job.refusal["code"], fields=("file",), **job.refusal["params"])


def _shape(report: Report, dry_run: bool) -> dict[str, Any]:
    return {
        "batch": None if dry_run else report.batch_id,
        "new": report.new,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "wrong": report.wrong,
        "effects": report.effects,
        "rows": [_listed(row) for row in report.rows],
        **({"unconfirmed": report.unconfirmed} if report.unconfirmed else {}),
        **({"leavers": report.leavers} if report.leavers else {}),
        **({"lose_access": lose_access(report.losses)} if report.losses else {}),
        **({"pad_to": report.lost_zeros} if report.lost_zeros else {}),
        **({"absent": {"people": report.absent, "first": report.first_absent}} if report.absent else {}),
    }


def _read_as(batch: ImportBatch) -> dict[str, Any]:
    """Return how the table is read, as a part of an answer; nothing where photos came alone."""
    if not batch.table_name:
        return {}
    how = import_report.read_as(batch)
    # As the part `columns` names them: that of who works here is none of the fields that a row may have.
    columns = {NAMES_OF_FIELDS.get(field, field): name for field, name in how.columns.items()}
    told = {"columns": columns, "sheet": how.sheet or None, "hidden_rows": how.hidden_rows, "pictures": how.pictures}
    left_out = {"rows": how.rows_left_out, "first": how.lines_left_out}
    more = {"unused": how.unused, "left_out": left_out if how.rows_left_out else {}}
    return {"table": {**told, **{name: value for name, value in more.items() if value}}}


def lose_access(losses: Losses) -> dict[str, Any]:
    """Return who loses access at which devices."""
    devices = [
        {"device_id": loss.terminal_id, "name": loss.terminal, "lose": loss.loses, "people": loss.people}
        for loss in losses.terminals
    ]
    return {"people": losses.people, "devices": devices}


def _listed(row: ListedRow) -> dict[str, Any]:
    fields, warnings = (
        {API_NAMES.get(name, name): messages.english_of(refusal) for name, refusal in refusals.items()}
        for refusals in (row.errors, row.warnings)
    )
    photo = {"photo": row.photo} if row.line is None or PHOTO in row.errors | row.warnings else {}
    of_row = dict(row.effects)
    if LOOK_ALIKES in of_row:
        of_row[LOOK_ALIKES] = {API_NAMES.get(name, name): text for name, text in of_row[LOOK_ALIKES].items()}
    warned = {"warnings": warnings} if warnings else {}
    return {"row": row.line, "hikvision_id": row.number, "effects": of_row, "fields": fields, **photo, **warned}


@contextmanager
def _turn() -> Iterator[None]:
    if not _TURNS.acquire(timeout=WAIT):
        raise ServiceError("tables_waiting", seconds=WAIT, retry_after=WAIT)
    try:
        yield
    finally:
        _TURNS.release()


def _columns_there(batch: ImportBatch, missing: str) -> str:
    """Say which columns the table has; where none has a name, how one is chosen by its place."""
    names: list[str] = batch.layout["columns"]
    if any(names):
        told = zip(names, told_apart(names), strict=True)
        return f"The table has {', '.join(f'“{place}”' for name, place in told if name)}."
    first = ", ".join(f"{place} “{cell}”" for place, cell in enumerate(batch.layout["sample"][0], 1))
    return f"The columns have no names. Choose by places, such as {missing}=1 in “columns”; the first row is {first}."


def _question(batch: ImportBatch, error: ColumnsAsked) -> str:
    """Say what is asked about columns, and how that is answered."""
    if isinstance(error, ColumnsUnclear):
        return _unclear(batch, error)
    if isinstance(error, DaysUnknown):
        called = "Call it “Valid from”, “Valid to” or “Left”, or name it in “unused_columns”."
        return f"No validity is known in {error.params['columns']}. {called}"
    missing = API_NAMES.get(error.fields[0], error.fields[0])
    return f"No column is known as {missing}. {_columns_there(batch, missing)}"


def _unclear(batch: ImportBatch, error: ColumnsUnclear) -> str:
    """Say what the columns may be, and how that is answered."""
    names = told_apart(batch.layout["columns"])
    may_be = [(names[at], NAMES_OF_FIELDS.get(field, field)) for at, field in error.may_be.items()]
    told = ", ".join(f"“{name}” may be {field}" for name, field in may_be)
    name, field = may_be[0]
    return f"It is not clear: {told}. Choose it, such as {field}={name} in “columns”, or name it in “unused_columns”."


def _upload(part: str) -> Upload | None:
    file = request.files.get(part)
    return Upload(file.filename, file.stream) if file and file.filename else None


def _confirmed_names() -> list[str]:
    """Return the IDs of the rows whose wholly other names are confirmed."""
    sent = ",".join(request.form.getlist("confirm_names")).split(",")
    numbers = [number.strip() for number in sent if number.strip()]
    if not all(map(is_employee_number, numbers)):
        raise InputError({"confirm_names": "IDs are expected, separated by commas."})
    return numbers
