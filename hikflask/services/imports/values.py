"""What a row of a table says: the values by field, checked by the rules of the employee form."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, time

from hikflask import text_rules
from hikflask.models.refusal import Refusal
from hikflask.services.core.dates import today
from hikflask.services.departments import registry as departments
from hikflask.services.enrolments.validity import LAST_OF_DAY
from hikflask.services.imports import columns
from hikflask.services.spreadsheets.csv_writer import with_formula_mark_removed
from hikflask.services.spreadsheets.reader_process import Row
from hikflask.text_rules import folded, storable

NUMBER, NAME, DEPARTMENT, LEFT, ACTIVE = "number", "name", "department", "left", "active"
VALID_FROM, VALID_TO = DAYS = (columns.VALID_FROM, columns.VALID_TO)
PARTS = (columns.LAST_NAME, columns.FIRST_NAME, columns.MIDDLE_NAME)
MAX_LENGTH = 128
# Of a number that is none. Its column is not longer.
MAX_NUMBER_LENGTH = 64
FORMULA = re.compile(r"[=+\-@＝＋－＠]")
YES = {"да", "yes", "y", "true", "истина", "1", "x", "х", "+", "v", "✓", "✔"}
NO = {"нет", "no", "n", "false", "ложь", "0", "-", "–", "—"}
GONE = {"уволен", "уволена", "уволено", "не работает", "left", "dismissed", "terminated", "inactive", "resigned"}
HERE = {"работает", "действующий", "действует", "активен", "активна", "active", "employed", "works", "working"}
DATES = ("%d.%m.%Y", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y", "%m/%d/%Y")
# How 1C writes that there is no date.
# When a day begins, or ends: a validity has no other times, and 18:00 is neither that day nor the one before.
WHOLE_DAY = {VALID_FROM: {time.min}, VALID_TO: {time.min, LAST_OF_DAY}}
NO_DATE = re.compile(r"[\s.:]*\Z|01\.01\.0001")


@dataclass
class Values:
    """What a row says. `leaves`: True: left; False: works here; None: it says nothing of that."""

    number: str
    texts: dict[str, str] = field(default_factory=dict)
    errors: dict[str, Refusal] = field(default_factory=dict)
    leaves: bool | None = None


def read(row: Row, fields: Mapping[str, int], *, status: bool = False) -> Values | None:
    """Return what a row says, with what is wrong in it; None for a row without anything in its columns.

    :param fields: field → index of its column.
    :param status: the column of who left is a status: a mere yes in it may as well say that somebody works here.
    """
    cells = {name: _cell(row, index) for name, index in fields.items()}
    if not any(cells.values()):
        return None
    found = Values(_shortened(cells[NUMBER], MAX_NUMBER_LENGTH))
    formulas = {name for name, index in fields.items() if index in row.formulas or _is_formula(row, index)}
    found.texts = {NUMBER: found.number, **_texts(cells)}
    _check(found, cells, formulas, row)
    _read_leaving(found, cells, status)
    _read_days(found, cells)
    for name in formulas - found.errors.keys():
        # The words for yes and no are no formulas, though + and - begin like one.
        is_word = name in {LEFT, ACTIVE} and _word(cells[name]) in YES | NO
        if not is_word or fields[name] in row.formulas:
            found.errors[NAME if name in PARTS else name] = Refusal(code="formula", params={})
    return found


def _cell(row: Row, index: int) -> str:
    text = text_rules.stripped(row.cells[index] if index < len(row.cells) else "")
    return text_rules.stripped(with_formula_mark_removed(text))


def _is_formula(row: Row, index: int) -> bool:
    text = text_rules.stripped(row.cells[index] if index < len(row.cells) else "")
    return FORMULA.match(text) is not None


def _texts(cells: Mapping[str, str]) -> dict[str, str]:
    """Return the texts to store, with the name as one."""
    texts = {}
    if NAME in cells:
        texts[NAME] = storable(cells[NAME])
    elif set(PARTS) & cells.keys():
        texts[NAME] = storable(" ".join(cells[part] for part in PARTS if cells.get(part)))
    if DEPARTMENT in cells:
        texts[DEPARTMENT] = storable(cells[DEPARTMENT])
    return texts


def _check(found: Values, cells: Mapping[str, str], formulas: set[str], row: Row) -> None:
    if row.too_long:
        found.errors[NUMBER] = Refusal(code="row_too_long", params={})
    elif not text_rules.is_employee_number(cells[NUMBER]) and NUMBER not in formulas:
        found.errors[NUMBER] = Refusal(code="number_invalid", params={})
    for name, required in ((NAME, True), (DEPARTMENT, False)):
        fault = text_rules.fault(found.texts[name], MAX_LENGTH, required=required) if name in found.texts else ""
        if fault:
            found.errors[name] = Refusal(code=fault, params={"most": MAX_LENGTH})
            found.texts[name] = _shortened(found.texts[name], 2 * MAX_LENGTH)
    if DEPARTMENT in found.texts and DEPARTMENT not in found.errors:
        found.texts[DEPARTMENT] = departments.one_spaced(found.texts[DEPARTMENT])


def _read_leaving(found: Values, cells: Mapping[str, str], status: bool) -> None:
    said = {name: _leaving(name, cells[name]) for name in (LEFT, ACTIVE) if cells.get(name)}
    if status and _word(cells[LEFT]) in YES | NO:
        said.pop(LEFT)
        found.errors[LEFT] = Refusal(code="status_unclear", params={})
    for name, leaves in said.items():
        if leaves == "unknown":
            found.errors[name] = Refusal(code="left_unreadable", params={})
    told = {leaves for leaves in said.values() if leaves != "not yet"}
    if told == {"left", "here"}:
        found.errors[ACTIVE] = Refusal(code="left_contradicts", params={})
    elif told and not found.errors.keys() & {LEFT, ACTIVE}:
        found.leaves = told == {"left"}
    if found.leaves is not None:
        found.texts[LEFT] = "yes" if found.leaves else "no"


def _read_days(found: Values, cells: Mapping[str, str]) -> None:
    """Read the days of the validity, as YYYY-MM-DD; an empty cell is no limit."""
    for name in DAYS:
        if name not in cells:
            continue
        text = "" if NO_DATE.match(cells[name]) else cells[name]
        days = {moment.date() for moment in _moments(text) if moment.time() in WHOLE_DAY[name]}
        # 12/01/2026 is a day of January or of December.
        day = days.pop() if len(days) == 1 else None
        if text and day is None:
            found.errors[name] = Refusal(code="day_unreadable", params={})
        elif day and not text_rules.is_accepted_day(day):
            found.errors[name] = Refusal(code="day_outside", params={})
        found.texts[name] = _shortened(text, MAX_LENGTH) if name in found.errors else text_rules.written_day(day)


def _shortened(text: str, most: int) -> str:
    """Return a text as it can be stored; one that is longer than `most` ends with a mark."""
    text = storable(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def _leaving(name: str, text: str) -> str:
    """Return what a cell says: left, here, not yet (which says nothing), or unknown."""
    word = _word(text)
    if word in GONE or word in (YES if name == LEFT else NO):
        return "left"
    if word in HERE or word in (NO if name == LEFT else YES):
        return "here"
    return _by_date(text) if name == LEFT else "unknown"


def _by_date(text: str) -> str:
    if NO_DATE.match(text):
        return "not yet"
    # Whoever leaves in two weeks still comes to work. 12/01/2026 is a day of January or of December: both must agree.
    said = {"left" if moment.date() <= today() else "not yet" for moment in _moments(text)}
    return said.pop() if len(said) == 1 else "unknown"


def _moments(text: str) -> Iterator[datetime]:
    for form in DATES:
        with suppress(ValueError):
            yield datetime.strptime(text, form)  # noqa: DTZ007 - a day has no zone


_word: Callable[[str], str] = folded
