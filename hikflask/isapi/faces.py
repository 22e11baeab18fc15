"""Faces in a terminal's library for visible light: FDID "1", faceLibType "blackFD", FPID = the person's number.

What the vendor allows: PUT /ISAPI/Intelligent/FDLib/FDSetUp adds or replaces a face, in multipart, by URL or by
picture; POST FaceDataRecord adds and PUT FDModify replaces in the same form; FDSearch and FDSearch/Delete (ISAPI guide,
"Face picture library"). The seed terminal takes FDSetUp with the URL of its own last capture; most others take the
picture. DELETE on FDLib itself erases every library, so it is never sent.
"""

import re
from dataclasses import dataclass
from enum import Enum

from hikflask.isapi.answer import Requester
from hikflask.isapi.codec import Json, checked, confirmed, json_object, to_json
from hikflask.isapi.errors import Gone, NotSupported, UnusablePicture
from hikflask.isapi.multipart import PICTURE_NAMES, cut_jpeg, face_form
from hikflask.isapi.paging import PAGE, Page, every_row, page
from hikflask.isapi.persons import JSON_TYPE, valid_number

BASE = "/ISAPI/Intelligent/FDLib"
SEARCH = f"{BASE}/FDSearch?format=json"
SEARCH_DELETE = f"{BASE}/FDSearch/Delete?format=json&FDID=1&faceLibType=blackFD"
DELETE = f"{BASE}/FDDelete?format=json"

LIBRARY: Json = {"faceLibType": "blackFD", "FDID": "1"}
SCHEME_AND_HOST = re.compile(r"\A(?:[A-Za-z][\w+.-]*:)?//[^/]*")
# Terminals send URLs of about 80 characters. A longer text is not parsed at all.
MAX_URL_LENGTH = 768


class FaceCall(Enum):
    """Method and path of the calls that bind a face. ADD and REPLACE are older, for terminals without FDSetUp."""

    SET_UP = "PUT", f"{BASE}/FDSetUp?format=json"
    ADD = "POST", f"{BASE}/FaceDataRecord?format=json"
    REPLACE = "PUT", f"{BASE}/FDModify?format=json"


@dataclass(frozen=True)
class EnrolledFace:
    """A face in the terminal's library, with the URL of its picture if the terminal gives one."""

    face_url: str | None


def bind_url(client: Requester, number: str, face_url: str, call: FaceCall = FaceCall.SET_UP) -> None:
    """Bind the picture at a URL of the same terminal to a person who exists there.

    Args: face_url exactly as the terminal gave it; call is the FaceCall to use, one that the terminal supports.
    :raises ModelingFailed: :raises PictureLost: :raises SameFace: :raises Full: :raises NotSupported:
    :raises TerminalError:
    """
    _send(client, call, {**_key(number), "faceURL": face_url})


def bind_picture(
    client: Requester, number: str, picture: bytes, call: FaceCall = FaceCall.SET_UP, name: str = PICTURE_NAMES[0]
) -> None:
    """Bind a JPEG to a person who exists on the terminal.

    Args: picture has at most 200 KB, baseline, 4:2:0; call is one that the terminal knows: SET_UP adds or replaces, and
    keeps the old face when it fails; ADD is for a person without a face, REPLACE for a person with one; name is that of
    the picture's part, one of PICTURE_NAMES.
    :raises ModelingFailed: :raises FileTooLarge: :raises SameFace: :raises Full: :raises NotSupported:
    :raises TerminalError:
    """
    _send(client, call, _key(number), picture, name)


def _send(
    client: Requester, call: FaceCall, record: Json, picture: bytes | None = None, name: str = PICTURE_NAMES[0]
) -> None:
    body, content_type = face_form(to_json(record), picture, picture_name=name)
    method, path = call.value
    confirmed(client.request(method, path, data=body, content_type=content_type))


def _key(number: str) -> Json:
    return {**LIBRARY, "FPID": valid_number(number)}


def find(client: Requester, number: str) -> EnrolledFace | None:
    """Return the face bound to this number, or None when there is none.

    :raises TerminalError: :raises Nonsense: when the list may be incomplete or a row has no number.
    """
    # Some firmware ignores filters, so the number itself is compared.
    listed = every_row(lambda position: _search(client, position, _key(number)))
    return next((_face(row) for listed_number, row in listed if listed_number == number), None)


def has(client: Requester, number: str) -> bool:
    """Return whether the library shows a face of this number, by one request.

    Firmware that ignores the number lists its first faces, which tells nothing: the answer is then False.
    :raises TerminalError: :raises Nonsense: when it is no list or a row has no number.
    """
    return number in _search(client, 0, _key(number)).numbers


def list_page(client: Requester, position: int) -> tuple[list[tuple[str, EnrolledFace]], Page]:
    """Return one page of all faces with their numbers, from a position on, and what it says about the list.

    :raises TerminalError: :raises Nonsense: when it is no list or a row has no number.
    """
    listed = _search(client, position, LIBRARY)
    return [(number, _face(row)) for number, row in listed.rows], listed


def _search(client: Requester, position: int, key: Json) -> Page:
    words = {"searchResultPosition": position, "maxResults": PAGE, **key}
    answer = checked(client.request("POST", SEARCH, data=to_json(words), content_type=JSON_TYPE))
    return page(answer, json_object(answer), "MatchList", "FPID")


def _face(row: Json) -> EnrolledFace:
    return EnrolledFace(face_url=str(row.get("faceURL") or "") or None)


def remove(client: Requester, number: str) -> None:
    """Delete one person's face and keep the person.

    Three calls are tried in turn: the next one when the terminal does not support the last.
    :raises NotSupported: when it supports none. :raises TerminalError: for others. :raises ValueError: for a bad number
    (an empty list would delete every face).
    """
    try:
        body = to_json({"FPID": [{"value": valid_number(number)}]})
        confirmed(client.request("PUT", SEARCH_DELETE, data=body, content_type=JSON_TYPE))
    except NotSupported:
        try:
            _send(client, FaceCall.SET_UP, {**_key(number), "deleteFP": True})
        except NotSupported:
            confirmed(client.request("PUT", DELETE, data=to_json(_key(number)), content_type=JSON_TYPE))


def fetch_picture(client: Requester, face_url: str) -> bytes:
    """Return the JPEG at a URL that the terminal gave, of a capture or of an enrolled face.

    Only the path of the URL is used, because the host is unreliable (a LAN address behind NAT, http for https, cut
    short).
    :raises Gone: on 404. :raises UnusablePicture: when the URL is too long or has no path, and when there is no JPEG.
    :raises TerminalError:
    """
    path = picture_path(face_url)
    answer = client.request("GET", path)
    if answer.status == 404:
        raise Gone(path=path, http_status=404)
    return cut_jpeg(checked(answer).body)


def picture_path(face_url: str) -> str:
    """Return the path of a picture's URL, without its query.

    :raises UnusablePicture: when it has none or is too long.
    """
    if len(face_url) > MAX_URL_LENGTH:
        raise UnusablePicture(message="the picture's URL is too long")
    plain = re.split(r"[?#]", face_url.strip(), maxsplit=1)[0]
    start = plain.find("/LOCALS/")
    path = plain[start:] if start >= 0 else SCHEME_AND_HOST.sub("", plain)
    if not re.match(r"/[^/]", path) or "/../" in path:
        raise UnusablePicture(message="no path in the picture's URL")
    return path
