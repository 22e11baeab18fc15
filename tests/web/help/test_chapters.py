"""The “?” of each page: every page has its section, and every section is in the guides of both languages."""

import re
from urllib.parse import unquote

from flask import Flask
from flask.testing import FlaskClient

from hikflask.web.help import chapters
from tests.support.desk import ENGLISH
from tests.test_docs import DOCS, HEADING, anchors, text_of
from tests.web.support.test_icons import PACKAGE

TEMPLATES = PACKAGE / "templates"
LINK = re.compile(
    r'<a class="head-help" id="help" href="([^"]+)"( target="_blank")? title="([^"]+)">.*?hidden">([^<]+)<'
)
# They answer no page with a header: what is asked before signing in, files, parts of pages, what programs ask.
WITHOUT_HEADER = {
    *("sign_in", "first_run", "language", "help"),
    *("static", "uploads", "enrolments", "health", "push"),
}


def pages(app: Flask) -> set[str]:
    """The views of the pages."""
    rules = (rule for rule in app.url_map.iter_rules() if not rule.rule.startswith(("/api/", "/metrics")))
    return {rule.endpoint for rule in rules}


def test_every_page_has_its_section_and_no_other_view_has_one(app: Flask) -> None:
    views = pages(app)
    blueprints = {view.partition(".")[0] for view in views}
    without = {view.partition(".")[0] for view in views if chapters.section_of(view) is None}

    assert without == WITHOUT_HEADER
    assert set(chapters.SECTIONS) <= views | blueprints
    assert sum(map(len, chapters.EXPLAINED.values())) == len(chapters.SECTIONS)


def test_every_section_is_in_the_guides_of_both_languages() -> None:
    wrong = [
        (language, section)
        for section in (*chapters.EXPLAINED, *chapters.CURES.values())
        for language in ("en", "ru")
        if section.heading(language) not in HEADING.findall(text_of(DOCS / language / f"{section.page}.md"))
        or chapters.anchor(section.heading(language)) not in anchors(DOCS / language / f"{section.page}.md")
    ]

    assert wrong == []


def test_sections_stand_at_the_same_place_in_both_languages() -> None:
    """So each language has its own heading of one section, and not that of another one."""
    for section in chapters.EXPLAINED:
        english, russian = (HEADING.findall(text_of(DOCS / name / f"{section.page}.md")) for name in ("en", "ru"))

        assert english.index(section.en) == russian.index(section.ru), section


def link(client: FlaskClient, path: str, **options: object) -> tuple[str, bool, str]:
    """Where the “?” of a page leads, whether it opens beside the page, and what it is called."""
    found = LINK.search(client.open(path, **options).text)  # type: ignore[arg-type]
    assert found is not None
    assert found[3] == found[4]
    return unquote(found[1]), bool(found[2]), found[3].replace("\u2068", "").replace("\u2069", "")


def test_page_leads_to_its_section_in_its_own_language(client: FlaskClient) -> None:
    english = ("/help/en/employees.html#the-list-of-employees", False, "Help: The list of employees")
    russian = ("/help/ru/employees.html#список-сотрудников", False, "Справка: Список сотрудников")

    assert link(client, "/employees/", headers=ENGLISH) == english
    assert link(client, "/employees/") == russian


def test_page_on_which_something_is_typed_has_its_help_beside_it(client: FlaskClient) -> None:
    """Browsers bring back nothing of a field without autocomplete, and ask whether to send a form once more."""
    add = ("/help/ru/employees.html#добавить-сотрудника", True)

    assert link(client, "/employees/new")[:2] == add
    assert link(client, "/employees/", method="POST", data={"full_name": "Иванов"})[:2] == add
    assert link(client, "/nothing", method="POST") == ("/help/ru/index.html", True, "Справка")


def test_each_page_with_a_form_says_that_something_is_typed_on_it() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in TEMPLATES.glob("*/*.html")}
    heads = {name: re.findall(r"\bhead\(.*", text) for name, text in texts.items() if "{% set typed_form" in text}

    assert len(heads) > 10
    assert [name for name, found in heads.items() if not all("typed=true" in head for head in found)] == []


def test_page_without_a_section_leads_to_the_first_page_of_the_help(client: FlaskClient) -> None:
    assert link(client, "/nothing") == ("/help/ru/index.html", False, "Справка")


def test_nobody_sees_it_before_signing_in(app: Flask) -> None:
    assert "head-help" not in app.test_client().get("/sign-in").text
