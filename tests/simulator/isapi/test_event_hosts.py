from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from werkzeug.test import TestResponse

from hikflask.simulator import SEED, SkippingClock, Terminal
from hikflask.simulator.event_traps import PushTraps
from tests.simulator.conftest import Client

Play = Callable[..., tuple[Terminal, Client]]
Sample = Callable[[str], str]

HOSTS = "/ISAPI/Event/notification/httpHosts"
EMPTY = ("", "HTTP", "0.0.0.0", "0")


@pytest.fixture
def play(clock: SkippingClock, client_for: type[Client]) -> Play:
    """Play a terminal with traps: it and its client."""

    def start(**traps: Any) -> tuple[Terminal, Client]:
        terminal = Terminal("Secret12", clock=clock, profile=replace(SEED, push=PushTraps(**traps)))
        return terminal, client_for(terminal)

    return start


@pytest.fixture
def sample(recordings: Path) -> Sample:
    return lambda name: (recordings / "events" / name).read_text()


def body(
    number: int = 1,
    address: str = "192.0.2.10",
    port: str = "8080",
    url: str = "/in/1",
    more: str = "",
    name: str = "ipAddress",
) -> str:
    kind = "ipaddress" if name == "ipAddress" else "hostname"
    return (
        f"<HttpHostNotification><id>{number}</id><url>{url}</url><protocolType>HTTP</protocolType>"
        f"<addressingFormatType>{kind}</addressingFormatType><{name}>{address}</{name}><portNo>{port}</portNo>{more}"
        "</HttpHostNotification>"
    )


def slots(client: Client) -> list[tuple[str | None, ...]]:
    root = ElementTree.fromstring(client.ask("GET", f"{HOSTS}?format=json").data)
    names = ("url", "protocolType", "ipAddress", "portNo")
    return [tuple(slot.findtext(f"{{*}}{name}") for name in names) for slot in root]


def code(answer: TestResponse) -> tuple[int, str | None, str | None]:
    root = ElementTree.fromstring(answer.data)
    return answer.status_code, root.findtext("{*}subStatusCode"), root.findtext("{*}errorMsg")


def names(element: ElementTree.Element) -> tuple[str, list[Any]]:
    return element.tag, [names(child) for child in element]


def test_list_has_the_recorded_fields_and_every_slot(play: Play, sample: Sample) -> None:
    _, client = play(slots=1)

    answer = ElementTree.fromstring(client.ask("GET", f"{HOSTS}?format=json").data)

    assert names(answer) == names(ElementTree.fromstring(sample("20_httphosts_get_k1a340fwx.xml")))
    assert slots(play(slots=3)[1]) == [EMPTY] * 3


def test_one_slot_is_written_and_cleared_and_the_other_stays(play: Play, sample: Sample) -> None:
    terminal, client = play()
    client.ask("PUT", f"{HOSTS}/2", body(2, "192.0.2.99"))

    written = client.ask("PUT", f"{HOSTS}/1", sample("21_httphosts_put_k1t341cmfw.xml"))
    shown = ElementTree.fromstring(client.ask("GET", f"{HOSTS}/1").data)

    assert (written.status_code, "<subStatusCode>ok<" in written.text) == (200, True)
    assert slots(client) == [("/in/1/SECRET", "HTTP", "192.0.2.10", "8080"), ("/in/1", "HTTP", "192.0.2.99", "8080")]
    assert shown.findtext(".//{*}minorEvent") == "0x4b,0x4c,0x1,0x26,0x27"
    client.ask("PUT", f"{HOSTS}/2", sample("22_httphosts_clear_slot.xml"))
    assert slots(client)[1] == EMPTY
    assert [host.is_empty for host in terminal.push.hosts] == [False, True]


def test_password_is_never_told(play: Play, sample: Sample) -> None:
    terminal, client = play()

    client.ask("PUT", f"{HOSTS}/1", sample("26_httphosts_put_k1t808_basic.xml"))

    assert terminal.push.hosts[0].password == "8to16characters"
    shown = client.ask("GET", HOSTS).text
    assert "<userName>terminal</userName>" in shown
    assert "8to16characters" not in shown


@pytest.mark.parametrize(
    ("sent", "refusal"),
    [
        ('{"HttpHostNotification": {}}', "badXmlFormat"),
        ("<Host/>", "Host"),
        (body(address="server"), "ipAddress"),
        (body(port="70000"), "portNo"),
        (body(port="eighty"), "portNo"),
        (body(url="/" + 128 * "x"), "url"),
        (body(more="<password>short</password>"), "password"),
        (
            body(
                more="<SubscribeEvent><EventList><Event><minorEvent>face</minorEvent></Event></EventList></SubscribeEvent>"
            ),
            "minorEvent",
        ),
    ],
)
def test_wrong_host_is_refused_and_nothing_changes(play: Play, sent: str, refusal: str) -> None:
    _, client = play()

    answer = code(client.ask("PUT", f"{HOSTS}/1", sent))

    assert answer[0] == 400
    assert refusal in answer
    assert slots(client) == [EMPTY, EMPTY]


def test_slot_that_is_not_there_is_not_supported(play: Play) -> None:
    _, client = play(slots=1)

    assert code(client.ask("PUT", f"{HOSTS}/2", body(2)))[:2] == (404, "notSupport")
    assert code(client.ask("PUT", HOSTS, f"<HttpHostNotificationList>{body(2)}</HttpHostNotificationList>")) == (
        400,
        "badXmlContent",
        "id",
    )


def test_test_says_whether_there_is_a_host(play: Play, sample: Sample) -> None:
    _, client = play()
    before = client.ask("POST", f"{HOSTS}/1/test")
    client.ask("PUT", f"{HOSTS}/1", body())

    after = ElementTree.fromstring(client.ask("POST", f"{HOSTS}/1/test").data)

    assert "Connection refused" in before.text
    assert after.findtext("{*}errorDescription") == "ok"
    assert names(after) == names(ElementTree.fromstring(sample("24_httphosts_test_ok.xml")))


def test_capabilities_tell_the_slots_and_what_can_be_subscribed_to(play: Play, sample: Sample) -> None:
    _, client = play(slots=3, takes_https=False)

    root = ElementTree.fromstring(client.ask("GET", f"{HOSTS}/capabilities").data)
    subscription = client.ask("GET", "/ISAPI/Event/notification/subscribeEventCap")

    protocols = root.find("{*}protocolType")
    assert protocols is not None
    assert (root.findtext("{*}hostNumber"), protocols.get("opt")) == ("3", "HTTP")
    assert subscription.text == sample("25_subscribe_cap_k1a340fwx.xml")


def test_delete_clears_every_slot_where_there_is_such_a_method(play: Play) -> None:
    terminal, client = play()
    terminal.listen_elsewhere()

    client.ask("DELETE", HOSTS)

    assert slots(client) == [EMPTY, EMPTY]
    assert code(play(takes_delete=False)[1].ask("DELETE", HOSTS))[:2] == (400, "methodNotAllowed")


def test_host_is_accepted_and_its_path_is_not_kept(play: Play) -> None:
    _, client = play(keeps_url=False)

    client.ask("PUT", f"{HOSTS}/1", body(more="<httpBroken>true</httpBroken>"))

    assert slots(client)[0] == ("", "HTTP", "192.0.2.10", "8080")
    assert "httpBroken" not in client.ask("GET", HOSTS).text


def test_name_is_refused_where_only_an_address_is_taken(play: Play) -> None:
    named = body(address="hikflask.example", name="hostName")

    assert play()[1].ask("PUT", f"{HOSTS}/1", named).status_code == 200
    _, client = play(takes_hostname=False, can_test=False)
    assert code(client.ask("PUT", f"{HOSTS}/1", named)) == (400, "badXmlContent", "ipAddress")
    assert code(client.ask("POST", f"{HOSTS}/1/test"))[:2] == (400, "invalidOperation")


def test_first_slot_keeps_its_values_of_ehome(play: Play, sample: Sample) -> None:
    _, client = play(needs_ehome=True)
    own = sample("23_httphosts_put_list_k1a8503mf.xml")

    assert code(client.ask("PUT", HOSTS, own.replace("15300", "0"))) == (400, "badXmlContent", "protocolType")
    assert code(client.ask("PUT", f"{HOSTS}/2", body(2, port="80"))) == (400, "badXmlContent", "portNo")
    client.ask("PUT", HOSTS, own)
    assert slots(client) == [("", "EHome", "0.0.0.0", "15300"), ("/in/1", "HTTP", "192.0.2.10", "8088")]


def test_list_is_ok_and_lands_in_another_slot(play: Play) -> None:
    terminal, client = play(list_lands_elsewhere=True)
    terminal.listen_elsewhere()

    answer = client.ask("PUT", HOSTS, f"<HttpHostNotificationList>{body()}</HttpHostNotificationList>")

    assert "<subStatusCode>ok<" in answer.text
    assert slots(client) == [EMPTY, EMPTY]


def test_host_is_added_to_an_empty_slot_and_cleared_alone(play: Play) -> None:
    _, client = play()
    client.ask("PUT", f"{HOSTS}/1", body(1, "192.0.2.9"))

    added = client.ask("POST", HOSTS, body(1, "192.0.2.10"))
    full = client.ask("POST", HOSTS, body(1, "192.0.2.11"))

    assert (added.status_code, code(full)) == (200, (400, "badXmlContent", "id"))
    assert [slot[2] for slot in slots(client)] == ["192.0.2.9", "192.0.2.10"]
    assert client.ask("DELETE", f"{HOSTS}/1").status_code == 200
    assert [slot[2] for slot in slots(client)] == ["0.0.0.0", "192.0.2.10"]
    assert code(client.ask("DELETE", f"{HOSTS}/3"))[1] == "notSupport"


def test_model_that_adds_and_clears_no_host_refuses_the_methods(play: Play) -> None:
    _, client = play(takes_delete=False)
    for method, path in (("POST", HOSTS), ("DELETE", HOSTS), ("DELETE", f"{HOSTS}/1")):
        assert code(client.ask(method, path, body()))[1] == "methodNotAllowed"


def test_list_of_events_names_all_four_kinds(play: Play, sample: Sample) -> None:
    _, client = play(needs_all_minors=True)
    right = sample("21_httphosts_put_k1t341cmfw.xml")

    assert client.ask("PUT", f"{HOSTS}/1", right).status_code == 200
    wrong = right.replace("<minorAlarm></minorAlarm>", "")
    assert code(client.ask("PUT", f"{HOSTS}/1", wrong)) == (400, "MessageParametersLack", "minorAlarm")


def test_format_reads_back_empty(play: Play) -> None:
    _, client = play(tells_no_format=True)

    client.ask("PUT", f"{HOSTS}/1", body(more="<parameterFormatType>JSON</parameterFormatType>"))

    assert "<parameterFormatType></parameterFormatType>" in client.ask("GET", HOSTS).text
