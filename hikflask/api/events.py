"""What terminals recorded, for programs that follow it, and the times of which everything is here."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from hikflask.api.devices import terminal_or_404
from hikflask.api.openapi.described import FILE, JPEG, Query, Schema, component, described, list_of
from hikflask.api.support import body, error_json, paging
from hikflask.api.support.body import InputError
from hikflask.http import bearer_token
from hikflask.http.permissions import OPERATOR, VIEWER, allow
from hikflask.models.event import KINDS
from hikflask.services import audit
from hikflask.services.passages import coverage, cursor, pictures, switch
from hikflask.services.passages.coverage import Span
from hikflask.services.passages.cursor import EventFilter
from hikflask.services.terminals import registry

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
    shows_pictures = bearer_token.may(OPERATOR) and pictures.are_kept()
    if found.rows:
        audit.record_passages_left("api")
    shown = [shape(row, picture=shows_pictures and row.picture is not None) for row in found.rows]
    return jsonify({"events": shown, "next": found.next})


@bp.get("/<int:event_id>/picture")
@allow(OPERATOR)
@described(FILE, media=JPEG)
def get_event_picture(event_id: int) -> ResponseReturnValue:
    """The picture that the device took at the moment of an event; who looked is in the audit trail."""
    jpeg = pictures.read(event_id) or abort(404, "No picture of this event is kept.")
    audit.record_passages_view(request.path)
    response = Response(jpeg, mimetype=JPEG)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.get("/coverage", strict_slashes=False)
@allow(VIEWER)
@described(list_of(component("Coverage")), query=Query(more={"device_id": ID}), refusals=(404,))
def list_coverage() -> ResponseReturnValue:
    """For which times the events of a device, or of all, are complete; `reason` says why some may be missing.

    The spans of a device follow one another without a hole, from the day since which events are kept until now.
    """
    given = {name: value for name, value in request.args.items() if value}
    device_id = body.row_id(given, "device_id")
    devices = registry.list_all() if device_id is None else [terminal_or_404(device_id)]
    spans = coverage.spans_of_each(devices)
    return jsonify([_span(one.id, span) for one in devices for span in spans[one.id]])


def _span(device_id: int, span: Span) -> dict[str, Any]:
    times = {"from": cursor.zulu(span.from_at), "to": cursor.zulu(span.to_at)}
    return {"device_id": device_id, **times, "complete": span.is_complete, "reason": span.reason or None}


def _filter(given: Mapping[str, str]) -> EventFilter:
    kind, number = given.get("kind", ""), given.get("hikvision_id", "")
    if kind and kind not in KINDS:
        raise InputError({"kind": f"One of these is expected: {', '.join(KINDS)}."})
    if len(number) > MAX_NUMBER_LENGTH:
        raise InputError({"hikvision_id": f"An ID has at most {MAX_NUMBER_LENGTH} characters."})
    return EventFilter(body.row_id(given, "device_id"), body.row_id(given, "user_id"), number, kind)


def shape(row: Any, *, picture: bool) -> dict[str, Any]:
    """An event as the API shows it.

    :param picture: with the address of its picture.
    """
    address = url_for("api_events.get_event_picture", event_id=row.id) if picture else None
    return {**cursor.fields_of(row), "picture": address}
