"""Reads and writes multipart bodies.

What the vendor allows: multipart/form-data in both directions (ISAPI guide, "Capture face data", "Set face record"). In
practice the boundary of an answer may be in the HTTP header, in a header block at the top of the body, or only in the
body's first line. Parts may have no name, and the whole may be labelled application/xml or be a bare JPEG. So parts are
recognised by their content.
"""

import re
from collections.abc import Iterator
from itertools import islice

from requests_toolbelt.multipart.encoder import MultipartEncoder

from hikflask.isapi.answer import Answer
from hikflask.isapi.errors import Nonsense, UnusablePicture

JPEG_START = b"\xff\xd8\xff"
JPEG_END = b"\xff\xd9"

BOUNDARY = re.compile(rb'boundary="?([^\s";,]{1,200})"?', re.IGNORECASE)
BLANK_LINE = re.compile(rb"\r?\n\r?\n")
HEADER_LINE = re.compile(rb"[A-Za-z-]+:")
# What the part with the picture is called: the usual name, and the other common one.
PICTURE_NAMES = ("img", "FaceImage")
# Terminals send two: the result and the picture.
MAX_PARTS = 8


def parts(answer: Answer) -> list[bytes]:
    """Return the parts of an answer without their headers. A body without multipart is returned as one part.

    :raises Nonsense: when the body is empty, or has more parts than any terminal sends.
    """
    if not answer.body.strip():
        raise Nonsense(message="empty body", path=answer.path, http_status=answer.status)
    for boundary in _boundaries(answer):
        pieces = _pieces(answer.body, boundary)
        if len(pieces) > MAX_PARTS:
            raise Nonsense(message="too many parts", path=answer.path, http_status=answer.status)
        if pieces:
            return [_content(piece) for piece in pieces]
    return [answer.body]


def _boundaries(answer: Answer) -> Iterator[bytes]:
    """Yield the possible boundaries, the most likely first."""
    header = BOUNDARY.search(answer.content_type.encode())
    if header:
        yield header[1]
    own_header = BOUNDARY.search(BLANK_LINE.split(answer.body[:2000].lstrip(), maxsplit=1)[0])
    if own_header:
        yield own_header[1]
    first_line = answer.body[:300].lstrip().partition(b"\n")[0].strip()
    if first_line.startswith(b"--") and len(first_line) > 2:
        yield first_line[2:]


def _pieces(body: bytes, boundary: bytes) -> list[bytes]:
    """Split the body at its boundary lines, without the preamble and the text after the closing line.

    Splitting ends at one piece above MAX_PARTS, which is enough to see that there are too many.
    """
    line = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    marks = list(islice(line.finditer(body), MAX_PARTS + 2))
    if not marks:
        return []
    ends = [mark.start() for mark in marks[1:]] + [len(body)]
    return [body[mark.end() : end] for mark, end in zip(marks, ends, strict=True) if not mark[1] and end > mark.end()]


def _content(piece: bytes) -> bytes:
    piece = piece.removeprefix(b"\r").removeprefix(b"\n")
    if not HEADER_LINE.match(piece):
        return piece.removeprefix(b"\r").removeprefix(b"\n")
    pieces = BLANK_LINE.split(piece, maxsplit=1)
    return pieces[1] if len(pieces) > 1 else b""


def cut_jpeg(data: bytes) -> bytes:
    """Return the JPEG in these bytes, from FF D8 FF to the last FF D9.

    :raises UnusablePicture: when there is none.

    A terminal refuses a picture with extra bytes around it with SubpicAnalysisModelingError (one recording).
    """
    start, end = data.find(JPEG_START), data.rfind(JPEG_END)
    if start < 0 or end < start + len(JPEG_START):
        raise UnusablePicture(message="no JPEG")
    return data[start : end + len(JPEG_END)]


def face_form(
    record: bytes, picture: bytes | None = None, *, picture_name: str = PICTURE_NAMES[0], boundary: str | None = None
) -> tuple[bytes, str]:
    """Return the body and the content type of an FDSetUp request. Bytes can be sent again after a Digest 401.

    Args: record is the compact JSON of FaceDataRecord. Without a picture, its part has no Content-Type, as on the seed
    terminal's own page. With a picture, the record comes first and has the type application/json, which one strict
    model requires, and both parts have their length: without it some firmware reads the boundary as a part of the
    picture (two clients).
    """
    fields: list[tuple[str, object]] = [("FaceDataRecord", record)]
    if picture is not None:
        fields = [
            ("FaceDataRecord", (None, record, "application/json", {"Content-Length": str(len(record))})),
            (picture_name, ("face.jpg", picture, "image/jpeg", {"Content-Length": str(len(picture))})),
        ]
    encoder = MultipartEncoder(fields, boundary=boundary)
    body: bytes = encoder.to_string()
    return body, str(encoder.content_type)
