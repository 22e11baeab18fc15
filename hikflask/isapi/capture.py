"""Taking a face at the terminal.

What the vendor allows: POST /ISAPI/AccessControl/CaptureFaceData in XML, dataType url or binary as its capabilities
list, cancelFlag where listed (ISAPI guide, "Capture face data"). Every model recorded refuses JSON here. The picture
behind the URL is ONE file on the terminal that the next capture overwrites, whoever starts it.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from hikflask.isapi.answer import Answer, Requester
from hikflask.isapi.codec import BOM, checked, child, text, whole, xml, xml_of
from hikflask.isapi.errors import (
    Busy,
    CaptureCancelled,
    CaptureNotSupported,
    CaptureTimeout,
    NoAnswer,
    Nonsense,
    NotSupported,
    Refused,
)
from hikflask.isapi.multipart import JPEG_START, cut_jpeg, parts

PATH = "/ISAPI/AccessControl/CaptureFaceData"
FORM = "application/x-www-form-urlencoded"  # so the terminal's own page sends its XML

# Byte for byte the request of the seed terminal's own page.
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
BUSY_PAUSE = 3.0  # a window that was still open has closed after 3 s (one recording)
ASK_AGAIN = 1.0  # clients that work ask every 0.7 to 2 s

MODES = {"url", "binary"}
# A data type that is not known is refused as badParameters (one recording) or like a function that is not there.
MODE_UNKNOWN = {Refused, CaptureNotSupported}


@dataclass(frozen=True)
class CaptureModes:
    """What the terminal offers for a capture: the picture's address, the picture itself, calling it off."""

    url: bool = False
    binary: bool = False
    cancel: bool = False


@dataclass(frozen=True)
class Captured:
    """A face that was taken: its address on the terminal, exactly as given, or the picture."""

    face_url: str | None = None
    picture: bytes | None = field(default=None, repr=False)


def capabilities(client: Requester) -> CaptureModes:
    """Return how this terminal says that it captures; terminals without this list capture all the same (two clients).

    Raises: TerminalError.
    """
    root = xml(checked(client.request("GET", f"{PATH}/capabilities")), *ROOTS)
    offers = _options(root, "dataType")
    return CaptureModes(url="url" in offers, binary="binary" in offers, cancel="true" in _options(root, "cancelFlag"))


def _options(root: Element, name: str) -> set[str]:
    found = child(root, name)
    return {option.strip() for option in found.get("opt", "").split(",")} if found is not None else set()


def take(
    client: Requester,
    *,
    modes: Sequence[str],
    seconds_left: Callable[[], float],
    cancelled: Callable[[], bool],
    pause: Callable[[float], None] = time.sleep,
) -> Captured:
    """Ask for a face until there is one, nobody came, or the caller gives up.

    Args: modes are "url" or "binary", or both where the terminal does not say which: the next is tried when it knows
    nothing of the last; seconds_left tells the seconds until the caller's deadline; cancelled whether to give up; pause
    waits that many seconds. Some terminals wait for the face themselves, others return at once with progress 0 and are
    asked again. After success there is never another POST: it would be refused, and the capture module may hang for
    minutes (one recording).
    Raises: CaptureTimeout, CaptureCancelled, Busy, CaptureNotSupported, Nonsense, other TerminalErrors.
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
    # It cannot capture at all only where it said so of each mode: another refusal may be over in a moment.
    raise min(refusals, key=lambda error: isinstance(error, CaptureNotSupported))


def _take(
    client: Requester,
    mode: str,
    seconds_left: Callable[[], float],
    cancelled: Callable[[], bool],
    pause: Callable[[float], None],
) -> Captured:
    waited_for_busy = False
    while True:
        try:
            captured = _ask(client, mode, seconds_left, cancelled)
        except Busy:
            if waited_for_busy or seconds_left() <= BUSY_PAUSE:
                raise
            waited_for_busy = True
            pause(BUSY_PAUSE)
            continue
        if captured:
            return captured
        waited_for_busy = False
        pause(ASK_AGAIN)


def _ask(
    client: Requester, mode: str, seconds_left: Callable[[], float], cancelled: Callable[[], bool]
) -> Captured | None:
    """Put the request once; None means that nobody has come yet."""
    _stop_if(cancelled)
    left = seconds_left()
    if left <= 0:
        raise CaptureTimeout(path=PATH)
    body, timeout = TAKE.format(mode=mode).encode(), (CONNECT_SECONDS, left + READ_MARGIN)
    try:
        answer = client.request("POST", PATH, data=body, content_type=FORM, timeout=timeout)
    except NoAnswer as error:
        if seconds_left() > 0:
            raise
        raise CaptureTimeout(path=PATH) from error
    _stop_if(cancelled)
    try:
        return _captured(checked(answer))
    except NotSupported as error:
        raise CaptureNotSupported(
            status_code=error.status_code, sub_status=error.sub_status, path=PATH, http_status=error.http_status
        ) from error


def _stop_if(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise CaptureCancelled(path=PATH)


def _captured(answer: Answer) -> Captured | None:
    """Read an answer by what it holds; its labels are often wrong."""
    pieces = [part.data for part in parts(answer)]
    picture = next((cut_jpeg(piece) for piece in pieces if JPEG_START in piece), None)
    document = next((piece for piece in pieces if piece.removeprefix(BOM).lstrip().startswith(b"<")), None)
    if document is None:
        if picture is None:
            raise Nonsense(message="neither XML nor picture", path=answer.path, http_status=answer.status)
        return Captured(picture=picture)
    progress, face_url = _progress_and_url(document, answer.path)
    if progress is not None and progress < 100:
        return None
    if face_url is None and picture is None:
        raise Nonsense(message="done, without a face", path=answer.path, http_status=answer.status)
    return Captured(face_url=face_url, picture=picture)


def _progress_and_url(document: bytes, path: str) -> tuple[int | None, str | None]:
    # Where no boundary was found the picture hangs on the XML's end.
    root = xml_of(document.partition(JPEG_START)[0].rpartition(b">")[0] + b">", path, *ROOTS)
    return whole(text(root, "captureProgress")), text(root, *URL_NAMES) or None


def cancel(client: Requester) -> None:
    """Call an open capture off; whatever the terminal answers is fine (the reply is not documented).

    Raises: Unreachable, NoAnswer, LoginRefused.
    """
    client.request("POST", PATH, data=CANCEL.encode(), content_type=FORM)
