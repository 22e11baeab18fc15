"""CaptureFingerPrint: taking a finger, as its recorded capabilities say: one of ten, its quality, and its bytes."""

import hashlib

from flask import Response

from hikflask.simulator.errors import Refusal
from hikflask.simulator.http.request_body import xml_fields
from hikflask.simulator.http.responses import ISAPI_NAMESPACE, reply
from hikflask.simulator.terminal.terminal import Terminal

PATH = "/ISAPI/AccessControl/CaptureFingerPrint"
MAX_FINGER, BYTES, QUALITY = 10, 512, 90
BOUNDARY = "MIME_boundary"


def capture(terminal: Terminal) -> Response:  # noqa: ARG001
    """Answer with a finger, which is there always: no recording shows how a terminal waits for one."""
    number = xml_fields("CaptureFingerPrintCond").get("fingerNo", "")
    if not number.isdecimal() or not 1 <= int(number) <= MAX_FINGER:
        raise Refusal("badXmlContent", "fingerNo")
    result = (
        f'<CaptureFingerPrint version="2.0" xmlns="{ISAPI_NAMESPACE}"><fingerNo>{number}</fingerNo>'
        f"<fingerPrintQuality>{QUALITY}</fingerPrintQuality></CaptureFingerPrint>\n"
    )
    data = hashlib.shake_256(number.encode()).digest(BYTES)
    body = (
        f"--{BOUNDARY}\r\nContent-Type:application/xml\r\nContent-Length:{len(result)}\r\n\r\n{result}\r\n"
        f'--{BOUNDARY}\r\nContent-Disposition: form-data;name="fingerData";filename="fingerData"\r\n'
        f"Content-Type:application/octet-stream\r\nContent-Length:{BYTES}\r\n\r\n"
    )
    whole = body.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
    return reply(whole, f"multipart/form-data;boundary={BOUNDARY}")
