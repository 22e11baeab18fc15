"""Pages after a photo, a picture or a draft was deleted by retention: no broken image, no false sentence."""

import re

import pytest
from flask import Flask

from hikflask.background import worker
from hikflask.models import Capture, Photo
from tests.support.captures import FACE
from tests.support.desk import ENGLISH, HTMX, Desk, typed
from tests.support.retention import age

IMAGE = re.compile(r'src="(/uploads/[^"]+)"')


@pytest.fixture
def forgotten(app: Flask, desk: Desk) -> tuple[str, str]:
    """The page of an employee whose photo is forgotten, and the address that the photo had."""
    app.config["PHOTO_RETENTION"] = "never"
    employee = desk.save()
    (address,) = set(IMAGE.findall(desk.text(employee)))
    pass_of_the_worker(app)
    return employee, address


def pass_of_the_worker(app: Flask) -> None:
    with app.app_context():
        worker.forget_once()


def give_up(app: Flask) -> None:
    """Let the pictures that nobody saved be too old."""
    with app.app_context():
        age(Photo, "created_at", 3601)
    pass_of_the_worker(app)


def test_no_page_shows_a_forgotten_photo_and_its_address_answers_nothing(
    desk: Desk, forgotten: tuple[str, str]
) -> None:
    employee, photo = forgotten

    for page in ("/employees/", employee, *(employee + more for more in ("/edit", "/edit?capture=1", "/delete"))):
        answer = desk.client.get(page)
        assert answer.status_code == 200
        assert "Иван Иванов" in answer.text
        assert IMAGE.findall(answer.text) == []
    assert desk.client.get(photo).status_code == 404
    assert "Есть на терминале «Вход»: сотрудник и лицо" in desk.text(employee)


def test_its_address_answers_nothing_though_the_file_is_there_still(app: Flask, desk: Desk) -> None:
    (address,) = set(IMAGE.findall(desk.text(desk.save())))
    with app.app_context():
        age(Photo, "forgotten_at", 0)

    assert desk.client.get(address).status_code == 404


def test_employee_is_changed_and_captured_again_as_ever(desk: Desk, forgotten: tuple[str, str]) -> None:
    employee, _ = forgotten
    capture_id = desk.capture(employee_id="1", full_name="Иван Петров")

    answer = desk.client.post(employee, data=typed(employee_id="1", capture_id=capture_id, full_name="Иван Петров"))
    desk.run_jobs()

    assert answer.status_code == 303
    assert len(set(IMAGE.findall(desk.text(employee)))) == 1
    assert desk.simulator.people["100222"]["name"] == "Иван Петров"


def test_panel_says_that_the_picture_was_deleted_and_offers_another(app: Flask, desk: Desk) -> None:
    capture_id = desk.capture()
    give_up(app)

    page = desk.client.get(f"/employees/new?capture={capture_id}", headers=ENGLISH).text
    panel = desk.client.get(f"/captures/{capture_id}", headers={**HTMX, **ENGLISH}).text

    for text in (page, panel):
        assert "The picture was not saved in time and is deleted. Take the photo again." in text
        assert 'data-state="failed"' in text
        assert "Try again" in text
        assert IMAGE.findall(text) == []
        assert "Иван" not in text


def test_page_that_still_shows_the_picture_is_refused_and_who_has_read_that_may_save_without_it(
    app: Flask, desk: Desk
) -> None:
    capture_id = desk.capture()
    give_up(app)

    answer = desk.client.post("/employees/", data=typed(capture_id=capture_id), headers=ENGLISH)

    assert answer.status_code == 409
    assert f'name="waiting_id" value="{capture_id}"' in answer.text
    assert 'name="capture_id"' not in answer.text
    assert "The picture was not saved in time and is deleted. Take the photo again." in answer.text
    assert all(f'value="{value}"' in answer.text for value in typed().values())
    assert desk.client.get("/employees/").text.count("Иван Иванов") == 0
    saved = desk.client.post("/employees/", data=typed(waiting_id=capture_id, without_face="1"))
    assert saved.status_code == 303
    assert IMAGE.findall(desk.text(saved.location)) == []


def test_capture_after_that_takes_a_new_picture(app: Flask, desk: Desk) -> None:
    capture_id = desk.capture()
    give_up(app)

    again = desk.capture(waiting_id=capture_id)

    assert again != capture_id
    assert desk.client.post("/employees/", data=typed(capture_id=again)).status_code == 303
    desk.run_jobs()
    assert desk.simulator.faces["100222"].jpeg == FACE


def test_form_of_a_saved_employee_shows_what_is_saved_when_the_draft_is_forgotten(app: Flask, desk: Desk) -> None:
    desk.save()
    with app.app_context():
        age(Capture, "deadline", 3601)
    pass_of_the_worker(app)

    page = desk.text("/employees/1/edit?capture=1")

    assert all(f'value="{value}"' in page for value in typed().values())
