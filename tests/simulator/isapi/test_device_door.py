import pytest
from werkzeug.test import TestResponse

from hikflask.simulator import SkippingClock, Terminal
from hikflask.simulator.terminal.terminal import OPEN_SECONDS
from tests.simulator.conftest import Client

DOOR = "/ISAPI/AccessControl/RemoteControl/door/1"
STATUS = "/ISAPI/AccessControl/AcsWorkStatus?format=json"


def tell(client: Client, command: str, root: str = "RemoteControlDoor") -> TestResponse:
    body = f'<{root} version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><cmd>{command}</cmd></{root}>'
    return client.ask("PUT", DOOR, body)


def shown(client: Client) -> tuple[list[int], list[int]]:
    status = client.ask("GET", STATUS).get_json()["AcsWorkStatus"]
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
def test_door_remembers_its_command_and_the_work_status_shows_it(
    terminal: Terminal, client: Client, command: str, expected: tuple[list[int], list[int]]
) -> None:
    answer = tell(client, command)

    assert "<subStatusCode>ok</subStatusCode>" in answer.text
    assert (terminal.door.command, shown(client)) == (command, expected)


@pytest.mark.parametrize(("command", "status"), [("alwaysOpen", 200), ("dance", 400)])
def test_door_takes_a_command_in_json_and_answers_in_json(
    terminal: Terminal, client: Client, command: str, status: int
) -> None:
    answer = client.ask("PUT", f"{DOOR}?format=json", {"RemoteControlDoor": {"cmd": command}})

    assert (answer.status_code, answer.get_json()["subStatusCode"]) == (
        status,
        "ok" if status == 200 else "badParameters",
    )
    assert terminal.door.is_unlocked == (status == 200)


def test_opened_door_locks_again_by_itself(client: Client, clock: SkippingClock) -> None:
    tell(client, "open")
    clock.advance(OPEN_SECONDS)

    assert shown(client) == ([0], [4])


@pytest.mark.parametrize(
    ("command", "root", "code"),
    [("dance", "RemoteControlDoor", "badParameters"), ("open", "Door", "badXmlContent")],
)
def test_what_is_no_command_changes_nothing(
    terminal: Terminal, client: Client, command: str, root: str, code: str
) -> None:
    tell(client, "alwaysClose")

    answer = tell(client, command, root)

    assert (answer.status_code, f"<subStatusCode>{code}<" in answer.text) == (400, True)
    assert terminal.door.command == "alwaysClose"


def test_restart_forgets_the_command(terminal: Terminal, client: Client) -> None:
    tell(client, "alwaysOpen")

    terminal.restart()

    assert not terminal.door.is_unlocked


def test_command_from_the_network_is_in_the_log_before_the_lock(terminal: Terminal, client: Client) -> None:
    tell(client, "open")

    command, *lock = terminal.events.records
    assert (command.major, command.minor) == (3, 1024)
    assert command.fields == {"netUser": "admin", "remoteHostAddr": "127.0.0.1"}
    assert [(record.major, record.minor) for record in lock] == [(5, 21), (5, 22)]
