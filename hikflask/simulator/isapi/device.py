"""System and Security: device info, status, time, reboot and tokens; the state of the door, and its remote control."""

import json
from collections.abc import Mapping
from typing import cast, get_args
from xml.etree import ElementTree

from flask import Response, request

from hikflask.simulator import recordings
from hikflask.simulator.errors import NotSupported, Refusal
from hikflask.simulator.http.request_body import child, json_object, wants_json, xml_fields
from hikflask.simulator.http.responses import (
    ISAPI_NAMESPACE,
    declaration,
    done,
    json_reply,
    recorded_reply,
    reply,
    xml_reply,
)
from hikflask.simulator.terminal.terminal import SERIAL, Command, Terminal

REBOOT, SET_BY_HAND, SET_BY_NTP = 123, 1028, 1029
"""Minors of major 3 in the log of events."""
REMOTE_DOOR = b"<isSupportRemoteControlDoor>%b</isSupportRemoteControlDoor>"
CARD_CAPTURE = b"<isSupportCaptureCardInfo>true</isSupportCaptureCardInfo>"


def device_info(terminal: Terminal) -> Response:
    """The recorded K1T341CMFW with the model, the firmware and the end of the serial of this one.

    Most models send XML even for `format=json`.
    """
    text = recordings.body("deviceinfo_K1T341CMFW.xml").decode()
    text = text.replace("V3.3.15", terminal.profile.firmware).replace("DS-K1T341CMFW", terminal.profile.model)
    text = text.replace("0000000<", f"{terminal.serial or SERIAL}<").replace("04:03:12:00:00:00", terminal.mac)
    if terminal.profile.device_info_json and wants_json():
        root = ElementTree.fromstring(text)  # noqa: S314 - our own recording
        return json_reply({"DeviceInfo": {child.tag.rpartition("}")[2]: child.text or "" for child in root}})
    return xml_reply(text.replace(declaration(False), declaration(terminal.profile.crlf)))


def status(terminal: Terminal) -> Response:
    """The device's time and how many seconds it has been up."""
    fields = {"currentDeviceTime": terminal.wall_clock.shown(), "deviceUpTime": f"{terminal.clock.now():.0f}"}
    return _document(terminal, "DeviceStatus", fields)


def time(terminal: Terminal) -> Response:
    """The local time and its zone in the words of the profile, on some models in JSON."""
    profile = terminal.profile
    fields = terminal.wall_clock.fields(profile.clock_mark, by_utc=profile.clock_by_utc)
    if profile.time_json:
        return json_reply({"Time": fields})
    return _document(terminal, "Time", fields)


def time_zone(terminal: Terminal) -> Response:
    """The POSIX zone alone, in plain text."""
    return reply(terminal.wall_clock.zone.encode(), "text/plain")


def set_time(terminal: Terminal) -> Response:
    """Set mode, local time and zone, at once or at the next restart; what is not given stays."""
    as_json = terminal.profile.time_json
    fields = child(json_object(), "Time") if as_json else xml_fields("Time")
    terminal.wall_clock.refuse_other_form(fields, terminal.profile.clock_takes)
    if terminal.profile.clock_after_restart:
        terminal.wall_clock.set_at_restart(fields)
        raise Refusal("rebootRequired", http_status=200)
    terminal.wall_clock.set(fields)
    terminal.record_operation(
        SET_BY_NTP if terminal.wall_clock.mode == "NTP" else SET_BY_HAND, request.remote_addr or ""
    )
    return done(as_json, crlf=terminal.profile.crlf)


def reboot(terminal: Terminal) -> Response:
    """Restart, without a pause: the captured file is lost, the persons stay."""
    terminal.record_operation(REBOOT, request.remote_addr or "")
    terminal.restart()
    return done(wants_json(), terminal.profile.crlf)


def token(terminal: Terminal) -> Response:
    """Issue a token that opens picture URLs without Digest; the terminal's own page uses it."""
    return json_reply({"Token": {"value": terminal.new_token()}})


def user_check(terminal: Terminal) -> Response:
    """The user who has logged in, as a K1A340FWX answers."""
    fields = {"statusValue": 200, "statusString": "OK"}
    fields |= {"isDefaultPassword": "false", "isRiskPassword": "false", "isActivated": "true"}
    return _document(terminal, "userCheck", fields)


def _document(terminal: Terminal, root: str, fields: Mapping[str, object]) -> Response:
    children = "".join(f"<{name}>{value}</{name}>\n" for name, value in fields.items())
    start = declaration(terminal.profile.crlf)
    return xml_reply(f'{start}<{root} version="2.0" xmlns="{ISAPI_NAMESPACE}">\n{children}</{root}>\n')


ALWAYS_OPEN, ALWAYS_CLOSED, BY_PLAN = 2, 3, 4
"""The values of doorStatus. The last one is recorded."""


def capabilities(terminal: Terminal) -> Response:
    """What it can do, as recorded; the flags of RemoteControl and CaptureCardInfo are those of the profile."""
    recorded = recordings.body("00_GET_AccessControl_capabilities.response.xml")
    if terminal.profile.remote_door == "none":
        recorded = recorded.replace(REMOTE_DOOR % b"true", REMOTE_DOOR % b"false")
    if terminal.profile.card_capture == "none":
        recorded = recorded.replace(CARD_CAPTURE, b"")
    return recorded_reply(recorded)


def door_capabilities(terminal: Terminal) -> Response:
    """The doors and the commands of RemoteControl, as the vendor's guide has them."""
    _require_remote_door(terminal)
    start = declaration(terminal.profile.crlf)
    return xml_reply(
        f'{start}<RemoteControlDoor version="2.0" xmlns="{ISAPI_NAMESPACE}">\n<doorNo min="1" max="1"/>\n'
        f'<cmd opt="{",".join(get_args(Command))}"/>\n<password min="8" max="16"/>\n</RemoteControlDoor>\n'
    )


def _require_remote_door(terminal: Terminal) -> None:
    if terminal.profile.remote_door == "none":
        raise NotSupported


def control_door(terminal: Terminal) -> Response:
    """Open or close the door; four commands are known. Clients send them in XML and in JSON."""
    _require_remote_door(terminal)
    if terminal.profile.remote_door == "off":
        raise Refusal("remoteDoorFunctionDisable")
    is_json = request.get_data().lstrip().startswith(b"{")
    fields = child(json_object(), "RemoteControlDoor") if is_json else xml_fields("RemoteControlDoor", ISAPI_NAMESPACE)
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
