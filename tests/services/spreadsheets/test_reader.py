"""Tables are read as they are meant, whoever wrote them, and what is no table is refused with its reason."""

import base64
import csv
import io
import quopri
from collections.abc import Callable
from contextlib import suppress
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from hikflask.services.imports.table.columns import recognised
from hikflask.services.spreadsheets import reader
from hikflask.services.spreadsheets.reader import Contents, Refused, inspect, read
from tests.spreadsheets import ods, workbooks, xls, xml_2003
from tests.spreadsheets.workbooks import XML, formatted, number, packed, parts, row, shared, sheet, text, workbook
from tests.support.captures import FACE

# The child process says no warnings.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")

PEOPLE = "Табельный номер;ФИО;Отдел\r\n100222;Иванов Иван Иванович;Цех 1\r\n100223;Ёлкина Анна;Склад\r\n"
WORDS = ["Иванов", "Ёлкина Анна", "Цех 1", "100222", "", " ", 'ООО "Ромашка"', "a;b", "a,b", "a\tb", "строка\nдве", '"']


# A sheet whose first rows have the same text in each cell.
FULL = sheet(
    "".join(row(at, *(shared(f"{get_column_letter(to)}{at}", 0) for to in range(1, 257))) for at in range(1, 26))
)
# One of which each cell of the first row is merged with all below it.
MERGED = sheet(
    row(1, *(shared(f"{get_column_letter(to)}1", 0) for to in range(1, 257)))
    + "".join(row(at, text(f"IV{at}", "x")) for at in range(2, 26)),
    merged=tuple(f"{letter}1:{letter}25" for letter in map(get_column_letter, range(1, 256))),
)


def sheets(content: bytes) -> list[Contents]:
    return list(inspect(io.BytesIO(content)))


def found(content: bytes) -> Contents:
    (contents,) = sheets(content)
    return contents


def whole(content: bytes, *places: str) -> list[reader.Row]:
    """The rows of the sheets at these places; without any, of the first that has something."""
    first = next(inspect(io.BytesIO(content)), Contents("xlsx"))
    how = (first.encoding, first.delimiter) if first.format == "csv" else places
    return list(read(io.BytesIO(content), first.format, *how))


def rows(content: bytes) -> list[tuple[int, list[str]]]:
    """Line and cells of each row."""
    return [(line, cells) for line, cells, *_ in whole(content)]


def one_spaced(cell: str) -> str:
    return reader.WHITE.sub(" ", cell.strip())


def heads(content: bytes) -> list[reader.Row]:
    """The first rows; of a file that is refused since it is empty, none."""
    with suppress(Refused):
        return found(content).head
    assert refusal(content) == "table_empty"
    return []


def refusal(content: bytes) -> str:
    with pytest.raises(Refused) as refused:
        sheets(content)
    return refused.value.code


# --- encodings ---


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251"])
def test_encoding_is_found(encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")

    assert rows(mark + PEOPLE.encode(encoding))[1:] == [
        (2, ["100222", "Иванов Иван Иванович", "Цех 1"]),
        (3, ["100223", "Ёлкина Анна", "Склад"]),
    ]


@pytest.mark.parametrize(
    "words", ["иванов;пётр", "ФИО;Ёж", "ИВАНОВ;ПЁТР", "ООО «Ромашка» — №1", "Цех", "Щукин;Эхо", "Київ;Ганна Їжак"]
)
def test_few_words_in_windows_1251_are_enough(words: str) -> None:
    assert rows(words.encode("cp1251"))[0][1] == words.split(";")


@pytest.mark.parametrize("encoding", ["cp866", "koi8-r"])
@pytest.mark.parametrize(
    "table",
    [
        PEOPLE,
        "Фамилия;Имя\nПетров;Пётр\n",
        "ТАБ.НОМЕР;ФИО;ЦЕХ\n0012;ЁЛКИН ПЁТР;ЦЕХ N 1\n0013;ЩУКИНА ЭММА;СКЛАД\n",
        "|ТАБ.N|ФИО|\n|0012|ИВАНОВ ИВАН|\n",
        "ID;NAME;FULL NAME\n1;IVAN;ИВАНОВ\n",
    ],
)
def test_older_encodings_of_russian_are_found(encoding: str, table: str) -> None:
    assert rows(table.encode(encoding)) == rows(table.encode())


@pytest.mark.parametrize(
    "table",
    [
        "Табельдік нөмірі;Аты-жөні\n0012;Қасымов Нұрлан\n",
        "Таб. №;ФИО;Подразделение\n0012;Ким Әлия;Цех\n0013;Петрова Анна Сергеевна;Цех\n",
        "Таб. №;ФИО\n0012;Иванова Гүлнар\n",
    ],
)
def test_kazakh_letters_in_one_byte_are_found(table: str) -> None:
    assert rows(table.encode("kz1048")) == rows(table.encode())


def test_ukrainian_belarusian_and_uzbek_letters_are_not_taken_for_kazakh_ones() -> None:
    table = "Таб. №;ФИО;Бўлим\n1;Київська Ганна;Цех\n2;Їжак Євген;Воўк\n3;Ґудзь Аґата;Сергієнко\n"

    assert rows(table.encode("cp1251")) == rows(table.encode())


def test_number_sign_among_capital_letters_of_dos_is_no_letter_of_a_mac() -> None:
    table = "ТАБ.№;ФИО;ЦЕХ\n0012;ЁЛКИН ПЁТР;ЦЕХ №1\n"

    assert rows(table.encode("cp866")) == rows(table.encode())


def test_capital_letters_of_koi8_r_are_no_small_ones_of_windows_1251() -> None:
    table = "ID;ФИО\n1;ЖУКОВ ФЁДОР\n2;ЦОЙ ЮЛИЯ\n"

    assert rows(table.encode("koi8-r")) == rows(table.encode())
    # So few letters leave it open.
    assert refusal("ID;ОТДЕЛ\n1;ЦЕХ\n".encode("koi8-r")) == "table_encoding"


@pytest.mark.parametrize("encoding", ["iso8859-5", "mac-cyrillic"])
@pytest.mark.parametrize("table", [PEOPLE, "Фамилия;Имя\nПетров;Пётр\n"])
def test_other_encodings_of_russian_are_not_guessed_wrong(encoding: str, table: str) -> None:
    assert refusal(table.encode(encoding)) == "table_encoding"


@pytest.mark.parametrize("table", ["Name;Town\nMüller;Köln\n", "Nom\nFrançois\nZoë\n", "ID;Name\n" * 500 + "7;José\n"])
def test_western_letters_in_one_byte_are_not_guessed_wrong(table: str) -> None:
    assert refusal(table.encode("latin-1")) == "table_encoding"


def test_broken_utf_8_is_not_taken_for_windows_1251() -> None:
    content = PEOPLE.encode()

    assert refusal(content[:60] + b"\xff" + content[60:]) == "table_encoding"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(FACE, id="JPEG"),
        pytest.param(bytes(range(256)) * 20, id="noise"),
        pytest.param(b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', id="XML"),
    ],
)
def test_what_is_no_text_is_no_table(content: bytes) -> None:
    assert refusal(content) == "table_unreadable"


@pytest.mark.parametrize(
    "page",
    [
        "<!DOCTYPE html><title>Вход</title><form><input name='login'></form>",
        "<html><table><tr><td> </td></tr></table></html>",
        "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n<table><tr><td>ID</table>",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_web_page_without_a_table_is_called_that(page: str, encoding: str) -> None:
    assert refusal(page.encode(encoding)) == "table_html"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("version: 1\n\n# people\ndn: uid=ivan,dc=example,dc=org\ncn: Иван\n".encode(), "table_ldif"),
        (b"# extended LDIF\n#\n# LDAPv3\n\ndn:: dWlkPdCY\n", "table_ldif"),
        (b'{"people": [{"id": "100222"}]}', "table_json"),
        (b'\xef\xbb\xbf[\r\n  {\r\n    "id": "100222"}]', "table_json"),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ivan\r\nEND:VCARD\r\n", "table_vcard"),
        (b"Rar!\x1a\x07\x01\x00\x33\x92", "table_archive"),
        (b"%PDF-1.7\n\x01\x02\x03\x04\x05", "table_document"),
        (b"{\\rtf1\\ansi ID;Name}", "table_document"),
        (packed({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"}), "table_document"),
        (packed({"[Content_Types].xml": "<Types/>", "ppt/presentation.xml": "<p/>"}), "table_unreadable"),
        (PEOPLE.encode("utf-32"), "table_encoding"),
        (b"\0\0\xfe\xff" + PEOPLE.encode("utf-32-be"), "table_encoding"),
        (b"7z\xbc\xaf'\x1c\x00\x04", "table_archive"),
        (
            b"\x03\x7e\x0c\x01" + bytes(4) + b"\x41\x00\x0b\x00" + bytes(20) + b"ID".ljust(32, b"\0") + b"\r",
            "table_dbf",
        ),
    ],
)
def test_what_is_no_table_but_known_is_called_by_its_name(content: bytes, code: str) -> None:
    assert refusal(content) == code


@pytest.mark.parametrize("table", ["dn;ФИО\nx;Иван\n", "[ID];ФИО\n7;Иван\n", "#;ФИО\n7;Иван\n", "7;Иван\n"])
def test_table_that_begins_like_another_file_is_one(table: str) -> None:
    assert len(rows(table.encode())) == table.count("\n")


# --- CSV ---


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_separator_is_found(separator: str) -> None:
    lines = ["Сотрудники завода, склада и конторы", "ID;ФИО;Отдел", '1;"Иванов; Иван, ""мл.""";Цех 1', "2;Пётр;Цех 2"]
    table = "\n".join(line.replace(";", separator) if at else line for at, line in enumerate(lines))

    assert found(table.encode()).delimiter == separator


def test_table_of_one_column_is_read() -> None:
    assert rows(b"ID\n100222\n100223\n") == [(1, ["ID"]), (2, ["100222"]), (3, ["100223"])]
    assert rows('"ФИО"\n"Иванов, И."\n"Петров, П."\n'.encode())[1] == (2, ["Иванов, И."])


def test_first_line_of_excel_names_the_separator_and_is_no_row() -> None:
    for first in ("sep=,", '"sep=,"', "SEP=,"):
        assert rows(f"{first}\r\nID,ФИО\r\n1;2,Пётр\r\n".encode()) == [(1, ["ID", "ФИО"]), (2, ["1;2", "Пётр"])]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_lines_are_counted_as_a_spreadsheet_counts_them(end: str) -> None:
    table = end.join(["ID;ФИО", "", '1;"Иванов', 'Иван"', ";;", "2;Пётр"])

    assert rows(table.encode()) == [(1, ["ID", "ФИО"]), (3, ["1", "Иванов Иван"]), (5, ["2", "Пётр"])]
    assert found(table.encode()).rows == 3


@pytest.mark.parametrize("tail", ["", "\r\n"])
def test_quotation_mark_that_is_never_closed_is_refused_with_its_row(tail: str) -> None:
    table = f'ID;ФИО\r\n1;Иванов\r\n2;"Петров\r\n3;Сидоров\r\n4;Ёлкин{tail}'

    with pytest.raises(Refused) as refused:
        found(table.encode())

    assert (refused.value.code, refused.value.params) == ("table_quote", {"line": 3})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_file_that_breaks_off_within_a_letter_is_refused(encoding: str) -> None:
    with pytest.raises(Refused) as refused:
        found(PEOPLE.strip().encode(encoding)[:-1])

    assert (refused.value.code, refused.value.params) == ("table_cut", {"line": 3})


def test_last_row_that_is_short_breaks_off_only_where_its_line_does_not_end() -> None:
    for tail in ("10", "10;", "100224;Пё", "100224;Пётр", '100224;"Пётр'):
        assert refusal((PEOPLE + tail).encode()) == "table_cut", tail
    for tail in ("", "100224;Пётр\n", "100224;Пётр;", "100224;Пётр;Скл", "\r\n"):
        assert found((PEOPLE + tail).encode()).rows in {3, 4}, tail
    # A quotation mark that was never closed is further up.
    assert refusal((PEOPLE.replace("Иванов ", '"Иванов ') + "7;Пётр").encode()) == "table_quote"


def test_quotation_mark_that_is_closed_by_one_in_another_row_swallows_nobody() -> None:
    swallowed = '101;Бук Лев;"Участок 5\n102;Вяз Лев;Цех\n103;Граб Лев;"Участок 5\n'

    assert refusal(f"ID;ФИО;Отдел\n{swallowed}".encode()) == "table_quote"
    assert found('ID;ФИО;Отдел;Адрес\n1;Бук Лев;Цех;"Мира 5;\nкв. 3; код 1"\n'.encode()).rows == 2


def test_last_cell_that_is_shorter_than_all_others_is_asked_about_where_its_line_does_not_end() -> None:
    ids = "ФИО;Отдел;ID\r\nИванов Иван;Цех;100344\r\nЁлкина Анна;Склад;100346\r\n"
    days = "ID;Годен до\n1;2027-12-31\n2;2026-10-20\n"
    texts = "ID;ФИО\n" + "".join(f"{number};Сидоров Иван\n" for number in range(1, 21))

    for table, tail in ((ids, "Петров Пётр;Охрана;1003"), (days, "3;2027-12-3"), (texts, "21;Петров Пё")):
        with pytest.raises(Refused) as refused:
            found((table + tail).encode())
        line = len(table.splitlines()) + 1
        assert (refused.value.code, refused.value.params) == ("table_perhaps_cut", {"line": line})
        assert refusal((table + tail).encode("utf-16")) == "table_perhaps_cut"
        assert found((table + tail + "\n").encode()).rows == line


def test_last_line_that_does_not_end_is_taken_where_nothing_tells_that_it_is_cut() -> None:
    ids = "ФИО;ID\nИванов;100344\nЁлкин;100346\n"
    for table in (
        ids + "Петров;100345",
        ids + 'Петров;"1003"',  # a closed quotation mark
        ids + "Сидоров;7\nПетров;1003",  # of several lengths
        "ID;Годен до\n1;2027-12-31\n2;",
        "ID;Отдел\n1;Охрана\n2;Склад\n3;Цех",
        "ФИО;ID\nПетров;7",
        "ID\n7",
    ):
        assert found(table.encode()).rows == table.count("\n") + 1, table


def test_quotation_marks_within_a_cell_are_letters() -> None:
    assert rows('ID;Отдел\n1;ООО "Ромашка"\n2;Склад "2\n'.encode())[1:] == [
        (2, ["1", 'ООО "Ромашка"']),
        (3, ["2", 'Склад "2']),
    ]


def test_word_in_quotation_marks_at_the_beginning_of_a_cell_keeps_them() -> None:
    table = 'ID;Отдел;ФИО\n1;"Ромашка" ООО;"Иванов, И."\n"Т" 2;"Цех "" 1";\'Абу Али\n3; "Б";\'Али\n"4" ;"ООО ""Д""";x\n'

    assert rows(table.encode())[1:] == [
        (2, ["1", '"Ромашка" ООО', "Иванов, И."]),
        (3, ['"Т" 2', 'Цех " 1', "'Абу Али"]),
        (4, ["3", '"Б"', "'Али"]),
        (5, ["4", 'ООО "Д"', "x"]),
    ]
    assert rows(b"ID;Name\n1;'Ali\n")[1:] == [(2, ["1", "'Ali"])]


def test_text_in_quotation_marks_whose_own_ones_are_not_doubled_loses_the_outer_ones() -> None:
    table = 'ID;Отдел;ФИО\n1;"Цех "Заря"";"ООО "Лютик", 2"\n2;"Ромашка" ООО "Лютик";"Анна"\n'

    assert rows(table.encode())[1:] == [
        (2, ["1", 'Цех "Заря"', 'ООО "Лютик", 2']),
        (3, ["2", '"Ромашка" ООО "Лютик"', "Анна"]),
    ]


def test_backslash_before_a_quotation_mark_is_no_letter_of_the_cell() -> None:
    table = '"id","name","place"\n"0012","Иванов","ООО \\"Ромашка\\""\n"1","\\"Заря\\" \\\\ 2","x"\n"2","C:\\","x"\n'

    assert rows(table.encode())[1:] == [
        (2, ["0012", "Иванов", 'ООО "Ромашка"']),
        (3, ["1", '"Заря" \\ 2', "x"]),
        (4, ["2", "C:\\", "x"]),
    ]


def test_what_keeps_excel_from_changing_an_id_is_left_out() -> None:
    table = 'ID;ФИО\n="007";Иванов\n"=""008""";Пётр\n\'009;Анна\n'

    assert [cells[0] for _, cells in rows(table.encode())] == ["ID", "007", "008", "009"]
    assert not [formulas for _, _, formulas, *_ in whole(table.encode()) if formulas]


def test_cell_with_a_formula_is_marked() -> None:
    table = "ID;ФИО;Отдел\n1;=A1&B1;Цех\n=2+2;Пётр;'=1\n".encode()

    assert [formulas for _, _, formulas, *_ in whole(table)] == [[], [1], [0]]


def test_of_the_first_rows_nothing_is_kept_behind_the_last_column_and_merged_texts_are_cut() -> None:
    errors = (f'<c r="{get_column_letter(to)}1" t="e"><v>#N/A</v></c>' for to in range(2, 400))
    rows = row(1, text("A1", "Ж" * 200), *errors) + row(2, text("B2", "x"))

    ((_, _, formulas, *_), (_, _, _, _, merged, _)) = found(packed(parts({"1": sheet(rows, merged=("A1:A2",))}))).head

    assert formulas == list(range(1, reader.MAX_COLUMNS))
    assert merged == [(0, "Ж" * 63 + "…")]


def test_cell_that_is_longer_than_any_field_is_cut_with_a_mark() -> None:
    csv.field_size_limit(10_000_000)
    cells = ("x" * 1_000_000, "y" * 256, f"Анна{' ' * 1000}", "z" * 257)

    ((line, read_cells, _, too_long, *_),) = whole(f"1;{';'.join(cells)}".encode())

    assert (line, too_long) == (1, False)
    assert read_cells == ["1", "x" * 255 + "…", "y" * 256, "Анна", "z" * 255 + "…"]


def test_little_is_kept_of_long_cells_in_the_first_rows_by_which_a_table_is_known() -> None:
    table = f"Табельный номер (как в приказе {'x' * 99});ФИО\n1;{'y' * 65}\n{'z' * 64};Иван\n".encode()

    heading, *sample = [cells for _, cells, *_ in found(table).head]

    assert heading == [f"Табельный номер (как в приказе {'x' * 32}…", "ФИО"]
    assert recognised(heading) == {"number": 0, "name": 1}
    assert sample == [["1", "y" * 63 + "…"], ["z" * 64, "Иван"]]


def test_row_that_is_too_long_is_cut_and_the_others_are_read() -> None:
    long = ";".join(["y"] * 300)
    table = f"ID;ФИО\n1;Иванов\n2;{long}\n3;Пётр\n".encode()

    read_rows = whole(table)

    assert [(line, too_long) for line, _, _, too_long, *_ in read_rows] == [
        (1, False),
        (2, False),
        (3, True),
        (4, False),
    ]
    cut = read_rows[2][1]
    assert cut[0] == "2"
    assert len(cut) == reader.MAX_COLUMNS


def test_table_has_a_limit_of_rows() -> None:
    with pytest.raises(Refused) as refused:
        found(b"ID\n" + b"1\n" * reader.MAX_ROWS)

    assert (refused.value.code, refused.value.params) == ("table_rows", {"n": reader.MAX_ROWS})


@pytest.mark.parametrize("content", [b"", b"\n\n ;;\n", b"\xef\xbb\xbf", workbook("")])
def test_file_without_anything_is_empty(content: bytes) -> None:
    assert heads(content) == []


@settings(max_examples=100, deadline=None)
@given(
    table=st.lists(st.lists(st.sampled_from(WORDS), min_size=3, max_size=3), min_size=1, max_size=8),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1251"]),
    separator=st.sampled_from([";", ",", "\t"]),
    end=st.sampled_from(["\r\n", "\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_any_table_of_texts_comes_back(
    table: list[list[str]], encoding: str, separator: str, end: str, quoting: int
) -> None:
    out = io.StringIO()
    head = ["Табельный номер", "ФИО", "Подразделение"]
    csv.writer(out, delimiter=separator, lineterminator=end, quoting=quoting).writerows([head, *table])  # type: ignore[arg-type]

    came = rows(out.getvalue().encode(encoding))

    assert [line for line, _ in came] == [1, *(at for at, cells in enumerate(table, 2) if any(map(str.strip, cells)))]
    padded = [cells + [""] * (3 - len(cells)) for _, cells in came]
    assert padded[1:] == [list(map(one_spaced, cells)) for cells in table if any(map(str.strip, cells))]


@settings(max_examples=100, deadline=None)
@given(
    cells=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20), min_size=1, max_size=30),
    encoding=st.sampled_from(["utf-8", "utf-16"]),
)
def test_any_letters_of_unicode_come_back(cells: list[str], encoding: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL).writerows([["ID", "ФИО"], *(["1", cell] for cell in cells)])

    came = [[*found_row, ""][1] for _, found_row in rows(out.getvalue().encode(encoding))[1:]]

    assert came == [one_spaced(reader.TEXT_AS_FORMULA.sub(r"\1\2", cell)) for cell in cells]


# --- XLSX ---


def test_cells_become_the_texts_that_people_see() -> None:
    cells = [
        number("A1", "100222"), number("B1", "100222.0"), number("C1", "42", style=2), number("D1", "46082.5", style=1),
        '<c r="E1" t="b"><v>1</v></c>', '<c r="F1" t="b"><v>0</v></c>', number("G1", "0.5"),
        '<c r="H1" t="d"><v>2026-03-01T00:00:00</v></c>', text("I1", " Ёлкин "), number("J1", "1E+20"),
    ]  # fmt: skip

    assert rows(workbook(row(1, *cells))) == [
        (1, ["100222", "100222", "000042", "2026-03-01", "yes", "no", "0.5", "2026-03-01", "Ёлкин", "1e+20"])
    ]


# Format, number, and what Excel shows of it, or the number where that would be no ID.
SHOWN = [
    ("00000;-00000", 42, "00042"), ("[$-419]00000", 42, "00042"), ("[$-F419]00000", 1234567, "1234567"),
    ("[Red]000", 7, "007"), ('"T-"00000', 42, "T-00042"), (r"\T\-00000", 42, "T-00042"), ("##-000", 7, "-007"),
    ("0000-0000", 12345, "0001-2345"), ("0000-0000", 1234567890, "123456-7890"), ("0000 0000", 42, "00000042"),
    ("00_ ;*-0", 7, "07"),
    ("0", 42, "42"), ("General", 42, "42"), ("@", 42, "42"), ("0.00", 42, "42"), ("#,##0", 100222, "100222"),
    ("0%", 1, "1"), ("0.00E+00", 42, "42"), ("[>9]000;00", 42, "042"), ("[>9]000;00", 7, "07"),
    ("[<=9999]0000;General", 12, "0012"), ("[<=9999]0000;General", 12345, "12345"), ("[>=10000]00000;0000", 13, "0013"),
    ('"T-"#', 12, "T-12"), ('"T;"General', 12, "T;12"), ("[=1]0;[>5]000;00", 3, "03"), ("[=1]0;[>5]000;00", 7, "007"),
    # What is not known is no ID, so it is asked about.
    ("0,000", 12, "12 [0,000]"), ("0,000", 1234, "1234"), ("00.00", 5, "5 [00.00]"), ("[<5]0000", 7, "7"),
    ("00000", -42, "-42"), ("00000", 0.5, "0.5"),
]  # fmt: skip


def test_number_is_read_as_excel_shows_it() -> None:
    codes, values, shown = zip(*SHOWN, strict=True)
    cells = [number(f"{get_column_letter(at + 1)}1", str(value), at + 3) for at, value in enumerate(values)]

    table = packed({**parts({"Лист1": sheet(row(1, *cells))}), "xl/styles.xml": formatted(*codes)})

    assert rows(table) == [(1, list(shown))]


def test_workbook_that_counts_days_from_1904_says_so() -> None:
    xlsx = parts({"Лист1": sheet(row(1, number("A1", "45290")))})
    book = str(xlsx["xl/workbook.xml"]).replace("<sheets", '<workbookPr date1904="1"/><sheets')
    xml = xml_2003.workbook(xml_2003.sheet(xml_2003.row(xml_2003.cell("45290", "Number"))))
    option = b"<x:ExcelWorkbook><x:Date1904/></x:ExcelWorkbook><Worksheet"
    flat = ods.content({"Лист1": ods.row(ods.cell("45290", "float", "45290"))})
    null_date = (
        '<table:calculation-settings><table:null-date table:date-value="1904-01-01"/></table:calculation-settings>'
    )
    flat_1904 = flat.replace("<office:spreadsheet>", f"<office:spreadsheet>{null_date}")
    old = xls.stream({"Лист1": xls.sheet([[(45290.0, 0)]])}, before=xls.record(0x22, b"\1\0"))

    since_1904 = [packed({**xlsx, "xl/workbook.xml": book}), xml.replace(b"<Worksheet", option), flat_1904.encode()]
    since_1900 = [packed(xlsx), xml, flat.encode(), xls.workbook([(45290.0, 0)])]
    assert [found(content).since_1904 for content in (*since_1904, xls.file(old))] == [True] * 4
    assert [found(content).since_1904 for content in since_1900] == [False] * 4


def test_stored_value_of_a_formula_is_read_and_one_without_is_marked() -> None:
    cells = [
        text("A1", "=1"), '<c r="B1"><f>A1+1</f><v>2</v></c>', '<c r="C1" s="2"><f>A1+1</f><v>42</v></c>',
        '<c r="D1" t="str"><f>A1&amp;"!"</f><v>Пётр</v></c>', '<c r="E1" s="1"><f>TODAY()</f><v>46082</v></c>',
        '<c r="F1" t="array"><f t="array" ref="F1">A1</f></c>', '<c r="G1"><f>A1+1</f></c>',
        '<c r="H1" t="str"><f>IF(A1,"","x")</f><v></v></c>', '<c r="I1" t="e"><f>1/0</f><v>#DIV/0!</v></c>',
        '<c r="J1" t="e"><v>#N/A</v></c>', '<c r="K1" t="b"><f>TRUE()</f><v>1</v></c>',
        '<c r="L1"><f>A1+2</f><v/></c>', '<c r="M1"><f>A1+3</f><v></v></c>', '<c r="N1" t="str"><f>A1</f><v/></c>',
    ]  # fmt: skip

    ((_, read_cells, formulas, *_),) = whole(workbook(row(1, *cells)))

    shown = ["=1", "2", "000042", "Пётр", "2026-03-01", "=A1", "=A1+1", "", "#DIV/0!", "#N/A", "yes"]
    # An empty value is one of a text only.
    assert read_cells == [*shown, "=A1+2", "=A1+3"]
    assert formulas == [5, 6, 8, 9, 11, 12]


def test_line_breaks_and_spaces_within_a_cell_become_one_space() -> None:
    table = workbook(
        row(1, text("A1", " Иванов_x000D_\n Иван\u00a0 Иванович "), shared("B1", 0)), texts=("Цех\r\n\t1",)
    )
    assert rows(table) == [(1, ["Иванов Иван Иванович", "Цех 1"])]
    assert rows('1;"Иванов\r\nИван";Цех  1\n'.encode()) == [(1, ["1", "Иванов Иван", "Цех 1"])]
    broken = ods.cell("Иванов").replace(
        "Иванов", "Иванов<text:line-break/>Иван<text:s/><text:s/>И.</text:p><text:p>мл."
    )
    assert rows(ods.workbook(ods.row(broken))) == [(1, ["Иванов Иван И. мл."])]
    assert rows(xls.workbook(["Иванов\nИван"])) == [(1, ["Иванов Иван"])]


def test_rows_keep_their_numbers_and_empty_ones_are_left_out() -> None:
    table = workbook(row(3, text("A3", "ID")) + row(4, text("B4", " ")) + row(7, text("B7", "Пётр")))

    assert rows(table) == [(3, ["ID"]), (7, ["", "Пётр"])]


@pytest.mark.parametrize("dimension", ["", "A1", "A1:A1", "A1:XFD1048576"])
def test_size_that_a_sheet_says_is_not_believed(dimension: str) -> None:
    table = workbook(
        "".join(row(at, text(f"A{at}", f"{at}"), text(f"B{at}", "Пётр")) for at in range(1, 31)), dimension
    )

    assert rows(table) == [(at, [str(at), "Пётр"]) for at in range(1, 31)]
    assert found(table).rows == 30


@pytest.mark.parametrize("dimension", ["", "A1", "A1:XFD1048576"])
def test_rows_of_a_long_sheet_are_counted_without_reading_them(dimension: str) -> None:
    table = workbook("".join(row(at, text(f"A{at}", str(at))) for at in range(1, 6001)), dimension)

    assert found(table).rows == 6000


def test_each_sheet_of_a_workbook_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "COUNTED", 10)
    lines = "".join(row(at, text(f"A{at}", str(at))) for at in range(1, 100))
    filled = {
        "Люди": sheet(lines),
        "Пусто": sheet(row(1)),
        "Архив": sheet(lines),
        "Ещё": sheet(row(7, text("B7", "x"))),
    }

    told = [
        (one.sheet, one.hidden, one.rows, len(one.head)) for one in sheets(packed(parts(filled, hidden=("Архив",))))
    ]

    assert told == [("Люди", False, 99, 25), ("Пусто", False, 0, 0), ("Архив", True, 99, 25), ("Ещё", False, 1, 1)]


def test_rows_of_several_sheets_are_read_one_after_another() -> None:
    filled = {name: sheet(row(1, text("A1", name))) for name in ("Цех 1", "Цех 2", "Цех 3")}

    read_rows = whole(packed(parts(filled)), "0", "2")

    assert [(at, cells) for _, cells, *_, at in read_rows] == [(0, ["Цех 1"]), (2, ["Цех 3"])]


def test_rows_that_are_not_shown_are_counted_and_read() -> None:
    lines = [row(1, text("A1", "ID")), *(row(at, text(f"A{at}", "7"), more=' hidden="1"') for at in (2, 3))]
    lines += [row(4, text("A4", "8")), '<row r="5" hidden="1"/>']
    table = '<tableParts count="1"><tablePart/></tableParts>'
    chosen = '<autoFilter ref="A1:A4"><filterColumn colId="0"/></autoFilter>'
    plain, filtered, in_table = (sheet("".join(lines), after=after) for after in ("", chosen, table))

    told = found(packed(parts({"Лист1": plain})))
    assert (told.hidden_rows, told.filtered, told.rows) == (2, False, 4)
    assert found(packed(parts({"Лист1": filtered}))).filtered
    filter_of_table = {**parts({"Лист1": in_table}), "xl/tables/table1.xml": chosen}
    assert found(packed(filter_of_table)).filtered
    # A filter that hides nothing.
    assert not found(packed(parts({"Лист1": sheet(lines[0], after=chosen)}))).filtered
    assert len(rows(packed(parts({"Лист1": filtered})))) == 4


def test_row_says_which_cells_are_merged_with_one_above() -> None:
    lines = [row(1, text("A1", "Отдел"), text("B1", "ID")), row(2, text("A2", "Цех  1"), text("B2", "7"))]
    lines += [row(3, text("B3", "8")), row(4, '<c r="A4"/>', text("B4", "9")), row(5, text("B5", "10"))]
    xml = sheet("".join(lines), merged=("A2:A4", "B1:C1", "D2:D3"))

    for table in (packed(parts({"Лист1": xml})), xls_of_merged(), ods_of_merged()):
        merged = [merged for *_, merged, _ in whole(table)]
        assert merged == [[], [], [(0, "Цех 1")], [(0, "Цех 1")], []]


def xls_of_merged() -> bytes:
    cells: list[list[xls.Cell]] = [["Отдел", "ID"], ["Цех 1", "7"], [None, "8"], [None, "9"], [None, "10"]]
    return xls.file(xls.stream({"Лист1": xls.sheet(cells, merged=[(1, 3, 0, 0), (0, 0, 1, 2)])}))


def ods_of_merged() -> bytes:
    lines = [ods.row(ods.cell("Отдел"), ods.cell("ID"))]
    lines.append(ods.row(ods.cell("Цех 1", more='table:number-rows-spanned="3"'), ods.cell("7")))
    lines += [ods.row("<table:covered-table-cell/>", ods.cell(one)) for one in ("8", "9")]
    return ods.workbook(*lines, ods.row(ods.empty(), ods.cell("10")))


def test_first_sheet_that_has_something_is_read_and_hidden_ones_come_last() -> None:
    filled = {name: sheet(row(1, text("A1", name))) for name in ("Списки", "Люди", "Ещё")}
    sheets = {"Списки": filled["Списки"], "Пусто": sheet(row(1, '<c r="A1"/>')), **filled}

    assert rows(packed(parts(sheets, hidden=("Списки",)))) == [(1, ["Люди"])]
    hidden = {"Списки": filled["Списки"], "Пусто": sheet("")}
    assert rows(packed(parts(hidden, hidden=("Списки",)))) == [(1, ["Списки"])]


def test_texts_that_no_database_keeps_are_cleaned() -> None:
    table = workbook(row(1, '<c r="A1" t="inlineStr"><is><t>Пётр</t></is></c>'))
    assert rows(table) == [(1, ["Пётр"])]
    assert rows(b"\xff\xfe" + "ID;П\0ётр\n".encode("utf-16-le")) == [(1, ["ID", "Пётр"])]


GOOD = parts({"Лист1": sheet(row(1, text("A1", "ID")) + row(2, text("A2", "7")))})
OLE = reader.OLE + bytes(504)
XLS = xls.stream({"Лист1": xls.sheet([["ID"], [(7, 2)]], merged=[(0, 1, 0, 0)])}, filtered=[0])
ODS = ods.parts(ods.content({"Лист1": ods.row(ods.cell("ID")) + ods.row(ods.cell("007", "float", "7"))}))
LOCKED = XML + "<manifest:manifest><manifest:file-entry><manifest:encryption-data/></manifest:file-entry>"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(lambda: OLE + "EncryptedPackage".encode("utf-16-le"), "table_password", id="password"),
        pytest.param(lambda: packed({**GOOD, "xl/vbaProject.bin": b"macro"}), "table_macros", id="macros"),
        pytest.param(lambda: packed({"100222.jpg": FACE}), "table_unreadable", id="photos"),
        pytest.param(lambda: packed({**GOOD, "xl/workbook.bin": b"\0"}), "table_xlsb", id="xlsb"),
        pytest.param(lambda: packed(GOOD)[:-400], "table_damaged", id="cut off"),
        pytest.param(lambda: packed({**GOOD, "xl/worksheets/sheet1.xml": "<worksheet><a>"}), "table_damaged",
                     id="broken XML"),
        pytest.param(lambda: packed({name: part for name, part in GOOD.items() if name != "xl/workbook.xml"}),
                     "table_damaged", id="without its workbook"),
        pytest.param(lambda: packed({**GOOD, "xl/media/zeros": bytes(11 * 1024 * 1024)}), "table_unpacked",
                     id="zip bomb"),
        pytest.param(lambda: packed({**GOOD, **{f"x{at}": "" for at in range(10_001)}}), "table_unpacked",
                     id="many parts"),
        pytest.param(lambda: packed(parts({f"{at}": sheet("") for at in range(101)})), "table_sheets",
                     id="many sheets"),
        pytest.param(lambda: workbook(row(2**31, text(f"A{2**31}", "7"))), "table_damaged", id="row that no sheet has"),
        pytest.param(lambda: xls.file(XLS, "WordDocument"), "table_unreadable", id="doc"),
        pytest.param(lambda: xls.file(xls.stream({}, before=xls.record(0x2F, bytes(54)))), "table_password",
                     id="xls, password"),
        pytest.param(lambda: xls.file(XLS) + "_VBA_PROJECT_CUR".encode("utf-16-le"), "table_macros", id="xls, macros"),
        pytest.param(lambda: xls.file(XLS)[:1600], "table_damaged", id="xls, cut off"),
        pytest.param(lambda: xls.workbook([(7, 99)]), "table_damaged", id="xls, style that is not there"),
        pytest.param(lambda: xls.file(xls.stream({f"{at}": xls.sheet([]) for at in range(101)})), "table_sheets",
                     id="xls, many sheets"),
        pytest.param(lambda: packed({**ODS, "mimetype": "application/vnd.oasis.opendocument.text"}), "table_unreadable",
                     id="odt"),
        pytest.param(lambda: packed({**ODS, "META-INF/manifest.xml": LOCKED}), "table_password", id="ods, password"),
        pytest.param(lambda: packed({**ODS, "Basic/Standard/Module1.xml": "macro"}), "table_macros", id="ods, macros"),
        pytest.param(lambda: packed({**ODS, "content.xml": ods.content({})[:-20]}), "table_damaged", id="ods, cut off"),
        pytest.param(lambda: packed({**ODS, "Pictures/zeros": bytes(11 * 1024 * 1024)}), "table_unpacked",
                     id="ods, zip bomb"),
        pytest.param(lambda: ods.workbook(ods.row(ods.cell("x"), more='table:number-rows-repeated="2000000000"')),
                     "table_unpacked", id="ods, one row said for very many"),
        pytest.param(lambda: ods.workbook(ods.row(ods.cell("x", more='table:number-columns-repeated="9999"')) * 5000),
                     "table_unpacked", id="ods, one cell said for very many"),
        pytest.param(lambda: packed(parts(dict.fromkeys(map(str, range(100)), FULL), texts=("Ж" * 200,))),
                     "table_unpacked", id="one text in the first rows of many sheets"),
        pytest.param(lambda: packed(parts(dict.fromkeys(map(str, range(20)), MERGED), texts=("Ж" * 200,))),
                     "table_unpacked", id="one text in merged cells of many sheets"),
        pytest.param(lambda: packed(ods.parts(ods.content({f"{at}": "" for at in range(101)}))), "table_sheets",
                     id="ods, many sheets"),
    ],
)  # fmt: skip
def test_workbook_that_is_not_read_is_refused_with_its_reason(content: Callable[[], bytes], code: str) -> None:
    assert refusal(content()) == code


def test_parts_that_are_too_large_together_are_not_unpacked() -> None:
    out = io.BytesIO(packed(GOOD))
    with ZipFile(out, "a", ZIP_DEFLATED, compresslevel=1) as archive:
        for at in range(21):
            archive.writestr(f"xl/media/{at}", bytes(reader.SMALL_ENTRY))

    assert refusal(out.getvalue()) == "table_unpacked"


@pytest.mark.parametrize(
    "bomb",
    [
        '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_entities_of_xml_are_refused(bomb: str) -> None:
    rows_with_it = row(1, '<c r="A1" t="inlineStr"><is><t>&b;</t></is></c>')
    content = sheet(rows_with_it).replace(workbooks.XML, workbooks.XML + bomb)
    of_ods = ods.content({"Лист1": ods.row(ods.cell("x").replace("x", "&b;"))}, before=bomb)

    assert refusal(packed({**GOOD, "xl/worksheets/sheet1.xml": content})) == "table_damaged"
    assert refusal(packed({**ODS, "content.xml": of_ods})) == "table_damaged"
    assert refusal(flat_ods(ods.row(ods.cell("x")), before=bomb).replace(b">x<", b">&b;<")) == "table_damaged"
    of_2003 = xml_2003.workbook(xml_2003.sheet(xml_2003.row(xml_2003.cell("x"))), before=bomb)
    assert refusal(of_2003.replace(b">x<", b">&b;<")) == "table_damaged"


@settings(max_examples=100, deadline=None)
@given(at=st.floats(0, 0.999), to=st.integers(0, 255), name=st.sampled_from(sorted(GOOD)), inside=st.booleans())
def test_damaged_workbook_is_read_or_refused(at: float, to: int, name: str, inside: bool) -> None:
    whole = GOOD[name].encode() if inside else packed(GOOD)  # type: ignore[union-attr]
    place = int(at * len(whole))
    damaged = whole[:place] + bytes([to]) + whole[place + 1 :]
    # Anything else that is raised fails the test.
    with suppress(Refused):
        rows(packed({**GOOD, name: damaged}) if inside else damaged)


# --- XLS and ODS ---


def test_cells_of_an_xls_become_the_texts_that_people_see() -> None:
    cells: list[xls.Cell] = [
        "ID", (100222, 0), (42, 2), (46082.5, 1), True, False, (0.5, 0), " Ёлкин ", xls.NOT_AVAILABLE, (1e12, 1)
    ]  # fmt: skip

    ((line, read_cells, wrong, *_),) = whole(xls.workbook(cells))

    texts = ["ID", "100222", "000042", "2026-03-01", "yes", "no", "0.5", "Ёлкин", "#N/A", "#VALUE!"]
    assert (line, read_cells, wrong) == (1, texts, [8, 9])


def test_cells_of_an_ods_become_the_texts_that_people_see() -> None:
    cells = [
        ods.cell("ID"), ods.cell("100222", "float", "100222"), ods.cell("000042", "float", "42"),
        ods.cell("T-00042", "float", "42"), ods.cell("100 222", "float", "100222"), ods.cell("42,00", "float", "42"),
        ods.cell("0,50", "float", "0.5"), ods.cell("31.12.27", "date", "2027-12-31T00:00:00"),
        ods.cell("ИСТИНА", "boolean", "true"), ods.cell("ЛОЖЬ", "boolean", "false"),
        ods.cell("42%", "percentage", "0.42"),
        '<table:table-cell office:value-type="string"><office:annotation><text:p>Заметка</text:p></office:annotation>'
        "<text:p>Ёл<text:span>кин</text:span></text:p></table:table-cell>",
        ods.cell("#Н/Д").replace('calcext:value-type="string"', 'calcext:value-type="error"'),
        '<table:table-cell table:formula="of:=[.A1]"/>',
    ]  # fmt: skip

    ((_, read_cells, wrong, *_),) = whole(ods.workbook(ods.row(*cells)))

    assert read_cells == [
        "ID", "100222", "000042", "T-00042", "100222", "42", "0.5", "2027-12-31", "yes", "no", "0.42", "Ёлкин", "#Н/Д",
        "=",
    ]  # fmt: skip
    assert wrong == [12, 13]


def test_sheets_and_rows_that_are_not_shown_are_said_of_an_xls_and_an_ods() -> None:
    cells: list[list[xls.Cell]] = [["ID"], ["7"], [None], ["8"]]
    of_xls = xls.stream(
        {"Списки": xls.sheet([["x"]]), "Люди": xls.sheet(cells, hidden=[1, 2])}, ["Списки"], filtered=[1]
    )
    lines = [ods.row(ods.cell("ID")), ods.row(ods.cell("7"), more='table:visibility="filter"')]
    lines += [ods.row(more='table:visibility="collapse" table:number-rows-repeated="1"'), ods.row(ods.cell("8"))]
    of_ods = ods.content({"Списки": ods.row(ods.cell("x")), "Люди": "".join(lines)}, hidden=("Списки",))

    for table in (xls.file(of_xls), packed(ods.parts(of_ods))):
        told = [(one.sheet, one.hidden, one.rows, one.hidden_rows, one.filtered) for one in sheets(table)]
        assert told == [("Списки", True, 1, 0, False), ("Люди", False, 3, 1, True)]
        assert rows(table) == [(1, ["ID"]), (2, ["7"]), (4, ["8"])]
        assert [cells for _, cells, *_ in whole(table, "0")] == [["x"]]


@settings(max_examples=100, deadline=None)
@given(at=st.floats(0, 0.999), to=st.binary(min_size=1, max_size=4), inside=st.booleans())
def test_damaged_xls_or_ods_is_read_or_refused(at: float, to: bytes, inside: bool) -> None:
    for whole_file in (xls.file(XLS), ODS["content.xml"].encode() if inside else packed(ODS)):  # type: ignore[union-attr]
        place = int(at * len(whole_file))
        damaged = whole_file[:place] + to + whole_file[place + len(to) :]
        # Anything else that is raised fails the test.
        with suppress(Refused):
            rows(packed({**ODS, "content.xml": damaged}) if damaged.startswith(b"<") else damaged)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_read(encoding: str) -> None:
    file = io.BytesIO("ID;ФИО\r\n0012;Иван Иванов\r\n".encode(encoding))

    (contents,) = reader.inspect(file)

    assert (contents.encoding, contents.delimiter) == (encoding, ";")
    assert [row[1] for row in contents.head] == [["ID", "ФИО"], ["0012", "Иван Иванов"]]


# --- flat ODS, Strict Open XML, XML Spreadsheet 2003 ---


def flat_ods(rows: str, kind: str = ods.TYPE, before: str = "", scripts: str = "") -> bytes:
    xml = ods.content({"Лист1": rows}, before=before).replace("document-content", "document")
    return xml.replace("<office:document ", f'<office:document office:mimetype="{kind}" ').replace(
        "<office:automatic-styles>", f"{scripts}<office:automatic-styles>"
    ).encode()  # fmt: skip


def test_flat_ods_is_read_as_the_packed_one_is() -> None:
    lines = ods.row(ods.cell("ID"), ods.cell("ФИО")) + ods.row(ods.cell("000042", "float", "42"), ods.cell("Ёлкин"))

    assert rows(flat_ods(lines)) == rows(ods.workbook(lines)) == [(1, ["ID", "ФИО"]), (2, ["000042", "Ёлкин"])]
    assert found(flat_ods(lines)).format == "fods"


def test_flat_document_that_is_no_table_or_has_macros_is_refused() -> None:
    macro = '<office:scripts xmlns:ooo="http://openoffice.org/2004/office"><ooo:source-code>x</ooo:source-code>'

    assert refusal(flat_ods("", kind="application/vnd.oasis.opendocument.text")) == "table_unreadable"
    assert refusal(flat_ods("", scripts=f"{macro}</office:scripts>")) == "table_macros"
    assert refusal(flat_ods("")[:-20]) == "table_damaged"


def test_strict_open_xml_is_read_as_the_usual_one() -> None:
    lines = row(1, text("A1", "ID"), shared("B1", 0)) + row(2, number("A2", "42", 2), number("B2", "46082", 1))
    lines += row(3, text("A3", "7"), '<c r="B3" t="d" s="1"><v>2026-03-01</v></c>', more=' hidden="1"')
    files = parts({"Люди": sheet(lines), "Ещё": sheet("")}, ("Срок",), hidden=("Ещё",))
    strict = {
        name: str(part)
        .replace("http://schemas.openxmlformats.org/spreadsheetml/2006/", "http://purl.oclc.org/ooxml/spreadsheetml/")
        .replace("http://schemas.openxmlformats.org/officeDocument/2006/", "http://purl.oclc.org/ooxml/officeDocument/")
        .replace("<workbook ", '<workbook conformance="strict" ')
        for name, part in files.items()
    }

    assert [one.hidden_rows for one in sheets(packed(strict))] == [1, 0]
    assert sheets(packed(strict)) == sheets(packed(files))
    assert rows(packed(strict)) == [(1, ["ID", "Срок"]), (2, ["000042", "2026-03-01"]), (3, ["7", "2026-03-01"])]


def test_cells_of_xml_spreadsheet_2003_become_the_texts_that_people_see() -> None:
    columns = '<Column/><Column ss:Index="3" ss:StyleID="s6" ss:Span="1"/>'
    cells = [
        xml_2003.cell("ID"), xml_2003.cell("100222", "Number"), xml_2003.cell("42", "Number"),
        xml_2003.cell("42", "Number"), xml_2003.cell("42.5", "Number"),
        xml_2003.cell("42", "Number", 'ss:StyleID="s7"'), xml_2003.cell("2027-12-31T00:00:00.000", "DateTime"),
        xml_2003.cell("1", "Boolean"), xml_2003.cell("0", "Boolean"), xml_2003.cell("=1", more='ss:Index="11"'),
        xml_2003.cell("#N/A", "Error"), xml_2003.cell(more='ss:Formula="=R1C1"'),
        xml_2003.cell("7", "Number", 'ss:Formula="=R1C1"'),
        '<Cell><Comment><ss:Data ss:Type="String">Заметка</ss:Data></Comment><ss:Data ss:Type="String">'
        "Ёл<html:B>кин</html:B>&#10;Пётр</ss:Data></Cell>",
    ]  # fmt: skip
    styled = xml_2003.row(xml_2003.cell("7", "Number"), more='ss:Index="4" ss:StyleID="s6" ss:Span="2"')
    after = xml_2003.row(xml_2003.cell("8", "Number", 'ss:StyleID="s6"'), xml_2003.cell("9", "Number"))

    lines = whole(xml_2003.workbook(xml_2003.sheet(columns, xml_2003.row(*cells), styled, after)))

    assert [(line, cells) for line, cells, *_ in lines] == [
        (1, ["ID", "100222", "000042", "000042", "42.5", "000042", "2027-12-31", "yes", "no", "", "=1", "#N/A", "=",
             "7", "Ёлкин Пётр"]),
        (4, ["000007"]),
        (7, ["000008", "9"]),
    ]  # fmt: skip
    assert lines[0][2] == [11, 12]


def test_merged_cells_and_what_is_not_shown_are_said_of_xml_spreadsheet_2003() -> None:
    lines = [
        xml_2003.row(xml_2003.cell("Отдел"), xml_2003.cell("ID", more='ss:MergeAcross="1"'), xml_2003.cell("ФИО")),
        xml_2003.row(xml_2003.cell("Цех 1", more='ss:MergeDown="1"'), xml_2003.cell("7")),
        xml_2003.row(xml_2003.cell("8", more='ss:Index="2"'), more='ss:Hidden="1"'),
        xml_2003.row(xml_2003.cell(), more='ss:Hidden="1"'),
    ]
    chosen = '<AutoFilter><AutoFilterColumn x:Type="Custom"/></AutoFilter>'
    table = xml_2003.workbook(
        xml_2003.sheet(xml_2003.row(xml_2003.cell("x")), name="Списки", after="<Visible>SheetHidden</Visible>"),
        xml_2003.sheet(*lines, name="Люди", after=chosen),
    )

    told = [(one.format, one.sheet, one.hidden, one.rows, one.hidden_rows, one.filtered) for one in sheets(table)]
    assert told == [("xml", "Списки", True, 1, 0, False), ("xml", "Люди", False, 3, 1, True)]
    read_rows = whole(table, "1")
    assert [cells for _, cells, *_ in read_rows] == [["Отдел", "ID", "", "ФИО"], ["Цех 1", "7"], ["", "8"]]
    assert [merged for *_, merged, _ in read_rows] == [[], [], [(0, "Цех 1")]]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        (xml_2003.row(xml_2003.cell("x"), more='ss:Index="3000000000"'), "table_damaged"),
        (xml_2003.row(xml_2003.cell("x"), more='ss:Index="2"') + xml_2003.row(more='ss:Index="2"'), "table_damaged"),
        (xml_2003.row(xml_2003.cell("x"), xml_2003.cell("x", more='ss:Index="1"')), "table_damaged"),
        (xml_2003.row(xml_2003.cell("x", "Number")), "table_damaged"),
        ("<Row><Cell>", "table_damaged"),
    ],
)
def test_xml_spreadsheet_2003_that_no_program_writes_is_refused(rows: str, code: str) -> None:
    assert refusal(xml_2003.workbook(xml_2003.sheet(rows))) == code


def test_columns_that_xml_spreadsheet_2003_says_without_end_are_cut_off() -> None:
    columns = '<Column ss:Span="2000000000"/><Column ss:Index="2000000000"/>'
    wide = xml_2003.cell("x", more='ss:MergeAcross="2000000000" ss:MergeDown="2000000000"')
    far = xml_2003.cell("x", more='ss:Index="2000000000"')
    table = xml_2003.workbook(xml_2003.sheet(columns, xml_2003.row(far), *[xml_2003.row(wide, far)] * 3))

    assert [(len(cells), too_long) for _, cells, _, too_long, *_ in whole(table)] == [(256, True)] * 4


def test_sheets_of_xml_spreadsheet_2003_have_a_limit() -> None:
    assert refusal(xml_2003.workbook(*(xml_2003.sheet(name=f"{at}") for at in range(101)))) == "table_sheets"


# --- pictures ---


def test_pictures_in_and_over_cells_are_counted_in_each_sheet() -> None:
    in_cell = row(1, text("A1", "ID"), '<c r="B1" t="e" vm="1"><v>#VALUE!</v></c>')
    of_xlsx = {**parts({"Люди": sheet(in_cell), "Ещё": sheet(in_cell)}), **workbooks.pictures(2)}
    picture = xls.record(0x5D, reader.XLS_PICTURE + bytes(16)) * 2
    end = xls.record(0x0A)
    pictured = xls.sheet([["ID"]]).removesuffix(end) + picture + end
    of_xls = xls.file(xls.stream({"Люди": pictured, "Ещё": xls.sheet([["x"]])}))
    drawing = "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"
    frame = f'<d:frame xmlns:d="{drawing}">%s<d:image><text:p/></d:image></d:frame>'
    framed = ods.row(ods.cell("ID").replace("<text:p>", frame % "" + frame % "" + frame % "<d:object/>" + "<text:p>"))
    of_ods = ods.content({"Люди": framed, "Ещё": ods.row(ods.cell("x"))})
    of_html = "<table><td>ID<img src=a><td><img src='b'></table><img><table><td>x</table>"

    for table in (packed(of_xlsx), of_xls, packed(ods.parts(of_ods)), of_html.encode()):
        assert [one.pictures for one in sheets(table)] == [2, 0]
        assert rows(table)[0][1][0] == "ID"
    assert [one.pictures for one in sheets(packed({**of_xlsx, reader.PICTURES_IN_CELLS: ""}))] == [3, 1]


# --- web pages called .xls ---


def page(table: str, head: str = "") -> str:
    return f"<html><head>{head}</head><body><h1>Отчёт</h1><table border=1>{table}</table></body></html>"


PAGE = page(
    "<thead><tr><th>Таб. номер</th><th>ФИО</th></tr></thead>"
    "<tbody><tr><td>000042</td><td>Ёлкин&nbsp;Пётр</td></tr></tbody>",
    '<meta http-equiv="Content-Type" content="text/html; charset=%s"><style>td { color: red }</style>',
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1251", "koi8-r", "cp866"])
def test_web_page_called_xls_is_read_in_the_encoding_that_it_names(encoding: str) -> None:
    content = (PAGE % encoding).encode(encoding)

    assert rows(content) == [(1, ["Таб. номер", "ФИО"]), (2, ["000042", "Ёлкин\u00a0Пётр"])]
    assert (found(content).format, found(content).sheet) == ("html", "")


def test_encoding_of_a_web_page_is_found_where_it_names_none_or_a_wrong_one() -> None:
    expected = rows((PAGE % "utf-8").encode())

    assert rows((PAGE % "").encode("cp1251")) == expected
    assert rows((PAGE % "windows-1251").encode()) == expected
    assert refusal("<table><tr><td>ID<td>Müller</table>".encode("latin-1")) == "table_encoding"
    assert refusal((PAGE % "cp1").encode("cp1251")) == "table_encoding"


def test_cells_of_a_web_page_become_the_texts_that_people_see() -> None:
    cells = [
        "ID", "\n  Ёл<b>кин</b>\n  Пётр<br>Иванович ", "<p>Цех</p><p>1</p>", "A&amp;B &lt;1&gt;", '="007"', "=A1",
        "<style>b { color: red }</style><script>a < b</script>x", "<a href='#'>y</a>",
    ]  # fmt: skip
    text = f"<tr>{''.join(f'<td>{one}</td>' for one in cells)}</tr>"

    unclosed = page(text.replace("</td>", "").replace("</tr>", "\n"))
    for table in (page(text), unclosed, page(text.replace("<tr>", "")), f"<br />\n<b>Notice</b>: x{page(text)}"):
        ((line, read_cells, formulas, *_),) = whole(table.encode())
        assert line == 1
        assert read_cells == ["ID", "Ёлкин Пётр Иванович", "Цех 1", "A&B <1>", "007", "=A1", "x", "y"]
        assert formulas == [5]


def test_cells_of_a_web_page_that_span_others_leave_their_places_free() -> None:
    lines = [
        '<td rowspan=2>ID<td colspan="2">Срок<td rowspan="0">ФИО',
        "<td>с<td>по",
        "<td rowspan=2>7<td><td colspan=x>2027<td rowspan='2'>Пётр",
        '<td>2028<td style="display: none">x',
    ]
    table = page("".join(f"<tr>{line}</tr>" for line in lines)) + "<p>Всего: 1"
    hidden = page("<tr><td>ID</tr><tr style='height:0;display:none'><td>7</tr>")

    assert [(cells, merged) for _, cells, _, _, merged, _ in whole(table.encode())] == [
        (["ID", "Срок", "", "ФИО"], []),
        (["", "с", "по"], [(0, "ID")]),
        (["7", "", "2027", "Пётр"], []),
        (["", "2028", "x"], [(0, "7"), (3, "Пётр")]),
    ]
    assert (found(hidden.encode()).rows, found(hidden.encode()).hidden_rows) == (2, 1)


def test_tables_of_a_web_page_are_its_sheets() -> None:
    inner = "<table><tr><td>ID<td>ФИО<tr><td>7<td>Пётр</table>"
    content = page(f"<tr><td>Отчёт<tr><td>{inner}<tr><td>Конец").replace("</body>", "<table></table></body>").encode()

    assert [(one.sheet, one.rows) for one in sheets(content)] == [("1", 2), ("2", 2)]
    assert [cells for _, cells, *_ in whole(content, "0")] == [["Отчёт"], ["Конец"]]
    assert [cells for _, cells, *_ in whole(content, "1")] == [["ID", "ФИО"], ["7", "Пётр"]]


def test_pages_in_an_archive_of_the_web_are_read() -> None:
    frames = b"<html><frameset><frame src=sheet001.htm></frameset></html>"
    sheet = (PAGE % "windows-1251").encode("cp1251")
    parts = [("quoted-printable", quopri.encodestring(frames)), ("base64", base64.encodebytes(sheet))]
    content = b'MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\nContent-Type: multipart/related; boundary="-x"\r\n'
    for encoding, part in parts:
        head = f"\r\n---x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
        content += head.encode() + part
    nested = b"".join(b'Content-Type: multipart/x; boundary="%d"\n\n--%d\n' % (at, at) for at in range(2000))

    assert rows(content + b"\r\n---x--\r\n") == rows(sheet)
    assert refusal(content[:-100]) == "table_cut"
    assert refusal(b"MIME-Version: 1.0\n" + nested) == "table_damaged"


def test_web_page_that_breaks_off_is_refused() -> None:
    content = (PAGE % "utf-8").encode()

    for length in (content.index(b"42"), content.index(b"</tbody>"), content.index("Пётр".encode()) + 1):
        with pytest.raises(Refused, match=r"^table_cut$"):
            found(content[:length])


def test_web_page_that_ends_without_the_end_of_its_table_is_read() -> None:
    page = "<html><meta charset=utf-8><body><table><tr><td>ID<td>ФИО<tr><td>0012<td>Иванов%s"

    assert rows((page % "</body></html>").encode()) == [(1, ["ID", "ФИО"]), (2, ["0012", "Иванов"])]
    assert refusal((page % "").encode()) == "table_cut"


def test_web_page_costs_no_more_than_its_size() -> None:
    wide = "<tr>" + "<td rowspan=2000000000 colspan=2000000000>x" * 3
    many = "".join(f"<table><tr><td>{at}</table>" for at in range(101))

    # Each row has room for its own cells beside those that reach into it.
    assert {(len(cells), too_long) for _, cells, _, too_long, *_ in whole(page(wide * 60).encode())} == {(256, True)}
    assert rows(page("<tr><td>ID" + "<b>x" * 2000).encode())[0][1] == ["ID" + "x" * 253 + "…"]
    # A parser that tried again each tag that does not end would take minutes.
    for endless in ("<table>", "<a ", "<!--", "<![CDATA["):
        assert refusal(("<table><tr><td>x" + endless * 5000).encode()) == "table_cut"
    assert refusal(b"<!---->" * 500) == "table_unreadable"
    assert refusal(page("<tr><td>x</table>" + many).encode()) == "table_sheets"


@settings(max_examples=50, deadline=None)
@given(at=st.floats(0, 0.999), to=st.binary(min_size=1, max_size=4))
def test_damaged_markup_is_read_or_refused(at: float, to: bytes) -> None:
    book = xml_2003.workbook(xml_2003.sheet(xml_2003.row(xml_2003.cell("7", "Number", 'ss:MergeDown="1"'))))
    for content in (book, (PAGE % "utf-8").encode(), flat_ods(ods.row(ods.cell("7")))):
        place = int(at * len(content))
        # Anything else that is raised fails the test.
        with suppress(Refused):
            rows(content[:place] + to + content[place + len(to) :])
