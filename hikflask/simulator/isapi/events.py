"""AcsEvent: the search in the log of events, its capabilities and its count."""

import json
from datetime import datetime

from flask import Response

from hikflask.simulator import recordings
from hikflask.simulator.errors import Refusal
from hikflask.simulator.http.request_body import Fields, child, json_object, whole_number
from hikflask.simulator.http.responses import json_reply
from hikflask.simulator.isapi.pagination import search_result
from hikflask.simulator.terminal.event_log import Condition, Record
from hikflask.simulator.terminal.terminal import Terminal

MAX_POSITION = 300_000


def search(terminal: Terminal) -> Response:
    """One page of records in the order of their times."""
    condition = child(json_object(), "AcsEventCond")
    search_id = condition.get("searchID")
    if not isinstance(search_id, str) or not 0 < len(search_id) <= terminal.events.traps.search_id_length:
        raise Refusal("badJsonContent", "searchID")
    position = whole_number(condition, "searchResultPosition", 0)
    if position > MAX_POSITION:
        raise Refusal("badJsonContent", "searchResultPosition")
    hits = terminal.events.search(search_id, position, _condition(terminal, condition))
    with_picture = condition.get("picEnable", True) is not False

    def row(record: Record) -> Fields:
        return terminal.event_row(record, with_picture=with_picture)

    traps = terminal.events.traps
    result = search_result(terminal.profile, hits, condition, "InfoList", row, traps.page_limit)
    if traps.more_without_records:
        result["responseStatusStrg"] = "MORE"
    elif traps.leaves_status_out and "InfoList" in result:
        del result["responseStatusStrg"]
    return json_reply({"AcsEvent": {"searchID": search_id, **result}})


def no_get(terminal: Terminal) -> Response:  # noqa: ARG001
    """A search is a POST; another path answers a wrong method with 400, this one with 404."""
    raise Refusal("methodNotAllowed", http_status=404)


def total(terminal: Terminal) -> Response:
    """How many records a search would find."""
    condition = _condition(terminal, child(json_object(), "AcsEventTotalNumCond"))
    return json_reply({"AcsEventTotalNum": {"totalNum": len(terminal.events.find(condition))}})


def capabilities(terminal: Terminal) -> Response:
    """The recording of a K1A340FWX with the limits of this terminal."""
    answer = json.loads(recordings.body("acsevent_capabilities_K1A340FWX.json"))
    condition, traps = answer["AcsEvent"]["AcsEventCond"], terminal.events.traps
    condition["searchID"]["@max"] = traps.search_id_length
    condition["maxResults"]["@max"] = answer["AcsEvent"]["InfoList"]["maxSize"] = traps.page_limit
    condition["startTime"]["@max"] = condition["endTime"]["@max"] = traps.time_length
    majors = traps.majors if traps.refuses_major_0 else (0, *traps.majors)
    condition["major"]["@opt"] = ",".join(map(str, majors))
    if traps.ignores_reverse:
        del condition["timeReverseOrder"]
    return json_reply(answer)


def _condition(terminal: Terminal, fields: Fields) -> Condition:
    traps = terminal.events.traps
    if "major" not in fields:
        raise Refusal("MessageParametersLack", "major")
    major, minor = whole_number(fields, "major", 0), whole_number(fields, "minor", 0)
    if not major and traps.refuses_major_0:
        raise Refusal("badJsonContent", "major")
    if not minor and traps.refuses_minor_0:
        raise Refusal("invalidOperation", "minor")
    texts = [_text(fields, name) for name in ("startTime", "endTime")]
    moments = tuple(_moment(terminal, fields, name) for name in ("startTime", "endTime"))
    offset = terminal.wall_clock.now().utcoffset()
    is_foreign = any(moment is not None and moment.utcoffset() != offset for moment in moments)
    is_long = any(text is not None and len(text) > traps.time_length for text in texts)
    return Condition(
        major,
        minor,
        serials=_serials(fields, terminal),
        times=(moments[0], moments[1]),
        number=_text(fields, "employeeNoString"),
        name=_text(fields, "name"),
        card=_text(fields, "cardNo"),
        newest_first=fields.get("timeReverseOrder") is True and not traps.ignores_reverse,
        finds_nothing=is_long or (is_foreign and traps.foreign_offset_finds_nothing),
    )


def _serials(fields: Fields, terminal: Terminal) -> tuple[int, int] | None:
    traps = terminal.events.traps
    if traps.ignores_serials or not fields.keys() & {"beginSerialNo", "endSerialNo"}:
        return None
    if "beginSerialNo" in fields and "endSerialNo" not in fields and traps.needs_end_serial:
        raise Refusal("badJsonContent", "endSerialNo")
    begin, end = whole_number(fields, "beginSerialNo", 1), whole_number(fields, "endSerialNo", traps.max_serial)
    for name, value in (("beginSerialNo", begin), ("endSerialNo", end)):
        if not 1 <= value <= traps.max_serial:
            raise Refusal("badJsonContent", name)
    return begin, end


def _text(fields: Fields, name: str) -> str | None:
    """The text `name`; None when it is missing or empty, which limits nothing."""
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise Refusal("badJsonContent", name)
    return value or None


def _moment(terminal: Terminal, fields: Fields, name: str) -> datetime | None:
    """The moment `name`; without an offset it is of the terminal's own zone."""
    text = _text(fields, name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal("badJsonContent", name) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=terminal.wall_clock.now().tzinfo)
