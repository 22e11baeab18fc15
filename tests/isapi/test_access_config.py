"""The switches of a terminal: only what is asked for changes, and the whole is sent back."""

import json
from typing import Any

import pytest

from hikflask.isapi import access_config, errors
from hikflask.isapi.answer import Answer

from .helpers import Prepared, answer, recorded, refusal

SEED = recorded("seed_terminal/13_GET_AccessControl_AcsCfg.response.json")
MODE = json.loads(recorded("events/63_event_storage.json"))["get"]


def sent(client: Prepared) -> dict[str, Any]:
    """The body of the only request that writes."""
    (call,) = [call for call in client.sent if call.method != "GET"]
    body: dict[str, Any] = json.loads(call.data or b"")
    return body


def storage(**words: object) -> Answer:
    return answer(json.dumps({"EventStorageCfg": {**MODE["EventStorageCfg"], **words}}).encode())


def test_switches_are_what_is_on_or_off() -> None:
    read = access_config.switches(Prepared(answer(SEED)))
    assert read["saveCapPic"] is True
    assert read["showEmployeeNo"] is False
    assert "protocol" not in read
    assert "remoteCheckTimeout" not in read
    assert len(read) == 18
    simple = recorded("events/62_acscfg_k1a340fwx.json")
    assert access_config.switches(Prepared(answer(simple))) == json.loads(simple)["AcsCfg"]


def test_only_the_changes_are_made_and_the_whole_is_sent_back() -> None:
    client = Prepared(answer(SEED), answer())
    access_config.set_switches(client, {"saveCapPic": False, "showName": True})

    assert [(call.method, call.path) for call in client.sent] == [
        ("GET", "/ISAPI/AccessControl/AcsCfg?format=json"),
        ("PUT", "/ISAPI/AccessControl/AcsCfg?format=json"),
    ]
    whole = json.loads(SEED)["AcsCfg"]
    assert sent(client) == {"AcsCfg": {**whole, "saveCapPic": False}}
    assert list(sent(client)["AcsCfg"]) == list(whole)


def test_nothing_is_sent_when_it_is_so_already_or_a_switch_is_missing() -> None:
    client = Prepared(answer(SEED))
    access_config.set_switches(client, {"saveCapPic": True})
    assert [call.method for call in client.sent] == ["GET"]

    client = Prepared(answer(SEED))
    with pytest.raises(errors.NotSupported):
        access_config.set_switches(client, {"saveCapPic": False, "protocol": True})
    assert [call.method for call in client.sent] == ["GET"]


def test_a_terminal_without_switches_says_so() -> None:
    with pytest.raises(errors.NotSupported):
        access_config.switches(Prepared(refusal("notSupport", status=404, status_code=4)))
    with pytest.raises(errors.Nonsense):
        access_config.switches(Prepared(answer(b'{"AcsCfg": []}')))
    with pytest.raises(errors.Refused):
        access_config.set_switches(Prepared(answer(SEED), refusal("badParameters")), {"saveCapPic": False})


def test_hostile_names_are_no_switches() -> None:
    words = {"<b>": True, "x" * 65: True, "": True, "a b": True, "ok": True, "one": 1} | {
        f"s{n}": True for n in range(200)
    }
    read = access_config.switches(Prepared(answer(json.dumps({"AcsCfg": words}).encode())))
    assert len(read) == access_config.MAX_SWITCHES
    assert {"ok", "s0"} <= set(read)
    assert not {"<b>", "", "a b", "one"} & set(read)


def test_the_mode_of_storing_is_read_and_set() -> None:
    assert access_config.storage_mode(Prepared(storage())) == "cycle"
    assert access_config.storage_mode(Prepared(storage(mode="later"))) == ""
    assert access_config.storage_mode(Prepared(storage(mode=["cycle"]))) == ""

    client = Prepared(storage(mode="regular", period=10), answer())
    access_config.set_storage_mode(client, "cycle")
    assert sent(client) == {"EventStorageCfg": {"mode": "cycle", "period": 10}}
    assert client.sent[1].path == "/ISAPI/AccessControl/AcsEvent/StorageCfg?format=json"

    client = Prepared(storage())
    access_config.set_storage_mode(client, "cycle")
    assert [call.method for call in client.sent] == ["GET"]
    with pytest.raises(ValueError, match="regular, time, cycle"):
        access_config.set_storage_mode(client, "never")
