"""The door of a terminal: what the terminal tells of it, and opening it once.

What the vendor allows: GET /ISAPI/AccessControl/AcsWorkStatus, and PUT on RemoteControl/door/<number>, in XML, whose
capabilities tell the doors and the commands (ISAPI guide, "Door control"). Of the commands only "open" is said here,
after which the door locks again by itself, and 65535, which stands for all doors, is no number of a door.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hikflask.isapi.answer import Requester
from hikflask.isapi.codec import checked, child, confirmed, counted, member, xml
from hikflask.isapi.errors import NotSupported

STATE = "/ISAPI/AccessControl/AcsWorkStatus?format=json"
CONTROL = "/ISAPI/AccessControl/RemoteControl/door"
CAPABILITIES = f"{CONTROL}/capabilities"
XML_TYPE = "application/xml"
OPEN_COMMAND = "open"
OPEN = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<RemoteControlDoor version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">'
    f"<cmd>{OPEN_COMMAND}</cmd></RemoteControlDoor>"
)
# No terminal has more: what tells a larger number means all doors.
MAX_DOORS = 255
# The relay of the lock, the contact of the door: 2 is a short circuit, 3 a broken wire. The mode of the door.
LOCKED, UNLOCKED, FAULT = "locked", "unlocked", "fault"
SLEEPING, FREE, DISABLED, NORMAL = "sleeping", "free", "disabled", "normal"
OPENED = "open"
Meanings = Mapping[int | None, str]
LOCKS: Meanings = {0: LOCKED, 1: UNLOCKED, 2: FAULT, 3: FAULT, 4: FAULT}
MODES: Meanings = {1: SLEEPING, 2: FREE, 3: DISABLED, 4: NORMAL}
# Where no contact is wired it stays 0, so 0 is no proof that the door is shut.
CONTACTS: Meanings = {1: OPENED, 2: FAULT, 3: FAULT, 4: FAULT}


@dataclass(frozen=True)
class DoorState:
    """The first door: its lock, its mode and its contact; an empty text for what the terminal does not tell.

    That the door is shut is never told.
    """

    lock: str = ""
    mode: str = ""
    contact: str = ""


@dataclass(frozen=True)
class Doors:
    """How many doors can be opened by RemoteControl."""

    count: int


def state(client: Requester) -> DoorState:
    """Return what the terminal tells of its first door. :raises TerminalError:"""
    words = member(checked(client.request("GET", STATE)), "AcsWorkStatus")

    def first(name: str, meanings: Meanings) -> str:
        value = words.get(name)
        return meanings.get(counted(value[0] if isinstance(value, list) and value else value), "")

    return DoorState(
        lock=first("doorLockStatus", LOCKS), mode=first("doorStatus", MODES), contact=first("magneticStatus", CONTACTS)
    )


def doors(client: Requester) -> Doors:
    """Return the doors that can be opened.

    :raises NotSupported: when the terminal opens none on command. :raises TerminalError:
    """
    answer = checked(client.request("GET", CAPABILITIES))
    root = xml(answer)
    numbers, commands = child(root, "doorNo"), child(root, "cmd")
    listed = commands.get("opt", "") if commands is not None else ""
    if listed and OPEN_COMMAND not in listed.replace(" ", "").split(","):
        raise NotSupported(message="it has no such command", path=answer.path)
    count = counted(numbers.get("max")) if numbers is not None else None
    return Doors(count if count and count <= MAX_DOORS else 1)


def open_door(client: Requester, doors: Doors, number: int) -> None:
    """Let a door open once, in one request that is never sent again: a second one would open it for longer.

    That the terminal says OK proves nothing: its log and `state` do. When no answer comes, it may have opened.

    :raises Refused: when it does not open. :raises NoAnswer: :raises Nonsense: when that is not known.
    :raises TerminalError: for others.
    :raises ValueError: for a number that is no door of this terminal.
    """
    if not 1 <= number <= doors.count:
        raise ValueError("the terminal has no such door")
    confirmed(client.request("PUT", f"{CONTROL}/{number}", data=OPEN.encode(), content_type=XML_TYPE))
