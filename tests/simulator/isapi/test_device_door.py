from dataclasses import replace

import pytest
from werkzeug.test import TestResponse

from hikflask.simulator import SkippingClock, Terminal
from hikflask.simulator.profiles import PROFILES
from hikflask.simulator.terminal.terminal import OPEN_SECONDS
from tests.simulator.conftest import Client

ACCESS = "/ISAPI/AccessControl"
DOOR = f"{ACCESS}/RemoteControl/door/1"
STATUS = f"{ACCESS}/AcsWorkStatus?format=json"


def tell(client: Client, command: str, root: str = "RemoteControlDoor") -> TestResponse:
    body = f'<{root} version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><cmd>{command}</cmd></{root}>'
    return client.ask("PUT", DOOR, body)


def shown(client: Client) -> tuple[list[int], list[int]]:
    status = client.ask("GET", STATUS).get_json()["AcsWorkStatus"]
    return status["doorLockStatus"], status["doorStatus"]


def flag(client: Client) -> str:
    told = client.ask("GET", f"{ACCESS}/capabilities").text
    return told.partition("<isSupportRemoteControlDoor>")[2].partition("<")[0]


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


def test_capabilities_name_the_door_and_the_commands(terminal: Terminal, client: Client) -> None:
    told = client.ask("GET", f"{ACCESS}/RemoteControl/door/capabilities").text

    assert '<RemoteControlDoor version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">' in told
    assert '<doorNo min="1" max="1"/>' in told
    assert '<cmd opt="open,close,alwaysOpen,alwaysClose"/>' in told
    assert flag(client) == "true"
    assert not terminal.door.is_unlocked


def test_model_without_the_function_has_a_false_flag_and_no_door_to_control(terminal: Terminal, client: Client) -> None:
    terminal.profile = replace(terminal.profile, remote_door="none")

    answers = [tell(client, "open"), client.ask("GET", f"{ACCESS}/RemoteControl/door/capabilities")]

    assert flag(client) == "false"
    assert [(answer.status_code, "<subStatusCode>notSupport<" in answer.text) for answer in answers] == [
        (404, True)
    ] * 2
    assert not terminal.door.is_unlocked


def test_door_that_is_switched_off_for_the_network_refuses_and_stays_locked(terminal: Terminal, client: Client) -> None:
    terminal.profile = replace(terminal.profile, remote_door="off")

    answer = tell(client, "open")

    assert (answer.status_code, "<subStatusCode>remoteDoorFunctionDisable<" in answer.text) == (400, True)
    assert (terminal.door.is_unlocked, terminal.events.records, flag(client)) == (False, [], "true")


def test_command_in_another_namespace_is_refused(terminal: Terminal, client: Client) -> None:
    answer = client.ask("PUT", DOOR, "<RemoteControlDoor><cmd>open</cmd></RemoteControlDoor>")

    assert (answer.status_code, "<subStatusCode>badXmlContent<" in answer.text) == (400, True)
    assert not terminal.door.is_unlocked


def test_two_models_play_what_else_is_known(terminal: Terminal) -> None:
    doors = {model: profile.remote_door for model, profile in PROFILES.items() if profile.remote_door != "on"}

    assert doors == {"K1A340FWX": "none", "K1T342MFX-E1": "off"}
    assert terminal.profile.remote_door == "on"
