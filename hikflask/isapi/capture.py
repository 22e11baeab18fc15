"""Takes a face at the terminal.

What the vendor allows: POST /ISAPI/AccessControl/CaptureFaceData in XML. The capabilities list the dataTypes (url or
binary), and cancelFlag where it is supported (ISAPI guide, "Capture face data"). Every recorded model refuses JSON
here. The picture behind the URL is ONE file on the terminal. The next capture overwrites it, whoever starts that
capture.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hikflask.isapi.answer import Answer, Requester
from hikflask.isapi.codec import BOM, checked, child, text, whole, xml, xml_of
from hikflask.isapi.errors import (
    Busy,
    CaptureCancelled,
    CaptureNotSupported,
    CaptureTimeout,
    CaptureUnanswered,
    NoAnswer,
    NobodyYet,
    Nonsense,
    NotSupported,
    Refused,
    UnusablePicture,
)
from hikflask.isapi.multipart import JPEG_START, cut_jpeg, parts

PATH = "/ISAPI/AccessControl/CaptureFaceData"
FORM = "application/x-www-form-urlencoded"  # the terminal's own page sends its XML with this type

# The same bytes as the seed terminal's own page sends.
TAKE = """<CaptureFaceDataCond version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
        <captureInfrared>false</captureInfrared>
        <dataType>{mode}</dataType>
        </CaptureFaceDataCond>"""
CANCEL = """<CaptureFaceDataCond version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
        <cancelFlag>true</cancelFlag>
        </CaptureFaceDataCond>"""

ROOTS = ("CaptureFaceData", "CaptureFaceDataResponse")
URL_NAMES = ("faceDataUrl", "faceDataURL", "faceUrl", "faceURL")

CONNECT_SECONDS = 3.05
READ_MARGIN = 1.5
BUSY_PAUSE = 3.0  # a capture window that is still open closes after 3 s (one recording)
ASK_AGAIN = 1.0  # working clients ask every 0.7 to 2 s
SILENCE = 3.0  # a terminal that is silent for so much longer than its answers took has stopped answering

MODES = {"url", "binary"}
# An unknown dataType is refused as badParameters (one recording), or like a function that does not exist.
MODE_UNKNOWN = {Refused, CaptureNotSupported}


@dataclass(frozen=True)
class CaptureModes:
    """What the terminal supports: a capture by URL, by binary (the picture itself), and cancelling."""

    url: bool = False
    binary: bool = False
    cancel: bool = False


@dataclass(frozen=True)
class Captured:
    """A captured face: its URL exactly as the terminal gave it, or the picture."""

    face_url: str | None = None
    picture: bytes | None = field(default=None, repr=False)


def capabilities(client: Requester) -> CaptureModes:
    """Return the capture modes that the terminal lists. Terminals without this list can capture, too (two clients).

    :raises TerminalError:
    """
    root = xml(checked(client.request("GET", f"{PATH}/capabilities")), *ROOTS)

    def options(name: str) -> set[str]:
        element = child(root, name)
        return set() if element is None else {option.strip() for option in element.get("opt", "").split(",")}

    types = options("dataType")
    return CaptureModes(url="url" in types, binary="binary" in types, cancel="true" in options("cancelFlag"))


def take(
    client: Requester,
    *,
    modes: Sequence[str],
    seconds_left: Callable[[], float],
    cancelled: Callable[[], bool],
    pause: Callable[[float], None] = time.sleep,
) -> Captured:
    """Ask for a face until the terminal has one, the deadline passes, or the caller cancels.

    Some terminals wait for the face themselves. Others return at once and are asked again: with progress 0, with
    progress 100 and no picture, or with deviceError (one client each). After a success, which is progress 100 with a
    picture, no POST follows: it would be refused, and the capture module may hang for minutes (one recording).

    Silence at the deadline means that nobody came, or that the terminal stopped answering: its earlier answers tell.

    Args: modes are "url" or "binary", or both where the terminal does not tell: the second is tried when the terminal
    does not know the first; seconds_left returns the seconds until the caller's deadline; cancelled returns whether to
    stop; pause waits that many seconds.
    :raises CaptureTimeout: :raises CaptureUnanswered: :raises CaptureCancelled: :raises Busy:
    :raises CaptureNotSupported: :raises UnusablePicture: :raises Nonsense: :raises TerminalError:
    """
    if not modes or not set(modes) <= MODES:
        raise ValueError("a capture is by url or binary")
    refusals: list[Refused] = []
    for mode in modes:
        try:
            return _take(client, mode, seconds_left, cancelled, pause)
        except Refused as error:
            refusals.append(error)
            if type(error) not in MODE_UNKNOWN:
                raise
    # "Cannot capture" holds only if each mode was refused so. Another refusal may be temporary, and is raised instead.
    raise min(refusals, key=lambda error: isinstance(error, CaptureNotSupported))


def _take(
    client: Requester,
    mode: str,
    seconds_left: Callable[[], float],
    cancelled: Callable[[], bool],
    pause: Callable[[float], None],
) -> Captured:
    waited_for_busy = False
    took: list[float] = []  # how long the answers took, in seconds
    while True:
        began = seconds_left()
        try:
            captured = _ask(client, mode, seconds_left, cancelled, took)
        except Busy:
            if waited_for_busy or seconds_left() <= BUSY_PAUSE:
                raise
            waited_for_busy = True
            pause(BUSY_PAUSE)
            continue
        if captured:
            return captured
        waited_for_busy = False
        took.append(began - seconds_left())
        pause(ASK_AGAIN)


def _ask(
    client: Requester,
    mode: str,
    seconds_left: Callable[[], float],
    cancelled: Callable[[], bool],
    took: Sequence[float],
) -> Captured | None:
    """Send the request once. None means that nobody has shown a face yet."""
    _stop_if(cancelled)
    left = seconds_left()
    if left <= 0:
        raise CaptureTimeout(path=PATH)
    body, timeout = TAKE.format(mode=mode).encode(), (CONNECT_SECONDS, left + READ_MARGIN)
    try:
        answer = client.request("POST", PATH, data=body, content_type=FORM, timeout=timeout)
    except NoAnswer as error:
        now = seconds_left()
        if now > 0 or (took and left - now > max(took) + SILENCE):
            raise
        raise (CaptureTimeout if took else CaptureUnanswered)(path=PATH) from error
    _stop_if(cancelled)
    try:
        return _captured(checked(answer))
    except NobodyYet:
        return None
    except NotSupported as error:
        raise CaptureNotSupported(
            status_code=error.status_code, sub_status=error.sub_status, path=PATH, http_status=error.http_status
        ) from error


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise CaptureCancelled(path=PATH)


def _captured(answer: Answer) -> Captured | None:
    """Read an answer by its content, because its Content-Type is often wrong. None means that there is no face yet."""
    pieces = parts(answer)
    picture = next((cut_jpeg(piece) for piece in pieces if JPEG_START in piece), None)
    document = next((piece for piece in pieces if piece.removeprefix(BOM).lstrip().startswith(b"<")), None)
    if document is None:
        if picture is None:
            raise Nonsense(message="neither XML nor picture", path=answer.path, http_status=answer.status)
        return Captured(picture=picture)
    # When no boundary was found, the picture follows the XML directly.
    root = xml_of(document.partition(JPEG_START)[0].rpartition(b">")[0] + b">", answer.path, *ROOTS)
    progress, face_url = whole(text(root, "captureProgress")), text(root, *URL_NAMES) or None
    if progress is not None and progress < 100:
        return None
    if face_url or picture:
        return Captured(face_url=face_url, picture=picture)
    if any(piece.strip() for piece in pieces if piece is not document):
        raise UnusablePicture(message="no JPEG", path=answer.path, http_status=answer.status)
    return None


def cancel(client: Requester) -> None:
    """Cancel an open capture. Any answer counts as success, because the reply is not documented.

    :raises Unreachable: :raises NoAnswer: :raises LoginRefused:
    """
    client.request("POST", PATH, data=CANCEL.encode(), content_type=FORM)
