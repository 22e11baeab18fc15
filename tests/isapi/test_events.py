"""The log of a terminal: what is asked for, and what is read from what real terminals answer and push."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from hikflask.isapi import errors, events, system_time
from hikflask.isapi.answer import Answer

from .helpers import JPEG, Prepared, answer, recorded, refusal

MOSCOW = timezone(timedelta(hours=3))
PICTURE = "/LOCALS/pic/acsLinkCap/202508_00/24_173702_30075_0.jpeg@WEB000000000463"
MOMENT = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)


def row(**changes: object) -> dict[str, object]:
    """A record that is whole; a change to None leaves a field out."""
    words: dict[str, object] = {"major": 5, "minor": 75, "time": "2026-11-30T09:00:00+03:00", "serialNo": 7}
    return {name: value for name, value in (words | changes).items() if value is not None}


def record(**changes: object) -> events.EventRecord:
    found = events.event_record(row(**changes))
    assert found is not None
    return found


def page(*rows: object, **changes: object) -> Answer:
    words = {"searchID": "1", "responseStatusStrg": "OK", "totalMatches": len(rows), "InfoList": list(rows)} | changes
    return answer(
        json.dumps({"AcsEvent": {name: value for name, value in words.items() if value is not None}}).encode()
    )


def found(reply: Answer, **changes: Any) -> events.EventPage:
    asked: dict[str, Any] = {"search_id": "1", "position": 0, "limit": 30, "major": 5, "minor": 0}
    return events.search(Prepared(reply), **asked | changes)


def sample(name: str) -> Answer:
    return answer(recorded(f"events/{name}"))


def test_the_request_is_the_recorded_one() -> None:
    client = Prepared(page())
    day = datetime(2026, 7, 6, tzinfo=MOSCOW)
    events.search(
        client,
        search_id="a1b2c3d4e5f60718",
        position=0,
        limit=30,
        major=5,
        minor=0,
        times=(day, day + timedelta(days=1, microseconds=-1)),
    )
    sent = client.sent[0]
    assert (sent.method, sent.path, sent.content_type) == ("POST", events.SEARCH, "application/json")
    assert json.loads(sent.data or b"") == json.loads(recorded("events/10_acsevent_request.json"))


def test_serial_numbers_are_asked_for_with_their_end_and_the_newest_first() -> None:
    client = Prepared(page())
    events.search(
        client, search_id="1", position=60, limit=10, major=0, minor=0, serials=(30001, 31000), newest_first=True
    )
    assert json.loads(client.sent[0].data or b"")["AcsEventCond"] == {
        "searchID": "1",
        "searchResultPosition": 60,
        "maxResults": 10,
        "major": 0,
        "minor": 0,
        "beginSerialNo": 30001,
        "endSerialNo": 31000,
        "timeReverseOrder": True,
    }


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (timedelta(hours=3), "2026-11-30T09:00:00+03:00"),
        (timedelta(), "2026-11-30T06:00:00+00:00"),
        (-timedelta(hours=3, minutes=30), "2026-11-30T02:30:00-03:30"),
        (timedelta(hours=2, minutes=30, seconds=17), "2026-11-30T08:30:00+02:30"),
    ],
)
def test_a_time_is_written_in_its_own_offset_and_never_longer_than_25_characters(
    offset: timedelta, expected: str
) -> None:
    moment = MOMENT.replace(microsecond=999_999).astimezone(timezone(offset))
    assert events.written(moment) == expected
    assert len(expected) == 25


def test_a_time_without_an_offset_is_never_sent() -> None:
    client = Prepared()
    day = MOMENT.replace(tzinfo=None)
    with pytest.raises(ValueError, match="offset"):
        events.search(client, search_id="1", position=0, limit=30, major=5, minor=0, times=(day, day))
    assert client.sent == []


def test_the_id_of_a_search_is_new_and_short_enough_for_every_terminal() -> None:
    assert re.fullmatch("[0-9a-f]{16}", events.new_search())
    assert events.new_search() != events.new_search()


def test_six_kinds_of_events_are_read() -> None:
    read = found(sample("13_acsevent_six_kinds.json"))
    assert [(one.major, one.minor, one.number, one.name, one.serial_no) for one in read.records] == [
        (5, 75, "100222", "Иванов Иван", 10436),
        (5, 76, "", "", 10442),
        (5, 9, "", "", 10450),
        (5, 1, "100223", "Петров Пётр", 10455),
        (5, 39, "", "", 10468),
        (5, 38, "100223", "Петров Пётр", 10472),
    ]
    assert (read.received, read.total, read.more) == (6, 6, False)
    face, _, card = read.records[:3]
    assert (face.time, face.at) == ("2025-08-24T17:37:02+05:00", datetime(2025, 8, 24, 12, 37, 2, tzinfo=UTC))
    assert (face.picture_path, face.card_number, face.door_no, face.is_duress) == (PICTURE, "", 1, False)
    assert (card.picture_path, card.card_number) == ("", "0000000001")


def test_fillers_are_nothing() -> None:
    read = found(sample("12_acsevent_more_k1a340fwx.json"))
    assert (read.received, read.total, read.more) == (1, 68, True)
    start = read.records[0]
    assert (start.major, start.minor, start.serial_no) == (2, 1024, 1)
    assert (start.number, start.name, start.picture_path, start.card_number) == ("", "", "", "")
    assert (start.is_duress, start.door_no) == (False, None)
    assert start.raw == {"major": 2, "minor": 1024, "time": start.time, "serialNo": 1}


def test_the_position_goes_on_by_the_rows_that_came() -> None:
    """The terminal says 30 and sends one: the others may still come, and a repeated row does no harm."""
    read = found(sample("14_acsevent_k1t341am_v3230.json"))
    assert (read.received, read.total, read.more) == (1, 1390, True)


def test_nothing_found_is_an_empty_page() -> None:
    assert found(sample("15_acsevent_no_match.json")) == events.EventPage([], 0, 0, more=False)
    assert found(page(responseStatusStrg="NO MATCH", InfoList=None, totalMatches=None)).total is None


@pytest.mark.parametrize(
    ("word", "total", "more"),
    [
        ("MORE", None, True),
        ("MORE", 2, True),
        ("OK", 2, False),
        ("NO MORE MATCHES", 1000, False),
        ("NO_MATCHES", None, False),
        (None, None, True),
        (None, 12, False),
        (None, 13, True),
        ("", "13", True),
    ],
)
def test_the_word_more_says_that_more_follows_and_without_a_word_the_total_or_any_row(
    word: str | None, total: object, more: bool
) -> None:
    reply = page(row(), row(serialNo=8), responseStatusStrg=word, totalMatches=total)
    assert found(reply, position=10).more is more


def test_where_nothing_is_said_of_the_list_an_empty_page_ends_it() -> None:
    silent = page(responseStatusStrg=None, totalMatches=None, InfoList=None)
    assert found(silent, position=10) == events.EventPage([], 0, None, more=False)


def test_more_without_a_row_is_an_error_and_no_loop() -> None:
    for rows in ([], None, "all", [None, 5]):
        with pytest.raises(errors.Nonsense) as refused:
            found(page(responseStatusStrg="MORE", totalMatches=5, InfoList=rows))
        assert refused.value.message == "more events follow, but none came"


def test_a_page_that_is_larger_than_asked_for_is_cut_and_goes_on() -> None:
    read = found(page(*(row(serialNo=n) for n in range(1, 41))), limit=10)
    assert (len(read.records), read.received, read.more) == (10, 10, True)


def test_a_page_that_was_silently_cut_tells_how_many_came() -> None:
    read = found(page(*(row(serialNo=n) for n in range(1, 11)), responseStatusStrg="MORE", totalMatches=50), limit=30)
    assert (len(read.records), read.received, read.more) == (10, 10, True)


def test_a_row_that_is_no_record_is_left_out_and_counted() -> None:
    read = found(page({"name": "x"}, row()))
    assert ([one.serial_no for one in read.records], read.received) == ([7], 2)


def test_a_record_without_a_code_is_kept_with_its_number_and_time() -> None:
    rows = row(major=None, minor=None), row(minor=None, serialNo=8), row(serialNo=9)
    read = found(page(*({name: value for name, value in one.items() if value is not None} for one in rows)))
    assert [(one.serial_no, one.time, one.minor) for one in read.records] == [
        (7, "2026-11-30T09:00:00+03:00", 0),
        (8, "2026-11-30T09:00:00+03:00", 0),
        (9, "2026-11-30T09:00:00+03:00", 75),
    ]


@pytest.mark.parametrize(
    ("code", "expected"), [("0x4b", 75), ("0X4B ", 75), ("75", 75), (75, 75), ("4b", 0), ("0x", 0), ("0x-4b", 0)]
)
def test_a_code_is_read_in_decimal_and_in_hexadecimal_digits(code: object, expected: int) -> None:
    assert record(major="0x5", minor=code).minor == expected
    assert record(major="0x5", minor=code).major == 5


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2026-11-30T09:00:00+00:00", "2026-11-30T06:00:00+00:00"),
        ("2026-11-30T09:00:00", "2026-11-30T06:00:00+00:00"),
        ("2026-11-30T09:00:00.500Z", "2026-11-30T09:00:00+00:00"),
        ("2026-11-30T09:00:00+05:00", "2026-11-30T04:00:00+00:00"),
    ],
)
def test_local_time_that_is_marked_as_utc_is_of_the_terminals_zone(time: str, expected: str) -> None:
    read = events.event_record(row(time=time), timezone(timedelta(hours=3)))
    assert read is not None
    assert read.at == datetime.fromisoformat(expected)


def test_time_without_an_offset_has_another_zone_where_that_of_the_clock_is_not_known() -> None:
    read = [
        events.event_record(row(time=time), else_zone=MOSCOW)
        for time in ("2026-11-30T09:00:00", "2026-11-30T06:00:00+00:00", "2026-11-30T06:00:00Z")
    ]

    assert [record.at for record in read if record] == [datetime(2026, 11, 30, 6, tzinfo=UTC)] * 3


def test_local_time_is_read_in_the_offset_that_the_zone_had_then() -> None:
    zone = system_time.zone("CET-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00")
    times = "2026-07-01T12:00:00", "2026-07-01T12:00:00+00:00", "2026-11-30T12:00:00+00:00"
    read = [events.event_record(row(time=time), zone) for time in times]
    moments = [one.at.isoformat() for one in read if one and one.at]
    assert moments == ["2026-07-01T10:00:00+00:00", "2026-07-01T10:00:00+00:00", "2026-11-30T11:00:00+00:00"]


@pytest.mark.parametrize(("word", "total"), [("MORE", None), (None, 12), ("OK", None)])
def test_it_is_told_whether_more_follows(word: str | None, total: int | None) -> None:
    assert found(page(row(), responseStatusStrg=word, totalMatches=total)).is_told


def test_without_a_word_and_a_total_it_is_not_told_whether_more_follows() -> None:
    assert not found(page(row(), responseStatusStrg=None, totalMatches=None)).is_told


def test_an_answer_without_a_log_is_nonsense() -> None:
    for body in (b"", b"[]", b"{", b'{"AcsEvent":[]}', b'{"UserInfoSearch":{}}', b"\xff\xd8\xff"):
        with pytest.raises(errors.Nonsense):
            found(answer(body))


@pytest.mark.parametrize("case", json.loads(recorded("events/16_acsevent_errors.json")), ids=lambda case: case["case"])
def test_a_refusal_keeps_the_terminals_words(case: dict[str, Any]) -> None:
    status = int(re.findall(r"HTTP (\d+)", case["case"])[0])
    with pytest.raises(errors.Refused) as refused:
        found(answer(json.dumps(case["body"]).encode(), status))
    assert (refused.value.sub_status, refused.value.message) == (
        case["body"]["subStatusCode"],
        case["body"].get("errorMsg", ""),
    )
    assert isinstance(refused.value, errors.NotSupported) is (status == 404)


def test_a_refused_minor_is_a_refusal() -> None:
    with pytest.raises(errors.Refused) as refused:
        found(refusal("invalidOperation", status_code=4))
    assert refused.value.code == "terminal:invalidoperation"


def test_limits_are_what_the_capabilities_tell() -> None:
    limits = events.limits(Prepared(sample("11_acsevent_caps_k1a340fwx.json")))
    assert (limits.page, limits.majors) == (30, (0, 1, 2, 3, 5))
    assert sorted(limits.minors) == [1, 2, 3, 5]
    assert limits.minors[2] == (39, 1024, 1031, 1033, 1034, 1064, 1065)
    assert {75, 76, 104} <= set(limits.minors[5])


@pytest.mark.parametrize(
    ("words", "page_limit"),
    [
        ({}, 10),
        ({"maxResults": {"@max": 10}, "major": "0,1", "minorEvent": {"@opt": 5}}, 10),
        ({"maxResults": {"@max": 0}}, 10),
        ({"maxResults": {"@max": 1000}}, 30),
        ({"maxResults": 24, "major": {"@opt": ",x,-1,99999999999"}}, 10),
    ],
)
def test_limits_that_are_not_told_are_those_that_every_terminal_takes(
    words: dict[str, object], page_limit: int
) -> None:
    reply = answer(json.dumps({"AcsEvent": {"AcsEventCond": words}}).encode())
    assert events.limits(Prepared(reply)) == events.Limits(page=page_limit)
    assert events.limits(Prepared(answer(b'{"AcsEvent":{"AcsEventCond":[]}}'))) == events.Limits()


@pytest.mark.parametrize(
    ("told", "number"),
    [
        ({"employeeNoString": "000015"}, "000015"),
        ({"employeeNoString": "001", "employeeNo": 1}, "001"),
        ({"employeeNo": 100222}, "100222"),
        ({"employeeNoString": "", "employeeNo": 100222}, "100222"),
        ({"employeeNoString": "null", "employeeNo": 0}, ""),
        ({"employeeNoString": 100222}, "100222"),
        ({"employeeNoString": "100222\0\0\0"}, "100222"),
        ({"employeeNoString": "1" * 33}, ""),
        ({"employeeNoString": "1" * 100_000}, ""),
        ({"employeeNoString": True, "employeeNo": [1]}, ""),
        ({"employeeNoString": 10**4000}, ""),
        ({"employeeNo": -5}, ""),
        ({}, ""),
    ],
)
def test_the_number_is_kept_with_its_zeros_or_is_nothing(told: dict[str, object], number: str) -> None:
    assert record(**told).number == number


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("Иванов Иван\0\0", "Иванов Иван"),
        ("null", ""),
        ("Null", "Null"),
        (" ", ""),
        ("а" * 200, "а" * 128),
        ("Иван\ud800", "Иван"),
        ("Ив\0ан", "Ив\ufffdан"),
        (["Иван"], ""),
        ({}, ""),
        (0, ""),
    ],
)
def test_the_name_is_what_can_be_stored_of_it(told: object, name: str) -> None:
    assert record(name=told).name == name


@pytest.mark.parametrize(
    ("card_type", "is_duress"),
    [(5, True), ("5", True), ("duress", True), ("Duress", True), (1, False), (0, False), (None, False), ([5], False)],
)
def test_duress_is_a_type_of_card_in_words_or_numbers(card_type: object, is_duress: bool) -> None:
    assert record(cardType=card_type).is_duress is is_duress


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ("2026-11-30T09:00:00+03:00", MOMENT),
        ("2026-11-30T06:00:00Z", MOMENT),
        ("2026-11-30T09:00:00.250+03:00", MOMENT),
        ("1970-01-01T08:00:07+08:00", datetime(1970, 1, 1, 0, 0, 7, tzinfo=UTC)),
        ("1970-01-01T00:00:07+08:00", datetime(1969, 12, 31, 16, 0, 7, tzinfo=UTC)),
        ("2026-11-30T09:00:00", None),
        ("0001-01-01T00:00:00+08:00", None),
        ("9999-12-31T23:59:59-08:00", None),
        ("2026-13-30T09:00:00+03:00", None),
        ("null", None),
        ("", None),
        ("2" * 50, None),
        (20261130, None),
        (None, None),
    ],
)
def test_the_time_is_a_moment_by_its_own_offset_or_none(time: object, at: datetime | None) -> None:
    read = record(time=time)
    assert read.at == at
    if isinstance(time, str) and at is not None:
        assert read.time == time
    assert len(read.time) <= 40


def test_a_time_without_an_offset_is_by_the_terminals_clock() -> None:
    read = found(page(row(time="2026-11-30T09:00:00"), row()), zone=timezone(timedelta(hours=3)))
    assert [one.at for one in read.records] == [MOMENT, MOMENT]
    assert found(page(row(time="2026-11-30T09:00:00"))).records[0].at is None


@pytest.mark.parametrize(
    ("told", "serial_no"),
    [
        (30001, 30001),
        ("30001", 30001),
        (3_000_000_000, 3_000_000_000),
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        (10**4000, None),
        (0, None),
        (-1, None),
        (1.5, None),
        (True, None),
        ("first", None),
        (None, None),
    ],
)
def test_the_serial_number_fits_its_column_or_is_none(told: object, serial_no: int | None) -> None:
    assert record(serialNo=told).serial_no == serial_no


def test_a_code_that_is_not_readable_is_zero_and_the_record_is_kept() -> None:
    read = record(major="five", minor=2**31)
    assert (read.major, read.minor, read.serial_no) == (0, 0, 7)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (f"http://192.0.2.26{PICTURE}", PICTURE),
        (f"https://old.example:8443{PICTURE}", PICTURE),
        (PICTURE, PICTURE),
        (f"192.0.2.26{PICTURE}", PICTURE),
        ("http://192.0.2.26/LOCALS/../../etc/passwd", ""),
        ("http://192.0.2.26", ""),
        ("http://192.0.2.26/LOCALS/" + "a" * 1000, ""),
        ("null", ""),
        ("", ""),
        (["/LOCALS/pic"], ""),
    ],
)
def test_of_a_pictures_address_only_the_path_is_kept(url: object, path: str) -> None:
    assert record(pictureURL=url).picture_path == path


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("31_push_door_k1t341cmfw.json", (5, 22, "", "", None, "2026-08-02T10:15:29-04:00", "", 1)),
        ("34_push_door_closed.json", (5, 22, "", "", 159, "2025-10-22T13:55:52+08:00", "", 1)),
        ("35_push_fp_checkin.json", (5, 38, "001", "Иванов", 139, "2025-10-22T13:43:48+08:00", "11", None)),
        ("37_push_face_deviceid.json", (5, 75, "100222", "Иванов Иван", 1199, "2026-02-24T19:45:13+08:00", "", 1)),
    ],
)
def test_the_same_is_read_from_what_a_terminal_pushes(file: str, expected: tuple[object, ...]) -> None:
    pushed = json.loads(recorded(f"events/{file}"))
    read = events.event_record(pushed)
    assert read is not None
    assert (
        read.major,
        read.minor,
        read.number,
        read.name,
        read.serial_no,
        read.time,
        read.card_number,
        read.door_no,
    ) == expected
    assert events.event_record(read.raw) == read
    nested = {**pushed, "AccessControllerEvent": {"AccessControllerEvent": pushed["AccessControllerEvent"]}}
    nested_read = events.event_record(nested)
    assert nested_read is not None
    assert (nested_read.minor, nested_read.serial_no, nested_read.time) == (read.minor, read.serial_no, read.time)


def test_a_heartbeat_and_other_things_are_no_records() -> None:
    heartbeat = json.loads(recorded("events/33_push_heartbeat_k1t323.json"))
    raw: object
    for raw in (heartbeat, {}, [], None, "5/75", 5, {"AccessControllerEvent": None}, {"AccessControllerEvent": {}}):
        assert events.event_record(raw) is None


def test_of_a_record_only_what_is_read_is_kept_and_it_is_read_alike_again() -> None:
    deep: list[object] = []
    for _ in range(900):
        deep = [deep]
    read = record(
        name="Ив\0ан",
        employeeNoString="007",
        cardNo="4711",
        cardType=5,
        doorNo=2,
        pictureURL=f"http://192.0.2.26{PICTURE}",
        attendanceStatus="checkIn",
        QRCodeInfo="Иван",
        netUser="Иван",
        FaceRect={"x": float("nan"), "y": 0.224},
        deep=deep,
        more="x" * 100_000,
    )
    assert read.raw == {
        "major": 5,
        "minor": 75,
        "time": "2026-11-30T09:00:00+03:00",
        "serialNo": 7,
        "employeeNoString": "007",
        "name": "Ив\ufffdан",
        "pictureURL": PICTURE,
        "cardType": "duress",
        "attendanceStatus": "checkIn",
    }
    assert events.event_record(read.raw) == read
    assert (read.number, read.is_duress, read.picture_path) == ("007", True, PICTURE)
    assert (read.card_number, read.door_no) == ("4711", 2)
    assert "4711" not in repr(read)


def test_a_picture_is_fetched_by_its_path_and_cut_to_the_jpeg() -> None:
    client = Prepared(answer(b"\0\0" + JPEG + b"\r\n"))
    assert events.picture(client, PICTURE) == JPEG
    assert [(sent.method, sent.path) for sent in client.sent] == [("GET", PICTURE)]


def test_a_picture_that_is_not_found_is_asked_for_without_what_follows_the_at_sign() -> None:
    client = Prepared(answer(b"", status=404), answer(JPEG))
    assert events.picture(client, PICTURE) == JPEG
    assert client.sent[1].path == PICTURE.partition("@")[0]
    for path in (PICTURE, "/LOCALS/pic/1.jpg"):
        with pytest.raises(errors.Gone):
            events.picture(Prepared(answer(b"", status=404), answer(b"", status=404)), path)


def test_what_is_no_picture_or_too_large_is_refused() -> None:
    for body in (b"", b"<html>", JPEG[:-2], JPEG[:-2] + bytes(events.MAX_PICTURE_BYTES) + JPEG[-2:]):
        with pytest.raises(errors.UnusablePicture):
            events.picture(Prepared(answer(body)), "/LOCALS/pic/1.jpg")


def test_the_log_is_counted_whatever_the_minors() -> None:
    client = Prepared(answer(b'{"AcsEventTotalNum": {"totalNum": 68}}'))
    assert events.count(client, major=5, serials=(7, 9)) == 68
    assert json.loads(client.sent[0].data or b"") == {
        "AcsEventTotalNumCond": {"major": 5, "minor": 0, "beginSerialNo": 7, "endSerialNo": 9}
    }
    with pytest.raises(errors.Nonsense):
        events.count(Prepared(answer(b'{"AcsEventTotalNum": {}}')), major=5)
