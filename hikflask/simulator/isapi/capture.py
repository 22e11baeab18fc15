"""CaptureFaceData and CaptureFingerPrint: capturing a face, in the dialects in which the picture is sent, or a finger.

Bodies are XML; a JSON body is refused with `badXmlContent`. The errorMsg of a busy camera is `dataType` and that of a
time-out `cancelFlag`, as recorded: it names the field that was read last, not the cause.
"""

import hashlib
import math

from flask import Response, request

from hikflask.simulator import recordings
from hikflask.simulator.errors import Refusal
from hikflask.simulator.http.request_body import xml_fields
from hikflask.simulator.http.responses import ISAPI_NAMESPACE, done, reply, xml_reply
from hikflask.simulator.isapi.face_library import noise
from hikflask.simulator.profiles import BinaryReply
from hikflask.simulator.terminal.terminal import CAPTURE_FILE, Terminal

PATH = "/ISAPI/AccessControl/CaptureFaceData"
RECORDED_SECONDS = recordings.seconds("POST", PATH)
BOUNDARY = "MIME_boundary"
MULTIPART = f"multipart/form-data;boundary={BOUNDARY}"


def capabilities(terminal: Terminal) -> Response:
    """The recorded capabilities with the profile's types, and without `cancelFlag` where the profile has none."""
    text = recordings.body("14_GET_AccessControl_CaptureFaceData_capabilities.response.xml").decode()
    offered = ",".join(terminal.profile.capture_types)
    text = text.replace('opt="url,binary"', f'opt="{offered}"')
    if not terminal.profile.takes_cancel:
        text = text.replace('<cancelFlag opt="true,false"></cancelFlag>', "")
    return xml_reply(text)


def capture(terminal: Terminal) -> Response:
    """Wait for a face during one window; answer with its URL or its picture, or as the profile does for nobody."""
    condition = xml_fields("CaptureFaceDataCond")
    if condition.get("cancelFlag") == "true" and terminal.profile.takes_cancel:
        terminal.camera.cancel()
        return done(as_json=False, crlf=terminal.profile.crlf)
    if terminal.camera.window is not None or terminal.faults.take("busy", request.path):
        raise Refusal("deviceBusy", "dataType")
    camera, profile = terminal.camera, terminal.profile
    # As seen on the seed terminal: the client that goes on polling after its success is refused.
    same_client = camera.last_nonce == request.environ["simulator.nonce"]
    since_success = math.inf if camera.last_success is None else terminal.clock.now() - camera.last_success
    if same_client and since_success < profile.refuse_after_success:
        raise Refusal("badParameters", "dataType")
    data_type = condition.get("dataType", "url")
    if data_type not in set(profile.capture_types) - set(profile.refused_capture_types):
        raise Refusal("badParameters", "dataType")
    jpeg = _wait_for_face(terminal)
    if jpeg is not None:
        return _success(terminal, jpeg, data_type)
    if profile.nobody_came in {"progress", "done"}:
        progress = 100 if profile.nobody_came == "done" else 0
        return xml_reply(_result(f"<captureProgress>{progress}</captureProgress>"))
    raise Refusal(profile.nobody_came, "cancelFlag")


def _wait_for_face(terminal: Terminal) -> bytes | None:
    camera = terminal.camera
    began = terminal.clock.now()
    camera.blind = terminal.faults.take("nobody", request.path) is not None
    jpeg = camera.watch(terminal.profile.window)
    if jpeg is not None and terminal.latency == "recorded":
        camera.pause(began + RECORDED_SECONDS - terminal.clock.now())
    return jpeg


def _success(terminal: Terminal, jpeg: bytes, data_type: str) -> Response:
    camera = terminal.camera
    if terminal.faults.take("low-quality", request.path):
        raise Refusal("faceLowQulity")
    if terminal.faults.take("picture-is-noise", request.path):
        jpeg = noise(jpeg)
    camera.store(jpeg)
    camera.last_success = terminal.clock.now()
    camera.last_nonce = request.environ["simulator.nonce"]
    if data_type == "binary":
        return reply(*_binary_reply(terminal.profile.binary_reply, jpeg))
    url = terminal.url(f"/LOCALS/pic/{CAPTURE_FILE}")
    return xml_reply(_result(f"<faceDataUrl>{url}</faceDataUrl><captureProgress>100</captureProgress>"))


def _result(children: str) -> str:
    """The result in XML, without a declaration, as recorded."""
    return f'<CaptureFaceData version="2.0" xmlns="{ISAPI_NAMESPACE}">{children}</CaptureFaceData>\n'


def _binary_reply(dialect: BinaryReply, jpeg: bytes) -> tuple[bytes, str]:
    """Body and Content-Type of a capture that answers with the picture itself, in the dialect of the profile."""
    if dialect == "jpeg":
        return jpeg, "image/jpeg"
    # The XML part, without Content-Disposition as recorded, then the picture.
    name = "" if dialect == "unnamed" else 'name="FaceData";'
    result = _result("<captureProgress>100</captureProgress>")
    xml = f'Content-Type:application/xml;charset="UTF-8"\r\nContent-Length:{len(result)}\r\n\r\n{result}\r\n'
    head = (
        f'Content-Disposition: form-data;{name}filename="FaceData.jpg"\r\n'
        f"Content-Type:image/jpeg\r\nContent-Length:{len(jpeg)}\r\n\r\n"
    )
    opening = f"--{BOUNDARY}\r\n{xml}--{BOUNDARY}\r\n{head}"
    parts = opening.encode() + jpeg + f"\r\n--{BOUNDARY}--\r\n".encode()
    if dialect == "own-header":
        # K1T341CMFW: the HTTP header names no boundary; the body begins with a header block of its own.
        own = f"Content-Type:{MULTIPART}\r\nContent-Length:{len(parts)}\r\n\r\n"
        return own.encode() + parts, "multipart/form-data"
    return parts, {"first-line": "multipart/form-data", "xml-label": "application/xml"}.get(dialect, MULTIPART)


FINGER_PATH = "/ISAPI/AccessControl/CaptureFingerPrint"
MAX_FINGER, FINGER_BYTES, FINGER_QUALITY = 10, 512, 90


def capture_finger(terminal: Terminal) -> Response:  # noqa: ARG001
    """Answer with a finger, which is there always: no recording shows how a terminal waits for one."""
    number = xml_fields("CaptureFingerPrintCond").get("fingerNo", "")
    if not number.isdecimal() or not 1 <= int(number) <= MAX_FINGER:
        raise Refusal("badXmlContent", "fingerNo")
    result = (
        f'<CaptureFingerPrint version="2.0" xmlns="{ISAPI_NAMESPACE}"><fingerNo>{number}</fingerNo>'
        f"<fingerPrintQuality>{FINGER_QUALITY}</fingerPrintQuality></CaptureFingerPrint>\n"
    )
    data = hashlib.shake_256(number.encode()).digest(FINGER_BYTES)
    body = (
        f"--{BOUNDARY}\r\nContent-Type:application/xml\r\nContent-Length:{len(result)}\r\n\r\n{result}\r\n"
        f'--{BOUNDARY}\r\nContent-Disposition: form-data;name="fingerData";filename="fingerData"\r\n'
        f"Content-Type:application/octet-stream\r\nContent-Length:{FINGER_BYTES}\r\n\r\n"
    )
    whole = body.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
    return reply(whole, f"multipart/form-data;boundary={BOUNDARY}")
