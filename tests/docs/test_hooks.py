"""What the site's hook does to pages; that a whole build has no broken link is shown by `make docs`."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from mkdocs.config.defaults import MkDocsConfig

from docs import hooks

GUIDE = hooks.DOCS / "en/terminals.md"


@pytest.mark.parametrize(
    ("written", "on_the_site"),
    [
        ("[Backup](backup.md#back-up)", "[Backup](backup.md#back-up)"),
        ("[Map](../code-map.md)", "[Map](code-map.md)"),
        ("[Безопасность](../ru/security.md#x)", '<a href="../ru/security.html#x">Безопасность</a>'),
        ("[units](../../deploy/nginx.conf)", "units (`deploy/nginx.conf`)"),
        ("[`nginx.conf`](../../deploy/nginx.conf)", "`nginx.conf`"),
        ("[away](https://example.org/a.md)", "[away](https://example.org/a.md)"),
        # MkDocs says of it that there is no such page.
        ("[gone](gone.md)", "[gone](gone.md)"),
    ],
)
def test_link_leads_on_the_site_where_it_leads_in_the_repository(written: str, on_the_site: str) -> None:
    assert hooks.with_links(f"See {written}.", GUIDE, "terminals.md", "en") == f"See {on_the_site}."


def test_link_to_a_page_in_english_alone_leads_from_the_russian_site_to_the_english_one() -> None:
    page = hooks.with_links("[Карта](../code-map.md)", hooks.DOCS / "ru/index.md", "index.md", "ru")

    assert page == '<a href="../en/code-map.html">Карта</a>'


def test_link_of_a_page_in_a_folder_begins_there() -> None:
    page = hooks.with_links("[States](../en/states.md)", hooks.DOCS / "decisions/index.md", "decisions/index.md", "en")

    assert page == "[States](../states.md)"


def test_what_is_in_an_item_of_a_list_is_indented_as_python_markdown_wants_it() -> None:
    written = """Words:
* one
  goes on

  more of one
1. first
   ```
   a  b

     c
   ```
   * within
* last

after"""

    assert (
        hooks.nested(written)
        == """Words:

* one
    goes on

    more of one

1. first
    ```
    a  b

      c
    ```

    * within
* last

after"""
    )


def test_colours_are_those_of_the_app_in_each_look() -> None:
    light, dark = hooks.colours().split("[data-md-color-scheme=slate]")

    assert "--accent: #3355d1;" in light
    assert "--accent: #8ea6ff;" in dark


def test_inline_script_is_named_as_a_policy_names_it() -> None:
    # As in https://www.w3.org/TR/CSP3/#external-hash
    assert hooks.hash_of("alert('Hello, world.');") == "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="


def test_site_counts_as_built_when_all_languages_are_there(tmp_path: Path) -> None:
    hashes = tmp_path / "script-hashes.json"
    typed = yaml.safe_load((hooks.DOCS / "search_words.yml").read_text())
    for language in hooks.LANGUAGES:
        assert not hashes.exists()
        (tmp_path / language / "search").mkdir(parents=True)
        chapters = [{"location": chapter.replace(".md", ".html")} for chapter in typed[language]]
        index = tmp_path / language / "search/search_index.json"
        index.write_text(json.dumps({"config": {}, "docs": chapters}))
        (tmp_path / language / "index.html").write_text(f"<script>{language}()</script>")
        config = MkDocsConfig()
        config.site_dir = str(tmp_path / language)
        hooks.on_post_build(config)
        assert all(chapter["words"] for chapter in json.loads(index.read_text())["docs"])

    assert json.loads(hashes.read_text()) == sorted(map(hooks.hash_of, ["en()", "ru()"]))


def test_search_knows_what_people_type_for_a_chapter_and_weighs_headings_more() -> None:
    index: dict[str, Any] = {
        "config": {},
        "docs": [{"location": "imports.html#пределы", "title": "Пределы", "text": "50 МБ"}],
    }

    known = hooks.with_words(index, {"imports.md#пределы": "сколько строк"})

    assert known["docs"][0]["words"] == "сколько строк"
    weights = [known["config"]["fields"][field]["boost"] for field in ("text", "title", "words")]
    assert weights == sorted(set(weights))


def test_words_that_people_type_for_a_chapter_that_is_not_there_fail_the_build() -> None:
    with pytest.raises(KeyError, match=r"gone\.html"):
        hooks.with_words({"config": {}, "docs": []}, {"gone.md": "x"})
