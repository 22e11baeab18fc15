"""Checks rows of an import: what is stored of each, with its verdict and its effects. Nothing is written here."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hikflask.models import ImportBatch
from hikflask.models.import_batch import WRONG
from hikflask.models.refusal import Refusal
from hikflask.services.employees.duplicates import find_namesakes, find_owners_of_photos
from hikflask.services.imports import classify, effects, similar_ids
from hikflask.services.imports.classify import PHOTO, CurrentData, Picture, Spellings, Verdict
from hikflask.services.imports.table import columns, doubts, values
from hikflask.services.imports.table.columns import NAME, NUMBER, PARTS
from hikflask.services.imports.table.options import Options
from hikflask.services.imports.table.values import Values
from hikflask.services.spreadsheets.reader_process import Row
from hikflask.text_rules import folded, storable


@dataclass(frozen=True)
class Known:
    """What rows are compared with beside their people: departments, the forms of IDs here, and what was chosen."""

    spellings: Spellings = field(default_factory=dict)
    forms: Sequence[similar_ids.Form] = ()
    options: Options = field(default_factory=Options)


def read_known(batch: ImportBatch) -> Known:
    """Return what the rows of an import are compared with, as it is now."""
    options = Options.from_json(batch.options)
    return Known(classify.read_spellings(fix=options.mend_texts), similar_ids.read_forms(), options)


def row_reader(batch: ImportBatch) -> Callable[[Row], Values | None]:
    """Return what reads a row of the table of an import, as was chosen for it; see values.read()."""
    left, sample = batch.fields.get(columns.LEFT), batch.layout.get("sample", [])
    status = reasons = False
    if left is not None:
        status = columns.is_status(batch.layout["columns"][left])
        reasons = doubts.has_reasons(batch.layout["columns"][left], [row[left] for row in sample])
    name = batch.fields.get(NAME)
    commas = name is not None and _has_commas(batch.layout["columns"][name], [row[name] for row in sample])
    options = Options.from_json(batch.options)
    hired = columns.hired_columns(batch.layout.get("columns", []))
    since_1904 = batch.layout.get("since_1904", False)
    of_table = {"status": status, "commas": commas, "hired": hired, "since_1904": since_1904, "reasons": reasons}
    return partial(values.read, fields=batch.fields, options=options, **of_table)


def _has_commas(column: str, cells: Sequence[str]) -> bool:
    """Return whether a surname stands before a comma: the column is called so, or each of the first names has one."""
    return "," in column or (all("," in cell for cell in cells) and any(map(values.SURNAME_FIRST.match, cells)))


def check_rows(
    batch: ImportBatch, read: Sequence[tuple[Row, Values]], checked: Mapping[str, Picture], known: Known
) -> list[dict[str, Any]]:
    """Return the columns of an ImportRow for each row of a table, compared with the employees as they are now.

    :param read: the rows with what they say. :param checked: the pictures of their numbers.
    """
    if known.options.mend_texts:
        for _, entry in read:
            effects.fix(entry)
    numbers = [entry.number for _, entry in read if NUMBER not in entry.errors]
    now = classify.read_current_data(numbers, batch.terminal_id, known.spellings, groups=batch.groups)
    now.with_names = bool({NAME, *PARTS} & batch.fields.keys())
    unknown = [entry for _, entry in read if entry.number not in now.people]
    now.namesakes = find_namesakes({name for _, entry in read if (name := _new_name(entry, now))})
    searched = {
        entry.number
        for entry in unknown
        if entry.leaves or NUMBER in entry.errors or NAME not in entry.texts or entry.number.isdecimal()
    }
    now.similar = similar_ids.find_similar(searched, known.forms)
    now.photo_owners = _owners(checked)
    rows = []
    for row, entry in read:
        picture = checked.get(entry.number)
        verdict = classify.classify(entry, picture, now, known.options)
        rows.append(stored(batch.id, row, entry, picture, verdict, effects.of_row(entry, verdict, now)))
    return rows


def _owners(checked: Mapping[str, Picture]) -> dict[str, int]:
    """Return the employees whose present photos the pictures of some numbers are, by these numbers."""
    owners = find_owners_of_photos({picture.sha256 for picture in checked.values()} - {""})
    return {number: owners[picture.sha256] for number, picture in checked.items() if picture.sha256 in owners}


def _new_name(entry: Values, now: CurrentData) -> str:
    """Return the name that a row brings, or "": its person has it already, however it is spelled."""
    name, person = entry.texts.get(NAME, ""), now.people.get(entry.number)
    return "" if person and folded(person.name) == folded(name) else name


def check_photos_alone(
    batch: ImportBatch,
    names: Mapping[str, list[str]],
    check: Callable[[Iterable[str]], Mapping[str, Picture]],
    known: Known,
) -> tuple[list[dict[str, Any]], Collection[str]]:
    """Return the columns of an ImportRow for each photo whose person is not in the table, and whose were checked.

    :param names: those of the pictures, by number. :param check: checks the pictures of numbers; of nobody, none is.
    """
    # Beside a table, people who are not in it only get their photo.
    terminal_id, groups = (None, False) if batch.table_name else (batch.terminal_id, batch.groups)
    now = classify.read_current_data(names, terminal_id, known.spellings, groups=groups)
    now.similar = similar_ids.find_similar(names.keys() - now.people.keys(), known.forms)
    checked = check(number for number in names if number in now.people)
    now.photo_owners = _owners(checked)
    rows = []
    for number, its_names in names.items():
        entry = Values(number, {NUMBER: number})
        if number in now.people:
            picture = checked[number]
            verdict = classify.classify(entry, picture, now, known.options)
        else:
            picture = Picture(its_names[0])
            params = {"meant": meant} if (meant := now.meant(entry)) else {}
            verdict = Verdict(WRONG, errors={PHOTO: Refusal(code="photo_nobody", params=params)})
        rows.append(stored(batch.id, None, entry, picture, verdict, effects.of_row(entry, verdict, now)))
    return rows, checked.keys()


def unnamed_photos(batch_id: int, refusals: Mapping[str, Refusal]) -> list[dict[str, Any]]:
    """Return the columns of an ImportRow for each photo that comes to nobody, by its name in the archive."""
    return [
        stored(batch_id, None, Values(""), Picture(name), Verdict(WRONG, errors={PHOTO: refusal}))
        for name, refusal in refusals.items()
    ]


def stored_name(name: str) -> str:
    """Return the name of a picture in an archive as a row has it."""
    return storable(name)[-255:]


def stored(
    batch_id: int,
    row: Row | None,
    entry: Values,
    picture: Picture | None,
    verdict: Verdict,
    of_row: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the columns of an ImportRow.

    :param row: None for a photo alone. The cells of a row with something wrong are stored, to be given back.
    :param of_row: its effects.
    """
    texts = entry.texts | ({PHOTO: picture.sha256} if picture and picture.sha256 else {})
    return {
        "batch_id": batch_id,
        "line": row.line if row else None,
        "sheet": storable(row.sheet) if row else "",
        "number": entry.number,
        "verdict": verdict.verdict,
        "values": texts,
        "cells": [storable(cell) for cell in row.cells] if row and verdict.errors else None,
        "before": verdict.before,
        "errors": verdict.errors,
        "warnings": verdict.warnings,
        "effects": of_row,
        "corrected": False,
        "photo": stored_name(picture.name) if picture else "",
        "employee_id": verdict.employee_id,
        "state": "",
    }
