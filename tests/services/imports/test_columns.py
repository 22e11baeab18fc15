"""Columns are recognised by the names that other programs give them, and nothing is taken for what it is not."""

import pytest

from hikflask.services.imports.columns import FIELDS, is_status, recognised


@pytest.mark.parametrize(
    ("columns", "fields"),
    [
        (["Табельный номер", "ФИО", "Подразделение"], {"number": 0, "name": 1, "department": 2}),
        (["№ п/п", "Сотрудник", "Таб. №", "Должность"], {"name": 1, "number": 2}),
        (["ТАБ НОМЕР", "Ф.И.О.", "Отдел:"], {"number": 0, "name": 1, "department": 2}),
        (["ТабельныйНомер", "Физическое лицо", "Дата увольнения"], {"number": 0, "name": 1, "left": 2}),
        (["Фамилия", "Имя", "Отчество", "Код"], {"last_name": 0, "first_name": 1, "middle_name": 2, "number": 3}),
        (["Фамилия Имя Отчество", "ID"], {"name": 0, "number": 1}),
        (["*Person ID", "*Organization", "*Person Name", "*Gender"], {"number": 0, "department": 1, "name": 2}),
        (["Employee No.", "Employee (full name)", "Dept."], {"number": 0, "name": 1, "department": 2}),
        (["Surname", "Name", "Person ID"], {"last_name": 0, "first_name": 1, "number": 2}),
        (["hikvision_id", "full_name", "department", "is_active"],
         {"number": 0, "name": 1, "department": 2, "active": 3}),
        (["  ID  сотрудника ", "Работает?", "Уволен (да/нет)"], {"number": 0, "active": 1, "left": 2}),
    ],
)  # fmt: skip
def test_columns_are_recognised(columns: list[str], fields: dict[str, int]) -> None:
    assert recognised(columns) == fields


def test_of_two_columns_for_one_field_the_first_counts() -> None:
    assert recognised(["ФИО", "Сотрудник", "ID", "Табельный номер"]) == {"name": 0, "number": 2}


def test_a_name_that_may_mean_something_else_counts_where_there_is_no_better_one() -> None:
    assert recognised(["Организация", "Код", "Статус"]) == {"department": 0, "number": 1, "left": 2}
    assert recognised(["User name", "User ID", "Full name", "Employee ID"]) == {"name": 2, "number": 3}
    assert recognised(["User name", "User ID"]) == {"name": 0, "number": 1}
    assert recognised(["Организация", "Код", "Подразделение", "Табельный номер", "Дата увольнения", "Статус"]) == {
        "department": 2,
        "number": 3,
        "left": 4,
    }


@pytest.mark.parametrize(
    "column",
    ["", "№", "***", "Код подразделения", "Дата приёма", "Должность", "Card No.", "Телефон", "Иванов Иван", "100222"],
)
def test_a_part_of_a_name_says_nothing(column: str) -> None:
    assert recognised([column]) == {}


def test_fields_come_in_their_order() -> None:
    columns = [
        "Уволен",
        "Отдел",
        "Отчество",
        "Имя",
        "Фамилия",
        "ФИО",
        "ID сотрудника",
        "Активен",
        "Valid from",
        "Valid to",
    ]

    assert tuple(recognised(columns)) == FIELDS


def test_status_is_no_plain_column_of_who_left() -> None:
    assert [is_status(name) for name in ("Статус", "Status", "Уволен", "Left")] == [True, True, False, False]
