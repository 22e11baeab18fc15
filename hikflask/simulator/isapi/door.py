"""RemoteControl of the door, and AcsWorkStatus, which shows its state."""

import json
from typing import cast, get_args

from flask import Response, request

from hikflask.simulator import recordings
from hikflask.simulator.errors import Refusal
from hikflask.simulator.http.request_body import child, json_object, wants_json, xml_fields
from hikflask.simulator.http.responses import done, json_reply
from hikflask.simulator.terminal.terminal import Command, Terminal

ALWAYS_OPEN, ALWAYS_CLOSED, BY_PLAN = 2, 3, 4
"""The values of doorStatus. The last one is recorded."""


def control_door(terminal: Terminal) -> Response:
    """Open or close the door; four commands are known. Clients send them in XML and in JSON."""
    is_json = request.get_data().lstrip().startswith(b"{")
    fields = child(json_object(), "RemoteControlDoor") if is_json else xml_fields("RemoteControlDoor")
    command = fields.get("cmd", "")
    if command not in get_args(Command):
        raise Refusal("badParameters", "cmd")
    terminal.control_door(cast("Command", command), request.remote_addr or "")
    return done(wants_json(), terminal.profile.crlf)


def work_status(terminal: Terminal) -> Response:
    """The recorded answer, with the door and the number of cards as they are now."""
    answer = json.loads(recordings.body("24_GET_AccessControl_AcsWorkStatus.response.json"))
    answer["AcsWorkStatus"] |= {
        "doorLockStatus": [int(terminal.door.is_unlocked)],
        "doorStatus": [{"alwaysOpen": ALWAYS_OPEN, "alwaysClose": ALWAYS_CLOSED}.get(terminal.door.command, BY_PLAN)],
        "cardNum": len(terminal.cards),
    }
    return json_reply(answer)
