"""Checks rows of an import: what is stored of each, with its verdict. Nothing is written here."""

from collections.abc import Mapping, Sequence
from typing import Any

from hikflask.models import ImportBatch
from hikflask.services.imports import classify
from hikflask.services.imports.classify import PHOTO, Picture, Spellings, Verdict
from hikflask.services.imports.columns import NUMBER
from hikflask.services.imports.values import Values
from hikflask.services.spreadsheets.reader_process import Row
from hikflask.text_rules import storable


def check_rows(
    batch: ImportBatch, read: Sequence[tuple[Row, Values]], checked: Mapping[str, Picture], spellings: Spellings
) -> list[dict[str, Any]]:
    """Return the columns of an ImportRow for each row of a table, compared with the employees as they are now.

    :param read: the rows with what they say. :param checked: the pictures of their numbers.
    """
    numbers = [entry.number for _, entry in read if NUMBER not in entry.errors]
    now = classify.read_present(numbers, batch.terminal_id, spellings, groups=batch.groups)
    rows = []
    for row, entry in read:
        picture = checked.get(entry.number)
        rows.append(stored(batch.id, row, entry, picture, classify.classify(entry, picture, now)))
    return rows


def stored(batch_id: int, row: Row | None, entry: Values, picture: Picture | None, verdict: Verdict) -> dict[str, Any]:
    """Return the columns of an ImportRow.

    :param row: None for a photo alone. The cells of a row with something wrong are stored, to be given back.
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
        "photo": storable(picture.name)[-255:] if picture else "",
        "employee_id": verdict.employee_id,
        "state": "",
    }
