"""The list of employees: sorted by name, found by every word, in whatever case."""

import pytest

from hikflask.services.captures.drafts import Draft
from hikflask.services.employees import search
from hikflask.services.employees.filters import EmployeeFilter
from hikflask.services.employees.save import save_employee

pytestmark = [pytest.mark.usefixtures("context"), pytest.mark.both_databases]

PEOPLE = [
    Draft("100222", "Иван Иванов", "Охрана"),
    Draft("100333", "Ольга Ёлкина", "Бухгалтерия"),
    Draft("A1", "Straße 50%_\\", ""),
    Draft("B2", "ёж Иванов", "Склад"),
]


@pytest.fixture(autouse=True)
def _saved(context: None) -> None:  # noqa: ARG001
    for draft in PEOPLE:
        save_employee(draft)


def found(q: str = "", limit: int = 100, offset: int = 0) -> list[str]:
    return [employee.name for employee in search.search(EmployeeFilter(q), limit, offset)[0]]


def test_list_is_sorted_by_name_without_case_and_with_yo_as_ye() -> None:
    assert found() == ["Straße 50%_\\", "ёж Иванов", "Иван Иванов", "Ольга Ёлкина"]


@pytest.mark.parametrize("q", ["ёлкина", "елкина", "ЁЛКИНА", "Елкина", "ольга ёлк", "ёлк ольга", "100333", "БУХГАЛТЕР"])
def test_any_spelling_finds(q: str) -> None:
    assert found(q) == ["Ольга Ёлкина"]


def test_every_word_must_match() -> None:
    assert found("иванов") == ["ёж Иванов", "Иван Иванов"]
    assert found("иванов склад") == ["ёж Иванов"]
    assert found("иванов бухгалтерия") == []


@pytest.mark.parametrize("length", [301, 2000])
def test_any_number_of_words_is_answered(length: int) -> None:
    assert found("иванов " * length) == ["ёж Иванов", "Иван Иванов"]
    assert found("ж" * length) == []


@pytest.mark.parametrize(("q", "names"), [("%", 1), ("_", 1), ("\\", 1), ("50%_", 1), ("5_%", 0), ("STRASSE", 1)])
def test_signs_of_patterns_are_letters(q: str, names: int) -> None:
    assert len(found(q)) == names


def test_page_and_count_go_together() -> None:
    page, total = search.search(EmployeeFilter(), 2, 1)

    assert [employee.name for employee in page] == ["ёж Иванов", "Иван Иванов"]
    assert total == 4
    assert found("", 10, 4) == []


def test_search_follows_a_rename() -> None:
    ivan = search.by_number("100222")
    assert ivan is not None

    save_employee(Draft("100222", "Пётр Первый"), employee_id=ivan.id)

    assert found("петр") == ["Пётр Первый"]
    assert found("иван") == ["ёж Иванов"]


def known(number: str, name: str, employee_id: int | None = None) -> tuple[str, list[str]]:
    there = search.known(number, name, employee_id)
    return there.owner.name if there.owner else "", [one.number for one in there.namesakes]


@pytest.mark.parametrize("name", ["Ольга Ёлкина", "ольга елкина", "ОЛЬГА ЁЛКИНА"])
def test_number_and_name_of_others_are_known_in_any_spelling(name: str) -> None:
    assert known("100222", name) == ("Иван Иванов", ["100333"])


@pytest.mark.parametrize("name", ["", "Ольга", "Ольга Ёлкина 100333", "Ольга Ёлкин", "%", "Ольга_Ёлкина"])
def test_part_of_a_name_is_nobodys(name: str) -> None:
    assert known("100999", name) == ("", [])


def test_name_with_signs_of_a_pattern_is_known() -> None:
    assert known("", "STRASSE 50%_\\") == ("", ["A1"])


def test_zero_character_is_nobodys() -> None:
    assert known("a\x00", "Иван\x00") == ("", [])


def test_nobody_is_known_to_the_own_form_before_the_name_is_changed() -> None:
    save_employee(Draft("7", "Иван Иванов"))
    ivan, olga = (search.by_number(number) for number in ("100222", "100333"))
    assert ivan
    assert olga

    assert known("100222", "иван иванов", ivan.id) == ("", [])
    assert known("100333", "Иван Иванов", olga.id) == ("", ["100222", "7"])
    assert known("7", "Ольга", ivan.id) == ("Иван Иванов", [])


def test_few_of_many_with_the_name_are_named() -> None:
    for number in range(5):
        save_employee(Draft(f"N{number}", "Иван Иванов"))

    assert known("", "Иван Иванов")[1] == ["100222", "N0", "N1"]
