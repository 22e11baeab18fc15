"""The same form sent twice: from two tabs, after the Back button, by a double click."""

from flask import Flask

from hikflask.extensions import db
from hikflask.models import AuditEntry, Employee
from hikflask.models.accounts import OPERATOR
from hikflask.models.columns import database_now
from tests.support.captures import FACE, OTHER_FACE
from tests.support.desk import ENGLISH, Desk, typed
from tests.support.signed_in import client_of
from tests.support.statements import counted_statements
from tests.support.trail import entries

# From the POST of the form to its answer, and to the terminal's confirmation by the worker.
MAX_TO_SAVE, MAX_TO_CONFIRM = 20, 31


def test_form_is_saved_and_sent_to_the_terminal_with_few_statements(desk: Desk) -> None:
    counts = []
    for number in ("100", "101"):
        form = typed(hikvision_id=number, full_name=f"Имя {number}")
        form["capture_id"] = desk.capture(**form)
        with counted_statements() as statements:
            desk.client.post("/employees/", data=form)
            counts.append(len(statements))
            desk.run_jobs()
            counts.append(len(statements))

    # The first of each kind reads what is kept from then on.
    assert (counts[2] <= MAX_TO_SAVE, counts[3] <= MAX_TO_CONFIRM) == (True, True), "\n".join(statements)


def test_double_click_for_somebody_without_a_photo_leads_to_the_employee_twice(desk: Desk) -> None:
    form = typed(without_face="1", department="Охрана", valid_to="2036-12-31")

    answers = [desk.client.post("/employees/", data=form) for _ in range(2)]
    other = desk.client.post("/employees/", data=form | {"department": "Склад"}, headers=ENGLISH)

    assert [answer.location for answer in answers] == ["/employees/1", "/employees/1"]
    assert other.status_code == 409
    assert "Employee ID 100222 is already used by another employee." in other.text
    assert len(desk.client.get("/api/users/").get_json()) == 1


def test_form_that_is_sent_again_later_says_that_the_id_is_known(desk: Desk, app: Flask) -> None:
    form = typed(without_face="1")
    desk.client.post("/employees/", data=form)
    with app.app_context():
        db.session.execute(db.update(Employee).values(created_at=database_now(-120)))
        db.session.commit()

    assert desk.client.post("/employees/", data=form).status_code == 409


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
    assert "На этом терминале уже сделано другое фото. Сфотографируйте сотрудника ещё раз." in answer.text
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
    assert boris.post("/employees/", data=typed(capture_id=capture_id, take_over="1")).status_code == 303


def test_what_is_typed_beside_somebody_elses_picture_stays_with_ones_own_retake(desk: Desk, app: Flask) -> None:
    earlier = desk.capture()
    boris = client_of(app, OPERATOR, "Борис")

    started = boris.post("/captures", data=typed(capture_id=earlier), headers=ENGLISH)
    again = started.location.rpartition("=")[2]
    boris.post("/captures/draft", data=typed(full_name="Иван Ильич", waiting_id=again))
    boris.post(f"/captures/{again}/cancel", data=typed(full_name="Иван Ильич", waiting_id=again))

    assert 'value="Иван Ильич"' in boris.get(started.location).text
    assert 'value="Иван Иванов"' in desk.text(f"/employees/new?capture={earlier}")


OF_ANNA = {
    "ru": "Этот снимок сделал другой оператор, Анна, для сотрудника: Иван Иванов (100222). "
    "Всё равно сохранить его сотруднику из этой формы?",
    "en": "Анна took this photo for Иван Иванов (100222). Save it for the employee in the form all the same?",
}


def test_somebody_elses_capture_is_saved_only_after_a_question(desk: Desk, app: Flask) -> None:
    capture_id = desk.capture()
    boris = client_of(app, OPERATOR, "Борис")
    form = typed(hikvision_id="100333", full_name="Ольга Ёлкина", capture_id=capture_id)

    for language, question in OF_ANNA.items():
        asked = boris.post("/employees/", data=form, headers={"Accept-Language": language})
        assert asked.status_code == 409
        assert question in asked.text
        assert 'name="take_over" value="1"' in asked.text
        assert 'value="Ольга Ёлкина"' in asked.text
    nobody = desk.client.get("/api/users/").json
    saved = boris.post("/employees/", data={**form, "take_over": "1"})
    desk.run_jobs()

    assert nobody == []
    assert saved.status_code == 303
    assert desk.simulator.faces["100333"].jpeg == FACE


def test_taking_over_is_in_the_trail_under_either_number_and_names_whose_picture_it_is(desk: Desk, app: Flask) -> None:
    capture_id = desk.capture()
    form = typed(hikvision_id="100333", full_name="Ольга Ёлкина", capture_id=capture_id, take_over="1")

    client_of(app, OPERATOR, "Борис").post("/employees/", data=form)

    with app.app_context():
        noted = entries("capture.saved_by_another")
    assert [(entry.actor, entry.employee, entry.before, entry.after) for entry in noted] == [
        ("Борис", "100222", {"requested_by": "Анна"}, None),
        ("Борис", "100333", {"requested_by": "Анна"}, {"number": "100333", "full_name": "Ольга Ёлкина"}),
    ]


def test_own_capture_is_saved_without_a_question_and_without_such_an_entry(desk: Desk, app: Flask) -> None:
    desk.save()

    with app.app_context():
        assert db.session.query(AuditEntry).filter_by(action="capture.saved_by_another").count() == 0
