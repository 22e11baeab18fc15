"""The rows of a table that are people. Reports have others among them: names of departments, totals, and notes.

1C writes a department into a row of its own above its people, and of departments within each other the inner one last.
Such a table begins with one. Its department gets a column that the file does not have, behind the others, so that it is
shown, assigned and given back like any other. In a table that begins with a person, a row with only a name stays what
it is: somebody whose ID is missing.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from hikflask.services.core.errors import ServiceError
from hikflask.services.imports.table import department_paths
from hikflask.services.imports.table.columns import ACTIVE, DEPARTMENT, LAST_NAME, LEFT, NAME, NUMBER
from hikflask.services.imports.table.options import LAST_PART, Options
from hikflask.services.imports.table.values import A_DEPARTMENT, GONE, are_leavers
from hikflask.services.spreadsheets.reader_process import Layout, Row
from hikflask.text_rules import folded

TOTAL = re.compile(
    r"(?:итого|всего|(?:общий|промежуточный) итог|(?:sub|grand )?totals?)\b|"
    r"(?:количество|число) (?:сотрудник|работник)",
    re.IGNORECASE,
)
NOTE = "#"
# What stands between the pages of a printed list.
BETWEEN_PAGES = re.compile(
    r"(?:стр\.|страница|лист|page)\s*\d|продолжение\b|согласовано\b|примечани[ея]\b|в том числе\b|continued\b|notes?:",
    re.IGNORECASE,
)
# What a row of a department has behind its name: how many people are in it, or what they earn.
AMOUNT = re.compile(r"[-−]?\d[\d\s]*(?:[.,]\d+)?(?:\s*(?:чел|ед|шт)[а-я]*\.?)?\Z", re.IGNORECASE)
# In place of the department, below a row that may be one, or somebody without an ID: such a sign is refused.
UNCLEAR = "?"
# Nobody's department is called so.
PATRONYMIC = re.compile(
    r"(?:вич|\bильич|\bлукич|\bфомич|\bкузьмич|\bникитич|вна|чна|[оуў][гғ]л[ыи]|[кқ][ыи]з[ыи]|ғызы|ұлы|(?<!а)улы|[ʻ'‘’]g[ʻ'‘’]li|\bo?ugli|\bogl[iuy]|\b[qk]izi|kyzy|(?<!j)uly)\Z",
    re.IGNORECASE,
)
WORD_OF_A_NAME = re.compile(r"[A-ZА-ЯЁ](?:\.|[a-zа-яё'’]+)(?:[-.]?[A-ZА-ЯЁ](?:\.|[a-zа-яё'’]+))*\Z")
CYRILLIC = re.compile("[А-Яа-яЁё]")


def with_groups(layout: Layout, fields: Mapping[str, int]) -> tuple[Layout, dict[str, int]]:
    """Give a table that begins with the row of a department a column for it; return layout and fields with it."""
    below = [cells for cells in layout.sample if not _is_left_out(cells, fields)]
    is_assigned = layout.group_column is not None or DEPARTMENT in fields
    if is_assigned or NUMBER not in fields or not below:
        return layout, dict(fields)
    group = _group(below[0], fields, below)
    if not group or _is_name_like(group, _names(below, fields)):
        return layout, dict(fields)
    index = len(layout.columns)
    # In the language of the others.
    name = "Подразделение" if CYRILLIC.search("".join(layout.columns)) else "Department"
    added = replace(layout, columns=[*layout.columns, name], group_column=index)
    sample = [row.cells for row in people((Row(0, [*cells, ""]) for cells in below), added, fields, Options())]
    return replace(added, sample=sample), {**fields, DEPARTMENT: index}


def people(
    rows: Iterable[Row], layout: Layout, fields: Mapping[str, int], options: Options, here: Container[str] = ()
) -> Iterator[Row]:
    """Yield the rows that are people, with their departments: those of the row above, and paths as they are wanted.

    :param here: the spelling keys of the departments here, which are no paths.
    """
    column = fields.get(DEPARTMENT) if layout.group_column is None else layout.group_column
    top = department_top(layout.sample, fields) if options.path == LAST_PART else None
    sheet, department, is_grouped = None, "", layout.group_column is not None
    names = _names(layout.sample, fields)
    for place, row in enumerate(row for row in rows if not _is_left_out(row.cells, fields)):
        if row.sheet != sheet:
            sheet, department = row.sheet, ""
        if layout.group_column is not None:
            group = _group(row.cells, fields, layout.sample)
            if group and not _is_name_like(group, names):
                department = group
                continue
            yield _with_department(row, column, department, top, here)
            if not _is_a_person(row.cells, fields, names):
                department = UNCLEAR
            continue
        if (is_grouped or place == 0) and (group := _alone(row.cells, column)):
            department, is_grouped = group, True
            continue
        yield _with_department(row, column, department, top, here)


def who_works(rows: Iterable[Row], fields: Mapping[str, int]) -> Iterator[Row]:
    """Yield the rows as they are.

    :raises table_leavers: at a row that calls those below it people who left, where no column says so.
    """
    answers, above = [fields[field] for field in (LEFT, ACTIVE) if field in fields], None
    for row in rows:
        # A cell across several columns may be read as one in each.
        texts = {cell for cell in row.cells if cell and not AMOUNT.match(cell)}
        is_alone = len(texts) == 1
        # “Left” in a column of who left is an answer, though nothing stands beside it.
        is_answered = any(GONE.match(folded(row.cells[index])) for index in answers)
        if is_alone and not is_answered and are_leavers(*texts):
            above = row.line
        elif is_alone and not is_answered and not any(map(str.isdigit, row.cells[fields[NUMBER]])):
            above = None
        elif above and texts and not any(row.cells[index] for index in answers):
            raise ServiceError("table_leavers", line=above)
        yield row


def department_top(sample: Iterable[Sequence[str]], fields: Mapping[str, int]) -> str:
    """Return the top of the departments in the first rows, where they are paths: their last part is read, or all."""
    column = fields.get(DEPARTMENT)
    return "" if column is None else department_paths.top_of(cells[column] for cells in sample)


def _with_department(row: Row, column: int | None, above: str, top: str | None, here: Container[str]) -> Row:
    if column is None:
        return row
    own = row.cells[column]
    department = own or above
    if top is not None:
        department = department_paths.last_part(department, top, here)
    if department == own:
        return row
    return replace(row, cells=[*row.cells[:column], department, *row.cells[column + 1 :]])


def _is_left_out(cells: Sequence[str], fields: Mapping[str, int]) -> bool:
    """True for a total and for a note: they have no ID, or stand where the ID would be, and name nobody."""
    number = cells[fields[NUMBER]] if NUMBER in fields else ""
    first = next(filter(None, cells), "")
    # A total may say how many people there are where each of them has the ID.
    names = [cells[fields[field]] for field in (NAME, LAST_NAME) if field in fields]
    is_count = bool(names and AMOUNT.match(number)) and all(not name or TOTAL.fullmatch(name) for name in names)
    text = first if is_count else number or first
    if any(name and name != text and not AMOUNT.match(name) and not TOTAL.match(name) for name in names):
        return False
    is_alone = sum(map(bool, cells)) == 1
    return text.startswith(NOTE) or bool(TOTAL.match(text)) or (is_alone and bool(BETWEEN_PAGES.match(text)))


def _group(cells: Sequence[str], fields: Mapping[str, int], sample: Iterable[Sequence[str]]) -> str:
    """Return the name of the department whose row this is; empty for any other row.

    The name is in the first column or where a person has the name or the ID. Behind it are amounts at most, in columns
    that have no field. A word with digits, such as “СМУ-5”, is one where no ID of the `sample` has a letter.
    """
    filled = [index for index, cell in enumerate(cells) if cell]
    places = {0, fields[NUMBER], fields.get(NAME), fields.get(LAST_NAME)}
    if not filled or filled[0] not in places:
        return ""
    name, behind = cells[filled[0]], filled[1:]
    fields_filled = set(behind) & set(fields.values())
    if fields_filled or not all(AMOUNT.match(cells[index]) for index in behind):
        return ""
    is_a_word = sum(map(str.isalpha, name)) > 1 and not _have_letters(sample, fields)
    is_an_id = any(map(str.isdigit, name)) and " " not in name and not is_a_word
    return "" if is_an_id or PATRONYMIC.search(name) else name


def _is_a_person(cells: Sequence[str], fields: Mapping[str, int], names: Iterable[str]) -> bool:
    """True for a row that is no department for sure, though its ID may be missing; a note in another column is none."""
    filled = [index for index in fields.values() if cells[index]]
    if len(filled) != 1:
        return True
    text, behind = cells[filled[0]], [cell for index, cell in enumerate(cells) if cell and index not in filled]
    has_words = not all(map(AMOUNT.match, behind))
    return bool(PATRONYMIC.search(text)) or (has_words and _is_name_like(text, names))


def _names(sample: Iterable[Sequence[str]], fields: Mapping[str, int]) -> list[str]:
    """Return the names of the people of a sample, each of whom has an ID."""
    return [cells[fields[NAME]] for cells in sample if NAME in fields and cells[fields[NUMBER]]]


def _have_letters(sample: Iterable[Sequence[str]], fields: Mapping[str, int]) -> bool:
    """True where an ID of a person in the sample has a letter."""
    others = [index for field, index in fields.items() if field != NUMBER]
    people = (cells for cells in sample if any(cells[index] for index in others if index < len(cells)))
    return any(map(str.isalpha, "".join(cells[fields[NUMBER]] for cells in people)))


def _is_name_like(text: str, names: Iterable[str]) -> bool:
    """True for as many words as the name of a person here has, each as in a name: it is somebody without an ID."""
    words = text.split()
    is_name = len(words) > 1 and all(map(WORD_OF_A_NAME.match, words)) and not A_DEPARTMENT.search(folded(text))
    return is_name and len(words) in {len(name.split()) for name in names}


def _alone(cells: Sequence[str], column: int | None) -> str:
    """Return the department where a row has nothing else."""
    return cells[column] if column is not None and cells[column] and sum(map(bool, cells)) == 1 else ""
