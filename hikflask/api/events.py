"""What terminals recorded, for programs that follow it, and the times of which everything is here."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from hikflask.api.openapi.described import Query, Schema, component, described
from hikflask.api.support import body, error_json, paging
from hikflask.api.support.body import InputError
from hikflask.http.permissions import VIEWER, allow
from hikflask.models.event import KINDS
from hikflask.services.passages import cursor, switch
from hikflask.services.passages.cursor import EventFilter

bp = Blueprint("api_events", __name__, url_prefix="/api/events")
error_json.answer_in_json(bp)

# As terminals have them, and the column.
MAX_NUMBER_LENGTH = 32
# An empty argument filters nothing.
ID: Schema = {"type": "string", "pattern": "^[0-9]*$"}
LIMIT: Schema = {
    "type": "string",
    "pattern": "^([1-9][0-9]*)?$",
    "default": str(paging.PAGE),
    "description": f"At most {paging.MAX_PAGE_SIZE}; more is taken so.",
}
SINCE: Schema = {"type": "string", "description": "The `next` of an earlier answer; empty: from the oldest event."}
FILTERS = Query(
    more={
        "since": SINCE,
        "limit": LIMIT,
        "device_id": ID,
        "user_id": ID,
        "hikvision_id": {"type": "string", "maxLength": MAX_NUMBER_LENGTH},
        "kind": {"type": "string", "enum": [*KINDS, ""]},
    }
)


@bp.before_request
def require_passages() -> None:
    """Refuse all calls while passages are off."""
    switch.require_on()


@bp.get("/", strict_slashes=False)
@allow(VIEWER)
@described(component("Events"), query=FILTERS, refusals=(404,))
def list_events() -> ResponseReturnValue:
    """Events in the order in which they were stored; `next` of the answer is `since` of the next call.

    None is skipped and none comes twice. While `events` is not empty there may be more at once. Filters may change from
    call to call.
    """
    given = {name: value for name, value in request.args.items() if value}
    limit = body.number(given, "limit")
    if limit == 0:
        raise InputError({"limit": body.WHOLE_NUMBER})
    found = cursor.read(given.get("since", ""), min(limit or paging.PAGE, paging.MAX_PAGE_SIZE), _filter(given))
    return jsonify({"events": [shape(row) for row in found.rows], "next": found.next})


def _filter(given: Mapping[str, str]) -> EventFilter:
    kind, number = given.get("kind", ""), given.get("hikvision_id", "")
    if kind and kind not in KINDS:
        raise InputError({"kind": f"One of these is expected: {', '.join(KINDS)}."})
    if len(number) > MAX_NUMBER_LENGTH:
        raise InputError({"hikvision_id": f"An ID has at most {MAX_NUMBER_LENGTH} characters."})
    return EventFilter(body.row_id(given, "device_id"), body.row_id(given, "user_id"), number, kind)


def shape(row: Any) -> dict[str, Any]:
    """An event as the API shows it."""
    return {**cursor.fields_of(row), "picture": None}
