"""Rows as CSV that spreadsheets open without a question."""

from hikflask.services.spreadsheets import csv_writer


def test_each_part_is_a_text_of_its_own_and_the_mark_stands_once() -> None:
    parts = [[["ID", "ФИО"]], [["007", "Иван Иванов"], ["2", 'О\'Нил; "Пётр"']]]

    texts = list(csv_writer.texts(parts, csv_writer.BYTE_ORDER_MARK))

    assert texts == ['\ufeff"ID";"ФИО"\r\n', '"007";"Иван Иванов"\r\n"2";"О\'Нил; ""Пётр"""\r\n']


def test_no_cell_is_a_formula() -> None:
    assert list(csv_writer.texts([[["=1+1", "x;@y"]]])) == ['"\'=1+1";"x;\'@y"\r\n']
