"""The dialects in which terminals send a captured picture."""

from __future__ import annotations

from hikflask.simulator.http.responses import ISAPI_NAMESPACE
from hikflask.simulator.profiles import BinaryReply

BOUNDARY = "MIME_boundary"
MULTIPART = f"multipart/form-data;boundary={BOUNDARY}"
_PROGRESS = "<captureProgress>100</captureProgress>"
_RESULT = f'<CaptureFaceData version="2.0" xmlns="{ISAPI_NAMESPACE}">{_PROGRESS}</CaptureFaceData>\n'


def binary_reply(dialect: BinaryReply, jpeg: bytes) -> tuple[bytes, str]:
    """Body and Content-Type of a successful capture of `jpeg`."""
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
    xml = f'Content-Type:application/xml;charset="UTF-8"\r\nContent-Length:{len(_RESULT)}\r\n\r\n{_RESULT}\r\n'
    head = (
        f'Content-Disposition: form-data;{name}filename="FaceData.jpg"\r\n'
        f"Content-Type:image/jpeg\r\nContent-Length:{len(jpeg)}\r\n\r\n"
    )
    opening = f"--{BOUNDARY}\r\n{xml}--{BOUNDARY}\r\n{head}"
    return opening.encode() + jpeg + f"\r\n--{BOUNDARY}--\r\n".encode()
