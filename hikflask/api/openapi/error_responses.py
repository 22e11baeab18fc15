"""The refusals by status, each with its error codes and their sentences: from codes/refusals.py."""

from http import HTTPStatus

from werkzeug.exceptions import default_exceptions
from werkzeug.http import HTTP_STATUS_CODES

from hikflask import messages
from hikflask.api.openapi.described import Schema
from hikflask.api.openapi.schemas import SCHEMAS
from hikflask.codes.refusals import REFUSALS, type_of
from hikflask.isapi.errors import CLASSES, Busy, spelled

# A terminal's own code may be any word; known ones are listed.
ANY_CODE = {HTTPStatus.CONFLICT, HTTPStatus.BAD_GATEWAY}
RETRY_AFTER: Schema = {"schema": {"type": "integer"}, "description": "After so many seconds the call may succeed."}
HEADERS = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": RETRY_AFTER},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": RETRY_AFTER},
}
# Codes of the calls themselves.
OWN = {
    HTTPStatus.UNPROCESSABLE_ENTITY: {"invalid_input": "Fields are wrong; “fields” has a sentence for each."},
    HTTPStatus.INTERNAL_SERVER_ERROR: {"internal_error": "Something went wrong here; the log has the details."},
    HTTPStatus.SERVICE_UNAVAILABLE: {"service_unavailable": "The database does not answer."},
    HTTPStatus.BAD_GATEWAY: {"terminal_refused": "The terminal refused, with a code that no sentence is known for."},
}


def response(status: int) -> Schema:
    """Return the description of the answer with this status."""
    codes = _codes(status)
    example = min(codes)
    refusal = SCHEMAS["Refusal"]
    code = {"type": "string", **({} if status in ANY_CODE else {"enum": sorted(codes)})}
    schema = {**refusal, "properties": {**refusal["properties"], "error": code}}
    del schema["examples"]
    rows = "\n".join(f"| `{code}` | {text} |" for code, text in sorted(codes.items()))
    described = {
        "description": f"{HTTP_STATUS_CODES[status]}.\n\n| error | meaning |\n|---|---|\n{rows}",
        "content": {"application/json": {"schema": schema, "example": {"error": example, "message": codes[example]}}},
    }
    return described | ({"headers": HEADERS[HTTPStatus(status)]} if status in HEADERS else {})


def _codes(status: int) -> dict[str, str]:
    """Return the codes that are answered with a status, each with its sentence."""
    of_calls = {code for code, refusal in REFUSALS.items() if refusal.in_api and refusal.status == status}
    codes = {spelled(code, {}): messages.outline(code) for code in of_calls}
    if status in ANY_CODE:
        # Those of terminals; a terminal that is in use is a conflict.
        of_terminals = {code: kind for code, kind in CLASSES.items() if not type_of(code).status}
        is_conflict = status == HTTPStatus.CONFLICT
        codes |= {code: messages.outline(code) for code, kind in of_terminals.items() if (kind is Busy) == is_conflict}
    if status in OWN or status in {409, 501, 502, 503, 504, 507}:
        return codes | OWN.get(HTTPStatus(status), {})
    # The code of the status itself, such as not_found.
    error = default_exceptions[status]()
    return codes | {error.name.lower().replace(" ", "_"): str(error.description)}
