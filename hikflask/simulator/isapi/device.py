"""System and Security: device info, status, time, reboot and tokens."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from xml.etree import ElementTree

from flask import Response

from hikflask.simulator import recordings
from hikflask.simulator.http.request_body import wants_json
from hikflask.simulator.http.responses import ISAPI_NAMESPACE, declaration, done, json_reply, recorded_reply, xml_reply
from hikflask.simulator.terminal.terminal import Terminal

ZONE = timezone(timedelta(hours=5))


def device_info(terminal: Terminal) -> Response:
    """The recorded K1T341CMFW with the model, the firmware and the end of the serial of this one.

    Most models send XML even for `format=json`.
    """
    text = recordings.body("deviceinfo_K1T341CMFW.xml").decode()
    text = text.replace("V3.3.15", terminal.profile.firmware).replace("DS-K1T341CMFW", terminal.profile.model)
    text = text.replace("0000000<", f"{terminal.serial or '0000000'}<")
    if terminal.profile.device_info_json and wants_json():
        root = ElementTree.fromstring(text)  # noqa: S314 - our own recording
        return json_reply({"DeviceInfo": {child.tag.rpartition("}")[2]: child.text or "" for child in root}})
    return xml_reply(text.replace(declaration(False), declaration(terminal.profile.crlf)))


def status(terminal: Terminal) -> Response:
    """The device's time and how many seconds it has been up."""
    children = (
        f"<currentDeviceTime>{_now()}</currentDeviceTime>\n<deviceUpTime>{terminal.clock.now():.0f}</deviceUpTime>\n"
    )
    return xml_reply(_document(terminal, "DeviceStatus", children))


def time(terminal: Terminal) -> Response:
    """The local time with its offset. In the POSIX zone the sign is the other way round."""
    children = f"<timeMode>manual</timeMode>\n<localTime>{_now()}</localTime>\n<timeZone>CST-5:00:00</timeZone>\n"
    return xml_reply(_document(terminal, "Time", children))


def set_time(terminal: Terminal) -> Response:
    """Accept a time and ignore it: the terminal shows the time of the machine it runs on."""
    return done(as_json=False, crlf=terminal.profile.crlf)


def reboot(terminal: Terminal) -> Response:
    """Restart, without a pause: the captured file is lost, the persons stay."""
    terminal.restart()
    return done(wants_json(), terminal.profile.crlf)


def token(terminal: Terminal) -> Response:
    """Issue a token that opens picture URLs without Digest; the terminal's own page uses it."""
    return json_reply({"Token": {"value": terminal.new_token()}})


def session_heartbeat(terminal: Terminal) -> Response:  # noqa: ARG001
    """The recorded answer."""
    return recorded_reply(recordings.body("28_PUT_Security_sessionHeartbeat.response.xml"))


def _now() -> str:
    return datetime.now(ZONE).isoformat(timespec="seconds")


def _document(terminal: Terminal, root: str, children: str) -> str:
    start = declaration(terminal.profile.crlf)
    return f'{start}<{root} version="2.0" xmlns="{ISAPI_NAMESPACE}">\n{children}</{root}>\n'
