"""What the seed terminal says of itself whatever happened to it: served as recorded, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from flask import Response

from hikflask.simulator import recordings
from hikflask.simulator.http.responses import recorded_reply
from hikflask.simulator.terminal.terminal import Terminal

ACCESS = "/ISAPI/AccessControl"

GETS = MappingProxyType(
    {
        f"{ACCESS}/capabilities": "00_GET_AccessControl_capabilities.response.xml",
        f"{ACCESS}/CaptureFingerPrint/capabilities": (
            "12_GET_AccessControl_CaptureFingerPrint_capabilities.response.xml"
        ),
        f"{ACCESS}/AcsCfg": "13_GET_AccessControl_AcsCfg.response.json",
        f"{ACCESS}/AcsCfg/capabilities": "27_GET_AccessControl_AcsCfg_capabilities.response.json",
        f"{ACCESS}/FaceRecognizeMode": "15_GET_AccessControl_FaceRecognizeMode.response.json",
        f"{ACCESS}/CardInfo/capabilities": "18_GET_AccessControl_CardInfo_capabilities.response.json",
        f"{ACCESS}/CaptureCardInfo/capabilities": "19_GET_AccessControl_CaptureCardInfo_capabilities.response.json",
        f"{ACCESS}/FingerPrintCfg/capabilities": "20_GET_AccessControl_FingerPrintCfg_capabilities.response.json",
        f"{ACCESS}/userAndRightShow": "26_GET_AccessControl_userAndRightShow.response.json",
        f"{ACCESS}/Door/param/1/capabilities": "35_GET_AccessControl_Door_param_1_capabilities.response.xml",
        f"{ACCESS}/UserInfoDetail/Delete/capabilities": (
            "46_GET_AccessControl_UserInfoDetail_Delete_capabilities.response.json"
        ),
    }
)
"""The file in `recorded/` by path."""


def as_recorded(file: str) -> Callable[[Terminal], Response]:
    """A view that answers with this recording."""

    def view(terminal: Terminal) -> Response:  # noqa: ARG001
        return recorded_reply(recordings.body(file))

    return view
