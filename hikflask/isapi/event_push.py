"""What a terminal pushes to the address that it was given.

What the vendor allows: a POST with one event as JSON or XML, alone or as a part of multipart/form-data beside its
picture (ISAPI guide, "Event notification in listening mode"). In practice the part may have no header, or no blank line
after it; the boundary of the header may be spelled otherwise than that in the body, or be followed by another one; and
there are bytes of zero (recorded from several terminals). So the event is recognised by its content, as in
multipart.py, whatever stands around it.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import tzinfo
from xml.etree.ElementTree import Element

from hikflask.isapi.codec import Json, local_name, text_of, usable_text, xml_of
from hikflask.isapi.errors import Nonsense
from hikflask.isapi.events import EventRecord, event_record

# An event has 1 KB; its picture, which may come along, has 44 KB to 200 KB.
MAX_BYTES = 2 * 1024 * 1024
# Terminals send one event at a time. What only looks like the beginning of one is tried no more often, and no more of
# it is read, so that no body takes long.
MAX_TRIES = 32
MAX_EVENT = 16 * 1024
OBJECT = re.compile(r'\{\s*"')
ALERT = re.compile(r"<EventNotificationAlert\b")
ALERT_END = "</EventNotificationAlert>"
NO_MAC = "00:00:00:00:00:00"
MAX_TEXT_LENGTH = 64
# The levels of an event: the whole, the inner one (perhaps nested twice), the frame of the face.
MAX_LEVELS = 5


@dataclass(frozen=True)
class Push:
    """What was in one body. `serial` and `mac` are what the terminal says of itself, empty when it says nothing.

    Some terminals send only the end of their serial number.
    """

    records: list[EventRecord]
    serial: str = ""
    mac: str = ""
    is_heartbeat: bool = False


def read_push(body: bytes, zone: tzinfo | None = None) -> Push:
    """Return what is in a body. This never raises: a body that has no event in it is a push without a record.

    Args: zone is that of the terminal's clock.
    """
    if len(body) > MAX_BYTES:
        return Push([])
    envelopes = list(_envelopes(body.replace(b"\0", b" ").decode(errors="replace")))
    read = [event_record(envelope, zone) for envelope in envelopes]
    records = [record for record in read if record is not None]
    mac = _first(envelopes, "macAddress").lower()
    return Push(
        records=records,
        serial=_first(envelopes, "shortSerialNumber", "serialNumber"),
        mac="" if mac == NO_MAC else mac,
        is_heartbeat=not records and any(_is_heartbeat(envelope) for envelope in envelopes),
    )


def _envelopes(text: str) -> Iterator[Json]:
    """Yield the objects in a text, JSON or XML, one after the other."""
    decoder = json.JSONDecoder(strict=False)
    if ALERT.search(text):
        yield from _alerts(text)
        return
    position = 0
    for _ in range(MAX_TRIES):
        begin = OBJECT.search(text, position)
        if begin is None:
            return
        try:
            found, length = decoder.raw_decode(text[begin.start() : begin.start() + MAX_EVENT])
        except (ValueError, RecursionError):
            position = begin.start() + 1
        else:
            position = begin.start() + length
            # A gateway puts the name of the XML around it.
            inner = found.get("EventNotificationAlert")
            yield inner if isinstance(inner, dict) else found


def _alerts(text: str) -> Iterator[Json]:
    for part in text.split(ALERT_END, MAX_TRIES)[:MAX_TRIES]:
        alert = ALERT.search(part)
        if alert and len(part) - alert.start() <= MAX_EVENT:
            with suppress(Nonsense):
                yield _members(xml_of(f"{part[alert.start() :]}{ALERT_END}".encode(), ""), MAX_LEVELS)


def _members(element: Element, levels: int) -> Json:
    """Return the children of an element by name, as JSON would have them."""
    return {
        local_name(inner): _members(inner, levels - 1) if len(inner) and levels else text_of(inner) for inner in element
    }


def _first(envelopes: list[Json], *names: str) -> str:
    """Return the first text that one of these names has."""
    for envelope in envelopes:
        for name in names:
            value = envelope.get(name)
            if isinstance(value, str) and 0 < len(value) <= MAX_TEXT_LENGTH:
                return usable_text(value).strip()
    return ""


def _is_heartbeat(envelope: Json) -> bool:
    """True for a sign of life: as such, or as the end of an alarm about a video that the terminal does not have."""
    kind = _first([envelope], "eventType").lower()
    return kind == "heartbeat" or (kind == "videoloss" and _first([envelope], "eventState").lower() == "inactive")
