"""A round: everybody without a face on a terminal, one after another, one click each."""

import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.models.accounts import OPERATOR
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import send_to_terminal
from hikflask.services.employees.save import save_employee
from hikflask.services.terminals import registry
from tests.conftest import NobodyComes
from tests.support.captures import FACE, OTHER_FACE, THIRD_FACE
from tests.support.desk import ENGLISH, HTMX, Desk
from tests.support.employees import save_with_file
from tests.support.filled_forms import Filled, form_to, forms
from tests.support.signed_in import client_of

ROUND = "/terminals/1/round"
NAMES = {"1": "Анна Ёлкина", "2": "Борис Жуков", "3": "Вера Зимина"}


@pytest.fixture
def three(app: Flask, desk: Desk) -> dict[str, int]:
    """The ids of three people who are on the terminal without a face, by number."""
    with app.app_context():
        ids = {number: save_employee(Draft(number, name, "Склад")).row.id for number, name in NAMES.items()}
        for employee_id in ids.values():
            send_to_terminal(employee_id, desk.terminal.id)
    while desk.run_jobs():
        pass
    return ids


def taking(page: str, employee_id: int) -> Filled:
    """The first form that takes the picture of somebody: the main button has the first of the list, too."""
    return next(one for one in forms(page) if one.action == f"/captures/of/{employee_id}")


def press(desk: Desk, page: str, employee_id: int, button: str) -> TestResponse:
    """Press a button of the round in the form of somebody."""
    return desk.client.post(f"{ROUND}/{button}", data=form_to(page, f"/employees/{employee_id}").fields)


def begin(desk: Desk, employee_id: int) -> str:
    """Press the one button of somebody in the list; return the address of the form."""
    page = desk.text(ROUND)
    address: str = taking(page, employee_id).send(desk.client).location
    return address


def save(desk: Desk, address: str, face: bytes) -> str:
    """Show the face, save the form as the page has it, and let the worker work; return where it goes on."""
    desk.simulator.present_alone(face)
    run(desk)
    page = desk.text(address)
    assert "✅ Фото сделано." in page
    form = form_to(page, address.partition("/edit")[0])
    answer = form.send(desk.client)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def run(desk: Desk) -> None:
    while desk.run_jobs():
        pass


def test_no_row_says_that_the_terminal_takes_no_files(app: Flask, desk: Desk) -> None:
    with app.app_context():
        save_with_file(Draft("1", NAMES["1"], "Склад"), desk.terminal.id)
    run(desk)

    page = desk.text(ROUND)

    assert f'<a class="row-name" href="/employees/1"><bdi>{NAMES["1"]}</bdi></a>' in page
    assert "не принимает файлы" not in page


def test_list_names_who_has_no_face_there_by_name(desk: Desk, three: dict[str, int]) -> None:
    page = desk.text(ROUND)

    assert [page.index(name) for name in NAMES.values()] == sorted(page.index(name) for name in NAMES.values())
    assert "0 из 3" in page
    assert re.search(r'id="begin"[^>]*>.*Начать съёмку', page)
    fields = taking(page, three["1"]).fields
    assert (fields["terminal_id"], fields["round"], fields["of"]) == ("1", "1", "3")


@pytest.mark.usefixtures("three")
def test_search_narrows_the_list(desk: Desk) -> None:
    answer = desk.client.get(f"{ROUND}?q=елк&of=3", headers=HTMX)

    assert "Анна Ёлкина" in answer.text
    assert "Борис Жуков" not in answer.text
    assert "<html" not in answer.text
    assert answer.headers["HX-Replace-Url"] == f"{ROUND}?q=%D0%B5%D0%BB%D0%BA&of=3"
    assert "Никто не найден." in desk.text(f"{ROUND}?q=нет")


def test_one_click_each_and_the_next_one_comes_with_the_capture_begun(desk: Desk, three: dict[str, int]) -> None:
    first = begin(desk, three["1"])
    assert first == f"/employees/{three['1']}/edit?capture=1&round=1&of=3"

    second = save(desk, first, FACE)
    third = save(desk, second, OTHER_FACE)
    end = save(desk, third, THIRD_FACE)

    assert second == f"/employees/{three['2']}/edit?capture=2&round=1&of=3"
    assert third == f"/employees/{three['3']}/edit?capture=3&round=1&of=3"
    assert end == f"{ROUND}?of=3"
    run(desk)
    faces = {number: face.jpeg for number, face in desk.simulator.faces.items()}
    assert faces == {"1": FACE, "2": OTHER_FACE, "3": THIRD_FACE}
    page = desk.text(end)
    assert "3 из 3" in page
    assert "Фотографировать на этом терминале некого." in page


def test_round_ends_where_the_terminal_has_no_room_for_more_faces(
    app: Flask, desk: Desk, three: dict[str, int]
) -> None:
    first = begin(desk, three["1"])
    with app.app_context():
        db.session.execute(db.update(Terminal).values(faces=1500, face_capacity=1500))
        db.session.commit()

    assert save(desk, first, FACE) == f"{ROUND}?of=3"

    page = desk.text(ROUND)
    assert page.count("На терминале нет места (1500 из 1500). Сначала удалите уволенных.") == 1
    assert "/captures/of/" not in page


def test_page_asks_by_name_says_how_far_it_is_and_has_the_focus_on_save(desk: Desk, three: dict[str, int]) -> None:
    address = save(desk, begin(desk, three["1"]), FACE)
    desk.simulator.present_alone(OTHER_FACE)
    run(desk)

    page = desk.text(address)

    assert "✅ Фото сделано. Это Борис Жуков?" in page
    assert re.search(r'id="save" type="submit" autofocus>Сохранить и дальше</button>', page)
    assert "Съёмка по списку: «Вход»" in page
    assert "1 из 3" in page
    assert '<input type="hidden" name="terminal_id" value="1">' in page


def test_face_before_is_bound_before_the_camera_takes_the_next(desk: Desk, three: dict[str, int]) -> None:
    first = begin(desk, three["1"])
    desk.simulator.present_alone(FACE)
    run(desk)
    page = desk.text(first)
    second = form_to(page, f"/employees/{three['1']}").send(desk.client).location

    waits = desk.client.get(second).text
    desk.simulator.present_alone(OTHER_FACE)
    run(desk)

    assert "Анна Ёлкина записывается на терминал. Следующая съёмка начнётся сама." in waits
    assert desk.simulator.faces["1"].jpeg == FACE
    assert "Это Борис Жуков?" in desk.text(second)


def test_reload_shows_the_same_person_with_the_same_capture(desk: Desk, three: dict[str, int]) -> None:
    address = begin(desk, three["2"])

    again = desk.text(address)

    assert 'value="Борис Жуков"' in again
    assert 'name="round_id" value="1"' in again
    assert f"url=/employees/{three['2']}/edit?capture=1&amp;round=1&amp;of=3" in again


def test_polled_panel_brings_the_buttons_of_the_round(desk: Desk, three: dict[str, int]) -> None:
    begin(desk, three["1"])
    running = desk.client.get(f"/captures/1?employee={three['1']}&round=1&of=3", headers=HTMX).text
    desk.simulator.present_alone(FACE)
    run(desk)

    done = desk.client.get(f"/captures/1?employee={three['1']}&round=1&of=3", headers=HTMX).text

    assert f"/captures/1?employee={three['1']}&amp;round=1&amp;of=3" in running
    assert "Сохранить и дальше" in done
    assert 'formaction="/terminals/1/round/skip"' in done


def test_who_does_not_come_is_left_out_and_stays_in_the_list(
    desk: Desk, three: dict[str, int], nobody_comes: NobodyComes
) -> None:
    with nobody_comes():
        address = begin(desk, three["1"])
        run(desk)
    page = desk.text(address)
    assert "Не пришёл, дальше" in page

    answer = press(desk, page, three["1"], "skip")

    assert answer.location == f"/employees/{three['2']}/edit?capture=2&round=1&of=3"
    assert "Анна Ёлкина" in desk.text(ROUND)


def test_picture_of_who_is_skipped_goes_to_nobody(desk: Desk, three: dict[str, int], nobody_comes: NobodyComes) -> None:
    address = begin(desk, three["1"])
    desk.simulator.present_alone(FACE)
    run(desk)
    page = desk.text(address)

    second = press(desk, page, three["1"], "skip").location
    save(desk, second, OTHER_FACE)
    with nobody_comes():
        run(desk)

    assert {number: face.jpeg for number, face in desk.simulator.faces.items()} == {"2": OTHER_FACE}


def test_pause_ends_the_capture_and_the_round_goes_on_later(desk: Desk, three: dict[str, int]) -> None:
    address = save(desk, begin(desk, three["1"]), FACE)
    run_to_binding = desk.text(address)

    paused = press(desk, run_to_binding, three["2"], "pause")
    run(desk)

    assert paused.location == f"{ROUND}?of=3"
    page = desk.text(paused.location)
    assert "1 из 3" in page
    assert "Продолжить съёмку" in page
    assert desk.simulator.faces["1"].jpeg == FACE


def test_terminal_in_use_is_said_and_the_round_stays_with_the_person(
    app: Flask, desk: Desk, three: dict[str, int]
) -> None:
    boris = client_of(app, OPERATOR, "Борис")
    boris.post("/captures", data={"hikvision_id": "77", "full_name": "Чужой"})

    answer = taking(desk.text(ROUND), three["1"]).send(desk.client)

    assert answer.status_code == 409
    assert "Терминал занят: Борис." in answer.text
    assert 'name="round_id" value="1"' in answer.text
    assert 'value="Анна Ёлкина"' in answer.text


def test_double_click_is_one_capture(desk: Desk, three: dict[str, int]) -> None:
    page = desk.text(ROUND)
    first = taking(page, three["1"]).send(desk.client).location

    second = taking(page, three["1"]).send(desk.client).location

    assert first == second


def test_who_gets_a_face_by_a_picture_is_not_in_the_round(app: Flask, desk: Desk) -> None:
    employee = desk.save()
    with app.app_context():
        added = registry.add(registry.Access("Склад", "http://away.test", "admin", "x", face_by_picture=True))
        send_to_terminal(int(employee.rpartition("/")[2]), added.id)
        assert search.by_number("100222") is not None

    page = desk.client.get(f"/terminals/{added.id}/round", headers=ENGLISH).text

    assert "There is no photo left to take at this terminal." in page
