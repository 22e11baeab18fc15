"""The list of employees: sorted by name, found by every word, in whatever case."""

import itertools

import pytest
from sqlalchemy import insert, select, update

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.keyset import FIRST, PagePosition
from hikflask.services.employees import search
from hikflask.services.employees.filters import LEFT, NO_FACE, ON_TERMINALS, SORTS, EmployeeFilter
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.employees.save import save_employee
from hikflask.text_rules import folded
from hikflask.web.support.pagination import is_many
from tests.support.employees import by_number

pytestmark = pytest.mark.usefixtures("context")

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


@pytest.mark.both_databases
def test_list_is_sorted_by_name_without_case_and_with_yo_as_ye() -> None:
    assert found() == ["Straße 50%_\\", "ёж Иванов", "Иван Иванов", "Ольга Ёлкина"]


@pytest.mark.both_databases
def test_any_spelling_finds() -> None:
    for q in ("ёлкина", "елкина", "ЁЛКИНА", "Елкина", "ольга ёлк", "ёлк ольга", "100333", "БУХГАЛТЕР"):
        assert found(q) == ["Ольга Ёлкина"], q


def test_every_word_must_match() -> None:
    assert found("иванов") == ["ёж Иванов", "Иван Иванов"]
    assert found("иванов склад") == ["ёж Иванов"]
    assert found("иванов бухгалтерия") == []


def test_any_number_of_words_is_answered() -> None:
    for length in (301, 2000):
        assert found("иванов " * length) == ["ёж Иванов", "Иван Иванов"]
        assert found("ж" * length) == []


@pytest.mark.both_databases
def test_words_in_the_other_layout_of_the_keyboard_are_known() -> None:
    for typed, meant in (("bdfyj", "ивано"), ("~kr 100333", "Ёлк 100333"), ("ЫекФшь", ""), ("ф1", "a1"), ("mmm", "")):
        other = search.in_other_layout(EmployeeFilter(typed, state=NO_FACE))
        assert other == (EmployeeFilter(meant, state=NO_FACE) if meant else None), typed


@pytest.mark.both_databases
def test_signs_of_patterns_are_letters() -> None:
    for q, names in (("%", 1), ("_", 1), ("\\", 1), ("50%_", 1), ("5_%", 0), ("STRASSE", 1)):
        assert len(found(q)) == names, q


def test_page_and_count_go_together() -> None:
    page, total = search.search(EmployeeFilter(), 2, 1)

    assert [employee.name for employee in page] == ["ёж Иванов", "Иван Иванов"]
    assert total == 4
    assert found("", 10, 4) == []


def test_search_follows_a_rename() -> None:
    ivan = by_number("100222")

    save_employee(Draft("100222", "Пётр Первый"), employee_id=ivan.id)

    assert found("петр") == ["Пётр Первый"]
    assert found("иван") == ["ёж Иванов"]


NAMES = ("Иванов", "Петров Ян", "Ёлкина", "Яковлев", "Straße")
FILTERS = (("", ""), ("иванов", ""), ("я", LEFT), ("отдел 3", NO_FACE), ("", LEFT), ("нетникого", ""))


@pytest.mark.both_databases
@pytest.mark.parametrize("sort", SORTS)
def test_pages_are_the_same_whether_few_or_many_pass(monkeypatch: pytest.MonkeyPatch, sort: str) -> None:
    rows = [(f"M{one}", f"{NAMES[one % 5]} {one % 7}", f"Отдел {one % 4}", one % 6 > 0) for one in range(40)]
    db.session.add_all([Employee(number=n, name=name, department=d, is_active=a) for n, name, d, a in rows])
    db.session.commit()
    everybody = db.session.execute(select(Employee).order_by(*SORTS[sort])).scalars().all()
    by_name = sort.endswith("name")
    for q, state in FILTERS if by_name else FILTERS[:3]:
        wanted = EmployeeFilter(q, state, sort=sort)
        expected = [
            one.id
            for one in everybody
            if all(word in one.search for word in folded(q).split()) and (not state or one.is_active == (state != LEFT))
        ]
        assert search.ids(wanted) == expected
        assert search.count(wanted) == len(expected)
        # Read in the list's order, gathered, those of one surname together, read to the end.
        for walk, few in ((1000, 1000), (3, 1000), (3, 0), (3, 5))[: 4 if by_name else 2]:
            monkeypatch.setattr(search, "WALK", walk)
            monkeypatch.setattr(search, "FEW", few)
            assert search.page_to_show(wanted, 6)[1] == len(expected)
            place, turned = FIRST, list[int]()
            while place.cursor or not turned:
                page, total = search.page(wanted, 6, place)
                assert total == len(expected)
                turned += [one.id for one in page.rows] or [0]
                place, last = PagePosition(after=page.after), page
            assert turned == (expected or [0]), (wanted, walk, few)
            while last.before:
                place = PagePosition(before=last.before)
                last, shown_total = search.page_to_show(wanted, 6, place)
                assert shown_total == len(expected)
                shown = [one.id for one in last.rows]
                assert shown == expected[expected.index(shown[-1]) + 1 - len(shown) :][: len(shown)]
            assert [one.id for one in last.rows] == expected[: len(last.rows)]


@pytest.mark.both_databases
def test_whoever_has_the_searched_number_comes_first_and_once_on_whatever_pages() -> None:
    rows = [("21092", "Анна"), ("2109", "Мария"), ("52109", "Яна"), ("210", "Ольга"), ("7", "Отдел 2109")]
    db.session.add_all([Employee(number=number, name=name) for number, name in rows])
    db.session.commit()
    for sort, limit in (*itertools.product(("name", "-name"), (1, 9)), *itertools.product(SORTS, (2,))):
        wanted = EmployeeFilter("2109", sort=sort)
        found = db.session.execute(select(Employee.number, Employee.search).order_by(*SORTS[sort]))
        expected = ["2109", *(one.number for one in found if "2109" in one.search and one.number != "2109")]
        place, forwards, backwards = FIRST, list[str](), list[str]()
        while place.cursor or not forwards:
            page, total = search.page(wanted, limit, place)
            assert total == search.page_to_show(wanted, limit, place)[1] == 4
            forwards += [one.number for one in page.rows]
            place = PagePosition(after=page.after)
        while page.before:
            page, _ = search.page(wanted, limit, PagePosition(before=page.before))
            backwards = [one.number for one in page.rows] + backwards
        assert forwards == expected, (sort, limit)
        assert backwards == expected[: len(backwards)], (sort, limit)
        assert len(backwards) >= 4 - limit
        assert [one.number for one in search.search(wanted, 9, 1)[0]] == expected[1:]


@pytest.mark.both_databases
def test_searched_number_is_found_first_without_its_capitals() -> None:
    db.session.add_all([Employee(number="a10", name="Анна"), Employee(number="b2", name="Яна")])
    db.session.commit()

    assert found("a1") == ["Straße 50%_\\", "Анна"]
    assert found("b2") == ["Яна", "ёж Иванов"]
    assert found("B2") == ["ёж Иванов", "Яна"]


def test_searched_number_of_somebody_who_does_not_pass_the_filter_is_not_shown() -> None:
    save_employee(Draft("2109", "Мария"))
    save_employee(Draft("21092", "Анна", "Склад"))

    assert [one.number for one in search.page(EmployeeFilter("2109", department="Склад"), 9)[0].rows] == ["21092"]


def test_pages_of_one_list_tell_one_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "WALK", 1000)
    others = [("А", f"а {one:04d} ") for one in range(1200)]
    rows = [*others, *(("Яна", f"яна {one:04d} ") for one in range(300))]
    people = [{"number": f"M{one}", "name": name, "search": text} for one, (name, text) in enumerate(rows)]
    db.session.execute(insert(Employee), people)
    wanted = EmployeeFilter(q="яна")

    first, shown = search.page_to_show(wanted, 50)
    _, shown_later = search.page_to_show(wanted, 50, PagePosition(after=first.after))

    assert (shown, shown_later, search.page(wanted, 50)[1]) == (300, 300, 300)


@pytest.mark.both_databases
@pytest.mark.parametrize("few", [0, 500])
def test_more_than_are_counted_are_said_to_be_more_but_in_a_department(
    monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(search, "FEW", few)
    db.session.execute(
        insert(Employee),
        [
            {"number": f"M{one}", "name": "Яна", "search": f"яна m{one} отдел", "department": "Отдел"}
            for one in range(1003)
        ],
    )

    wanted = (EmployeeFilter(q="яна"), EmployeeFilter(department="Отдел"), EmployeeFilter())
    shown = [search.page_to_show(one, 1)[1] for one in wanted]

    assert shown == [201, 1003, 1007]
    assert search.count(EmployeeFilter(q="яна")) == 1003


@pytest.mark.both_databases
def test_whoever_is_on_the_terminals_is_counted_to_the_end_unless_very_many_are_not(
    monkeypatch: pytest.MonkeyPatch, terminal: Terminal
) -> None:
    ids = db.session.execute(
        insert(Employee).returning(Employee.id),
        [{"number": f"M{one}", "name": "Яна", "search": f"яна m{one}"} for one in range(203)],
    ).scalars()
    waiting = [{"terminal_id": terminal.id, "number": f"M{one}", "employee_id": id_} for one, id_ in enumerate(ids)]
    db.session.execute(insert(Enrolment), waiting[:2])
    db.session.execute(update(Employee).where(Employee.name == "Яна").values(has_face=True))
    wanted = EmployeeFilter(state=ON_TERMINALS)
    shown = {2: search.page_to_show(wanted, 1)[1], 1: 0}
    monkeypatch.setattr(search, "MAX_NOT_GREEN", 1)
    shown[1] = search.count_up_to(wanted)

    assert shown == {2: 201, 1: 201}
    assert not is_many(shown[2])
    assert is_many(shown[1])


@pytest.mark.both_databases
def test_numbers_of_a_list_are_sorted_by_what_would_become_of_them() -> None:
    rows = select(Employee).where(Employee.number.in_(["100222", "100333", "A1"])).order_by(Employee.number)
    ivan, olga, gone = db.session.execute(rows).scalars()
    set_active(gone.id, active=False)

    listed = search.by_numbers(["A1", "100333", "x", "100222", "\x00"])

    assert listed.active == [ivan, olga]
    assert listed.inactive == [gone]
    assert listed.unknown == ["x", "\x00"]
    assert ivan.is_active
