"""Departments that are written as a path from the top of a tree, such as “All Departments/Workshop 1/Shift B”.

HikCentral writes them so, and asks for it in its template. A name that merely has a slash, such as “Workshop 1/2”, is
no path: the top must be one that programs call so, or be shared by all rows of a tree that has three levels.
"""

import re
from collections.abc import Container, Iterable

from hikflask.models.people import spelling_key
from hikflask.services.imports.table.values import are_leavers, may_be_leavers
from hikflask.text_rules import folded

# A slash between spaces counts before one within a name: “Plant / Workshop 1/2”; and so does a backslash.
SEPARATORS = (re.compile(r"\\"), re.compile(r"\s[/]\s"), re.compile(r"/"))
# Sigur writes its paths so, and no name has this sign.
BACKSLASH = "\\"
# How MySQL writes an empty cell.
NULL = r"\N"
# What HikCentral, iVMS-4200 and BioStar 2 call the top, in both languages. Whoever is only there is in no department.
TOPS = {
    folded(top)
    for top in (
        "All Departments", "Default Organization", "All Persons", "All Person Groups", "All Users", "Все отделы",
        "Организация по умолчанию",
        "Все подразделения", "Все департаменты", "Все лица", "Все персоны", "Все сотрудники", "Все пользователи",
    )
}  # fmt: skip


def top_of(departments: Iterable[str]) -> str:
    """Return the top of the tree that these departments are in, or an empty text where they are no paths."""
    named = list(departments)
    paths = [parts for department in named if (parts := _parts(department))]
    if known := next((parts[0] for parts in paths if folded(parts[0]) in TOPS), ""):
        return known
    is_tree = len({folded(parts[0]) for parts in paths}) == 1 and max(map(len, paths)) > 2
    with_backslash = next(
        (_parts(department)[0] for department in named if BACKSLASH in department.strip(BACKSLASH)), ""
    )
    return paths[0][0] if is_tree else with_backslash


def last_part(department: str, top: str, here: Container[str] = ()) -> str:
    """Return the last part of a path below `top`; anything else comes back as it is.

    A branch of those who left stays in it, since its last part is where others work.

    :param here: the spelling keys of the departments here. One that is here under its whole name is no path.
    """
    parts = _parts(department)
    is_of_leavers = are_leavers(department) or any(map(may_be_leavers, parts[:-1]))
    if not parts or department == NULL or spelling_key(department) in here or is_of_leavers:
        return department
    if BACKSLASH in department:
        return parts[-1]
    if folded(parts[0]) not in TOPS | {folded(top)}:
        return department
    return parts[-1] if len(parts) > 1 or folded(parts[0]) not in TOPS else ""


def _parts(department: str) -> list[str]:
    separator = next((separator for separator in SEPARATORS if separator.search(department)), SEPARATORS[0])
    return [part for text in separator.split(department) if (part := text.strip())]
