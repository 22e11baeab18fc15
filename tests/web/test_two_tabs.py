"""The same form twice: two tabs, the Back button, a double click."""

from flask import Flask

from hikflask.models.operator import OPERATOR
from tests.signed_in import client_of
from tests.web.conftest import ENGLISH, FACE, OTHER_FACE, Desk, typed


def test_second_tab_with_the_same_form_saves_once(desk: Desk) -> None:
    capture_id = desk.capture()

    answers = [desk.client.post("/employees/", data=typed(capture_id=capture_id)) for _ in range(2)]

    assert [answer.location for answer in answers] == ["/employees/1", "/employees/1"]
    assert len(desk.client.get("/api/users/").json) == 1


def test_back_button_and_another_name_do_not_give_the_face_to_somebody_else(desk: Desk) -> None:
    desk.save()

    back = desk.text("/employees/new?capture=1")
    answer = desk.client.post(
        "/employees/", data=typed(hikvision_id="100333", full_name="Ольга Ёлкина", capture_id="1")
    )

    assert "Это фото сохранено" in back
    assert answer.status_code == 409
    assert 'value="Ольга Ёлкина"' in answer.text
    assert set(desk.simulator.faces) == {"100222"}


def test_tab_whose_picture_was_taken_over_in_another_says_so(desk: Desk) -> None:
    first = desk.capture(FACE)
    desk.capture(OTHER_FACE)

    answer = desk.client.post("/employees/", data=typed(capture_id=first))

    assert answer.status_code == 409
    assert "уже снято другое лицо" in answer.text
    assert 'value="Иван Иванов"' in answer.text
    assert desk.simulator.people == {}


def test_form_of_somebody_elses_capture_is_shown_and_saved_but_what_is_typed_stays_out_of_it(
    desk: Desk, app: Flask
) -> None:
    capture_id = desk.capture()
    address = f"/employees/new?capture={capture_id}"
    boris = client_of(app, OPERATOR, "Борис")
    other = typed(hikvision_id="100333", full_name="Ольга Ёлкина", capture_id=capture_id)

    boris.post("/captures/draft", data=other)
    translated = boris.post("/employees/new", data={**other, "lang": "en"})

    assert 'value="Ольга Ёлкина"' in translated.text
    for somebody in (desk.client, boris):
        shown = somebody.get(address).text
        assert 'value="Иван Иванов"' in shown
        assert "Ольга" not in shown
    assert boris.post("/employees/", data=typed(capture_id=capture_id)).status_code == 303


def test_what_is_typed_beside_somebody_elses_picture_stays_with_ones_own_retake(desk: Desk, app: Flask) -> None:
    earlier = desk.capture()
    boris = client_of(app, OPERATOR, "Борис")

    started = boris.post("/captures", data=typed(capture_id=earlier), headers=ENGLISH)
    again = started.location.rpartition("=")[2]
    boris.post("/captures/draft", data=typed(full_name="Иван Ильич", waiting_id=again))
    boris.post(f"/captures/{again}/cancel", data=typed(full_name="Иван Ильич", waiting_id=again))

    assert 'value="Иван Ильич"' in boris.get(started.location).text
    assert 'value="Иван Иванов"' in desk.text(f"/employees/new?capture={earlier}")
