"""Only a face that the page showed is saved, and what is typed during a capture is kept."""

from tests.support.captures import FACE
from tests.support.desk import Desk, typed


def start_unseen(desk: Desk) -> str:
    """A capture that ended while the page still showed the seconds."""
    desk.simulator.present_alone(FACE)
    place = desk.client.post("/captures", data=typed()).location
    desk.run_jobs()
    return place.rpartition("=")[2]


def test_running_capture_travels_under_another_name(desk: Desk) -> None:
    place = desk.client.post("/captures", data=typed()).location

    page = desk.text(place)

    assert 'name="waiting_id"' in page
    assert 'name="capture_id"' not in page


def test_picture_that_was_not_shown_is_shown_instead_of_saved(desk: Desk) -> None:
    waiting = start_unseen(desk)

    answer = desk.client.post("/employees/", data=typed(waiting_id=waiting))

    assert answer.status_code == 422
    assert "Снимок появился только что" in answer.text
    assert f'name="capture_id" value="{waiting}"' in answer.text
    assert desk.client.get("/api/users/").json == []
    assert desk.client.post("/employees/", data=typed(capture_id=waiting)).status_code == 303


def test_what_is_typed_during_the_capture_survives_a_reload(desk: Desk) -> None:
    place = desk.client.post("/captures", data=typed(full_name="Иван")).location
    waiting = place.rpartition("=")[2]

    kept = desk.client.post("/captures/draft", data=typed(full_name="Иван Иванович", waiting_id=waiting))

    assert kept.status_code == 204
    assert 'value="Иван Иванович"' in desk.text(place)


def test_cancelling_a_refused_retake_keeps_what_is_typed(desk: Desk) -> None:
    capture_id = desk.capture()

    answer = desk.client.post("/captures/dismiss", data=typed(full_name="Иван Петрович", capture_id=capture_id))

    assert answer.status_code == 200
    assert 'value="Иван Петрович"' in answer.text


def test_file_beside_a_used_capture_counts(desk: Desk) -> None:
    employee = desk.save()
    before = desk.client.get("/api/users/").json[0]["photo_path"]

    form = typed(capture_id="1", employee_id="1")
    answer = desk.upload(FACE, address=employee, **{key: form[key] for key in ("capture_id", "employee_id")})

    assert answer.status_code == 303
    assert desk.client.get("/api/users/").json[0]["photo_path"] != before
    desk.run_jobs()
    assert "прежнее фото" in desk.text(employee)


def test_activation_that_a_terminal_cannot_take_is_said(desk: Desk) -> None:
    employee = desk.save()
    desk.client.post(f"{employee}/active", data={"active": "0"})
    desk.run_jobs()
    desk.client.post(employee, data=typed(full_name="Я" + "\u0301" * 127))

    answer = desk.client.post(f"{employee}/active", data={"active": "1"}, follow_redirects=True)

    assert answer.status_code == 200
    assert "Терминал принимает 64 русские буквы, а в ФИО 128." in answer.text


def test_pressing_cancel_again_sends_nothing(desk: Desk) -> None:
    waiting = desk.client.post("/captures", data=typed()).location.rpartition("=")[2]
    desk.client.post(f"/captures/{waiting}/cancel", data=typed(waiting_id=waiting))
    desk.run_jobs()
    desk.simulator.login.password = "Changed1"

    for _ in range(5):
        desk.client.post(f"/captures/{waiting}/cancel", data=typed(waiting_id=waiting))
        desk.run_jobs()

    assert desk.simulator.wrong_passwords == 0
