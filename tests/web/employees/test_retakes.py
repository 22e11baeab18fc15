"""Retakes: the earlier picture stays until a new one is taken, and a save without a face says so."""

import re

from flask import Flask

from hikflask.services.captures.lifecycle import cancel_capture
from tests.conftest import NobodyComes
from tests.support.captures import FACE, OTHER_FACE
from tests.support.desk import HTMX, Desk, typed


def retake(desk: Desk, earlier: str, **changed: str) -> str:
    """Press «Сфотографировать заново» under a picture and return the new capture's id."""
    return desk.client.post("/captures", data=typed(capture_id=earlier, **changed)).location.rpartition("=")[2]


def shows(page: str, capture_id: str) -> bool:
    """True when the page has the picture, and a save of the page would take it."""
    return f'name="capture_id" value="{capture_id}"' in page and '<img src="/uploads/' in page


def test_cancelled_retake_gives_the_earlier_picture_back_and_it_is_saved_and_bound(desk: Desk) -> None:
    earlier = desk.capture()
    again = retake(desk, earlier)

    answer = desk.client.post(f"/captures/{again}/cancel", data=typed(waiting_id=again), headers=HTMX)
    desk.run_jobs()

    assert shows(answer.text, earlier)
    assert "Новая съёмка отменена. Прежний снимок остаётся." in answer.text
    assert ">Сфотографировать заново</button>" in answer.text
    assert shows(desk.text(f"/employees/new?capture={again}"), earlier)
    saved = desk.client.post("/employees/", data=typed(capture_id=earlier))
    desk.run_jobs()
    assert "Есть на терминале «Вход»: сотрудник и лицо." in desk.text(saved.location)
    assert desk.simulator.faces["100222"].jpeg == FACE


def test_retake_to_which_nobody_came_says_so_and_keeps_the_picture(desk: Desk, nobody_comes: NobodyComes) -> None:
    earlier = desk.capture()
    with nobody_comes():
        again = retake(desk, earlier)
        desk.run_jobs()

    page = desk.client.get(f"/captures/{again}", headers=HTMX).text

    assert shows(page, earlier)
    assert "терминал не увидел лицо" in page
    assert "Прежний снимок остаётся." in page


def test_what_is_typed_during_the_retake_stays_with_the_picture(desk: Desk) -> None:
    earlier = desk.capture()
    again = retake(desk, earlier)
    desk.client.post("/captures/draft", data=typed(full_name="Иван Петрович", waiting_id=again))
    desk.client.post(f"/captures/{again}/cancel", data=typed(full_name="Иван Петрович", waiting_id=again))

    desk.client.post("/captures/draft", data=typed(full_name="Иван Ильич", capture_id=earlier))

    assert 'value="Иван Ильич"' in desk.text(f"/employees/new?capture={again}")


def test_second_retake_cancelled_gives_it_back_as_well(desk: Desk) -> None:
    earlier = desk.capture()
    for number in ("100222", "100333"):
        again = retake(desk, earlier, hikvision_id=number)
        desk.client.post(f"/captures/{again}/cancel", data=typed(waiting_id=again))
        desk.run_jobs()

    assert shows(desk.text(f"/employees/new?capture={again}"), earlier)


def test_picture_whose_file_the_cancelled_retake_overwrote_is_not_given_back(desk: Desk, app: Flask) -> None:
    earlier = desk.capture()
    again = retake(desk, earlier)

    def cancel() -> None:
        with app.app_context():
            cancel_capture(int(again))

    desk.simulator.present_alone(OTHER_FACE)
    desk.simulator.after("CaptureFaceData", cancel)
    desk.run_jobs()

    assert not shows(desk.text(f"/employees/new?capture={again}"), earlier)
    saved = desk.client.post("/employees/", data=typed(capture_id=earlier))
    assert saved.status_code == 409
    assert "На этом терминале уже сделано другое фото. Сфотографируйте сотрудника ещё раз." in saved.text
    assert desk.simulator.people == {}


def test_retake_that_succeeds_takes_the_place_of_the_earlier_picture(desk: Desk) -> None:
    earlier = desk.capture()
    desk.simulator.present_alone(OTHER_FACE)
    again = retake(desk, earlier)
    desk.run_jobs()

    assert shows(desk.text(f"/employees/new?capture={again}"), again)
    assert desk.client.post("/employees/", data=typed(capture_id=earlier)).status_code == 409


def test_saving_after_a_capture_that_gave_nothing_says_that_there_is_no_face(
    desk: Desk, nobody_comes: NobodyComes
) -> None:
    with nobody_comes():
        started = desk.client.post("/captures", data=typed()).location.rpartition("=")[2]
        desk.run_jobs()

    saved = desk.client.post("/employees/", data=typed(capture_id=started, without_face="1"), follow_redirects=True)

    assert "Сохранено без лица: съёмка не дала снимка." in saved.text
    assert "note-warn" in saved.text


def test_saving_without_any_capture_warns_of_nothing(desk: Desk) -> None:
    form = typed(without_face="1")
    assert "Сохранено без лица" not in desk.client.post("/employees/", data=form, follow_redirects=True).text


def test_photo_that_stayed_the_earlier_one_is_said(desk: Desk, nobody_comes: NobodyComes) -> None:
    employee = desk.save()
    form = typed(employee_id="1", full_name="Иван Ильич")
    with nobody_comes():
        started = desk.client.post("/captures", data=form).location.rpartition("=")[2]
        desk.run_jobs()

    saved = desk.client.post(employee, data={**form, "capture_id": started}, follow_redirects=True)

    assert "Сохранено, но фото прежнее: съёмка не дала снимка." in saved.text


def test_number_that_none_can_be_is_refused_before_anybody_stands_at_the_terminal(desk: Desk) -> None:
    answer = desk.client.post("/captures", data=typed(hikvision_id="A-1"), headers=HTMX)

    assert answer.status_code == 422
    assert answer.text.lstrip().startswith('<section id="capture"')
    said = "Введите ID: латинские буквы и цифры, до 32 знаков."
    assert re.search(f'<p class="field-error" id="hikvision_id-error"><svg.*</svg> {said}</p>', answer.text)
    assert '<div id="number-field" hx-swap-oob="true">' in answer.text
    assert desk.run_jobs() == 0


def test_without_javascript_the_refused_number_stands_at_its_field_with_all_that_was_typed(desk: Desk) -> None:
    earlier = desk.capture()

    answer = desk.client.post("/captures", data=typed(hikvision_id="A-1", capture_id=earlier))

    assert answer.status_code == 422
    assert 'id="hikvision_id-error"' in answer.text
    assert 'value="A-1"' in answer.text
    assert shows(answer.text, earlier)


def test_held_terminal_leads_whoever_made_the_picture_back_to_it(desk: Desk) -> None:
    made = desk.capture()

    answer = desk.client.post("/captures", data=typed(hikvision_id="7", full_name="Ольга"), headers=HTMX)

    assert f'<a href="/employees/new?capture={made}">К этому снимку</a>' in answer.text
    assert "Сфотографировать заново" not in answer.text
    assert ">Заменить мой снимок</button>" in answer.text


def test_held_terminal_leads_to_the_form_of_the_employee_whose_picture_waits(desk: Desk) -> None:
    desk.save()
    made = desk.capture(employee_id="1")

    answer = desk.client.post("/captures", data=typed(hikvision_id="7", full_name="Ольга"), headers=HTMX)

    assert f'href="/employees/1/edit?capture={made}"' in answer.text
