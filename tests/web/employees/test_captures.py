"""The capture panel, with htmx and without."""

import re
from dataclasses import replace
from html import unescape

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from hikflask.extensions import db
from hikflask.isapi.errors import CaptureUnanswered
from hikflask.models import Capture, Heartbeat
from hikflask.models.accounts import OPERATOR
from hikflask.services.captures.drafts import Draft
from hikflask.services.core.db import transaction
from hikflask.services.employees.save import save_employee
from hikflask.services.state import capture as state
from hikflask.services.terminals import registry
from hikflask.services.terminals.registry import Access
from tests.support.captures import FACE
from tests.support.desk import ENGLISH, HTMX, Desk, typed
from tests.support.refusals import refusal
from tests.support.signed_in import client_of


def test_with_htmx_the_panel_comes_with_the_address_and_asks_again_each_second(desk: Desk) -> None:
    answer = desk.client.post("/captures", data=typed(), headers=HTMX)
    assert answer.headers["HX-Replace-Url"] == "/employees/new?capture=1"
    assert answer.text.lstrip().startswith('<section id="capture"')
    assert "<html" not in answer.text
    live = desk.client.get("/captures/1", headers=HTMX).text
    assert "Включаем камеру терминала…" in live
    assert 'hx-get="/captures/1"' in live
    assert 'hx-trigger="every 1s"' in live
    assert 'hx-status:5xx="swap:none"' in live


def test_the_running_page_keeps_what_was_typed_and_refreshes_itself(desk: Desk) -> None:
    page = desk.text(desk.client.post("/captures", data=typed()).location)
    assert '<meta http-equiv="refresh" content="2; url=/employees/new?capture=1">' in page
    assert "nojs.css" in page
    assert all(f'value="{value}"' in page for value in typed().values())


def said(answer: TestResponse) -> str:
    """Return what the panel says, to the letter, as it is read and copied: its sign is drawn beside the character."""
    said = answer.text.partition('<p class="capture-text')[2].partition(">")[2].partition("</p>")[0]
    return unescape(re.sub("<.*?>", "", said)).strip()


def test_a_captured_face_is_shown_and_asked_about(desk: Desk) -> None:
    capture_id = desk.capture()
    answer = desk.client.get(f"/captures/{capture_id}", headers=HTMX)
    assert answer.headers["HX-Retarget"] == "#capture"
    assert said(answer) == "✅ Фото успешно захвачено! Это Иван Иванов?"
    assert "#ok" in answer.text
    assert "Сфотографировать заново" in answer.text
    assert "hx-trigger" not in answer.text


def test_question_names_the_employee_in_the_form_and_not_the_one_at_the_capture(desk: Desk) -> None:
    taken = desk.capture(full_name="Анна Смирнова")
    wrong = typed(capture_id=taken, hikvision_id="A-1")
    for headers, captured, asks in (
        ({}, "✅ Фото успешно захвачено!", " Это Пётр Петров?"),
        (ENGLISH, "✅ Photo captured!", " Is this Пётр Петров?"),
    ):
        page = desk.client.post("/employees/", data=wrong | {"full_name": "Пётр Петров"}, headers=headers)
        without = desk.client.post("/employees/", data=wrong | {"full_name": " "}, headers=headers)

        assert (page.status_code, without.status_code) == (422, 422)
        assert (said(page), said(without)) == (captured + asks, captured)
        assert "Анна Смирнова" not in page.text + without.text


def test_the_preview_is_the_very_file_of_the_terminal(desk: Desk) -> None:
    page = desk.text(f"/employees/new?capture={desk.capture()}")
    address = "/uploads/" + page.partition('<img src="/uploads/')[2].partition('"')[0]
    with desk.client.get(address) as answer:
        assert answer.data == FACE
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_terminal_that_gave_up_by_itself_is_said_with_its_own_seconds(desk: Desk) -> None:
    desk.simulator.profile = replace(desk.simulator.profile, nobody_came="captureTimeout", window=0)
    desk.client.post("/captures", data=typed())
    desk.run_jobs()

    english = desk.client.get("/employees/new?capture=1", headers=ENGLISH).text
    russian = desk.text("/employees/new?capture=1")

    said = "No face seen in 1 s. Come closer (about 60 cm), face the light, try again."
    assert f'data-says="{said}"' in english
    said = "За 1 с терминал не увидел лицо. Подойдите ближе (около 60 см), лицом к свету, и повторите."
    assert f'data-says="{said}"' in russian
    assert ">Повторить</button>" in russian
    assert "http-equiv" not in russian


def test_terminal_that_answered_nothing_is_not_said_to_have_seen_nobody(desk: Desk, app: Flask) -> None:
    desk.client.post("/captures", data=typed())
    with app.app_context(), transaction():
        state.apply(state.FAILURE, Capture.id == 1, refusal=refusal(CaptureUnanswered.own_code, after=20))

    english = desk.client.get("/employees/new?capture=1", headers=ENGLISH).text
    russian = desk.text("/employees/new?capture=1")

    said = "“Вход” answered nothing in 20 s: it saw no face, or it stopped answering. Check it, then come closer."
    assert f'data-says="{said}"' in english
    said = (
        "За 20 с терминал «Вход» ничего не ответил: не увидел лицо или завис. "
        "Проверьте, что он работает, и подойдите ближе."
    )
    assert f'data-says="{said}"' in russian


def test_cancel_ends_it_and_saves_nothing(desk: Desk) -> None:
    desk.client.post("/captures", data=typed())
    answer = desk.client.post("/captures/1/cancel", data=typed(capture_id="1"), headers=HTMX)
    desk.run_jobs()
    assert "Съёмка отменена. Ничего не сохранено." in answer.text
    assert "Съёмка отменена." in desk.text("/employees/new?capture=1")


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_number_of_another_is_said_beside_it_with_whose_it_is_and_no_camera_opens(
    desk: Desk, headers: dict[str, str]
) -> None:
    desk.save()
    form = typed(full_name="Ольга Ёлкина")

    russian = desk.client.post("/captures", data=form, headers=headers)
    english = desk.client.post("/captures", data=form, headers=headers | ENGLISH)

    for answer, error, owner in (
        (russian, "ID сотрудника 100222 уже занят другим сотрудником.", "ID 100222 занят:"),
        (english, "Employee ID 100222 is already used by another employee.", "ID 100222 belongs to"),
    ):
        assert answer.status_code == 409
        assert re.search(rf'<p class="field-error" id="hikvision_id-error"><svg.*</svg> {error}</p>', answer.text)
        assert re.search(rf'{owner} <a href="/employees/1/edit"><bdi>Иван Иванов</bdi></a>', answer.text)
        assert 'data-state="idle"' in answer.text
    assert desk.run_jobs() == 0
    # The employee's own form captures for the same number.
    assert desk.client.post("/captures", data=typed(employee_id="1")).location == "/employees/1/edit?capture=2"


def test_number_that_is_still_being_removed_is_refused_before_a_face_is_captured(desk: Desk) -> None:
    place = desk.save()
    desk.simulator.faults.add("lost-before", path="UserInfoDetail/Delete")
    desk.client.post(f"{place}/delete")
    desk.run_jobs()

    answer = desk.client.post("/captures", data=typed(full_name="Ольга Ёлкина"), headers=HTMX | ENGLISH)

    assert answer.status_code == 409
    said = "Employee ID 100222 is still being removed from the terminal “Вход”. Choose another one or wait."
    assert f"</svg> {said}</p>" in answer.text


def test_a_second_capture_hears_who_holds_the_terminal(desk: Desk, app: Flask) -> None:
    desk.client.post("/captures", data=typed())
    boris = client_of(app, OPERATOR, "Борис")
    answer = boris.post("/captures", data=typed(hikvision_id="7", full_name="Ольга"), headers=HTMX)
    assert answer.status_code == 409
    assert "Терминал занят: Анна. Ещё около" in answer.text
    assert ">Отмена</button>" in answer.text
    assert "Завершить мою съёмку" not in answer.text


def test_own_forgotten_capture_is_ended_from_where_it_stands_in_the_way(desk: Desk) -> None:
    desk.client.post("/captures", data=typed())
    other = typed(hikvision_id="7", full_name="Ольга")
    refused = desk.client.post("/captures", data=other, headers=HTMX)

    ended = desk.client.post("/captures/1/cancel", data=other, headers=HTMX)
    desk.run_jobs()

    assert refused.status_code == 409
    assert 'formaction="/captures/1/cancel"' in refused.text
    assert ">Завершить мою съёмку</button>" in refused.text
    assert '<a href="/employees/new?capture=1">К этой съёмке</a>' in refused.text
    assert 'data-state="idle"' in ended.text
    assert "Съёмка отменена." in desk.text("/employees/new?capture=1")
    assert desk.client.post("/captures", data=other).location == "/employees/new?capture=2"


def test_the_same_button_pressed_twice_is_one_capture(desk: Desk) -> None:
    desk.simulator.present(FACE)
    desk.client.post("/captures", data=typed())
    answer = desk.client.post("/captures", data=typed(capture_id="1"), headers=HTMX)
    assert answer.headers["HX-Replace-Url"].endswith("capture=1")
    assert desk.run_jobs() == 1


def test_one_click_leads_to_a_running_capture_only_where_it_is_ones_own_and_of_the_same_person(
    desk: Desk, app: Flask
) -> None:
    with app.app_context():
        for number in ("7", "8"):
            save_employee(Draft(number, "Ольга"))
    boris, here = client_of(app, OPERATOR, "Борис"), {"terminal_id": "1"}

    began = desk.client.post("/captures/of/1", data=here)
    again = desk.client.post("/captures/of/1", data=here)
    refused = [client.post(f"/captures/of/{of}", data=here) for client, of in ((boris, 1), (desk.client, 2))]

    assert (began.status_code, again.location) == (303, began.location)
    assert [(answer.status_code, "Терминал занят: Анна." in answer.text) for answer in refused] == [(409, True)] * 2


def test_only_the_picture_that_was_asked_about_is_replaced(desk: Desk) -> None:
    olga = typed(hikvision_id="7", full_name="Ольга")
    desk.capture()
    asked = desk.client.post("/captures", data=olga, headers=HTMX)
    assert (asked.status_code, 'name="take_over" value="1"' in asked.text) == (409, True)
    boris = desk.capture(hikvision_id="8", full_name="Борис", take_over="1")

    for headers, said in (
        (ENGLISH, "An unsaved capture of Борис (Анна) waits here. A new one replaces it."),
        ({}, "На терминале ждёт сохранения снимок: Борис (Анна). Новый снимок его заменит."),
    ):
        again = desk.client.post("/captures", data={**olga, "take_over": "1"}, headers={**HTMX, **headers})
        assert again.status_code == 409
        assert said in re.sub("[\u2068\u2069]", "", again.text)
        assert f'name="take_over" value="{boris}"' in again.text

    assert desk.client.post("/captures", data={**olga, "take_over": boris}).status_code == 303


def test_without_javascript_a_refusal_keeps_the_whole_form(desk: Desk) -> None:
    desk.capture()
    answer = desk.client.post("/captures", data=typed(hikvision_id="7", full_name="Ольга"))
    assert answer.status_code == 409
    assert 'value="Ольга"' in answer.text
    assert "ждёт сохранения снимок" in answer.text


def test_dismissing_a_refusal_shows_the_own_capture_again(desk: Desk) -> None:
    own = desk.capture()
    answer = desk.client.post("/captures/dismiss", data=typed(capture_id=own), headers=HTMX)
    assert "✅ Фото успешно захвачено!" in answer.text
    assert f'name="capture_id" value="{own}"' in answer.text


def test_a_refused_password_stops_the_next_capture(desk: Desk) -> None:
    desk.simulator.login.password = "Changed99"
    desk.client.post("/captures", data=typed())
    desk.run_jobs()
    assert "Терминал не принял пароль." in desk.text("/employees/new?capture=1")
    desk.simulator.log.clear()
    answer = desk.client.post("/captures", data=typed(capture_id="1"), headers=HTMX)
    assert answer.status_code == 409
    assert "Терминал не принял пароль." in answer.text
    assert list(desk.simulator.log) == []


def test_no_worker_is_said_as_such(desk: Desk, app: Flask) -> None:
    with app.app_context():
        db.session.execute(db.delete(Heartbeat))
        db.session.commit()
    page = desk.text(desk.client.post("/captures", data=typed()).location)
    assert "Фоновый обработчик не запущен" in page


def test_with_several_terminals_a_selector_stands_beside_the_button(desk: Desk, app: Flask) -> None:
    assert "<select" not in desk.text("/employees/new")
    with app.app_context():
        registry.add(Access("Склад", "http://warehouse.test", "admin", "x"))
    page = desk.text("/employees/new")
    assert '<select class="form-select" id="terminal_id"' in page
    assert "Склад" in page


def test_an_unknown_terminal_is_refused(desk: Desk) -> None:
    answer = desk.client.post("/captures", data=typed(terminal_id="99"), headers=HTMX)
    assert answer.status_code == 422
    assert "Такого терминала нет" in answer.text


def test_an_unknown_capture_leaves_an_empty_panel(desk: Desk) -> None:
    answer = desk.client.get("/captures/99", headers=HTMX)
    assert answer.status_code == 404
    assert 'data-state="idle"' in answer.text
