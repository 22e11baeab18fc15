"""The list of employees: filters in the address, orders, pages that are turned, and selecting for work on many."""

import html
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Employee, Enrolment, Photo, Terminal
from hikflask.models.accounts import OPERATOR, VIEWER
from hikflask.models.columns import database_now
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees import search
from hikflask.services.employees.filters import SORTS, EmployeeFilter
from hikflask.services.employees.save import save_employee
from tests.support.desk import ENGLISH, HTMX, Desk
from tests.support.refusals import refusal
from tests.support.signed_in import client_of

PEOPLE = [
    Draft("1", "Жанна Белова", "Склад"),
    Draft("3", "ёлкин Иван", "Охрана"),
    Draft("2", "Яков Ким", "Архив <1>"),
]
WRONG = [
    ("state", "«Состояние»: выберите значение из списка.", "“State” must be one of the list."),
    ("terminal", "«Терминал»: выберите значение из списка.", "“Terminal” must be one of the list."),
    ("consent", "«Согласие»: выберите значение из списка.", "“Consent” must be one of the list."),
    ("sort", "«Порядок»: выберите значение из списка.", "“Sorting” must be one of the list."),
]


@pytest.fixture
def people(app: Flask, terminal: Terminal) -> None:  # noqa: ARG001
    with app.app_context():
        for draft in PEOPLE:
            save_employee(draft)


def numbers(page: str) -> list[str]:
    """Return the numbers in the rows of a page."""
    return re.findall(r'<td class="people-number"[^>]*>(\w+)</td>', page)


@pytest.mark.usefixtures("people")
def test_list_counts_all_and_those_that_are_found(client: FlaskClient) -> None:
    everybody, found = client.get("/employees/").text, client.get("/employees/?department=Склад").text

    assert (numbers(everybody), numbers(found)) == (["3", "1", "2"], ["1"])
    assert "Всего: 3" in everybody
    assert "Найдено: 1" in found
    assert "Сбросить фильтры" in found
    assert "Сбросить фильтры" not in everybody
    assert "Total: 3" in client.get("/employees/", headers=ENGLISH).text


@pytest.mark.usefixtures("people")
def test_filters_of_the_address_are_in_the_form_again(client: FlaskClient) -> None:
    page = client.get("/employees/?q=иван&state=no_face&department=Охрана&terminal=1&consent=missing&sort=-name").text

    assert 'name="q" type="search" value="иван"' in page
    for value in ("no_face", "Охрана", "1", "missing"):
        assert f'<option value="{value}" selected>' in page
    assert '<option value="-name" selected>По имени, Я–А</option>' in page
    assert '<span class="filters-set" id="filters-set">4<span class="visually-hidden"> выбрано</span></span>' in page


@pytest.mark.usefixtures("people")
def test_department_and_terminal_that_nobody_has_are_shown_as_asked(client: FlaskClient) -> None:
    page = client.get("/employees/?department=Нигде&terminal=99").text

    assert '<option value="Нигде" selected>' in page
    assert '<option value="99" selected>' in page
    assert "Сотрудников не найдено" in page
    assert page.count('href="/employees/">Сбросить фильтры') == 1


@pytest.mark.usefixtures("people")
def test_departments_are_offered_each_once(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        save_employee(Draft("4", "Без Отдела", ""))
        save_employee(Draft("5", "Второй", "Склад"))

    page = client.get("/employees/").text

    offered = page.partition('id="department"')[2].partition("</select>")[0]
    assert re.findall(r'value="([^"]*)"', offered) == ["", "Архив &lt;1&gt;", "Охрана", "Склад"]


@pytest.mark.usefixtures("people")
def test_department_in_another_spelling_is_found_and_selected(client: FlaskClient) -> None:
    page = client.get("/employees/?department=%20СКЛАД").text

    assert numbers(page) == ["1"]
    assert '<option value="Склад" selected>' in page


@pytest.mark.usefixtures("people")
def test_wrong_value_is_named_beside_its_filter_and_filters_nothing(client: FlaskClient) -> None:
    for field, russian, english in WRONG:
        answer = client.get(f"/employees/?{field}=nonsense&department=Склад")

        assert answer.status_code == 422
        assert russian in answer.text
        assert numbers(answer.text) == ["1"]
        # Whoever acted on "all" would mean more than what was asked for.
        assert 'name="employee"' not in answer.text
        assert english in client.get(f"/employees/?{field}=nonsense", headers=ENGLISH).text


@pytest.mark.usefixtures("people")
def test_column_tells_its_order_and_turns_it(client: FlaskClient) -> None:
    for sort, column, direction, turned in [
        ("name", "name", "ascending", "-name"),
        ("-name", "name", "descending", "name"),
        ("number", "number", "ascending", "number"),
        ("department", "department", "ascending", "department"),
        ("-created_at", "added", "descending", "created_at"),
        ("created_at", "added", "ascending", "-created_at"),
    ]:
        page = client.get(f"/employees/?q=и&sort={sort}").text

        assert page.count("aria-sort=") == 1
        head = page.partition(f'<th class="people-{column}"')[2].partition("</th>")[0]
        assert f'aria-sort="{direction}"' in head
        assert f"sort={turned}" in head.partition('href="')[2].partition('"')[0]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(("source", "header"), [("input#q", "HX-Replace-Url"), ("select#state", "HX-Push-Url")])
def test_htmx_gets_the_rows_with_the_address_that_brings_them_again(
    client: FlaskClient, source: str, header: str
) -> None:
    answer = client.get("/employees/?q=белова&state=&sort=", headers={**HTMX, "HX-Source": source})

    assert answer.text.lstrip().startswith('<div id="rows">')
    assert numbers(answer.text) == ["1"]
    assert answer.headers[header] == "/employees/?q=%D0%B1%D0%B5%D0%BB%D0%BE%D0%B2%D0%B0"
    assert len({"HX-Replace-Url", "HX-Push-Url"} & set(answer.headers.keys())) == 1


def turn(desk: Desk, page: str, which: str) -> str:
    """Follow the link of a page to the next one (next), the one before (prev), or the first one (first)."""
    nav = page.partition('<nav class="pages"')[2].partition("</nav>")[0]
    found = re.search(rf'<a class="page-(?:turn" rel="{which}|{which})" href="([^"]*)"', nav)
    assert found, nav
    return desk.text(html.unescape(found[1]))


def turns(page: str) -> set[str]:
    """Return where the links of a page lead."""
    return {word for pair in re.findall(r'rel="(next|prev)"|class="page-(first)"', page) for word in pair if word}


def test_pages_are_turned_with_the_filters_in_both_directions(desk: Desk, app: Flask) -> None:
    with app.app_context():
        rows = [(number, f"Имя {number % 7}", "Склад" if number % 9 else "Цех") for number in range(120)]
        db.session.add_all([Employee(number=str(one), name=name, department=place) for one, name, place in rows])
        db.session.commit()
    for sort in SORTS:
        with app.app_context():
            found = search.search(EmployeeFilter(department="Склад", sort=sort), 200, 0)[0]
        first = desk.text(f"/employees/?department=Склад&sort={sort}")
        expected = [one.number for one in found]
        second = turn(desk, first, "next")
        third = turn(desk, second, "next")

        assert numbers(first) + numbers(second) + numbers(third) == expected
        assert [turns(page) for page in (first, second, third)] == [
            {"next"},
            {"next", "prev", "first"},
            {"prev", "first"},
        ]
        assert [numbers(turn(desk, page, "prev")) for page in (third, second)] == [numbers(second), numbers(first)]
        assert numbers(turn(desk, third, "first")) == numbers(first)


def test_place_that_the_list_does_not_have_is_its_first_page(desk: Desk, app: Flask) -> None:
    with app.app_context():
        db.session.add(Employee(number="1", name="Имя"))
        db.session.commit()
    for place in ["after=x", "before=x", "after=gAAAAA", "page=2", "after=&before="]:
        assert numbers(desk.text(f"/employees/?{place}")) == ["1"]


def test_place_in_another_order_is_the_first_page(desk: Desk, app: Flask) -> None:
    with app.app_context():
        db.session.add_all([Employee(number=str(one), name=f"Имя {one:03}") for one in range(60)])
        db.session.commit()
    cursor = re.search(r"after=([^&\"]*)", desk.text("/employees/"))
    assert cursor

    assert len(numbers(desk.text(f"/employees/?sort=-name&after={cursor[1]}"))) == 50


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("role", "actions"),
    [
        (VIEWER, []),
        (OPERATOR, ["send", "department", "consent", "export", "print"]),
        ("admin", ["send", "department", "consent", "export", "print", "deactivate"]),
    ],
)
def test_role_sees_what_it_may_do_with_those_who_are_selected(app: Flask, role: str, actions: list[str]) -> None:
    page = client_of(app, role, role).get("/employees/").text
    selection = page.partition('id="selection"')[2]

    assert re.findall(r'name="action" value="(\w+)"', selection) == actions
    assert page.count('name="employee"') == (3 if actions else 0)


@pytest.mark.usefixtures("people")
def test_selection_carries_the_filters(client: FlaskClient) -> None:
    form = client.get("/employees/?q=и&consent=missing").text.partition('id="selection"')[2].partition("</form>")[0]

    assert '<input type="hidden" name="q" value="и">' in form
    assert '<input type="hidden" name="consent" value="missing">' in form
    assert 'action="/jobs/preview"' in form
    # All who are found are on this page.
    assert 'name="all"' not in form


def test_all_that_are_found_can_be_selected_beyond_the_page(desk: Desk, app: Flask) -> None:
    with app.app_context():
        for number in range(51):
            save_employee(Draft(str(number), f"Имя {number:03}", ""))

    assert 'name="all" value="1"> Все: 51' in desk.text("/employees/")
    assert 'name="all" value="1"> Все найденные: 51' in desk.text("/employees/?q=имя")


def test_face_is_called_refused_only_where_the_terminal_refused_it(desk: Desk, app: Flask) -> None:
    desk.save()
    stopped = {"person": "confirmed", "confirmed_photo_id": None, "confirmed_at": None, "next_attempt_at": None}
    for code, face, english, russian in (
        ("modelingfailed", "refused", "face refused", "лицо не принято"),
        ("files_not_taken", "refused", "no photo on the terminal", "нет фото на терминале"),
        ("superseded", "refused", "take the photo again", "сфотографируйте заново"),
        ("wrong_password", "pending", "not sent yet", "ещё не отправлено"),
    ):
        with app.app_context():
            db.session.execute(db.update(Enrolment).values(refusal=refusal(code), face=face, **stopped))
            db.session.commit()
        for headers, word in ((ENGLISH, english), ({}, russian)):
            shown = desk.client.get("/employees/", headers=headers).text
            assert f"<b>{word}:</b> <bdi>Вход</bdi>" in shown


def at_terminals(app: Flask, *states: str, is_active: bool = True) -> None:
    """Add an employee with an enrolment in each of these states, at terminals of their own: D1, D2 and so on."""
    with app.app_context():
        employee = Employee(number="D", name="Дверь Анна", is_active=is_active)
        db.session.add(employee)
        db.session.flush()
        photo = Photo(file="d.jpg", sha256="0" * 64, source="upload", employee_id=employee.id)
        db.session.add(photo)
        db.session.flush()
        face = {"photo_id": photo.id, "confirmed_photo_id": photo.id, "confirmed_at": database_now()}
        facts: dict[str, dict[str, Any]] = {
            "confirmed": {"person": "confirmed", "face": "confirmed", **face},
            "waiting": {"refusal": refusal("unreachable"), "next_attempt_at": database_now(60)},
            "leaving": {"desired": "absent"},
        }
        for place, state in enumerate(states, 1):
            access = {"url": f"http://192.0.2.{place}", "username": "admin", "password_encrypted": ""}
            terminal = Terminal(name=f"D{place}", face_mode="url", **access)
            db.session.add(terminal)
            db.session.flush()
            whose = {"terminal_id": terminal.id, "number": "D", "employee_id": employee.id}
            db.session.add(Enrolment(**whose, **facts[state]))
        db.session.commit()


def row(page: str) -> str:
    """Return the state in the first row of a page."""
    return page.partition('<td class="people-state">')[2].partition("</td>")[0]


def dots(shown: str) -> list[str]:
    """Return the tones of the dots of a state, without those beside its words."""
    return re.findall(r'class="dot dot-(\w+)"', shown.partition('class="tip"')[0])


def test_who_waits_at_one_door_of_four_is_shown_as_waiting_with_a_dot_for_each_door(
    app: Flask, client: FlaskClient
) -> None:
    at_terminals(app, "confirmed", "confirmed", "waiting", "confirmed")
    for headers, waits, confirmed in (
        (ENGLISH, "waiting for the terminal", "confirmed"),
        ({}, "ожидание терминала", "подтверждено"),
    ):
        page = client.get("/employees/", headers=headers).text
        shown = row(page)

        assert 'class="state state-warn"' in shown
        assert dots(shown) == ["good", "good", "warn", "good"]
        # What is read aloud, and shown on hover and focus: the name leads there.
        assert f"<b>{waits}:</b> <bdi>D3</bdi>" in shown
        assert f"<b>{confirmed}:</b> <bdi>D1</bdi>, <bdi>D2</bdi>, <bdi>D4</bdi>" in shown
        described = re.search(r'aria-describedby="(state-\d+)"', page)
        assert described
        assert f'class="tip" id="{described[1]}"' in shown


def test_of_many_doors_a_row_counts_and_names_some(app: Flask, client: FlaskClient) -> None:
    at_terminals(app, "waiting", *["confirmed"] * 8)

    shown = row(client.get("/employees/").text)

    assert dots(shown) == ["warn", "good"]
    assert re.findall(r'class="state-count">(\d+)<', shown) == ["1", "8"]
    assert "<bdi>D7</bdi> и ещё 2</span>" in shown


def test_who_is_inactive_is_said_to_be_with_what_is_still_open(app: Flask, client: FlaskClient) -> None:
    at_terminals(app, "leaving", is_active=False)

    for view in ("list", "photos"):
        page = client.get(f"/employees/?view={view}").text
        described = re.search(r'aria-describedby="(state-\d+)"', page)
        assert described
        assert f'class="tip" id="{described[1]}"' in page
        assert "неактивен</span>" in page
        assert "<b>ещё может открыть двери:</b> <bdi>D1</bdi>" in page


@pytest.mark.usefixtures("people")
def test_view_of_the_address_is_kept_for_its_operator_alone(app: Flask, client: FlaskClient) -> None:
    other = client_of(app, VIEWER)

    assert '<ul class="faces">' not in client.get("/employees/").text
    photos = client.get("/employees/?view=photos&department=Склад").text
    again = client.get("/employees/?q=ким").text

    assert re.findall(r'id="face-\d+" href="/employees/(\d+)"', photos) == ["1"]
    # Who is selected is sent from there, too, with the filters.
    selection = photos.partition('id="selection"')[2]
    assert 'name="employee" value="1" aria-labelledby="face-1"' in selection
    assert '<input type="hidden" name="department" value="Склад">' in selection
    assert '<ul class="faces">' in again
    assert 'href="/employees/?view=list&amp;q=' in again
    assert '<ul class="faces">' not in other.get("/employees/").text
    assert '<ul class="faces">' in client.get("/employees/?view=odd").text
    assert (
        numbers(client.get("/employees/?view=list").text) == numbers(client.get("/employees/").text) == ["3", "1", "2"]
    )


@pytest.mark.usefixtures("people")
def test_words_typed_in_the_wrong_layout_are_shown_as_meant_and_said_so(client: FlaskClient) -> None:
    page, english = (client.get("/employees/?q=,tkjdf", headers=headers).text for headers in ({}, ENGLISH))

    assert numbers(page) == ["1"]
    assert ">По запросу «,tkjdf» никто не найден. Показано для «белова».</p>" in page
    assert "Nobody is found for “,tkjdf”. Shown for “белова”." in english
    assert 'data-says="По запросу «,tkjdf» никто не найден. Показано для «белова». Найдено: 1"' in page
    # The words as typed stay in their field; everything else is about those who are shown.
    assert 'type="search" value=",tkjdf"' in page
    assert page.partition('id="rows"')[2].count('<input type="hidden" name="q" value="белова">') == 2
    for address in ("/employees/?q=белова", "/employees/?q=,tkjdf&department=Охрана", "/employees/?q=xyz"):
        assert 'id="instead"' not in client.get(address).text


@pytest.mark.usefixtures("people")
def test_rows_bring_along_how_many_filters_are_set(client: FlaskClient) -> None:
    found = client.get("/employees/?state=no_face&consent=missing&q=иван", headers=HTMX).text

    assert 'id="filters-set" hx-swap-oob="true">2<' in found
    assert 'id="filters-set" hx-swap-oob="true"></span>' in client.get("/employees/", headers=HTMX).text
