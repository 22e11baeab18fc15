"""What terminals push, in every framing that was seen, and in those that nobody should send."""

import json
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hikflask.isapi.event_push import MAX_BYTES, MAX_EVENT, MAX_TRIES, Push, read_push
from hikflask.isapi.events import EventRecord, event_record

from .helpers import JPEG, recorded

FACE = json.loads(recorded("events/37_push_face_deviceid.json"))
TEXT = json.dumps(FACE, ensure_ascii=False).encode()
HEADER = b'Content-Disposition: form-data; name="event_log"\r\n'
# A picture in which much looks like something else.
PICTURE = b'\xff\xd8\xff\xe0{{{{"}}}\r\n--MIME_boundary{ "\0' + JPEG
ALERT = """<?xml version="1.0" encoding="UTF-8"?>
<EventNotificationAlert version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
<ipAddress>192.0.2.46</ipAddress><macAddress>BC:5E:33:00:00:01</macAddress>
<dateTime>2026-02-24T19:45:13+08:00</dateTime><eventType>AccessControllerEvent</eventType>
<eventState>active</eventState><AccessControllerEvent><majorEventType>5</majorEventType>
<subEventType>75</subEventType><name>Иванов &amp; Иван</name><employeeNoString>001</employeeNoString>
<serialNo>1199</serialNo><doorNo>1</doorNo><FaceRect><height>0.304</height></FaceRect></AccessControllerEvent>
</EventNotificationAlert>"""


def body_of(file: str) -> bytes:
    """The body of a recorded request."""
    return recorded(f"events/{file}").partition(b"\r\n\r\n")[2]


def only(push: Push) -> EventRecord:
    (record,) = push.records
    assert not push.is_heartbeat
    return record


def test_an_event_without_a_blank_line_before_it_is_read() -> None:
    record = only(read_push(body_of("30_push_event_log_k1t341cmfw.http")))
    assert (record.major, record.minor, record.number, record.name, record.serial_no) == (
        5,
        75,
        "100222",
        "Иванов Иван",
        30203,
    )
    assert record.at == datetime(2026, 8, 2, 14, 15, 30, tzinfo=UTC)


def test_an_event_beside_its_picture_is_read() -> None:
    body = body_of("36_push_with_picture.http")
    push = read_push(body.replace(b"[JPEG]", PICTURE))
    assert (only(push).serial_no, push.serial, push.mac) == (179, "AA0000000", "")
    assert push == read_push(body)


@pytest.mark.parametrize(
    "framing",
    [
        b"%s",
        b"\xef\xbb\xbf%s",
        b"\r\n\r\n%s\r\n",
        b"\0\0%s\0\0\0",
        b"--MIME_boundary\r\n" + HEADER + b"%s\r\n--MIME_boundary--\r\n",
        b"--mime_boundary\r\n" + HEADER + b"\r\n%s\r\n--MIME_boundary--\r\n",
        b"--MIME_boundary\r\n" + HEADER + b"\r\n%s\r\n--mime_boundary\r\n--another--\r\n",
        b"--MIME_boundary\n%s\n",
        b"%s--MIME_boundary--",
        b"--MIME_boundary\r\n\r\n" + PICTURE + b"\r\n--MIME_boundary\r\n" + HEADER + b"%s\r\n--MIME_boundary--",
        b'{"broken": [%s',
        b"} %s {",
    ],
    ids=range(12),
)
def test_an_event_is_read_in_every_framing(framing: bytes) -> None:
    expected = event_record(FACE)
    assert only(read_push(framing.replace(b"%s", TEXT))) == expected
    assert only(read_push(framing.replace(b"%s", json.dumps(FACE, indent="\t").encode()))) == expected


def test_bytes_of_zero_within_an_event_are_nothing() -> None:
    spoiled = TEXT.replace("Иванов Иван".encode(), "Иванов Иван\0\0".encode()).replace(b", ", b",\0 ")
    assert only(read_push(spoiled)).name == "Иванов Иван"


def test_an_inner_event_that_is_nested_twice_is_read() -> None:
    nested = {**FACE, "AccessControllerEvent": {"AccessControllerEvent": FACE["AccessControllerEvent"]}}
    assert only(read_push(json.dumps(nested).encode())).serial_no == 1199


@pytest.mark.parametrize("framing", ["{}", "--b\r\nContent-Type: application/xml\r\n\r\n{}\r\n--b--", "\0{}\0"])
def test_an_event_in_xml_is_read(framing: str) -> None:
    push = read_push(framing.replace("{}", ALERT).encode())
    record = only(push)
    assert (record.major, record.minor, record.number, record.name, record.serial_no, record.door_no) == (
        5,
        75,
        "001",
        "Иванов & Иван",
        1199,
        1,
    )
    assert (record.time, push.mac) == ("2026-02-24T19:45:13+08:00", "bc:5e:33:00:00:01")
    assert event_record(record.raw) == record


def test_several_events_in_one_body_are_read() -> None:
    door = recorded("events/34_push_door_closed.json")
    assert [record.serial_no for record in read_push(TEXT + b"\r\n--b\r\n" + door).records] == [1199, 159]
    assert len(read_push(TEXT * (2 * MAX_TRIES)).records) == MAX_TRIES


def test_two_alerts_in_one_body_are_read() -> None:
    second = ALERT.replace("1199", "1200")
    assert [record.serial_no for record in read_push(f"{ALERT}\r\n--b\r\n{second}".encode()).records] == [1199, 1200]
    assert len(read_push(ALERT.encode() * (2 * MAX_TRIES)).records) == MAX_TRIES


def test_an_event_in_json_that_has_the_name_of_the_xml_around_it_is_read() -> None:
    push = read_push(json.dumps({"EventNotificationAlert": {**FACE, "macAddress": "BC:5E:33:00:00:01"}}).encode())
    assert (only(push).serial_no, only(push).minor, push.mac) == (1199, 75, "bc:5e:33:00:00:01")


def test_a_sign_of_life_is_no_event() -> None:
    beat = recorded("events/33_push_heartbeat_k1t323.json")
    in_xml = recorded("events/41_alertstream_xml_heartbeat.http").partition(b"\r\n\r\n")[2]
    no_video = b'{"eventType": "videoloss", "eventState": "inactive"}'
    for body in (beat, in_xml, no_video, beat.replace(b"heartBeat", b"Heartbeat")):
        assert (read_push(body).records, read_push(body).is_heartbeat) == ([], True)
    assert not read_push(b'{"eventType": "videoloss", "eventState": "active"}').is_heartbeat
    assert not read_push(beat + TEXT).is_heartbeat


def test_no_more_of_a_body_is_read_than_an_event_can_have() -> None:
    """Parsed as a whole 32 times, two megabytes of lists cost the pages 19 s of the processor."""

    def told(padding: int) -> list[str]:
        event = json.dumps({"padding": [[]] * padding, **FACE, "macAddress": MAC})
        alert = ALERT.replace("</EventNotificationAlert>", f"<a>{'b' * padding}</a></EventNotificationAlert>")
        return [read_push(body.encode()).mac for body in (event, alert)]

    assert told(1) == [MAC, MAC]
    assert told(MAX_EVENT) == ["", ""]


def test_what_is_no_event_is_nothing() -> None:
    for body in (b"", b"{}", b"[]", b"null", b"{", b"\xff" * 100, JPEG, b"<html>", b"<EventNotificationAlert>", b"a=1"):
        assert read_push(body) == Push([])


MAC = "bc:5e:33:00:00:01"
DEEP = 200_000
HOSTILE = {
    "objects": b'{"a":' * DEEP,
    "lists": b'{"a":' + b"[" * DEEP,
    "begun": b'{"' * DEEP,
    "blank": b"{ " * DEEP,
    "one blank": b"{" + b" " * MAX_BYTES,
    "text": b'{"a": "' + b"{" * DEEP,
    "digits": b'{"serialNo": ' + b"9" * DEEP + b"}",
    "elements": b"<EventNotificationAlert>" + b"<a>" * DEEP,
    "deep elements": b"<EventNotificationAlert>" + b"<a>" * 4000 + b"</a>" * 4000 + b"</EventNotificationAlert>",
    "alerts": b"<EventNotificationAlert" * DEEP,
    "entities": b'<!DOCTYPE x [<!ENTITY a "b">]><EventNotificationAlert>&a;</EventNotificationAlert>',
    "too large": TEXT + bytes(MAX_BYTES),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_body_that_was_made_to_cost_much_is_nothing(body: bytes) -> None:
    """None of them ends within an hour when its time grows with the square of its length."""
    assert read_push(body).records == []


EXAMPLES = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [TEXT, ALERT.encode(), HEADER, b"--MIME_boundary\r\n", b"\r\n\r\n", b"\0", b"{", b'{"', b"}", JPEG]
    ),
    st.builds(lambda at, length: TEXT[at : at + length], st.integers(0, len(TEXT)), st.integers(0, 200)),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=8,
)
NAMES = [*FACE, *FACE["AccessControllerEvent"], "major", "minor", "time", "employeeNo", "pictureURL", "cardNo"]
ROWS = st.dictionaries(
    st.sampled_from(NAMES), JSON | st.sampled_from([0, "", "null", "0.0.0.0", FACE["dateTime"]]), max_size=12
)


@EXAMPLES
@given(st.lists(PIECES, max_size=12))
@example([b'{"AccessControllerEvent": {"AccessControllerEvent": []}}'])
def test_no_body_raises(pieces: list[bytes]) -> None:
    push = read_push(b"".join(pieces))
    for record in push.records:
        assert event_record(record.raw) == record


@EXAMPLES
@given(ROWS, st.booleans(), st.booleans())
def test_no_record_raises_and_each_fits_its_columns_and_is_read_alike_again(
    row: dict[str, object], is_inner: bool, is_coded: bool
) -> None:
    coded = {"minor": 75} | row if is_coded else row
    record = event_record({**FACE, "AccessControllerEvent": coded} if is_inner else coded)
    if record is None:
        return
    assert record.serial_no is None or 0 < record.serial_no < 2**63
    assert 0 <= record.major < 2**31
    assert 0 <= record.minor < 2**31
    assert (len(record.number) <= 32, len(record.name) <= 128, len(record.time) <= 40) == (True, True, True)
    assert record.at is None or record.at.microsecond == 0
    stored = json.dumps(record.raw, allow_nan=False, ensure_ascii=False).encode()
    assert event_record(json.loads(stored)) == record


@EXAMPLES
@given(JSON)
def test_no_value_raises(value: object) -> None:
    event_record(value)
    event_record({"minor": value, "time": value, "name": value, "AccessControllerEvent": value})


@EXAMPLES
@given(st.text())
def test_no_xml_raises(text: str) -> None:
    read_push(f"<EventNotificationAlert>{text}</EventNotificationAlert>".encode(errors="replace"))
    read_push(ALERT.replace("Иванов", escape(text)).encode(errors="replace"))
