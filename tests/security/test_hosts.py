"""Host names, addresses to go on to, and line breaks where headers are made."""

import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.security.conftest import EVIL
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD, SignedInClient, client_of

BEHIND = {"X-Forwarded-Host": EVIL, "X-Forwarded-Server": EVIL, "X-Host": EVIL, "Forwarded": f"host={EVIL}"}
PATHS = [
    "/",
    "/employees",
    "/employees?q=1",
    "/employees/",
    "/operators",
    "/terminals//",
    "//employees/",
    "/nothing",
    "/sign-in",
    "/confirm",
    "/account",
    "/health",
    "/first-run",
    "/api/users/",
    "/api/users",
    "/uploads/x.jpg",
    "/static/nothing.css",
]


def signed_in_at(app: Flask, host: str) -> FlaskClient:
    """A browser that is signed in at this host."""
    client = client_of(app)
    cookie = client.get_cookie("hikflask")
    assert cookie is not None
    there = SignedInClient(app, app.response_class, use_cookies=True)
    there.set_cookie("hikflask", cookie.value, domain=host)
    there.token = client.token
    return there


def names_host(answer: TestResponse) -> bool:
    return EVIL in answer.get_data(as_text=True) or EVIL in str(answer.headers)


@pytest.mark.parametrize("htmx", [{}, {"HX-Request": "true"}], ids=["page", "htmx"])
def test_no_answer_is_built_from_the_host_that_was_asked_for(app: Flask, htmx: dict[str, str]) -> None:
    browsers = (signed_in_at(app, EVIL), app.test_client())
    for client, path in ((client, path) for client in browsers for path in PATHS):
        answer = client.get(path, base_url=f"http://{EVIL}", headers={**BEHIND, **htmx})

        assert answer.status_code < 500
        assert not names_host(answer)
        assert answer.headers.get("Location", "/").startswith("/")


def test_address_without_its_slash_leads_on_within_this_site(app: Flask) -> None:
    answer = signed_in_at(app, EVIL).get("/employees?q=a%26b&page=2", base_url=f"http://{EVIL}")

    assert (answer.status_code, answer.location) == (308, "/employees/?q=a%26b&page=2")


def test_path_that_looks_like_a_host_is_none(client: FlaskClient) -> None:
    for path in [f"//{EVIL}", f"//{EVIL}/employees", f"///{EVIL}/..", f"/\\{EVIL}", f"/\t/{EVIL}"]:
        answer = client.get("/", environ_overrides={"PATH_INFO": path})

        assert answer.status_code in {308, 404}
        assert not answer.headers.get("Location", "/").startswith(("//", "/\\", "http"))


ODD_HOSTS = [
    "",
    "a b",
    "<script>",
    "x" * 64,
    "x" * 64 + ".test",
    "x" * 300,
    "a:b",
    "[::1",
    "a@b",
    "a/b",
    "a\\b",
    "..",
    "é",
]


def test_host_that_is_none_is_no_failure(nobody: FlaskClient) -> None:
    for path in ["/employees", "/sign-in", "/nothing", "/api/users/", "/uploads/x.jpg"]:
        for host in ODD_HOSTS:
            answer = nobody.get(path, headers={"Host": host})

            assert answer.status_code < 500, host
            assert "<script>" not in answer.text


class TestOwnNames:
    """With HIKFLASK_HOSTS other names are not served at all."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"HOSTS": "door.example, .office.example", "PROPAGATE_EXCEPTIONS": False}

    @pytest.fixture
    def nobody(self, app: Flask) -> FlaskClient:
        """A browser, and no word about localhost."""
        return app.test_client()

    def test_another_name_is_refused(self, nobody: FlaskClient) -> None:
        for path in PATHS:
            answer = nobody.get(path, base_url=f"http://{EVIL}")

            assert answer.status_code == 400, path
            assert not names_host(answer)
            assert "Set-Cookie" not in answer.headers

    @pytest.mark.parametrize(
        ("language", "said"),
        [("en", "This host name is not served here."), ("ru", "Это имя сервера здесь не обслуживается.")],
    )
    def test_refusal_of_a_name_is_in_the_language_of_the_browser(
        self, nobody: FlaskClient, language: str, said: str
    ) -> None:
        answer = nobody.get("/sign-in", base_url=f"http://{EVIL}", headers={"Accept-Language": language})

        assert answer.text == f"{said}\n"

    def test_name_that_only_looks_like_it_is_refused(self, nobody: FlaskClient) -> None:
        for host in ["door.example.evil.example", "evildoor.example", "office.example.evil", "localhost"]:
            assert nobody.get("/sign-in", base_url=f"http://{host}").status_code == 400

    def test_own_name_is_served(self, nobody: FlaskClient) -> None:
        for host in ["door.example", "DOOR.example:8443", "a.office.example"]:
            assert nobody.get("/health", base_url=f"http://{host}").status_code == 200

    def test_what_a_proxy_says_about_the_host_counts_nothing(self, nobody: FlaskClient) -> None:
        headers = {"X-Forwarded-Host": "door.example"}

        assert nobody.get("/sign-in", base_url=f"http://{EVIL}", headers=headers).status_code == 400


ELSEWHERE = [
    f"//{EVIL}",
    f"///{EVIL}",
    f"/\\{EVIL}",
    f"\\\\{EVIL}",
    f"http://{EVIL}",
    f"HTTPS:{EVIL}",
    f"/\t/{EVIL}",
    f"\t//{EVIL}",
    f" //{EVIL}",
    f"/\n/{EVIL}",
    f"/\r\nLocation: http://{EVIL}",
    f"/employees/\r\nSet-Cookie: a={EVIL}",
    f"/\0/{EVIL}",
    f"@{EVIL}",
    f".{EVIL}",
    "javascript:alert(1)",
    "data:text/html,x",
    f"\u2028//{EVIL}",
]
# Each place that takes an address to go on to: method, path, where the address goes.
PLACES = {
    "confirm": {"password": OPERATOR_PASSWORD},
    "language": {"lang": "en"},
}


def test_sign_in_and_confirmation_and_language_lead_to_no_other_site(app: Flask) -> None:
    for wanted in ELSEWHERE:
        client = client_of(app)
        form = {"name": OPERATOR_NAME, "password": OPERATOR_PASSWORD, "next": wanted}
        answers = [client.post(f"/{place}", data={**more, "next": wanted}) for place, more in PLACES.items()]
        answers.append(client.get("/sign-in", query_string={"next": wanted}))
        answers.append(app.test_client().post("/sign-in", data=form))
        for answer in answers:
            assert (answer.status_code, answer.location) == (303, "/"), wanted
            assert not any(EVIL in cookie for cookie in answer.headers.getlist("Set-Cookie"))


def test_pages_that_ask_go_on_to_no_other_site(app: Flask) -> None:
    client = client_of(app)
    for wanted in ELSEWHERE:
        for browser, path in ((app.test_client(), "/sign-in"), (client, "/confirm")):
            page = browser.get(path, query_string={"next": wanted}).text
            assert 'name="next" value="/"' in page, wanted
            assert re.findall(r'(?:href|src|action)="(?!/(?![/\\])|#)', page) == []


CAME_FROM = [f"http://{EVIL}//{EVIL}/", "http://[", "http://[::1", f"//{EVIL}", "x" * 9000, "\\", ""]


@pytest.mark.parametrize("header", ["Referer", "HX-Current-URL"])
@pytest.mark.parametrize("htmx", [{}, {"HX-Request": "true"}], ids=["page", "htmx"])
def test_page_before_is_one_of_this_site(app: Flask, header: str, htmx: dict[str, str]) -> None:
    nobody, unconfirmed = app.test_client(), client_of(app, confirmed=False)
    for came_from in CAME_FROM:
        headers = {header: came_from, **htmx}
        for answer in (nobody.post("/employees/", headers=headers), unconfirmed.post("/operators/", headers=headers)):
            assert answer.status_code in {401, 403}, came_from
            assert EVIL not in answer.text


LINES = ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\rX-Evil: 1", "a%0d%0aX-Evil:%201", "a\u560d\u560aX-Evil: 1"]


@pytest.mark.parametrize("text", LINES)
def test_no_line_break_makes_a_header(app: Flask, client: FlaskClient, text: str) -> None:
    user = client.post("/api/users/", json={"hikvision_id": "1", "full_name": "Иван"}).get_json()["id"]
    part = f'--x\r\nContent-Disposition: form-data; name="photo"; filename="{text}.jpg"\r\n\r\nx\r\n--x--\r\n'.encode()
    answers = [
        client.post("/language", data={"next": f"/{text}", "lang": text}),
        client.get("/employees/", query_string={"q": text, "page": text}),
        app.test_client().get("/sign-in", query_string={"next": f"/{text}", "lang": text}),
        client.post("/api/users/", json={"hikvision_id": text, "full_name": text}),
        client.post("/captures", data={"hikvision_id": text, "capture_id": text}, headers={"HX-Request": "true"}),
        client.get("/uploads/" + text.replace("\r", "%0d").replace("\n", "%0a")),
        client.post(f"/api/users/{user}/photo", data=part, content_type="multipart/form-data; boundary=x"),
    ]

    for answer in answers:
        assert answer.status_code < 500
        assert "X-Evil" not in answer.headers
        assert not any("\r" in value or "\n" in value for value in answer.headers.values())


@pytest.mark.parametrize("header", ["X-Request-Id", "X-Request-ID", "X-Correlation-Id"])
def test_id_of_a_request_is_never_taken_from_it(app: Flask, header: str) -> None:
    answer = app.test_client().get("/nothing", headers={header: "chosen-by-somebody"})

    assert "chosen-by-somebody" not in answer.text + str(answer.headers)


def test_kept_form_that_no_page_can_show_is_let_go(app: Flask) -> None:
    for text in ["\\ud800", "\\udfff", "\\u0000", "\\u202e"]:
        client_of(app)
        form = {"name": OPERATOR_NAME, "password": OPERATOR_PASSWORD, "kept_path": "/employees/"}

        answer = app.test_client().post("/sign-in", data={**form, "kept": f'[["full_name", "{text}"]]'})

        assert answer.status_code in {200, 303}


LETTERS = ["Ngọc Ánh", "Ёлкин Й.", "李 小龍", "𝒜𝓃𝓃𝒶 🜁", "q\u0307 ǅ ß ﬁ", "עברית العربية", "O’Neil «А» ½"]


@pytest.mark.parametrize("name", LETTERS)
def test_any_letter_is_kept_and_shown_as_it_was_typed(client: FlaskClient, name: str) -> None:
    form = {"hikvision_id": "1", "full_name": name, "department": name}
    again = client.post("/employees/", data={**form, "hikvision_id": ""})
    assert again.status_code == 422
    assert again.text.count(f'value="{name}"') == 2
    assert client.post("/employees/", data=form).location == "/employees/1"

    for path in ("/employees/", "/employees/1", "/employees/1/edit"):
        page = client.get(path)
        assert page.content_type == "text/html; charset=utf-8"
        assert name in page.text, path
    assert client.get("/api/users/1").get_json()["full_name"] == name
    assert f">{name}<" in client.get("/employees/", query_string={"q": name}).text


HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}${7*7}"


def test_what_is_typed_is_text_on_every_page_that_shows_it(app: Flask, client: FlaskClient) -> None:
    client.post("/api/users/", json={"hikvision_id": "1", "full_name": HOSTILE[:128], "department": HOSTILE[:128]})
    device = {"name": HOSTILE[:64], "url": "http://terminal.invalid", "username": HOSTILE[:64], "password": "x"}
    client.post("/api/devices/", json=device)
    client.post("/operators/", data={"name": HOSTILE[:64], "role": "viewer"})
    client.post("/tokens/", data={"name": HOSTILE[:64], "role": "viewer"})
    form = {"name": HOSTILE, "password": "x", "next": HOSTILE, "kept_path": HOSTILE}
    form["kept"] = json.dumps([["full_name", HOSTILE]])
    pages = [
        *[client.get(path) for path in ("/employees/", "/employees/1", "/employees/1/edit", "/employees/1/delete",
          "/terminals/", "/terminals/1", "/terminals/1/edit", "/terminals/1/delete", "/operators/", "/tokens/")],
        client.get("/employees/", query_string={"q": HOSTILE}),
        client.post("/employees/", data={"full_name": HOSTILE, "department": HOSTILE}),
        client.post("/terminals/", data={"name": HOSTILE, "url": HOSTILE, "username": HOSTILE}),
        app.test_client().post("/sign-in", data=form),
        app.test_client().get("/sign-in", query_string={"next": f"/{HOSTILE}".replace(" ", ""), "lang": HOSTILE}),
    ]  # fmt: skip

    for page in pages:
        assert page.status_code in {200, 401, 422}, page.request.path
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert "${49}" not in page.text
    assert sum("&lt;script&gt;" in page.text for page in pages) >= 12
