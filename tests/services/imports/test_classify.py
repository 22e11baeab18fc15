"""A row compared with an employee: what changes, and what cannot be."""

from dataclasses import replace
from typing import Any

import pytest
from flask_babel import force_locale

from hikflask.messages import refusal_sentence
from hikflask.models.people import spelling_key
from hikflask.services.imports.classify import (
    CurrentData,
    KnownEmployee,
    Leaving,
    Picture,
    Verdict,
    classify,
    read_current_data,
    read_spellings,
)
from hikflask.services.imports.table.options import DEFAULT, Options
from hikflask.services.imports.table.values import Values
from tests.support.jobs import add_people
from tests.support.refusals import refusal

pytestmark = pytest.mark.usefixtures("context")

IVAN = KnownEmployee(7, "Иван Иванов", "Охрана", True, None, None, sent=False, consented=False)


def compared(
    person: KnownEmployee | None,
    picture: Picture | None = None,
    leaves: bool | None = None,
    mode: str = "both",
    with_names: bool = False,
    **texts: str,
) -> Verdict:
    now = CurrentData(None, {"1": person} if person else {}, spellings={"охрана": ["Охрана"]}, with_names=with_names)
    return classify(Values("1", {"number": "1", **texts}, leaves=leaves), picture, now, Options(mode))


def test_columns_that_the_file_does_not_have_change_nothing() -> None:
    assert compared(IVAN, name="Иван Иванов") == Verdict("unchanged", employee_id=7)
    assert compared(IVAN) == Verdict("unchanged", employee_id=7)


@pytest.mark.both_databases
def test_department_in_another_spelling_is_no_change() -> None:
    assert compared(IVAN, department="охрана").verdict == "unchanged"
    assert compared(IVAN, department="Склад").before == {"department": "Охрана"}
    assert compared(IVAN, department="").before == {"department": "Охрана"}


@pytest.mark.parametrize(
    "day",
    [
        "01.02.2026",
        "2026-02-01",
        "2026-02-01 00:00:00",
        "02/01/2026",
        "1-Feb",
        "01.фев",
        "Feb-26",
        "май.26",
        "01/02/26",
    ],
)
def test_department_that_a_spreadsheet_made_a_day_of_is_refused(day: str) -> None:
    made = refusal("department_day")

    assert compared(IVAN, department=day) == Verdict("wrong", errors={"department": made}, employee_id=7)
    assert compared(None, name="Иван Иванов", department=day).errors == {"department": made}
    here = CurrentData(None, {"1": replace(IVAN, department=day)}, spellings={spelling_key(day): [day]})
    assert classify(Values("1", {"number": "1", "department": day}), None, here, DEFAULT).verdict == "unchanged"


def test_department_that_only_begins_like_those_who_left_is_one() -> None:
    departments = (
        *("Бывшие цеха", "Отдел увольнений", "Удалённые сотрудники", "Former Soviet Union", "Left Bank"),
        *("Отдел архива", "Архив и делопроизводство", "Archive office", "Архивариусы"),
        *("Работа с уволенными и их семьями в Сибирской области", "Disabled access"),
        *("Отдел кадров", "Ушу", "Сокращенный день", "Отдел отчислений", "Доступная среда", "Работа с уволенными"),
        *("Активные продажи", "Исключительные права", "Alumni relations", "Отключения и аварии", "Пенсионный отдел"),
    )
    for department in departments:
        assert compared(None, name="Иван Иванов", department=department).errors is None, department


@pytest.mark.parametrize(
    "group",
    [
        "Архив",
        "АРХИВ:",
        "_Архив 2026",
        "Архивные",
        "Archive",
        "All users/Archive",
        "Архив\\Цех 2",
        "Пенсионеры",
        "Alumni",
    ],
)
def test_archive_is_asked_about_unless_it_is_a_department_here_or_a_column_says_who_left(group: str) -> None:
    asked = {"department": refusal("department_archive")}

    assert compared(None, name="Иван Иванов", department=group).errors == asked
    assert compared(IVAN, department=group).errors == asked
    for leaves in (True, False):
        assert compared(IVAN, department=group, leaves=leaves).errors is None
    here = CurrentData(None, {}, spellings={spelling_key(group): [group]})
    assert classify(Values("1", {"name": "Иван", "department": group}), None, here, DEFAULT).verdict == "new"


@pytest.mark.parametrize("sign", ['"', "-//-", "— // —", "--«--", "то же", "там же"])
def test_sign_for_as_above_is_no_department(sign: str) -> None:
    assert compared(IVAN, department=sign).errors == {"department": refusal("department_ditto")}


@pytest.mark.parametrize(
    "group",
    [*("Уволенные", "Архив уволенных", "уволены", "Бывшие сотрудники", "Dismissed", "Former employees"),
     *("Уволенные 2026", "Уволенные (в 2026 году)", "Уволенные с 01.11.2026 по 30.11.2026", "Ishdan bo‘shaganlar"),
     *("Уволенные:", "Уволились", "_Уволенные", "УВОЛЕННЫЕ!!!", "Уволенные сотрудники (3 чел.)", "Увольнения 2026"),
     *("Уволен", "Список уволенных", "Уволенный персонал", "Уволенные (не удалять)", "Уволен. сотрудники", "Blacklist"),
     *("Terminated employees:", "Disabled Users", "Ex employees", "Удалённые", "Заблокированные", "Leavers 2026 (3)"),
     *("Выбыли", "Выбывшие", "Сокращены", "Неработающие", "Ушли", "Неактивные", "Не действующие", "Отключенные"),
     *("Исключены", "Отчислены", "Нет доступа", "Disabled Accounts", "Block List", "All->Block List", "Left company"),
     *("Offboarded", "Deprovisioned", "Ishdan bo‘shatilganlar", "Жұмыстан кеткендер", "OU=Leavers,DC=x"),
     *("Ушли в 2026", "Ишдан кетган", "Ишламайди", "Ex-staff", "No longer with us", "Left", "Left in 2026"),
     *("Уволенные\\Цех 2", "All Departments/Dismissed/Workshop 2", "Завод > Бывшие работники > Цех")],
)  # fmt: skip
def test_those_who_left_are_no_department_of_anybody_who_works(group: str) -> None:
    refused = {"department": refusal("department_left")}

    assert compared(None, name="Иван Иванов", department=group).errors == refused
    assert compared(IVAN, department=group, leaves=False).errors == refused
    assert compared(IVAN, department=group, leaves=True).errors is None
    here = CurrentData(None, {"1": replace(IVAN, department=group)}, spellings={spelling_key(group): [group]})
    assert classify(Values("1", {"number": "1", "department": group}), None, here, DEFAULT).verdict == "unchanged"


def test_day_in_place_of_a_department_is_explained() -> None:
    with force_locale("en"):
        assert refusal_sentence(refusal("department_day")) == (
            "This is a day. A spreadsheet may have made it of a department such as 1/2: write its name."
        )
    with force_locale("ru"):
        assert refusal_sentence(refusal("department_day")) == (
            "Это дата. Возможно, в неё превратился отдел вроде «1/2», когда файл открыли в табличном редакторе: "
            "впишите название отдела."
        )


@pytest.mark.parametrize("name", ["1/2", "2-3", "01.02.03", "Цех 01.02.2026", "1 мая", "Февраль", "2026"])
def test_department_with_numbers_in_it_is_no_day(name: str) -> None:
    assert compared(IVAN, department=name).before == {"department": "Охрана"}


def test_initials_as_in_a_roster_do_not_take_the_name_here_away() -> None:
    here = replace(IVAN, name="Иванов Иван Петрович")

    assert compared(here, name="Иванов И.П.").verdict == "unchanged"
    assert compared(here, name="Иванов И.И.").before == {"name": here.name}
    assert compared(replace(IVAN, name="Иванов И.П."), name=here.name).before == {"name": "Иванов И.П."}


def test_signs_that_nobody_sees_and_the_last_day_of_terminals_are_no_change() -> None:
    here = replace(IVAN, name="Ива\u00adнов\u00a0Иван", valid_to="2037-12-31")

    assert compared(here, name="Иванов Иван", valid_to="").verdict == "unchanged"
    assert compared(here, name="Иванов Ива", valid_to="2036-12-31").before == {
        "name": here.name,
        "valid_to": "2037-12-31",
    }


@pytest.mark.both_databases
def test_exact_spelling_comes_first_and_then_the_oldest() -> None:
    now = CurrentData(None, spellings={"склад": ["Склад", "СКЛАД"]})

    assert [now.spelling(name) for name in ("СКЛАД", "склад", "Цех")] == ["СКЛАД", "Склад", "Цех"]


def test_new_person_needs_a_name_and_who_left_is_not_added() -> None:
    assert compared(None, name="Иван Иванов") == Verdict("new")
    assert compared(None, with_names=True).errors == {"name": refusal("text_empty")}
    assert compared(None).errors == {"number": refusal("number_unknown")}
    assert compared(None, leaves=True, name="Иван Иванов") == Verdict("unchanged")


def test_rows_outside_of_the_mode_change_nothing_and_say_why() -> None:
    here, not_here = {"row": refusal("employee_known")}, {"row": refusal("employee_new")}

    assert compared(IVAN, name="Пётр", mode="new") == Verdict("unchanged", employee_id=7, warnings=here)
    assert compared(IVAN, name="Пётр", valid_to="2020-01-01", mode="new").verdict == "unchanged"
    assert compared(IVAN, name="Иван Иванов", mode="new") == Verdict("unchanged", employee_id=7)
    assert compared(None, name="Пётр", mode="new").verdict == "new"
    assert compared(None, name="Пётр", mode="changes") == Verdict("unchanged", warnings=not_here)
    assert compared(None, mode="changes").errors is None
    assert compared(IVAN, name="Пётр", mode="changes").before == {"name": "Иван Иванов"}


def test_wrong_id_is_wrong_in_any_mode() -> None:
    unreadable = Values("№1", {"number": "№1"}, {"number": refusal("number_invalid")})

    for mode in ("new", "changes", "both"):
        assert classify(unreadable, None, CurrentData(None), Options(mode)).verdict == "wrong", mode


SPRING = replace(IVAN, valid_from="2036-03-01", valid_to="2036-06-30")


def test_days_that_differ_are_a_change_and_an_empty_one_lifts_the_limit() -> None:
    assert compared(SPRING, valid_from="2036-03-01", valid_to="2036-06-30").verdict == "unchanged"
    assert compared(SPRING, valid_to="2036-07-31").before == {"valid_to": "2036-06-30"}
    assert compared(SPRING, valid_to="").before == {"valid_to": "2036-06-30"}
    assert compared(IVAN, valid_from="2036-03-01").before == {"valid_from": ""}


@pytest.mark.parametrize(
    ("person", "texts", "errors"),
    [
        (IVAN, {"valid_from": "2036-07-01", "valid_to": "2036-06-30"}, {"valid_to": refusal("days_order")}),
        (SPRING, {"valid_from": "2036-07-01"}, {"valid_from": refusal("days_order")}),
        (SPRING, {"valid_to": "2036-02-01"}, {"valid_to": refusal("days_order")}),
        (IVAN, {"valid_to": "2020-01-01"}, {"valid_to": refusal("validity_over")}),
        (None, {"name": "Иван", "valid_to": "2020-01-01"}, {"valid_to": refusal("validity_over")}),
    ],
)
def test_days_that_cannot_be_are_wrong(
    person: KnownEmployee | None, texts: dict[str, Any], errors: dict[str, object]
) -> None:
    assert compared(person, **texts).errors == errors


def test_days_of_somebody_who_leaves_or_has_left_do_not_matter() -> None:
    gone = replace(SPRING, is_active=False)

    assert compared(IVAN, leaves=True, valid_to="2020-01-01").before == {"left": False}
    assert compared(gone, valid_from="2000-01-01", valid_to="2020-01-01").before == {
        "valid_from": "2036-03-01",
        "valid_to": "2036-06-30",
    }
    assert compared(replace(gone, valid_to="2036-04-01"), leaves=True, valid_to="").verdict == "unchanged"


def test_same_picture_is_no_change() -> None:
    pictured = KnownEmployee(7, "Иван Иванов", "", True, 3, "abc", sent=False, consented=False)

    assert compared(pictured, Picture("1.jpg", "abc")).verdict == "unchanged"
    assert compared(pictured, Picture("1.jpg", "def")).before == {"photo": 3}
    bad = Picture("1.jpg", error=refusal("photo_unreadable"))
    assert compared(pictured, bad, name="Пётр").errors == {"photo": refusal("photo_unreadable")}


def test_number_of_somebody_who_is_leaving_is_wrong_only_where_it_would_be_saved() -> None:
    now = CurrentData(None, {"1": IVAN}, {"1": [Leaving("Вход", 9)]})
    same, other = (Values("1", {"number": "1", "name": name}) for name in ("Иван Иванов", "Пётр"))

    assert classify(same, None, now, DEFAULT).verdict == "unchanged"
    assert classify(other, None, now, DEFAULT).errors == {"number": refusal("number_leaving", n="1", t="Вход")}
    assert (
        classify(other, None, CurrentData(None, {"1": IVAN}, {"1": [Leaving("Вход", 7)]}), Options()).verdict
        == "changed"
    )


def test_people_are_read_with_one_look() -> None:
    (ivan,) = add_people("1", department="Охрана")

    now = read_current_data(["1", "2"], None, read_spellings())

    assert now.people == {
        "1": KnownEmployee(ivan, "Иван Иванов 1", "Охрана", True, None, None, sent=False, consented=False)
    }
    assert now.spelling("ОХРАНА") == "Охрана"
    assert now.spelling("Цех") == "Цех"
