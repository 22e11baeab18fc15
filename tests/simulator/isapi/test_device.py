from dataclasses import replace
from xml.etree import ElementTree

import pytest

from hikflask.simulator import SEED, Terminal, faces

INFO = "/ISAPI/System/deviceInfo"


@pytest.mark.parametrize(("query", "is_json"), [("?format=json", True), ("", False)])
def test_device_info_is_json_where_firmware_can_and_is_asked(clock, client_for, query, is_json):
    client = client_for(Terminal("Secret12", clock=clock, profile=replace(SEED, device_info_json=True)))

    answer = client.ask("GET", INFO + query)

    assert answer.is_json is is_json
    if is_json:
        assert answer.get_json()["DeviceInfo"]["model"] == "DS-K1T343EFWX"
    else:
        assert ElementTree.fromstring(answer.data).findtext("{*}model") == "DS-K1T343EFWX"


def test_reboot_loses_the_captured_file_and_the_login_and_keeps_the_people(terminal, client):
    client.add_person()
    terminal.camera.store(faces.draw("anna"))

    answer = client.ask("PUT", "/ISAPI/System/reboot")

    assert "<subStatusCode>ok</subStatusCode>" in answer.text
    assert (terminal.file, list(terminal.people)) == (None, ["100222"])
    assert client.open("GET", INFO).status_code == 401


@pytest.mark.parametrize(("given", "told"), [("", "0000000"), ("0000007", "0000007")])
def test_devices_of_one_model_are_told_apart_by_the_serial(clock, client_for, given, told):
    answer = client_for(Terminal("Secret12", clock=clock, serial=given)).ask("GET", INFO)

    serial = ElementTree.fromstring(answer.data).findtext("{*}serialNumber")

    assert serial.startswith("DS-K1T343EFWX")
    assert serial.endswith(told)
