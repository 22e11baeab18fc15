"""Only a face that the page showed is saved, and what is typed during a capture is kept."""

import re

from flask import Flask
from werkzeug.test import TestResponse

from hikflask.extensions import db
from hikflask.models import Terminal
from hikflask.models.terminal import BY_URL, NO_CAPTURE
from tests.support.captures import FACE, OTHER_FACE
from tests.support.desk import ENGLISH, HTMX, Desk, typed
from tests.support.filled_forms import form_to, words


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
    before = desk.client.get("/api/users/").get_json()[0]["photo_path"]

    form = typed(capture_id="1", employee_id="1")
    answer = desk.upload(FACE, address=employee, **{key: form[key] for key in ("capture_id", "employee_id")})

    assert answer.status_code == 303
    assert desk.client.get("/api/users/").get_json()[0]["photo_path"] != before
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


QUESTION = {
    "ru": "Фото ещё нет, и терминал не узнает этого сотрудника. Сохранить без фото?",
    "en": "There is no photo yet, so no terminal will know this employee. Save without a photo?",
}


def test_new_employee_without_a_face_is_saved_only_after_a_question(desk: Desk) -> None:
    form = typed(consent="y", hikvision_id="100333")
    assert '<input type="hidden" name="without_face" value="0">' in desk.text("/employees/new")

    for language, question in QUESTION.items():
        unsure = {**form, "without_face": "0"}
        asked = desk.client.post("/employees/", data=unsure, headers={"Accept-Language": language})

        assert (asked.status_code, desk.client.get("/api/users/").json) == (422, [])
        assert question in asked.text
        assert 'form="employee-form" name="without_face" value="1"' in asked.text
        assert all(f'value="{value}"' in asked.text for value in form.values())
        assert re.findall(r'id="([^"]+)"[^>]* autofocus', asked.text) == ["capture-take"]

    assert desk.client.post("/employees/", data={**form, "without_face": "1"}).status_code == 303


def test_question_keeps_that_another_employee_is_to_follow(desk: Desk) -> None:
    asked = desk.client.post("/employees/", data=typed(next="1", without_face="0"))
    saved = desk.client.post("/employees/?next=1", data=typed(without_face="1"))

    assert 'name="without_face" value="1" formaction="/employees/?next=1"' in asked.text
    assert saved.location.startswith("/employees/new")
    # The plain save beside it leads to the employee.
    assert asked.text.count('name="next" value="1"') == 1


def test_cancelled_capture_is_no_face(desk: Desk) -> None:
    started = desk.client.post("/captures", data=typed()).location.rpartition("=")[2]
    desk.client.post(f"/captures/{started}/cancel", data=typed(waiting_id=started))

    assert QUESTION["ru"] in desk.client.post("/employees/", data=typed(capture_id=started, without_face="0")).text


def test_nothing_is_asked_where_no_face_is_expected(desk: Desk, app: Flask) -> None:
    uploaded = desk.upload(FACE, hikvision_id="1")
    with app.app_context():
        terminal = db.session.get_one(Terminal, desk.terminal.id)
        terminal.capture_mode = NO_CAPTURE
        db.session.commit()
    by_card = desk.client.post("/employees/", data=typed(hikvision_id="2"))
    with app.app_context():
        db.session.get_one(Terminal, desk.terminal.id).capture_mode = BY_URL
        db.session.commit()
    changed = desk.client.post(by_card.location, data=typed(hikvision_id="2", full_name="Ольга"))

    assert [answer.status_code for answer in (uploaded, by_card, changed)] == [303, 303, 303]


def shown_known(answer: TestResponse) -> str:
    """What the form says about others with the typed ID or name, in one line without tags."""
    block = answer.text.partition('<div id="known"')[2].partition("</div>")[0].partition(">")[2]
    return " ".join(re.sub("<[^>]*>", " ", block).replace("\u2068", "").replace("\u2069", "").split())


def test_known_id_and_name_are_told_while_they_are_typed(desk: Desk) -> None:
    desk.save()

    def told(language: dict[str, str] | None = None, **changed: str) -> str:
        form = typed(**{"hikvision_id": "", "full_name": "", **changed})
        return shown_known(desk.client.post("/employees/known", data=form, headers=HTMX | (language or {})))

    assert told(hikvision_id="100222") == "ID 100222 занят: Иван Иванов"
    assert told(ENGLISH, hikvision_id="100222") == "ID 100222 belongs to Иван Иванов"
    assert told(full_name="иван иванов") == "Сотрудник с таким именем уже есть: Иван Иванов , 100222, Охрана"
    english = "There is an employee with this name: Иван Иванов , 100222, Охрана"
    assert told(ENGLISH, full_name="иван иванов") == english
    assert told(hikvision_id="100333", full_name="Иван Петров") == ""
    assert told(hikvision_id="100222", full_name="Иван Иванов", employee_id="1") == ""


def field_of(page: str, name: str) -> str:
    """The tag of a field."""
    (found,) = re.findall(rf'<input[^>]* name="{name}"[^>]*>', page)
    return str(found)


def test_id_that_is_on_a_terminal_is_read_only_with_the_reason(desk: Desk) -> None:
    employee = desk.save()
    free = desk.client.post("/employees/", data=typed(hikvision_id="1", without_face="1")).location

    fixed = desk.text(f"{employee}/edit")

    assert "readonly aria-describedby=number-kept" in field_of(fixed, "hikvision_id")
    assert 'id="number-kept">ID сотрудника 100222 записан на терминале «Вход», изменить его нельзя.</p>' in (
        fixed.replace("\u2068", "").replace("\u2069", "")
    )
    assert "readonly" not in field_of(desk.text(f"{free}/edit"), "hikvision_id")
    captured = desk.capture(employee_id="1")
    assert "readonly" not in field_of(desk.text(f"{employee}/edit?capture={captured}"), "hikvision_id")


def focused(page: str) -> list[str]:
    return re.findall(r'name="([^"]+)"[^>]* autofocus', page)


def test_focus_is_in_the_first_empty_field_or_the_first_that_is_wrong(desk: Desk) -> None:
    employee = desk.save()
    running = desk.client.post("/captures", data=typed(hikvision_id="", full_name="")).location

    assert focused(desk.text("/employees/new")) == ["hikvision_id"]
    assert focused(desk.text(f"{employee}/edit")) == []
    assert focused(desk.client.post("/employees/", data=typed(full_name=" ")).text) == ["full_name"]
    assert focused(desk.text(running)) == []


def test_new_photo_stands_beside_the_one_that_it_replaces(desk: Desk) -> None:
    employee = desk.save()
    before = desk.client.get("/api/users/").get_json()[0]["photo_path"]
    idle = desk.text(f"{employee}/edit")

    captured = desk.capture(OTHER_FACE, employee_id="1")
    both = desk.client.get(f"/captures/{captured}?employee=1", headers=HTMX).text

    assert re.findall(r'<img src="([^"]+)" alt="([^"]+)"', idle) == [(before, "Нынешнее фото")]
    (old, old_label), (new, new_label) = re.findall(r'<img src="([^"]+)" alt="([^"]+)"', both)
    assert (old, old_label, new_label) == (before, "Нынешнее фото", "Снимок с терминала")
    assert new != before
    assert re.findall(r'<p class="capture-caption">([^<]+)</p>', both) == ["Было", "Стало"]


def test_known_department_is_suggested_and_its_spelling_is_saved_and_said(desk: Desk) -> None:
    desk.save(hikvision_id="1", department="Бухгалтерия")
    assert '<option value="Бухгалтерия">' in desk.text("/employees/new").partition('<datalist id="departments">')[2]
    assert "list=departments" in desk.text("/employees/new")

    form = typed(hikvision_id="2", department=" бухгалтерия", without_face="1")
    for number, headers, sentence in (
        ("2", {}, "Отдел записан как «Бухгалтерия»."),
        ("3", ENGLISH, "The department is saved as “Бухгалтерия”."),
    ):
        data = form | {"hikvision_id": number}
        saved = desk.client.post("/employees/", data=data, headers=headers, follow_redirects=True)
        assert sentence in words(saved)
        assert "бухгалтерия" not in saved.text
    same = desk.client.post("/employees/", data={**form, "hikvision_id": "4", "department": "Бухгалтерия"})

    assert "Отдел записан" not in desk.text(same.location)
    assert {one["department"] for one in desk.client.get("/api/users/").get_json()} == {"Бухгалтерия"}


def test_next_one_has_the_known_spelling_of_the_department(desk: Desk) -> None:
    desk.save(hikvision_id="1", department="Бухгалтерия")

    form = typed(hikvision_id="2", department="бухгалтерия", without_face="1", next="1")
    page = desk.client.post("/employees/", data=form, follow_redirects=True).text

    assert 'value="Бухгалтерия"' in page.partition('id="department"')[2].partition(">")[0]


def test_save_asks_whose_face_it_is_where_the_page_showed_it_for_another(desk: Desk) -> None:
    form = form_to(desk.text(f"/employees/new?capture={desk.capture()}"), "/employees/")

    english = form.send(desk.client, ENGLISH, full_name="Пётр Петров")
    russian = form.send(desk.client, full_name="Пётр Петров", hikvision_id="7")

    assert (english.status_code, russian.status_code) == (422, 422)
    said = "The photo was taken for: Иван Иванов, 100222. Save it for: Пётр Петров, 100222? Save all the same"
    assert said in words(english)
    assert "Фото сделано для: Иван Иванов, 100222. Сохранить его для: Пётр Петров, 7? Всё равно сохранить" in words(
        russian
    )
    assert desk.client.get("/api/users/").json == []
    # Now the page has asked about the one who is typed.
    assert form_to(russian.text, "/employees/").send(desk.client).location == "/employees/1"


def test_save_asks_nobody_whose_face_it_is_that_was_captured_before_the_fields_were_filled_in(desk: Desk) -> None:
    taken = desk.capture(hikvision_id="", full_name="")
    form = form_to(desk.text(f"/employees/new?capture={taken}"), "/employees/")

    assert form.send(desk.client, **typed()).location == "/employees/1"
