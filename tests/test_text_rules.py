"""What texts may be: of one line, of numbers and days, and with invisible characters."""

import unicodedata
from datetime import date

import pytest

from hikflask import text_rules
from hikflask.isapi import persons
from hikflask.text_rules import CONTROL_CHARACTERS, CONTROLS, EMPTY, FAR_TOO_LONG, TOO_LONG, TURNING, fault, stripped


def test_keys_write_the_same_text_in_either_layout() -> None:
    for latin, russian in (("cvbhyjd", "смирнов"), (";erjd <jhbc", "жуков Борис"), ("Ivanov 100", "Шмфтщм 100")):
        assert (text_rules.retyped(latin), text_rules.retyped(russian)) == (russian, latin)


def test_apostrophes_of_one_letter_are_one_in_searches_wherever_a_text_is_cut() -> None:
    spellings = [
        "Oʻktamov Togʻay",
        "O'ktamov Tog'ay",
        "O‘KTAMOV TOG‘AY",
        "O’ktamov Tog’ay",
        "O`ktamov Tog´ay",
        "Oʼktamov Togʼay",
    ]

    assert {text_rules.folded(spelling) for spelling in spellings} == {"o'ktamov tog'ay"}
    assert {text_rules.folded(spelling[:2]) for spelling in spellings} == {"o'"}


def test_text_is_composed_and_without_spaces_around_it() -> None:
    assert stripped(" \u00a0Андреи\u0306\t") == "Андрей"
    assert stripped("a\n") == "a\n"
    far = "и\u0306" * FAR_TOO_LONG
    assert stripped(far) == far


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Иван Иванов", ""),
        ("", EMPTY),
        ("\u200b", EMPTY),
        ("а" * 11, ""),
        ("а" * 12, TOO_LONG),
        ("Иван\nИванов", CONTROL_CHARACTERS),
        ("Ива\u202eнов", ""),
    ],
)
def test_fault_of_a_text(text: str, wrong: str) -> None:
    assert fault(text, 11) == wrong


def test_what_need_not_be_there_may_be_empty_and_marks_may_be_refused() -> None:
    assert fault("", 11, required=False) == ""
    assert fault("Ива\u202eнов", 11, marks=False) == CONTROL_CHARACTERS


DIRECTION = [*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"]


@pytest.mark.parametrize("letter", [*DIRECTION, "\u200b", "\u00ad", "\n", "\0", "\u2028", "\ud800"])
def test_what_nobody_sees_is_invisible(letter: str) -> None:
    assert text_rules.is_invisible(letter)


@pytest.mark.parametrize("letter", [*DIRECTION, "я", "ع", " ", "\u00a0", "🜁", "\u0301"])
def test_mark_and_letter_break_no_line(letter: str) -> None:
    assert not text_rules.is_breaking(letter)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Иван Ив́анов № 5, «А»", "Иван Ив́анов № 5, «А»"),
        ("", ""),
        ("עברית", "\u2068עברית\u2069"),
        ("العربية 5", "\u2068العربية 5\u2069"),
        ("gpj\u202egnp.exe", "\u2068gpjgnp.exe\u2069"),
        ("a\u2069\u202eb\u2067", "\u2068ab\u2069"),
        ("a\u200fb", "\u2068a\u200fb\u2069"),
    ],
)
def test_text_that_could_turn_others_round_is_isolated_and_cannot_end_it(text: str, shown: str) -> None:
    assert text_rules.isolated(text) == shown


def test_nothing_turns_before_the_first_that_could() -> None:
    before = map(chr, range(ord(text_rules.FIRST_TURNING)))

    assert [one for one in before if ord(one) in CONTROLS or unicodedata.bidirectional(one) in TURNING] == []


@pytest.mark.parametrize(("text", "blank"), [("", True), (" \u200b\u00a0\n", True), ("\u202e", True), ("№", False)])
def test_text_that_shows_nothing_is_blank(text: str, blank: bool) -> None:
    assert text_rules.is_blank(text) is blank


@pytest.mark.parametrize("text", ["1", "100222", "A7b", "9" * 32])
def test_letters_and_digits_are_a_number(text: str) -> None:
    assert text_rules.is_employee_number(text)


@pytest.mark.parametrize("text", ["", "9" * 33, "10 22", "10-22", "10_22", "сто", "٣", "100222\n", None, True, 100222])
def test_anything_else_is_no_number(text: object) -> None:
    assert not text_rules.is_employee_number(text)


def test_day_is_read_as_it_is_written() -> None:
    assert text_rules.day_of("2036-02-29") == date(2036, 2, 29)
    assert text_rules.written_day(date(2036, 2, 29)) == "2036-02-29"
    assert text_rules.written_day(None) == ""


@pytest.mark.parametrize("text", ["", "2035-02-29", "20360229", "2036-W09-5", "29.02.2036", "2036-02-29 ", None, 2036])
def test_anything_else_is_no_day(text: object) -> None:
    assert text_rules.day_of(text) is None


def test_accepted_days_are_those_of_terminals() -> None:
    assert persons.FIRST_MOMENT.date() == text_rules.FIRST_DAY
    assert persons.LAST_MOMENT.date() == text_rules.LAST_DAY
    days = (date(1999, 12, 31), date(2000, 1, 1), date(2037, 12, 31), date(2038, 1, 1))
    assert [text_rules.is_accepted_day(day) for day in days] == [False, True, True, False]


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("Oтдел", "Отдел"),
        ("Ивaнoв Алëна", "Иванов Алёна"),
        ("Iванов", "Іванов"),
        ("Sаles", "Sales"),
        ("Ива\u00adнов\u200b Иван\u202e", "Иванов Иван"),
        ("PRщик", "PRщик"),
        ("IT-отдел", "IT-отдел"),
        ("OOO Ромашка", "OOO Ромашка"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("Zoë", "Zoë"),
    ],
)
def test_letters_of_the_other_alphabet_and_invisible_signs_are_mended(text: str, mended: str) -> None:
    assert text_rules.mended(text) == mended
    assert bool(text_rules.odd_signs(text)) == (text != mended)
