"""The names of calls: one for each call there is, and one for all pictures."""

import pytest

from hikflask.isapi import calls, device, door, errors, event_hosts, faces, persons, right_plans
from hikflask.isapi.client import Client

from .helpers import DigestTerminal, terminal


def test_call_is_named_after_its_path_and_every_picture_alike() -> None:
    assert calls.name_of(persons.RECORD) == "AccessControl/UserInfo/Record"
    assert calls.name_of(device.INFO) == "System/deviceInfo"
    assert {calls.name_of(how.value[1]) for how in faces.FaceCall} == {
        f"Intelligent/FDLib/{name}" for name in ("FDSetUp", "FaceDataRecord", "FDModify")
    }
    assert calls.name_of(f"{event_hosts.PATH}/2") == calls.name_of(event_hosts.PATH) == "Event/notification/httpHosts"
    assert calls.name_of(f"{right_plans.TEMPLATE}/10?format=json") == "AccessControl/UserRightPlanTemplate"
    assert calls.name_of(f"{door.CONTROL}/1") == "AccessControl/RemoteControl/door"
    assert calls.name_of(door.STATE) == "AccessControl/AcsWorkStatus"
    for path in (f"{event_hosts.PATH}/2/test", f"{event_hosts.PATH}/two"):
        assert calls.name_of(path) == "picture"
    for path in ("/LOCALS/pic/1.jpg@WEB1", "/ISAPI/AccessControl/UserInfo/Record/100222", "/ISAPI/made/up"):
        assert calls.name_of(path) == "picture"


def test_every_request_is_observed_with_its_path_and_time_also_without_an_answer() -> None:
    seen: list[tuple[str, float]] = []
    with terminal(DigestTerminal()) as server:
        client = Client(server.url, "admin", "secret-pass", observe=lambda *given: seen.append(given))
        client.request("GET", "/ISAPI/x?format=json")
    client.close()
    with pytest.raises(errors.Unreachable):
        client.request("GET", "/ISAPI/y")

    assert [path for path, _ in seen] == ["/ISAPI/x", "/ISAPI/y"]
    assert all(0 < seconds < 60 for _, seconds in seen)
