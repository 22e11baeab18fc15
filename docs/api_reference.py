"""The page of all calls, as Markdown, from the program's own description of its API (OpenAPI 3.1)."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from hikflask.api.openapi.schemas import TIME, ZULU
from hikflask.api.support.idempotency import KEY
from hikflask.text_rules import WITHOUT_BREAKING

Schema = Mapping[str, Any]
HEADINGS = {"users": "Users (employees)", "devices": "Devices (terminals)", "openapi.json": "This description"}
LIMITS = {"maxLength": "at most {} characters", "maximum": "at most {}"}
PATTERNS = {
    TIME["pattern"]: "UTC, such as 2026-03-01T09:30:00",
    ZULU["pattern"]: "UTC, such as 2026-03-01T09:30:00Z",
    WITHOUT_BREAKING: "in one line",
}
# What each call may be refused with; said once.
ALWAYS = {"401", "403", "429", "500", "503", "507"}


def page(document: Schema) -> str:
    """The whole page: the calls by subject, the shapes of their answers, the refusals."""
    return "\n\n".join([*_introduction(document), *_calls(document), *_shapes(document), *_refusals(document)]) + "\n"


def _introduction(document: Schema) -> Iterator[str]:
    yield "# All calls"
    yield (
        f"Version {document['info']['version']} of the API, made from the program's own description, which a token or "
        "a signed-in operator reads at `/api/openapi.json`. In the program itself, *Administration* → *API reference* "
        "tries each call. How the calls go together: [The JSON API](api.md)."
    )
    yield (
        "Each call takes a token (`Authorization: Bearer hik_…`) of the role that is named, or of a higher one. Each "
        f"may be refused with {_list(_refusal(status) for status in sorted(ALWAYS))}; what else is named at the call. "
        f"Each POST takes an [`{KEY}`](api.md#sent-again): sent again within a day, it is done once and answered as "
        "the first time."
    )


def _calls(document: Schema) -> Iterator[str]:
    subjects: dict[str, list[str]] = defaultdict(list)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            subjects[operation["tags"][0]].append("\n\n".join(_call(method, path, operation)))
    for subject, calls in subjects.items():
        yield f"## {HEADINGS.get(subject, subject.capitalize())}"
        yield from calls


def _call(method: str, path: str, operation: Schema) -> Iterator[str]:
    label = f"{method.upper()} {path.removeprefix('/api/')}"
    yield f"### `{method.upper()} {path}` {{ #{operation['operationId']}-{method} data-toc-label='{label}' }}"
    # Its last paragraph says the role.
    yield operation["description"].rpartition("\n\n")[0]
    session = any("session" in way for way in operation.get("security", ()))
    yield f"Role: *{operation['x-role']}*{', or an operator who is signed in' if session else ''}."
    if rows := [
        (f"`{one['name']}`", one["in"], _type(one["schema"]), _meaning({**one["schema"], **one}))
        for one in operation["parameters"]
        if one["name"] != KEY
    ]:
        yield _table(("parameter", "where", "type", "meaning"), rows)
    if "requestBody" in operation:
        yield from _body(operation["requestBody"])
    yield _table(("answer", "what"), _answers(operation["responses"]))


def _body(body: Schema) -> Iterator[str]:
    ((media, content),) = body["content"].items()
    yield f"Body: `{media}`{'' if body['required'] else ', may be left out'}."
    if fields := content["schema"]["properties"]:
        needed = content["schema"].get("required", ())
        rows = [
            (f"`{name}`", _type(schema), "yes" if name in needed else "", _meaning(schema))
            for name, schema in fields.items()
        ]
        yield _table(("field", "type", "needed", "meaning"), rows)
    if content.get("example"):
        yield _json(content["example"])


def _answers(responses: Schema) -> Iterator[tuple[str, str]]:
    refused = []
    for status, response in responses.items():
        if "$ref" in response:
            refused += [] if status in ALWAYS else [_refusal(status)]
            continue
        ((media, content),) = response["content"].items()
        shape = f"`{media}`" if media != "application/json" else _type(content["schema"])
        headers = _list(f"`{name}`" for name in response.get("headers", ()))
        yield f"{status} {response['description']}", f"{shape}{f'; headers {headers}' if headers else ''}"
    if refused:
        yield "refused", _list(refused)


def _shapes(document: Schema) -> Iterator[str]:
    yield "## Shapes of answers"
    for name, schema in document["components"]["schemas"].items():
        yield f"### {name} {{ #shape-{name.lower()} }}"
        needed = schema["required"]
        rows = [
            (f"`{field}`", _type(kind), "always" if field in needed else "where there is one", _meaning(kind))
            for field, kind in schema["properties"].items()
        ]
        yield _table(("field", "type", "there", "meaning"), rows)
        yield _json(schema["examples"][0])


def _refusals(document: Schema) -> Iterator[str]:
    yield "## Refusals"
    for name, response in document["components"]["responses"].items():
        status = name.removeprefix("Refused")
        phrase, _, table = response["description"].partition(".\n\n")
        yield f"### {status} {phrase} {{ #refused-{status} }}"
        yield table


def _type(schema: Schema) -> str:
    """What kind of value it is, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#shape-{name.lower()})"
    if "anyOf" in schema:
        return _list((_type(one) for one in schema["anyOf"]), "or")
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return _list((f"`{json.dumps(value)}`" for value in schema["enum"]), "or")
    kinds = schema.get("type", "object")
    words = [_kind(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    return _list(words, "or")


def _kind(kind: str, schema: Schema) -> str:
    if kind == "array":
        return f"list of {_type(schema['items'])}"
    if kind == "object" and schema.get("properties"):
        return f"object ({_list(f'`{name}`' for name in schema['properties'])})"
    if kind == "string":
        return {"date": "day (YYYY-MM-DD)", "binary": "file"}.get(schema.get("format", ""), kind)
    return kind


def _meaning(schema: Schema) -> str:
    about = (schema.get("description") or schema.get("title", "")).removesuffix(".")
    limits = [text.format(schema[name]) for name, text in LIMITS.items() if name in schema]
    pattern = schema.get("pattern", "").removesuffix("|^$")
    return "; ".join(filter(None, [about, *limits, PATTERNS.get(pattern, f"`{pattern}`" if pattern else "")]))


def _refusal(status: str) -> str:
    return f"[{status}](#refused-{status})"


def _list(words: Any, last: str = "") -> str:
    """Words with commas between them, and another word before the last one."""
    words = list(words)
    if not last or len(words) < 2:
        return ", ".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def _table(heads: tuple[str, ...], rows: Any) -> str:
    """A table, without columns that would be empty."""
    cells = [[re.sub(r"\s+", " ", cell).replace("|", "\\|") for cell in row] for row in rows]
    kept = [place for place, _ in enumerate(heads) if place == 0 or any(row[place] for row in cells)]
    lines = [[heads[place] for place in kept], ["---"] * len(kept), *([row[place] for place in kept] for row in cells)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _json(example: Any) -> str:
    return f"```json\n{json.dumps(example, ensure_ascii=False, indent=2)}\n```"
