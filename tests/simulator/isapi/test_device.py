import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from hikflask.simulator import SEED, SkippingClock, Terminal, faces
from tests.simulator.conftest import Client

INFO = "/ISAPI/System/deviceInfo"


@pytest.mark.parametrize(("query", "is_json"), [("?format=json", True), ("", False)])
def test_device_info_is_json_where_firmware_can_and_is_asked(
    clock: SkippingClock, client_for: type[Client], query: str, is_json: bool
) -> None:
    client = client_for(Terminal("Secret12", clock=clock, profile=replace(SEED, device_info_json=True)))

    answer = client.ask("GET", INFO + query)

    assert answer.is_json is is_json
    if is_json:
        assert answer.get_json()["DeviceInfo"]["model"] == "DS-K1T343EFWX"
    else:
        assert ElementTree.fromstring(answer.data).findtext("{*}model") == "DS-K1T343EFWX"


def test_reboot_loses_the_captured_file_and_the_login_and_keeps_the_people(terminal: Terminal, client: Client) -> None:
    client.add_person()
    terminal.camera.store(faces.draw("anna"))

    answer = client.ask("PUT", "/ISAPI/System/reboot")

    assert "<subStatusCode>ok</subStatusCode>" in answer.text
    assert (terminal.file, list(terminal.people)) == (None, ["100222"])
    assert client.open("GET", INFO).status_code == 401


def test_zone_is_told_in_plain_text(terminal: Terminal, client: Client) -> None:
    terminal.wall_clock.zone = "CST-5:00:00"

    answer = client.ask("GET", "/ISAPI/System/time/timeZone")

    assert (answer.mimetype, answer.text) == ("text/plain", "CST-5:00:00")


def test_user_check_accepts_who_has_logged_in(client: Client) -> None:
    answer = ElementTree.fromstring(client.ask("GET", "/ISAPI/Security/userCheck").data)

    words = [(child.tag.rpartition("}")[2], child.text) for child in answer]
    assert words[:2] == [("statusValue", "200"), ("statusString", "OK")]
    assert words[2:] == [("isDefaultPassword", "false"), ("isRiskPassword", "false"), ("isActivated", "true")]


@pytest.mark.parametrize("as_json", [False, True])
def test_clock_is_told_and_set_in_one_dialect(clock: SkippingClock, client_for: type[Client], as_json: bool) -> None:
    terminal = Terminal("Secret12", clock=clock, profile=replace(SEED, time_json=as_json))
    client = client_for(terminal)
    words = {"timeMode": "manual", "localTime": "2026-11-27T17:05:00+05:00", "timeZone": "CST-5:00:00"}
    root = "".join(f"<{name}>{value}</{name}>" for name, value in words.items())
    body = json.dumps({"Time": words}) if as_json else f"<Time>{root}</Time>"

    assert "ok" in client.ask("PUT", "/ISAPI/System/time", body).text
    told = client.ask("GET", "/ISAPI/System/time")

    assert told.is_json is as_json
    shown = (
        told.get_json()["Time"]
        if as_json
        else {name: ElementTree.fromstring(told.data).findtext(f"{{*}}{name}", "") for name in words}
    )
    assert shown["localTime"].startswith("2026-11-27T17:05:0")
    assert (shown["timeMode"], shown["timeZone"]) == ("manual", "CST-5:00:00")


@pytest.mark.parametrize(("event", "minutes"), [("clock-fast", 5), ("clock-slow", -5)])
def test_clock_goes_wrong_at_the_screen(terminal: Terminal, event: str, minutes: int) -> None:
    terminal.trigger(event)
    assert terminal.wall_clock.drift.total_seconds() == minutes * 60


@pytest.mark.parametrize(("given", "told"), [("", "0000000"), ("0000007", "0000007")])
def test_devices_of_one_model_are_told_apart_by_the_serial(
    clock: SkippingClock, client_for: type[Client], given: str, told: str
) -> None:
    answer = client_for(Terminal("Secret12", clock=clock, serial=given)).ask("GET", INFO)

    serial = ElementTree.fromstring(answer.data).findtext("{*}serialNumber", "")

    assert serial.startswith("DS-K1T343EFWX")
    assert serial.endswith(told)


def test_reboot_and_a_clock_that_is_set_are_in_the_log(terminal: Terminal, client: Client) -> None:
    for mode in ("manual", "NTP"):
        client.ask("PUT", "/ISAPI/System/time", f"<Time><timeMode>{mode}</timeMode></Time>")
    client.ask("PUT", "/ISAPI/System/reboot")

    assert [(record.major, record.minor) for record in terminal.events.records] == [
        (3, 1028),
        (3, 1029),
        (3, 123),
        (2, 1024),
    ]
