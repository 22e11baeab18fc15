"""What a terminal says about itself."""

import json

import pytest

from hikflask.isapi import device, errors
from hikflask.isapi.client import Answer, Client

from .helpers import Prepared, Reply, answer, recorded, terminal


def test_device_info_is_read_from_the_recording() -> None:
    client = Prepared(answer(recorded("other_terminals/deviceinfo_K1T341CMFW.xml")))
    assert device.info(client) == device.DeviceInfo(
        name="Access Controller",
        model="DS-K1T341CMFW",
        serial="DS-K1T341CMFW20230901V030315ENFH0000000",
        firmware="V3.3.15",
    )
    assert (client.sent[0].method, client.sent[0].path) == ("GET", "/ISAPI/System/deviceInfo")


def test_a_login_page_is_no_device_info() -> None:
    with pytest.raises(errors.Nonsense):
        device.info(Prepared(answer(b"<html><head/></html>")))


def test_limits_are_read_from_the_recording() -> None:
    client = Prepared(answer(recorded("other_terminals/userinfo_capabilities_K1A340FWX.json")))
    assert device.person_limits(client) == device.PersonLimits(name_bytes=128, people=1500)


@pytest.mark.parametrize(
    "given",
    [
        answer(b'{"UserInfo":{"name":"x"}}'),
        answer(b'{"UserInfo":{"name":{"@max":-1},"maxRecordNum":-1500}}'),
    ],
)
def test_a_terminal_that_tells_no_limits_has_none(given: Answer) -> None:
    assert device.person_limits(Prepared(given)) == device.PersonLimits(None, None)


def test_the_face_library_is_read_from_the_recording() -> None:
    client = Prepared(answer(recorded("seed_terminal/16_GET_Intelligent_FDLib_capabilities.response.json")))
    assert device.face_library(client) == device.FaceLibrary(1500, frozenset({"post", "delete", "get", "put", "setup"}))


@pytest.mark.parametrize("told", [b"{}", b'{"supportFDFunction":7}', b'{"supportFDFunction":""}'])
def test_a_face_library_that_lists_no_functions_has_none(told: bytes) -> None:
    assert device.face_library(Prepared(answer(told))) == device.FaceLibrary()


def test_device_info_in_json_is_read_as_well() -> None:
    words = {"deviceName": "Дверь", "model": "DS-K1T343M", "serialNumber": "S1", "firmwareVersion": "V4.48.0"}
    told = json.dumps({"DeviceInfo": words}, ensure_ascii=False).encode()
    with terminal(lambda *_: Reply(200, told, {"Content-Type": "application/json"})) as server:
        found = device.info(Client(server.url, "admin", "secret-pass"))
    assert found == device.DeviceInfo("Дверь", "DS-K1T343M", "S1", "V4.48.0")


@pytest.mark.parametrize("told", [b"{}", b'{"DeviceInfo":[]}', b'{"statusCode":1,"subStatusCode":"ok"}'])
def test_json_without_a_device_is_no_device_info(told: bytes) -> None:
    with pytest.raises(errors.Nonsense):
        device.info(Prepared(answer(told)))
