"""The door of a terminal: what it tells of it, and the one request that opens it."""

import inspect
import json
from typing import Any

import pytest

from hikflask.isapi import door, errors
from hikflask.isapi.answer import Answer
from hikflask.isapi.door import Doors, DoorState

from .helpers import OK, Prepared, answer, refusal

CAPABILITIES = (
    '<?xml version="1.0" encoding="UTF-8"?><RemoteControlDoor version="2.0" '
    'xmlns="http://www.isapi.org/ver20/XMLSchema"><doorNo min="1" max="{most}"/><cmd opt="{commands}"/>'
    "</RemoteControlDoor>"
)
ONE = Doors(1)


def told(**words: Any) -> DoorState:
    return door.state(Prepared(answer(json.dumps({"AcsWorkStatus": words}).encode())))


def capabilities(most: object = 1, commands: str = "open,close,alwaysOpen,alwaysClose") -> Answer:
    return answer(CAPABILITIES.format(most=most, commands=commands).encode(), content_type="application/xml")


def test_lock_mode_and_an_open_contact_are_read() -> None:
    assert told(doorLockStatus=[1], doorStatus=[2], magneticStatus=[1]) == DoorState("unlocked", "free", "open")
    assert told(doorLockStatus=[0], doorStatus=[3], magneticStatus=[3]) == DoorState("locked", "disabled", "fault")
    assert told(doorLockStatus=[2], doorStatus=[1]) == DoorState("fault", "sleeping", "")
    assert told(doorLockStatus=0, doorStatus="4") == DoorState("locked", "normal", "")


def test_contact_that_stays_0_says_nothing_so_the_door_is_never_shut() -> None:
    assert told(doorLockStatus=[0], doorStatus=[4], magneticStatus=[0]).contact == ""


@pytest.mark.parametrize("odd", [[], None, [9], "much", {"1": 0}, [[0]], [True], -1])
def test_what_is_not_readable_of_a_door_is_not_told(odd: object) -> None:
    assert told(doorLockStatus=odd, doorStatus=odd, magneticStatus=odd) == DoorState("", "", "")
    with pytest.raises(errors.Nonsense):
        door.state(Prepared(answer(b"{}")))


def test_doors_are_as_many_as_the_terminal_counts_and_all_of_them_is_no_number() -> None:
    assert door.doors(Prepared(capabilities())) == Doors(1)
    assert door.doors(Prepared(capabilities(2))) == Doors(2)
    for odd in (65535, 0, "", "many"):
        assert door.doors(Prepared(capabilities(odd))) == Doors(1), odd
    assert door.doors(Prepared(answer(b"<RemoteControlDoor/>", content_type="application/xml"))) == Doors(1)


def test_terminal_that_does_not_list_the_command_has_no_door_to_open() -> None:
    with pytest.raises(errors.NotSupported):
        door.doors(Prepared(capabilities(commands="close,alwaysOpen")))
    with pytest.raises(errors.NotSupported):
        door.doors(Prepared(refusal("notSupport", status=404)))


def test_door_opens_by_one_request_in_the_documented_form() -> None:
    client = Prepared(answer(OK))

    door.open_door(client, ONE, 1)

    (sent,) = client.sent
    assert (sent.method, sent.path) == ("PUT", "/ISAPI/AccessControl/RemoteControl/door/1")
    assert sent.content_type == "application/xml"
    assert sent.data == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<RemoteControlDoor version="2.0" '
        b'xmlns="http://www.isapi.org/ver20/XMLSchema"><cmd>open</cmd></RemoteControlDoor>'
    )


@pytest.mark.parametrize("number", [0, -1, 2, 65535])
def test_another_door_than_the_terminal_has_cannot_be_asked_for(number: int) -> None:
    client = Prepared()

    with pytest.raises(ValueError, match="no such door"):
        door.open_door(client, ONE, number)

    assert client.sent == []


def test_no_other_command_can_be_said() -> None:
    assert list(inspect.signature(door.open_door).parameters) == ["client", "doors", "number"]
    assert not [word for word in ("alwaysOpen", "alwaysClose", "resume", "65535") if word in door.OPEN]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (errors.NoAnswer(), errors.NoAnswer),
        (answer(b"<html/>"), errors.Nonsense),
        (refusal("deviceBusy", status_code=2), errors.Busy),
        (refusal("remoteDoorFunctionDisable"), errors.Refused),
    ],
    ids=["lost", "no status", "busy", "switched off"],
)
def test_door_is_asked_once_whatever_is_answered(reply: Answer | Exception, kind: type[Exception]) -> None:
    client = Prepared(reply)

    with pytest.raises(kind):
        door.open_door(client, ONE, 1)

    assert len(client.sent) == 1


def test_refusal_of_a_door_that_is_switched_off_has_its_own_word() -> None:
    with pytest.raises(errors.Refused) as refused:
        door.open_door(Prepared(refusal("remoteDoorFunctionDisable")), ONE, 1)

    assert refused.value.code == "remotedoorfunctiondisable"
