"""What a row says, by the rules of the employee form."""

from datetime import date
from typing import Any

import pytest

from hikflask.services.imports.table import values
from hikflask.services.imports.table.options import DEFAULT, Options
from hikflask.services.spreadsheets.reader_process import Row
from tests.support.refusals import refusal

pytestmark = pytest.mark.usefixtures("context")

PARTS = {"number": 0, "last_name": 1, "first_name": 2, "middle_name": 3}


def read(
    fields: dict[str, int],
    *cells: str,
    options: Options = DEFAULT,
    **row: Any,
) -> values.Values:
    found = values.read(Row(2, list(cells), **row), fields, options)
    assert found is not None
    return found


def said(column: str, text: str) -> tuple[bool | None, list[str]]:
    """What a cell about leaving says, and the codes of what is wrong with it."""
    found = read({"number": 0, column: 1}, "1", text)
    return found.leaves, [refusal["code"] for refusal in found.errors.values()]


def test_name_is_put_together_from_its_parts() -> None:
    assert read(PARTS, "1", " Ёлкина", "Ольга", "").texts == {"number": "1", "name": "Ёлкина Ольга"}


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        (("Иванов", "Иван Иванович", "Иванович"), "Иванов Иван Иванович"),
        (("Иванов Иван", "Иван", "Иванович"), "Иванов Иван Иванович"),
        (("Иванов Иван Иванович", "Иван", "Иванович"), "Иванов Иван Иванович"),
        (("Каримов", "Азиз Рустам ўғли", "Рустам Ўғли"), "Каримов Азиз Рустам ўғли"),
        # Names that are twice.
        (("Али", "Али", ""), "Али Али"),
        (("Иванов", "Иван", "Иванов"), "Иванов Иван Иванов"),
        (("Петров", "Пётр", "Петров Петрович"), "Петров Пётр Петров Петрович"),
    ],
)
def test_part_that_is_in_the_one_before_it_adds_nothing(cells: tuple[str, str, str], name: str) -> None:
    assert read(PARTS, "1", *cells).texts["name"] == name


def test_row_without_anything_in_its_columns_is_no_row() -> None:
    assert values.read(Row(2, ["", " \t", "Итого"]), {"number": 0, "name": 1}, DEFAULT) is None


def test_texts_are_composed_and_trimmed() -> None:
    found = read({"number": 0, "name": 1, "department": 2}, " 1 ", "Андреи\u0306 ", "Отдел  \u00a0снабжения")

    assert found.texts == {"number": "1", "name": "Андрей", "department": "Отдел снабжения"}
    assert found.errors == {}


@pytest.mark.parametrize(
    ("cells", "errors"),
    [
        (("№1", "Иван", ""), {"number": refusal("number_invalid")}),
        (("", "Иван", ""), {"number": refusal("number_invalid")}),
        (("1", "И" * 129, "С" * 129), {key: refusal("text_too_long", most=128) for key in ("name", "department")}),
        (("1", "Иван\nИванов", ""), {"name": refusal("text_control_characters", most=128)}),
        (("=1", "@Иван", "-1"), {key: refusal("formula") for key in ("number", "name", "department")}),
    ],
)
def test_what_the_form_refuses_is_wrong(cells: tuple[str, ...], errors: dict[str, Any]) -> None:
    assert read({"number": 0, "name": 1, "department": 2}, *cells).errors == errors


NAMED = {**PARTS, "department": 4}


@pytest.mark.parametrize(
    "nothing",
    [
        *("—", "–", "-", "--", "нет", "Нет", "no", "отсутствует", "n/a", "NULL", "None", "nan", "<NA>", r"\N"),
        *("жоқ", "yo‘q", "йўқ"),
    ],
)
def test_mark_of_nothing_is_no_patronymic(nothing: str) -> None:
    found = read(NAMED, "1", "Ким", "Ольга", nothing, "Цех")

    assert (found.texts["name"], found.errors) == ("Ким Ольга", {})


@pytest.mark.parametrize("nothing", ["—", "–", "-", " - ", "---"])
def test_dash_is_nothing_and_no_formula(nothing: str) -> None:
    fields = {"number": 0, "name": 1, "department": 2, "valid_from": 3, "valid_to": 4}

    assert (found := read(fields, "1", "Иван", nothing, nothing, nothing)).errors == {}
    assert found.texts == {"number": "1", "name": "Иван"}
    cleared = read(fields, "1", "Иван", nothing, "", nothing, options=Options(clear=("department", "valid_to")))
    assert cleared.texts == {"number": "1", "name": "Иван", "department": "", "valid_to": ""}
    # Of a name it is what it is.
    assert read(NAMED, "1", "Нет", "Ольга", "", "").texts == {"number": "1", "name": "Нет Ольга"}
    assert read({"number": 0}, nothing + "7").errors == {"number": refusal("number_invalid")} | (
        {"number": refusal("formula")} if nothing.strip().startswith("-") else {}
    )


@pytest.mark.parametrize("nothing", ["нет", "Нет", "0", "б/о", "без отдела", "(пусто)", "No department", "(blank)"])
def test_word_for_no_department_makes_none(nothing: str) -> None:
    assert read({"number": 0, "name": 1, "department": 2}, "1", "Иван", nothing).texts == {
        "number": "1",
        "name": "Иван",
    }


@pytest.mark.parametrize("nothing", ["NULL", "None", "nan", "NaN", "N/A", "<NA>", "(null)", r"\N"])
def test_word_of_a_program_for_an_empty_cell_is_one_and_no_name(nothing: str) -> None:
    fields = {"number": 0, "name": 1, "department": 2, "left": 3, "active": 4, "valid_from": 5, "valid_to": 6}

    found = read(fields, "1", "Иван", *[nothing] * 5)

    assert (found.texts, found.leaves, found.errors) == ({"number": "1", "name": "Иван"}, None, {})
    assert read(fields, nothing, "Иван", *[""] * 5).errors == {"number": refusal("number_invalid")}


def test_word_for_nothing_within_a_name_is_refused_and_people_of_that_name_are_read() -> None:
    for name in ("Каримов Азиз nan", "NULL", "None Ким", "Азиз NaN"):
        assert read({"number": 0, "name": 1}, "1", name).errors == {"name": refusal("name_note")}, name
    for name in ("Nan Goldin", "Christopher Null", "Нонна Нан"):
        assert read({"number": 0, "name": 1}, "1", name).errors == {}, name
    for number in ("new", "TBD", "Pending"):
        assert read({"number": 0, "name": 1}, number, "Иван").errors == {"number": refusal("number_invalid")}


def test_sign_as_html_writes_it_is_the_sign() -> None:
    found = read({"number": 0, "name": 1, "department": 2}, "&#49;", "Sean&nbsp;O&#39;Connor", "R&amp;D &quot;X&#x22;")

    assert (found.texts, found.errors) == ({"number": "1", "name": "Sean O'Connor", "department": 'R&D "X"'}, {})


def test_broken_letters_are_nobodys_name_and_keep_no_leaver_here() -> None:
    fields = {"number": 0, "name": 1, "left": 2}

    assert read(fields, "1", "?асымов Н?рлан", "").errors == {"name": refusal("letters_broken")}
    left = read(fields, "1", "?асымов Н?рлан", "да")
    assert (left.texts, left.leaves, left.errors) == ({"number": "1", "left": "yes"}, True, {})


def test_signs_that_nobody_sees_are_in_no_name_and_in_no_id() -> None:
    fields = {"number": 0, "name": 1, "department": 2}

    found = read(fields, "\ufeff100\u200b222\u00ad", "Ива\u00adнов\u00a0Иван\u200d", "Цех\u202f\u00a01\u2060")

    assert found.texts == {"number": "100222", "name": "Иванов Иван", "department": "Цех 1"}
    assert found.errors == {}
    # Some scripts need them.
    assert read(fields, "1", "می\u200cخواهم", "").texts["name"] == "می\u200cخواهم"


def test_text_is_read_as_programs_wrap_it() -> None:
    blob = f"X'{'Ёлкина Ольга'.encode().hex()}'"

    assert read({"number": 0, "name": 1}, '"00001"', blob).texts == {"number": "00001", "name": "Ёлкина Ольга"}
    assert read({"number": 0, "name": 1}, "x'3031'", '"Ким Ольга"').texts == {"number": "01", "name": "Ким Ольга"}
    # No text, and a part of one.
    assert read({"number": 0, "name": 1}, "1", 'Ким "Ольга"').texts["name"] == 'Ким "Ольга"'
    assert read({"number": 0, "name": 1}, "1", "X'd0'").texts["name"] == "X'd0'"
    assert read({"number": 0, "department": 1}, "1", '"Ромашка" ООО').texts["department"] == '"Ромашка" ООО'


def test_cell_with_a_formula_and_row_that_was_cut_are_wrong() -> None:
    assert read(PARTS, "1", "Ёлкина", "Ольга", "", formulas=frozenset({2})).errors == {"name": refusal("formula")}
    assert read(PARTS, "1", "Ёлкина", "", "", too_long=True).errors == {"number": refusal("row_too_long")}
    assert read(PARTS, "1", "Ёлкина", "", "", shifted=True).errors == {"number": refusal("row_shifted")}


def test_text_of_a_workbook_is_no_formula_whatever_it_begins_with() -> None:
    fields = {"number": 0, "name": 1, "department": 2}

    found = read(fields, "1", "=Иван", "-1 этаж", typed=True)

    assert (found.texts, found.errors) == ({"number": "1", "name": "=Иван", "department": "-1 этаж"}, {})
    assert read(fields, "1", "@", "@", typed=True).errors == {"name": refusal("name_note")}
    # Some programs write an error as a text.
    assert read(fields, "1", "#N/A", "#Н/Д", typed=True).errors == {
        "name": refusal("formula"),
        "department": refusal("formula"),
    }
    assert read(fields, "1", "#N/A", "", typed=True, formulas=frozenset({1})).errors == {"name": refusal("formula")}


def test_text_that_is_longer_than_its_field_is_cut_with_a_mark() -> None:
    fields = {"number": 0, "name": 1, "department": 2, "valid_to": 3, "left": 4}
    cut = "9" * 255 + "…"

    found = read(fields, cut, cut, cut, cut, cut)

    assert found.texts == {
        "number": "9" * 63 + "…", "name": cut, "department": cut, "valid_to": "9" * 127 + "…"
    }  # fmt: skip
    assert found.errors == {
        "number": refusal("number_invalid"),
        "name": refusal("text_too_long", most=128),
        "department": refusal("text_too_long", most=128),
        "valid_to": refusal("day_unreadable"),
        "left": refusal("left_unreadable"),
    }


def test_mark_of_our_own_export_is_removed() -> None:
    assert read({"number": 0, "name": 1}, "1", "'=Иван").texts["name"] == "=Иван"
    assert read({"number": 0, "name": 1}, "1", "'Иван").texts["name"] == "'Иван"


def test_leaving_is_said_in_many_ways() -> None:
    for text in ("да", "Уволен", "YES", "1", "x", "+", "31.01.2020", "2020-01-31", "2020-01-31 00:00:00"):
        assert said("left", text) == (True, []), text
    for text in ("31.01.2020 г.", "Уволен 31.01.2020 года", "15-Nov-2020", "Уволена с 15 ноября 2020 г."):
        assert said("left", text) == (True, []), text
    for text in ("нет", "работает", "0", "-", "no"):
        assert said("left", text) == (False, []), text
    for text in (
        "",
        "31.01.2999",
        "01.01.0001",
        "  .  .    ",
        "  /  /    ",
        "__.__.____",
        "00.00.0000",
        "0000-00-00",
        "31.12.9999",
        "Бессрочно",
    ):
        assert said("left", text) == (None, []), text
    assert said("left", "когда-нибудь") == (None, ["left_unreadable"])


def test_states_of_1c_say_who_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "today", lambda: date(2026, 12, 1))

    for state in ("Работа", "Отпуск", "Декрет", "Отпуск по уходу за ребёнком", "в отпуске", "On leave", "Probation"):
        assert said("left", state) == (False, []), state
    here = (
        *(
            "Отпуск основной",
            "ОтпускОсновной",
            "Отпуск по беременности и родам",
            "Болезнь",
            "Прогул",
            "Прием",
            "Штатный",
        ),
        *("Enabled", "Current", "Onboarding", "Member", "Full-Time Permanent", "Leave of absence", "Ishlaydi"),
        *("Сотрудник", "Normal", "In progress", "Notice Period", "Garden leave", "Parental Leave", "Long Term Leave"),
        "Военные сборы",
    )
    for state in here:
        assert said("left", state) == (False, []), state
    assert said("left", "Отпуск с последующим увольнением") == (None, ["left_unreadable"])
    gone = (
        *("Увольнение", "Уволен 30.11.2026", "Уволена с 30.11.2026", "увол. 30.11.2026", "Left 30.11.2026"),
        *("ушла", "Приказ об увольнении", "Suspended", "Archived", "DEPROVISIONED", "Ex-employee", "Disabled"),
        *("Ishdan bo‘shagan", "Termination", "рассчитан(а)", "Уволен(а)", "Former"),
        *(
            "Ishdan bo‘shatilgan",
            "Bo‘shagan",
            "Ишдан бўшатилган",
            "жұмыстан кеткен",
            "Resign",
            "Relieved",
            "Absconding",
        ),
        *("Удален", "В архиве", "Отключена", "Неактивен", "умер", "сокр.", "выб.", "исключен", "отчислена", "laid off"),
        *("снят с учёта", "не числится", "passed away", "contract ended", "left 12 Oct 2026", "не раб. с 01.09.26"),
    )
    for state in gone:
        assert said("left", state) == (True, []), state
    assert said("left", "Уволен 01.12.2026") == (None, [])
    assert said("left", "Уволен условно, вернулся") == (None, ["left_unreadable"])


def test_text_that_says_why_makes_a_leaver_in_a_column_of_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "today", lambda: date(2026, 12, 1))

    def why(text: str) -> tuple[bool | None, list[str]]:
        found = values.read(Row(2, ["1", text]), {"number": 0, "left": 1}, DEFAULT, reasons=True)
        assert found is not None
        return found.leaves, [error["code"] for error in found.errors.values()]

    for text in (
        *("по собственному желанию", "п.3 ч.1 ст.77 ТК", "Соглашение сторон", "resigned", "Better offer", "Переезд"),
        *("№ 15-у от 30.11.2026", "ст. 81, 30.11.26", "по заявлению", "уже не сотрудник", "Уволена, ст. 77"),
    ):
        assert why(text) == (True, []), text
    for text in ("", "15.12.2026", "увольнение 15.12.2026"):
        assert why(text) == (None, []), text
    for text in ("нет", "работает", "в отпуске"):
        assert why(text) == (False, []), text
    for text in (
        *(
            "заявление подано",
            "не прошёл испытание",
            "отмена приказа",
            "уволится в январе",
            "с 15 декабря",
            "до 15.12",
            "15-Dec",
        ),
        *(
            "№ 15-у от 15.12.2026",
            "№ 7 от 12/01/2026",
            "31-Nov-2026",
            "15-dekabr",
            "Hire",
            "transfer",
            "will leave soon",
            "перевод",
            "?",
            "12",
        ),
        *("maternity leave", "уволен, восстановлен судом"),
    ):
        assert why(text) == (None, ["left_unreadable"]), text
    # In any column the words that speak of somebody who left do, whatever else stands there.
    for text in ("Уволена по собственному желанию", "ТД расторгнут 30.11.2026", "no longer works here"):
        assert said("left", text) == (True, []), text
    for text in ("по собственному желанию", "Уволен приказом от 15.12.2026", "увольнение с января", "ув. 30.11"):
        assert said("left", text)[1] == ["left_unreadable"], text


@pytest.mark.parametrize("event", ["Hire", "Rehire", "New hire", "Transfer", "Pay rate change", "Приём на работу"])
def test_event_of_somebody_who_works_here_is_none_of_leaving(event: str) -> None:
    assert said("left", event) == (False, [])
    assert said("left", "Termination") == (True, [])


def test_day_that_is_past_in_one_order_alone_deactivates_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "today", lambda: date(2026, 11, 27))

    assert said("left", "12/01/2026") == (None, ["left_unreadable"])
    assert said("left", "02/01/2026") == (True, [])
    assert said("left", "13/12/2026") == (None, [])


def test_last_day_of_work_is_one_and_the_day_after_deactivates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "today", lambda: date(2026, 11, 27))

    assert said("left", "27.11.2026") == (None, [])
    assert said("left", "26.11.2026") == (True, [])


def test_year_of_two_digits_is_read_as_excel_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "today", lambda: date(2026, 11, 27))

    assert said("left", "31.01.26") == (True, [])
    assert said("left", "31.01.98") == (True, [])
    assert said("left", "31.01.27") == (None, [])
    assert said("left", "31.01.35") == (None, ["left_unreadable"])
    assert (said("left", "31/01/26"), said("left", "01/31/27")) == ((True, []), (None, []))
    # SAP writes a day without signs; another number is no day where it may mean anything else.
    assert (said("left", "20260131"), said("left", "20270131")) == ((True, []), (None, []))
    assert said("left", "20261331") == (None, ["left_unreadable"])
    assert said("left", "46082") == (None, ["left_unreadable"])


@pytest.mark.parametrize("day", ["15.11.0026", "15.11.1926", "15.11.1969"])
def test_day_of_leaving_with_a_mistyped_year_is_asked_about(day: str) -> None:
    found = values.read(Row(2, ["1", day, "01.02.2020"]), {"number": 0, "left": 1}, DEFAULT, hired=[2])

    assert found is not None
    assert (found.leaves, found.errors) == (None, {"left": refusal("left_unreadable")})


@pytest.mark.parametrize(
    ("left", "hired", "leaves"),
    [
        ("31.12.2024", "15.01.2026", None),
        ("Уволен 31.12.2024", "2026-01-15", None),
        ("31.12.2025", "01.02.2020", True),
        ("31.12.2025", "31.12.2025", True),
        ("31.12.2025", "", True),
        ("02/01/2026", "01/02/2026", True),  # The day of hiring is in February or in January.
        ("Уволен", "15.01.2026", True),
        ("31.12.2025", "28.11.2026", True),  # Tomorrow.
    ],
)
def test_day_of_leaving_before_that_of_hiring_is_of_an_earlier_employment(
    monkeypatch: pytest.MonkeyPatch, left: str, hired: str, leaves: bool | None
) -> None:
    monkeypatch.setattr(values, "today", lambda: date(2026, 11, 27))

    found = values.read(Row(2, ["1", left, hired]), {"number": 0, "left": 1}, DEFAULT, hired=[2])

    assert found is not None
    assert (found.leaves, found.errors) == (leaves, {})


def test_mere_yes_in_a_status_deactivates_nobody() -> None:
    for text in ("1", "да", "yes", "x", "+", "нет", "-", "Locked"):
        found = values.read(Row(2, ["1", text]), {"number": 0, "left": 1}, DEFAULT, status=True)
        assert found is not None
        assert (found.leaves, found.errors) == (None, {"left": refusal("status_unclear")}), text
    left = values.read(Row(2, ["1", "Уволен"]), {"number": 0, "left": 1}, DEFAULT, status=True)
    assert left is not None
    assert (left.leaves, left.errors) == (True, {})


def test_active_is_the_reverse() -> None:
    assert said("active", "нет") == (True, [])
    assert said("active", "да") == (False, [])
    assert said("active", "уволена") == (True, [])
    # As SAP has it.
    assert [said("active", code) for code in "0123"] == [
        (True, []), (False, []), (None, ["left_unreadable"]), (False, [])
    ]  # fmt: skip
    # As Active Directory has it in userAccountControl.
    assert [said("active", code)[0] for code in ("512", "66048", "514", "66050")] == [False, False, True, True]
    assert said("left", "3") == (None, ["left_unreadable"])
    assert said("active", "31.01.2020") == (None, ["left_unreadable"])


def test_columns_that_contradict_each_other_are_wrong() -> None:
    found = read({"number": 0, "left": 1, "active": 2}, "1", "да", "да")

    assert (found.leaves, found.errors) == (None, {"active": refusal("left_contradicts")})
    assert read({"number": 0, "left": 1, "active": 2}, "1", "да", "нет").leaves


DAYS = {"number": 0, "valid_from": 1, "valid_to": 2}


@pytest.mark.parametrize(
    ("first", "last", "texts"),
    [
        ("01.03.2036", "2036-06-30", ("2036-03-01", "2036-06-30")),
        ("2036-03-01 00:00:00", "31/12/2036", ("2036-03-01", "2036-12-31")),
        ("01.03.2036 00:00:00", "2036-06-30T23:59:59", ("2036-03-01", "2036-06-30")),
        ("2036/03/01 00:00:00", "2036/06/30 23:59:59", ("2036-03-01", "2036-06-30")),
        ("2036-03-01 00:00:00.000", "2036-06-30 23:59:00.000", ("2036-03-01", "2036-06-30")),
        ("01.03.2036 0:00", "30.06.2036 23:59", ("2036-03-01", "2036-06-30")),
        ("01.03.27", "31.12.29 23:59:59", ("2027-03-01", "2029-12-31")),
        ("1.3.27 0:00", "31.12.27", ("2027-03-01", "2027-12-31")),
        ("20270301", "31/12/27", ("2027-03-01", "2027-12-31")),
        # As Excel keeps a day: 46752 is the last of 2027.
        ("46752", "46752.99998842593", ("2027-12-31", "2027-12-31")),
        ("46752.0", "46752", ("2027-12-31", "2027-12-31")),
        # With the month by name, and words beside the day.
        ("с 1 марта 2027", "до 31.12.2027", ("2027-03-01", "2027-12-31")),
        ("from 01-Mar-2027", "until Dec 31, 2027", ("2027-03-01", "2027-12-31")),
        ("1 Mar 2027 12:00:00 AM", "по 31 дек. 2027 г. включительно", ("2027-03-01", "2027-12-31")),
        ("2027-03-01T00:00:00Z", "12/31/2027 11:59:59 PM", ("2027-03-01", "2027-12-31")),
        # As a Russian writes it by hand.
        ("01.03.2027 г.", "31.12.2027г", ("2027-03-01", "2027-12-31")),
        ("2027-03-01 Г.", "31.12.2027 года", ("2027-03-01", "2027-12-31")),
    ],
)
def test_days_of_the_validity_are_read(first: str, last: str, texts: tuple[str, str]) -> None:
    found = read(DAYS, "1", first, last)

    assert (found.texts["valid_from"], found.texts["valid_to"]) == texts
    assert found.errors == {}


def test_number_of_a_day_counts_from_1904_where_its_workbook_does() -> None:
    found = values.read(Row(2, ["1", "45290", "31.12.2031"]), DAYS, DEFAULT, since_1904=True)

    assert found is not None
    assert (found.texts, found.errors) == ({"number": "1", "valid_from": "2027-12-31", "valid_to": "2031-12-31"}, {})


@pytest.mark.parametrize("empty", [("", "", "", ""), ("", "", "01.01.0001", "  .  .")])
def test_empty_cell_says_nothing_unless_it_is_to_clear_what_is_here(empty: tuple[str, ...]) -> None:
    fields = {"number": 0, "name": 1, "department": 2, "valid_from": 3, "valid_to": 4}

    assert read(fields, "1", *empty).texts == {"number": "1"}
    cleared = read(fields, "1", *empty, options=Options(clear=("department", "valid_from", "valid_to")))
    assert cleared.texts == {"number": "1", "department": "", "valid_from": "", "valid_to": ""}
    assert cleared.errors == {}


@pytest.mark.parametrize(
    "text",
    ["Бессрочно", "бессрочно.", "без срока", "Unlimited", "never", "9999", "31.12.9999", "9999-12-31 23:59:59", "2037",
     "31.12.2037", "2037-12-31T23:59:59", "50405"],
)  # fmt: skip
def test_no_limit_is_said_in_many_ways(text: str) -> None:
    found = read(DAYS, "1", "", text)

    assert (found.texts, found.errors) == ({"number": "1", "valid_to": ""}, {})
    assert read(DAYS, "1", text, "").texts.get("valid_from") != ""


@pytest.mark.parametrize(
    "text",
    ["00.00.0000", "0000-00-00", "00.00.0000 00:00:00", "00/00/0000", "00.01.1900", "01.01.0001 0:00:00", "0001-01-01",
     "0001-01-01T00:00:00", "1753-01-01", "30.12.1899", "1900-01-01 00:00:00", "01.01.1970", "1970-01-01T00:00:00"],
)  # fmt: skip
def test_first_day_that_a_program_knows_is_none_and_nobody_left_by_it(text: str) -> None:
    found = read(DAYS, "1", text, text)

    assert (found.texts, found.errors) == ({"number": "1"}, {})
    assert said("left", text) == (None, [])


@pytest.mark.parametrize(
    "name",
    [
        "Зайцева Юлия (уволена)",
        "Иван - УВОЛЕН 01.12.26",
        "Вакансия",
        "Вакант",
        "Vacant",
        "John Smith (On Leave)",
        "Зайцева Юлия (ув.)",
        "Зайцева Юлия (УВ)",
        "ЗАЙЦЕВА ЮЛИЯ (УВ.)",
        "Зайцева Юлия - уволилась 12.05.2026",
        "Зайцева Юлия [расчёт 30.11]",
        "Зайцева Юлия, бухгалтер",
        "Зайцева Юлия ув.",
        "Зайцева Юлия Петровна ушла",
        "Юлия ув",
        "Зайцева увол",
        "Зайцева больше не работает",
        "Ann quit",
        "Зайцева Ю. П. не работает",
        "Ann Lee quit",
        "Зайцева Юлия *",
        "Ann Lee (ex-employee)",
        "Karimov Aziz (ishdan ketgan)",
        "Иванов Иван / Ivanov Ivan",
        "Ann Lee <ann@x.com>",
        *(
            f"Зайцева Юлия ({word})"
            for word in ("Inactive", "Disabled", "Left", "Архив", "Заблокирован", "Выбыл", "Ex")
        ),
        *(f"Зайцева Юлия {word}" for word in ("LEFT", "INACTIVE", "НЕ РАБОТАЕТ", "УВ.", "DEL", "†", "Inactive", "Ув.")),
        *("Зайцева Юлия_удален", "Зайцева Юлия_УВОЛЕН", "УВОЛЕН_Зайцева Юлия", "[Left] Ann Lee", "Ann Lee - Quit"),
        *("ЗАЙЦЕВА ЮЛИЯ УВ.", "ЗАЙЦЕВА ЮЛИЯ (АРХИВ)", "Зайцева Юлия (Умерла 12.10.2026)", "Зайцева Юлия, Бывшая"),
        "1",
        "?",
        "_______",
    ],
)
def test_what_a_list_writes_beside_a_name_is_none_and_keeps_no_leaver_here(name: str) -> None:
    fields = {"number": 0, "name": 1, "left": 2}

    assert read(fields, "1", name, "").errors == {"name": refusal("name_note")}
    assert read(fields, "1", name, "нет").errors == {"name": refusal("name_note")}
    left = read(fields, "1", name, "да")
    assert (left.texts, left.leaves, left.errors) == ({"number": "1", "left": "yes"}, True, {})


@pytest.mark.parametrize(
    "name",
    [*("Увольнов Иван", "Вакансин Пётр", "Декретов Олег", "Dismissedov Ann", "Иванова (Петрова) Анна", "Lee, Ann"),
     *("иванов иван (ваня)", "Салтыков-Щедрин М.", "Салтыков - Щедрин", "ИВАНОВА (ПЕТРОВА) АННА", "Рабочий 12"),
     *("Дюма Александр ст.", "Алиев Вагиф Расим оглы", "Karimova Nodira Aziz qizi", "Ann van der Berg", "Иванов иван"),
     *("Ann Left", "JOHN LEFT", "Умер Алиев", "Алиев Умер", "Уволь Иван", "Иван Ушлый", "Del Piero Ann"),
     *("DEL PIERO ANN", "Архивов Иван", "Ann Leaver", "Алиев (Умеров) Иван", "Maria del Mar", "Сокр Иван"),
     *("Анна фон Берг", "Нурлан оглы", "Мехмет қызы", "Ли на", "Smith bob", "Иванова яна")],
)  # fmt: skip
def test_what_begins_like_a_note_may_be_a_name(name: str) -> None:
    assert read({"number": 0, "name": 1}, "1", name).errors == {}


def test_branch_of_those_who_left_is_no_new_department_of_a_leaver() -> None:
    fields = {"number": 0, "department": 1, "left": 2}

    assert read(fields, "1", "Уволенные\\Цех 2", "да").texts == {"number": "1", "left": "yes"}
    assert read(fields, "1", "Завод/Архив/Цех", "да").texts == {"number": "1", "left": "yes"}
    assert read(fields, "1", "Уволенные", "да").texts == {"number": "1", "left": "yes", "department": "Уволенные"}


def test_value_for_all_rows_stands_in_place_of_a_column() -> None:
    options = Options(fixed={"department": "Цех  №3", "valid_to": "2036-12-31"})

    found = read({"number": 0, "name": 1}, "1", "Иван", options=options)

    assert found.texts == {"number": "1", "name": "Иван", "department": "Цех №3", "valid_to": "2036-12-31"}
    assert values.read(Row(2, ["", ""]), {"number": 0, "name": 1}, options) is None


def test_name_of_the_sheet_is_the_department_where_it_is_to_be() -> None:
    fields, options = {"number": 0}, Options(sheet_is_department=True)

    assert read(fields, "1", sheet="Цех", options=options).texts == {"number": "1", "department": "Цех"}
    assert read(fields, "1", sheet="Цех").texts == {"number": "1"}
    assert read(fields, "1", options=options).texts == {"number": "1"}


def test_id_is_read_by_the_rules_for_all() -> None:
    assert read({"number": 0}, "Т-12", options=Options(strip_prefix="Т-", pad_to=5)).number == "00012"
    assert read({"number": 0}, "А12", options=Options()).errors == {"number": refusal("number_invalid")}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("12/01/2036", "day_unreadable"),
        ("когда-нибудь", "day_unreadable"),
        ("до 12/01/2036", "day_unreadable"),
        ("01.01.2027 - 31.12.2027", "day_unreadable"),
        ("31.06.2036", "day_unreadable"),
        ("31.12.1999", "day_outside"),
        ("01.01.2038", "day_outside"),
        ("=A1", "day_unreadable"),
        ("2036-06-30 18:00:00", "day_unreadable"),
        ("2036/06/30 15:16:17", "day_unreadable"),
        ("30.06.2036 08:30:00", "day_unreadable"),
        # 1935 or 2035, by the version of Windows.
        ("31.12.35", "day_unreadable"),
        ("31.12.98", "day_outside"),
        ("46752.5", "day_unreadable"),
        ("4675", "day_unreadable"),
        ("99999", "day_outside"),
    ],
)
def test_what_is_no_day_of_terminals_is_wrong(text: str, code: str) -> None:
    assert read(DAYS, "1", "", text).errors == {"valid_to": refusal(code)}
    assert read(DAYS, "1", text, "").errors == {"valid_from": refusal(code)}


def test_table_without_these_columns_says_nothing_of_the_validity() -> None:
    assert read({"number": 0}, "1").texts == {"number": "1"}


@pytest.mark.parametrize("cell", ["#N/A", "#Н/Д", "#REF!", "#ССЫЛКА!", "#DIV/0!", "#ИМЯ?", "Err:502", "Ошибка:502"])
def test_what_a_spreadsheet_shows_in_place_of_a_value_is_nobodys_name(cell: str) -> None:
    found = values.read(Row(2, ["1", cell, "#7", "№ 5!"]), {"number": 0, "name": 1, "department": 2}, DEFAULT)

    assert found is not None
    assert found.errors == {"name": refusal("formula")}


def test_surname_before_a_comma_is_the_name_without_the_comma() -> None:
    said = {"Smith, John A": "Smith John A", "Smith,John": "Smith John", "Иванов, Иван Ильич": "Иванов Иван Ильич"}

    for name, text in said.items():
        values = read({"number": 0, "name": 1}, "1", name)
        assert (values.texts["name"], values.errors) == (text, {}), name
    particles = {"van der Berg, Zoe": "van der Berg Zoe", "De La Cruz, Ana": "De La Cruz Ana"}
    particles |= {"St. John, Bob": "St. John Bob", "al-Sayed, Omar": "al-Sayed Omar"}
    for name, text in particles.items():
        values = read({"number": 0, "name": 1}, "1", name)
        assert (values.texts["name"], values.errors) == (text, {}), name
    assert read({"number": 0, "name": 1}, "1", "Ivan Petrov, Fitter").texts["name"] == "Ivan Petrov, Fitter"
    for name in ("Иванов Иван, слесарь", "Иванов,слесарь"):
        assert read({"number": 0, "name": 1}, "1", name).errors == {"name": refusal("name_note")}, name
