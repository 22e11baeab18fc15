from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from werkzeug.test import TestResponse

from hikflask.simulator import SEED, AnswerLost, SkippingClock, Terminal
from hikflask.simulator.profiles import PROFILES
from tests.simulator.conftest import BusyClock, Client

PATH = "/ISAPI/AccessControl/CaptureCardInfo"
CONDITION = (
    '<CaptureCardInfoCond version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">'
    "<cardReaderNo>1</cardReaderNo><timeout>{}</timeout></CaptureCardInfoCond>"
)


def by_get(client: Client) -> TestResponse:
    return client.ask("GET", f"{PATH}?format=json")


def by_post(client: Client, timeout: object = 20) -> TestResponse:
    return client.ask("POST", PATH, CONDITION.format(timeout), "application/xml")


def code_of(answer: TestResponse) -> tuple[int, str]:
    if answer.is_json:
        return answer.status_code, answer.get_json()["subStatusCode"]
    return answer.status_code, ElementTree.fromstring(answer.data).findtext("{*}subStatusCode") or ""


@pytest.fixture
def busy_clock() -> BusyClock:
    return BusyClock()


@pytest.fixture
def reader(busy_clock: BusyClock) -> Terminal:
    """The seed terminal; `busy_clock` says what happens while it waits."""
    return Terminal("Secret12", clock=busy_clock)


@pytest.fixture
def by_post_only(clock: SkippingClock) -> Terminal:
    return Terminal("Secret12", clock=clock, profile=PROFILES["K1T343M"])


def test_card_that_is_held_while_the_terminal_waits_is_read_and_opens_nothing(
    reader: Terminal, busy_clock: BusyClock, client_for: type[Client]
) -> None:
    busy_clock.meanwhile = lambda: reader.present_card("00aB12")

    answer = by_get(client_for(reader))

    assert answer.get_json() == {"CardInfo": {"cardNo": "00aB12", "cardType": "TypeA_M1", "readerID": 1}}
    assert reader.events.records == []


def test_card_may_be_held_as_soon_as_the_terminal_asks_and_is_read_once(terminal: Terminal, client: Client) -> None:
    outcome = terminal.present_card("77", when_asked=True)

    first, second = by_get(client), by_get(client)

    assert outcome is None
    assert first.get_json()["CardInfo"]["cardNo"] == "77"
    assert code_of(second) == (400, "captureTimeout")


def test_nobody_came_is_a_timeout_after_the_window(terminal: Terminal, client: Client, clock: SkippingClock) -> None:
    began = clock.now()

    answer = by_get(client)

    assert code_of(answer) == (400, "captureTimeout")
    assert answer.get_json()["statusCode"] == 3
    assert clock.now() - began == pytest.approx(terminal.profile.card_window)


def test_second_request_while_one_waits_is_busy(
    reader: Terminal, busy_clock: BusyClock, client_for: type[Client]
) -> None:
    others: list[TestResponse] = []
    busy_clock.meanwhile = lambda: others.append(by_get(client_for(reader)))

    by_get(client_for(reader))

    assert [code_of(other) for other in others] == [(400, "deviceBusy")]
    assert reader.card_reader.until is None


def test_restart_and_stop_end_the_request_that_waits_without_an_answer(
    reader: Terminal, busy_clock: BusyClock, client_for: type[Client]
) -> None:
    for ending in (reader.restart, reader.interrupt):
        busy_clock.meanwhile = ending

        with pytest.raises(AnswerLost):
            by_get(client_for(reader))

        assert reader.card_reader.until is None


def test_card_is_read_by_post_of_xml(by_post_only: Terminal, client_for: type[Client]) -> None:
    by_post_only.present_card("77", when_asked=True)

    answer = by_post(client_for(by_post_only))

    root = ElementTree.fromstring(answer.data)
    assert root.tag == "{http://www.isapi.org/ver20/XMLSchema}CardInfo"
    assert [(child.tag.rpartition("}")[2], child.text) for child in root] == [
        ("cardNo", "77"),
        ("cardType", "TypeA_M1"),
        ("readerID", "1"),
    ]


@pytest.mark.parametrize(("timeout", "seconds"), [(20, 20), (60, 30), ("", 30)])
def test_post_waits_no_longer_than_it_asks_for(
    by_post_only: Terminal, client_for: type[Client], clock: SkippingClock, timeout: object, seconds: float
) -> None:
    answer = by_post(client_for(by_post_only), timeout)

    assert code_of(answer) == (400, "captureTimeout")
    assert clock.now() == pytest.approx(seconds)


def test_post_of_something_else_is_refused(by_post_only: Terminal, client_for: type[Client]) -> None:
    answer = client_for(by_post_only).ask("POST", PATH, "<Other/>", "application/xml")

    assert code_of(answer) == (400, "badXmlContent")


def test_each_model_has_one_method_or_none(clock: SkippingClock, client_for: type[Client]) -> None:
    answers = {}
    for how in ("get", "post", "none"):
        client = client_for(Terminal("Secret12", clock=clock, profile=replace(SEED, card_capture=how)))
        answers[how] = code_of(by_get(client))[1], code_of(by_post(client))[1]

    assert answers == {
        "get": ("captureTimeout", "methodNotAllowed"),
        "post": ("methodNotAllowed", "captureTimeout"),
        "none": ("notSupport", "notSupport"),
    }


def test_capabilities_are_the_recorded_ones_and_of_a_model_without_it_none(
    client: Client, clock: SkippingClock, client_for: type[Client], recordings: Path
) -> None:
    seed = recordings / "seed_terminal"
    without = client_for(Terminal("Secret12", clock=clock, profile=replace(SEED, card_capture="none")))
    flags = "/ISAPI/AccessControl/capabilities"

    recorded = (seed / "19_GET_AccessControl_CaptureCardInfo_capabilities.response.json").read_bytes()
    assert client.ask("GET", f"{PATH}/capabilities?format=json").data == recorded
    assert client.ask("GET", flags).data == (seed / "00_GET_AccessControl_capabilities.response.xml").read_bytes()
    assert code_of(without.ask("GET", f"{PATH}/capabilities?format=json")) == (404, "notSupport")
    root = ElementTree.fromstring(without.ask("GET", flags).data)
    assert root.find("{*}isSupportCaptureCardInfo") is None
    assert root.findtext("{*}isSupportCardInfo") == "true"
