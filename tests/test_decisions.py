"""docs/decisions/: pages of one form, all of them in the index, which name only what is there; and the dependencies."""

import re
from pathlib import Path

from packaging.requirements import Requirement

from hikflask.config import SETTINGS
from tests.test_code_map import names_in
from tests.test_dependencies import APP, FACES, GROUPS, PYPROJECT, ROOT

FOLDER = ROOT / "docs/decisions"
INDEX, DEPENDENCIES = FOLDER / "index.md", FOLDER / "dependencies.md"
PAGES = [page for page in sorted(FOLDER.glob("*.md")) if page not in {INDEX, DEPENDENCIES}]
SECTIONS = ["Why", "Where it is held", "What else, and why not", "What it costs", "When we would choose otherwise"]
BEGINNING = re.compile(r"# (?P<question>.+\?)\n\n\*\*(?P<answer>.+\.)\*\*\n\n")
ROW = re.compile(r"^\| (?P<question>.+\?) \| (?P<answer>.+\.) \| \[[\w-]+\]\((?P<file>[\w-]+\.md)\) \|$", re.MULTILINE)
# A file or a folder, and perhaps a name in it.
PLACE = re.compile(r"`(?P<path>(?:hikflask|tests|docs|deploy|migrations|\.ci)/[\w./-]*)(?:::(?P<name>\w+))?`")
SETTING = re.compile(r"HIKFLASK_([A-Z_]+)")
# deploy/gunicorn.conf.py reads it.
OF_THE_SERVER = {"PROCESSES"}
PACKAGES = re.compile(r"^\| (?P<packages>`.+?`) \| .{3,} \| .+ \|$", re.MULTILINE)


def texts() -> dict[Path, str]:
    return {page: page.read_text(encoding="utf-8") for page in sorted(FOLDER.glob("*.md"))}


def names(requirements: list[str]) -> set[str]:
    """The names of packages as they are declared, with their extras."""
    return {str(Requirement(line)).partition("=")[0] for line in requirements}


def test_each_page_answers_a_question_and_has_the_same_sections() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")

        assert BEGINNING.match(text), page.name
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS, page.name


def test_index_has_each_page_with_its_question_and_its_answer() -> None:
    found = {row["file"]: (row["question"], row["answer"]) for row in ROW.finditer(INDEX.read_text(encoding="utf-8"))}
    beginnings = {page.name: BEGINNING.match(page.read_text(encoding="utf-8")) for page in PAGES}

    assert found == {name: one.groups() for name, one in beginnings.items() if one}
    assert f"]({DEPENDENCIES.name})" in INDEX.read_text(encoding="utf-8")


def test_files_and_names_that_pages_mention_are_there() -> None:
    mentioned: dict[str, set[str]] = {}
    for page, text in texts().items():
        places = [*PLACE.finditer(text)]
        assert text.count("::") == sum(bool(place["name"]) for place in places), page.name
        for place in places:
            mentioned.setdefault(place["path"], set()).update({place["name"]} if place["name"] else ())
    missing = {path: names for path, names in mentioned.items() if not (ROOT / path).exists()}
    unknown = {
        path: names - names_in(ROOT / path) for path, names in mentioned.items() if names and path not in missing
    }

    assert missing == {}
    assert {path: names for path, names in unknown.items() if names} == {}


def test_settings_that_pages_mention_are_there() -> None:
    assert {name for text in texts().values() for name in SETTING.findall(text)} - {*SETTINGS, *OF_THE_SERVER} == set()


def test_each_direct_dependency_has_its_row_and_no_other() -> None:
    text = DEPENDENCIES.read_text(encoding="utf-8")
    rows = [name for row in PACKAGES.finditer(text) for name in re.findall(r"`(.+?)`", row["packages"])]
    declared = [*APP, *FACES, *PYPROJECT["build-system"]["requires"]]
    declared += [line for group in GROUPS.values() for line in group if isinstance(line, str)]

    assert len(rows) == len(set(rows))
    assert set(rows) == names(declared)
