"""The list, the form and the page of an employee."""

import io
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.services.captures.drafts import Draft
from hikflask.services.employees import search
from hikflask.services.employees.lifecycle import set_active
from hikflask.services.employees.save import save_employee
from hikflask.simulator import Terminal as Simulated
from tests.support.captures import FACE
from tests.support.comparisons import compare, strangers, take_over
from tests.support.desk import ENGLISH, HTMX, Desk, typed
from tests.support.enrolments import employee_of
from tests.support.filled_forms import form_to
from tests.support.filled_forms import words as as_read

ENTER_AN_ID = ("Введите ID: латинские буквы и цифры, до 32 знаков.", "Enter an ID: Latin letters and digits, up to 32.")
BAD_FIELDS = [
    ("hikvision_id", "", *ENTER_AN_ID),
    ("hikvision_id", "a" * 33, *ENTER_AN_ID),
    ("hikvision_id", "10 22", *ENTER_AN_ID),
    ("hikvision_id", "сто", *ENTER_AN_ID),
    ("full_name", "   ", "Поле «ФИО» не должно быть пустым", "“Full name” must not be empty"),
    ("full_name", "я" * 129, "Поле «ФИО» слишком длинное", "“Full name” is too long"),
    ("full_name", "Иван\x00", "В поле «ФИО» не должно быть управляющих", "“Full name” must not contain control"),
    ("department", "я" * 129, "Поле «Отдел» слишком длинное", "“Department” is too long"),
]


def png(width: int = 40, height: int = 60, mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (width, height), "teal").save(stream, "PNG")
    return stream.getvalue()


def test_an_empty_list_says_to_add_a_terminal_first(client: FlaskClient) -> None:
    page = client.get("/employees/").text
    assert "Сначала добавьте терминал" in page
    assert 'href="/terminals/new"' in page


def test_an_empty_list_with_a_terminal_says_to_add_an_employee(desk: Desk) -> None:
    page = desk.text("/employees/")
    assert "Добавить сотрудника" in page
    assert 'href="/employees/new"' in page


def test_the_form_has_the_labels_and_hints_in_the_language_of_the_browser(desk: Desk) -> None:
    for language, words in (
        ("ru", "ID сотрудника|например, 100222|ФИО|Иван Иванов|Отдел|необязательно|>Захватить фото с терминала<"),
        ("en", "Employee ID|Full name|Department|>Capture from terminal<|>Save<"),
    ):
        page = desk.client.get("/employees/new", headers={"Accept-Language": language}).text
        assert f'<html lang="{language}">' in page
        assert [word for word in words.split("|") if word not in page] == []


def test_a_captured_employee_is_saved_and_confirmed_and_asked_about_no_more(desk: Desk) -> None:
    place = desk.save()
    page, block = desk.text(place), desk.client.get(f"{place}/enrolments", headers=HTMX).text
    assert 'data-state="confirmed"' in block
    assert "hx-get" not in block
    assert re.search(r"Есть на терминале «Вход»: сотрудник и лицо\. Проверено в \d\d:\d\d\.", page)
    assert desk.simulator.people["100222"]["name"] == "Иван Иванов"
    assert desk.simulator.faces["100222"].jpeg == FACE


def test_nothing_is_green_before_the_terminal_was_told(desk: Desk) -> None:
    capture_id = desk.capture()
    place = desk.client.post("/employees/", data=typed(capture_id=capture_id)).location
    page = desk.text(place)
    assert 'data-state="working"' in page
    assert 'hx-trigger="every 1s"' in page
    assert "status-good" not in desk.text("/employees/")


def test_an_employee_without_a_photo_is_on_no_terminal(desk: Desk) -> None:
    place = desk.client.post("/employees/", data=typed(without_face="1")).location
    assert '<tr id="terminal-1" data-state="absent">' in desk.text(place)
    assert desk.run_jobs() == 0


def test_bad_input_names_the_field_and_keeps_everything(desk: Desk) -> None:
    capture_id = desk.capture()
    for field, value, russian, english in BAD_FIELDS:
        form = typed(capture_id=capture_id, **{field: value})
        for language, sentence in (("ru", russian), ("en", english)):
            answer = desk.client.post("/employees/", data=form, headers={"Accept-Language": language})
            assert answer.status_code == 422
            assert sentence in answer.text
            assert f'value="{capture_id}"' in answer.text
            assert '<img src="/uploads/' in answer.text
            assert all(f'value="{kept}"' in answer.text for name, kept in typed().items() if name != field)


def test_a_known_number_is_a_conflict_and_keeps_the_photo(desk: Desk) -> None:
    desk.save()
    taken = desk.capture(full_name="Другой Человек", hikvision_id="100223")
    for headers, sentence in (
        ({}, "ID сотрудника 100222 уже занят другим сотрудником."),
        (ENGLISH, "Employee ID 100222 is already used by another employee."),
    ):
        answer = desk.client.post(
            "/employees/", data=typed(full_name="Другой Человек", capture_id=taken), headers=headers
        )
        assert answer.status_code == 409
        assert sentence in answer.text
        assert 'value="Другой Человек"' in answer.text
        assert '<a href="/employees/1/edit">' in answer.text
        assert '<img src="/uploads/' in answer.text


def test_save_waits_for_a_running_capture(desk: Desk) -> None:
    capture_id = desk.client.post("/captures", data=typed()).location.rpartition("=")[2]
    answer = desk.client.post("/employees/", data=typed(capture_id=capture_id))
    assert answer.status_code == 422
    assert "Съёмка ещё идёт." in answer.text
    assert f'url=/employees/new?capture={capture_id}"' in answer.text


def test_a_photo_file_stays_on_the_server_and_the_page_says_so(desk: Desk) -> None:
    place = desk.upload(png()).location
    desk.run_jobs()
    page = desk.text(place)
    assert "Фото останется только на сервере: терминал «Вход» не принимает файлы." in page
    assert 'data-state="person_only"' in page
    assert desk.simulator.people["100222"]["name"] == "Иван Иванов"
    assert "100222" not in desk.simulator.faces


def test_a_file_that_is_no_picture_is_refused_beside_its_field(desk: Desk) -> None:
    for content, sentence in (
        (b"no picture at all", "Фото должно быть картинкой JPEG, PNG или WebP."),
        (b"\xff\xd8" + b"x" * (10 * 1024 * 1024), "Фото слишком большое: не больше 10 МБ."),
    ):
        answer = desk.upload(content)
        assert answer.status_code == 422
        assert sentence in answer.text
        assert 'id="photo-error"' in answer.text
        assert 'value="Иван Иванов"' in answer.text


def test_a_request_over_the_limit_is_told_the_limit(desk: Desk) -> None:
    answer = desk.upload(b"x" * 12 * 1024 * 1024)
    assert answer.status_code == 413
    assert "не больше 10 МБ" in answer.text


def test_a_photo_for_an_unknown_terminal_is_refused(desk: Desk, app: Flask) -> None:
    answer = desk.upload(png(), terminal_id="99")
    assert answer.status_code == 422
    assert "Такого терминала нет" in answer.text
    with app.app_context():
        assert search.by_number("100222") is None


def test_deactivating_takes_the_person_off_the_terminal(desk: Desk) -> None:
    place = desk.save()
    desk.client.post(f"{place}/active", data={"active": "0"})
    assert "Ещё может открыть двери: 1" in desk.text("/employees/")
    desk.run_jobs()
    assert "100222" not in desk.simulator.people
    assert "Ещё может открыть двери: " not in desk.text("/employees/")
    assert re.search(r"На терминале «Вход» больше нет\. Проверено в \d\d:\d\d\.", desk.text(place))


def test_activating_asks_first_and_names_the_terminals(desk: Desk) -> None:
    place = desk.save()
    desk.run_jobs()
    desk.client.post(f"{place}/active", data={"active": "0"})

    page = desk.text(place)
    russian, english = (as_read(desk.client.get(f"{place}/activate", headers=some)) for some in ({}, ENGLISH))

    assert f'href="{place}/activate"' in page
    # No button of a page but the question lets anybody in.
    assert f'action="{place}/active"' not in page
    assert "Активировать: Иван Иванов?" in russian
    assert "Будет снова записан на терминалы и сможет открывать их двери: Вход" in russian
    assert "Activate Иван Иванов?" in english
    assert "Will be enrolled again, and can open these doors: Вход" in english
    form_to(desk.text(f"{place}/activate"), f"{place}/active").send(desk.client, {}, active="1")
    desk.run_jobs()
    assert "100222" in desk.simulator.people


def test_activating_who_would_be_on_no_terminal_says_so(desk: Desk, app: Flask) -> None:
    with app.app_context():
        employee = set_active(save_employee(Draft("9", "Пётр Ли")).row.id, active=False).row.id
    address = f"/employees/{employee}/activate"
    russian, english = (as_read(desk.client.get(address, headers=some)) for some in ({}, ENGLISH))
    assert "Не будет ни на одном терминале, пока его туда не отправят." in russian
    assert "Will be on no terminal until sent to one." in english


def test_deleting_asks_first_and_goes_back_to_the_list(desk: Desk) -> None:
    place = desk.save()
    page = desk.text(f"{place}/delete")
    assert "Удалить: Иван Иванов?" in page
    # Only who was taken over from a terminal had a record there before.
    assert "own-leave" not in page
    answer = desk.client.post(f"{place}/delete")
    desk.run_jobs()
    assert answer.location == "/employees/"
    assert desk.client.get(place).status_code == 404
    assert desk.simulator.people == {}


@pytest.mark.parametrize(("own", "is_left"), [("", False), ("remove", False), ("leave", True)])
def test_deleting_who_was_taken_over_asks_what_becomes_of_the_terminals_own_record(
    app: Flask, desk: Desk, own: str, is_left: bool
) -> None:
    with app.app_context():
        terminal = db.session.get_one(Terminal, 1)
        strangers(desk.simulator, ["900"])
        desk.simulator.store.save_card("77", {"employeeNo": "900"})
        compare(terminal)
        employee = employee_of(take_over(terminal.id, "900", "Гость 900"))
    address = f"/employees/{employee}/delete"
    russian, english = (as_read(desk.client.get(address, headers=language)) for language in ({}, ENGLISH))
    assert (
        "Удалить и то, что на этих терминалах было раньше? Вход : запись, 1 карта Да: этот человек никуда не войдёт "
        "Нет: двери этих терминалов он ещё сможет открыть Тогда сверки этих терминалов показывают запись в "
        "«Оставлено как есть», с вашим именем."
    ) in russian
    assert (
        "Delete what these terminals had before, too? Вход : the record, 1 card Yes: this person can enter nowhere "
        "No: this person can still open the doors of these terminals Then the comparisons of these terminals list the "
        "record under “Left as they are”, with your name."
    ) in english
    form = form_to(desk.text(address), address)
    assert form.fields["own"] == "remove"

    form.send(desk.client, own=own)
    said = desk.text("/employees/")
    desk.run_jobs()

    sentence = "Записи, которые были на терминалах раньше, остались там и, возможно, ещё открывают двери."
    assert (sentence in said) is is_left
    there = (list(desk.simulator.people), list(desk.simulator.store.cards))
    assert there == ((["900"], ["77"]) if is_left else ([], []))
    listed = desk.client.get("/terminals/1/comparison?kind=left", headers=ENGLISH).text
    assert ('id="left-1"' in listed) is is_left


def test_a_number_taken_there_asks_and_replaces_on_demand(desk: Desk, simulator: Simulated) -> None:
    simulator.store.add("100222", {"name": "Чужой Человек"})
    place = desk.save()
    page = desk.text(place)
    assert "ID 100222 на терминале занят: «Чужой Человек»." in page
    assert "Выбрать другой ID" in page
    wish = page.partition('name="wish" value="')[2].partition('"')[0]
    desk.client.post("/enrolments/1/replace", data={"wish": wish})
    desk.run_jobs()
    assert simulator.people["100222"]["name"] == "Иван Иванов"


def test_an_old_question_replaces_nobody(desk: Desk, simulator: Simulated) -> None:
    simulator.store.add("100222", {"name": "Чужой Человек"})
    place = desk.save()
    desk.client.post("/enrolments/1/replace", data={"wish": "99"})
    desk.run_jobs()
    assert simulator.people["100222"]["name"] == "Чужой Человек"
    assert "Данные сотрудника успели измениться." in desk.text(place)


def test_deactivating_asks_first(desk: Desk) -> None:
    place = desk.save()
    for headers, question, consequence in (
        (
            {},
            "Деактивировать: Иван Иванов?",
            "Сотрудник и лицо удаляются со всех терминалов. При возвращении, возможно, понадобится новое фото.",
        ),
        (
            ENGLISH,
            "Deactivate Иван Иванов?",
            "Person and face are removed from every terminal. A new photo may be needed on return.",
        ),
    ):
        asks = desk.client.get(f"{place}/deactivate", headers=headers)
        assert question in as_read(asks)
        assert consequence in as_read(asks)
        assert f'action="{place}/active"' in asks.text

    assert f'href="{place}/deactivate"' in desk.text(place)
    assert desk.client.get("/api/users/").get_json()[0]["is_active"] is True
