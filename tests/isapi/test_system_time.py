"""The clock of a terminal, as XML and JSON tell it, and as it is set."""

import json
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hikflask.isapi import errors, system_time

from .helpers import Prepared, answer, refusal

FIVE = timedelta(hours=5)
TOLD = (
    '<?xml version="1.0" encoding="UTF-8"?>\r\n<Time version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">'
    "<timeMode>{mode}</timeMode><localTime>{local}</localTime><timeZone>{zone}</timeZone></Time>"
)


def told(
    local: str = "2026-11-27T13:05:00+05:00", zone: str = "CST-5:00:00", mode: str = "NTP"
) -> system_time.DeviceTime:
    body = TOLD.format(local=local, zone=zone, mode=mode).encode()
    return system_time.read(Prepared(answer(body, content_type="application/xml")))


def test_time_is_read_with_its_offset_and_zone() -> None:
    found = told()
    local = datetime.fromisoformat("2026-11-27T13:05:00")
    assert found == system_time.DeviceTime(local, FIVE, "CST-5:00:00", "NTP", mark=FIVE, by_zone=FIVE)
    assert found.by_ntp
    assert found.moment(timedelta()) == datetime(2026, 11, 27, 8, 5, tzinfo=UTC)


def test_time_in_json_is_the_same() -> None:
    words = {"timeMode": "manual", "localTime": "2026-11-27T13:05:00+05:00", "timeZone": "CST-5:00:00"}
    found = system_time.read(Prepared(answer(json.dumps({"Time": words}).encode())))
    assert (found.local, found.offset, found.by_ntp, found.in_json) == (told().local, FIVE, False, True)


def test_offset_in_the_time_counts_before_the_zones() -> None:
    summer = told("2026-07-01T12:00:00+02:00", "CET-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00")
    assert summer.offset == timedelta(hours=2)
    assert told("2026-11-27T13:05:00").offset == FIVE


SUMMER = "CET-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00"
SOUTH = "AEST-10:00:00DST01:00:00,M10.1.0/02:00:00,M4.1.0/03:00:00"


@pytest.mark.parametrize("mark", ["Z", "+00:00", ""])
@pytest.mark.parametrize(
    ("local", "zone", "hours"),
    [
        ("2026-11-27T13:05:00", "CST-5:00:00", 5),
        ("2026-11-27T13:05:00", "GMT+05:00", 5),
        ("2026-11-27T13:05:00", "UTC+0:00:00", 0),
        ("2026-03-29T01:59:59", SUMMER, 1),
        ("2026-03-29T03:00:00", SUMMER, 2),
        ("2026-10-25T02:59:59", SUMMER, 2),
        ("2026-10-25T03:00:00", SUMMER, 1),
        ("2026-01-15T12:00:00", SOUTH, 11),
        ("2026-07-15T12:00:00", SOUTH, 10),
        ("2026-07-01T12:00:00", "GMT+0:00:00DST01:00:00,M3.5.0/01:00:00,M10.5.0/02:00:00", 1),
        ("2026-07-01T12:00:00", "EST5EDT,M3.2.0,M11.1.0", -4),
        ("2026-07-01T12:00:00", "NZT-12:00:00DST00:30:00,M1.1.0/00:00:00,M12.5.6/23:59:59", 12.5),
        ("2026-07-01T12:00:00", "CET-1:00:00DST01:00:00,M13.5.0/02:00:00,M10.9.0/03:00:00", 1),
    ],
)
def test_zone_says_what_a_time_without_an_offset_or_marked_as_utc_is(
    local: str, zone: str, hours: float, mark: str
) -> None:
    found = told(local + mark, zone)
    assert (found.local, found.offset) == (datetime.fromisoformat(local), timedelta(hours=hours))


def test_time_in_utc_stays_so_where_summer_time_makes_the_zone_that() -> None:
    found = told("2026-07-01T12:00:00+00:00", "AZOT+1:00:00DST01:00:00,M3.5.0/00:00:00,M10.5.0/01:00:00")
    assert found.offset == timedelta()


@pytest.mark.parametrize("minutes", range(-60, 181, 30))
@pytest.mark.parametrize(("zone", "change", "standard"), [
    (SUMMER, "2026-03-29T01:00:00+00:00", 1),
    (SUMMER, "2026-10-25T01:00:00+00:00", 1),
    (SOUTH, "2026-10-03T16:00:00+00:00", 10),
    (SOUTH, "2026-04-04T16:00:00+00:00", 10),
])  # fmt: skip
def test_zone_is_that_of_the_moment_also_where_clocks_change(
    zone: str, change: str, standard: int, minutes: int
) -> None:
    moment = datetime.fromisoformat(change) + timedelta(minutes=minutes)
    begins = change.startswith(("2026-03", "2026-10-03"))
    is_summer = begins if minutes >= 0 else not begins

    there = moment.astimezone(system_time.zone(zone))

    assert there.utcoffset() == timedelta(hours=standard + is_summer)
    assert (there.dst(), there.tzname()) == (timedelta(hours=is_summer), zone)
    assert there.replace(tzinfo=None) == (moment + timedelta(hours=standard + is_summer)).replace(tzinfo=None)


def test_zone_that_is_not_readable_is_none() -> None:
    assert (system_time.zone(""), system_time.zone("5"), system_time.has_summer_time("5")) == (None, None, False)


def test_zone_with_a_summer_time_of_days_has_none() -> None:
    there = system_time.zone("CST-14:00:00DST99:00:00,M1.1.0,M12.5.0")

    assert datetime(2026, 7, 1, tzinfo=UTC).astimezone(there).utcoffset() == timedelta(hours=14)


def test_zone_that_is_longer_than_any_is_not_looked_through() -> None:
    words = {"timeMode": "NTP", "localTime": "2026-11-27T13:05:00+05:00", "timeZone": "CST-5" + "a" * 30_000}
    began = time.thread_time()

    found = system_time.read(Prepared(answer(json.dumps({"Time": words}).encode())))

    assert (found.zone, found.offset, found.by_zone) == ("", FIVE, None)
    assert time.thread_time() - began < 1.0


def test_time_without_any_zone_is_taken_in_the_given_one() -> None:
    found = told("2026-11-27T13:05:00", "")
    assert found.offset is None
    assert found.moment(FIVE) == datetime(2026, 11, 27, 8, 5, tzinfo=UTC)


@pytest.mark.parametrize("local", ["", "noon", "2026-13-01T00:00:00", "0001-01-01T00:00:00+05:00"])
def test_no_readable_time_is_nonsense(local: str) -> None:
    with pytest.raises(errors.Nonsense):
        told(local)


@pytest.mark.parametrize(
    ("zone", "hours"),
    [
        ("CST-5:00:00", 5),
        ("CST-5", 5),
        ("UTC+0:00:00", 0),
        ("EST5EDT", -5),
        ("GMT+05:00", 5),
        ("UTC+5", 5),
        ("utc-03:30", -3.5),
        ("+05:00", 5),
        ("UTC-5:00:00", 5),
        ("<+0530>-5:30", 5.5),
        ("NST+3:30:00DST01:00:00,M3.2.0/02:00:00,M11.1.0/02:00:00", -3.5),
        ("CST-26:00:00", None),
        ("", None),
        ("5", None),
    ],
)
def test_sign_of_a_posix_zone_is_the_other_way_round(zone: str, hours: float | None) -> None:
    assert system_time.offset_of(zone) == (None if hours is None else timedelta(hours=hours))


@settings(deadline=None)
@given(st.integers(-12 * 60, 14 * 60).map(lambda minutes: timedelta(minutes=minutes)))
def test_any_offset_survives_as_a_zone(offset: timedelta) -> None:
    assert system_time.offset_of(system_time.zone_of(offset)) == offset


def test_setting_sends_mode_time_and_zone() -> None:
    client = Prepared(answer())
    system_time.set_to(client, datetime(2026, 11, 27, 13, 5, 0, 999, tzinfo=timezone(FIVE)))
    (sent,) = client.sent
    assert (sent.method, sent.path, sent.content_type) == ("PUT", "/ISAPI/System/time", "application/xml")
    assert (sent.data or b"").decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Time version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><timeMode>manual</timeMode>'
        "<localTime>2026-11-27T13:05:00+05:00</localTime><timeZone>CST-5:00:00</timeZone></Time>"
    )


def test_setting_keeps_a_given_zone() -> None:
    client = Prepared(answer())
    system_time.set_to(client, datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2))), zone=SUMMER)
    assert f"<localTime>2026-07-01T12:00:00+02:00</localTime><timeZone>{SUMMER}</timeZone>".encode() in (
        client.sent[0].data or b""
    )


def test_setting_speaks_json_where_the_terminal_does() -> None:
    client = Prepared(answer())
    system_time.set_to(client, datetime(2026, 1, 1, tzinfo=UTC), in_json=True)
    (sent,) = client.sent
    words = {"timeMode": "manual", "localTime": "2026-01-01T00:00:00+00:00", "timeZone": "CST-0:00:00"}
    assert (sent.path, json.loads(sent.data or b"")) == ("/ISAPI/System/time?format=json", {"Time": words})


def test_moment_without_an_offset_is_not_sent() -> None:
    client = Prepared()
    with pytest.raises(ValueError, match="offset"):
        system_time.set_to(client, datetime(2026, 1, 1))  # noqa: DTZ001
    assert client.sent == []


@pytest.mark.parametrize("in_json", [False, True])
def test_terminal_that_refuses_the_offset_gets_the_time_without_it(in_json: bool) -> None:
    client = Prepared(refusal("badXmlContent", "localTime"), answer())
    system_time.set_to(client, datetime(2026, 11, 27, 13, 5, tzinfo=timezone(FIVE)), in_json=in_json)
    first, second = (sent.data or b"" for sent in client.sent)
    assert b"2026-11-27T13:05:00+05:00" in first
    assert second == first.replace(b"2026-11-27T13:05:00+05:00", b"2026-11-27T13:05:00")


def test_what_takes_effect_after_a_restart_is_done_and_not_sent_again() -> None:
    client = Prepared(refusal("rebootRequired", status_code=7, status=200))
    with pytest.raises(errors.RestartRequired) as caught:
        system_time.set_to(client, datetime(2026, 1, 1, tzinfo=UTC))
    assert (caught.value.code, len(client.sent)) == ("rebootrequired", 1)


def test_refused_setting_is_told() -> None:
    with pytest.raises(errors.Refused):
        system_time.set_to(Prepared(*[refusal("badParameters")] * 2), datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(errors.NoRight):
        system_time.set_to(Prepared(refusal("lowPrivilege")), datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(errors.Nonsense):
        system_time.set_to(Prepared(answer(b"")), datetime(2026, 1, 1, tzinfo=UTC))
