"""The table of paths: which view answers which method on which path."""

import re

from flask import Response

from hikflask.simulator import recordings
from hikflask.simulator.errors import NotSupported, Refusal
from hikflask.simulator.http.middleware import View
from hikflask.simulator.http.responses import recorded_reply
from hikflask.simulator.isapi import (
    capture,
    card_capture,
    cards,
    device,
    event_hosts,
    event_stream,
    events,
    face_library,
    own_page,
    persons,
    settings,
)
from hikflask.simulator.terminal.terminal import Terminal

METHODS = ("GET", "POST", "PUT", "DELETE")
ACCESS = "/ISAPI/AccessControl"
ATTENDANCE = f"{ACCESS}/LocalAttendance"
LIBRARY = "/ISAPI/Intelligent/FDLib"
HOSTS = "/ISAPI/Event/notification/httpHosts"
PICTURES = "/LOCALS/"
NUMBER = "N"
"""Stands in a path for a number that is not fixed: of a slot, a template or a plan."""
_NUMBER = re.compile(r"/\d+(?=/|\Z)")

RECORDED = {
    f"{ACCESS}/CaptureFingerPrint/capabilities": ("12_GET_AccessControl_CaptureFingerPrint_capabilities.response.xml"),
    f"{ACCESS}/AcsCfg/capabilities": "27_GET_AccessControl_AcsCfg_capabilities.response.json",
    f"{ACCESS}/FaceRecognizeMode": "15_GET_AccessControl_FaceRecognizeMode.response.json",
    f"{ACCESS}/FingerPrintCfg/capabilities": "20_GET_AccessControl_FingerPrintCfg_capabilities.response.json",
    f"{ACCESS}/userAndRightShow": "26_GET_AccessControl_userAndRightShow.response.json",
    f"{ACCESS}/Door/param/1/capabilities": "35_GET_AccessControl_Door_param_1_capabilities.response.xml",
    "/ISAPI/Event/notification/subscribeEventCap": "subscribe_capabilities_K1A340FWX.xml",
    f"{ACCESS}/UserInfoDetail/Delete/capabilities": (
        "46_GET_AccessControl_UserInfoDetail_Delete_capabilities.response.json"
    ),
}
"""GETs that always get the recorded answer, whatever happened to the terminal: the file in `recorded/` by path."""


def _recorded(file: str) -> View:
    """A view that answers with this recording, byte for byte."""

    def view(terminal: Terminal) -> Response:  # noqa: ARG001
        return recorded_reply(recordings.body(file))

    return view


def _no_such_function(terminal: Terminal) -> Response:  # noqa: ARG001
    raise NotSupported


ROUTES: dict[str, dict[str, View]] = {
    **{path: {"GET": _recorded(file)} for path, file in RECORDED.items()},
    capture.PATH: {"POST": capture.capture},
    f"{capture.PATH}/capabilities": {"GET": capture.capabilities},
    capture.FINGER_PATH: {"POST": capture.capture_finger},
    card_capture.PATH: {"GET": card_capture.capture, "POST": card_capture.capture},
    f"{card_capture.PATH}/capabilities": {"GET": card_capture.capabilities},
    f"{ACCESS}/UserInfo/Record": {"POST": persons.record},
    f"{ACCESS}/UserInfo/Modify": {"PUT": persons.modify, "POST": persons.modify},
    f"{ACCESS}/UserInfo/SetUp": {"PUT": persons.set_up},
    f"{ACCESS}/UserInfo/Search": {"POST": persons.search},
    f"{ACCESS}/UserInfo/Count": {"GET": persons.count},
    f"{ACCESS}/UserInfo/capabilities": {"GET": persons.capabilities},
    f"{ACCESS}/UserInfo/Delete": {"PUT": persons.remove_at_once},
    f"{ACCESS}/UserInfoDetail/Delete": {"PUT": persons.start_removal},
    f"{ACCESS}/UserInfoDetail/DeleteProcess": {"GET": persons.removal_progress},
    f"{ACCESS}/AcsWorkStatus": {"GET": device.work_status},
    f"{ACCESS}/capabilities": {"GET": device.capabilities},
    f"{ACCESS}/RemoteControl/door/capabilities": {"GET": device.door_capabilities},
    f"{ACCESS}/RemoteControl/door/1": {"PUT": device.control_door},
    f"{ACCESS}/AcsEvent": {"POST": events.search, "GET": events.no_get},
    f"{ACCESS}/AcsEvent/capabilities": {"GET": events.capabilities},
    f"{ACCESS}/AcsEventTotalNum": {"POST": events.total},
    f"{ACCESS}/AcsEvent/StorageCfg": {"GET": settings.storage, "PUT": settings.set_storage},
    f"{ACCESS}/AcsEvent/StorageCfg/capabilities": {"GET": settings.storage_capabilities},
    f"{ACCESS}/AcsCfg": {"GET": settings.access, "PUT": settings.set_access},
    f"{ACCESS}/UserRightPlanTemplate/capabilities": {"GET": settings.template_capabilities},
    f"{ACCESS}/UserRightPlanTemplate/{NUMBER}": {"GET": settings.template, "PUT": settings.set_template},
    f"{ACCESS}/UserRightWeekPlanCfg/{NUMBER}": {"GET": settings.week_plan, "PUT": settings.set_week_plan},
    HOSTS: {
        "GET": event_hosts.hosts,
        "POST": event_hosts.add_host,
        "PUT": event_hosts.set_hosts,
        "DELETE": event_hosts.clear_all,
    },
    f"{HOSTS}/capabilities": {"GET": event_hosts.capabilities},
    f"{HOSTS}/{NUMBER}": {
        "GET": event_hosts.host,
        "PUT": event_hosts.set_host,
        "DELETE": event_hosts.clear_host,
    },
    f"{HOSTS}/{NUMBER}/test": {"POST": event_hosts.try_host},
    "/ISAPI/Event/notification/alertStream": {"GET": event_stream.stream},
    f"{ACCESS}/CardInfo/Record": {"POST": cards.record},
    f"{ACCESS}/CardInfo/Modify": {"PUT": cards.modify},
    f"{ACCESS}/CardInfo/SetUp": {"PUT": cards.set_up},
    f"{ACCESS}/CardInfo/Search": {"POST": cards.search},
    f"{ACCESS}/CardInfo/Count": {"GET": cards.count},
    f"{ACCESS}/CardInfo/Delete": {"PUT": cards.delete},
    f"{ACCESS}/CardInfo/capabilities": {"GET": cards.capabilities},
    f"{ACCESS}/CardVerificationRule": {"GET": cards.verification_rule},
    LIBRARY: {"GET": face_library.libraries, "DELETE": face_library.wipe},
    f"{LIBRARY}/capabilities": {"GET": face_library.capabilities},
    f"{LIBRARY}/Count": {"GET": face_library.count},
    f"{LIBRARY}/FDSetUp": {"PUT": face_library.set_up, "POST": face_library.set_up},
    f"{LIBRARY}/FDSearch": {"POST": face_library.search},
    f"{LIBRARY}/FDSearch/Delete": {"PUT": face_library.search_delete},
    f"{LIBRARY}/FDDelete": {"PUT": face_library.delete},
    f"{LIBRARY}/FaceDataRecord": {"POST": face_library.face_data_record},
    f"{LIBRARY}/FDModify": {"PUT": face_library.modify},
    f"{LIBRARY}/pictureUpload": {"POST": _no_such_function},
    f"{ATTENDANCE}/groupSearch": {"POST": own_page.group_search},
    f"{ATTENDANCE}/groupSearch/capabilities": {"GET": own_page.group_search_capabilities},
    f"{ATTENDANCE}/group/capabilities": {"GET": own_page.group_capabilities},
    f"{ACCESS}/UserAndRight/PwMgrParams": {"GET": own_page.password_mode},
    f"{ACCESS}/UserAndRight/CustomPersonnelType": {"GET": own_page.person_kinds},
    f"{ACCESS}/UserAndRight/CustomPersonnelType/capabilities": {"GET": own_page.person_kinds_capabilities},
    f"{ACCESS}/Configuration/RFCardCfg/capabilities": {"GET": own_page.card_kinds},
    "/ISAPI/Security/adminAccesses/capabilities": {"GET": own_page.protocols},
    "/ISAPI/Security/token": {"GET": device.token},
    "/ISAPI/Security/sessionHeartbeat": {"PUT": _recorded("28_PUT_Security_sessionHeartbeat.response.xml")},
    "/ISAPI/Security/userCheck": {"GET": device.user_check},
    "/ISAPI/System/DeviceLanguage": {"GET": own_page.language},
    "/ISAPI/System/Video/inputs/channels": {"GET": own_page.video_inputs},
    "/ISAPI/System/deviceInfo": {"GET": device.device_info},
    "/ISAPI/System/reboot": {"PUT": device.reboot},
    "/ISAPI/System/status": {"GET": device.status},
    "/ISAPI/System/time": {"GET": device.time, "PUT": device.set_time},
    "/ISAPI/System/time/timeZone": {"GET": device.time_zone},
}


def view_for(method: str, path: str) -> View:
    """The view for `method` on `path` (without query). For an unknown one it is a view that refuses."""
    method = "GET" if method == "HEAD" else method
    if path.startswith(PICTURES):
        return face_library.picture if method == "GET" else face_library.no_upload
    views = ROUTES.get(path) or ROUTES.get(_NUMBER.sub(f"/{NUMBER}", path))
    return _no_such_function if views is None else views.get(method, _wrong_method)


def _wrong_method(terminal: Terminal) -> Response:
    raise Refusal("methodNotAllowed") if terminal.profile.refuses_methods else NotSupported
