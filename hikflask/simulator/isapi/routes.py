"""Which path is answered by which view."""

from __future__ import annotations

from types import MappingProxyType

from flask import Response

from hikflask.simulator.errors import NotSupported, Refusal
from hikflask.simulator.http.middleware import View
from hikflask.simulator.isapi import capture, cards, device, door, face_library, persons, pictures, removal
from hikflask.simulator.isapi.recorded_answers import ACCESS, GETS, as_recorded
from hikflask.simulator.terminal.terminal import Terminal

METHODS = ("GET", "POST", "PUT", "DELETE")
LIBRARY = "/ISAPI/Intelligent/FDLib"
PICTURES = "/LOCALS/"

ROUTES: MappingProxyType[str, dict[str, View]] = MappingProxyType(
    {
        **{path: {"GET": as_recorded(file)} for path, file in GETS.items()},
        capture.PATH: {"POST": capture.capture},
        f"{capture.PATH}/capabilities": {"GET": capture.capabilities},
        f"{ACCESS}/UserInfo/Record": {"POST": persons.record},
        f"{ACCESS}/UserInfo/Modify": {"PUT": persons.modify},
        f"{ACCESS}/UserInfo/SetUp": {"PUT": persons.set_up},
        f"{ACCESS}/UserInfo/Search": {"POST": persons.search},
        f"{ACCESS}/UserInfo/Count": {"GET": persons.count},
        f"{ACCESS}/UserInfo/capabilities": {"GET": persons.capabilities},
        f"{ACCESS}/UserInfo/Delete": {"PUT": removal.older},
        f"{ACCESS}/UserInfoDetail/Delete": {"PUT": removal.start},
        f"{ACCESS}/UserInfoDetail/DeleteProcess": {"GET": removal.process},
        f"{ACCESS}/AcsWorkStatus": {"GET": door.work_status},
        f"{ACCESS}/RemoteControl/door/1": {"PUT": door.control_door},
        f"{ACCESS}/CardInfo/Record": {"POST": cards.record},
        f"{ACCESS}/CardInfo/Modify": {"PUT": cards.modify},
        f"{ACCESS}/CardInfo/SetUp": {"PUT": cards.set_up},
        f"{ACCESS}/CardInfo/Search": {"POST": cards.search},
        f"{ACCESS}/CardInfo/Count": {"GET": cards.count},
        f"{ACCESS}/CardInfo/Delete": {"PUT": cards.delete},
        LIBRARY: {"GET": face_library.libraries, "DELETE": face_library.wipe},
        f"{LIBRARY}/capabilities": {"GET": face_library.capabilities},
        f"{LIBRARY}/Count": {"GET": face_library.count},
        f"{LIBRARY}/FDSetUp": {"PUT": face_library.set_up, "POST": face_library.set_up_by_post},
        f"{LIBRARY}/FDSearch": {"POST": face_library.search},
        f"{LIBRARY}/FDSearch/Delete": {"PUT": face_library.search_delete},
        f"{LIBRARY}/FDDelete": {"PUT": face_library.delete},
        f"{LIBRARY}/FaceDataRecord": {"POST": face_library.face_data_record},
        f"{LIBRARY}/FDModify": {"PUT": face_library.modify},
        f"{LIBRARY}/pictureUpload": {"POST": face_library.picture_upload},
        "/ISAPI/Security/token": {"GET": device.token},
        "/ISAPI/Security/sessionHeartbeat": {"PUT": device.session_heartbeat},
        "/ISAPI/System/deviceInfo": {"GET": device.device_info},
        "/ISAPI/System/reboot": {"PUT": device.reboot},
        "/ISAPI/System/status": {"GET": device.status},
        "/ISAPI/System/time": {"GET": device.time, "PUT": device.set_time},
    }
)


def view_for(method: str, path: str) -> View:
    """The view that answers `method` on `path` (without query); one that refuses where there is none."""
    method = "GET" if method == "HEAD" else method
    if path.startswith(PICTURES):
        return pictures.picture if method == "GET" else pictures.no_upload
    views = ROUTES.get(path)
    return _unknown_path if views is None else views.get(method, _wrong_method)


def _unknown_path(terminal: Terminal) -> Response:  # noqa: ARG001
    raise NotSupported


def _wrong_method(terminal: Terminal) -> Response:  # noqa: ARG001
    raise Refusal("methodNotAllowed")
