"""Of a report the people are read, with the departments that stand above them."""

from collections.abc import Mapping

import pytest

from hikflask.services.core.errors import ServiceError
from hikflask.services.imports.table import report_rows
from hikflask.services.imports.table.options import WHOLE_PATH, Options
from hikflask.services.spreadsheets.reader_process import Layout, Row

COLUMNS = ["Сотрудник", "Таб. №", "Должность", "Ставка"]
FIELDS = {"number": 1, "name": 0}
Lines = list[list[str]]


def prepared(
    *lines: str, columns: list[str] = COLUMNS, fields: Mapping[str, int] = FIELDS
) -> tuple[Layout, dict[str, int]]:
    sample = [(line.split(";") + [""] * len(columns))[: len(columns)] for line in lines[:5]]
    return report_rows.with_groups(Layout("csv", columns=columns, sample=sample), fields)


def read(
    *lines: str,
    columns: list[str] = COLUMNS,
    fields: Mapping[str, int] = FIELDS,
    options: Options = Options(),  # noqa: B008
) -> Lines:
    """The cells of the people."""
    layout, fields = prepared(*lines, columns=columns, fields=fields)
    width = len(layout.columns)
    rows = (Row(at, line.split(";") + [""] * (width - len(line.split(";")))) for at, line in enumerate(lines, 2))
    return [row.cells for row in report_rows.people(rows, layout, fields, options)]


def test_rows_above_people_are_their_departments_and_totals_are_left_out() -> None:
    lines = (
        "ООО «Ромашка»;;;3", "Цех 1;;;2", "Иванов Иван;0001;Слесарь;1", "Ёлкин Пётр;0002;Слесарь;1",
        "Итого по Цех 1;;;2", "Служба Безопасности", "Петрова Анна;0003;Инспектор;0,5", "Итого;;;3",
        "Всего по подразделению;;;3",
    )  # fmt: skip

    assert read(*lines) == [
        ["Иванов Иван", "0001", "Слесарь", "1", "Цех 1"],
        ["Ёлкин Пётр", "0002", "Слесарь", "1", "Цех 1"],
        ["Петрова Анна", "0003", "Инспектор", "0,5", "Служба Безопасности"],
    ]


def test_total_with_a_count_where_the_ids_are_is_left_out() -> None:
    people = ["Иванов Иван;1;;", "Всеволод Итогов;2;;", ";3;;"]

    assert read(*people, "Итого;3;;") == [line.split(";") for line in people]
    columns, fields = ["Отдел", "Сотрудник", "Таб. №"], {"department": 0, "name": 1, "number": 2}
    assert read("Total;Пётр;7", "Всего;;1", columns=columns, fields=fields) == [["Total", "Пётр", "7"]]
    # Without names there are only IDs.
    assert read("Total;7", columns=["Отдел", "ID"], fields={"department": 0, "number": 1}) == [["Total", "7"]]


@pytest.mark.parametrize(
    "group",
    [*("Уволенные;;;", ";Бывшие сотрудники;;", "Уволены;;;2", "Уволенные:;;;", ";;;УВОЛЕННЫЕ!!!", "Увольнения 2026;;;"),
     *("Уволенные;Уволенные;Уволенные;Уволенные", "Terminated employees:;;;")],
)  # fmt: skip
def test_those_who_left_in_a_part_of_the_table_are_not_read_as_if_they_worked(group: str) -> None:
    rows = [Row(at, line.split(";")) for at, line in enumerate(("Иванов Иван;1;;", group, "Пётр;2;;да"), 2)]

    with pytest.raises(ServiceError, match="table_leavers") as refused:
        list(report_rows.who_works(rows, FIELDS))

    assert refused.value.params == {"line": 3}
    assert list(report_rows.who_works(rows, {**FIELDS, "left": 3})) == rows
    ended = [rows[1], Row(5, ["Цех 1", "", "", ""]), rows[0]]
    assert list(report_rows.who_works(ended, FIELDS)) == ended
    # Somebody without a name and an ID left: that is no row above others.
    answer = [Row(3, ["", "", "", "Уволен"]), Row(4, ["Пётр", "2", "", ""])]
    assert list(report_rows.who_works(answer, {**FIELDS, "left": 3})) == answer
    silent = [rows[1], Row(5, ["Пётр", "2", "", ""])]
    with pytest.raises(ServiceError, match="table_leavers"):
        list(report_rows.who_works(silent, {**FIELDS, "left": 3}))


def test_column_of_the_departments_is_shown_like_those_of_the_file() -> None:
    layout, fields = prepared("Цех 1", "Иванов Иван;0001;Слесарь;1", "Склад", "Петрова Анна;0003;;")

    assert (layout.columns, layout.group_column) == ([*COLUMNS, "Подразделение"], 4)
    assert fields == {**FIELDS, "department": 4}
    assert layout.sample == [
        ["Иванов Иван", "0001", "Слесарь", "1", "Цех 1"],
        ["Петрова Анна", "0003", "", "", "Склад"],
    ]
    english, _ = prepared("Workshop", "Ivanov;1", columns=["Name", "ID"], fields={"name": 0, "number": 1})
    assert english.columns == ["Name", "ID", "Department"]


@pytest.mark.parametrize(
    "first",
    [
        "Иванов Иван;0001;;",  # a person, so the table has no groups
        ";0001;;",  # a person whose name is missing
        "Иванов Иван Иванович",  # a person whose ID is missing
        "Иванов Иван",
        "Римская-Корсакова Н.А.",
        "Цех 1;;Слесарь;",  # somebody's position
        "0001",  # an ID in the wrong column
        ";;Слесарь;",
    ],
)
def test_table_that_begins_with_a_person_has_no_groups(first: str) -> None:
    cells = first.split(";") + [""] * (4 - len(first.split(";")))

    assert prepared(first, "Петрова Анна;0003;;") == (
        Layout("csv", columns=COLUMNS, sample=[cells, ["Петрова Анна", "0003", "", ""]]),
        FIELDS,
    )
    assert read(first, "Петров Пётр", "Орлова Анна;5", "Итого;;;2") == [
        cells,
        ["Петров Пётр", "", "", ""],
        ["Орлова Анна", "5", "", ""],
    ]


def test_department_with_capital_letters_is_one_where_names_have_another_number_of_words() -> None:
    assert read("Служба Безопасности", "Иванов Иван Иванович;0001;;") == [
        ["Иванов Иван Иванович", "0001", "", "", "Служба Безопасности"]
    ]


def test_person_without_an_id_among_groups_stays_a_row() -> None:
    rows = read("Цех 1", "Иванов Иван;0001;;", "Петров Пётр Петрович", "Сидоров Сидор;;Слесарь;1")

    assert rows[1:] == [
        ["Петров Пётр Петрович", "", "", "", "Цех 1"],
        ["Сидоров Сидор", "", "Слесарь", "1", "Цех 1"],
    ]


@pytest.mark.parametrize(
    "name",
    ["Каримов Азиз Рустам угли", "Каримова Лола Рустам кизи", "Қасымов Нұрлан Серікұлы", "Асанова Аяна Бериккызы",
     "Ахметов Айдос Серикулы", "Karimov Aziz Rustam oʻgʻli", "Karimova Lola Rustam qizi", "Алиев Али Вали оглы"],
)  # fmt: skip
def test_person_with_a_patronymic_of_any_kind_is_no_department(name: str) -> None:
    assert read("Цех 1", "Иванов Иван Иванович;0001;;", name)[1] == [name, "", "", "", "Цех 1"]


@pytest.mark.parametrize("group", ["Служба Безопасности", "Село Аулы", "Отдел Кадров", "Июль", "Отдел продаж July"])
def test_department_that_ends_otherwise_is_one(group: str) -> None:
    assert read("Цех 1", "Иванов Иван Иванович;0001;;", group, "Петрова Анна Олеговна;0002;;")[1][4] == group


def test_group_may_stand_where_the_id_stands_and_is_no_id() -> None:
    columns, fields = ["Таб. №", "ФИО"], {"number": 0, "name": 1}

    assert read("Цех 1", "0001;Иванов", "Бухгалтерия", "0002;Ёлкин", "А17", columns=columns, fields=fields) == [
        ["0001", "Иванов", "Цех 1"],
        ["0002", "Ёлкин", "Бухгалтерия"],
        ["А17", "", "Бухгалтерия"],
    ]


def test_department_that_stands_alone_in_its_column_is_that_of_the_rows_below() -> None:
    columns, fields = ["Отдел", "ФИО", "ID"], {"number": 2, "name": 1, "department": 0}
    lines = ("Цех 1", ";Иванов;1", "Склад;Ёлкин;2", ";Петрова;3", "Охрана", ";Сидоров;4")

    assert read(*lines, columns=columns, fields=fields) == [
        ["Цех 1", "Иванов", "1"],
        ["Склад", "Ёлкин", "2"],
        ["Цех 1", "Петрова", "3"],
        ["Охрана", "Сидоров", "4"],
    ]
    assert read(";Иванов;1", "Склад", columns=columns, fields=fields) == [["", "Иванов", "1"], ["Склад", "", ""]]


@pytest.mark.parametrize(
    "total", ["Итого", "ВСЕГО", "Grand Total", "Total:", "Общий итог", "Количество сотрудников: 5"]
)
def test_totals_are_known_by_their_names(total: str) -> None:
    assert read("Иванов;1;;", f"{total};;;5", f";{total};;", f";;{total};5") == [["Иванов", "1", "", ""]]


def test_somebody_whose_name_begins_like_a_total_is_no_total() -> None:
    assert read("Всеволодов Иван;1;;", "Итогов Пётр;;;", "Всего Иван;2;;") == [
        ["Всеволодов Иван", "1", "", ""],
        ["Итогов Пётр", "", "", ""],
        ["Всего Иван", "2", "", ""],
    ]


def test_notes_are_left_out() -> None:
    columns = ["Person ID", "Person Name"]
    fields = {"number": 0, "name": 1}

    lines = ("# Items with * are required.", "1;Ivanov", "#2", "#N/A;Petrov", "3;#4", "Стр. 2", "Продолжение таблицы")

    assert read(*lines, columns=columns, fields=fields) == [["1", "Ivanov"], ["#N/A", "Petrov"], ["3", "#4"]]


def test_person_without_an_id_beside_a_word_like_total_is_no_total() -> None:
    columns, fields = ["Отдел", "ФИО", "ID"], {"number": 2, "name": 1, "department": 0}
    lines = ("Цех;Ёлкин;1", "Total Quality;Бук;", "#2 Line;Вяз;", "Итого;;2")

    assert read(*lines, columns=columns, fields=fields) == [[*line.split(";")] for line in lines[:3]]


@pytest.mark.parametrize("group", ["СМУ-5", "Цех14", "ОТК2", "IT2", "Line-3", "Хирургия;;;3 чел."])
def test_department_with_digits_is_one_where_ids_have_no_letters(group: str) -> None:
    rows = read("Цех 1", "Иванов Иван;0001;;", group, "Петрова Анна;0002;;")

    assert [cells[4] for cells in rows] == ["Цех 1", group.partition(";")[0]]


@pytest.mark.parametrize("between", ["Котов Иван", "Benn Aro;;;1", "15", ";;15;", "Хирургия;;зав. Котов;"])
def test_row_that_may_be_a_department_or_a_person_is_asked_about_with_all_below_it(between: str) -> None:
    lines = ("Цех 1", "Иванов Иван;0001;;", between, "Петрова Анна;0002;;", "Склад", "Ёлкин Пётр;3;;")
    rows = read(*lines)

    is_note = between.startswith(";")
    assert [cells[4] for cells in rows] == ["Цех 1", "Цех 1", "Цех 1" if is_note else "?", "Склад"]


@pytest.mark.parametrize("person", ["Котов Лев Ильич", "Каримов Азиз Рустам ўғли", "Котов Иван;;Слесарь;"])
def test_person_without_an_id_leaves_the_department_to_those_below(person: str) -> None:
    rows = read("Цех 1", "Иванов Иван;0001;;", person, "Петрова Анна;0002;;")

    assert [cells[4] for cells in rows] == ["Цех 1"] * 3


def test_departments_of_one_sheet_end_with_it() -> None:
    layout, fields = prepared("Цех 1", "Иванов;1;;")
    rows = [
        Row(2, ["Цех 1", "", "", "", ""], sheet="Завод"),
        Row(3, ["Иванов", "1", "", "", ""], sheet="Завод"),
        Row(2, ["Петрова", "2", "", "", ""], sheet="Контора"),
    ]

    people = report_rows.people(iter(rows), layout, fields, Options())

    assert [row.cells[4] for row in people] == ["Цех 1", ""]


def test_path_of_departments_is_read_as_chosen() -> None:
    columns, fields = ["ID", "Name", "Department"], {"number": 0, "name": 1, "department": 2}
    lines = ("1;Ivanov;Plant/Shop 1/Shift B", "2;Petrov;Plant/Shop 2", "3;Sidorov;Plant", "4;Orlov;")

    def departments(options: Options) -> list[str]:
        return [cells[2] for cells in read(*lines, columns=columns, fields=fields, options=options)]

    assert departments(Options()) == ["Shift B", "Shop 2", "Plant", ""]
    assert departments(Options(path=WHOLE_PATH)) == ["Plant/Shop 1/Shift B", "Plant/Shop 2", "Plant", ""]
    layout = Layout("csv", columns=columns, sample=[line.split(";") for line in lines])
    assert report_rows.department_top(layout.sample, fields) == "Plant"
    assert report_rows.department_top(layout.sample, FIELDS) == ""
