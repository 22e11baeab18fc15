"""Each code has its row, and each row is of a code that is used."""

import ast
import re
from http import HTTPStatus
from pathlib import Path

import hikflask
from hikflask import messages
from hikflask.codes.refusals import PASSWORD, REFUSALS, TERMINAL, codes, type_of
from hikflask.isapi.errors import STOP_CODES
from tests.web.support.test_icons import icons

PACKAGE = Path(hikflask.__file__).parent
SOURCES = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]
RAISED = re.compile(r"\b(?:ServiceError|NotFound|BadPhoto|BadArchive|ComparisonFailed|CaptureSuperseded)\(\s*\"(\w+)\"")
SAID = re.compile(r"\b(?:sentence\(|english\(|code=)\s*\"(\w+)\"")
# They list codes of their own subject, or words that are the same; the doctor says what to do on the machine.
LISTS = {
    "diagnosis/terminals.py",
    "isapi/errors.py",
    "labels/webhooks.py",
    "labels/why.py",
    "services/comparisons/pages.py",
    "services/imports/classify.py",
    "services/changes/sent_items.py",
    "services/spreadsheets/reader.py",
    "text_rules.py",
    "web/comparisons/plan.py",
}


def test_each_code_that_is_raised_has_its_row_with_a_status() -> None:
    codes = {code for source in SOURCES for code in RAISED.findall(source)}

    assert len(codes) > 80
    assert [code for code in codes if type_of(code).status is None] == []


def test_each_code_that_is_stored_or_said_has_its_sentence() -> None:
    templates = [path.read_text(encoding="utf-8") for path in (PACKAGE / "templates").rglob("*.html")]
    codes = {code for text in [*SOURCES, *templates] for code in SAID.findall(text)}

    assert len(codes) > 40
    assert codes - {*messages.SENTENCES, *REFUSALS} == set()


def test_each_row_is_of_a_code_that_is_used() -> None:
    used = {
        code.lower() for source in SOURCES if "REFUSALS: " not in source for code in re.findall(r"\"(\w+)\"", source)
    }

    assert set(REFUSALS) - used == set()


def is_code(part: ast.AST | None) -> bool:
    """Tell whether an expression is a code, or that of a class: `NumberTakenThere.code`."""
    if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
        return part.attr in {"code", "own_code"} and part.value.id[:1].isupper()
    return isinstance(part, ast.Constant) and part.value in REFUSALS


def test_no_other_place_tells_several_codes_apart() -> None:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            listed = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", [])
            if sum(map(is_code, listed)) > 1:
                found.add(str(path.relative_to(PACKAGE)))
    for path in (PACKAGE / "templates").rglob("*.html"):
        for tag in re.findall(r"{[{%].*?[}%]}", path.read_text(encoding="utf-8")):
            if sum(code in REFUSALS for code in re.findall(r"\"(\w+)\"", tag)) > 1:
                found.add(str(path.relative_to(PACKAGE)))

    assert {place for place in found if not place.startswith("simulator/")} == {"codes/refusals.py", *LISTS}


def test_what_stops_a_conversation_is_corrected_at_the_terminal() -> None:
    assert {*codes(step=PASSWORD), *codes(step=TERMINAL)} == STOP_CODES


def test_each_icon_is_in_the_set() -> None:
    assert {row.icon for row in REFUSALS.values()} - icons() == set()


def test_pages_and_api_differ_only_in_what_comes_of_asking_the_terminal() -> None:
    differs = {code: row for code, row in REFUSALS.items() if row.status not in (None, row.page_status)}

    form = differs.pop("capture_running")
    assert (form.status, form.page_status) == (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)
    assert {"wrong_password", "unreachable", "capturetimeout", "face_not_verified", "interrupted"} < set(differs)
    assert {row.page_status for row in differs.values()} == {HTTPStatus.CONFLICT}
    assert {row.status for row in differs.values()} == {502, 503, 504}


def test_code_that_only_terminals_use_is_their_refusal_in_the_api() -> None:
    assert type_of("terminal:somethingNew").api_status == HTTPStatus.BAD_GATEWAY
    assert type_of("terminal:somethingNew").page_status == HTTPStatus.CONFLICT
