"""Where a terminal pushes its events to: every slot is read, and one alone is written."""

from xml.etree import ElementTree

import pytest

from hikflask.isapi import errors, event_hosts
from hikflask.isapi.answer import Answer
from hikflask.isapi.event_hosts import Host

from .helpers import Prepared, answer, recorded, refusal

DONE = answer(
    b'<ResponseStatus version="2.0"><statusCode>1</statusCode><subStatusCode>ok</subStatusCode></ResponseStatus>'
)
CAPABILITIES = answer(recorded("events/25_subscribe_cap_k1a340fwx.xml"))
NO_CAPABILITIES = refusal("notSupport", status=404, status_code=4)


def listed(*slots: str) -> Answer:
    inner = "".join(f"<HttpHostNotification>{slot}</HttpHostNotification>" for slot in slots)
    return answer(f"<HttpHostNotificationList>{inner}</HttpHostNotificationList>".encode())


def words(body: bytes) -> list[tuple[str, str]]:
    """The elements of a body with their texts, in order."""
    return [
        (element.tag.rpartition("}")[2], (element.text or "").strip())
        for element in ElementTree.fromstring(body).iter()
    ]


def test_the_empty_slot_of_a_recorded_terminal_is_read() -> None:
    client = Prepared(answer(recorded("events/20_httphosts_get_k1a340fwx.xml")))
    (host,) = event_hosts.hosts(client)
    assert host == Host(slot=1, address="0.0.0.0", port=0, url="", protocol="HTTP")
    assert host.is_empty
    assert [(sent.method, sent.path) for sent in client.sent] == [("GET", "/ISAPI/Event/notification/httpHosts")]


def test_all_slots_are_read_also_those_of_another_protocol() -> None:
    read = event_hosts.hosts(Prepared(answer(recorded("events/23_httphosts_put_list_k1a8503mf.xml"))))
    assert read == [Host(1, "0.0.0.0", 15300, "", "EHome"), Host(2, "192.0.2.10", 8088, "/in/1", "HTTP")]
    assert [host.is_empty for host in read] == [True, False]


@pytest.mark.parametrize(
    ("slot", "host"),
    [
        (
            "<id>3</id><url>/x</url><protocolType>HTTPS</protocolType><addressingFormatType>hostname"
            "</addressingFormatType><hostName>spy.example</hostName><ipAddress>0.0.0.0</ipAddress><portNo>443</portNo>",
            Host(3, "spy.example", 443, "/x", "HTTPS"),
        ),
        (
            "<id>1</id><addressingFormatType>ipaddress</addressingFormatType><ipAddress>0.0.0.0</ipAddress>"
            "<hostName>spy.example</hostName>",
            Host(1, "spy.example", 0, "", ""),
        ),
        ("<url>https://spy.example/in</url>", Host(1, "spy.example", 0, "https://spy.example/in", "")),
        ("<url>spy.example/in</url>", Host(1, "spy.example", 0, "spy.example/in", "")),
        ("<url>//spy.example</url>", Host(1, "spy.example", 0, "//spy.example", "")),
        ("<url>http://[spy</url>", Host(1, "http://[spy", 0, "http://[spy", "")),
        ("<ipv6Address>2001:db8::1</ipv6Address><portNo>80</portNo>", Host(1, "2001:db8::1", 80, "", "")),
        ("<ipAddress>0.0.0.0</ipAddress><url>/in/1</url>", Host(1, "0.0.0.0", 0, "/in/1", "")),
        ("<ipAddress>0.0.0.0</ipAddress><url>in/1</url>", Host(1, "0.0.0.0", 0, "in/1", "")),
        ("<id>x</id><portNo>-1</portNo>", Host(1, "", 0, "", "")),
    ],
)
def test_an_address_is_found_wherever_it_stands(slot: str, host: Host) -> None:
    (read,) = event_hosts.hosts(Prepared(listed(slot)))
    assert read == host
    assert read.is_empty is (host.address in {"", "0.0.0.0"})


def test_one_slot_alone_is_a_list_of_one_and_anything_else_is_nonsense() -> None:
    alone = answer(b"<HttpHostNotification><id>2</id><ipAddress>192.0.2.1</ipAddress></HttpHostNotification>")
    assert event_hosts.hosts(Prepared(alone)) == [Host(2, "192.0.2.1", 0, "", "")]
    assert event_hosts.hosts(Prepared(listed())) == []
    for body in (b"", b"{}", b"<DeviceInfo/>", b"<HttpHostNotificationList>"):
        with pytest.raises(errors.Nonsense):
            event_hosts.hosts(Prepared(answer(body)))


def test_a_slot_is_written_as_recorded_with_its_four_lists_even_when_empty() -> None:
    client = Prepared(NO_CAPABILITIES, DONE)
    event_hosts.set_host(client, 1, address="192.0.2.10", port=8080, url="/in/1/SECRET")

    sent = client.sent[1]
    assert (sent.method, sent.path, sent.content_type) == (
        "PUT",
        "/ISAPI/Event/notification/httpHosts/1",
        "application/xml",
    )
    expected = recorded("events/21_httphosts_put_k1t341cmfw.xml").replace(b">json<", b">JSON<")
    assert words(sent.data or b"") == words(
        expected.replace(b"0x4b,0x4c,0x1,0x26,0x27", b"0x1,0x9,0x26,0x27,0x4b,0x4c")
    )


def test_only_what_happens_at_the_door_and_the_terminal_knows_is_subscribed_to() -> None:
    client = Prepared(CAPABILITIES, DONE)
    event_hosts.set_host(client, 2, address="192.0.2.10", port=8443, url="/a?b&c", protocol="HTTPS")

    written = dict(words(client.sent[1].data or b""))
    assert written["minorEvent"] == "0x1,0x6,0x7,0x8,0x9,0x26,0x27,0x31,0x4b,0x4c,0x68,0x99"
    assert (written["minorAlarm"], written["minorException"], written["minorOperation"]) == ("", "", "")
    assert (written["id"], written["url"], written["protocolType"]) == ("2", "/a?b&c", "HTTPS")


def test_a_terminal_that_is_busy_is_asked_later() -> None:
    with pytest.raises(errors.Busy):
        event_hosts.set_host(
            Prepared(refusal("deviceBusy", status_code=2)), 1, address="192.0.2.10", port=80, url="/in"
        )


def test_a_slot_is_cleared_as_recorded_and_no_other_is_touched() -> None:
    client = Prepared(DONE)
    event_hosts.clear_host(client, 2)
    assert [(sent.method, sent.path) for sent in client.sent] == [("PUT", "/ISAPI/Event/notification/httpHosts/2")]
    assert words(client.sent[0].data or b"") == words(recorded("events/22_httphosts_clear_slot.xml"))


def test_a_slot_that_is_for_ehome_alone_is_cleared_as_such() -> None:
    client = Prepared(refusal("badXmlContent", "protocolType"), DONE)
    event_hosts.clear_host(client, 1)
    written = dict(words(client.sent[1].data or b""))
    assert (written["protocolType"], written["ipAddress"], written["portNo"]) == ("EHome", "0.0.0.0", "15300")

    for reply in (NO_CAPABILITIES, refusal("deviceBusy", status_code=2)):
        client = Prepared(reply)
        with pytest.raises(errors.Refused):
            event_hosts.clear_host(client, 1)
        assert len(client.sent) == 1


def test_what_is_confirmed_by_http_alone_is_not_done() -> None:
    with pytest.raises(errors.Nonsense):
        event_hosts.clear_host(Prepared(answer(b"")), 1)
    refused = answer(b"<ResponseStatus><statusCode>6</statusCode></ResponseStatus>")
    with pytest.raises(errors.Refused):
        event_hosts.clear_host(Prepared(refused, refused), 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "server.example"},
        {"address": "2001:db8::1"},
        {"port": 0},
        {"port": 65536},
        {"url": "in/1"},
        {"url": "/" + "x" * 128},
        {"protocol": "EHome"},
    ],
)
def test_what_no_terminal_takes_is_never_sent(wrong: dict[str, object]) -> None:
    client = Prepared()
    given = {"address": "192.0.2.10", "port": 8080, "url": "/in/1"} | wrong
    with pytest.raises(ValueError, match=r"."):
        event_hosts.set_host(client, 1, **given)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="slots"):
        event_hosts.clear_host(client, 0)
    assert client.sent == []
