"""Makes the document of OpenAPI 3.1 from the app's routes; https://spec.openapis.org/oas/v3.1.0."""

import inspect
import re
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from apispec import APISpec
from flask import Flask
from flask_babel import force_locale
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.routing import Rule

from hikflask.api.openapi import error_responses, forms
from hikflask.api.openapi.described import OF_TERMINALS, Body, Description, Files, Schema, description_of
from hikflask.api.openapi.schemas import SCHEMAS
from hikflask.api.support.idempotency import KEY, PATTERN, REPLAYED
from hikflask.http.permissions import Rule as AccessRule
from hikflask.http.permissions import rule_of

# Rises with the calls, not with the program.
VERSION = "1.0.0"
PREFIX = "/api/"
METHODS = ("GET", "POST", "PUT", "DELETE")
PARAMETER = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>")
ALWAYS = (
    *(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS),
    *(HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INSUFFICIENT_STORAGE),
)
OF_BODY = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY)
ID: Schema = {"type": "integer", "minimum": 1}
ABOUT = """Employees are called users here, and terminals devices. Answers are JSON in English; an error is
`{"error": code, "message": text}` with a matching status, plus `fields` for input. The guide is docs/en/api.md."""
TEXT_HEADER: Schema = {"schema": {"type": "string"}}
ETAG = "ETag"
IDEMPOTENCY: Schema = {
    "name": KEY,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": PATTERN},
    "description": "Sent again within a day, the call is done once and answered as the first time.",
}
IF_MATCH: Schema = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag of what was read: it is changed only if nobody else changed it since.",
}
HEADERS: dict[str, Schema] = {
    "X-Total-Count": {"schema": {"type": "integer"}, "description": "How many there are on all pages."},
    "X-Total-Count-Exact": {
        **TEXT_HEADER,
        "description": "`false`: more than 500 were found, and X-Total-Count is 501.",
    },
    "Link": {**TEXT_HEADER, "description": 'The next page: `</api/…?after=…>; rel="next"`; absent on the last one.'},
    ETAG: {**TEXT_HEADER, "description": "Names this state of it, for If-Match."},
    REPLAYED: {**TEXT_HEADER, "description": "`true`: the first answer to this key again; nothing was done now."},
    "X-Warning": {**TEXT_HEADER, "description": "`consent_missing`: no consent to the photo is recorded."},
}
SECURITY = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token of the page “API tokens”: hik_…"},
    "session": {"type": "apiKey", "in": "cookie", "name": "hikflask", "description": "An operator who is signed in."},
}


def build(app: Flask) -> dict[str, Any]:
    """Return the document; needs an app context for the sentences, which are English."""
    with force_locale("en"):
        return _build(app)


def _build(app: Flask) -> dict[str, Any]:
    spec = APISpec(
        "hikflask",
        VERSION,
        "3.1.0",
        info={"description": ABOUT.replace("\n", " ")},
        security=[{"token": []}],
    )
    for name, scheme in SECURITY.items():
        spec.components.security_scheme(name, scheme)
    for name, schema in SCHEMAS.items():
        spec.components.schema(name, schema)
    others = (HTTPStatus.NOT_FOUND, HTTPStatus.PRECONDITION_FAILED, HTTPStatus.NOT_IMPLEMENTED)
    for status in sorted({*ALWAYS, *OF_BODY, *OF_TERMINALS, *others}):
        spec.components.response(f"Refused{status.value}", error_responses.response(status))
    for rule, view, description in calls(app):
        methods = [method for method in METHODS if method in (rule.methods or ())]
        operation = _operation(rule, view, description, rule_of(rule.endpoint))
        path = PARAMETER.sub(r"{\g<name>}", rule.rule)
        spec.path(path=path, operations={method.lower(): operation for method in methods})
    return spec.to_dict()


def calls(app: Flask) -> Iterator[tuple[Rule, Callable[..., Any], Description]]:
    """Yield each call of the API that is described: its rule, its view, and what it says of itself."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        description = description_of(view)
        if rule.rule.startswith(PREFIX) and description is not None:
            yield rule, view, description


def _operation(
    rule: Rule, view: Callable[..., Any], description: Description, access: AccessRule | None
) -> dict[str, Any]:
    about = inspect.getdoc(view) or ""
    role = access.role if access is not None else None
    parameters = [*_of_path(rule), *(forms.of_query(description.query) if description.query else [])]
    parameters += [IDEMPOTENCY] if _is("POST", rule) else []
    parameters += [IF_MATCH] if description.tagged and _is("PUT", rule) else []
    operation: dict[str, Any] = {
        "operationId": view.__name__,
        "tags": [rule.rule.split("/")[2]],
        "summary": about.partition("\n")[0].partition(";")[0].rstrip("."),
        "description": f"{about}\n\nFor tokens with the role {role} or a higher one.",
        "x-role": role,
        "parameters": parameters,
        "responses": _responses(rule, description),
    }
    if description.body is not None:
        operation["requestBody"] = _request_body(description.body)
    if access is not None and access.session_too:
        operation["security"] = [{"token": []}, {"session": []}]
    return operation


def _is(method: str, rule: Rule) -> bool:
    return method in (rule.methods or ())


def _of_path(rule: Rule) -> Iterator[Schema]:
    for parameter in PARAMETER.finditer(rule.rule):
        schema = ID if parameter["kind"] == "int" else {"type": "string"}
        yield {"name": parameter["name"], "in": "path", "required": True, "schema": schema}


def _request_body(body: Body | Files) -> Schema:
    if isinstance(body, Files):
        schema = {"type": "object", "properties": dict(body.parts), "required": list(body.required)}
        return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    content = {"schema": forms.of_body(body), "example": dict(body.example)}
    return {"required": not body.optional, "content": {"application/json": content}}


def _responses(rule: Rule, description: Description) -> dict[str, Any]:
    names = [*description.headers, *([ETAG] if description.tagged else []), *([REPLAYED] if _is("POST", rule) else [])]
    headers = {name: HEADERS[name] for name in names}
    answers = {
        str(status): {
            # Python's own phrases differ from version to version.
            "description": HTTP_STATUS_CODES[status],
            "content": {description.media: {"schema": schema}},
            **({"headers": headers} if headers else {}),
        }
        for status, schema in description.answers.items()
    }
    refused = {*ALWAYS, *description.refusals}
    refused |= set(OF_BODY) if description.body else set()
    refused |= {HTTPStatus.UNPROCESSABLE_ENTITY} if description.query else set()
    refused |= {HTTPStatus.CONFLICT, *OF_BODY} if _is("POST", rule) else set()
    refused |= {HTTPStatus.PRECONDITION_FAILED} if description.tagged and _is("PUT", rule) else set()
    refused |= {HTTPStatus.NOT_FOUND} if PARAMETER.search(rule.rule) else set()
    return answers | {str(int(status)): f"Refused{int(status)}" for status in sorted(refused)}
