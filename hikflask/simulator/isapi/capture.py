"""CaptureFaceData: capturing a face at the terminal, and the dialects in which the picture is sent.

Bodies are XML; a JSON body is refused with `badXmlContent`. The errorMsg of a busy camera is `dataType` and that of a
time-out `cancelFlag`, as recorded: it names the field that was read last, not the cause.
"""

from __future__ import annotations

from flask import Response, request

from hikflask.simulator import recordings
from hikflask.simulator.errors import Refusal
from hikflask.simulator.http.request_body import xml_fields
from hikflask.simulator.http.responses import ISAPI_NAMESPACE, done, reply, xml_reply
from hikflask.simulator.isapi.pictures import noise
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
    _refuse_after_success(terminal)
    data_type = condition.get("dataType", "url")
    offered = {"url", "binary"} - set(terminal.profile.refused_capture_types)
    if data_type not in offered or data_type not in terminal.profile.capture_types:
        raise Refusal("badParameters", "dataType")
    jpeg = _wait_for_face(terminal)
    return _nobody(terminal) if jpeg is None else _success(terminal, jpeg, data_type)


def _refuse_after_success(terminal: Terminal) -> None:
    """Refuse the client that goes on polling after its success, as seen on the seed terminal."""
    camera = terminal.camera
    if camera.last_success is None or camera.last_nonce != _nonce():
        return
    if terminal.clock.now() - camera.last_success < terminal.profile.refuse_after_success:
        raise Refusal("badParameters", "dataType")


def _nonce() -> str:
    return str(request.environ["simulator.nonce"])


def _wait_for_face(terminal: Terminal) -> bytes | None:
    camera = terminal.camera
    began = terminal.clock.now()
    camera.blind = terminal.faults.take("nobody", request.path) is not None
    jpeg = camera.watch(terminal.profile.window)
    if jpeg is not None and terminal.latency == "recorded":
        camera.pause(began + RECORDED_SECONDS - terminal.clock.now())
    return jpeg


def _nobody(terminal: Terminal) -> Response:
    answer = terminal.profile.nobody_came
    if answer in {"progress", "done"}:
        return xml_reply(_result(f"<captureProgress>{100 if answer == 'done' else 0}</captureProgress>"))
    raise Refusal(answer, "cancelFlag")


def _success(terminal: Terminal, jpeg: bytes, data_type: str) -> Response:
    camera = terminal.camera
    if terminal.faults.take("low-quality", request.path):
        raise Refusal("faceLowQulity")
    if terminal.faults.take("picture-is-noise", request.path):
        jpeg = noise(jpeg)
    camera.store(jpeg)
    camera.last_success = terminal.clock.now()
    camera.last_nonce = _nonce()
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
    parts = _parts(jpeg, named=dialect != "unnamed")
    if dialect == "own-header":
        # K1T341CMFW: the HTTP header names no boundary; the body begins with a header block of its own.
        own = f"Content-Type:{MULTIPART}\r\nContent-Length:{len(parts)}\r\n\r\n"
        return own.encode() + parts, "multipart/form-data"
    if dialect == "first-line":
        return parts, "multipart/form-data"
    if dialect == "xml-label":
        return parts, "application/xml"
    return parts, MULTIPART


def _parts(jpeg: bytes, named: bool) -> bytes:
    """The XML part, without Content-Disposition as recorded, then the picture."""
    name = 'name="FaceData";' if named else ""
    result = _result("<captureProgress>100</captureProgress>")
    xml = f'Content-Type:application/xml;charset="UTF-8"\r\nContent-Length:{len(result)}\r\n\r\n{result}\r\n'
    head = (
        f'Content-Disposition: form-data;{name}filename="FaceData.jpg"\r\n'
        f"Content-Type:image/jpeg\r\nContent-Length:{len(jpeg)}\r\n\r\n"
    )
    opening = f"--{BOUNDARY}\r\n{xml}--{BOUNDARY}\r\n{head}"
    return opening.encode() + jpeg + f"\r\n--{BOUNDARY}--\r\n".encode()
