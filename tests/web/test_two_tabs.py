"""The same form twice: two tabs, the Back button, a double click."""

from tests.web.conftest import FACE, OTHER_FACE, Desk, typed


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
