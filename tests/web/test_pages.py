"""What every page has: language, headers, CSRF tokens, error pages."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from hikflask.http.permissions import public
from tests.support.desk import ENGLISH, HTMX, Desk, typed

TEMPLATES = Path(__file__).parents[2] / "hikflask" / "templates"
# A card in the middle before somebody is let in or on, and papers that are printed.
WITHOUT_HEADER = {
    "account/code.html",
    "account/confirm_password.html",
    "account/setup.html",
    "account/sign_in.html",
    "jobs/print.html",
    "presence/evacuation.html",
    "privacy/certificate.html",
    "privacy/consent_to_sign.html",
}


def test_the_browser_chooses_the_language(client: FlaskClient) -> None:
    for header, language in [
        ("", "ru"),
        ("de", "ru"),
        ("en-GB,en;q=0.9", "en"),
        ("ru,en;q=0.5", "ru"),
        ("nonsense;;q=x", "ru"),
    ]:
        assert f'<html lang="{language}">' in client.get("/employees/", headers={"Accept-Language": header}).text


def test_a_chosen_language_stays(client: FlaskClient) -> None:
    answer = client.post("/language", data={"lang": "en", "next": "/terminals/"})
    assert answer.location == "/terminals/"
    assert '<html lang="en">' in client.get("/employees/").text


def test_the_way_back_never_leads_elsewhere(client: FlaskClient) -> None:
    for elsewhere in [
        "//evil.test",
        "/\\evil.test",
        "https://evil.test",
        "javascript:x",
        "/a\r\nb",
        "",
        "evil",
        "/\t/evil",
    ]:
        assert client.post("/language", data={"lang": "ru", "next": elsewhere}).location == "/"


def test_no_template_has_inline_script_or_style() -> None:
    for file in TEMPLATES.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|hx-on|<script(?![^>]*\ssrc=)", text), file.name


def included(name: str) -> str:
    """The text of a template with those that it includes."""
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    return text + "".join(map(included, re.findall(r'{% include "([^"]+)"', text)))


def test_every_page_begins_with_the_header_of_all_pages() -> None:
    names = [str(file.relative_to(TEMPLATES)) for file in TEMPLATES.rglob("*.html")]
    pages = {name: included(name) for name in names if '"base.html" %}' in (TEMPLATES / name).read_text()}
    wrong = {name for name, text in pages.items() if not re.search(r"{{ head\(|{% call head\(", text) or "<h1" in text}

    assert len(pages) > 60
    assert wrong == WITHOUT_HEADER


def test_every_form_that_posts_carries_the_token(desk: Desk) -> None:
    place = desk.save()
    for address in (place, f"{place}/edit", f"{place}/delete", "/terminals/1", "/terminals/new", "/terminals/1/delete"):
        page = desk.text(address)
        forms = re.findall(r'<form[^>]*method="post".*?</form>', page, re.DOTALL)
        assert forms
        assert all('name="csrf_token"' in form for form in forms), address


def test_form_that_adds_stands_behind_its_button_and_comes_back_open(client: FlaskClient) -> None:
    for address, sent in (
        ("/operators/", {"name": "Анна", "role": "viewer"}),  # a name that is taken
        ("/tokens/", {"name": "Кадры", "role": "viewer", "expires_on": ""}),
        ("/webhooks/", {"url": "ftp://x"}),
        ("/departments/", {"name": "x" * 200}),
    ):
        form, refused = client.get(address).text, client.post(address, data=sent).text

        assert '<details class="adding" id="add">' in form, address
        assert '<details class="adding" id="add" open>' in refused, address
        assert f'value="{next(iter(sent.values()))}"' in refused, address


def test_a_page_that_is_not_there_says_so_in_both_languages(client: FlaskClient) -> None:
    russian, english = client.get("/nothing"), client.get("/nothing", headers=ENGLISH)
    assert (russian.status_code, english.status_code) == (404, 404)
    assert "Такой страницы нет." in russian.text
    assert "There is no such page." in english.text
    assert re.search(r"Код 404, запрос [0-9a-f]{12}", russian.text)


def test_the_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    answer = client.get("/captures")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert "Начните со списка сотрудников." in answer.text


def test_a_fault_of_ours_shows_an_id_and_no_traceback(app: Flask, client: FlaskClient) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def fail() -> str:
        raise ZeroDivisionError

    app.view_functions["health.show"] = public(fail)
    answer = client.get("/health")
    assert answer.status_code == 500
    assert "Произошла ошибка." in answer.text
    assert "ZeroDivisionError" not in answer.text
    assert re.search(r"запрос [0-9a-f]{12}", answer.text)


def test_htmx_gets_an_error_as_a_note_at_the_top(client: FlaskClient) -> None:
    answer = client.get("/nothing", headers=HTMX)
    assert answer.headers["HX-Retarget"] == "#problem"
    assert answer.text.startswith('<p class="note note-bad">Такой страницы нет.')


class TestTokens:
    """A form whose token is gone."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"WTF_CSRF_ENABLED": True}

    def test_the_employee_form_comes_back_as_typed(self, client: FlaskClient) -> None:
        answer = client.post("/employees/", data=typed())
        assert answer.status_code == 400
        assert "Введённое не потеряно, но ещё не сохранено" in answer.text
        assert all(f'value="{value}"' in answer.text for value in typed().values())

    def test_and_can_be_saved_with_its_fresh_token(self, client: FlaskClient) -> None:
        page = client.post("/employees/", data=typed()).text
        token = page.partition('id="employee-form"')[2].partition('name="csrf_token" value="')[2].partition('"')[0]
        answer = client.post("/employees/", data=typed(csrf_token=token))
        assert answer.location == "/employees/1"

    def test_a_capture_without_token_leaves_the_form_and_brings_a_fresh_one(self, client: FlaskClient) -> None:
        answer = client.post("/captures", data=typed(), headers=HTMX)
        assert (answer.status_code, answer.headers["HX-Retarget"]) == (400, "#problem")
        assert "Введённое не потеряно" in answer.text
        token = re.search(r'id="csrf_token" name="csrf_token" value="([^"]+)" hx-swap-oob="true"', answer.text)
        assert token
        assert client.post("/employees/", data=typed(csrf_token=token[1])).location == "/employees/1"

    def test_a_button_leads_back_to_its_page(self, client: FlaskClient) -> None:
        answer = client.post("/employees/1/active", headers={"Referer": "http://localhost/employees/1"})
        assert answer.status_code == 400
        assert "Откройте её снова и нажмите кнопку ещё раз." in answer.text
        assert 'href="/employees/1">Открыть страницу снова' in answer.text
