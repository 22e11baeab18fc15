"""The page of a dry run says first what the import does to people, by count and by name, each with what to do."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.extensions import db
from hikflask.models import Employee
from hikflask.services.enrolments.mass_removals import Confirmation
from hikflask.services.imports import jobs as import_jobs
from tests.support.captures import FACE, OTHER_FACE
from tests.support.desk import ENGLISH
from tests.support.filled_forms import form_to, words
from tests.support.groups import ENTRANCE, add_terminals
from tests.support.imports import apply, checked
from tests.support.jobs import add_people, run

pytestmark = pytest.mark.usefixtures("worker_alive")
PAGE = "/imports/2"
LIST = f"{PAGE}?rows=other_person"
TABLE = (
    "1;Сидоров Олег;Склад",
    "2;Юрий Ким;Склад",
    "00099;Иванов Иван;Склад",
    "5;Пeтрова Анна;Склад",
)


@pytest.fixture(autouse=True)
def _checked(app: Flask) -> None:
    """Two people with their photos, and a table that makes others of both."""
    with app.app_context():
        apply(checked("1;Иванов Иван;", "2;Петров Пётр;", pictures={"1.jpg": FACE, "2.jpg": FACE}))
        checked(*TABLE)


def names(app: Flask) -> dict[str, str]:
    with app.app_context():
        return dict(db.session.execute(db.select(Employee.number, Employee.name)).all())


def test_who_is_active_here_and_not_in_the_file_is_named(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        add_people(*(f"{number}" for number in range(10, 17)))
        checked(*TABLE[:2])

    english, russian = (words(client.get("/imports/3", headers=headers)) for headers in (ENGLISH, {}))

    assert "Active here and not in the file: 7. They stay as they are. Иван Иванов 10 (10) , " in english
    assert "Иван Иванов 14 (14) and 2 more" in english
    assert "Активны здесь, но в файле их нет: 7. Они остаются без изменений. Иван Иванов 10 (10) , " in russian
    assert "not in the file" not in words(client.get("/imports/1", headers=ENGLISH))


def test_rows_that_a_command_left_out_as_many_would_lose_access_are_said(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        ids = add_terminals(ENTRANCE)
        apply(checked("21;Анна Ким;", "22;Олег Цой;", "23;Юрий Ли;", "24;Яна Пак;", terminal_id=ids[ENTRANCE]))
        held = checked("21;Анна Ким;да", "22;Олег Цой;да", "23;Юрий Ли;да", "24;Яна Пак;да", header="ID;ФИО;Уволен")
        run(import_jobs.start_import(held, Confirmation(None, by_admin=True), withholds=True))

    english, russian = (words(client.get(f"/imports/{held}", headers=headers)) for headers in (ENGLISH, {}))

    assert "Left out, as many would lose access: 4" in english
    assert "Пропущены, потому что доступ потеряют многие: 4" in russian
    assert "Вход : lose access: 4 of 4" in english


def test_what_is_said_of_a_photo_an_end_and_who_stays_inactive(client: FlaskClient, app: Flask) -> None:
    with app.app_context():
        add_people("7", is_active=False)
        apply(checked("2;;31.12.2030", header="ID;ФИО;Действует до"))
        checked(
            *("7;Цой Олег;", "2;;31.12.2036", "1;Иванов;", "8;Гость 8;"),
            header="ID;ФИО;Действует до",
            pictures={"2.jpg": OTHER_FACE},
        )

    english, russian = (words(client.get("/imports/4", headers=headers)) for headers in (ENGLISH, {}))

    assert "Validity is extended: 1 Петров Пётр (2) until 31 December 2030 " in english
    assert (
        "Inactive here, and stay so: 1 Иван Иванов 7 (7) → Цой Олег Photos are replaced: 1 Петров Пётр (2) " in english
    )
    assert "Names lose words: 1 Иванов Иван (1) → Иванов Digits in names: 1 Гость 8 (8)" in english
    assert "ФИО теряют слова: 1 Иванов Иван (1) → Иванов Цифры в ФИО: 1 Гость 8 (8)" in russian
    assert "Срок доступа продлевается: 1 Петров Пётр (2)" in russian
    assert "Неактивны и останутся такими: 1 Иван Иванов 7 (7) → Цой Олег Фото заменяются: 1 Петров Пётр (2)" in russian


def ticks(client: FlaskClient) -> dict[str, bool]:
    """Whether each row that can be ticked is, by its id."""
    page = client.get(LIST).text
    return {
        row_id: "checked" in rest for row_id, rest in re.findall(r'name="same_person"[^>]*value="(\d+)"([^>]*)', page)
    }


def test_effects_stand_first_with_count_and_names(client: FlaskClient) -> None:
    english, russian = (words(client.get(PAGE, headers=headers)) for headers in (ENGLISH, {}))

    assert "Another person? 2 Иванов Иван (1) → Сидоров Олег Петров Пётр (2) → Юрий Ким" in english
    assert "Другой человек? 2 Иванов Иван (1) → Сидоров Олег Петров Пётр (2) → Юрий Ким" in russian
    assert "The name is here under another ID: 1 Иванов Иван (00099) 1 " in english
    assert "Letters of the other alphabet, invisible signs: 1 П e трова Анна " in english
    assert english.index("Another person?") < english.index("2 new, 2 changed.")
    assert "Import: 2" in english
    assert "Not confirmed: 2" in english


def test_who_is_ticked_is_changed_and_the_rest_is_said_to_stay(
    app: Flask, client: FlaskClient, run_jobs: Callable[[], int]
) -> None:
    first, second = ticks(client)
    token = form_to(client.get(LIST).text, f"{PAGE}/confirm").fields["csrf_token"]
    shown = {"csrf_token": token, "shown": [first, second]}

    client.post(f"{PAGE}/confirm", data={**shown, "same_person": [first, second]})
    assert ticks(client) == {first: True, second: True}
    kept = client.post(f"{PAGE}/confirm", data={**shown, "same_person": [second]})
    assert (kept.status_code, kept.location) == (303, f"{LIST}#effects")
    assert ticks(client) == {first: False, second: True}
    form_to(client.get(PAGE).text, f"{PAGE}/start").send(client)
    run_jobs()

    assert names(app) == {"1": "Иванов Иван", "2": "Юрий Ким", "00099": "Иванов Иван", "5": "Пeтрова Анна"}
    assert "Not confirmed: 1" in words(client.get(PAGE, headers=ENGLISH))
    assert ticks(client) == {}
    late = client.post(
        f"{PAGE}/confirm", data={**shown, "same_person": [first]}, follow_redirects=True, headers=ENGLISH
    )
    assert "This was started already." in late.text


def test_page_that_is_open_since_before_somebody_confirmed_a_row_starts_nothing(
    app: Flask, client: FlaskClient, run_jobs: Callable[[], int]
) -> None:
    open_page = form_to(client.get(PAGE).text, f"{PAGE}/start")
    first, second = ticks(client)
    token = {"csrf_token": open_page.fields["csrf_token"]}
    client.post(f"{PAGE}/confirm", data={**token, "shown": [first, second], "same_person": [first]})

    open_page.send(client)
    run_jobs()

    assert names(app) == {"1": "Иванов Иван", "2": "Петров Пётр"}
    assert "С тех пор это изменилось. Ничего не сделано, проверьте ещё раз." in words(client.get(PAGE))
    form_to(client.get(PAGE).text, f"{PAGE}/start").send(client)
    run_jobs()
    assert names(app)["1"] == "Сидоров Олег"


def test_odd_letters_are_mended_by_one_click(client: FlaskClient, run_jobs: Callable[[], int]) -> None:
    form_to(client.get(PAGE).text, f"{PAGE}/mend").send(client)
    run_jobs()

    page = client.get(PAGE).text
    assert "<mark>" not in page
    assert "Петрова Анна" in client.get(f"{PAGE}?rows=new").text
    start = form_to(page, f"{PAGE}/start")
    start.send(client)
    late = client.post(f"{PAGE}/mend", data=start.fields, follow_redirects=True, headers=ENGLISH)
    assert "This was started already." in late.text


def test_zeros_that_a_spreadsheet_lost_are_put_back_by_one_click(
    app: Flask, client: FlaskClient, run_jobs: Callable[[], int]
) -> None:
    with app.app_context():
        add_people("00012", "00013")
        checked("12;Иван Иванов 00012;", "13;Иван Иванов 00013;Склад")

    english, russian = (words(client.get("/imports/3", headers=headers)) for headers in (ENGLISH, {}))
    mend = form_to(client.get("/imports/3").text, "/imports/3/mend")
    mend.send(client)
    run_jobs()
    pressed_again = client.post("/imports/3/mend", data=mend.fields)

    assert "Put the zeros back (digits of an ID: 5)" in english
    assert "Вернуть нули (цифр в ID: 5)" in russian
    assert pressed_again.status_code == 303
    page = words(client.get("/imports/3", headers=ENGLISH))
    assert "Nobody new, 1 changed." in page
    assert "Put the zeros back" not in page


def test_rows_are_listed_by_their_effect(client: FlaskClient) -> None:
    page = words(client.get(f"{PAGE}?rows=known_elsewhere", headers=ENGLISH))

    assert "00099 Иванов Иван new The name is here under another ID: 1" in page
    assert "Юрий Ким changed" not in page


def test_effect_of_which_there_is_no_more_to_say_has_no_colon(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        checked("1;да", header="Табельный номер;Уволен")

    page = words(client.get("/imports/3?rows=all", headers=ENGLISH))

    assert "1 Иванов Иван changed Leave State: active → inactive" in page
