"""Choosing another language in the middle of the employee form loses nothing that was typed."""

import re

import pytest
from flask import Flask

from hikflask.models.accounts import OPERATOR, VIEWER
from tests.support.desk import Desk, typed
from tests.support.filled_forms import form_to, present_entries
from tests.support.signed_in import OPERATOR_PASSWORD, client_of


def language_buttons(page: str) -> list[str]:
    return re.findall(r'<button[^>]*name="lang"[^>]*>', page)


def test_language_buttons_send_the_form_along(desk: Desk) -> None:
    buttons = language_buttons(desk.text("/employees/new"))

    assert len(buttons) == 2
    assert all('form="employee-form" formaction="/employees/new"' in button for button in buttons)


def test_buttons_of_other_pages_send_no_form(desk: Desk) -> None:
    assert all("formaction" not in button for button in language_buttons(desk.text("/employees/")))


def test_typed_fields_are_there_in_the_other_language(desk: Desk) -> None:
    answer = desk.client.post("/employees/new", data=typed(lang="en", consent="y", hikvision_id="A-1"))

    assert '<html lang="en">' in answer.text
    assert "Employee ID" in answer.text
    assert all(f'value="{value}"' in answer.text for value in typed(hikvision_id="A-1").values())
    assert 'value="y" checked' in answer.text
    assert '<html lang="en">' in desk.text("/employees/new")


def test_captured_face_is_there_too_with_what_was_typed_since(desk: Desk) -> None:
    taken = desk.capture()

    answer = desk.client.post("/employees/new", data=typed(lang="en", full_name="Anna Smith", capture_id=taken))

    assert answer.location == f"/employees/new?capture={taken}"
    page = desk.text(answer.location)
    assert "Is this Anna Smith?" in page
    assert f'name="capture_id" value="{taken}"' in page


def test_form_of_an_employee_keeps_what_was_typed(desk: Desk) -> None:
    employee = desk.save()

    answer = desk.client.post(f"{employee}/edit", data=typed(lang="en", full_name="Иван Ильич"))

    assert 'value="Иван Ильич"' in answer.text
    assert f'action="{employee}"' in answer.text
    assert re.search(rf'<a class="head-back" id="back" href="{employee}"><svg.*</svg> To the employee</a>', answer.text)


def test_photo_of_a_saved_capture_stays_with_what_is_typed(desk: Desk) -> None:
    desk.save()

    answer = desk.client.post("/employees/new", data=typed(lang="en", full_name="Ольга", capture_id="1"))

    assert 'value="Ольга"' in answer.text


def test_chosen_file_must_be_chosen_again_and_the_page_says_so(desk: Desk) -> None:
    # A form that is not multipart has a file by its name alone.
    page = desk.client.post("/employees/new", data=typed(lang="en", photo="face.jpg")).text

    assert "Choose the photo file again" in page
    assert "Choose the photo file again" not in desk.client.post("/employees/new", data=typed(lang="en")).text


@pytest.mark.parametrize("lang", ["", "xx", "ru_RU"])
def test_strange_language_changes_nothing(desk: Desk, lang: str) -> None:
    answer = desk.client.post("/employees/new", data=typed(lang=lang))

    assert '<html lang="ru">' in answer.text
    assert 'value="Иван Иванов"' in answer.text


def test_language_of_a_list_keeps_its_search(desk: Desk) -> None:
    data = {"lang": "en", "next": "/employees/"}

    def goes_to(referrer: str) -> str:
        return str(desk.client.post("/language", data=data, headers={"Referer": referrer}).location)

    assert goes_to("http://localhost/employees/?q=%D0%98") == "/employees/?q=%D0%98"
    assert goes_to("http://localhost/terminals/?q=1") == "/employees/"
    assert goes_to("http://evil.test/employees/?q=1") == "/employees/"
    assert goes_to("http://[") == "/employees/"


FORMS = [
    ("/employees/1/consent", "/employees/1/consent", {"given_on": "вчера", "note": "личное дело"}),
    ("/operators/", "/operators/", {"name": "Борис"}),
    ("/operators/1", "/operators/1", {"role": "viewer"}),
    ("/tokens/", "/tokens/", {"name": "Бухгалтерия", "expires_on": "завтра"}),
    ("/terminals/new", "/terminals/", {"name": "Выход", "url": "http://192.168.1.67", "username": "служба"}),
    ("/terminals/1/edit", "/terminals/1", {"name": "Выход", "url": "http://192.168.1.67", "username": "служба"}),
    ("/terminals/1/retire", "/terminals/1/retire", {"note": "украден ночью"}),
    ("/removals/bulk", "/removals/bulk", {"numbers": "100222, 7"}),
]


def test_typed_fields_of_every_other_form_are_there_in_the_other_language(desk: Desk) -> None:
    desk.save()
    for page, action, fields in FORMS:
        buttons = language_buttons(desk.text(page))
        place = re.findall('form="typed-form" formaction="([^"]+)"', "".join(buttons))

        answer = desk.client.post(place[0], data={**fields, "lang": "en"})

        assert len(place) == 2
        assert '<html lang="en">' in answer.text
        assert "nothing is saved yet" not in answer.text
        form = form_to(answer.text, action)
        assert {name: form.fields[name] for name in fields} == fields
        assert present_entries(answer.text) == present_entries(desk.text(page)) != []
        assert '<html lang="en">' in desk.text(page)
        desk.client.post("/language", data={"lang": "ru"})


def test_terminals_password_is_typed_again_and_the_page_says_so(desk: Desk) -> None:
    form = {"name": "Выход", "password": "Abc12345", "lang": "en"}

    page = desk.client.post("/language/form?action=/terminals/", data=form).text

    assert "type the terminal&#39;s password again" in page
    assert 'value="Выход"' in page
    assert "Abc12345" not in page


def test_form_that_is_none_of_ours_leads_back_in_the_language(desk: Desk) -> None:
    headers = {"Referer": "http://localhost/terminals/"}
    for action in ["", "/", "/nowhere", "//evil.test/", "/account/password", "/employees/99/consent"]:
        answer = desk.client.post(
            "/language/form", query_string={"action": action}, data={"lang": "en"}, headers=headers
        )

        assert (answer.status_code, answer.location) == (303, "/terminals/")
        page = desk.text("/terminals/")
        assert '<html lang="en">' in page
        assert present_entries(page) == ["/terminals/"]
        desk.client.post("/language", data={"lang": "ru"})


@pytest.mark.parametrize("role", [VIEWER, OPERATOR])
def test_form_of_others_is_shown_to_nobody_else(app: Flask, desk: Desk, role: str) -> None:
    desk.save()
    client = client_of(app, role)

    for action in ("/terminals/1", "/operators/1"):
        answer = client.post("/language/form", query_string={"action": action}, data={"lang": "en", "name": "Выход"})

        assert answer.status_code == 303


@pytest.mark.usefixtures("terminal")
def test_administrator_who_must_confirm_is_asked_first_and_has_the_form_then(app: Flask) -> None:
    client = client_of(app, confirmed=False)
    form = {"name": "Выход", "url": "http://terminal.test", "lang": "en"}

    asked = client.post("/language/form?action=/terminals/1", data=form)
    shown = form_to(asked.text, "/confirm").send(client, password=OPERATOR_PASSWORD)

    assert 'value="Выход"' in shown.text
    assert present_entries(shown.text) == ["/terminals/"]
