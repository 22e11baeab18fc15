import pytest

from hikflask.simulator.terminal.door import OPEN_SECONDS

DOOR = "/ISAPI/AccessControl/RemoteControl/door/1"
STATUS = "/ISAPI/AccessControl/AcsWorkStatus?format=json"


def tell(talk, command, root="RemoteControlDoor"):
    body = f'<{root} version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><cmd>{command}</cmd></{root}>'
    return talk.ask("PUT", DOOR, body)


def shown(talk):
    status = talk.ask("GET", STATUS).get_json()["AcsWorkStatus"]
    return status["doorLockStatus"], status["doorStatus"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("open", ([1], [4])),
        ("close", ([0], [4])),
        ("alwaysOpen", ([1], [2])),
        ("alwaysClose", ([0], [3])),
    ],
)
def test_door_remembers_its_command_and_the_work_status_shows_it(terminal, talk, command, expected):
    answer = tell(talk, command)

    assert "<subStatusCode>ok</subStatusCode>" in answer.text
    assert (terminal.door.command, shown(talk)) == (command, expected)


def test_opened_door_locks_again_by_itself(talk, clock):
    tell(talk, "open")
    clock.advance(OPEN_SECONDS)

    assert shown(talk) == ([0], [4])


@pytest.mark.parametrize(
    ("command", "root", "code"),
    [("dance", "RemoteControlDoor", "badParameters"), ("open", "Door", "badXmlContent")],
)
def test_what_is_no_command_changes_nothing(terminal, talk, command, root, code):
    tell(talk, "alwaysClose")

    answer = tell(talk, command, root)

    assert (answer.status_code, f"<subStatusCode>{code}<" in answer.text) == (400, True)
    assert terminal.door.command == "alwaysClose"


def test_restart_forgets_the_command(terminal, talk):
    tell(talk, "alwaysOpen")

    terminal.restart()

    assert not terminal.door.is_unlocked
