"""Of whom a form warns: the owner of the number, and a few with the name."""

import pytest

from hikflask.services.captures.drafts import Draft
from hikflask.services.employees import search
from hikflask.services.employees.duplicates import find_duplicates, find_namesakes
from hikflask.services.employees.save import save_employee

pytestmark = pytest.mark.usefixtures("context")

PEOPLE = [Draft("100222", "Иван Иванов"), Draft("100333", "Ольга Ёлкина"), Draft("A1", "Straße 50%_\\")]


@pytest.fixture(autouse=True)
def _saved(context: None) -> None:  # noqa: ARG001
    for draft in PEOPLE:
        save_employee(draft)


def duplicates(number: str, name: str, employee_id: int | None = None) -> tuple[str, list[str]]:
    there = find_duplicates(number, name, employee_id)
    return there.owner.name if there.owner else "", [one.number for one in there.namesakes]


@pytest.mark.both_databases
def test_number_and_name_of_others_are_known_in_any_spelling() -> None:
    for name in ["Ольга Ёлкина", "ольга елкина", "ОЛЬГА ЁЛКИНА"]:
        assert duplicates("100222", name) == ("Иван Иванов", ["100333"])


def test_part_of_a_name_is_nobodys() -> None:
    for name in ["", "Ольга", "Ольга Ёлкина 100333", "Ольга Ёлкин", "%", "Ольга_Ёлкина"]:
        assert duplicates("100999", name) == ("", [])


@pytest.mark.both_databases
def test_name_with_signs_of_a_pattern_is_known() -> None:
    assert duplicates("", "STRASSE 50%_\\") == ("", ["A1"])


@pytest.mark.both_databases
def test_zero_character_is_nobodys() -> None:
    assert duplicates("a\x00", "Иван\x00") == ("", [])


def test_nobody_is_known_to_the_own_form_before_the_name_is_changed() -> None:
    save_employee(Draft("7", "Иван Иванов"))
    ivan, olga = (search.by_number(number) for number in ("100222", "100333"))
    assert ivan
    assert olga

    assert duplicates("100222", "иван иванов", ivan.id) == ("", [])
    assert duplicates("100333", "Иван Иванов", olga.id) == ("", ["100222", "7"])
    assert duplicates("7", "Ольга", ivan.id) == ("Иван Иванов", [])


def test_few_of_many_with_the_name_are_named() -> None:
    for number in range(5):
        save_employee(Draft(f"N{number}", "Иван Иванов"))

    assert duplicates("", "Иван Иванов")[1] == ["100222", "N0", "N1"]


@pytest.mark.both_databases
def test_owners_of_many_names_are_found_at_once() -> None:
    save_employee(Draft("7", "Иван Иванов Иванович"))
    names = ["ИВАН ИВАНОВ", "Ольга Елкина", "Иван", "Пётр", "straße 50%_\\"]

    found = {name: number for name, (_, number) in find_namesakes(names).items()}

    assert found == {"иван иванов": "100222", "ольга елкина": "100333", "strasse 50%_\\": "A1"}
    assert find_namesakes([]) == {}
