"""`flask --app wsgi employees import` and `employees undo`: people in from a table, and back."""

import json
import re
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from hikflask import messages
from hikflask.cli import console
from hikflask.forms.fields import MAX_ID
from hikflask.models import ImportBatch, Job
from hikflask.models.import_batch import VERDICTS
from hikflask.models.job import DONE, STOPPED
from hikflask.models.refusal import Refusal
from hikflask.services import audit
from hikflask.services.changes import lifecycle, queries
from hikflask.services.changes.kinds import IMPORT
from hikflask.services.changes.lifecycle import Claim
from hikflask.services.changes.run import run_to_end
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.services.imports import batches, effects
from hikflask.services.imports import jobs as import_jobs
from hikflask.services.imports import queries as import_queries
from hikflask.services.imports import report as import_report
from hikflask.services.imports.batches import ColumnsAsked, ColumnsUnclear, DaysUnknown, Upload
from hikflask.services.imports.classify import PHOTO
from hikflask.services.imports.report import ReadAs, Report
from hikflask.services.imports.table import columns, mappings
from hikflask.services.imports.table.columns import DEPARTMENT, VALID_TO
from hikflask.services.imports.table.options import CLEARABLE, DEFAULT, LETTERS, MODES, PATHS, Options

A_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
# The options of the command that are those of services/imports/table/options.py.
OPTIONS = ("mode", "clear", "sheet_is_department", "strip_prefix", "pad_to", "letters", "path")
# How many wrong rows are printed.
MAX_PRINTED = 20
# The exit status when rows are left out until somebody confirms them.
LEFT_OUT = 3
EFFECTS = {
    effects.OTHER_PERSON: "another person? Here is “{}”",
    effects.LOSE_TERMINALS: "loses {}",
    effects.VALIDITY_LIFTED: "valid without limit, until {} here",
    effects.VALIDITY_EXTENDED: "valid longer, until {} here",
    effects.LEAVING: "leaves",
    effects.UNKNOWN_IDS: "nobody here has this ID{}",
    effects.LOOK_ALIKES: "letters of the other alphabet or invisible signs: {} is meant",
    effects.KNOWN_ELSEWHERE: "the same name has the ID {} here",
    effects.STAYS_INACTIVE: "“{}” is inactive here, and stays so",
    effects.PHOTO_REPLACED: "another photo than here{}",
    effects.NAMES_SHORTENED: "the name loses words, here it is “{}”",
    effects.DIGITS_IN_NAMES: "digits in the name",
}


@dataclass(frozen=True)
class Limit:
    """A limit that was given as a number, or as a percentage."""

    number: int
    is_percentage: bool

    def of(self, whole: int) -> float:
        """Return the limit as a number, of the whole that it is a percentage of."""
        return whole * self.number / 100 if self.is_percentage else self.number


def _limit(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Limit | None:
    match = re.fullmatch(r"([0-9]{1,9})(%?)", value or "")
    if value is not None and match is None:
        raise click.BadParameter(f"“{value}” is no number and no percentage.")
    return Limit(int(match[1]), bool(match[2])) if match else None


@click.command("import")
@click.argument("file", type=A_FILE)
@click.option("--photos", type=A_FILE, help="A ZIP archive of photos, each named by employee ID or full name.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object.")
@click.option("--terminal", "terminal_id", type=click.IntRange(1, MAX_ID), help="Send everybody there, too.")
@click.option("--groups", is_flag=True, help="Send everybody to the terminals of their groups, too.")
@click.option(
    "--min-rows",
    callback=_limit,
    metavar="N|N%",
    help="Do nothing if FILE has fewer rows, or of those active here fewer.",
)
@click.option(
    "--max-wrong", callback=_limit, metavar="N|N%", help="Do nothing if more rows are wrong, or more of them."
)
@click.option("--confirm", type=int, help="How many people lose access, where they are many.")
@click.option("--confirm-name", "confirmed", multiple=True, metavar="ID", help="Who gets a wholly other name.")
@click.option("--column", "chosen", multiple=True, metavar="FIELD=HEADER", help="Which column has a field, or none.")
@click.option("--unused", multiple=True, metavar="HEADER", help="A column that is asked about and not needed.")
@click.option("--path", type=click.Choice(PATHS), help="What is read of a department's path.")
@click.option("--sheet", default="", help="The sheet to read, or * for all with the same columns.")
@click.option("--sheet-is-department", is_flag=True, help="The name of each sheet is the department.")
@click.option("--mapping", metavar="NAME", help="Read the table as saved columns say.")
@click.option("--mode", type=click.Choice(MODES), help="Only new people, only changes, or both.")
@click.option("--clear", multiple=True, type=click.Choice(CLEARABLE), help="An empty cell clears this field.")
@click.option("--department", help="The department of all, in place of a column.")
@click.option("--valid-to", type=click.DateTime(["%Y-%m-%d"]), help="The last day of all, in place of a column.")
@click.option("--strip-prefix", help="The beginning of IDs that is left out.")
@click.option("--pad-to", type=click.IntRange(1, 32), help="IDs with fewer digits get zeros in front.")
@click.option("--letters", type=click.Choice(LETTERS), help="Refuse Cyrillic letters in IDs, or read Latin ones.")
@with_appcontext
def import_employees(
    file: Path,
    photos: Path | None,
    dry_run: bool,
    as_json: bool,
    terminal_id: int | None,
    groups: bool,
    confirm: int | None,
    confirmed: tuple[str, ...],
    sheet: str,
    **how: Any,
) -> None:
    """Add and change employees by FILE: a table (CSV, XLSX, XLS or ODS), or a ZIP archive of photos.

    Wrong rows are told on standard error and left out; the exit status is 0 all the same. It is 1, and nothing is done,
    when FILE cannot be read, when all its rows are wrong, and by --min-rows and --max-wrong. It is 3 when rows are left
    out until somebody confirms them, and the others are done: those that take access, while many would lose it and
    --confirm is not how many, and those that would make another person of somebody whose face is enrolled, without
    --confirm-name.
    """
    batch = _make(file, photos, sheet)
    agreed = None if dry_run else Confirmation(confirm, by_admin=True)
    read, report, refused = _import(batch, agreed, terminal_id, confirmed, how, groups=groups)
    is_done = not (dry_run or refused)
    _print_problems(report)
    if as_json:
        click.echo(json.dumps(_as_json(report, read, is_done=is_done)))
    else:
        if read:
            click.echo(_how_read(read))
        click.echo(_counts(report), nl=False)
        if dry_run:
            click.echo("This was a dry run: nothing is changed.")
        elif is_done:
            click.echo(f"This is import {report.batch_id}; undo it by `employees undo {report.batch_id}`.")
        else:
            click.echo("Nothing is changed.")
    if refused:
        raise click.ClickException(refused)
    if is_done and (report.unconfirmed or report.withheld):
        raise click.exceptions.Exit(LEFT_OUT)


@click.command("undo")
@click.argument("batch_id", metavar="BATCH", type=click.IntRange(1, MAX_ID))
@click.option("--confirm", type=int, help="How many people lose access, where they are many.")
@with_appcontext
def undo_import(batch_id: int, confirm: int | None) -> None:
    """Undo an import, whose number BATCH the import told. The exit status is 1 when some rows could not be undone."""
    claim = import_jobs.start_undo(batch_id, Confirmation(confirm, by_admin=True))
    for lost in import_queries.undo_preview(batch_id).lost_faces:
        numbers = ", ".join([*lost.numbers, *(["…"] if lost.unnamed else [])])
        click.echo(f"To be captured again on “{lost.terminal}”: {lost.people} ({numbers}).", err=True)
    job = _run(claim)
    failed, count = queries.failures(job.id, MAX_PRINTED)
    for failure in failed.rows:
        click.echo(f"{failure.item.number}: {messages.english_of(failure.item.refusal)}", err=True)
    _print_rest(count - len(failed.rows))
    click.echo(f"Undone: {job.done - job.failed}, not undone: {job.failed}.")
    if job.failed:
        raise click.exceptions.Exit(1)


def _make(file: Path, photos: Path | None, sheet: str) -> ImportBatch:
    is_archive = file.suffix.lower() == ".zip"
    if is_archive and photos is not None:
        raise click.UsageError("FILE is an archive of photos already: give it alone, or a table with --photos.")
    table, photos = (None, file) if is_archive else (file, photos)
    with ExitStack() as files:
        people, pictures = (
            Upload(path.name, files.enter_context(path.open("rb"))) if path else None for path in (table, photos)
        )
        return batches.make(people, pictures, sheet, asks_for_sheet=True)


def _import(
    batch: ImportBatch,
    agreed: Confirmation | None,
    terminal_id: int | None,
    confirmed: Sequence[str],
    how: Mapping[str, Any],
    *,
    groups: bool,
) -> tuple[ReadAs | None, Report, str]:
    """Check an import, and do it if that is agreed; nothing stays of an import that is only checked.

    Return how its table was read, what came of it, and why it is not to be done, or "".

    :param how: how the table is read, and the limits, by the names of the command's options.
    """
    batch_id, is_over = batch.id, False
    try:
        fields, options = _chosen(batch, how)
        batches.choose(batch_id, fields, terminal_id, groups=groups, options=options)
        _run(import_jobs.start_check(batch_id))
        read = import_report.read_as(batches.get_one(batch_id)) if batch.table_name else None
        refused = _why_refused(batches.get_one(batch_id), how["min_rows"], how["max_wrong"])
        if agreed is not None and not refused:
            effects.confirm_numbers(batch_id, confirmed)
            claim = import_jobs.start_import(batch_id, agreed, withholds=True)
            is_over = True
            _run(claim)
        return read, import_report.of_batch(batches.get_one(batch_id), MAX_PRINTED), refused
    except ColumnsAsked as error:
        asked = (_question(batch, question) for question in (error, *error.others))
        raise click.ClickException("\n".join(asked)) from error
    finally:
        if not is_over:
            import_jobs.forget_dry_run(batch_id)


def _question(batch: ImportBatch, error: ColumnsAsked) -> str:
    """Say what is asked about columns, and how that is answered."""
    if isinstance(error, ColumnsUnclear):
        names = columns.told_apart(batch.layout["columns"])
        told = ", ".join(f"“{names[index]}” may be {field}" for index, field in error.may_be.items())
        how = "Name it by --column FIELD=HEADER, or say that it is not needed by --unused HEADER."
        return f"It is not clear: {told}. {how}"
    if isinstance(error, DaysUnknown):
        return (
            f"No validity is known in {error.params['columns']}. Name it by --column valid_to=HEADER, "
            "--column valid_from=HEADER or --column left=HEADER, or say that it is not needed by --unused HEADER."
        )
    field = error.fields[0]
    return f"No column is known as {field}. {_columns_there(batch, field)}"


def _columns_there(batch: ImportBatch, missing: str) -> str:
    """Say which columns the table has, and how one is named; where none has a name, by its place."""
    names: list[str] = batch.layout["columns"]
    if any(names):
        return f"Name it by --column {missing}=HEADER; the table has {_quoted(columns.told_apart(names))}."
    first = ", ".join(f"{place} “{cell}”" for place, cell in enumerate(batch.layout["sample"][0], 1))
    return f"The columns have no names. Name them by places, such as --column {missing}=1; the first row is {first}."


def _why_refused(batch: ImportBatch, min_rows: Limit | None, max_wrong: Limit | None) -> str:
    """Return why a file that was checked is taken for one that went wrong where it was made, or ""."""
    rows = sum(getattr(batch, verdict) for verdict in VERDICTS)
    if batch.wrong == rows:
        return "No row of the file can be imported."
    here = import_queries.absent(batch, 0)
    if min_rows and min_rows.is_percentage and here.active - here.people < min_rows.of(here.active):
        return f"Of {here.active} active here {here.active - here.people} are in the file: too few by --min-rows."
    if min_rows and not min_rows.is_percentage and rows < min_rows.number:
        return f"Rows in the file: {rows}. These are too few by --min-rows."
    if max_wrong and batch.wrong > max_wrong.of(rows):
        return f"Wrong rows: {batch.wrong} of {rows}. These are too many by --max-wrong."
    return ""


def _chosen(batch: ImportBatch, how: Mapping[str, Any]) -> tuple[dict[str, int], Options]:
    """Return which column has which field and how cells are read: as recognised or kept, or as chosen instead."""
    names, fields, options = batch.layout.get("columns", []), batch.fields, DEFAULT
    if how["mapping"]:
        fitted = mappings.fit(how["mapping"], names)
        fields, options = fitted.fields, fitted.options
    try:
        chosen = columns.with_choices(names, fields, (choice.partition("=")[::2] for choice in how["chosen"]))
    except ValueError as error:
        raise click.UsageError(f"--column: {error}") from error
    left_out = sorted({*fields.values()} - {*chosen.values()})
    unused = (*options.unused_days, *left_out, *(_index(names, header) for header in how["unused"]))
    last_day = how["valid_to"].date().isoformat() if how["valid_to"] else ""
    fixed = {field: value for field, value in ((DEPARTMENT, how["department"]), (VALID_TO, last_day)) if value}
    given = {name: how[name] for name in OPTIONS if how[name]}
    return chosen, replace(options, **given, fixed={**options.fixed, **fixed}, unused_days=unused)


def _index(names: Sequence[str], header: str) -> int:
    index = columns.index_of(names, header)
    if index is None:
        raise click.UsageError(
            f"--unused: the table has no column “{header}”, but {_quoted(columns.told_apart(names))}."
        )
    return index


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"“{name}”" for name in names if name)


def _run(claim: Claim) -> Job:
    """Run a job to its end in this process, and return it; an interrupt stops the job.

    :raises click.ClickException: when it failed as a whole, or somebody stopped it.
    """
    with _stopped_by_interrupt(claim.job_id), console.progress_shown(claim.job_id):
        run_to_end(claim)
    job = queries.find_job(claim.job_id)
    if job is None or job.state == STOPPED:
        if job is None or job.kind != IMPORT:
            raise click.ClickException("Stopped.")
        raise click.ClickException(
            f"Stopped after {job.done} of {job.total}. What is done stays; undo it by "
            f"`employees undo {job.params['batch']}`."
        )
    if job.state != DONE:
        raise click.ClickException(messages.english_of(job.refusal or Refusal(code="interrupted", params={})))
    return job


@contextmanager
def _stopped_by_interrupt(job_id: int) -> Iterator[None]:
    """Within its block let the first interrupt stop the job as the page's button does; the second ends the program.

    To raise it where the job is would leave a transaction half done, and SQLite locked by it.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    def stop() -> None:
        with app.app_context(), audit.acting(audit.COMMAND_LINE):
            lifecycle.stop_job(job_id)

    def begin_to_stop(*_: object) -> None:
        signal.signal(signal.SIGINT, previous)
        stopping.start()

    stopping = threading.Thread(target=stop)
    previous = signal.signal(signal.SIGINT, begin_to_stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if stopping.ident:
        stopping.join()


def _counts(report: Report) -> str:
    return f"New: {report.new}, changed: {report.changed}, unchanged: {report.unchanged}, wrong: {report.wrong}. "


def _as_json(report: Report, read: ReadAs | None, *, is_done: bool) -> dict[str, Any]:
    return {
        "batch": report.batch_id if is_done else None,
        **{verdict: getattr(report, verdict) for verdict in VERDICTS},
        "effects": report.effects,
        "unconfirmed": report.unconfirmed,
        "withheld": report.withheld,
        "absent": report.absent,
        **({"pad_to": report.lost_zeros} if report.lost_zeros else {}),
        **({"table": _table(read)} if read else {}),
    }


def _table(how: ReadAs) -> dict[str, Any]:
    told = asdict(how)
    counted = {name: told.pop(name) for name in ("unused", "rows_left_out", "lines_left_out")}
    return told | {name: value for name, value in counted.items() if value}


def _print_problems(report: Report) -> None:
    printed = 0
    for row in report.rows:
        printed += 1
        place = f"Row {row.line}" if row.line else row.photo or row.number
        files = {PHOTO: f" {row.photo}"} if row.line else {}
        sentences = [
            *(
                f"{field}{files.get(field, '')}: {messages.english_of(refusal)}"
                for field, refusal in (row.errors | row.warnings).items()
            ),
            *(EFFECTS[kind].format(_effect(kind, effect)) for kind, effect in row.effects.items()),
        ]
        click.echo(f"{place}: {'; '.join(sentences)}", err=True)
    _print_rest(report.listed - printed)
    if digits := report.lost_zeros:
        click.echo(
            f"IDs are here with zeros in front, which the file lost: --pad-to {digits} puts them back.", err=True
        )
    if named := report.effects.get(effects.DIGITS_IN_NAMES):
        click.echo(f"Digits in names: {named}.", err=True)
    if report.unconfirmed:
        click.echo(f"Not confirmed by --confirm-name, and left out: {report.unconfirmed}.", err=True)
    if report.withheld:
        say = f"Left out, as many would lose access, until --confirm is {report.losses.people}: {report.withheld}."
        click.echo(say, err=True)
    if report.leavers:
        click.echo(f"Deactivated: {report.leavers}.", err=True)
    if report.absent:
        numbers = ", ".join([*report.first_absent, *(["…"] if report.absent > len(report.first_absent) else [])])
        click.echo(f"Active here and not in the file: {report.absent} ({numbers}).", err=True)
    for loss in report.losses.terminals:
        click.echo(f"Lose access to “{loss.terminal}”: {loss.loses} of {loss.people}.", err=True)


def _how_read(how: ReadAs) -> str:
    """Return which columns were read, and of a workbook which sheet."""
    columns = ", ".join(f"{field} “{name}”" for field, name in how.columns.items())
    sheet = f" Sheet: “{how.sheet}”." if how.sheet else ""
    hidden = f" Hidden rows, read too: {how.hidden_rows}." if how.hidden_rows else ""
    pictures = f" Pictures in the table, not taken: {how.pictures}." if how.pictures else ""
    words = ((name, f" ({', '.join(told)})" if told else "") for name, told in how.unused.items())
    unused = ", ".join(f"“{name}”{some}" for name, some in words)
    not_used = f" Not used: {unused}." if unused else ""
    lines = f" ({', '.join(how.lines_left_out)})" if how.lines_left_out else ""
    left_out = (
        f" Rows left out, with nothing in these columns: {how.rows_left_out}{lines}." if how.rows_left_out else ""
    )
    said = f"Columns: {columns}.{sheet}{hidden}{pictures}{not_used}{left_out}"
    # Signs that steer a terminal's window may stand in a file.
    return "".join(filter(str.isprintable, said))


def _effect(kind: str, effect: Any) -> str:
    if kind == effects.UNKNOWN_IDS:
        return f": “{effect}”?" if effect else ""
    if kind == effects.PHOTO_REPLACED:
        return "" if effect is True else f": that of {effect}"
    several = effect.values() if isinstance(effect, dict) else effect
    return ", ".join(several) if isinstance(effect, (dict, list)) else str(effect)


def _print_rest(count: int) -> None:
    if count > 0:
        click.echo(f"… and {count} more.", err=True)
