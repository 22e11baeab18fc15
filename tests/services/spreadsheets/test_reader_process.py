"""A table is read by a process of its own, within limits; it ends with whoever reads it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from flask import Flask
from flask_babel import force_locale

from hikflask import messages
from hikflask.codes.refusals import REFUSALS
from hikflask.services import audit
from hikflask.services.audit import Actor
from hikflask.services.core.errors import ServiceError
from hikflask.services.imports.table.columns import recognised
from hikflask.services.spreadsheets import reader, reader_process
from hikflask.services.spreadsheets.reader_process import ALL, PROGRAM, Layout, Row, inspect, read
from tests.benchmarks import memory
from tests.processes.processes import ROOT, until
from tests.spreadsheets import ods, xls, xml_2003
from tests.spreadsheets.workbooks import packed, parts, row, sheet, text, workbook

pytestmark = pytest.mark.usefixtures("context")

HEAD = "Табельный номер;ФИО;Отдел\n"
MANY = 10_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "table"


def children() -> set[int]:
    return set(memory.children(os.getpid()))


def looked(path: Path, content: str | bytes, sheet: str = "") -> Layout:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return inspect(path, recognised, sheet)


def refusal(path: Path, content: str | bytes, sheet: str = "") -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        looked(path, content, sheet)
    return refused.value


def lines(*rows: str) -> str:
    """The XML of a sheet with these rows; cells are separated by semicolons, and an empty one is not there."""
    return sheet(
        "".join(
            row(at, *(text(f"{chr(65 + place)}{at}", cell) for place, cell in enumerate(cells.split(";")) if cell))
            for at, cells in enumerate(rows, 1)
        )
    )


PEOPLE = "Табельный номер;ФИО"


@pytest.mark.child_processes
def test_rows_have_as_many_cells_as_there_are_columns(path: Path) -> None:
    layout = looked(path, HEAD + "1;Иванов\n2;Пётр;Цех 1;;заметка\n\n3;=A1\n")

    assert list(read(path, layout)) == [
        Row(2, ["1", "Иванов", "", "", ""]),
        Row(3, ["2", "Пётр", "Цех 1", "", "заметка"]),
        Row(5, ["3", "=A1", "", "", ""], frozenset({1})),
    ]
    assert layout.columns == ["Табельный номер", "ФИО", "Отдел", "", ""]
    assert layout.sample == [
        ["1", "Иванов", "", "", ""],
        ["2", "Пётр", "Цех 1", "", "заметка"],
        ["3", "=A1", "", "", ""],
    ]
    assert (layout.rows, layout.format, layout.encoding, layout.delimiter) == (3, "csv", "utf-8-sig", ";")


def test_row_of_a_text_that_a_separator_within_a_name_shifts_is_told(path: Path) -> None:
    rows = "ID сотрудника,ФИО,Отдел\n1,Иванов, Иван,Цех 1\n2,Пётр,Цех 1,,заметка\n3,Анна,Цех 1\n"

    assert [row.shifted for row in read(path, looked(path, rows))] == [True, False, False]
    noted = packed(parts({"Лист": lines("ID сотрудника;ФИО;Отдел", "1;Иванов;Цех 1;заметка")}))
    assert [row.shifted for row in read(path, looked(path, noted))] == [False]
    assert [row.shifted for row in read(path, looked(path, "1,Иванов, Иван\n2,Пётр\n"))] == [False, False]


@pytest.mark.parametrize(
    "table", [HEAD + "1;Иванов;Цех\n", workbook(row(1, text("A1", "ID")) + row(3, text("A3", "7")))]
)
def test_layout_that_was_stored_before_there_were_sheets_is_read(table: str | bytes, path: Path) -> None:
    layout = looked(path, table)
    new = {"sheet", "sheets", "hidden_rows", "filtered"}
    stored = Layout(**{name: value for name, value in vars(layout).items() if name not in new})

    assert list(read(path, stored)) == list(read(path, layout))
    assert [row.line for row in read(path, stored)] == [layout.header_line + layout.rows + (layout.format == "xlsx")]


def test_sheet_with_people_is_read_and_all_are_said(path: Path) -> None:
    names = {
        "Титул": lines("Отчёт", "за ноябрь"),
        "Скрытые": lines(PEOPLE, "1;Иванов"),
        "Форма": lines(PEOPLE),
        "Цех 1": lines("Список", PEOPLE, "2;Пётр", "3;Анна"),
        "Цех 2": lines(PEOPLE, "4;Илья"),
        "Контора": lines("ФИО;Табельный номер", "Ольга;5"),
    }
    layout = looked(path, packed(parts(names, hidden=("Скрытые",))))

    assert (layout.sheet, layout.header_line, layout.rows) == ("Цех 1", 2, 2)
    said = [[one[key] for key in ("name", "rows", "people", "hidden", "alike", "header_line")] for one in layout.sheets]
    assert said == [
        ["Титул", 1, False, False, False, 1],
        ["Скрытые", 1, True, True, False, 1],
        ["Форма", 0, True, False, False, 1],
        ["Цех 1", 2, True, False, True, 2],
        ["Цех 2", 1, True, False, True, 1],
        ["Контора", 1, True, False, False, 1],
    ]
    assert list(read(path, layout)) == [Row(3, ["2", "Пётр"], typed=True), Row(4, ["3", "Анна"], typed=True)]

    chosen = inspect(path, recognised, "Скрытые")
    assert (chosen.sheet, chosen.sample) == ("Скрытые", [["1", "Иванов"]])
    assert list(read(path, chosen)) == [Row(2, ["1", "Иванов"], typed=True)]


@pytest.mark.child_processes
def test_sheets_with_the_same_columns_are_read_one_after_another(path: Path) -> None:
    names = {
        "Цех 1": lines(PEOPLE, "1;Иванов"),
        "Итого": lines("Всего;3"),
        "Цех 2": lines("Список", f"{PEOPLE};Заметка", "2;Пётр;x"),
        "Уволенные": lines(PEOPLE, "3;Анна"),
    }
    layout = looked(path, packed(parts(names, hidden=("Уволенные",))), ALL)

    assert (layout.sheet, layout.rows, layout.columns) == (ALL, 2, ["Табельный номер", "ФИО"])
    assert list(read(path, Layout(**vars(layout)))) == [
        Row(2, ["1", "Иванов"], sheet="Цех 1", typed=True),
        Row(3, ["2", "Пётр", "x"], sheet="Цех 2", typed=True),
    ]


def test_sheet_that_is_not_there_or_empty_is_refused(path: Path) -> None:
    table = packed(parts({"Люди": lines(PEOPLE, "1;Иванов"), "Пусто": lines(""), "Форма": lines(PEOPLE)}))

    assert (refusal(path, table, "Цех 9").code, refusal(path, table, "Цех 9").fields) == (
        "table_sheet_unknown",
        ("sheet",),
    )
    assert refusal(path, table, "Пусто").code == "table_empty"
    assert refusal(path, table, "Форма").code == "table_no_rows"
    assert refusal(path, packed(parts({"Пусто": lines("")}))).code == "table_empty"


def test_first_sheet_with_something_is_read_where_none_has_people(path: Path) -> None:
    table = packed(parts({"Пусто": lines(""), "А": lines("Кто;Где", "x;y"), "Б": lines("Когда", "z")}))

    assert looked(path, table).sheet == "А"


def test_rows_that_are_not_shown_are_said_of_the_sheet_that_is_read(path: Path) -> None:
    hidden = sheet(row(1, text("A1", "ID"), text("B1", "ФИО")) + row(2, text("A2", "7"), more=' hidden="1"'))
    table = packed(parts({"Люди": lines(PEOPLE, "1;Иванов"), "Архив": hidden}))

    assert (looked(path, table).hidden_rows, looked(path, table, "Архив").hidden_rows) == (0, 1)
    assert (looked(path, table, ALL).hidden_rows, looked(path, table).filtered) == (1, False)


def test_department_of_merged_cells_is_that_of_each_person(path: Path) -> None:
    rows = row(1, text("A1", "Отдел"), text("B1", "Табельный номер"), text("C1", "ФИО"), text("D1", "Телефон"))
    rows += row(2, text("A2", "Цех 1"), text("B2", "1"), text("C2", "Иванов"), text("D2", "11-11"))
    # Somebody's second telephone, in a row of its own.
    rows += row(3, text("D3", "22-22")) + row(4, text("B4", "2"), text("C4", "Пётр"))
    layout = looked(path, packed(parts({"Лист1": sheet(rows, merged=("A2:A4", "B2:B3", "C2:C3"))})))

    assert [one.cells for one in read(path, layout, key=recognised(layout.columns)["number"])] == [
        ["Цех 1", "1", "Иванов", "11-11"],
        ["", "", "", "22-22"],
        ["Цех 1", "2", "Пётр", ""],
    ]
    assert [one.cells[0] for one in read(path, layout)] == ["Цех 1", "", ""]
    assert layout.sample[2] == ["Цех 1", "2", "Пётр", ""]


@pytest.mark.parametrize(("below", "line"), [("Сотрудник", 2), ("Цех 1", 1)])
def test_header_goes_on_below_where_names_of_columns_stand(below: str, line: int, path: Path) -> None:
    rows = row(1, text("A1", "Подразделение"), text("B1", "Таб. №")) + row(2, text("A2", below))
    rows += row(3, text("A3", "Пётр"), text("B3", "7"))
    for merged in ("B1:B2",), ():
        layout = looked(path, packed(parts({"Лист1": sheet(rows, merged=merged)})))
        assert layout.header_line == line
        assert layout.columns == [below if line == 2 else "Подразделение", "Таб. №"]


def test_header_of_three_merged_rows_is_read_as_one(path: Path) -> None:
    rows = row(1, text("A1", "Организация"), text("B1", "Таб. №")) + row(2, text("A2", "Подразделение"))
    rows += row(3, text("A3", "Сотрудник")) + row(4, text("A4", "Пётр"), text("B4", "7"))
    layout = looked(path, packed(parts({"Лист1": sheet(rows, merged=("B1:B3",))})))

    assert (layout.header_line, layout.columns) == (3, ["Сотрудник", "Таб. №"])


@pytest.mark.parametrize(
    ("above", "below", "columns"),
    [
        # Merged over its columns, and beside them over both rows.
        ("Таб. №;Сотрудник;;;Отдел", ";Фамилия;Имя;Отчество;", ["Таб. №", "Фамилия", "Имя", "Отчество", "Отдел"]),
        ("Таб. №;ФИО;Срок действия;", ";;с;по", ["Таб. №", "ФИО", "Срок действия с", "Срок действия по"]),
        ("Таб. №;ФИО;Прием;", ";;Дата;Приказ", ["Таб. №", "ФИО", "Прием Дата", "Прием Приказ"]),
        # Below them is a person, and a department, with something beside it.
        ("Таб. №;ФИО;Контакты;", "Код;;Почта;Адрес", ["Таб. №", "ФИО", "Контакты", ""]),
        (";ФИО;Таб. №;Примечание", "Цех 1;;;смена А", ["", "ФИО", "Таб. №", "Примечание"]),
    ],
)
def test_header_of_two_rows_is_read_as_one(above: str, below: str, columns: list[str], path: Path) -> None:
    layout = looked(path, f"Список;;;;\n\n{above}\n{below}\n7;Иванов;2026-01-01;2027-01-01;\n")

    assert layout.columns[: len(columns)] == columns
    assert layout.header_line == (3 if columns == above.split(";") else 4)


def test_header_is_the_row_with_most_names_among_the_first(path: Path) -> None:
    title = "Список сотрудников;;\nКод;на 1 ноября;\n\n"

    assert looked(path, title + HEAD + "1;Иванов;Цех\n").header_line == 4
    # People stand above the header of another table.
    assert looked(path, "Таб. №;ФИО\n1;Иванов\n\nТаб. №;ФИО;Уволен\n2;Пётр;да\n").header_line == 1
    # A single name below may be somebody's cell.
    assert looked(path, "Номер пропуска;Кто\n1;Active\n").header_line == 1
    assert looked(path, "x\n" * 20 + HEAD + "1;Иванов;Цех\n").header_line == 1


def test_header_below_titles_may_have_one_name_that_is_known(path: Path) -> None:
    layout = looked(path, "Список на 01.12.2026\n\n№ п/п;ФИО врача;Таб. №;Каб.\n1;Бук Лев;0007;12\n2;Вяз Лев;0008;\n")

    assert (layout.header_line, layout.columns) == (3, ["№ п/п", "ФИО врача", "Таб. №", "Каб."])


def test_note_beside_a_person_further_down_has_a_column(path: Path) -> None:
    people = [f"{at};Иванов {at}" for at in range(1, 8)]
    sheets = {"Люди": lines(PEOPLE, *people, "8;Пётр;;уволен 01.10.2026")}
    layout = looked(path, packed(parts(sheets)))

    assert layout.columns == ["Табельный номер", "ФИО", "", ""]
    assert list(read(path, layout))[-1].cells == ["8", "Пётр", "", "уволен 01.10.2026"]
    # Of a very long sheet only the first rows are counted: a note further down makes its row wrong.
    narrow = replace(layout, columns=layout.columns[:2])
    assert [row.line for row in read(path, narrow) if row.shifted] == [9]


def test_first_person_of_a_table_without_a_header_is_read(path: Path) -> None:
    layout = looked(path, "0001;Иванов;Цех 1\n0002;Пётр;Цех 1\n")

    assert (layout.header_line, layout.columns, layout.rows) == (0, ["", "", ""], 2)
    assert layout.sample == [["0001", "Иванов", "Цех 1"], ["0002", "Пётр", "Цех 1"]]
    assert [one.line for one in read(path, layout)] == [1, 2]
    # Years may be names of columns.
    assert looked(path, "ФИО;2025;2026\nИванов;1;2\n").header_line == 1


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        # Below names that nobody knows, and as the first row of a table without any.
        (["Шифр;Кто;Где;Что", "101;Иванов Иван;Цех;Работает", "102;Пётр;Склад;Уволен"], "Шифр;Кто;Где;Что"),
        (["Шифр;Кто;Где;Что", "ivanov;Иванов Иван;Цех;Работает", "petrov;Пётр;Склад;Уволен"], "Шифр;Кто;Где;Что"),
        (["101;Иванов Иван;Цех;Работает", "102;Пётр;Склад;Уволен"], ";;;"),
        (["HR-EMP-00001;Иванов Иван;Цех;Работник", "HR-EMP-00002;Пётр;Склад;Сторож"], ";;;"),
        (["ivanov;Иванов Иван;Цех;Работает", "petrov;Пётр;Склад;Работает"], ";;;"),
        (["Шифр;Кто;Цех;Работает", "101;Иванов Иван;Цех 1;да"], "Шифр;Кто;Цех;Работает"),
        (["Шифр;ФИО;Цех;Работает", "101;Иванов Иван;Сборка;Работает"], "Шифр;ФИО;Цех;Работает"),
        (["Табель за ноябрь", "Шифр;Кто;Цех;Работает", "101;Иванов Иван;Цех 1;да"], "Шифр;Кто;Цех;Работает"),
        (["ФИО;Цех;1;2;31", "Иванов Иван;Сборка;8;8;0"], "ФИО;Цех;1;2;31"),
    ],
)
def test_person_whose_cells_are_names_of_columns_is_no_header(rows: list[str], columns: str, path: Path) -> None:
    layout = looked(path, "\n".join([*rows, ""]))
    people = [row for row in rows if row not in {columns, "Табель за ноябрь"}]

    assert layout.columns == columns.split(";")
    assert [";".join(one.cells) for one in read(path, layout)] == people


def test_columns_without_a_name_or_a_cell_are_cut(path: Path) -> None:
    assert looked(path, "ID;ФИО;;;\n1;Иванов;;;\n").columns == ["ID", "ФИО"]
    assert looked(path, "ID;;\u00a0ФИО  сотрудника \n1;x;Иванов\n").columns == ["ID", "", "ФИО сотрудника"]


def test_column_for_departments_is_put_behind_those_of_the_file(path: Path) -> None:
    layout = looked(path, "ID;ФИО\n7;Пётр\n" + "8;Анна\n" * 9 + "9;Илья;заметка\n")
    layout = replace(layout, columns=[*layout.columns, "Отдел"], group_column=2)

    rows = list(read(path, layout))
    assert (rows[0].cells, rows[-1].cells) == (["7", "Пётр", ""], ["9", "Илья", "", "заметка"])


def test_table_with_forty_columns_is_read(path: Path) -> None:
    names = ["Поле"] * 38
    layout = looked(path, ";".join([*names, "ID", "ФИО"]) + "\n" + ";".join(["x"] * 38 + ["7", "Пётр"]) + "\n")

    assert recognised(layout.columns) == {"number": 38, "name": 39}
    assert next(read(path, layout)).cells[38:] == ["7", "Пётр"]


def test_names_of_columns_are_recognised_once_for_equal_rows_and_not_without_end(path: Path) -> None:
    looked_at: list[Sequence[str]] = []

    def counted(names: Sequence[str]) -> Mapping[str, int]:
        looked_at.append(names)
        return recognised(names)

    rows = [xml_2003.row(*map(xml_2003.cell, line.split(";"))) for line in (HEAD, "1;Иванов;Цех")]
    table = xml_2003.workbook(*(xml_2003.sheet(*rows, name=str(at)) for at in range(50)))
    path.write_bytes(table)
    assert len(inspect(path, counted).sheets) == 50
    assert len(looked_at) == len(set(map(tuple, looked_at))) < 20
    # A wide workbook of names that are all others, and have brackets.
    wide = [[f"ФИО ({'а ' * 20}{at} {to} {line})" for to in range(100)] for at in range(2) for line in range(20)]
    path.write_bytes("\n".join(map(";".join, wide)).encode())
    looked_at.clear()
    assert refusal(path, path.read_bytes()).code == "table_unpacked"


@pytest.mark.child_processes
def test_what_is_refused_is_said_with_its_numbers(app: Flask, path: Path) -> None:
    app.config["IMPORT_FILE_LIMIT"] = 1
    wide = ";".join(["ID", *["x"] * reader.MAX_COLUMNS]) + "\n1\n"
    table: dict[str, tuple[str | bytes, Mapping[str, object]]] = {
        "table_empty": (b"", {}),
        "table_no_rows": (HEAD, {}),
        "table_too_large": (HEAD + "x" * 1024 * 1024, {"n": 1}),
        "table_columns": (wide, {"n": 256}),
        "table_quote": (HEAD + '1;"Иванов\n2;Пётр\n', {"line": 2}),
        "table_cut": (HEAD + "1;Иванов;Цех\n2;Пё", {"line": 3}),
        "table_damaged": (workbook("")[:-100], {}),
        "table_unreadable": (b"\0\1\2", {}),
    }
    before = children()
    for code, (content, params) in table.items():
        refused = refusal(path, content)
        assert refused.code == code
        assert (refused.params, refused.fields) == (params, ("file",))
    assert children() <= before


def test_each_refusal_of_the_child_process_is_one_of_the_file() -> None:
    codes = set(re.findall(r'Refused\("(\w+)"', Path(reader.__file__).read_text(encoding="utf-8")))

    assert len(codes) >= 9
    assert {REFUSALS[code].field for code in codes} == {"file"}


@pytest.mark.child_processes
def test_child_process_ends_when_the_rows_are_not_wanted_any_more(path: Path) -> None:
    layout = looked(path, HEAD + "1;Иванов;Цех 1\n" * MANY)
    before = children()

    with closing(read(path, layout)) as rows:
        assert next(rows).line == 2
        (started,) = children() - before

    assert not Path(f"/proc/{started}").exists()


@pytest.mark.child_processes
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_child_process_ends_when_its_parent_was_killed(path: Path) -> None:
    layout = looked(path, HEAD + "1;Иванов;Цех 1\n" * MANY)
    started = path.with_suffix(".pid")
    if (parent := os.fork()) == 0:
        try:
            rows = read(path, layout)
            next(rows)
            started.write_text(str(*children()))
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(parent, 0)

    child = int(started.read_text())
    until(lambda: not is_running(child))


def is_running(pid: int) -> bool:
    """True for a process that has not ended; one that nobody waits for has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.child_processes
def test_columns_that_an_ods_repeats_without_end_are_cut_off(path: Path) -> None:
    wide = ods.row(ods.cell("x", more='table:number-columns-repeated="2000000000"'))

    assert refusal(path, ods.workbook(wide)).code == "table_columns"


@pytest.mark.child_processes
@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"<!---->" * 500, "table_unreadable", id="comments alone"),
        pytest.param(b"\xff " + b"a" * 200_000 + b"\n", "table_no_rows", id="one long word"),
    ],
)
def test_file_that_is_no_table_takes_less_than_a_second(
    content: bytes, code: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_process, "INSPECT_SECONDS", 1)

    assert refusal(path, content).code == code


@pytest.mark.child_processes
def test_reading_that_takes_too_long_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reader_process, "INSPECT_SECONDS", 1)
    # A cell in the last column has all the others before it.
    endless = xls.workbook(*([*[None] * 255, "7"] for _ in range(10_000)))

    assert len(endless) < 1_000_000
    assert refusal(path, endless).code == "table_slow"
    assert caplog.messages == ["the reader was ended by signal 24"]


@pytest.mark.child_processes
@pytest.mark.parametrize("form", ["csv", "ods"])
def test_memory_of_the_child_process_is_limited(form: str, path: Path) -> None:
    # Each cell takes eighty bytes in the one, and more in the other.
    table = "ID,ФИО\n1,Пётр\n" + "ёё," * 4_000_000
    cells = ods.workbook(ods.row(ods.cell("") * 400_000))

    assert refusal(path, table if form == "csv" else cells).code == "table_unpacked"


def test_table_whose_turn_does_not_come_is_refused(app: Flask, path: Path) -> None:
    looked(path, HEAD + "1;Иванов;Цех 1\n")
    app.config["UPLOAD_WAIT"] = 0.1

    with ExitStack() as held:
        for name in ("Анна", "Борис"):
            held.enter_context(turn_of(name))
        with pytest.raises(ServiceError, match=r"^tables_waiting$") as refused:
            inspect(path, recognised)

    assert (refused.value.params, refused.value.retry_after) == ({"seconds": 1}, 1)
    assert inspect(path, recognised).rows == 1


def test_nobody_has_the_turn_of_somebody_else(app: Flask, path: Path) -> None:
    looked(path, HEAD + "1;Иванов;Цех 1\n")
    app.config["UPLOAD_WAIT"] = 0.1

    with turn_of("Анна"):
        with audit.acting(Actor("Анна")), pytest.raises(ServiceError, match=r"^tables_waiting$"):
            inspect(path, recognised)
        with audit.acting(Actor("Борис")):
            assert inspect(path, recognised).rows == 1


@contextmanager
def turn_of(name: str) -> Iterator[None]:
    """Within it a table of this operator is inspected."""
    with audit.acting(Actor(name)), reader_process.wait_for_turn():
        yield


@pytest.mark.child_processes
def test_reader_that_does_not_start_is_our_fault_and_says_why(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")

    with pytest.raises(RuntimeError, match=r"(?s)the reader ended with 1: .*'encodings'"):
        looked(path, HEAD)


def test_program_imports_nothing_of_the_app(path: Path) -> None:
    path.write_bytes(workbook(row(1, text("A1", "ID")) + row(2, text("A2", "1"))))
    *python, program = PROGRAM
    with path.open("rb") as table:
        command = [*python, "-X", "importtime", program, "inspect", "20"]
        told = subprocess.run(command, stdin=table, capture_output=True, check=True).stderr

    assert b" openpyxl.reader.excel\n" in told
    assert not [name for name in (b"hikflask", b"flask", b"sqlalchemy") if b" " + name + b"\n" in told]


@pytest.mark.child_processes
@pytest.mark.long
def test_ten_thousand_people_take_little_memory_here_and_there(path: Path) -> None:
    book = openpyxl.Workbook(write_only=True)
    people = book.create_sheet()
    people.append(["Табельный номер", "ФИО", "Отдел"])
    for at in range(MANY):
        people.append([100_000 + at, f"Иванов{at} Иван Иванович", f"Цех {at % 40}"])
    book.save(path)
    layout = inspect(path, recognised)
    before, here = children(), memory.megabytes(os.getpid())
    most, count = 0.0, 0

    for found in read(path, layout):
        count += 1
        if found.line % 2000 == 0:
            (child,) = children() - before
            most = max(most, memory.megabytes(child))

    assert count == layout.rows == MANY
    assert most < 50
    assert memory.megabytes(os.getpid()) - here < 5


@pytest.mark.parametrize(
    ("error", "english", "russian"),
    [
        (ServiceError("table_unreadable"),
         "This is no CSV, XLSX, XLS or ODS file. Save the table as one of these and choose that file.",
         "Это не файл CSV, XLSX, XLS или ODS. Сохраните таблицу в одном из этих форматов и выберите новый файл."),
        (ServiceError("table_xlsb"),
         "This is a binary workbook (.xlsb). Save it in Excel as .xlsx and choose that file.",
         "Это двоичная книга (.xlsb). Сохраните её в Excel как .xlsx и выберите новый файл."),
        (ServiceError("table_html"),
         "No table is found in this web page. Open it in Excel, save it as .xlsx and choose that file.",
         "На этой веб-странице нет таблицы. Откройте её в Excel, сохраните как .xlsx и выберите новый файл."),
        (ServiceError("table_encoding"),
         "The letters of the file are in an unknown encoding. Save it as “CSV UTF-8” or .xlsx and choose that file.",
         "Кодировка файла неизвестна. Сохраните его как «CSV UTF-8» или .xlsx и выберите новый файл."),
        (ServiceError("table_quote", line=7),
         "In row 7 a quotation mark is opened and never closed. Correct that row, or save the table as .xlsx.",
         "В строке 7 кавычка открыта и не закрыта. Исправьте эту строку или сохраните таблицу как .xlsx."),
        (ServiceError("table_cut", line=7),
         "Row 7, the last one, breaks off: the file is not complete. Choose it again once it is. "
         "A program that writes it should rename it when complete.",
         "Строка 7, последняя, обрывается: файл записан не до конца. Выберите его снова, когда он будет готов. "
         "Программа, которая его пишет, пусть переименует его по готовности."),
        (ServiceError("table_perhaps_cut", line=7),
         "Row 7, the last one, is shorter at its end than the others, and its line does not end: perhaps the file is "
         "not complete. Choose it again once it is. If nothing is missing, press Enter behind that row in a text "
         "editor, and save it.",
         "Строка 7, последняя, в конце короче остальных и не завершена переводом строки: возможно, файл записан не до "
         "конца. Выберите его снова, когда он будет готов. Если всё на месте, нажмите Enter после этой строки в "
         "Блокноте и сохраните файл."),
        (ServiceError("table_document"),
         "This is a document (PDF, Word or RTF). Export the people as CSV or .xlsx and choose that file.",
         "Это документ (PDF, Word или RTF). Выгрузите людей в CSV или .xlsx и выберите тот файл."),
        (ServiceError("table_too_large", n=20),
         "The file has more than 20 MB. Split it, or delete the columns that are not needed.",
         "Файл больше 20 МБ. Разделите его или удалите лишние столбцы."),
    ],
)  # fmt: skip
def test_refusal_says_what_to_do(error: ServiceError, english: str, russian: str) -> None:
    assert messages.english(error.code, **error.params) == english
    with force_locale("ru"):
        assert messages.sentence(error.code, **error.params) == russian


def test_limits_of_the_program_are_known_without_it() -> None:
    known = (reader_process.HEAD, reader_process.SAMPLE, reader_process.MAX_COLUMNS)
    assert known == (reader.HEAD, reader.SAMPLE, reader.MAX_COLUMNS)


def test_what_serves_has_no_library_for_spreadsheets_in_its_memory() -> None:
    words = "import hikflask, sys; print({'openpyxl', 'numpy', 'cv2'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"
