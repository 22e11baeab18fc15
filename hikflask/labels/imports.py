"""The words of an import: what each of its rows would do, field by field."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from hikflask import text_rules
from hikflask.labels import bars
from hikflask.labels.bars import Part
from hikflask.labels.dates import local_day
from hikflask.messages import refusal_sentence, sentence
from hikflask.models import ImportBatch, ImportRow, Terminal
from hikflask.models.import_batch import CHANGED, NEW, UNCHANGED, WRONG
from hikflask.models.refusal import Refusal
from hikflask.models.terminal import BY_PICTURE, BY_URL
from hikflask.services.imports.lost_faces import LostFaces
from hikflask.services.imports.queries import Reason, reason_of
from hikflask.services.imports.table.options import ONLY_CHANGES, ONLY_NEW
from hikflask.services.spreadsheets.reader_process import ALL
from hikflask.text_rules import N_, isolated

FIELDS = {
    "number": N_("Employee ID"),
    "name": N_("Full name"),
    "last_name": N_("Last name"),
    "first_name": N_("First name"),
    "middle_name": N_("Middle name"),
    "department": N_("Department"),
    "left": N_("Has left"),
    "active": N_("Works here"),
    "valid_from": N_("Valid from"),
    "valid_to": N_("Valid to"),
    "photo": N_("Photo"),
    "terminal": N_("Terminal"),
    "groups": N_("Terminals of groups"),
    "row": N_("Row"),
}
DAYS = ("valid_from", "valid_to")
PARTS = ("last_name", "first_name", "middle_name")
VERDICTS = {
    NEW: _l("New"),
    CHANGED: _l("Changed"),
    UNCHANGED: _l("Unchanged"),
    WRONG: _l("Wrong"),
}
STAGES = {
    "choosing": _l("Columns are not chosen yet"),
    "checking": _l("Being checked"),
    "checked": _l("Checked, not imported yet"),
    "importing": _l("Being imported"),
    "imported": _l("Imported"),
    "undoing": _l("Being undone"),
    "undone": _l("Undone"),
    "cut_short": _l("Not finished"),
}
HEADINGS = {
    "checking": _l("The file is being checked"),
    "checked": _l("The file is checked"),
    "importing": _l("Import"),
    "imported": _l("Import"),
    "undoing": _l("Undoing of an import"),
    "undone": _l("Undoing of an import"),
}


EFFECTS = {
    "other_person": _l("Another person?"),
    "lose_terminals": _l("Lose terminals"),
    "leaving": _l("Leave"),
    "validity_lifted": _l("Validity is lifted"),
    "validity_extended": _l("Validity is extended"),
    "stays_inactive": _l("Inactive here, and stay so"),
    "photo_replaced": _l("Photos are replaced"),
    "names_shortened": _l("Names lose words"),
    "unknown_ids": _l("No such ID here"),
    "known_elsewhere": _l("The name is here under another ID"),
    "digits_in_names": _l("Digits in names"),
    "look_alikes": _l("Letters of the other alphabet, invisible signs"),
}


@dataclass(frozen=True)
class Change:
    """A field with its former and its new value as texts."""

    label: str
    before: str
    after: str


def field_label(field: str) -> str:
    """Return the name of a field."""
    return str(_(FIELDS.get(field, field)))


def bar(batch: ImportBatch) -> list[Part]:
    """Return the parts of the bar of an import: how many rows have each verdict."""
    tones = {NEW: "good", CHANGED: "changed", UNCHANGED: "none", WRONG: "bad"}
    counts = {verdict: getattr(batch, verdict) for verdict in tones}
    return bars.bar(
        (tone, counts[verdict], f"{VERDICTS[verdict]}: {format_decimal(counts[verdict])}")
        for verdict, tone in tones.items()
    )


def plan_sentence(batch: ImportBatch) -> str:
    """Return in a sentence what an import would do."""
    if not batch.new + batch.changed:
        return str(_("There is nothing to import: no row is new or changed."))
    counts = {"new": format_decimal(batch.new), "changed": format_decimal(batch.changed)}
    if not batch.changed:
        return str(_("%(new)s new, no changes.", **counts))
    if not batch.new:
        return str(_("Nobody new, %(changed)s changed.", **counts))
    return str(_("%(new)s new, %(changed)s changed.", **counts))


def row_count(count: int) -> str:
    """Return a number of rows with its noun."""
    return str(ngettext("%(num)s row", "%(num)s rows", count))


def lost_faces(lost: LostFaces) -> str:
    """Return at which terminal an undo does not bring faces back, and whose."""
    more = [str(_("%(n)s more", n=format_decimal(lost.unnamed)))] if lost.unnamed else []
    names = ", ".join([*(isolated(name) for name in lost.names), *more])
    people = ngettext("%(num)s employee", "%(num)s employees", lost.people)
    sentence = str(_("“%(t)s”: %(people)s (%(names)s).", t=isolated(lost.terminal), people=people, names=names))
    if not lost.leaving:
        return sentence
    n = format_decimal(lost.leaving)
    return f"{sentence} " + str(_("Not removed there yet: %(n)s. If the undo is faster, their faces may stay.", n=n))


def sheet_choices(batch: ImportBatch) -> list[tuple[str, str]]:
    """Return the sheets that have something, each by its name with a text; last all that have the same columns."""
    sheets = [sheet for sheet in batch.layout.get("sheets", []) if sheet["rows"]]
    choices = [(sheet["name"], _sheet(sheet)) for sheet in sheets]
    alike = [sheet for sheet in sheets if sheet["alike"]]
    if len(alike) > 1:
        rows = row_count(sum(sheet["rows"] for sheet in alike))
        choices.append((ALL, str(_("All with the same columns: %(n)s, %(rows)s", n=len(alike), rows=rows))))
    return choices if len(choices) > 1 else []


def _sheet(sheet: Mapping[str, Any]) -> str:
    words = [row_count(sheet["rows"])]
    words += [] if sheet["people"] else [str(_("no people"))]
    words += [str(_("hidden"))] if sheet["hidden"] else []
    return f"{isolated(sheet['name'])} ({', '.join(words)})"


def sheets_sentence(batch: ImportBatch) -> str:
    """Return how many sheets the file has, and how many of them have people."""
    sheets = batch.layout.get("sheets", [])
    counts = {"sheets": format_decimal(len(sheets)), "people": format_decimal(sum(one["people"] for one in sheets))}
    return str(_("Sheets in the file: %(sheets)s, with people: %(people)s.", **counts))


def one_sheet_sentence(batch: ImportBatch) -> str:
    """Return that one sheet is read of several with people, or ""."""
    with_people = sum(sheet["people"] for sheet in batch.layout.get("sheets", []))
    name = batch.layout.get("sheet", ALL)
    if name == ALL or with_people < 2:
        return ""
    count = format_decimal(with_people)
    return str(_("Only the sheet “%(name)s” is read. Sheets with people: %(n)s.", name=isolated(name), n=count))


def forecast_sentence(terminal: Terminal, people: int, with_face: int) -> str:
    """Return of how many people that an import would send to a terminal the face goes with them; "" for all.

    Where it is not known whether the terminal takes files, that is said, too.

    :param with_face: so many of the `people`.
    """
    n = {"n": format_decimal(with_face), "left": format_decimal(people - with_face)}
    if with_face == people:
        said = ""
    elif terminal.face_mode == BY_URL:
        said = str(_("%(left)s must come to its camera: this terminal takes no files.", **n))
    else:
        said = str(_("With a face: %(n)s; %(left)s must come to the camera.", **n))
    is_sure = terminal.face_mode == BY_PICTURE or not with_face
    return said if is_sure else f"{said} {sentence('files_unknown', name=terminal.name)}".lstrip()


def mode_sentence(batch: ImportBatch) -> str:
    """Return that only new employees or only changes are imported, or ""."""
    mode = batch.options.get("mode")
    if mode == ONLY_NEW:
        return str(_("Only new employees are imported; the others stay as they are."))
    return str(_("Only employees who are here are changed; nobody is added.")) if mode == ONLY_CHANGES else ""


def hidden_rows_sentence(batch: ImportBatch) -> str:
    """Return that rows are read which a spreadsheet does not show, or ""."""
    count = batch.layout.get("hidden_rows", 0)
    if not count:
        return ""
    rows = format_decimal(count)
    if batch.layout.get("filtered"):
        return str(_("Rows that a filter hides: %(n)s. They are read, too.", n=rows))
    return str(_("Hidden rows: %(n)s. They are read, too.", n=rows))


def pictures_sentence(batch: ImportBatch) -> str:
    """Return that pictures in or over cells are not taken, or ""."""
    count = batch.layout.get("pictures", 0)
    if not count:
        return ""
    return str(_("Pictures in the table: %(n)s. They are not taken: photos come in a ZIP.", n=format_decimal(count)))


def unused_sentence(batch: ImportBatch) -> str:
    """Return which columns are not read, with their words where these are few, or ""."""
    told = [
        f"{isolated(name)} ({', '.join(map(isolated, words))})" if words else isolated(name)
        for name, words in batch.layout.get("unused", {}).items()
    ]
    return str(_("Not used: %(columns)s.", columns=", ".join(told))) if told else ""


def left_out_sentence(batch: ImportBatch) -> str:
    """Return how many rows have nothing in the columns that are read, and the first of them, or ""."""
    count, lines = batch.layout.get("rows_left_out", 0), ", ".join(batch.layout.get("lines_left_out", []))
    if not count:
        return ""
    rows = f"{format_decimal(count)} ({lines})" if lines else format_decimal(count)
    return str(_("Rows with nothing in the columns that are read: %(n)s. They are left out.", n=rows))


def file_names(batch: ImportBatch) -> str:
    """Return the names of the files."""
    return " + ".join(name for name in (batch.table_name, batch.photos_name) if name)


def full_name(row: ImportRow) -> str:
    """Return the full name that a row gives, else the one that its employee had."""
    return str(row.values.get("name") or (row.before or {}).get("name") or "")


def mapped_columns(batch: ImportBatch) -> list[tuple[int, str, str]]:
    """Return the columns of the table that are used, as (index, field, header)."""
    heads = batch.layout["columns"]
    return [
        (index, field, heads[index] or field_label(field))
        for field, index in sorted(batch.fields.items(), key=lambda item: item[1])
    ]


def person(row: ImportRow, names: Mapping[int, str]) -> str:
    """Return the name and the number of a row's person; the names of employees are given by their ids."""
    here = names.get(row.employee_id or 0) or full_name(row)
    return f"{here} ({row.number})" if here else row.number or row.photo


def similar_id(row: ImportRow) -> str:
    """Return the ID of somebody here that a row may mean whose own ID is wrong or nobody's, or ""."""
    refusal = (row.errors or {}).get("number")
    return str(refusal["params"].get("meant", "")) if refusal else ""


def changes(row: ImportRow, terminal: str) -> list[Change]:
    """Return what a row changes, field by field; of a new employee, what there is beside ID and name.

    :param terminal: the name of the terminal that people are sent to.
    """
    if row.verdict == NEW:
        days = {name: row.values.get(name) for name in DAYS}
        photo = "" if "photo" in (row.errors or {}) else row.photo
        # That all new ones go to the terminal is said above the rows.
        fields = {"department": row.values.get("department"), **days, "photo": photo}
        return [_change(row, field, None, terminal) for field, value in fields.items() if value]
    return [_change(row, field, before, terminal) for field, before in (row.before or {}).items()]


def _change(row: ImportRow, field: str, before: Any, terminal: str) -> Change:
    if field == "left":
        return Change(str(_("State")), str(_("active")), str(_("inactive")))
    if field == "terminal":
        return Change(field_label(field), "", terminal)
    if field == "groups":
        return Change(field_label(field), "", str(_("yes")))
    if field == "photo":
        return Change(field_label(field), str(_("another one")) if before else "", row.photo)
    after = row.values.get(field, "")
    if field in DAYS:
        return Change(field_label(field), _day(before), _day(after))
    return Change(field_label(field), str(before or ""), after)


def _day(written: Any) -> str:
    day = text_rules.day_of(written)
    return local_day(day) if day else ""


def effect_detail(kind: str, effect: Any, namesakes: Mapping[int, str]) -> str:
    """Return what there is to say of an effect of a row, beside its kind.

    :param namesakes: the numbers of the employees with the same name or that photo, by their ids.
    """
    if kind == "lose_terminals":
        return ", ".join(effect)
    if kind in {"validity_lifted", "validity_extended"}:
        return str(_("until %(day)s", day=_day(effect)))
    if kind == "unknown_ids" and effect:
        return str(_("perhaps %(id)s", id=effect))
    if kind == "known_elsewhere":
        return namesakes.get(effect, "")
    # True where the photo is nobody's here.
    if kind == "photo_replaced" and effect is not True and effect in namesakes:
        return str(_("photo of %(id)s", id=namesakes[effect]))
    return ""


def sign_pieces(text: str) -> list[tuple[str, bool]]:
    """Return the pieces of a text, and which are letters of the other alphabet or invisible signs.

    A sign that shows nothing is given by its number in Unicode.
    """
    signs = text_rules.odd_signs(text)
    pieces = []
    for is_odd, places in groupby(range(len(text)), key=signs.__contains__):
        shown = (text[place] if signs.get(place, "-") else f"U+{ord(text[place]):04X}" for place in places)
        pieces.append(("".join(shown), is_odd))
    return pieces


def field_errors(row: ImportRow) -> list[tuple[str, str, str]]:
    """Return each field that is wrong with the sentence that says why; of a photo also the file, else ""."""
    return [
        (field_label(field), row.photo if field == "photo" else "", _error(field, refusal))
        for field, refusal in (row.errors or {}).items()
    ]


@dataclass(frozen=True)
class WrongRows:
    """Rows that are wrong for the same reason: each field with its sentence, and how many they are in all (0: unknown).

    `rows`: each row with what is said of it alone.
    """

    errors: list[tuple[str, str]]
    count: int
    rows: list[tuple[ImportRow, list[str]]]


def by_reason(rows: Iterable[ImportRow], counts: Mapping[Reason, int]) -> list[WrongRows]:
    """Return wrong rows by their reasons, each of which is said once.

    :param counts: how many rows of the import there are of each reason.
    """
    groups: dict[Reason, list[ImportRow]] = {}
    for row in rows:
        groups.setdefault(reason_of(row.errors), []).append(row)
    return [
        _wrong_rows(reason, sorted(alike, key=lambda row: row.id), counts.get(reason, 0))
        for reason, alike in groups.items()
    ]


def _wrong_rows(reason: Reason, rows: list[ImportRow], count: int) -> WrongRows:
    errors = []
    said: dict[int, list[str]] = {row.id: [] for row in rows}
    for field, code in reason:
        sentences = {row.id: _error(field, (row.errors or {})[field]) for row in rows}
        shared = next(iter(sentences.values()))
        if len({*sentences.values()}) > 1:
            shared = _error(field, Refusal(code=code, params={}))
        errors.append((field_label(field), shared))
        for row in rows:
            said[row.id] += [row.photo] if field == "photo" and row.photo else []
            said[row.id] += [sentences[row.id]] if sentences[row.id] != shared else []
    return WrongRows(errors, count, [(row, said[row.id]) for row in rows])


def _error(field: str, refusal: Refusal) -> str:
    return refusal_sentence(refusal, field=field_label(field))


def row_warnings(row: ImportRow) -> list[str]:
    """Return in sentences what to look at in a row that is not wrong."""
    return [refusal_sentence(refusal, field=field_label(field)) for field, refusal in (row.warnings or {}).items()]


def photo_error(row: ImportRow) -> str:
    """Return why the photo of a row is refused, or ""."""
    return _about_photo(row.errors)


def photo_warning(row: ImportRow) -> str:
    """Return what to look at in the photo of a row, or ""."""
    return _about_photo(row.warnings)


def _about_photo(refusals: dict[str, Refusal] | None) -> str:
    refusal = (refusals or {}).get("photo")
    return refusal_sentence(refusal, field=field_label("photo")) if refusal else ""


def row_error(row: ImportRow) -> str:
    """Return why a row is wrong, in one line."""
    return " ".join(f"{f'{field} {file}'.strip()}: {text}" for field, file, text in field_errors(row))
