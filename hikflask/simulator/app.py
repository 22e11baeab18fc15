"""Which path is answered by what, and the application that does so."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from flask import Flask, Response

from hikflask.simulator.errors import NotSupported, Refusal
from hikflask.simulator.http.middleware import View, converse
from hikflask.simulator.isapi import capture, cards, device, door, face_library, persons, pictures, removal
from hikflask.simulator.isapi.recorded_answers import ACCESS, GETS, as_recorded
from hikflask.simulator.screen.views import create_screen
from hikflask.simulator.terminal.terminal import Terminal

METHODS = ("GET", "POST", "PUT", "DELETE")

LIBRARY = "/ISAPI/Intelligent/FDLib"

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
        "/LOCALS/<path:file>": {
            "GET": pictures.picture,
            "PUT": pictures.no_upload,
            "POST": pictures.no_upload,
            "DELETE": pictures.no_upload,
        },
    }
)


def create_simulator(terminal: Terminal) -> Flask:
    """The terminal as a WSGI application: ISAPI and pictures behind Digest, its screen on `/` without."""
    app = Flask(__name__)
    # A lost answer has to come out of the application as AnswerLost, not as a page with status 500.
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.url_map.merge_slashes = False
    for path, views in ROUTES.items():
        _add(app, terminal, path, views)
    _add(app, terminal, "/ISAPI/<path:unknown>", dict.fromkeys(METHODS, _unknown))
    app.register_blueprint(create_screen(terminal))
    return app


def _add(app: Flask, terminal: Terminal, path: str, views: dict[str, View]) -> None:
    for method in METHODS:
        answer = _bound(terminal, views.get(method, _wrong_method))
        app.add_url_rule(
            path, f"{method} {path}".replace(".", "_"), answer, methods=[method], provide_automatic_options=False
        )


def _bound(terminal: Terminal, view: View) -> Callable[..., Response]:
    def answer(**_path: str) -> Response:
        return converse(terminal, view)

    return answer


def _unknown(terminal: Terminal) -> Response:  # noqa: ARG001
    raise NotSupported


def _wrong_method(terminal: Terminal) -> Response:  # noqa: ARG001
    raise Refusal("methodNotAllowed")
