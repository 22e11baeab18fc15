"""Columns are recognised by the names that other programs give them, and nothing is taken for what it is not."""

import time

import pytest

from hikflask.services.imports.table.columns import (
    FIELDS,
    hired_columns,
    index_of,
    is_status,
    recognised,
    told_apart,
    unmapped_days,
)


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
        (["Идентификатор персоны", "Имя", "Фамилия", "Организация", "Время начала", "Время окончания"],
         {"number": 0, "first_name": 1, "last_name": 2, "department": 3, "valid_from": 4, "valid_to": 5}),
        (["Sr", "ID", "Employee Name", "Status", "Company"], {"number": 1, "name": 2, "left": 3}),
        (["Worker", "Worker ID", "Worker Status"], {"name": 0, "number": 1, "left": 2}),
        (["Табельдік нөмірі", "Жұмыстан шыққан күні"], {"number": 0, "left": 1}),
        (["Tabel raqami", "Ishdan bo'shagan sanasi"], {"number": 0, "left": 1}),
        (["Name", "First name", "Person ID"], {"first_name": 1, "number": 2}),
        (["Full name", "First name", "Person ID"], {"name": 0, "first_name": 1, "number": 2}),
        (["Surname", "Name", "Person ID"], {"last_name": 0, "first_name": 1, "number": 2}),
        (["hikvision_id", "full_name", "department", "is_active"],
         {"number": 0, "name": 1, "department": 2, "active": 3}),
        (["Таб. №", "Студент", "Кафедра"], {"number": 0, "name": 1, "department": 2}),
        (["Таб. №", "ФИО", "Преподаватель", "Подразд.", "Бригада"], {"number": 0, "name": 1, "department": 3}),
        (["  ID  сотрудника ", "Работает?", "Уволен (да/нет)"], {"number": 0, "active": 1, "left": 2}),
    ],
)  # fmt: skip
def test_columns_are_recognised(columns: list[str], fields: dict[str, int]) -> None:
    assert recognised(columns) == fields


def test_of_two_columns_for_one_field_the_first_counts() -> None:
    assert recognised(["ФИО", "Сотрудник", "Табельный номер", "Номер сотрудника"]) == {"name": 0, "number": 2}


@pytest.mark.parametrize("sure", ["Табельный номер", "Таб. №", "Employee ID", "Employee number", "Employee #"])
@pytest.mark.parametrize("other", ["ID", "Идентификатор", "Номер", "Код", "Код сотрудника", "№", "#", "№ п/п"])
def test_sure_name_of_an_id_comes_before_one_that_may_be_a_card_or_count_rows(sure: str, other: str) -> None:
    assert recognised([other, "ФИО", sure]) == {"name": 1, "number": 2}
    assert recognised([sure, "ФИО", other]) == {"number": 0, "name": 1}


@pytest.mark.parametrize(
    ("columns", "fields"),
    [
        (["Табельный номер (старый)", "Табельный номер", "ФИО"], {"number": 1, "name": 2}),
        (["Табельный номер (старый)", "ФИО", "ID"], {"number": 2, "name": 1}),
        (["Employee ID (old)", "Employee ID (5 digits)", "Name"], {"number": 1, "name": 2}),
        (["Табельный номер", "Сотрудник (должность)", "Сотрудник"], {"number": 0, "name": 2}),
        (["Табельный номер", "Сотрудник (сокращённо)", "ФИО"], {"number": 0, "name": 2}),
        (["Табельный номер", "Сотрудник (сокращённо)"], {"number": 0, "name": 1}),
        (["ID", "ФИО", "Дата увольнения (план)", "Дата увольнения"], {"number": 0, "name": 1, "left": 3}),
        (["ID", "ФИО", "Дата увольнения (план)"], {"number": 0, "name": 1}),
        (["ID", "ФИО", "Отдел (руководителя)"], {"number": 0, "name": 1}),
        (["ID", "ФИО", "Подразделение (код)", "Работает (лет)"], {"number": 0, "name": 1}),
        (["Employee No.", "Employee (ID)", "Department (ID)", "Status (visa)"], {"number": 0}),
    ],
)
def test_name_without_brackets_comes_before_one_with_and_other_words_in_them_make_it_another_column(
    columns: list[str], fields: dict[str, int]
) -> None:
    assert recognised(columns) == fields


@pytest.mark.parametrize("cell", ["(", "(a", "(a "])
def test_cell_of_brackets_alone_takes_no_longer_than_another_one(cell: str) -> None:
    began = time.thread_time()

    assert recognised([cell * 2000]) == {}
    assert time.thread_time() - began < 1.0


def test_sign_of_a_number_is_a_word_of_the_name() -> None:
    # As BambooHR writes it.
    assert recognised(["Employee #", "Last Name", "First Name"]) == {"number": 0, "last_name": 1, "first_name": 2}
    assert recognised(["Employee #", "Employee"]) == {"number": 0, "name": 1}
    assert recognised(["Сотрудник №", "Табельный №", "№ сотрудника"]) == {"number": 1}
    assert recognised(["№ отдела", "Цех №"]) == {"department": 1}


def test_name_to_sign_in_by_is_nobodys_name_beside_a_surname() -> None:
    assert recognised(["User name", "First name", "Last name", "Employee ID"]) == {
        "number": 3,
        "last_name": 2,
        "first_name": 1,
    }


def test_planned_last_day_of_work_stops_no_file_and_the_end_of_a_passport_is_asked_about() -> None:
    cells = [["1", "31.12.2027"]]

    assert unmapped_days(["ID", "Дата увольнения (план)"], cells, {"number": 0}, ()) == []
    assert unmapped_days(
        ["ID", "Срок действия (паспорта)"], cells, recognised(["ID", "Срок действия (паспорта)"]), ()
    ) == [1]


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


@pytest.mark.parametrize(
    "cell",
    ["31.12.2027", "31.12.27", "2027-12-31", "2035/01/01 23:59:59", "2030-12-31 23:59:00.000", "2030-12-31T00:00:00Z",
     "31.12.2027 0:00", "12/31/2027", "12/31/2027 11:59:59 PM", "31 декабря 2027 г.", "31-Dec-2027", " 31.12.2027 г. ",
     "31.12.2027 года", "31-Dec-27", "31 дек. 27", "Dec 31, 2027", "December 31st, 2027", "Friday, December 31, 2027",
     "пятница, 31 декабря 2027 г.", "31,12,2027", "2027-Dec-31", "2027-yil 31-dekabr", "2027 ж. 31 желтоқсан",
     "20271231",
     "до конца 2027 года", "до 2027", "until the end of 2027", "through Dec 2027",
     "до 31.12.2027 включительно"],
)  # fmt: skip
def test_days_without_a_meaning_are_asked_about(cell: str) -> None:
    columns = ["ID", "ФИО", "Куда", "До какого числа"]
    fields = {"number": 0, "name": 1}

    assert unmapped_days(columns, [["1", "Иван", "Склад", ""], ["2", "Пётр", "", cell]], fields, ()) == [3]
    assert unmapped_days(columns, [["1", "Иван", "Склад", cell]], {**fields, "valid_to": 3}, ()) == []
    assert unmapped_days(columns, [["1", "Иван", "Склад", cell]], fields, (3,)) == []


@pytest.mark.parametrize(
    "cell",
    ["", ".  .", "100222", "46082", "1.2.3", "192.168.0.17", "Приказ от 31.12.2027", "5/7", "12-34-56", "12-10-25",
     "32.12.27", "12 корпус 7", "12 корпус 27", "20271331", "19991231", "31122027 1", "Цех 2027", "Март"],
)  # fmt: skip
def test_what_is_no_day_is_not_asked_about(cell: str) -> None:
    assert unmapped_days(["ID", "Пропуск"], [["1", cell]], {"number": 0}, ()) == []


@pytest.mark.parametrize(
    "column",
    ["Дата рождения", "Дата приёма на работу", "Hire Date", "*Date of birth", "Время", "Дата увольнения", "Added",
     "Договор до", "Договор (по)", "Дата окончания трудового договора", "Срок действия договора",
     "Срок действия (договора)", "Contract expiry date", "Contract end", "Окончание испытательного срока",
     "Probation ends", "Final Confirmation Date", "Contract Start Date", "Принята",
     "Created by date", "Кадровые данные Дата приема", "Документ, удостоверяющий личность Дата выдачи",
     "Отметка времени", "Timestamp", "Start date", "Employment StartDate", "Entry date", "DOJ", "Date of joining",
     "Дата зачисления", "LastLogonDate", "last_login_at", "Дата последнего входа", "Continuous Service Date",
     "Employment Status Effective Date", "Следующий медосмотр", "Дата медицинского осмотра", "Next medical exam",
     "Tug'ilgan sanasi", "Туғилган санаси", "Туған күні", "Ishga kirgan sanasi", "Ишга қабул қилинган санаси",
     "Жұмысқа кірген күні", "Tibbiy ko‘rik sanasi"],
)  # fmt: skip
def test_days_with_another_meaning_are_not_asked_about_and_are_no_last_days(column: str) -> None:
    assert unmapped_days(["ID", column], [["1", "31.12.2027"]], {"number": 0}, ()) == []
    assert recognised([column]).keys() <= {"left"}


@pytest.mark.parametrize(
    "column",
    [
        "Дата расторжения договора",
        "Contract termination",
        "Пропуск по договору до",
        "Contract access until",
        "Принят до",
        "Регистрация до",
        "Created, valid until",
        *("Access start date", "Permit StartDate", "Медосмотр до", "Last service date", "Last login, exit date"),
        *("Start time", "Effective date", "Последний день работы", "Дата начала", "Ishga ruxsat muddati"),
    ],
)
def test_days_that_may_be_those_of_a_pass_or_an_end_are_asked_about(column: str) -> None:
    assert unmapped_days(["ID", column], [["1", "31.12.2027"]], {"number": 0}, ()) == [1]


def test_start_beside_an_end_that_nobody_named_is_asked_about_with_it() -> None:
    columns, cells = ["ID", "Start date", "End date"], [["1", "01.12.2026", "31.12.2027"]]

    assert unmapped_days(columns, cells, {"number": 0}, ()) == [1, 2]
    assert unmapped_days(columns, cells, {"number": 0, "valid_to": 2}, ()) == []


@pytest.mark.parametrize(
    ("column", "asked"),
    [("Допуск до", [1]), ("Срок карты", [1]), ("Access end", [1]), ("Доплата", []), ("Внутренний телефон", [])],
)
def test_number_of_a_day_is_asked_about_where_the_name_speaks_of_an_end(column: str, asked: list[int]) -> None:
    assert unmapped_days(["ID", column], [["1", "46752"]], {"number": 0}, ()) == asked
    assert unmapped_days(["ID", column], [["1", "12"], ["2", "100222"]], {"number": 0}, ()) == []


@pytest.mark.parametrize("cell", ["31122027", "Декабрь 2027", "Dec 2027", "12.2027", "12/2027"])
def test_month_or_eight_digits_are_asked_about_where_the_name_speaks_of_an_end_or_a_pass(cell: str) -> None:
    asked = {name: unmapped_days(["ID", name], [["1", cell]], {"number": 0}, ()) for name in ("Permit to", "Период")}

    assert asked == {"Permit to": [1], "Период": []}
    assert unmapped_days(["ID", "Пропуск"], [["1", cell]], {"number": 0}, ()) == [1]


@pytest.mark.parametrize("column", ["Номер пропуска", "Card No.", "Телефон", "Barcode number"])
def test_number_of_a_card_that_looks_like_a_day_is_not_asked_about(column: str) -> None:
    assert unmapped_days(["ID", column], [["1", "20271231"]], {"number": 0}, ()) == []


def test_second_column_of_a_validity_is_asked_about() -> None:
    columns = ["ID", "Действует до", "Срок действия"]

    assert unmapped_days(columns, [["1", "31.12.2027", "31.12.2028"]], recognised(columns), ()) == [2]
    assert unmapped_days(columns, [["1", "31.12.2027", "31.12.2028"]], {"number": 0}, ()) == [1, 2]


def test_column_is_found_by_its_name_in_any_case_and_with_any_spaces() -> None:
    assert index_of(["ID", "Пропуск  до"], " пропуск до ") == 1
    assert index_of(["ID", "Пропуск до"], "до") is None


def test_column_is_found_by_its_place_as_the_page_tells_two_of_the_same_name_apart() -> None:
    names = ["ID", "ФИО", "", "id", "ФИО", "2"]

    assert told_apart(names) == ["ID (1)", "ФИО (2)", "3", "id (4)", "ФИО (5)", "2"]
    found = {name: index_of(names, name) for name in (*told_apart(names), "фио", "5", "7", "ФИО (3)")}
    assert found == {
        "ID (1)": 0, "ФИО (2)": 1, "3": 2, "id (4)": 3, "ФИО (5)": 4, "2": 5, "фио": 1, "5": 4, "7": None,
        "ФИО (3)": None,
    }  # fmt: skip


def test_name_with_a_letter_of_the_other_alphabet_is_known() -> None:
    assert recognised(["Tабельный номер", "ФИO", "Oтдел", "Действyет по"]) == {
        "number": 0,
        "name": 1,
        "department": 2,
        "valid_to": 3,
    }


def test_days_of_hiring_are_known_below_a_group_and_in_short() -> None:
    assert hired_columns(["DOJ", "ФИО", "Кадры Дата зачисления", "Дата приема (план)"]) == [0, 2]
