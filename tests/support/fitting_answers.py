"""Holds each answer of the API that a test's client gets against the served description of its call."""

from typing import Any

import jsonschema_rs
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from hikflask.api.openapi import document
from hikflask.api.openapi.described import FILE, JPEG, JSON, description_of

# Stands for the validator of an answer that is a picture.
PICTURE = object()
# Of an address or method that the API does not have.
OF_NO_CALL = {400, 401, 403, 404, 405, 413, 429, 500, 503}


class Answers:
    """What the description says of each call's answers; read from the first app, compiled once for each answer."""

    def __init__(self) -> None:
        self._document: dict[str, Any] = {}
        self._validators: dict[tuple[str, str, int], Any] = {}

    def check(self, app: Flask, answer: TestResponse) -> None:
        """Fail unless the answer has a status, a type and a body that its call is described with."""
        if not self._document:
            with app.test_request_context():
                self._document = document.build(app)
        rule, method, status = _rule_of(app, answer), answer.request.method, answer.status_code
        if (method, status) == ("OPTIONS", 204) or _is_of_a_test(app, rule):
            return
        path = document.PARAMETER.sub(r"{\g<name>}", rule.rule) if rule and method != "OPTIONS" else ""
        about = f"{method} {answer.request.path} ({path}) answers {status} {answer.mimetype}"
        validator = self._validator(path, "GET" if method == "HEAD" else method, status)
        assert validator is not None, f"{about}: the description has no such status"
        if answer.mimetype == JPEG:
            assert validator is PICTURE, about
            return
        assert answer.mimetype == JSON, about
        if method != "HEAD":
            error = next(validator.iter_errors(answer.json), None)
            assert error is None, f"{about}: {error}\n{answer.text[:1000]}"

    def _validator(self, path: str, method: str, status: int) -> Any:
        key = (path, method, status)
        if key not in self._validators:
            schema = self._schema(path, method, status)
            if schema == FILE:
                return PICTURE
            components = {"components": self._document["components"]}
            self._validators[key] = schema and jsonschema_rs.Draft202012Validator(
                {**components, **schema}, validate_formats=True
            )
        return self._validators[key]

    def _schema(self, path: str, method: str, status: int) -> dict[str, Any] | None:
        if not path:
            return {"$ref": "#/components/schemas/Refusal"} if status in OF_NO_CALL else None
        answers = self._document["paths"][path].get(method.lower(), {}).get("responses", {})
        found = answers.get(str(status))
        if found and "$ref" in found:
            return {"$ref": f"{found['$ref']}/content/application~1json/schema"}
        schema: dict[str, Any] | None = found and next(iter(found["content"].values()))["schema"]
        return schema


def _rule_of(app: Flask, answer: TestResponse) -> Rule | None:
    """Return the rule that the answer's request matches, or None."""
    try:
        return app.url_map.bind("").match(answer.request.path, answer.request.method, return_rule=True)[0]
    except HTTPException:
        return None


def _is_of_a_test(app: Flask, rule: Rule | None) -> bool:
    """True for a view that a test adds; tests/api/openapi/test_document.py proves that all of ours are described."""
    return rule is not None and description_of(app.view_functions[rule.endpoint]) is None


def check_each_answer() -> None:
    """Let each client of a test check what the API answers."""
    answers, ask = Answers(), FlaskClient.open

    def checked(client: FlaskClient, *args: Any, **options: Any) -> TestResponse:
        answer = ask(client, *args, **options)
        if f"{answer.request.path}/".startswith(document.PREFIX) and not _is_of_no_host(answer):
            answers.check(client.application, answer)
        return answer

    FlaskClient.open = checked  # type: ignore[assignment, method-assign]


def _is_of_no_host(answer: TestResponse) -> bool:
    """True when the request named a host that is not served: nothing tells whose address that would be."""
    return answer.status_code == 400 and answer.mimetype == "text/plain"
