"""The built guides at /help/: files with their type, how long they are kept, what they may run, and who gets them."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from hikflask.web.help import site
from hikflask.web.security import headers
from tests.support.desk import ENGLISH
from tests.support.signed_in import OPERATOR_NAME, OPERATOR_PASSWORD, client_of

SCRIPT = "assets/javascripts/bundle.79ae519e.min.js"
FILES = {
    "en/index.html": "<h1>hikflask</h1>",
    "ru/index.html": "<h1>hikflask по-русски</h1>",
    "ru/employees.html": "<h1>Сотрудники</h1>",
    f"ru/{SCRIPT}": "go();",
    "ru/assets/stylesheets/main.484c7ddc.min.css": "body {}",
    "ru/search/search_index.json": "{}",
    "ru/pictures/list-light.webp": "RIFF",
}
NOT_BUILT = {
    "en": (
        "The help is not built here",
        "A package that is installed brings it along. In the project's folder “make site” builds it; "
        "then restart the program.",
    ),
    "ru": (
        "Справка здесь не собрана",
        "В установленном пакете она есть. В папке проекта её собирает «make site»; затем перезапустите программу.",
    ),
}


@pytest.fixture
def built(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small site, as the build leaves one."""
    folder = tmp_path / "help"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / site.SCRIPT_HASHES).write_text(json.dumps(["sha256-abc=", "sha256-def="]))
    (tmp_path / "secrets.html").write_text("no part of the site", encoding="utf-8")
    monkeypatch.setitem(app.extensions, "help", site.read(folder))
    return folder


def get(client: FlaskClient, path: str, **options: Any) -> TestResponse:
    """The answer, read to its end, so that its file is closed."""
    return client.open(path, buffered=True, **options)


def test_each_file_has_its_type_and_is_asked_for_again_since_a_build_may_change_it_under_its_name(
    client: FlaskClient, built: Path
) -> None:
    found = {}
    for name, text in FILES.items():
        answer = get(client, f"/help/{name}")
        assert answer.text == text
        found[Path(name).suffix] = (answer.headers["Content-Type"], answer.headers["Cache-Control"])

    assert built.is_dir()
    assert {cached for _, cached in found.values()} == {"private, no-cache"}
    assert {suffix: kind for suffix, (kind, _) in found.items()} == {
        ".html": "text/html; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".json": "application/json",
        ".webp": "image/webp",
    }


@pytest.mark.usefixtures("built")
def test_page_that_is_known_is_not_sent_again_and_head_sends_no_page(client: FlaskClient) -> None:
    page = get(client, "/help/ru/employees.html")

    again = get(client, "/help/ru/employees.html", headers={"If-None-Match": page.headers["ETag"]})
    head = get(client, "/help/ru/employees.html", method="HEAD")

    assert (again.status_code, again.data) == (304, b"")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == page.headers["Content-Length"] == str(len(page.data))


@pytest.mark.usefixtures("built")
def test_pages_run_no_other_scripts_than_those_that_were_built(client: FlaskClient) -> None:
    answer = get(client, "/help/ru/index.html")

    assert answer.headers["Content-Security-Policy"] == (
        f"{headers.POLICY}; script-src 'self' 'sha256-abc=' 'sha256-def='"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert client.get("/account/").headers["Content-Security-Policy"] == headers.POLICY


@pytest.mark.usefixtures("built")
def test_first_page_is_in_the_language_of_the_pages(client: FlaskClient) -> None:
    assert client.get("/help/", headers=ENGLISH).location == "/help/en/index.html"
    assert client.get("/help/").location == "/help/ru/index.html"
    assert client.get("/help/en/").location == "/help/en/index.html"


@pytest.mark.usefixtures("built")
def test_nothing_else_is_answered(client: FlaskClient) -> None:
    for path in [
        "ru/nothing.html",
        "ru/assets",
        "ru/assets/",
        "ru/../script-hashes.json",
        "ru/%2e%2e/script-hashes.json",
        "ru/..%2fscript-hashes.json",
        "ru//etc/passwd",
        "script-hashes.json",
        "de/index.html",
        "./index.html",
        "../secrets.html",
        "%2e%2e/secrets.html",
        "%2e%2e/help/ru/index.html",
    ]:
        answer = client.get(f"/help/{path}", follow_redirects=True)

        assert answer.status_code == 404
        assert "<h1>Такой страницы нет. Возможно, её удалили.</h1>" in answer.text


@pytest.mark.usefixtures("built")
def test_signing_in_leads_to_the_page_of_the_help_that_was_asked_for(app: Flask) -> None:
    client_of(app)
    browser = app.test_client()

    asked = browser.get("/help/ru/employees.html")
    signed_in = browser.post(asked.location, data={"name": OPERATOR_NAME, "password": OPERATOR_PASSWORD})

    assert asked.location == "/sign-in?next=/help/ru/employees.html"
    assert (signed_in.status_code, signed_in.location) == (303, "/help/ru/employees.html")
    assert get(browser, signed_in.location).text == FILES["ru/employees.html"]


@pytest.mark.usefixtures("built")
def test_nobody_gets_a_file_without_signing_in(app: Flask) -> None:
    client_of(app)
    browser = app.test_client()

    assert {browser.get(f"/help/{name}").location for name in FILES} == {
        f"/sign-in?next=/help/{name}" for name in FILES
    }


@pytest.mark.parametrize("written", ["", '[\n "sha256-ab'])
def test_site_whose_build_was_stopped_at_the_end_is_none(tmp_path: Path, written: str) -> None:
    (tmp_path / site.SCRIPT_HASHES).write_text(written)

    assert site.read(tmp_path) is None


def test_page_says_how_to_have_the_help_where_it_is_not_built(
    app: Flask, client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "help", site.read(tmp_path))

    for language, (title, what_to_do) in NOT_BUILT.items():
        for path in ("/help/", f"/help/{language}/employees.html"):
            answer = client.get(path, headers={"Accept-Language": language})

            assert answer.status_code == 404
            assert f"<h1>{title}</h1>" in answer.text
            assert f"<p>{what_to_do}</p>" in answer.text.replace("&#39;", "'")
