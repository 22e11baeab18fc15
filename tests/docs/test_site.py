"""The navigation of the site: every guide, in the same order in both languages."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
ENTRY = re.compile(r"^ +- (?P<title>.+): (?P<page>\S+)$", re.MULTILINE)
SECTION = re.compile(r"^ +- (?P<title>[^:\n]+):$", re.MULTILINE)


def navigation(language: str) -> str:
    return (DOCS / f"mkdocs.{language}.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]


def test_navigation_has_the_same_pages_in_the_same_order_in_both_languages() -> None:
    english, russian = ([page for _, page in ENTRY.findall(navigation(language))] for language in ("en", "ru"))
    from_english = [page.removeprefix("../en/").replace(".html", ".md") for page in russian]

    assert from_english == english
    assert len(SECTION.findall(navigation("en"))) == len(SECTION.findall(navigation("ru")))


def test_navigation_has_every_guide() -> None:
    pages = [page for _, page in ENTRY.findall(navigation("ru"))]
    guides = {path.name for path in (DOCS / "ru").glob("*.md")}

    assert sorted(page for page in pages if not page.startswith("../")) == sorted(guides)


def test_what_is_in_english_alone_is_said_to_be() -> None:
    for title, page in ENTRY.findall(navigation("ru")):
        assert page.startswith("../en/") == title.endswith("(по-английски)")
