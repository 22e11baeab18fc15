"""The page of all calls has each of them, with who may call it, what it takes and what it answers."""

import re

from flask import Flask

from docs import api_reference
from hikflask.api.openapi import document

CALL = re.compile(r"^### `(?P<call>[A-Z]+ \S+)`.*?(?=^##)", re.MULTILINE | re.DOTALL)
TARGET = re.compile(r"\]\(#([\w-]+)\)")
HEADING = re.compile(r"^#+ .*\{ #([\w-]+)", re.MULTILINE)


def test_page_has_each_call_with_its_role_and_its_answers(app: Flask) -> None:
    with app.app_context():
        described = document.build(app)
    page = api_reference.page(described)

    found = {call["call"]: call[0] for call in CALL.finditer(page)}
    assert set(found) == {
        f"{method.upper()} {path}" for path, operations in described["paths"].items() for method in operations
    }
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            text = found[f"{method.upper()} {path}"]
            assert f"Role: *{operation['x-role']}*" in text
            for status, answer in operation["responses"].items():
                assert "$ref" in answer or f"| {status} {answer['description']} |" in text
    assert set(TARGET.findall(page)) <= set(HEADING.findall(page))


def test_call_says_what_it_takes(app: Flask) -> None:
    with app.app_context():
        page = api_reference.page(document.build(app))
    (added,) = (call[0] for call in CALL.finditer(page) if call["call"] == "POST /api/users/")

    assert "Add a user; the terminals of the user's groups are told in the background, and no others yet." in added
    assert "| `full_name` | string | yes | Full name; at most 128 characters; in one line |" in added
    assert "| 201 Created | [User](#shape-user); headers `Idempotency-Replayed` |" in added
    assert "| refused | [400](#refused-400), [409](#refused-409), [413](#refused-413), [422](#refused-422) |" in added
