"""CaptureCardInfo: reading the number of a card that is held to the terminal.

The form of the answer is that of the vendor's guide; the POST and its body are what one client sends to firmware V4.48.
"""

from flask import Response, request

from hikflask.simulator import recordings
from hikflask.simulator.errors import NotSupported, Refusal
from hikflask.simulator.http.request_body import wants_json, xml_fields
from hikflask.simulator.http.responses import ISAPI_NAMESPACE, declaration, json_reply, recorded_reply, xml_reply
from hikflask.simulator.terminal.terminal import Terminal

PATH = "/ISAPI/AccessControl/CaptureCardInfo"
KIND = "TypeA_M1"


def capabilities(terminal: Terminal) -> Response:
    """The recorded capabilities."""
    _check_exists(terminal)
    return recorded_reply(recordings.body("19_GET_AccessControl_CaptureCardInfo_capabilities.response.json"))


def _check_exists(terminal: Terminal) -> None:
    if terminal.profile.card_capture == "none":
        raise NotSupported


def capture(terminal: Terminal) -> Response:
    """Wait for a card during one window and answer with its number."""
    _check_exists(terminal)
    if request.method.lower() != terminal.profile.card_capture:
        raise Refusal("methodNotAllowed")
    seconds = _seconds(terminal)
    if terminal.card_reader.until is not None:
        raise Refusal("deviceBusy")
    number = terminal.card_reader.watch(seconds)
    if number is None:
        raise Refusal("captureTimeout")
    fields = {"cardNo": number, "cardType": KIND, "readerID": 1}
    if wants_json():
        return json_reply({"CardInfo": fields})
    children = "".join(f"<{name}>{value}</{name}>\n" for name, value in fields.items())
    start = f'{declaration(terminal.profile.crlf)}<CardInfo version="2.0" xmlns="{ISAPI_NAMESPACE}">\n'
    return xml_reply(f"{start}{children}</CardInfo>\n")


def _seconds(terminal: Terminal) -> float:
    """The length of the window: the profile's, or less where the body of a POST asks for less."""
    window = terminal.profile.card_window
    if request.method == "GET":
        return window
    timeout = xml_fields("CaptureCardInfoCond").get("timeout", "")
    return min(window, int(timeout)) if timeout.isdecimal() else window
