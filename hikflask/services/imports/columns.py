"""Which column has which field, by the names that other programs give to columns, in Russian and English."""

import re
from collections.abc import Sequence

FIELDS = ("number", "name", "last_name", "first_name", "middle_name", "department", "left", "active")
NUMBER, NAME, LAST_NAME, FIRST_NAME, MIDDLE_NAME, DEPARTMENT, LEFT, ACTIVE = FIELDS
NAMES: dict[str, tuple[str, ...]] = {
    NUMBER: ("ID сотрудника", "Табельный номер", "Таб. №", "Таб номер", "ID", "Employee ID", "Person ID", "Код"),
    NAME: ("ФИО", "Сотрудник", "Физическое лицо", "Full name", "Name", "Person name", "Employee"),
    LAST_NAME: ("Фамилия", "Last name", "Surname"),
    FIRST_NAME: ("Имя", "First name", "Given name"),
    MIDDLE_NAME: ("Отчество", "Middle name", "Patronymic"),
    DEPARTMENT: ("Отдел", "Подразделение", "Department", "Organization"),
    LEFT: ("Уволен", "Дата увольнения", "Left", "Dismissed", "Termination date"),
    ACTIVE: ("Активен", "Active", "Работает"),
}
IN_BRACKETS = re.compile(r"[(\[][^)\]]*[)\]]")
NOT_A_LETTER = re.compile(r"[\W_]+")


def recognised(columns: Sequence[str]) -> dict[str, int]:
    """Return the index of the column of each field that is recognised. Of two columns for one field the first counts.

    :param columns: the texts of the header row.
    """
    found: dict[str, int] = {}
    for index, column in enumerate(columns):
        field = FIELD_OF.get(_plain(column))
        if field is not None:
            found.setdefault(field, index)
    return {field: found[field] for field in FIELDS if field in found}


def _plain(column: str) -> str:
    """Return a column's name without case, punctuation, and what is in brackets."""
    return NOT_A_LETTER.sub("", IN_BRACKETS.sub("", column).casefold().replace("ё", "е"))


FIELD_OF = {_plain(name): field for field, names in NAMES.items() for name in names}
