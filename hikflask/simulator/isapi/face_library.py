"""FDLib: binding, finding, counting and removing faces; and their pictures, here and under /LOCALS/pic.

FPID is the employeeNo. FDSetUp adds or replaces a face; when it fails, the old face stays.
"""

import hashlib
import io
import re
from urllib.parse import urlsplit

from flask import Response, request
from PIL import Image, JpegImagePlugin, UnidentifiedImageError

from hikflask.simulator import recordings
from hikflask.simulator.errors import NotSupported, Refusal
from hikflask.simulator.http.request_body import Fields, Part, json_object, numbers, parts
from hikflask.simulator.http.responses import done, json_reply, recorded_reply, reply
from hikflask.simulator.isapi.pagination import search_result
from hikflask.simulator.terminal.terminal import Terminal

LIBRARIES: tuple[Fields, ...] = (
    {"FDID": "1", "faceLibType": "blackFD", "name": "visible"},
    {"FDID": "2", "faceLibType": "infraredFD", "name": "infrared"},
)
"""Two libraries, as seen on two terminals. Their names there are not known. The second one stays empty."""
OK: Fields = {"statusCode": 1, "statusString": "OK", "subStatusCode": "ok"}
_BASE64 = re.compile(r"(data:image/|/9j/)")


def capabilities(terminal: Terminal) -> Response:
    """The recorded capabilities with the profile's capacity and functions."""
    text = recordings.body("16_GET_Intelligent_FDLib_capabilities.response.json").decode()
    profile = terminal.profile
    text = text.replace('"FDRecordDataMaxNum":\t1500', f'"FDRecordDataMaxNum":\t{profile.capacity}')
    text = text.replace('"post,delete,get,put,setUp"', f'"{profile.fd_functions}"')
    return recorded_reply(text.encode())


def set_up(terminal: Terminal) -> Response:
    """Bind a face to a person, or remove it with `deleteFP`. Some firmware accepts POST as well as PUT."""
    if request.method == "POST" and not terminal.profile.set_up_by_post:
        raise Refusal("methodNotAllowed")
    if not terminal.profile.set_up:
        raise NotSupported
    sent = parts()
    record, picture = _record_and_picture(terminal, sent)
    if terminal.profile.strict_parts and (not sent[0].is_json or sent[0].content_type != "application/json"):
        raise Refusal("badJsonFormat")
    number = _person(terminal, record)
    if record.get("deleteFP") is True:
        terminal.store.unbind([number])
        return done(as_json=True)
    terminal.store.bind(number, _jpeg(terminal, record, picture))
    return done(as_json=True)


def face_data_record(terminal: Terminal) -> Response:
    """The older way to add a face. The seed terminal refuses it in three ways; its owner tried them."""
    record, picture = _record_and_picture(terminal, parts())
    if picture is None and _BASE64.match(str(record.get("faceURL", record.get("faceData", "")))):
        raise Refusal("badJsonContent", "faceURL")
    jpeg = _jpeg(terminal, record, picture)
    number = _person(terminal, record)
    if number in terminal.faces:
        raise Refusal("deviceUserAlreadyExistFace", "FPID")
    terminal.store.bind(number, jpeg)
    return done(as_json=True)


def modify(terminal: Terminal) -> Response:
    """The older way to replace a face; the seed terminal does not have it.

    The code for a person without a face is not known; `badParameters` stands in for it.
    """
    if terminal.profile.set_up and not terminal.profile.face_by_picture:
        raise NotSupported
    record, picture = _record_and_picture(terminal, parts())
    number = _person(terminal, record)
    if number not in terminal.faces:
        raise Refusal("badParameters", "FPID")
    terminal.store.bind(number, _jpeg(terminal, record, picture))
    return done(as_json=True)


def _record_and_picture(terminal: Terminal, sent: list[Part]) -> tuple[Fields, bytes | None]:
    """The JSON and the picture among the parts. The content tells them apart: names and types of the parts vary."""
    records = [part for part in sent if part.is_json]
    pictures = [part for part in sent if not part.is_json and part.content]
    if not records or (pictures and not terminal.profile.face_by_picture):
        raise Refusal("badJsonFormat")
    # Some terminals find a picture only when each part has its length, or under another name.
    profile = terminal.profile
    lengths = not profile.part_lengths or all(part.headers.get("content-length") for part in sent)
    if pictures and not (lengths and profile.picture_part in {None, pictures[0].name}):
        raise Refusal("SubpicAnalysisModelingError", "PicFeaturePoints")
    return json_object(records[0].content), pictures[0].content if pictures else None


def _person(terminal: Terminal, record: Fields) -> str:
    if record.get("faceLibType") != "blackFD" or str(record.get("FDID")) != "1":
        raise Refusal("faceLibraryIDError", "FDID")
    number = str(record.get("FPID", ""))
    if number not in terminal.people:
        raise Refusal("employeeNoNotExist", "FPID")
    return number


def _jpeg(terminal: Terminal, record: Fields, picture: bytes | None) -> bytes:
    if picture is not None:
        check_picture(picture)
        return picture
    if not isinstance(record.get("faceURL"), str):
        raise Refusal("MessageParametersLack", "faceURL")
    # The picture that is there NOW: at a local path whatever face the one file holds at this moment.
    url, jpeg = str(record["faceURL"]), None
    path = urlsplit(url).path
    if terminal.profile.face_by_url and path.startswith("/LOCALS/pic/"):
        jpeg = terminal.picture(path)
    elif terminal.profile.external_url:
        jpeg = terminal.web.get(url)
    if jpeg is None:
        raise Refusal("urlDownloadFail", "faceURL")
    return jpeg


def search(terminal: Terminal) -> Response:
    """Find the faces, all of them or that of one FPID, with their URLs."""
    condition = json_object()
    fpid = condition.get("FPID")
    hits = [number for number in terminal.faces if fpid in (None, "", number)]

    def match(number: str) -> Fields:
        return {"FPID": number, "faceURL": terminal.face_url(terminal.faces[number])}

    return json_reply(OK | search_result(terminal.profile, hits, condition, "MatchList", match, None))


def search_delete(terminal: Terminal) -> Response:
    """Remove faces. As on real terminals, an empty list removes ALL of them; without a list nothing is removed."""
    if request.args.get("FDID") != "1" or request.args.get("faceLibType") != "blackFD":
        raise Refusal("faceLibraryIDError", "FDID")
    given = json_object()
    if "FPID" not in given:
        raise Refusal("MessageParametersLack", "FPID")
    terminal.store.unbind(numbers(given, "FPID", "value"))
    return done(as_json=True)


def delete(terminal: Terminal) -> Response:
    """Remove one face by `{faceLibType, FDID, FPID}`: FDDelete, seen on one model."""
    terminal.store.unbind([_person(terminal, json_object())])
    return done(as_json=True)


def wipe(terminal: Terminal) -> Response:
    """Remove every face: DELETE on the library itself."""
    terminal.store.unbind(None)
    return done(as_json=True)


def count(terminal: Terminal) -> Response:
    """Count the faces of each library."""
    rows = [library | {"recordDataNumber": 0} for library in LIBRARIES]
    rows[0]["recordDataNumber"] = len(terminal.faces)
    return json_reply(OK | {"FDRecordDataInfo": rows})


def libraries(terminal: Terminal) -> Response:  # noqa: ARG001
    """List the libraries."""
    return json_reply(OK | {"FDLib": LIBRARIES})


MAX_PICTURE_BYTES = 200 * 1024
MIN_PICTURE_BYTES = 1024
_SUBSAMPLING_420 = 2
_GREY = -1


def picture(terminal: Terminal) -> Response:
    """The picture file as it is now. The counter in its name is ignored."""
    jpeg = terminal.picture(request.path)
    if jpeg is None:
        return reply(b"<html><body><h1>404 Not Found</h1></body></html>\n", "text/html", 404)
    return reply(jpeg, "image/jpeg")


def no_upload(terminal: Terminal) -> Response:  # noqa: ARG001
    """Nothing can be uploaded here; the seed terminal's owner tried."""
    return reply(b"<html><body><h1>405 Method Not Allowed</h1></body></html>\n", "text/html", 405)


def check_picture(jpeg: bytes) -> None:
    """Raise Refusal unless `jpeg` is a baseline JPEG, 4:2:0, from 1 to 200 KB, with nothing before or after it."""
    if len(jpeg) > MAX_PICTURE_BYTES:
        raise Refusal("badJsonContent", "faceURL")
    if len(jpeg) < MIN_PICTURE_BYTES:
        raise Refusal("faceDataLenShort")
    if not (jpeg.startswith(b"\xff\xd8") and jpeg.endswith(b"\xff\xd9") and _is_plain(jpeg)):
        raise Refusal("SubpicAnalysisModelingError", "saveFacePic")


def noise(jpeg: bytes) -> bytes:
    """Bytes that begin and end like a JPEG but are no picture; each `jpeg` gets its own."""
    middle = hashlib.shake_256(jpeg).digest(4096).replace(b"\xff", b"\x00")
    return b"\xff\xd8\xff" + middle + b"\xff\xd9"


def _is_plain(jpeg: bytes) -> bool:
    try:
        image = Image.open(io.BytesIO(jpeg))
    except (UnidentifiedImageError, OSError):
        return False
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or "progressive" in image.info:
        return False
    return JpegImagePlugin.get_sampling(image) in (_SUBSAMPLING_420, _GREY)
