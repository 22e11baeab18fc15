"""The guides: the same pages in both languages, links that lead somewhere, and every setting."""

import json
import re
from pathlib import Path

import pytest
from flask import Flask

from docs import settings_table
from hikflask.config import SETTINGS
from hikflask.labels import settings as labels

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
OF_THE_PROJECT = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
PAGES = [*(ROOT / name for name in OF_THE_PROJECT), *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?://)(?P<path>[^)#]*)(?:#(?P<anchor>[^)]+))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
SECTION = re.compile(r"^## ", re.MULTILINE)
PICTURE = re.compile(
    r"!\[(?P<alt>[^\]]+)\]\(pictures/(?P<name>[\w-]+)-light\.webp#only-light\)"
    r"!\[(?P=alt)\]\(pictures/(?P=name)-dark\.webp#only-dark\)"
)
SETTING = re.compile(r"^\| `HIKFLASK_(\w+)` \| .+? \| (✎?)", re.MULTILINE)


def names(language: str) -> list[str]:
    return sorted(path.name for path in (DOCS / language).glob("*.md"))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text_of(page))}


def broken(page: Path) -> list[str]:
    """The relative links of a page that lead to no file, or to no heading of it."""
    found = []
    for link in LINK.finditer(text_of(page)):
        target = (page.parent / link["path"]).resolve() if link["path"] else page
        if not target.exists() or (target.suffix == ".md" and link["anchor"] and link["anchor"] not in anchors(target)):
            found.append(link[0])
    return found


def test_english_and_russian_have_the_same_pages() -> None:
    assert names("en") == names("ru")
    assert "running.md" in names("en")


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    assert {page.name: broken(page) for page in PAGES if broken(page)} == {}


@pytest.mark.parametrize("language", ["en", "ru"])
def test_pictures_are_there_in_both_themes_and_each_is_shown_with_words(language: str) -> None:
    shown = []
    for page in sorted((DOCS / language).glob("*.md")):
        pictures = list(PICTURE.finditer(text_of(page)))
        assert text_of(page).count("![") == 2 * len(pictures), page
        shown += [picture["name"] for picture in pictures]
        assert [picture[0] for picture in pictures if len(picture["alt"]) < 20] == []
    there = {file.name for file in (DOCS / language / "pictures").glob("*.webp")}

    assert there == {f"{name}-{theme}.webp" for name in shown for theme in ("light", "dark")}
    assert set(json.loads(text_of(DOCS / language / "pictures/words.json"))) == set(shown)


@pytest.mark.parametrize("page", names("en"))
def test_page_has_the_same_pictures_in_both_languages(page: str) -> None:
    english, russian = (
        [one["name"] for one in PICTURE.finditer(text_of(DOCS / language / page))] for language in ("en", "ru")
    )

    assert english == russian


@pytest.mark.parametrize("page", names("en"))
def test_page_has_as_many_sections_in_both_languages(page: str) -> None:
    english, russian = (len(SECTION.findall(text_of(DOCS / language / page))) for language in ("en", "ru"))

    assert english == russian


@pytest.mark.parametrize("language", ["en", "ru"])
def test_page_has_the_programs_own_table_of_settings(app: Flask, language: str) -> None:
    page = text_of(settings_table.PAGES[language])

    with app.test_request_context():
        # `make texts` writes it.
        assert page == settings_table.with_table(page, language)
    assert SETTING.findall(page) == [(name, "✎" if SETTINGS[name].decided else "") for name in labels.WORDS_OF]
