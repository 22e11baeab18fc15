"""Rows as CSV that spreadsheets open without a question."""

from itertools import product

import pytest

from hikflask.services.spreadsheets import csv_writer
from hikflask.services.spreadsheets.csv_writer import with_formula_mark_removed, without_formula

# What cells are made of: letters, what begins a formula, and everything around it that somebody could hide it behind.
PIECES = ["Иванов", *"=+-@＝＋－＠'\" \u00a0\t\r\n,;|"]


def test_each_part_is_a_text_of_its_own_and_the_mark_stands_once() -> None:
    parts = [[["ID", "ФИО"]], [["007", "Иван Иванов"], ["2", 'О\'Нил; "Пётр"']]]

    texts = list(csv_writer.texts(parts, csv_writer.BYTE_ORDER_MARK))

    assert texts == ['\ufeff"ID";"ФИО"\r\n', '"007";"Иван Иванов"\r\n"2";"О\'Нил; ""Пётр"""\r\n']


def test_no_cell_is_a_formula() -> None:
    assert list(csv_writer.texts([[["=1+1", "x;@y"]]])) == ['"\'=1+1";"x;\'@y"\r\n']


@pytest.mark.parametrize(("cell", "safe"), [
    ('=HYPERLINK("http://x")', "'=HYPERLINK(\"http://x\")"),
    ("+7 900", "'+7 900"),
    ("-1", "'-1"),
    ("@x", "'@x"),
    ("＝1", "'＝1"),
    ("  =1", "  '=1"),
    ("\u00a0@x", "\u00a0'@x"),
    ("\t=1", "'\t'=1"),
    ("\n", "'\n"),
    ("Иванов;=1", "Иванов;'=1"),
    ("Иванов,=1", "Иванов,'=1"),
    ("Иванов|=1", "Иванов|'=1"),
    ('Иванов"=1', "Иванов\"'=1"),
    ("Иванов\n=1", "Иванов\n'=1"),
    ("Иванов\t=1", "Иванов\t'=1"),
    ("Иванов, \u00a0-1", "Иванов, \u00a0'-1"),
    ("Иванов,,＝1", "Иванов,,'＝1"),
    ('",=1', "\",'=1"),
    ("'=1", "''=1"),
    ("Римский-Корсаков", "Римский-Корсаков"),
    ("О'Нил", "О'Нил"),
    ("007", "007"),
    ("", ""),
])  # fmt: skip
def test_apostrophe_stands_before_what_a_spreadsheet_could_take_for_a_formula(cell: str, safe: str) -> None:
    assert without_formula(cell) == safe


def test_every_marked_cell_comes_back_as_it_was() -> None:
    cells = ["".join(pieces) for length in range(5) for pieces in product(PIECES, repeat=length)]

    marked = [without_formula(cell) for cell in cells]

    assert [with_formula_mark_removed(cell) for cell in marked] == cells
    assert len(set(marked)) == len(cells)


def test_cell_that_is_not_marked_stays() -> None:
    for cell in ("Иван Иванов", "О'Нил", "'Иван'", "it's", "100222", "'", "Римский-Корсаков, Николай"):
        assert with_formula_mark_removed(cell) == cell
